/**
 * The logs that one hears: what comes of each is delivered once and in order to the talks it belongs to, and holes are filled
 * from `history`. Must not know how one came to hear a log, nor which part of it is looked at.
 */

import { changed, isChange, isMine } from "./entries.js";
import { Refusal } from "./link.js";
import { Log } from "./log.js";

/** Messages of a page. */
export const PAGE = 50;
/** How many of a talk are kept that is not looked at. */
export const KEPT = 4 * PAGE;

const FILLED = 200;
const PAGES = 5; // of a hole; behind a longer one one goes on, and reads back
const AT_ONCE = 4;
const PATIENCE = 300;
const SHUT = 5000; // until what was refused is asked for again
const MOST = 20000;
const ROOMS = ["not-member", "no-such-log", "no-such-room", "forbidden"];

export class Logs {
  #chat;
  #port;
  #inside;
  /** @type {Map<string, Log>} */ #logs = new Map();
  #filling = 0;
  #timer;

  /**
   * @param {import("./chat.js").Chat} chat @param {object} port
   * @param {{store: import("./store.js").Store|null, shown: string|null, say: (type: string, detail?: object) => void, settle: (nonce: string) => void,
   *   wrote: (talk: import("./entries.js").Talk, login: string) => void, refresh: () => void}} inside what else is needed of the chat:
   *   `settle`, that a post of one's own has come; `wrote`, that somebody has; `refresh`, to ask for the whole state
   */
  constructor(chat, port, inside) {
    this.#chat = chat;
    this.#port = port;
    this.#inside = inside;
  }

  get(name) {
    return this.#logs.get(name);
  }

  has(name) {
    return this.#logs.has(name);
  }

  /** Up to where everything of each is here, as `hello` says it. */
  get cursors() {
    return Object.fromEntries([...this.#logs.values()].map((log) => [log.name, [log.id, log.last]]));
  }

  /** Go on with what was kept. */
  restore(rows) {
    for (const { log, id, seq } of rows) this.#logs.set(log, new Log(log, id, seq));
  }

  drop(name) {
    this.#logs.delete(name);
  }

  clear() {
    this.#logs.clear();
  }

  /** Hear a log, which ends at `head`: of one that is heard already that counts once nothing of it is on its way, or if `certain`. @returns {Log} */
  follow(name, id, head, certain) {
    let log = this.#logs.get(name);
    if (log?.id !== id) this.#logs.set(name, (log = new Log(name, id, head)));
    else if (certain) log.endsAt(head);
    else log.rumoured(head, this.#port.monotonic(), this.patience);
    return log;
  }

  /** It was said beside the stream that a log reaches to there. */
  rumoured(name, head) {
    this.#logs.get(name)?.rumoured(head, this.#port.monotonic(), this.patience);
  }

  /** Whether these are the logs that are heard. */
  fits(names) {
    return [...this.#logs.keys()].sort().join() === [...names].sort().join();
  }

  /** How long what is heard of may still be on its way, milliseconds. */
  get patience() {
    return Math.max(PATIENCE, 2 * (this.#chat.roundTripMs ?? 0));
  }

  /** An entry came. */
  heard(frame) {
    const log = this.#logs.get(frame.log);
    if (!log) return;
    const low = log.last;
    this.#deliver(log, low, log.heard(frame), true);
    if (log.behind) this.pump();
  }

  /** To which talk it belongs. */
  #home(log, wire) {
    if (!log.startsWith("@")) return this.#chat.talks.get(log);
    return this.#chat.person(isMine(wire, this.#chat.me) ? wire.to ?? wire.sender : wire.sender);
  }

  /** The messages among them, by the talks they belong to. @returns {Map<import("./entries.js").Talk, object[]>} */
  dealt(log, wires) {
    const parts = new Map();
    for (const wire of wires) {
      const talk = isChange(wire) ? null : this.#home(log, wire);
      if (talk) parts.set(talk, [...(parts.get(talk) ?? []), wire]);
    }
    return parts;
  }

  /** Entries follow what was delivered of a log: these are all above `low`. */
  #deliver(log, low, wires, live) {
    if (log.last > low) this.#inside.store?.follow(log.name, log.id, low, log.last, wires, (wire, change) => changed(wire, change, isMine(change, this.#chat.me)));
    const parts = this.dealt(log.name, wires);
    for (const wire of wires) if (wire.nonce && isMine(wire, this.#chat.me)) this.#inside.settle(wire.nonce);
    for (const [talk, part] of parts) this.#add(talk, part, live);
    for (const wire of wires.filter(isChange)) this.#change(log.name, wire);
  }

  #add(talk, wires, live) {
    const { key } = talk;
    talk.head = Math.max(talk.head, wires.at(-1).seq);
    for (const { sender } of wires) this.#inside.wrote(talk, sender);
    if (talk.last) {
      const { fresh, landed } = talk.add(wires, this.#chat.me);
      const surplus = talk.settled > MOST;
      talk.trim(key !== this.#inside.shown ? KEPT : surplus ? MOST / 2 : MOST);
      if (surplus) this.#inside.say("entries", { key, change: "reset", entries: talk.entries });
      if (fresh.length) this.#inside.say("entries", { key, change: "end", entries: fresh });
      if (landed.length) this.#inside.say("entries", { key, change: "changed", entries: landed });
      const tells = talk.notify ?? (talk.kind === "person" ? "all" : "mentions");
      for (const entry of live ? fresh : []) {
        const rings = this.#chat.me.status !== "dnd" && (tells === "all" || (tells === "mentions" && entry.mention));
        if (!entry.mine) this.#inside.say("heard", { key, entry, rings });
      }
    }
    talk.count();
    this.#inside.say("talks");
  }

  /** A page may be older than changes that overtook it. */
  patched(log, wires) {
    const { changes = [] } = log;
    return wires.map((wire) => changes.reduce((now, change) => (change.target === now.seq ? changed(now, change, isMine(change, this.#chat.me)) : now), wire));
  }

  /** The messages among them. */
  said(log, wires) {
    return this.patched(log, wires.filter((wire) => !isChange(wire)));
  }

  #change(log, change) {
    const known = this.#logs.get(log);
    known.changes = [...(known.changes ?? []), change].slice(-200);
    for (const talk of log.startsWith("@") ? this.#chat.talks.values() : [this.#chat.talks.get(log)]) {
      const entry = talk?.log === log && talk.find(change.target);
      const wire = entry && changed(entry.wire, change, isMine(change, this.#chat.me));
      if (!entry || wire === entry.wire) continue;
      entry.take(wire, this.#chat.me);
      talk.count();
      this.#inside.say("entries", { key: talk.key, change: "changed", entries: [entry] });
    }
  }

  /** Ask for what is missing; for what may be on its way, after a while. */
  pump() {
    const now = this.#port.monotonic();
    let due = Infinity;
    if (this.#chat.link !== "live") return;
    for (const log of this.#logs.values()) {
      const hole = this.#filling < AT_ONCE ? log.hole(now) : null;
      if (hole) this.#fill(log, hole);
      due = Math.min(due, log.due);
    }
    this.#port.clear(this.#timer);
    if (due < Infinity && this.#filling < AT_ONCE) this.#timer = this.#port.set(() => this.pump(), Math.max(1, due - now));
  }

  async #fill(log, hole) {
    log.fetching = true;
    this.#filling++;
    try {
      const { entries, more } = await this.#chat.request("history", { log: log.name, ...hole, limit: FILLED });
      if (this.#logs.get(log.name) !== log) return;
      const low = log.last;
      this.#deliver(log, low, log.page(hole, entries, more), false);
      log.pages = more ? (log.pages ?? 0) + 1 : 0;
      if (log.pages >= PAGES && !log.name.startsWith("@")) await this.#leap(log);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      log.failed(this.#port.monotonic(), refusal.waits ? refusal.pause(this.#port.random) : 1000);
      if (ROOMS.includes(refusal.code)) {
        log.failed(this.#port.monotonic(), SHUT);
        this.#inside.refresh();
      }
    } finally {
      log.fetching = false;
      this.#filling--;
      this.pump();
    }
  }

  /** Much was said meanwhile: go on with the newest, and read back when it is looked for. */
  async #leap(log) {
    log.pages = 0;
    const { entries, more } = await this.#chat.request("history", { log: log.name, limit: PAGE });
    const talk = this.#chat.talks.get(log.name);
    if (!talk || this.#logs.get(log.name) !== log || !more || entries[0].seq <= log.last) return;
    const before = log.last;
    const low = entries[0].seq - 1;
    const end = entries.at(-1).seq;
    const held = log.jump(end);
    this.#inside.store?.follow(log.name, log.id, low, end, entries, changed);
    talk.head = end;
    if (talk.last && talk.key === this.#inside.shown && talk.settled) Object.assign(talk, { last: false, high: before });
    else if (talk.last) {
      talk.reset(low);
      this.#add(talk, this.said(log, entries), false);
      this.#inside.say("entries", { key: talk.key, change: "reset", entries: talk.entries });
    }
    for (const wire of entries.filter(isChange)) this.#change(log.name, wire);
    this.#deliver(log, end, held, false);
    talk.count();
    this.#inside.say("talk", { key: talk.key, what: "loading" });
  }
}
