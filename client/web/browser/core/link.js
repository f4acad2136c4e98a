/**
 * The WebSocket to the gateway: connecting again for ever, requests and their answers, heartbeats.
 *
 * A link is live when `hello` was answered on it. Must not know what requests and events mean; the socket, timers, clocks and
 * chance are given (`port`, see `browser` in chat.js), so that tests can drive them.
 */

/** What was refused, or not answered (`code` "no-answer"). */
export class Refusal extends Error {
  /** @param {{code: string, message?: string, retry_after?: number}} error */
  constructor({ code, message = code, retry_after: retryAfter }, heard = false) {
    super(message);
    this.code = code;
    /** whether the gateway said so */ this.heard = heard;
    /** seconds, where waiting helps */ this.retryAfter = retryAfter;
  }

  /** Whether the same may succeed later. */
  get waits() {
    return ["rate-limited", "busy", "closing", "storage-failed"].includes(this.code);
  }

  /** Milliseconds until then, with chance in them. */
  pause(random) {
    return (this.retryAfter ?? 1) * 1000 * (1 + random() / 2);
  }
}

const PING = 20000;
const ANSWER = 8000;
const FIRST = 300;
const LONGEST = 15000;
/** Pauses while somebody looks. */
const SEEN = 3000;
/** What is asked for without a link is told soon that there is none. */
const SOON = 3000;
/** What a machine that woke up gives its connection. */
const WOKEN = 2500;
const AWAY = 2000;
/** Somebody logs in anew with this browser, and the answer has yet to bring the cookie. */
const REPLACED = 1500;
const ONCE = ["create", "password"];

export class Link {
  state = "connecting";
  /** whether the page is seen: then it is come back to sooner */ shown = true;
  #port;
  #on;
  #socket = null;
  #live = false;
  /** The gateway is there, and has no broker. */ #away = false;
  #stopped = true;
  #tries = 0;
  #tried = -Infinity;
  #heard = -Infinity;
  #number = 0;
  /** requests by number, on their way */ #open = new Map();
  /** those that wait for a live link */ #queue = new Set();
  /** all that are neither answered nor given up */ #calls = new Set();
  #again;
  #beat;
  #due = 0;
  #waiting = false;
  #greeting = 0;

  /**
   * @param {object} port @param {{hello: () => Promise<object>, ahead: () => void, welcome: (reply, sent, resumed: boolean) => void, pong: (reply, sent) => void,
   *   event: (frame) => void, state: (state) => void, ended: (reason) => void}} on
   */
  constructor(port, on) {
    this.#port = port;
    this.#on = on;
  }

  start() {
    this.#stopped = false;
    this.#tries = 0;
    if (this.state === "ended") this.#state("connecting");
    if (!this.#socket) this.#connect();
  }

  stop() {
    this.#stopped = true;
    this.#drop("offline");
  }

  /** The machine woke up, or its network changed: is the broker still there? */
  wake() {
    if (this.#stopped) return;
    this.#tries = 0;
    const now = this.#port.monotonic();
    if (this.#live && now - this.#heard < 2 * PING) this.#ping(WOKEN);
    else if (this.#away) this.hello();
    else if (this.#socket && !this.#live) this.#watch(WOKEN);
    else {
      // After so long a silence the gateway has given it up.
      if (this.#socket) this.#drop("offline");
      this.#port.clear(this.#again);
      this.#again = this.#port.set(() => this.#connect(), Math.max(0, this.#tried + FIRST - now));
    }
  }

  /** The network is gone: what connection there is will not come back. */
  cut() {
    if (!this.#stopped) this.#lost();
  }

  #state(state) {
    if (state !== this.state) this.#on.state((this.state = state));
  }

  #connect() {
    this.#port.clear(this.#again);
    this.#tried = this.#port.monotonic();
    const socket = (this.#socket = this.#port.connect());
    const mine = (then) => (event) => socket === this.#socket && then(event);
    this.#waiting = true;
    this.#watch(ANSWER);
    const opened = mine(() => this.hello());
    if (socket.readyState === 1) opened();
    else socket.onopen = opened;
    socket.onmessage = mine(({ data }) => this.#frame(data));
    socket.onclose = mine(({ code }) => {
      if (code === 4401) this.end("logged-out");
      else this.#lost(code === 4429 ? LONGEST : code === 1012 ? 1000 : 0);
    });
  }

  /** Give the connection up unless something comes within that time. */
  #watch(time) {
    this.#port.clear(this.#beat);
    this.#beat = this.#port.set(() => this.#lost(), time);
  }

  #drop(state) {
    const socket = this.#socket;
    this.#socket = null;
    this.#live = this.#away = false;
    this.#port.clear(this.#beat);
    this.#port.clear(this.#again);
    try {
      socket?.close();
    } catch { /* it was not open yet */ }
    for (const call of this.#open.values()) {
      if (call.urgent || ONCE.includes(call.op)) this.#settle(call, new Refusal({ code: "no-answer" }));
      else if (call.post) this.#settle(call, new Refusal({ code: "cut" }));
      else this.#queue.add(call);
    }
    this.#open.clear();
    this.#state(state);
  }

  #lost(least = 0) {
    this.#drop(this.state === "connecting" && !this.#tries ? "connecting" : "offline");
    const wait = Math.max(least, Math.min(this.shown ? SEEN : LONGEST, FIRST * 2 ** this.#tries++)) * (0.5 + this.#port.random());
    this.#again = this.#port.set(() => this.#connect(), wait);
  }

  /** The gateway has no broker. Its socket stays; hello is said now and then, as a gateway that is new does not tell when it has one. */
  #alone() {
    this.#live = this.#waiting = false;
    this.#away = true;
    this.#port.clear(this.#beat);
    this.#beat = this.#port.set(() => this.hello(), AWAY * (0.5 + this.#port.random()));
    this.#state("offline");
  }

  /** One is logged out: no request is made any more. */
  end(reason) {
    // The answer to a logout and what the gateway tells of it come on different ways.
    if (this.state === "ended") return;
    this.#stopped = true;
    this.#drop("ended");
    this.forget();
    this.#on.ended(reason);
  }

  /** Nothing that was asked so far is to be done: it was somebody else who wanted it. */
  forget() {
    for (const call of this.#calls) this.#settle(call, new Refusal({ code: "not-logged-in" }));
  }

  /** Say hello, at first or to see the state afresh. */
  async hello() {
    const socket = this.#socket;
    const number = ++this.#greeting;
    const fields = await this.#on.hello();
    if (!socket || socket !== this.#socket || number !== this.#greeting) return;
    try {
      const sent = this.#port.monotonic();
      const answer = this.request("hello", fields, { timeout: ANSWER, urgent: true });
      this.#on.ahead();
      const reply = await answer;
      if (socket !== this.#socket) return;
      this.#live = true;
      this.#away = false;
      this.#tries = 0;
      this.#next();
      this.#on.welcome(reply, sent);
      this.#state("live");
      for (const call of this.#queue) this.#send(call);
      this.#queue.clear();
    } catch (refusal) {
      if (socket !== this.#socket) return;
      if (refusal.heard && refusal.code === "no-answer") this.#alone();
      else if (this.#live && refusal.waits) this.#port.set(() => this.#live && this.hello(), refusal.pause(this.#port.random));
      else this.#lost(refusal.waits ? refusal.pause(this.#port.random) : 0);
    }
  }

  #next() {
    this.#waiting = false;
    this.#due = this.#port.monotonic() + PING;
    this.#port.clear(this.#beat);
    this.#beat = this.#port.set(() => {
      // A frozen tab's timers come late: the gateway may have given this socket up since.
      if (this.#port.monotonic() - this.#due > PING) this.#lost();
      else this.#ping();
    }, PING * (0.9 + this.#port.random() / 10));
  }

  async #ping(patience = ANSWER) {
    const socket = this.#socket;
    const sent = this.#port.monotonic();
    this.#watch(patience);
    this.#waiting = true;
    try {
      const reply = await this.request("ping", {}, { timeout: 2 * ANSWER, urgent: true });
      if (socket === this.#socket) this.#on.pong(reply, sent);
    } catch { /* a refusal is a sign of life as well; without any the link is lost */ }
    if (socket === this.#socket) this.#next();
  }

  /**
   * Ask for something, as soon as the link lives.
   * `urgent`: now or never; `post`: of a cut is told ("cut"), and of waits. @returns {Promise<object>}
   */
  request(op, fields = {}, { timeout = 15000, urgent = false, post = false } = {}) {
    const patience = this.state === "offline" ? Math.min(timeout, SOON) : timeout;
    return new Promise((resolve, reject) => {
      const call = { op, fields, resolve, reject, urgent, post, id: 0, until: this.#port.monotonic() + patience };
      this.#calls.add(call);
      call.timer = this.#port.set(() => this.#settle(call, new Refusal({ code: "no-answer" })), patience);
      if (this.state === "ended") this.#settle(call, new Refusal({ code: "not-logged-in" }));
      else if (this.#socket && (this.#live || urgent)) this.#send(call);
      else this.#queue.add(call);
    });
  }

  #send(call) {
    call.id = ++this.#number;
    this.#open.set(call.id, call);
    this.#socket.send(JSON.stringify({ ...call.fields, op: call.op, id: call.id }));
  }

  #settle(call, outcome) {
    this.#port.clear(call.timer);
    this.#open.delete(call.id);
    this.#queue.delete(call);
    this.#calls.delete(call);
    if (outcome instanceof Refusal) call.reject(outcome);
    else call.resolve(outcome);
  }

  #frame(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    this.#heard = this.#port.monotonic();
    if (this.#waiting) this.#watch(ANSWER);
    if (frame === null || typeof frame !== "object") return;
    if (frame.kind === undefined) {
      const call = this.#open.get(frame.id);
      if (call) this.#answered(call, frame);
    } else if (frame.log !== undefined) this.#on.event(frame);
    else if (frame.kind === "gap" || (frame.kind === "link" && frame.state === "live")) this.hello();
    else if (frame.kind === "link") this.#alone();
    else if (frame.kind === "ended" && frame.reason === "replaced") this.#lost(REPLACED);
    else if (frame.kind === "ended") this.end(frame.reason);
  }

  #answered(call, frame) {
    if (frame.ok) return this.#settle(call, frame);
    const refusal = new Refusal(frame.error ?? { code: "internal" }, true);
    // Either way nobody knows what became of it.
    if (refusal.code === "link-lost") refusal.code = "no-answer";
    const pause = refusal.pause(this.#port.random);
    const again = refusal.waits || (refusal.code === "no-answer" && !ONCE.includes(call.op));
    if (!again || call.urgent || call.post || this.#port.monotonic() + pause > call.until) return this.#settle(call, refusal);
    this.#open.delete(call.id);
    this.#port.set(() => {
      if (!this.#calls.has(call)) return;
      if (this.#live) this.#send(call);
      else this.#queue.add(call);
    }, pause);
  }
}
