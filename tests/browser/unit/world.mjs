/**
 * A broker and its gateway in miniature, on a clock of its own: logs, history, rings, sockets that lag, lose, double and break.
 *
 * It keeps to docs/PROTOCOL.md and to "The WebSocket" of docs/WEB.md, as far as logs, posts and marks go. Everything by chance comes from a seed.
 */

import { changed, isChange } from "../../../client/web/browser/core/entries.js";
import { Memory } from "../../../client/web/browser/core/store.js";

/** Chance that can be had again (mulberry32). */
export const chance = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

const idle = () => new Promise((resolve) => setImmediate(resolve));

/** Time that passes when it is told to. */
export class Time {
  now = 1000;
  #timers = new Map();
  #next = 0;

  set(then, wait) {
    this.#timers.set(++this.#next, { at: this.now + Math.max(0, wait), then, n: this.#next });
    return this.#next;
  }

  clear(timer) {
    this.#timers.delete(timer);
  }

  async pass(span) {
    const end = this.now + span;
    await idle();
    for (;;) {
      let next = null;
      for (const [key, timer] of this.#timers) {
        if (timer.at <= end && (!next || timer.at < next.at || (timer.at === next.at && timer.n < next.n))) next = { ...timer, key };
      }
      if (!next) break;
      this.#timers.delete(next.key);
      this.now = Math.max(this.now, next.at);
      next.then();
      await idle();
    }
    this.now = end;
  }
}

export class World {
  time = new Time();
  seq = 100;
  rooms = new Map();
  accounts = new Map();
  nonces = new Map();
  run = 1;
  brokerRun = 1;
  sockets = new Set();
  /** how wild: each a probability */ losing = 0;
  doubling = 0;
  lag = 0;
  refusing = 0;
  down = false;
  /** whether the gateway knows that it has no broker */ away = false;
  /** whether the broker is silent, and nobody knows it yet */ brokerDown = false;
  ring = 40;
  /** every request that came */ asked = [];

  constructor(seed = 1) {
    this.random = chance(seed);
    this.room("lobby");
  }

  room(name, fields = {}) {
    const room = { id: this.rooms.size + 1, name, log: [], members: new Set(), kept: true, private: false, since: 0, ring: [], ...fields };
    this.rooms.set(name, room);
    return room;
  }

  account(login, rooms = ["lobby"]) {
    const account = { login, log: [], ring: [], marks: new Map(), cookie: true, elsewhere: [] };
    this.accounts.set(login, account);
    for (const name of rooms) this.rooms.get(name).members.add(login);
    return account;
  }

  // The broker

  log(name) {
    return name.startsWith("@") ? this.accounts.get(name.slice(1)) : this.rooms.get(name);
  }

  append(name, wire) {
    const log = this.log(name);
    const entry = { ...wire, seq: (this.seq += 1 + Math.floor(this.random() * 3)), prev: log.log.at(-1)?.seq ?? 0, time: this.time.now + 500000 };
    log.log.push(entry);
    this.publish(name, entry);
    return entry;
  }

  say(name, sender, text, more = {}) {
    return this.append(name, { kind: "message", sender, text, nonce: `${sender}${this.seq}`, ...more });
  }

  direct(from, to, text, nonce = `${from}${this.seq}`) {
    const one = this.append(`@${from}`, { kind: "direct", sender: from, to, text, nonce });
    if (from !== to) this.append(`@${to}`, { kind: "direct", sender: from, to, text, nonce });
    return one;
  }

  change(name, wire) {
    if (!this.log(name).log.some((entry) => entry.seq === wire.target)) return null;
    return this.append(name, wire);
  }

  /** A log as `history` tells it to somebody: messages as they are now. */
  history(name, login, { after, before = Infinity, limit = 200 }) {
    const log = this.log(name).log;
    const all = log.filter((entry) => entry.seq > (after ?? 0) && entry.seq < before);
    const page = after === undefined ? all.slice(-limit) : all.slice(0, limit);
    const now = (entry) => {
      if (isChange(entry)) return entry;
      return log.filter((each) => isChange(each) && each.target === entry.seq).reduce((wire, each) => changed(wire, each, each.sender === login), entry);
    };
    return { entries: page.map(now), more: page.length < all.length };
  }

  view(room, login) {
    const account = this.accounts.get(login);
    return {
      id: room.id, name: room.name, kept: room.kept, private: false, open: false, subject: "", creator: null, head: room.log.at(-1)?.seq ?? 0,
      online: room.members.size, joined: true, since: 0, hidden: false, read: account.marks.get(room.name) ?? 0, notify: null, moderators: [],
    };
  }

  session(login) {
    const account = this.accounts.get(login);
    return {
      login, operator: false, current: "lobby", rooms: [...this.rooms.values()].filter((room) => room.members.has(login)).map((room) => this.view(room, login)),
      inbox: account.log.at(-1)?.seq ?? 0, status: "available", note: "", bot: false, scopes: null, online: true,
      talks: [...account.marks].filter(([talk]) => talk.startsWith("@")).map(([talk, read]) => ({ talk, read, notify: null })),
    };
  }

  post(login, { op, nonce, ...fields }) {
    const key = `${login} ${nonce}`;
    const known = this.nonces.get(key);
    if (known) return known;
    let entry;
    if (op === "send") {
      if (!this.rooms.get(fields.room)?.members.has(login)) return { code: "not-member" };
      entry = this.say(fields.room, login, fields.text, { nonce, ...(fields.reply_to && { reply_to: fields.reply_to }) });
    } else if (op === "direct") entry = this.direct(login, fields.to, fields.text, nonce);
    else {
      const kind = op === "react" ? "reaction" : op;
      entry = this.change(fields.log, { kind, sender: login, target: fields.seq, nonce, ...fields, log: undefined, ...(kind === "reaction" && { count: fields.on ? 1 : 0 }) });
      if (!entry) return { code: "no-such-message" };
    }
    this.nonces.set(key, { seq: entry.seq, time: entry.time });
    return this.nonces.get(key);
  }

  // The gateway

  heads(login) {
    const state = this.session(login);
    return Object.fromEntries([[`@${login}`, state.inbox], ...state.rooms.map((room) => [room.name, room.head])]);
  }

  publish(name, event) {
    if (event.seq !== undefined && this.random() < this.losing) return;
    const frame = { log: name, ...event };
    const log = this.log(name);
    if (event.seq !== undefined) log.ring = [...log.ring, frame].slice(-this.ring);
    for (const socket of this.sockets) {
      if (!socket.hears(name)) continue;
      socket.tell(frame);
      if (this.random() < this.doubling) socket.tell(frame);
    }
  }

  answer(socket, { op, id, ...fields }) {
    const { login } = socket;
    this.asked.push({ op, ...fields, login });
    const ok = (reply = {}) => socket.reply({ id, ok: true, ...reply });
    const no = (error) => socket.reply({ id, ok: false, error: { message: error.code, ...error } });
    if (this.brokerDown) return void socket.lost.push(id);
    if (this.away && op !== "active") return no({ code: "no-answer" });
    if (op === "hello") {
      const resumed = fields.run === String(this.run);
      const gaps = [];
      const replay = [];
      for (const [name, head] of Object.entries(this.heads(login))) {
        const log = this.log(name);
        const [cursorId, seq] = Object.hasOwn(fields.cursors ?? {}, name) ? fields.cursors[name] : [];
        if (!resumed || seq === undefined || cursorId !== (log.members ? log.id : 0) || seq >= head) continue;
        const after = log.ring.filter((frame) => frame.seq > seq);
        if (after.length && after[0].prev <= seq) replay.push(...after);
        else gaps.push(name);
      }
      socket.greeted = true;
      ok({
        run: String(this.run), resume: resumed ? (gaps.length ? "gap" : "resumed") : "reset", gaps, server: "Model", version: 1, time: this.time.now + 500000,
        default_room: "lobby", registration: "open", push: false, session: this.session(login),
      });
      for (const frame of replay) socket.tell(frame);
      return;
    }
    if (["ping", "active"].includes(op)) return ok({ time: this.time.now + 500000, run: String(this.brokerRun), heads: this.heads(login) });
    if (this.random() < this.refusing) return no({ code: "rate-limited", retry_after: 0.5 });
    if (op === "history") {
      const room = this.rooms.get(fields.log);
      if (!this.log(fields.log)) return no({ code: "no-such-log" });
      if (room && !room.members.has(login)) return no({ code: "not-member" });
      return ok(this.history(fields.log, login, fields));
    }
    if (op === "mark") {
      const account = this.accounts.get(login);
      account.marks.set(fields.talk, Math.max(account.marks.get(fields.talk) ?? 0, fields.read ?? 0));
      ok();
      return this.publish(`@${login}`, { kind: "mark", talk: fields.talk, read: account.marks.get(fields.talk), notify: fields.notify ?? null });
    }
    if (["join", "create", "enter"].includes(op)) {
      const room = this.rooms.get(fields.room) ?? (op === "create" ? this.room(fields.room) : null);
      if (!room) return no({ code: "no-such-room" });
      room.members.add(login);
      ok({ room: this.view(room, login), current: "lobby" });
      return this.publish(`@${login}`, { kind: "joined-room", room: this.view(room, login) });
    }
    if (op === "leave") {
      const room = this.rooms.get(fields.room);
      if (!room?.members.delete(login)) return no({ code: "not-member" });
      ok({ current: "lobby" });
      return this.publish(`@${login}`, { kind: "left-room", id: room.id, name: room.name, reason: "left" });
    }
    if (op === "sessions") return ok({ sessions: [{ id: 1, seen: this.time.now + 500000, online: true, current: true }, ...this.accounts.get(login).elsewhere] });
    if (op === "rooms") return ok({ rooms: [...this.rooms.values()].filter((room) => !room.private).map((room) => this.view(room, login)), more: false });
    if (op === "members") return ok({ members: [...this.rooms.get(fields.room).members].map((each) => ({ login: each, online: true, status: "available", bot: false })), more: false });
    if (["send", "direct", "edit", "retract", "react"].includes(op)) {
      const done = this.post(login, { op, ...fields });
      return done.code ? no(done) : ok(done);
    }
    if (["typing", "status"].includes(op)) return ok();
    no({ code: "unknown-op" });
  }

  /** The gateway loses the broker: what is under way is lost, and what is asked is refused at once. */
  loseBroker() {
    this.away = true;
    this.brokerDown = false;
    for (const socket of this.sockets) {
      if (socket.greeted) socket.reply({ kind: "link", state: "offline" });
      for (const id of socket.lost.splice(0)) socket.reply({ id, ok: false, error: { code: "link-lost", message: "lost" } });
    }
  }

  findBroker() {
    this.away = false;
    for (const socket of this.sockets) if (socket.greeted) socket.reply({ kind: "link", state: "live" });
  }

  cut(socket, code = 1006) {
    this.sockets.delete(socket);
    socket.ended = true;
    this.time.set(() => socket.onclose?.({ code }), 1);
  }

  restartGateway() {
    this.run++;
    for (const log of [...this.rooms.values(), ...this.accounts.values()]) log.ring = [];
    for (const socket of [...this.sockets]) this.cut(socket, 1012);
  }

  /** A browser of somebody: what it gets from outside. Its disk outlives it. */
  port(login, disk = new Map()) {
    const world = this;
    const port = {
      alive: true,
      connect: () => new port.Socket(),
      set: (then, wait) => world.time.set(() => port.alive && then(), wait),
      clear: (timer) => world.time.clear(timer),
      monotonic: () => world.time.now,
      wall: () => world.time.now + 400000,
      random: world.random,
      bytes: (many) => Uint8Array.from({ length: many }, () => Math.floor(world.random() * 256)),
      tables: (name) => disk.get(name) ?? disk.set(name, new Memory()).get(name),
      post: async () => ({ ok: true }),
      tabs: {
        addEventListener: (_what, then) => disk.set("tabs", [...(disk.get("tabs") ?? []), { port, then }]),
        postMessage: (data) => {
          for (const tab of disk.get("tabs")) if (tab.port !== port) world.time.set(() => tab.port.alive && tab.then({ data }), 1);
        },
      },
      Socket: class {
        greeted = false;
        ended = false;
        lost = [];
        #clear = [0, 0, 0];
        constructor() {
          this.login = login;
          const refused = world.down;
          world.time.set(() => {
            if (refused || world.down) return this.#over(1006);
            if (!world.accounts.get(login).cookie) {
              this.onmessage?.({ data: JSON.stringify({ kind: "ended", reason: "logged-out" }) });
              return this.#over(4401);
            }
            world.sockets.add(this);
            if (port.alive) this.onopen?.();
          }, 5);
        }
        #over(code) {
          this.ended = true;
          if (port.alive) this.onclose?.({ code });
        }
        hears(name) {
          return this.greeted && (name === `@${login}` || world.rooms.get(name)?.members.has(login));
        }
        /** Three ways that keep their order, and overtake one another. */
        #way(way, then) {
          this.#clear[way] = Math.max(this.#clear[way], world.time.now + 2 + world.random() * world.lag);
          world.time.set(() => !this.ended && port.alive && then(), this.#clear[way] - world.time.now);
        }
        send(text) {
          this.#way(0, () => world.answer(this, JSON.parse(text)));
        }
        reply(frame) {
          this.#way(1, () => this.onmessage?.({ data: JSON.stringify(frame) }));
        }
        tell(frame) {
          this.#way(2, () => this.onmessage?.({ data: JSON.stringify(frame) }));
        }
        close() {
          world.sockets.delete(this);
          this.ended = true;
        }
      },
    };
    return port;
  }
}
