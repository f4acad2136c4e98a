/**
 * What was said, and the talks it was said in: windows on logs, in order, once, and changed as PROTOCOL §11.9 says.
 *
 * Must not know where entries come from. `wire` is an entry as the broker writes it; Entry and Talk are described in chat.js.
 */

/** Two names are one if their keys are equal (PROTOCOL §5; the broker judges, this is for finding). */
export const fold = (name) =>
  [...name.normalize("NFKC")].map((c) => (c === "ı" ? c : c.toUpperCase().toLowerCase())).join("").normalize("NFKC").replaceAll("ς", "σ");

/** Whether nothing of a text can be seen. */
export const blank = (text) => !/[^\p{Z}\p{Cc}\p{Cf}]/u.test(text);

/** Whether that is a change of a message, and no message. */
export const isChange = ({ kind }) => kind === "edit" || kind === "retract" || kind === "reaction";

/** Whether one said it oneself. */
export const isMine = ({ sender }, me) => fold(sender) === fold(me.login);

/** The message as it is after a change; the same if that is in it already. */
export function changed(wire, change, mine) {
  if (change.seq <= (wire.changed ?? 0) || (wire.retracted && change.kind === "edit")) return wire;
  const now = { ...wire, changed: change.seq };
  if (change.kind === "edit") return { ...now, text: change.text, edited: change.time };
  if (change.kind === "retract") return { ...now, text: "", retracted: true, reactions: [] };
  const { emoji, count, on } = change;
  now.reactions = [...(wire.reactions ?? [])];
  const at = now.reactions.findIndex((each) => each.emoji === emoji);
  const one = { emoji, count, mine: mine ? on : Boolean(now.reactions[at]?.mine) };
  if (at >= 0) now.reactions.splice(at, 1, ...(count ? [one] : []));
  else if (count) now.reactions.push(one);
  return now;
}

export class Entry {
  #talk;
  state = "sent";
  safe = true;
  changing = [];
  error = undefined;

  constructor(talk, wire, me) {
    this.#talk = talk;
    this.take(wire, me);
  }

  /** It is like that now. */
  take(wire, me) {
    const { seq = 0, nonce = "", kind, sender, text = "", time, edited = 0, retracted = false, reply_to: replyTo = 0, room } = wire;
    const mine = isMine(wire, me);
    const mention = !mine && me.pattern.test(text);
    Object.assign(this, { wire, seq, nonce, kind, sender, mine, mention, text, time, edited, retracted, replyTo, room, reactions: wire.reactions ?? [] });
  }

  get key() {
    return this.#talk.key;
  }

  get log() {
    return this.#talk.log;
  }

  get quoted() {
    return this.replyTo ? this.#talk.find(this.replyTo) : null;
  }
}

export class Talk {
  view = null;
  entries = [];
  loaded = false;
  loading = false;
  last = true;
  unread = 0;
  unreadMore = false;
  mentions = 0;
  read = 0;
  head = 0;
  notify = null;
  typing = new Set();
  members = null;
  draft = "";
  active = 0;
  /** above this, all is in `entries`: up to the end, or if not `last`, up to `high` */ low;
  high = 0;
  first = false;
  #seqs = new Map();
  /** how many entries have their place in the log; those that wait come after */ settled = 0;

  /** @param {string} key @param {string} log @param {number} low */
  constructor(key, log, low) {
    const kind = key.startsWith("@") ? "person" : "room";
    Object.assign(this, { key, log, low, kind, name: kind === "person" ? key.slice(1) : key });
  }

  find(seq) {
    return this.#seqs.get(seq) ?? null;
  }

  /** Take in what has a place in the log. Returns the entries that are new here, and those that were waiting under its nonce. */
  add(wires, me) {
    const fresh = [];
    const landed = [];
    for (const wire of wires) {
      this.active = Math.max(this.active, wire.time);
      this.head = Math.max(this.head, wire.seq);
      const held = this.#seqs.get(wire.seq);
      if (held) {
        if ((wire.changed ?? 0) > (held.wire.changed ?? 0)) held.take(wire, me);
        continue;
      }
      const waiting = wire.nonce ? this.entries.findIndex((each, at) => at >= this.settled && each.nonce === wire.nonce && each.mine) : -1;
      const [entry] = waiting < 0 ? [new Entry(this, wire, me)] : this.entries.splice(waiting, 1);
      if (waiting >= 0) {
        entry.take(wire, me);
        Object.assign(entry, { state: "sent", error: undefined });
      }
      let at = this.settled++;
      while (at && this.entries[at - 1].seq > entry.seq) at--;
      this.entries.splice(at, 0, entry);
      this.#seqs.set(entry.seq, entry);
      (waiting < 0 ? fresh : landed).push(entry);
    }
    return { fresh, landed };
  }

  /** Take in many that are older than all there are. */
  prepend(wires, me) {
    const older = wires.filter((wire) => !this.#seqs.has(wire.seq)).map((wire) => new Entry(this, wire, me));
    for (const entry of older) this.#seqs.set(entry.seq, entry);
    const mixed = this.settled && older.length && this.entries[0].seq < older.at(-1).seq;
    this.entries.unshift(...older);
    this.settled += older.length;
    // What was answered just now may be as old.
    if (mixed) this.entries.unshift(...this.entries.splice(0, this.settled).sort((a, b) => a.seq - b.seq));
    if (older.length) this.active = Math.max(this.active, older.at(-1).time);
    return older;
  }

  /** One's own, on its way. */
  wait(wire, me) {
    const entry = Object.assign(new Entry(this, wire, me), { state: "pending", safe: false });
    this.entries.push(entry);
    return entry;
  }

  /** Take away what waits, or has failed. */
  remove(entry) {
    const at = this.entries.indexOf(entry);
    if (at >= this.settled) this.entries.splice(at, 1);
  }

  /** Show nothing of the log but what is above `low`. */
  reset(low, first = false) {
    this.entries = this.entries.slice(this.settled);
    this.settled = 0;
    this.#seqs.clear();
    Object.assign(this, { low, high: low, first, last: true });
  }

  /** Let go of the oldest, if there are more than `most` of them. */
  trim(most) {
    if (this.settled <= most || this.kind === "person") return;
    for (const entry of this.entries.splice(0, this.settled - most)) {
      this.#seqs.delete(entry.seq);
      this.low = entry.seq;
    }
    this.settled = most;
    this.first = false;
  }

  /** Count what is unread. Returns whether that has changed. */
  count() {
    const before = `${this.unread} ${this.mentions} ${this.unreadMore}`;
    const news = [];
    for (let at = this.settled - 1; at >= 0 && this.entries[at].seq > this.read; at--) {
      const each = this.entries[at];
      if (!each.mine && !each.retracted && each.kind !== "invited") news.push(each);
    }
    this.unread = news.length;
    this.mentions = this.kind === "person" ? news.length : news.filter((each) => each.mention).length;
    const since = Math.max(this.read, this.view?.since ?? 0);
    this.unreadMore = this.head > since && ((!this.first && this.low > since) || !this.last);
    return before !== `${this.unread} ${this.mentions} ${this.unreadMore}`;
  }
}
