/**
 * One log as this browser follows it (PROTOCOL §11.4): what was delivered, what is known to exist, what waits for a hole.
 *
 * Broadcast may lose; `prev` shows holes, heads show where a log ends, pages of history fill from below. Must not know how
 * pages are asked for, nor what time it is (milliseconds come in).
 */

const HELD = 1000;

export class Log {
  /** up to here all was delivered */ last;
  fetching = false;
  #certain;
  #held = new Map();
  #rumour = 0;
  #rumourDue = Infinity;
  #rumourWait = 0;
  #rumourLast = 0;
  #notBefore = -Infinity;

  /** @param {string} name @param {number} id the room's; 0 for an inbox @param {number} start */
  constructor(name, id, start) {
    Object.assign(this, { name, id, last: start });
    this.#certain = start;
  }

  /** Take in an entry of the stream. Returns what may be delivered now, in order. */
  heard(entry) {
    if (entry.seq <= this.last) return [];
    if (entry.prev <= this.last) {
      this.last = entry.seq;
      return [entry, ...this.#release()];
    }
    this.endsAt(entry.prev);
    this.#held.set(entry.seq, entry);
    if (this.#held.size > HELD) {
      this.endsAt(Math.max(...this.#held.keys()));
      this.#held.clear();
    }
    return [];
  }

  #release() {
    const ready = [];
    for (const seq of [...this.#held.keys()].sort((a, b) => a - b)) {
      const entry = this.#held.get(seq);
      if (seq > this.last) {
        if (entry.prev > this.last) break;
        this.last = seq;
        ready.push(entry);
      }
      this.#held.delete(seq);
    }
    return ready;
  }

  /** It certainly reaches to there: what is below and unseen is missing. */
  endsAt(head) {
    this.#certain = Math.max(this.#certain, head);
  }

  /** A head heard of beside the stream: it counts once the stream has stood still below it for `wait`. */
  rumoured(head, now, wait) {
    if (head <= this.last || head <= this.#certain) return;
    this.#rumour = Math.max(this.#rumour, head);
    if (this.#rumourDue !== Infinity) return;
    this.#rumourWait = wait;
    this.#rumourLast = this.last;
    this.#rumourDue = now + wait;
  }

  /** What to fetch next: `{after, before}`, or null. */
  hole(now) {
    if (this.#rumour <= this.last) this.#rumourDue = Infinity;
    else if (now >= this.#rumourDue) {
      if (this.last !== this.#rumourLast) {
        this.#rumourLast = this.last;
        this.#rumourDue = now + this.#rumourWait;
      } else {
        this.endsAt(this.#rumour);
        this.#rumourDue = Infinity;
      }
    }
    if (this.fetching || now < this.#notBefore || !this.behind) return null;
    return { after: this.last, before: this.#certain + 1 };
  }

  /** Take in the page that `hole` asked for. Returns what was missing, and what it had held back. */
  page(hole, entries, more) {
    const found = [];
    for (const entry of entries) {
      if (entry.seq > this.last) {
        this.last = entry.seq;
        found.push(entry);
      }
    }
    // History is the truth: what it does not have up to there is not for us.
    if (!(more && entries.length)) this.last = Math.max(this.last, hole.before - 1);
    return [...found, ...this.#release()];
  }

  /** Go on behind a hole that is too long to fill. Returns what was held back and fits then. */
  jump(seq) {
    this.last = Math.max(this.last, seq);
    return this.#release();
  }

  /** The page was refused; ask again after `wait`. */
  failed(now, wait) {
    this.#notBefore = now + wait;
  }

  get behind() {
    return this.#certain > this.last;
  }

  /** When `hole` may have another answer by the mere passing of time. */
  get due() {
    return Math.min(this.#rumourDue, this.behind && !this.fetching ? this.#notBefore : Infinity);
  }
}
