// A client of one broker: requests over DEALER, events over SUB, both with one key pair. PROTOCOL.md, sections 3, 4 and 11.

import { EventEmitter } from "node:events";
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { decode, encode } from "@msgpack/msgpack";
import { Dealer, Subscriber, curveKeyPair } from "zeromq";
import { greet, toZ85 } from "./address.mjs";
import { Log } from "./log.mjs";

const VERSION = 1;
const ANSWER_MS = 15_000;
const HEARTBEAT_MS = 5_000;
const WAIT = new Set(["rate-limited", "busy", "storage-failed", "closing"]);

export class Refused extends Error {
  constructor({ code, message, retry_after: wait }) {
    super(message);
    this.code = code;
    this.wait = WAIT.has(code) ? 1000 * (wait ?? 1) : undefined;
  }
}

/**
 * Emits "entry" (log, entry), in order, once and without holes; "live" (log) when a log is heard; "event" (log, event)
 * for all that is not an entry; "ended" (reason) when the session is no longer bound to an account.
 */
export class Client extends EventEmitter {
  /** `drop` throws away every so many-th entry that arrives, to show that nothing is missing in the end. */
  constructor(address, { name = "node example", history = 20, drop = 0 } = {}) {
    super();
    Object.assign(this, { address, name, lastPage: history, drop, arrived: 0 });
    this.number = 0;
    this.open = new Map(); // requests without their replies, by number
    this.sending = Promise.resolve();
    this.logs = new Map(); // by name
    this.rooms = new Map(); // views of joined rooms, by name
    this.waiting = new Map(); // subscriptions without their markers: timers, by log
    this.samples = [];
  }

  async connect() {
    const key = this.address.key ?? (await greet(this.address));
    const { publicKey, secretKey } = curveKeyPair();
    const both = {
      curveServerKey: toZ85(key),
      curvePublicKey: publicKey,
      curveSecretKey: secretKey,
      receiveHighWaterMark: 0,
      maxMessageSize: 1_048_576,
      heartbeatInterval: 5_000,
      heartbeatTimeout: 15_000,
      reconnectInterval: 200,
      reconnectMaxInterval: 5_000,
    };
    this.dealer = new Dealer({ ...both, sendHighWaterMark: 1_000, immediate: true, linger: 500 });
    this.sub = new Subscriber({ ...both, linger: 0 });
    this.dealer.connect(this.address.endpoint(0));
    this.sub.connect(this.address.endpoint(1));
    this.readReplies();
    this.readEvents();
    await this.hello();
    this.subscribe(this.welcome.beacon);
    this.heart = setInterval(() => this.ping().catch(() => {}), HEARTBEAT_MS);
    return key;
  }

  async close() {
    clearInterval(this.heart);
    for (const timer of this.waiting.values()) clearTimeout(timer);
    this.removeAllListeners("ended"); // we know
    // Our key pair ends with this process, so the session does too. With a kept pair it would be `bye`.
    await this.request("logout", {}, 1_000).catch(() => {});
    this.closed = true;
    this.dealer.close();
    this.sub.close();
  }

  // Requests

  /** Asks once. Rejects with `Refused`, or if nothing comes in time. */
  request(op, fields = {}, timeout = ANSWER_MS) {
    const id = ++this.number;
    const answer = new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.open.delete(id);
        reject(new Error(`no answer to ${op}`));
      }, timeout);
      this.open.set(id, { resolve, reject, timer });
    });
    const frame = encode({ op, id, ...fields }, { ignoreUndefined: true });
    // A socket takes one send at a time.
    this.sending = this.sending.then(() => this.dealer.send(frame)).catch(() => {});
    return answer;
  }

  /** Asks until there is an answer that waiting would not change; for what does no harm when repeated. */
  async persist(op, fields) {
    for (;;) {
      try {
        return await this.request(op, fields);
      } catch (error) {
        if (this.closed || (error instanceof Refused && !error.wait)) throw error;
        await pause(error.wait ?? 0);
      }
    }
  }

  async readReplies() {
    for await (const [frame] of this.dealer) {
      const reply = read(frame);
      const asked = reply && this.open.get(reply.id);
      if (!asked) continue;
      this.open.delete(reply.id);
      clearTimeout(asked.timer);
      if (reply.ok === true) asked.resolve(reply);
      else asked.reject(new Refused(reply.error));
    }
  }

  async hello() {
    this.welcome = await this.timed("hello", { versions: [VERSION], client: this.name });
    if (this.welcome.session) await this.adopt(this.welcome.session);
    else if (this.session) this.end("forgotten");
  }

  async register(account) {
    await this.adopt((await this.request("register", account)).session);
  }

  async login(login, password) {
    await this.adopt((await this.request("login", { login, password })).session);
  }

  async join(room) {
    const reply = await this.persist("join", { room });
    await this.follow(reply.room);
    return reply.room;
  }

  /** Unsubscribes first: whoever still hears a room when the membership ends is cut off. */
  async leave(room) {
    this.forget(room);
    return this.persist("leave", { room });
  }

  send(room, text) {
    return this.persist("send", { room, text, nonce: randomBytes(16) });
  }

  direct(to, text) {
    return this.persist("direct", { to, text, nonce: randomBytes(16) });
  }

  // Logs and subscriptions

  /** Makes our rooms those of the session. */
  async adopt(session) {
    this.session = session;
    const joined = new Set(session.rooms.map((room) => room.name));
    for (const name of this.rooms.keys()) if (!joined.has(name)) this.forget(name);
    await this.followLog(`@${session.login}`, session.inbox);
    for (const room of session.rooms) await this.follow(room);
  }

  async follow(room) {
    const known = this.rooms.get(room.name);
    if (known && known.id !== room.id) this.forget(room.name); // another room of the same name
    this.rooms.set(room.name, room);
    await this.followLog(room.name);
  }

  /** Begins with the last page of the log, or after `seen`; then hears it. */
  async followLog(name, seen) {
    if (this.logs.has(name)) return;
    const history = async (after, before) => {
      try {
        return await this.persist("history", { log: name, after, before });
      } catch {
        return undefined;
      }
    };
    const log = new Log(seen ?? 0, history, (entry) => this.emit("entry", name, entry));
    this.logs.set(name, log);
    if (seen === undefined) {
      const page = await this.persist("history", { log: name, limit: this.lastPage });
      log.seen = page.entries[0]?.prev ?? this.rooms.get(name)?.since ?? 0;
      for (const entry of page.entries) log.entry(entry);
    }
    this.subscribe(name);
  }

  forget(name) {
    this.rooms.delete(name);
    this.logs.delete(name);
    clearTimeout(this.waiting.get(name));
    this.waiting.delete(name);
    this.sub.unsubscribe(topic(name));
  }

  /** Subscribes, and again and again until the marker comes. */
  subscribe(log, wait = 1_000) {
    this.sub.subscribe(topic(log));
    const again = () => {
      this.sub.unsubscribe(topic(log));
      this.subscribe(log, Math.min(2 * wait, 5_000));
    };
    this.waiting.set(log, setTimeout(again, wait));
  }

  async readEvents() {
    for await (const [frame] of this.sub) {
      const end = frame.indexOf(0);
      const event = end < 0 ? undefined : read(frame.subarray(end + 1));
      if (event) this.heard(frame.subarray(0, end).toString(), event);
    }
  }

  heard(name, event) {
    switch (event.kind) {
      case "message":
      case "direct":
      case "edit":
      case "retract":
      case "reaction":
      case "invited":
        if (this.drop && ++this.arrived % this.drop === 0) return; // as the network might
        this.logs.get(name)?.entry(event);
        return;
      case "live":
        this.marker(event);
        return;
      case "joined-room":
        this.follow(event.room).catch(() => {});
        break;
      case "left-room":
        this.forget(event.name);
        break;
      case "deleted":
        this.forget(name);
        break;
      case "ended":
        this.end(event.reason);
        return;
    }
    this.emit("event", name, event);
  }

  marker({ log: name, id, head, run }) {
    clearTimeout(this.waiting.get(name));
    this.waiting.delete(name);
    if (run !== this.welcome.run) this.hello().catch(() => {});
    const room = this.rooms.get(name);
    if (room && room.id !== id) this.hello().catch(() => {}); // another room of the same name
    else this.logs.get(name)?.reaches(head);
    this.emit("live", name);
  }

  end(reason) {
    this.session = null;
    for (const name of [...this.logs.keys()]) this.forget(name);
    this.emit("ended", reason);
  }

  // Heartbeats and the clock

  async ping() {
    if (!this.session) return;
    let pong;
    try {
      pong = await this.timed("ping");
    } catch (error) {
      return this.hello(); // silence, or a session that ended
    }
    if (pong.run !== this.welcome.run) await this.hello();
    await pause(1_000); // the event may be on its way
    for (const [name, head] of Object.entries(pong.heads)) this.logs.get(name)?.reaches(head);
  }

  /** A request whose reply holds the broker's time. */
  async timed(op, fields) {
    const before = performance.now();
    const reply = await this.request(op, fields);
    const after = performance.now();
    this.samples = [...this.samples.slice(-15), { trip: after - before, offset: reply.time - (before + after) / 2 }];
    return reply;
  }

  /** The broker's time in milliseconds, whatever the local clock says. */
  now() {
    const best = this.samples.reduce((one, other) => (other.trip < one.trip ? other : one));
    return performance.now() + best.offset;
  }
}

const topic = (log) => Buffer.from(`${log}\0`);

/** The map in a frame; undefined if there is none. */
function read(frame) {
  try {
    const value = decode(frame);
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
