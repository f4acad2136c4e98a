/**
 * What one says, from being written to its place in the log: messages, and changes of them. The outbox sees to it that it goes out.
 *
 * Each waits with its nonce, here and on disk, until it is answered or refused. Must not know how the others' words come, nor what
 * is drawn.
 *
 * @typedef {import("./entries.js").Entry} Entry
 */

import { blank, fold } from "./entries.js";
import { Refusal } from "./link.js";
import { Outbox } from "./outbox.js";

/** Why the broker would refuse a text; undefined if it would not. */
export const badText = (text) =>
  blank(text) || /[^\P{Cc}\n\t]/u.test(text) || [...text].length > 8000 || new TextEncoder().encode(text).length > 16384
    ? new Refusal({ code: "bad-text" })
    : undefined;

export class Posts {
  #chat;
  #port;
  #inside;
  #outbox = new Outbox();
  /** what is kept of former pages, and has no talk yet */ #rows = [];
  /** when the last one was written: the next comes after it */ #at = 0;

  /**
   * @param {import("./chat.js").Chat} chat @param {object} port
   * @param {{store: import("./store.js").Store|null, returning: (key: string) => boolean, say: (type: string, detail: object) => void, patched: (log: string, wires: object[]) => object[],
   *   heardOf: (log: string|undefined, seq: number) => void}} inside what else is needed of the chat: `returning`, whether it is not
   *   known yet if one is back in that room; `heardOf`, that a log reaches to there
   */
  constructor(chat, port, inside) {
    this.#chat = chat;
    this.#port = port;
    this.#inside = inside;
  }

  /** How many the broker has not acknowledged. */
  get waiting() {
    return this.#outbox.waiting;
  }

  /** Forget all. */
  clear() {
    this.#outbox = new Outbox();
    this.#rows = [];
  }

  /** What was on disk: `restore` takes it in. */
  found(rows) {
    this.#rows = rows;
  }

  /** That talk is gone. */
  abandon(key) {
    for (const post of this.#outbox.posts.values()) {
      if (post.key === key) this.#strand(post);
    }
  }

  #nonce() {
    const time = this.#chat.now();
    const head = [40, 32, 24, 16, 8, 0].map((bits) => Math.floor(time / 2 ** bits) % 256);
    return btoa(String.fromCharCode(...head, ...this.#port.bytes(10)));
  }

  /** Say something; it goes out when it can. @returns {Entry} throws Refusal: "bad-text", "too-many", "no-such-room" */
  post(key, text, replyTo = 0) {
    const talk = this.#chat.talks.get(key);
    if (!talk) throw new Refusal({ code: "no-such-room" });
    const said = text.replaceAll("\r\n", "\n");
    const fields = { ...(talk.view ? { room: key } : { to: talk.name }), text: said, ...(replyTo && { reply_to: replyTo }) };
    const post = this.#out(talk.view ? "send" : "direct", talk, fields, said);
    const entry = this.#wait(talk, post);
    this.#inside.say("entries", { key, change: "end", entries: [entry] });
    this.#chat.typing(key, false);
    return entry;
  }

  #wait(talk, { op, nonce, at, fields, failed }) {
    const kind = op === "send" ? "message" : op;
    const wire = { kind, sender: this.#chat.me.login, text: fields.text, time: at, nonce, reply_to: fields.reply_to, to: fields.to };
    const entry = talk.wait(wire, this.#chat.me);
    return Object.assign(entry, failed && { state: "failed", error: new Refusal(failed) });
  }

  #out(op, talk, fields, text = "x") {
    const bad = badText(text);
    if (bad || this.#outbox.full) throw bad ?? new Refusal({ code: "too-many" });
    const way = op === "direct" ? talk.key : talk.log;
    this.#at = Math.max(this.#at + 1, this.#chat.now());
    const post = { nonce: this.#nonce(), op, fields, target: fold(way), key: talk.key, room: talk.view?.id, at: this.#at, sent: false, doubtful: false };
    this.#outbox.add(post);
    this.#inside.store?.post(post).then((safe) => {
      const entry = this.#waitingAs(post);
      if (safe && entry) this.#touch(entry, { safe });
    });
    queueMicrotask(() => this.send());
    this.#inside.say("link", { state: this.#chat.link });
    return post;
  }

  #touch(entry, fields) {
    Object.assign(entry, fields);
    this.#inside.say("entries", { key: entry.key, change: "changed", entries: [entry] });
  }

  /** The entry that waits, or is being changed. */
  #waitingAs({ key, nonce, fields }) {
    const talk = this.#chat.talks.get(key);
    return fields.seq ? talk?.find(fields.seq) : talk?.entries.findLast((each) => each.nonce === nonce && each.mine);
  }

  #alter(op, entry, fields, text) {
    this.#out(op, this.#chat.talks.get(entry.key), { log: entry.log, seq: entry.seq, ...fields }, text);
    this.#touch(entry, { changing: [...entry.changing, op] });
  }

  /** Change a message, through the outbox; refused, there is a notice "refused". */
  edit(entry, text) {
    this.#alter("edit", entry, { text }, text);
  }

  retract(entry) {
    this.#alter("retract", entry, {});
  }

  react(entry, emoji, on = true) {
    this.#alter("react", entry, { emoji, on });
  }

  /** Send again what failed. */
  retry(entry) {
    const post = this.#outbox.posts.get(entry.nonce);
    if (!post?.failed) return;
    delete post.failed;
    this.#inside.store?.post(post);
    this.#touch(entry, { state: "pending", error: undefined });
    this.send();
  }

  /** Give up what failed, or has not gone out. @returns {boolean} whether that was possible */
  discard(entry) {
    const post = this.#outbox.posts.get(entry.nonce);
    if (!post || (!post.failed && (post.sent || post.doubtful))) return false;
    this.#outbox.posts.delete(entry.nonce);
    this.#inside.store?.unpost(entry.nonce);
    this.#chat.talks.get(entry.key)?.remove(entry);
    this.#inside.say("entries", { key: entry.key, change: "removed", entries: [entry] });
    return true;
  }

  /** What waited before the page was loaded anew. */
  restore() {
    this.#rows = this.#rows.filter((row) => {
      // A room of the same name may be another room.
      if (row.stranded) return !this.#give(row);
      const talk = this.#chat.talks.get(row.key) ?? (row.key.startsWith("@") ? this.#chat.person(row.key.slice(1)) : null);
      if (!talk || (talk.view && row.room !== talk.view.id)) return !this.#give(row);
      if (this.#outbox.posts.has(row.nonce)) return false;
      // What is written now comes after it, whatever the clock shows.
      this.#at = Math.max(this.#at, row.at);
      this.#outbox.add({ ...row, sent: false, doubtful: true });
      if (row.fields.seq) return false;
      const entry = Object.assign(this.#wait(talk, row), { safe: true });
      this.#inside.say("entries", { key: talk.key, change: "end", entries: [entry] });
      return false;
    });
    this.send();
  }

  /** Of a room that one is not in any more, once that is sure. */
  #give(row) {
    if (this.#chat.link === "connecting" && !this.#chat.roundTripMs) return false;
    this.#strand(row);
    return true;
  }

  /** What is half written in a talk that goes. */
  unsaid({ key, draft: text, view }) {
    this.#strand({ nonce: this.#nonce(), op: "send", fields: { text }, key, room: view?.id, at: this.#chat.now() });
  }

  /** There is no way to it any more. What somebody wrote stays on disk until they were told, and is never sent elsewhere. */
  #strand(post) {
    const { nonce, key, fields } = post;
    this.#outbox.posts.delete(nonce);
    const drop = () => this.#inside.store?.unpost(nonce);
    if (!fields.text) return void drop();
    if (!post.stranded) this.#inside.store?.post({ ...post, stranded: true });
    this.#inside.say("notice", { key, kind: "unsent", text: fields.text, drop, time: this.#chat.now() });
  }

  /** Send what may go out now. */
  send() {
    if (this.#chat.link !== "live") return;
    for (const post of this.#outbox.ready(this.#port.monotonic(), this.#inside.returning)) this.#go(post);
  }

  async #go(post) {
    try {
      const reply = await this.#chat.request(post.op, { ...post.fields, nonce: post.nonce }, { post: true });
      this.settle(post.nonce, reply);
      this.#inside.heardOf(this.#chat.talks.get(post.key)?.log, reply.seq);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      if (this.#outbox.posts.get(post.nonce) !== post) return;
      const pause = refusal.pause(this.#port.random);
      if (!this.#outbox.refused(post, refusal, this.#port.monotonic(), pause)) {
        if (refusal.waits) this.#port.set(() => this.send(), pause + 1);
      } else if (post.fields.seq) this.#giveUp(post, refusal);
      else {
        this.#inside.store?.post(post);
        const entry = this.#waitingAs(post);
        if (entry) this.#touch(entry, { state: "failed", error: refusal });
      }
    }
    this.send();
  }

  #giveUp(post, error) {
    const { op, fields, key } = post;
    const entry = this.#waitingAs(post);
    this.#outbox.posts.delete(post.nonce);
    this.#inside.store?.unpost(post.nonce);
    if (entry && fields.seq) this.#touch(entry, { changing: entry.changing.filter((each) => each !== op) });
    this.#inside.say("notice", { key, kind: "refused", op, entry, text: fields.text ?? "", error, time: this.#chat.now() });
  }

  /** It is in the log: at `seq`, if a reply says so; else its entry follows. */
  settle(nonce, reply) {
    const post = this.#outbox.posts.get(nonce);
    if (!post) return;
    const entry = this.#waitingAs(post);
    const talk = this.#chat.talks.get(post.key);
    this.#outbox.done(nonce);
    this.#inside.store?.unpost(nonce);
    if (entry && post.fields.seq) this.#touch(entry, { changing: entry.changing.filter((each) => each !== post.op) });
    else if (entry && reply) {
      if (talk.find(reply.seq) || !talk.last || reply.seq <= talk.low) {
        talk.remove(entry);
        this.#inside.say("entries", { key: post.key, change: "removed", entries: [entry] });
      } else {
        talk.add(this.#inside.patched(talk.log, [{ ...entry.wire, seq: reply.seq, time: reply.time }]), this.#chat.me);
        this.#inside.say("entries", { key: post.key, change: "changed", entries: [entry] });
      }
    }
    this.#inside.say("link", { state: this.#chat.link });
    queueMicrotask(() => this.send());
  }
}
