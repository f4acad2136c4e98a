/**
 * A chat without a broker, for drawing: the same API as core/chat.js, with some talks and people. What is said is "sent" after a moment.
 */

import { Refusal } from "../../../client/web/browser/core/chat.js";

const WORDS = "hola que tal the bus is late again see you at seven bring the notes please ok thanks ☕ 🦀 https://example.org/x".split(" ");

export class FakeChat extends EventTarget {
  link = "live";
  linkSince = Date.now();
  me = { login: "ana", operator: false, status: "available", note: "", current: "lobby" };
  server = { name: "Tertulia", defaultRoom: "lobby", push: false };
  talks = new Map();
  waiting = 0;
  /** what other tabs have not sent */ elsewhere = 0;
  problem = null;
  offsetMs = 12.5;
  errorMs = 8;
  roundTripMs = 16;
  #seq = 0;

  /** @param {{entries?: number, delay?: number}} options how many entries the lobby has; milliseconds until posts are sent */
  constructor({ entries = 60, delay = 300 } = {}) {
    super();
    this.delay = delay;
    for (const [name, many] of [["lobby", entries], ["ajedrez", 12], ["مقهى", 3]]) {
      const talk = this.#talk(name);
      for (let i = 0; i < many; i++) this.#said(talk, ["bob", "eva", "ana", "bob"][(i * 7) % 4], i);
    }
    const bob = this.person("bob");
    for (let i = 0; i < 5; i++) this.#said(bob, i % 2 ? "ana" : "bob", i);
    const lobby = this.talks.get("lobby").entries;
    Object.assign(lobby.at(-3), { replyTo: lobby.at(-6).seq, reactions: [{ emoji: "👍", count: 3, mine: true }, { emoji: "🎉", count: 1, mine: false }] });
    Object.assign(lobby.at(-4), { edited: Date.now() });
    Object.assign(lobby.at(-5), { retracted: true, text: "" });
    Object.assign(lobby.at(-2), { text: "<img src=x onerror=alert(1)> \u202eolleh <b>&amp;", mention: true });
    Object.assign(this.talks.get("ajedrez"), { unread: 4, mentions: 1, read: this.talks.get("ajedrez").entries.at(-5).seq });
    this.talks.get("lobby").typing.add("eva");
  }

  #talk(key) {
    const person = key.startsWith("@");
    const view = person ? null : {
      id: this.talks.size + 1, name: key, kept: true, private: false, open: false, subject: `About ${key}`, creator: key === "lobby" ? null : "ana",
      head: 0, online: 3, joined: true, since: 0, hidden: false, read: 0, notify: null, moderators: [],
    };
    const talk = {
      key, kind: person ? "person" : "room", name: key.replace("@", ""), view, entries: [], loaded: true, loading: false, first: true, last: true,
      unread: 0, unreadMore: false, mentions: 0, read: 0, head: 0, notify: null, typing: new Set(), draft: "", active: 0,
      members: new Map(["ana", "bob", "eva"].map((login) => [login, { login, online: login !== "eva", status: "available", bot: false }])),
    };
    this.talks.set(key, talk);
    return talk;
  }

  #said(talk, sender, i, text = WORDS.slice(i % 9, (i % 9) + 2 + (i % 7)).join(" ")) {
    const entry = {
      key: talk.key, log: talk.view ? talk.key : "@ana", seq: (this.#seq += 1 + (i % 3)), nonce: `n${this.#seq}`, kind: talk.view ? "message" : "direct", sender,
      mine: sender === this.me.login, mention: false, text, time: Date.now() - (60 - i) * 500000, edited: 0, retracted: false, replyTo: 0, reactions: [],
      state: "sent", safe: true, changing: [],
      get quoted() { return talk.entries.find((each) => each.seq && each.seq === this.replyTo) ?? null; },
    };
    talk.entries.push(entry);
    talk.head = talk.read = entry.seq;
    talk.active = entry.time;
    return entry;
  }

  #emit(type, detail = {}) { this.dispatchEvent(new CustomEvent(type, { detail })); }

  #later(entry, change) {
    setTimeout(() => { change(); this.#emit("entries", { key: entry.key, change: "changed", entries: [entry] }); }, this.delay);
  }

  now() { return Math.round(Date.now() + this.offsetMs); }
  async start() { this.#emit("link", { state: "live" }); this.#emit("me"); this.#emit("talks"); }
  async stop() {}
  async unsent() { return this.waiting + this.elsewhere; }
  async logout() { this.link = "ended"; this.me = null; this.talks.clear(); this.#emit("ended", { reason: "logout" }); }
  visible() {}
  async request(op) { return { ok: true, op }; }
  async list(op) {
    const people = [...this.talks.get("lobby").members.values()];
    if (op === "rooms") return [...this.talks.values()].filter((talk) => talk.view).map((talk) => talk.view);
    return op === "users" ? people.map((each) => ({ ...each, first_names: each.login, surnames: "Pérez" })) : people;
  }
  async search(query, { key } = {}) {
    const all = [...this.talks.values()].filter((talk) => !key || talk.key === key).flatMap((talk) => talk.entries);
    return { hits: all.filter((entry) => entry.text.includes(query)).reverse(), more: false };
  }

  /** "/fail" in a text makes it fail. */
  post(key, text, replyTo = 0) {
    const talk = this.talks.get(key);
    if (!talk || !text.trim()) throw new Refusal({ code: talk ? "bad-text" : "no-such-room" });
    const entry = this.#said(talk, this.me.login, 60, text);
    const seq = entry.seq;
    Object.assign(entry, { seq: 0, state: "pending", safe: false, replyTo, time: this.now() });
    this.#emit("entries", { key, change: "end", entries: [entry] });
    this.#later(entry, () => {
      if (text.includes("/fail")) Object.assign(entry, { state: "failed", error: new Refusal({ code: "bad-text", message: "No." }) });
      else Object.assign(entry, { seq, state: "sent" });
    });
    return entry;
  }
  edit(entry, text) { this.#later(entry, () => Object.assign(entry, { text, edited: this.now() })); }
  retract(entry) { this.#later(entry, () => Object.assign(entry, { text: "", retracted: true, reactions: [] })); }
  react(entry, emoji, on = true) {
    this.#later(entry, () => {
      const there = entry.reactions.find((each) => each.emoji === emoji);
      if (there && there.mine !== on) Object.assign(there, { count: there.count + (on ? 1 : -1), mine: on });
      else if (!there && on) entry.reactions.push({ emoji, count: 1, mine: true });
      entry.reactions = entry.reactions.filter((each) => each.count);
    });
  }
  retry(entry) { entry.state = "pending"; this.#later(entry, () => Object.assign(entry, { state: "sent", seq: ++this.#seq })); }
  discard(entry) {
    const talk = this.talks.get(entry.key);
    talk.entries.splice(talk.entries.indexOf(entry), 1);
    this.#emit("entries", { key: entry.key, change: "removed", entries: [entry] });
    return true;
  }

  /** Somebody says something now. */
  hear(key, sender, text) {
    const talk = this.talks.get(key);
    const entry = this.#said(talk, sender, 60, text);
    entry.time = this.now();
    talk.unread++;
    this.#emit("entries", { key, change: "end", entries: [entry] });
    this.#emit("heard", { key, entry });
    this.#emit("talks");
  }

  async join(name) { if (!this.talks.has(name)) this.#talk(name); this.#emit("talks"); return name; }
  async enter(name) { this.me.current = name; return this.join(name); }
  async create(name) { return this.join(name); }
  async leave(name) { this.talks.delete(name); this.#emit("talks"); return "lobby"; }
  async delete(name) { return this.leave(name); }
  person(login) { return this.talks.get(`@${login}`) ?? this.#talk(`@${login}`); }
  async open() {}
  async close() {}
  async older() { return 0; }
  async newer() { return 0; }
  async around() {}
  async latest() {}
  async members() {}
  read(key, seq) {
    const talk = this.talks.get(key);
    if (seq > talk.read || talk.unread) Object.assign(talk, { read: Math.max(seq, talk.read), unread: 0, mentions: 0 });
    this.#emit("talks");
  }
  async notify(key, what) { this.talks.get(key).notify = what; this.#emit("talk", { key, what: "mark" }); }
  typing() {}
  draft(key, text) { if (this.talks.has(key)) this.talks.get(key).draft = text; }
  async setStatus(status, note = "") { Object.assign(this.me, { status, note }); this.#emit("me"); }
}
