// One log: delivers its entries once, in order and without holes. PROTOCOL.md, section 11.4.

const HELD = 1000;

export class Log {
  /** `history` asks for a page; `deliver` takes one entry; all up to `seen` is delivered. */
  constructor(seen, history, deliver) {
    this.seen = seen;
    this.head = seen; // as far as we know the log reaches
    this.held = new Map(); // entries beyond a hole, by seq
    this.history = history;
    this.deliver = deliver;
    this.filling = false;
  }

  /** An entry came, live. */
  entry(entry) {
    this.take(entry);
    if (this.held.size) this.fill();
  }

  /** A marker or a heartbeat says that the log reaches to `head`. */
  reaches(head) {
    this.head = Math.max(this.head, head);
    if (this.head > this.seen) this.fill();
  }

  take(entry) {
    if (entry.seq <= this.seen) return;
    if (entry.prev > this.seen) {
      this.held.set(entry.seq, entry);
      if (this.held.size > HELD) this.held.delete(Math.max(...this.held.keys()));
      return;
    }
    this.accept(entry);
  }

  accept(entry) {
    this.seen = entry.seq;
    this.deliver(entry);
    for (const seq of [...this.held.keys()].sort((a, b) => a - b)) {
      const next = this.held.get(seq);
      if (seq > this.seen && next.prev > this.seen) break;
      this.held.delete(seq);
      if (seq > this.seen) {
        this.seen = seq;
        this.deliver(next);
      }
    }
  }

  async fill() {
    if (this.filling) return; // one request at a time
    this.filling = true;
    try {
      while (this.held.size || this.head > this.seen) {
        const before = this.held.size ? Math.min(...this.held.keys()) : undefined;
        const page = await this.history(this.seen, before);
        if (!page) return; // not ours to read any more
        for (const entry of page.entries) this.take(entry);
        if (page.more) continue;
        // The range is complete: what the answer did not hold is not there to be read.
        const next = this.held.get(before);
        if (next) this.held.delete(before), this.accept(next);
        if (before === undefined) this.head = this.seen;
      }
    } finally {
      this.filling = false;
    }
  }
}
