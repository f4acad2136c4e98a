/**
 * What of the logs is here to be looked at: a window for each talk, that grows by pages from disk or from the broker, and which
 * one is looked at. Must not know what comes by itself.
 */

import { Refusal } from "./link.js";
import { KEPT, PAGE } from "./logs.js";

/** Of the inbox: in it the talks with all persons are mixed. And how many of these pages a browser reads that has nothing of it. */
const MIXED = 4 * PAGE;
const PAGES = 5;
/** No name is as long, whatever an address says. */
const NAME = 256;

export class Windows {
  /** the key of the talk that is looked at @type {string|null} */ shown = null;
  /** what of the inbox is dealt out to persons: all above `low` @type {{low: number, first: boolean}|null} */ inbox = null;
  #chat;
  #logs;
  #inside;
  /** until when a talk is being loaded @type {WeakMap<object, Promise<void>>} */ #busy = new WeakMap();
  /** what was asked right behind the first hello: the page that is looked for */ #ahead = null;

  /**
   * @param {import("./chat.js").Chat} chat @param {import("./logs.js").Logs} logs
   * @param {{store: import("./store.js").Store|null, say: (type: string, detail?: object) => void}} inside what else is needed of the chat
   */
  constructor(chat, logs, inside) {
    this.#chat = chat;
    this.#logs = logs;
    this.#inside = inside;
  }

  /** Of whom nothing is here waits for the page and not for the answer to hello: it is asked behind it. */
  askAhead() {
    this.#ahead = null;
    const log = this.shown?.startsWith("@") ? `@${this.#inside.store?.login}` : this.shown;
    if (this.#chat.me || !log || log.length > NAME || this.#logs.has(log)) return;
    const limit = this.shown === log ? PAGE : MIXED;
    this.#ahead = { log, reply: this.#chat.request("history", { log, limit }, { urgent: true }).catch(() => null) };
  }

  /** What was asked ahead of a log, as if only what is up to `low` had been asked; null if it was not, or does not reach. */
  async #early(log, low) {
    const ahead = this.#ahead;
    if (ahead?.log !== log) return null;
    this.#ahead = null;
    const reply = await ahead.reply;
    if (!(reply?.entries.at(-1)?.seq >= low)) return null;
    const entries = reply.entries.filter(({ seq }) => seq <= low);
    // If so much was said meanwhile that all of it is above, that tells nothing of what is below.
    return entries.length || !reply.more ? { ...reply, entries } : null;
  }

  /** First what is looked at, then private talks, then where there is something new. */
  async fill() {
    const poor = (talk) => talk.last && talk.settled < 20 && !talk.first;
    const person = this.shown?.startsWith("@");
    if (!this.#chat.talks.has(this.shown)) this.shown = null;
    const here = this.#chat.talks.get(this.shown ?? (person ? "" : this.#chat.me.current));
    if (here && poor(here)) await this.older(here.key);
    const fresh = ![...this.#chat.talks.values()].some((talk) => talk.kind === "person" && talk.settled);
    if (!this.inbox.first && fresh) await this.#page(null, MIXED);
    this.#ahead = null;
    for (const talk of [...this.#chat.talks.values()].filter((each) => each.view).sort((a, b) => b.unreadMore - a.unreadMore).slice(0, 50)) {
      if (this.#chat.talks.get(talk.key) === talk && poor(talk)) await this.older(talk.key);
    }
    // One may have said much, and another, before, one word that was not read yet.
    for (let page = 1; fresh && page < PAGES && this.inbox && !this.inbox.first; page++) await this.#page(null, MIXED);
  }

  /** Load a page below what there is of a log, from disk or the broker. Returns how many came for that talk. */
  async #page(talk, most) {
    const span = talk?.view ? talk : this.inbox;
    const name = talk?.log ?? `@${this.#chat.me.login}`;
    const log = this.#logs.get(name);
    const { low } = span;
    if (!log || span.first) return 0;
    let page = await this.#inside.store?.older(name, log.id, most, low).catch(() => null);
    if (!page) {
      const reply = (await this.#early(name, low)) ?? (await this.#chat.request("history", { log: name, before: low + 1, limit: most }));
      const { more } = reply;
      const entries = this.#logs.patched(log, reply.entries);
      page = { wires: entries, low: more && entries.length ? entries[0].seq - 1 : 0 };
      if (span.low === low && this.#logs.get(name) === log) this.#inside.store?.follow(name, log.id, page.low, low, entries, (wire) => wire);
    }
    if (span.low !== low || this.#logs.get(name) !== log || (talk && this.#chat.talks.get(talk.key) !== talk)) return 0;
    page.wires = this.#logs.patched(log, page.wires);
    Object.assign(span, { low: page.low, first: !page.low });
    const parts = this.#logs.dealt(name, page.wires);
    if (talk && !parts.has(talk)) parts.set(talk, []);
    if (span === this.inbox) for (const each of this.#chat.talks.values()) if (!each.view) Object.assign(each, this.inbox);
    let came = 0;
    for (const [each, wires] of parts) {
      const entries = each.prepend(wires, this.#chat.me);
      if (each === talk) came = entries.length;
      each.head = Math.max(each.head, wires.at(-1)?.seq ?? 0);
      each.count();
      if (entries.length) this.#inside.say("entries", { key: each.key, change: "start", entries });
    }
    this.#inside.say("talks");
    return came;
  }

  /** One load of a talk at a time; who `waits` comes after it, others are told that nothing came. */
  async #loading(key, work, waits = false) {
    const talk = this.#chat.talks.get(key);
    while (waits && talk?.loading) await this.#busy.get(talk);
    if (!talk || talk.loading) return 0;
    talk.loading = true;
    let done;
    this.#busy.set(talk, new Promise((resolve) => { done = resolve; }));
    this.#inside.say("talk", { key, what: "loading" });
    try {
      return await work(talk, this.#logs.get(talk.log));
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      return 0;
    } finally {
      talk.loading = false;
      done();
      this.#inside.say("talk", { key, what: "loading" });
    }
  }

  /** Look at a talk: its newest page is loaded, from disk at once. */
  async open(key) {
    this.shown = key;
    const talk = this.#chat.talks.get(key);
    if (!talk) return;
    for (const other of this.#chat.talks.values()) if (other !== talk && other.last) other.trim(KEPT);
    if (talk.last && talk.settled < PAGE / 2) await this.older(key);
    talk.loaded = true;
    this.#inside.say("talk", { key, what: "loading" });
  }

  /** Look at no talk. */
  close() {
    this.shown = null;
  }

  /** Load what is before. @returns {Promise<number>} how many came */
  older(key) {
    return this.#loading(key, async (talk) => {
      let came = 0;
      for (let page = 0; page < 5 && came < (talk.view ? 1 : 20) && !talk.first; page++) came += await this.#page(talk, talk.view ? PAGE : MIXED);
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
    const { entries, more } = await this.#chat.request("history", { log: talk.log, after: high, limit: PAGE });
    if (talk.last || talk.high !== high || this.#chat.talks.get(key) !== talk) return 0;
    talk.high = entries.at(-1)?.seq ?? high;
    talk.last = !more && (!entries.length || talk.high >= log.last);
    const { fresh } = talk.add(this.#logs.said(log, entries), this.#chat.me);
    talk.count();
    this.#inside.say("entries", { key, change: "end", entries: fresh });
    return fresh.length + (more || talk.last ? 0 : await this.#newer(talk, log));
  }

  /** Load where `seq` stands. */
  around(key, seq) {
    return this.#loading(key, async (talk, log) => {
      if (!talk.view) {
        for (let low = Infinity; !talk.first && talk.low >= seq && talk.low < low; ) {
          low = talk.low;
          await this.#page(talk, MIXED);
        }
        return;
      }
      if (talk.find(seq)) return;
      const ask = (fields) => this.#chat.request("history", { log: key, limit: PAGE / 2, ...fields });
      const [below, above] = await Promise.all([ask({ before: seq + 1 }), ask({ after: seq })]);
      talk.reset(below.more && below.entries.length ? below.entries[0].seq - 1 : 0, !below.more);
      talk.add(this.#logs.said(log, [...below.entries, ...above.entries]), this.#chat.me);
      talk.high = above.entries.at(-1)?.seq ?? seq;
      talk.last = !above.more && talk.high >= log.last;
      talk.count();
      this.#inside.say("entries", { key, change: "reset", entries: talk.entries });
    }, true);
  }

  /** Load the newest again, where the window does not reach the end. */
  latest(key) {
    return this.#loading(key, async (talk, log) => {
      if (talk.last) return;
      talk.reset(log.last);
      await this.#page(talk, PAGE);
      this.#inside.say("entries", { key, change: "reset", entries: talk.entries });
    }, true);
  }
}
