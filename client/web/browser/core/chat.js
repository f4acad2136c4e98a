/**
 * One broker, as this browser sees it: talks, what was said in them, who one is. What the views draw, and what they call.
 *
 * The objects, the events and the walk of one message are described in docs/WEB.md ("The app inside"); typedefs Entry and Talk
 * below. Views read them and never write to them. It has its length because it is the one place where the parts meet. Must not
 * know what is drawn.
 *
 * @typedef {import("./entries.js").Entry} Entry
 * @typedef {import("./entries.js").Talk} Talk
 */

import { Clock } from "./clock.js";
import { Entry, fold, isMine, Talk } from "./entries.js";
import { Link, Refusal } from "./link.js";
import { Logs } from "./logs.js";
import { Posts } from "./posts.js";
import { Returning } from "./returning.js";
import { Store } from "./store.js";
import { Windows } from "./windows.js";

export { Refusal };

const MARK = 1500;
const TYPING = 6000;
const ECHO = 5000;
/** After so long a membership may have ended with one's presence. */
const AWAY = 15000;
const DISK = 1500;
/** What is kept of drafts, each by itself: two tabs write in different talks. */
const DRAFT = "draft ";

/** All that comes from outside. */
const browser = (connect) => ({
  connect,
  set: (then, time) => setTimeout(then, time),
  clear: (timer) => clearTimeout(timer),
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  random: Math.random,
  bytes: (many) => crypto.getRandomValues(new Uint8Array(many)),
  indexedDB: globalThis.indexedDB,
  tabs: new BroadcastChannel("tertulia"),
  post: (path) => fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" }),
});

export class Chat extends EventTarget {
  /** @type {"connecting"|"live"|"offline"|"ended"} */ link = "connecting";
  /** since when, milliseconds, local wall clock */ linkSince = 0;
  /** @type {null|{login: string, operator: boolean, status: string, note: string, current: string}} */ me = null;
  server = { name: "", defaultRoom: "", push: false };
  /** @type {Map<string, Talk>} by room's name or "@login" */ talks = new Map();
  /** @type {null|"memory"|"full"} why what is typed offline would not survive a reload */ problem = null;
  #port;
  #clock;
  #link;
  #store = null;
  #opened = null;
  /** the end of what was kept */ #over = null;
  /** whether one is logging out */ #leaving = false;
  #posts;
  #drafts = new Map();
  #logs;
  #windows;
  #run = null;
  #told = false;
  #turned = -Infinity;
  /** the broker's time in what this browser heard last */ #there = 0;
  /** what the broker said last of one's session */ #session = null;
  #returning;
  #marks = new Map();
  /** when it was last told that one writes there */ #typed = new Map();
  /** until when others write: timers */ #writing = new Map();
  #shown = !globalThis.document?.hidden;

  /** @param {{connect?: () => WebSocket, port?: object}} options `connect`: opens a socket; `port`: all that is outside, for tests */
  constructor({ connect, port = browser(connect) } = {}) {
    super();
    this.#port = port;
    this.#clock = new Clock(port.monotonic, port.wall);
    this.#link = new Link(port, {
      hello: () => this.#hello(),
      ahead: () => this.#windows.askAhead(),
      welcome: (reply, sent) => this.#welcome(reply, sent),
      pong: (reply, sent) => this.#pong(reply, sent),
      event: (frame) => this.#event(frame),
      state: (state) => this.#linked(state),
      ended: (reason) => this.#ended(reason),
    });
    this.#link.shown = this.#shown;
    const chat = this;
    const inside = {
      get store() {
        return chat.#store;
      },
      get shown() {
        return chat.#windows.shown;
      },
      returning: (key) => this.#returning.has(key),
      say: (type, detail) => this.#say(type, detail),
      settle: (nonce) => this.#posts.settle(nonce),
      wrote: (talk, login) => this.#writes(talk, login, false),
      refresh: () => this.#refresh(),
      patched: (log, wires) => this.#logs.patched(this.#logs.get(log), wires),
      heardOf: (log, seq) => {
        this.#logs.rumoured(log, seq);
        this.#logs.pump();
      },
    };
    this.#logs = new Logs(this, port, inside);
    this.#windows = new Windows(this, this.#logs, inside);
    this.#posts = new Posts(this, port, inside);
    this.#returning = new Returning(this, port, { drop: (key, reason) => this.#drop(key, reason), decided: () => this.#decided() });
    globalThis.addEventListener?.("online", () => this.#link.wake());
    globalThis.addEventListener?.("offline", () => this.#link.cut());
    globalThis.addEventListener?.("pagehide", () => this.handOver());
    port.tabs?.addEventListener("message", ({ data }) => this.#takeOver(data));
  }

  // Time

  /** The broker's clock, milliseconds. */
  now() {
    return this.#clock.now();
  }

  get offsetMs() {
    return this.#clock.offsetMs;
  }

  /** The bound on that; null without a sample. */
  get errorMs() {
    return this.#clock.errorMs;
  }

  get roundTripMs() {
    return this.#clock.roundTripMs;
  }

  /** Posts and changes of this tab that the broker has not acknowledged. */
  get waiting() {
    return this.#posts.waiting;
  }

  /** How many of one's own words are kept in this browser that the broker has not got, by this tab or another. @returns {Promise<number>} */
  async unsent() {
    const kept = await this.#soon(this.#store?.load().catch(() => null));
    return Math.max(this.waiting, kept?.outbox.length ?? 0);
  }

  /** What comes of it, or nothing, if it takes too long: a database may hang. */
  #soon(work) {
    return Promise.race([work, new Promise((resolve) => this.#port.set(resolve, DISK))]);
  }

  // Coming and going

  /**
   * Connect; meanwhile show what is kept of who used this browser last.
   * @param {{login?: string, talk?: string}} last who that was, and what is wanted to be seen first
   */
  async start({ login, talk } = {}) {
    if (talk) this.#windows.shown = talk;
    // What cannot be read hinders nobody: the broker has it.
    if (login && !this.#store) this.#opened = this.#recall(login).catch(() => {});
    this.#link.start();
    await this.#opened;
  }

  /** Disconnect; nothing is lost. */
  async stop() {
    this.#link.stop();
    await this.#store?.flush();
  }

  /** The page goes away: what it has not sent is for another tab of the same person, if there is one, or for the next page. */
  handOver() {
    if (this.me && this.waiting) this.#port.tabs?.postMessage(this.me.login);
  }

  /** What two tabs send is one message, by its nonce. */
  async #takeOver(login) {
    const store = this.#store;
    if (!store || login !== this.me?.login) return;
    const { outbox } = await store.load();
    if (store !== this.#store || !this.me) return;
    this.#posts.found(outbox);
    this.#posts.restore();
  }

  /** Log out, and delete all that is kept here. */
  async logout() {
    this.#leaving = true;
    try {
      const answer = await this.#port.post("/api/logout").catch(() => ({ ok: false }));
      if (!answer.ok) throw new Refusal({ code: "no-answer" });
      this.#link.end("logout");
      await this.#over;
    } finally {
      this.#leaving = false;
    }
  }

  /** The page can be seen (again), or not. */
  visible(on) {
    this.#shown = this.#link.shown = on;
    if (on) this.#link.wake();
    else {
      this.#tell();
      this.#store?.flush();
      this.#hear(0, true);
    }
    this.#active();
  }

  #active() {
    if (this.link === "live") this.request("active", { on: this.#shown }).catch(() => {});
  }

  async #recall(login) {
    const found = await this.#keepIn(login);
    if (!found) return;
    const { logs, kept } = found;
    if (this.me) this.#posts.restore();
    if (!kept.me || this.me) return;
    this.#run = kept.me.run;
    this.#there = kept.there ?? 0;
    this.server = kept.me.server;
    this.#logs.restore(logs);
    this.#state(kept.me.session);
    this.#say("me");
    this.#say("server");
    // Of which nobody waits.
    this.#windows.fill().catch(() => {});
  }

  /** Keep what concerns that account from now on. Resolves to what is kept of it; to null if one is somebody else by then. */
  async #keepIn(login) {
    const store = new Store(login, this.#port, (problem) => {
      if (store !== this.#store) return;
      this.problem = problem;
      this.#say("notice", { key: this.#windows.shown, kind: "storage", problem, time: this.now() });
    });
    this.#store = store;
    const found = await store.load();
    if (store !== this.#store) return null;
    this.#posts.found(found.outbox);
    const drafts = Object.entries(found.kept).filter(([key]) => key.startsWith(DRAFT)).map(([key, text]) => [key.slice(DRAFT.length), text]);
    this.#drafts = new Map([...drafts, ...this.#drafts]);
    for (const talk of this.talks.values()) {
      if (talk.draft || !this.#drafts.has(talk.key)) continue;
      talk.draft = this.#drafts.get(talk.key);
      this.#say("talk", { key: talk.key, what: "draft" });
    }
    return found;
  }

  async #hello() {
    await this.#soon(this.#opened);
    return { run: this.#run, cursors: this.#logs.cursors };
  }

  #welcome(reply, sent) {
    this.#clock.sample(sent, this.#port.monotonic(), reply.time);
    const { session } = reply;
    if (!session) return;
    if (this.#store?.login !== session.login) {
      // Somebody else was here: nothing of theirs is shown any more.
      this.#store?.forget();
      this.#store = null;
      this.#link.forget();
      this.#clear();
      this.#say("account");
      this.#keepIn(session.login).then((found) => found && this.#posts.restore(), () => {});
    }
    this.#run = reply.run;
    this.server = { name: reply.server, defaultRoom: reply.default_room, push: reply.push };
    const first = !this.me || this.link === "connecting";
    this.#state(session, { certain: (log) => reply.resume === "reset" || reply.gaps?.includes(log), first });
    this.#session = session;
    this.#remember();
    this.#hear(reply.time, true);
    this.#say("server");
    this.#windows.fill().catch(() => {});
    if (this.link === "live") this.#returning.find();
  }

  /** Keep where one is, to begin with it the next time. */
  #remember() {
    if (!this.#session) return;
    const rooms = [...this.talks.values()].flatMap(({ view }) => view ?? []);
    this.#store?.keep("me", { session: { ...this.#session, rooms }, run: this.#run, server: this.server });
  }

  /**
   * What the broker said at that time has come. A page that was frozen gets late what was said long ago, so its own clock says nothing of when
   * it was there. As long as it is not known what became of rooms, it was there before.
   */
  #hear(time = 0, kept = false) {
    if (!this.#returning.size) this.#there = Math.max(this.#there, time);
    if (kept && this.#there) this.#store?.keep("there", this.#there);
  }

  #decided() {
    if (this.link === "live") this.#hear(this.now(), true);
    this.#posts.send();
  }

  #linked(state) {
    this.link = state;
    this.linkSince = this.#port.wall();
    if (state === "live") {
      this.#active();
      this.#tell();
      this.#posts.send();
      this.#logs.pump();
      this.#returning.find();
    }
    this.#say("link", { state });
  }

  #pong(reply, sent) {
    this.#clock.sample(sent, this.#port.monotonic(), reply.time);
    this.#hear(reply.time, true);
    const fits = () => this.#logs.fits(Object.keys(reply.heads));
    for (const [log, head] of Object.entries(reply.heads)) this.#logs.rumoured(log, head);
    // An event that says why may be on its way yet.
    if (!fits()) this.#port.set(() => fits() || this.#refresh(), this.#logs.patience);
    this.#logs.pump();
  }

  #refresh() {
    if (this.link === "live") this.#link.hello();
  }

  #ended(reason) {
    const store = this.#store;
    const why = this.#leaving ? "logout" : reason;
    this.#opened = null;
    this.#clear();
    this.#store = null;
    this.#say("ended", { reason: why });
    if (!store) return;
    this.#over = why === "logged-out" ? store.forget() : store.destroy();
    // Whoever logs out waits for it, and is told.
    this.#over.catch(() => {});
  }

  #clear() {
    this.me = this.#run = this.#session = null;
    this.talks.clear();
    this.#logs.clear();
    this.#marks.clear();
    this.#typed.clear();
    this.#returning.clear();
    this.#posts.clear();
    this.#drafts = new Map();
    this.#windows.inbox = null;
    this.#there = 0;
    this.#say("talks");
  }

  #say(type, detail = {}) {
    if (type !== "talks") this.dispatchEvent(new CustomEvent(type, { detail }));
    else if (!this.#told) {
      this.#told = true;
      queueMicrotask(() => {
        this.#told = false;
        this.dispatchEvent(new CustomEvent(type, { detail }));
      });
    }
  }

  // What one is in

  #state(session, { certain = () => false, first = true } = {}) {
    const { login, operator, status, note, current } = session;
    const word = "[\\p{L}\\p{M}\\p{N}_]";
    const pattern = new RegExp(`(?<!${word})@?${login.replaceAll(".", "\\.")}(?!${word})`, "iu");
    this.me = { login, operator, status, note, current, pattern };
    const there = new Map(session.rooms.map((view) => [view.name, view]));
    const away = this.link !== "live" && this.now() - this.#there > AWAY;
    for (const [key, talk] of this.talks) {
      const { view } = talk;
      if (!view) continue;
      if (there.get(key)?.id === view.id) this.#returning.delete(key);
      else if (there.has(key)) this.#drop(key, "deleted");
      else if (!view.kept && away) this.#returning.add(talk, this.#there);
      else if (!this.#returning.has(key)) this.#drop(key, "gone");
    }
    const box = this.#logs.follow(`@${login}`, 0, session.inbox, certain(`@${login}`));
    this.#windows.inbox ??= { low: box.last, first: !box.last };
    for (const view of session.rooms) this.#room(view, first, certain(view.name));
    for (const { talk: key, read, notify } of session.talks.slice(0, 100).reverse()) {
      if (fold(key.slice(1)) === fold(login)) continue;
      const talk = this.person(key.slice(1));
      this.#remind(talk, read);
      this.#marked(talk, read, notify);
    }
    this.#posts.restore();
    this.#say("me");
    this.#say("talks");
    this.#logs.pump();
  }

  #room(view, first, certain = false) {
    let talk = this.talks.get(view.name);
    if (talk && talk.view.id !== view.id) {
      // Of the room that bore that name nothing goes into this one.
      this.#drop(view.name, "deleted");
      talk = undefined;
    }
    this.#returning.delete(view.name);
    const log = this.#logs.follow(view.name, view.id, view.head, certain);
    const fresh = !talk;
    if (fresh) {
      talk = new Talk(view.name, view.name, log.last);
      talk.first = !log.last;
      talk.read = first ? Math.max(view.read, view.since) : view.read;
      talk.draft = this.#drafts.get(view.name) ?? "";
      this.talks.set(view.name, talk);
      if (!first) {
        if (!view.read) this.read(view.name, view.head);
        this.#say("notice", { key: view.name, kind: "room-joined", time: this.now() });
      }
    }
    talk.view = view;
    talk.head = Math.max(talk.head, view.head);
    this.#remind(talk, Math.max(view.read, view.since));
    this.#marked(talk, view.read, view.notify);
    this.#say("talk", { key: view.name, what: "view" });
    // Of the others the answer to hello is kept, once.
    if (fresh && !first) this.#remember();
    return talk;
  }

  #marked(talk, read, notify) {
    Object.assign(talk, { read: Math.max(talk.read, read), notify });
    talk.count();
    this.#say("talk", { key: talk.key, what: "mark" });
    this.#say("talks");
  }

  #drop(key, reason) {
    const talk = this.talks.get(key);
    this.#returning.delete(key);
    if (!this.talks.delete(key)) return;
    this.#logs.drop(talk.log);
    this.#store?.drop(talk.log);
    this.#remember();
    this.#posts.abandon(key);
    if (reason !== "left") {
      this.#say("notice", { key, kind: "room-left", reason, time: this.now() });
      if (talk.draft.trim()) this.#posts.unsaid(talk);
      this.draft(key, "");
    }
    this.#say("talks");
  }

  #find(key) {
    return this.talks.get(key) ?? [...this.talks.values()].find((talk) => fold(talk.key) === fold(key));
  }

  /** The conversation with somebody; made if it is not there. @returns {Talk} */
  person(login) {
    const known = this.#find(`@${login}`);
    if (known) return known;
    const talk = Object.assign(new Talk(`@${login}`, `@${this.me.login}`, this.#windows.inbox.low), { first: this.#windows.inbox.first });
    talk.draft = this.#drafts.get(talk.key) ?? "";
    this.talks.set(talk.key, talk);
    this.#say("talks");
    return talk;
  }

  // What comes

  #event(frame) {
    const { log: name, kind } = frame;
    this.#hear(frame.time);
    const log = this.#logs.get(name);
    const talk = this.talks.get(name);
    if (frame.seq !== undefined) this.#logs.heard(frame);
    else if (kind === "live" && log) {
      if (log.id !== frame.id) return this.#refresh();
      log.endsAt(frame.head);
      this.#logs.pump();
    } else if (kind === "joined-room") this.#turn(this.talks.get(frame.room.name)?.view?.id !== frame.room.id, () => this.#room(frame.room, false));
    else if (kind === "left-room") this.#turn(this.talks.get(frame.name)?.view?.id === frame.id, () => this.#drop(frame.name, frame.reason));
    else if (kind === "mark") {
      const marked = frame.talk.startsWith("@") ? fold(frame.talk.slice(1)) !== fold(this.me.login) && this.person(frame.talk.slice(1)) : this.talks.get(frame.talk);
      if (marked) this.#marked(marked, frame.read, frame.notify);
    } else if (kind === "typing" && this.me && fold(frame.login) !== fold(this.me.login)) {
      const where = talk ?? (name.startsWith("@") ? this.person(frame.login) : null);
      if (where) this.#writes(where, frame.login, frame.on);
    } else if (talk?.view) this.#about(talk, frame);
  }

  /** Events and replies come on different ways: soon after a turn of one's own only the whole state says what is so. */
  #turn(news, then) {
    if (!news) return;
    if (this.#port.monotonic() - this.#turned < ECHO) this.#refresh();
    else then();
  }

  #about(talk, { kind, time, ...frame }) {
    const { key, view } = talk;
    const notice = (what, more) => this.#say("notice", { key, kind: what, time, ...more });
    if (kind === "roster") {
      view.online = frame.online;
      for (const { login, change, reason = "", status = "available", bot = false } of frame.changes) {
        if (change === "left") talk.members?.delete(login);
        else talk.members?.set(login, { login, online: change !== "offline" && (change !== "status" || talk.members.get(login)?.online !== false), status, bot });
        if (change === "joined" || change === "left") notice(change, { login, reason });
        if (change === "status" && login === this.me.login && status !== this.me.status) this.#refresh();
      }
      return this.#say("talk", { key, what: "roster" });
    }
    if (kind === "subject") {
      view.subject = frame.subject;
      notice(kind, { by: frame.by, subject: frame.subject });
    } else if (kind === "moderators") {
      const [old, now] = [view.moderators, (view.moderators = frame.moderators)];
      notice(kind, { by: frame.by, added: now.filter((each) => !old.includes(each)), removed: old.filter((each) => !now.includes(each)) });
    } else if (kind === "deleted" && frame.id === view.id) return this.#drop(key, frame.reason);
    this.#say("talk", { key, what: "view" });
  }

  #writes(talk, login, on) {
    const timer = `${talk.key} ${login}`;
    this.#port.clear(this.#writing.get(timer));
    if (!on && !talk.typing.delete(login)) return;
    if (on) {
      talk.typing.add(login);
      this.#writing.set(timer, this.#port.set(() => this.#writes(talk, login, false), TYPING));
    } else this.#writing.delete(timer);
    this.#say("talk", { key: talk.key, what: "typing" });
  }

  // Windows on the logs

  /** Look at a talk: its newest page is loaded, from disk at once. */
  open(key) {
    return this.#windows.open(key);
  }

  /** Look at no talk. */
  close() {
    this.#windows.close();
    this.#tell();
  }

  /** Load what is before. @returns {Promise<number>} how many came */
  older(key) {
    return this.#windows.older(key);
  }

  /** Load what comes after, where the window does not reach the end. @returns {Promise<number>} how many came */
  newer(key) {
    return this.#windows.newer(key);
  }

  /** Load where `seq` stands. */
  around(key, seq) {
    return this.#windows.around(key, seq);
  }

  /** Load the newest again, where the window does not reach the end. */
  latest(key) {
    return this.#windows.latest(key);
  }

  // Asking

  /** Make a request of PROTOCOL §7. @returns {Promise<object>} the reply; rejects with Refusal */
  request(op, fields = {}, options = {}) {
    return this.#link.request(op, fields, options);
  }

  /** All pages of "users", "rooms" or "members". @returns {Promise<object[]>} */
  async list(op, fields = {}) {
    const found = [];
    for (let more = true; more; ) {
      const last = found.at(-1);
      const reply = await this.request(op, { ...fields, ...(last && { after: last.login ?? last.name }) });
      found.push(...reply[op]);
      more = reply.more && reply[op].length > 0;
    }
    return found;
  }

  /** Newest first; in all talks without `key`. @returns {Promise<{hits: Entry[], more: boolean}>} */
  async search(query, { key, sender, before } = {}) {
    const log = key && (this.talks.get(key)?.log ?? key);
    const { hits, more } = await this.request("search", { query, ...(log && { log }), ...(sender && { sender }), ...(before && { before }) });
    const found = hits.map(({ log: where, entry }) => {
      const home = where.startsWith("@") ? `@${isMine(entry, this.me) ? entry.to : entry.sender}` : where;
      return new Entry(this.#find(home) ?? new Talk(home, where, 0), entry, this.me);
    });
    return { hits: key?.startsWith("@") ? found.filter((entry) => fold(entry.key) === fold(key)) : found, more };
  }

  /** Load who is there; kept up to date from then on. */
  async members(key) {
    const people = await this.list("members", { room: key });
    const talk = this.talks.get(key);
    if (talk) talk.members = new Map(people.map((each) => [each.login, each]));
    this.#say("talk", { key, what: "roster" });
  }

  async #into(op, fields) {
    const { room, current } = await this.request(op, fields);
    this.#turned = this.#port.monotonic();
    this.me.current = current;
    this.#room(room, false);
    this.#say("talks");
    if (op === "enter") this.#refresh();
    return room.name;
  }

  /** Ways into and out of rooms; each resolves to the key of the talk where one is then. */
  join(name) {
    return this.#into("join", { room: name });
  }

  enter(name) {
    return this.#into("enter", { room: name });
  }

  /** @param {{kept?: boolean, private?: boolean, open?: boolean, subject?: string}} options */
  create(name, options = {}) {
    return this.#into("create", { room: name, ...options });
  }

  async #outOf(op, name) {
    const away = this.#find(name);
    if (op === "leave" && this.#returning.has(away?.key)) {
      // One is not in it, and does not want to be.
      this.#drop(away.key, "left");
      return this.me.current;
    }
    const { current } = await this.request(op, { room: name });
    this.#turned = this.#port.monotonic();
    this.me.current = current;
    const left = this.#find(name);
    if (left) this.#drop(left.key, "left");
    if (!this.talks.has(current)) this.#refresh();
    return current;
  }

  leave(name) {
    return this.#outOf("leave", name);
  }

  delete(name) {
    return this.#outOf("delete", name);
  }

  // What one says

  /** Say something; it goes out when it can. @returns {Entry} throws Refusal: "bad-text", "too-many", "no-such-room" */
  post(key, text, replyTo = 0) {
    return this.#posts.post(key, text, replyTo);
  }

  /** Change a message, through the outbox; refused, there is a notice "refused". */
  edit(entry, text) {
    this.#posts.edit(entry, text);
  }

  retract(entry) {
    this.#posts.retract(entry);
  }

  react(entry, emoji, on = true) {
    this.#posts.react(entry, emoji, on);
  }

  /** Send again what failed. */
  retry(entry) {
    this.#posts.retry(entry);
  }

  /** Give up what failed, or has not gone out. @returns {boolean} whether that was possible */
  discard(entry) {
    return this.#posts.discard(entry);
  }

  // What one tells of oneself

  /** It was read up to there; the broker is told after a moment. */
  read(key, seq) {
    const talk = this.talks.get(key);
    if (!talk || seq <= talk.read) return;
    this.#marked(talk, seq, talk.notify);
    this.#mark(key, seq);
  }

  #mark(key, seq) {
    if (!this.#marks.size) this.#port.set(() => this.#tell(), MARK);
    this.#marks.set(key, seq);
  }

  /** A broker that was killed may have forgotten the last it was told. */
  #remind(talk, read) {
    if (talk.read > read) this.#mark(talk.key, talk.read);
  }

  #tell() {
    if (this.link !== "live") return;
    for (const [talk, read] of this.#marks) {
      this.#marks.delete(talk);
      this.request("mark", { talk, read }).catch(({ code }) => code === "no-answer" && this.#marks.set(talk, Math.max(read, this.#marks.get(talk) ?? 0)));
    }
  }

  /** @param {"all"|"mentions"|"off"} what */
  async notify(key, what) {
    await this.request("mark", { talk: key, notify: what });
    const talk = this.talks.get(key);
    if (talk) this.#marked(talk, talk.read, what);
  }

  /** One writes, or no longer: call it as often as you like. */
  typing(key, on = true) {
    const now = this.#port.monotonic();
    if (this.link !== "live" || (on ? now - (this.#typed.get(key) ?? -Infinity) < TYPING / 2 : !this.#typed.delete(key))) return;
    if (on) this.#typed.set(key, now);
    this.request("typing", { talk: key, on }, { urgent: true }).catch(() => {});
  }

  /** Keep what is typed, and not sent. */
  draft(key, text) {
    const talk = this.talks.get(key);
    if (talk) talk.draft = text;
    if (text) this.#drafts.set(key, text);
    else this.#drafts.delete(key);
    this.#store?.keep(DRAFT + key, text || undefined);
  }

  async setStatus(status, note = "") {
    await this.request("status", { status, note });
    Object.assign(this.me, { status, note });
    this.#say("me");
  }
}
