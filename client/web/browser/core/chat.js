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
import { changed, Entry, fold, isChange, Talk } from "./entries.js";
import { Link, Refusal } from "./link.js";
import { Log } from "./log.js";
import { Posts } from "./posts.js";
import { Store } from "./store.js";

export { Refusal };

const PAGE = 50;
const PAGES = 5; // of a hole; behind a longer one one goes on, and reads back
const PATIENCE = 300;
const MARK = 1500;
const TYPING = 6000;
const ECHO = 5000;
const AWAY = 15000;
const DISK = 1500;
const MOST = 20000;
const ROOMS = ["not-member", "no-such-log", "no-such-room", "forbidden"];

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
  server = { name: "", defaultRoom: "", registration: "open", push: false };
  /** @type {Map<string, Talk>} by room's name or "@login" */ talks = new Map();
  /** @type {null|"memory"|"full"} why what is typed offline would not survive a reload */ problem = null;
  #port;
  #clock;
  #link;
  #store = null;
  #opened = null;
  /** the end of what was kept */ #over = null;
  #posts;
  #drafts = new Map();
  #logs = new Map();
  /** what of the inbox is dealt out to persons: all above `low` */ #inbox = null;
  #run = null;
  #open = null;
  /** what was asked right behind the first hello: the page that is looked for */ #ahead = null;
  #filling = 0;
  #timer;
  #told = false;
  #turned = -Infinity;
  #lostAt = -Infinity;
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
      ahead: () => this.#askAhead(),
      welcome: (reply, sent) => this.#welcome(reply, sent),
      pong: (reply, sent) => this.#pong(reply, sent),
      event: (frame) => this.#event(frame),
      state: (state) => this.#linked(state),
      ended: (reason) => this.#ended(reason),
    });
    this.#link.shown = this.#shown;
    const chat = this;
    this.#posts = new Posts(this, port, {
      get store() {
        return chat.#store;
      },
      say: (type, detail) => this.#say(type, detail),
      patched: (log, wires) => this.#patched(this.#logs.get(log), wires),
      heardOf: (log, seq) => {
        this.#logs.get(log)?.rumoured(seq, this.#port.monotonic(), this.#patience);
        this.#pump();
      },
    });
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

  /** Posts and changes that the broker has not acknowledged. */
  get waiting() {
    return this.#posts.waiting;
  }

  // Coming and going

  /**
   * Connect; meanwhile show what is kept of who used this browser last.
   * @param {{login?: string, talk?: string}} last who that was, and what is wanted to be seen first
   */
  async start({ login, talk } = {}) {
    if (talk) this.#open = talk;
    if (login && !this.#store) this.#opened = this.#recall(login);
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
    const answer = await this.#port.post("/api/logout").catch(() => ({ ok: false }));
    if (!answer.ok) throw new Refusal({ code: "no-answer" });
    await this.#link.end("logout");
  }

  /** The page can be seen (again), or not. */
  visible(on) {
    this.#shown = this.#link.shown = on;
    if (on) this.#link.wake();
    else {
      this.#tell();
      this.#store?.flush();
    }
    this.#active();
  }

  #active() {
    if (this.link === "live") this.request("active", { on: this.#shown }).catch(() => {});
  }

  async #recall(login) {
    this.#keepIn(login);
    const { logs, outbox, kept } = await this.#store.load();
    this.#posts.found(outbox);
    this.#drafts = kept.drafts ?? new Map();
    if (this.me) this.#posts.restore();
    if (!kept.me || this.me) return;
    this.#run = kept.me.run;
    this.server = kept.me.server;
    for (const { log, id, seq } of logs) this.#logs.set(log, new Log(log, id, seq));
    this.#state(kept.me.session);
    this.#say("me");
    this.#say("server");
    // Of which nobody waits.
    this.#fillTalks().catch(() => {});
  }

  #keepIn(login) {
    this.#store = new Store(login, this.#port, (problem) => {
      this.problem = problem;
      this.#say("notice", { key: this.#open, kind: "storage", problem, time: this.now() });
    });
  }

  async #hello() {
    // A database may hang: then what it keeps is taken in later.
    await Promise.race([this.#opened, new Promise((resolve) => this.#port.set(resolve, DISK))]);
    const cursors = Object.fromEntries([...this.#logs.values()].map((log) => [log.name, [log.id, log.last]]));
    return { run: this.#run, cursors };
  }

  /** Of whom nothing is here waits for the page and not for the answer to hello: it is asked behind it. */
  #askAhead() {
    this.#ahead = null;
    const log = this.#open?.startsWith("@") ? `@${this.#store?.login}` : this.#open;
    if (this.me || !log || this.#logs.has(log)) return;
    const limit = this.#open === log ? PAGE : 4 * PAGE;
    this.#ahead = { log, reply: this.request("history", { log, limit }, { urgent: true }).catch(() => null) };
  }

  /** What was asked ahead of a log, as if only what is up to `low` had been asked; null if it was not, or does not reach. */
  async #early(log, low) {
    const ahead = this.#ahead;
    if (ahead?.log !== log) return null;
    this.#ahead = null;
    const reply = await ahead.reply;
    if (!(reply?.entries.at(-1)?.seq >= low)) return null;
    return { ...reply, entries: reply.entries.filter(({ seq }) => seq <= low) };
  }

  #welcome(reply, sent) {
    this.#clock.sample(sent, this.#port.monotonic(), reply.time);
    const { session } = reply;
    if (!session) return;
    if (this.#store?.login !== session.login) {
      // Somebody else was here: nothing of theirs is shown any more.
      this.#store?.forget();
      this.#clear();
      this.#keepIn(session.login);
      this.#store.load().then(({ outbox, kept }) => {
        this.#posts.found(outbox);
        this.#drafts = new Map([...(kept.drafts ?? []), ...this.#drafts]);
        this.#posts.restore();
      }, () => {});
    }
    this.#run = reply.run;
    this.server = { name: reply.server, defaultRoom: reply.default_room, registration: reply.registration, push: reply.push };
    const first = !this.me || this.link === "connecting";
    this.#state(session, { certain: (log) => reply.resume === "reset" || reply.gaps?.includes(log), first });
    this.#store.keep("me", { session, run: reply.run, server: this.server });
    this.#say("server");
    this.#fillTalks().catch(() => {});
  }

  #linked(state) {
    if (this.link === "live") this.#lostAt = this.#port.monotonic();
    this.link = state;
    this.linkSince = this.#port.wall();
    if (state === "live") {
      this.#active();
      this.#tell();
      this.#posts.send();
      this.#pump();
    }
    this.#say("link", { state });
  }

  #pong(reply, sent) {
    this.#clock.sample(sent, this.#port.monotonic(), reply.time);
    const fits = () => [...this.#logs.keys()].sort().join() === Object.keys(reply.heads).sort().join();
    for (const [log, head] of Object.entries(reply.heads)) this.#logs.get(log)?.rumoured(head, this.#port.monotonic(), this.#patience);
    // An event that says why may be on its way yet.
    if (!fits()) this.#port.set(() => fits() || this.#refresh(), this.#patience);
    this.#pump();
  }

  get #patience() {
    return Math.max(PATIENCE, 2 * (this.#clock.roundTripMs ?? 0));
  }

  #refresh() {
    if (this.link === "live") this.#link.hello();
  }

  async #ended(reason) {
    const store = this.#store;
    this.#opened = null;
    this.#clear();
    this.#store = null;
    this.#say("ended", { reason });
    if (store) this.#over = reason === "logged-out" ? store.forget() : store.destroy();
    await this.#over;
  }

  #clear() {
    this.me = this.#run = null;
    this.talks.clear();
    this.#logs.clear();
    this.#marks.clear();
    this.#posts.clear();
    this.#drafts = new Map();
    this.#inbox = null;
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
    const away = this.#port.monotonic() - this.#lostAt > AWAY;
    for (const [key, { view }] of this.talks) {
      if (!view || there.get(key)?.id === view.id) continue;
      // While this browser was away the membership ended with its presence: one never said that one leaves.
      if (!there.has(key) && !view.kept && away && this.link !== "live") this.join(key).catch(({ code }) => code === "no-answer" || this.#drop(key, "gone"));
      else this.#drop(key, there.has(key) ? "deleted" : "gone");
    }
    const box = this.#follow(`@${login}`, 0, session.inbox, certain(`@${login}`));
    this.#inbox ??= { low: box.last, first: !box.last };
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
    this.#pump();
  }

  #follow(name, id, head, certain) {
    let log = this.#logs.get(name);
    if (log?.id !== id) this.#logs.set(name, (log = new Log(name, id, head)));
    else if (certain) log.endsAt(head);
    else log.rumoured(head, this.#port.monotonic(), this.#patience);
    return log;
  }

  #room(view, first, certain = false) {
    const log = this.#follow(view.name, view.id, view.head, certain);
    let talk = this.talks.get(view.name);
    if (!talk) {
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
    if (!this.talks.delete(key)) return;
    this.#logs.delete(talk.log);
    this.#store?.drop(talk.log);
    this.#posts.abandon(key);
    if (reason !== "left") this.#say("notice", { key, kind: "room-left", reason, time: this.now() });
    this.#say("talks");
  }

  #find(key) {
    return this.talks.get(key) ?? [...this.talks.values()].find((talk) => fold(talk.key) === fold(key));
  }

  /** The conversation with somebody; made if it is not there. @returns {Talk} */
  person(login) {
    const known = this.#find(`@${login}`);
    if (known) return known;
    const talk = Object.assign(new Talk(`@${login}`, `@${this.me.login}`, this.#inbox.low), { first: this.#inbox.first });
    talk.draft = this.#drafts.get(talk.key) ?? "";
    this.talks.set(talk.key, talk);
    this.#say("talks");
    return talk;
  }

  // What comes

  #event(frame) {
    const { log: name, kind } = frame;
    const log = this.#logs.get(name);
    const talk = this.talks.get(name);
    if (frame.seq !== undefined) {
      if (!log) return;
      const low = log.last;
      this.#deliver(log, low, log.heard(frame), true);
      if (log.behind) this.#pump();
    } else if (kind === "live" && log) {
      if (log.id !== frame.id) return this.#refresh();
      log.endsAt(frame.head);
      this.#pump();
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

  /** To which talk it belongs. */
  #home(log, wire) {
    if (!log.startsWith("@")) return this.talks.get(log);
    return this.person(fold(wire.sender) === fold(this.me.login) ? wire.to ?? wire.sender : wire.sender);
  }

  /** Entries follow what was delivered of a log: these are all above `low`. */
  #deliver(log, low, wires, live) {
    if (log.last > low) this.#store?.follow(log.name, log.id, low, log.last, wires, (wire, change) => changed(wire, change, this.#mine(change)));
    const parts = new Map();
    for (const wire of wires) {
      const talk = isChange(wire) ? null : this.#home(log.name, wire);
      if (talk) parts.set(talk, [...(parts.get(talk) ?? []), wire]);
      if (wire.nonce && this.#mine(wire)) this.#posts.settle(wire.nonce);
    }
    for (const [talk, part] of parts) this.#add(talk, part, live);
    for (const wire of wires.filter(isChange)) this.#change(log.name, wire);
  }

  #mine({ sender }) {
    return fold(sender) === fold(this.me.login);
  }

  #add(talk, wires, live) {
    const { key } = talk;
    talk.head = Math.max(talk.head, wires.at(-1).seq);
    for (const { sender } of wires) this.#writes(talk, sender, false);
    if (talk.last) {
      const { fresh, landed } = talk.add(wires, this.me);
      const surplus = talk.settled > MOST;
      talk.trim(key !== this.#open ? 4 * PAGE : surplus ? MOST / 2 : MOST);
      if (surplus) this.#say("entries", { key, change: "reset", entries: talk.entries });
      if (fresh.length) this.#say("entries", { key, change: "end", entries: fresh });
      if (landed.length) this.#say("entries", { key, change: "changed", entries: landed });
      const tells = talk.notify ?? (talk.kind === "person" ? "all" : "mentions");
      for (const entry of live ? fresh : []) {
        const rings = this.me.status !== "dnd" && (tells === "all" || (tells === "mentions" && entry.mention));
        if (!entry.mine) this.#say("heard", { key, entry, rings });
      }
    }
    talk.count();
    this.#say("talks");
  }

  /** A page may be older than changes that overtook it. */
  #patched(log, wires) {
    const { changes = [] } = log;
    return wires.map((wire) => changes.reduce((now, change) => (change.target === now.seq ? changed(now, change, this.#mine(change)) : now), wire));
  }

  #said(log, wires) {
    return this.#patched(log, wires.filter((wire) => !isChange(wire)));
  }

  #change(log, change) {
    const known = this.#logs.get(log);
    known.changes = [...(known.changes ?? []), change].slice(-200);
    for (const talk of log.startsWith("@") ? this.talks.values() : [this.talks.get(log)]) {
      const entry = talk?.log === log && talk.find(change.target);
      const wire = entry && changed(entry.wire, change, this.#mine(change));
      if (!entry || wire === entry.wire) continue;
      entry.take(wire, this.me);
      talk.count();
      this.#say("entries", { key: talk.key, change: "changed", entries: [entry] });
    }
  }

  #pump() {
    const now = this.#port.monotonic();
    let due = Infinity;
    if (this.link !== "live") return;
    for (const log of this.#logs.values()) {
      const hole = this.#filling < 4 ? log.hole(now) : null;
      if (hole) this.#fill(log, hole);
      due = Math.min(due, log.due);
    }
    this.#port.clear(this.#timer);
    if (due < Infinity && this.#filling < 4) this.#timer = this.#port.set(() => this.#pump(), Math.max(1, due - now));
  }

  async #fill(log, hole) {
    log.fetching = true;
    this.#filling++;
    try {
      const { entries, more } = await this.request("history", { log: log.name, ...hole, limit: 200 });
      if (this.#logs.get(log.name) !== log) return;
      const low = log.last;
      this.#deliver(log, low, log.page(hole, entries, more), false);
      log.pages = more ? (log.pages ?? 0) + 1 : 0;
      if (log.pages >= PAGES && !log.name.startsWith("@")) await this.#leap(log);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      log.failed(this.#port.monotonic(), refusal.waits ? refusal.pause(this.#port.random) : 1000);
      if (ROOMS.includes(refusal.code)) {
        log.failed(this.#port.monotonic(), ECHO);
        this.#refresh();
      }
    } finally {
      log.fetching = false;
      this.#filling--;
      this.#pump();
    }
  }

  /** Much was said meanwhile: go on with the newest, and read back when it is looked for. */
  async #leap(log) {
    log.pages = 0;
    const { entries, more } = await this.request("history", { log: log.name, limit: PAGE });
    const talk = this.talks.get(log.name);
    if (!talk || this.#logs.get(log.name) !== log || !more || entries[0].seq <= log.last) return;
    const before = log.last;
    const low = entries[0].seq - 1;
    const end = entries.at(-1).seq;
    const held = log.jump(end);
    this.#store?.follow(log.name, log.id, low, end, entries, changed);
    talk.head = end;
    if (talk.last && talk.key === this.#open && talk.settled) Object.assign(talk, { last: false, high: before });
    else if (talk.last) {
      talk.reset(low);
      this.#add(talk, this.#said(log, entries), false);
      this.#say("entries", { key: talk.key, change: "reset", entries: talk.entries });
    }
    for (const wire of entries.filter(isChange)) this.#change(log.name, wire);
    this.#deliver(log, end, held, false);
    talk.count();
    this.#say("talk", { key: talk.key, what: "loading" });
  }

  // Windows on the logs

  /** First what is looked at, then private talks, then where there is something new. */
  async #fillTalks() {
    const poor = (talk) => talk.last && talk.settled < 20 && !talk.first;
    const person = this.#open?.startsWith("@");
    if (!this.talks.has(this.#open)) this.#open = null;
    const here = this.talks.get(this.#open ?? (person ? "" : this.me.current));
    if (here && poor(here)) await this.older(here.key);
    if (!this.#inbox.first && ![...this.talks.values()].some((talk) => talk.kind === "person" && talk.settled)) await this.#page(null, 4 * PAGE);
    this.#ahead = null;
    for (const talk of [...this.talks.values()].filter((each) => each.view).sort((a, b) => b.unreadMore - a.unreadMore).slice(0, 50)) {
      if (this.talks.get(talk.key) === talk && poor(talk)) await this.older(talk.key);
    }
  }

  /** Load a page below what there is of a log, from disk or the broker. Returns how many came for that talk. */
  async #page(talk, most) {
    const span = talk?.view ? talk : this.#inbox;
    const name = talk?.log ?? `@${this.me.login}`;
    const log = this.#logs.get(name);
    const { low } = span;
    if (!log || span.first) return 0;
    let page = await this.#store?.older(name, log.id, most, low).catch(() => null);
    if (!page) {
      const reply = (await this.#early(name, low)) ?? (await this.request("history", { log: name, before: low + 1, limit: most }));
      const { more } = reply;
      const entries = this.#patched(log, reply.entries);
      page = { wires: entries, low: more && entries.length ? entries[0].seq - 1 : 0 };
      if (span.low === low && this.#logs.get(name) === log) this.#store?.follow(name, log.id, page.low, low, entries, (wire) => wire);
    }
    if (span.low !== low || this.#logs.get(name) !== log || (talk && this.talks.get(talk.key) !== talk)) return 0;
    page.wires = this.#patched(log, page.wires);
    Object.assign(span, { low: page.low, first: !page.low });
    const parts = new Map(talk ? [[talk, []]] : []);
    for (const wire of page.wires) {
      const home = isChange(wire) ? null : this.#home(name, wire);
      if (home) parts.set(home, [...(parts.get(home) ?? []), wire]);
    }
    if (span === this.#inbox) for (const each of this.talks.values()) if (!each.view) Object.assign(each, this.#inbox);
    let came = 0;
    for (const [each, wires] of parts) {
      const entries = each.prepend(wires, this.me);
      if (each === talk) came = entries.length;
      each.head = Math.max(each.head, wires.at(-1)?.seq ?? 0);
      each.count();
      if (entries.length) this.#say("entries", { key: each.key, change: "start", entries });
    }
    this.#say("talks");
    return came;
  }

  async #loading(key, work) {
    const talk = this.talks.get(key);
    if (!talk || talk.loading) return 0;
    talk.loading = true;
    this.#say("talk", { key, what: "loading" });
    try {
      return await work(talk, this.#logs.get(talk.log));
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      return 0;
    } finally {
      talk.loading = false;
      this.#say("talk", { key, what: "loading" });
    }
  }

  /** Look at a talk: its newest page is loaded, from disk at once. */
  async open(key) {
    this.#open = key;
    const talk = this.talks.get(key);
    if (!talk) return;
    for (const other of this.talks.values()) if (other !== talk && other.last) other.trim(4 * PAGE);
    if (talk.last && talk.settled < PAGE / 2) await this.older(key);
    talk.loaded = true;
    this.#say("talk", { key, what: "loading" });
  }

  /** Look at no talk. */
  close() {
    this.#open = null;
    this.#tell();
  }

  /** Load what is before. @returns {Promise<number>} how many came */
  older(key) {
    return this.#loading(key, async (talk) => {
      let came = 0;
      for (let page = 0; page < 5 && came < (talk.view ? 1 : 20) && !talk.first; page++) came += await this.#page(talk, talk.view ? PAGE : 4 * PAGE);
      return came;
    });
  }

  /** Load what comes after, where the window does not reach the end. @returns {Promise<number>} how many came */
  newer(key) {
    return this.#loading(key, (talk, log) => this.#newer(talk, log));
  }

  async #newer(talk, log) {
    const { high, key } = talk;
    if (talk.last) return 0;
    const { entries, more } = await this.request("history", { log: talk.log, after: high, limit: PAGE });
    if (talk.last || talk.high !== high || this.talks.get(key) !== talk) return 0;
    talk.high = entries.at(-1)?.seq ?? high;
    talk.last = !more && (!entries.length || talk.high >= log.last);
    const { fresh } = talk.add(this.#said(log, entries), this.me);
    talk.count();
    this.#say("entries", { key, change: "end", entries: fresh });
    return fresh.length + (more || talk.last ? 0 : await this.#newer(talk, log));
  }

  /** Load where `seq` stands. */
  around(key, seq) {
    return this.#loading(key, async (talk, log) => {
      if (!talk.view) {
        for (let low = Infinity; !talk.first && talk.low >= seq && talk.low < low; ) {
          low = talk.low;
          await this.#page(talk, 4 * PAGE);
        }
        return;
      }
      if (talk.find(seq)) return;
      const ask = (fields) => this.request("history", { log: key, limit: PAGE / 2, ...fields });
      const [below, above] = await Promise.all([ask({ before: seq + 1 }), ask({ after: seq })]);
      talk.reset(below.more && below.entries.length ? below.entries[0].seq - 1 : 0, !below.more);
      talk.add(this.#said(log, [...below.entries, ...above.entries]), this.me);
      talk.high = above.entries.at(-1)?.seq ?? seq;
      talk.last = !above.more && talk.high >= log.last;
      talk.count();
      this.#say("entries", { key, change: "reset", entries: talk.entries });
    });
  }

  /** Load the newest again, where the window does not reach the end. */
  latest(key) {
    return this.#loading(key, async (talk, log) => {
      if (talk.last) return;
      talk.reset(log.last);
      await this.#page(talk, PAGE);
      this.#say("entries", { key, change: "reset", entries: talk.entries });
    });
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
      const home = where.startsWith("@") ? `@${this.#mine(entry) ? entry.to : entry.sender}` : where;
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
    this.#store?.keep("drafts", this.#drafts);
  }

  async setStatus(status, note = "") {
    await this.request("status", { status, note });
    Object.assign(this.me, { status, note });
    this.#say("me");
  }
}
