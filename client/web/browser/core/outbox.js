/**
 * Posts on their way: each goes out with its nonce until it is answered, in order per target, one at a time there.
 *
 * As client/link/outbox.py, which says why. Must not know how a post is sent, nor where it is kept.
 *
 * @typedef {{nonce: string, op: string, fields: object, target: string, key: string, room?: number, at: number, sent: boolean, doubtful: boolean,
 *   failed?: object}} Post `at` gives the order; `room` is the id of the one it is for; `failed` ones wait for the person
 */

const LIMIT = 256;

export class Outbox {
  /** @type {Map<string, Post>} */ posts = new Map();
  #notBefore = -Infinity;
  #atOnce = LIMIT;

  get full() {
    return this.posts.size >= LIMIT;
  }

  /** How many wait for the broker. */
  get waiting() {
    return [...this.posts.values()].filter((post) => !post.failed).length;
  }

  /** @param {Post} post */
  add(post) {
    this.posts.set(post.nonce, post);
  }

  /** Mark and return those to be sent now: of each target the first, unless it is under way. `held`: whether a talk's have to wait. */
  ready(now, held = () => false) {
    const open = [...this.posts.values()].filter((post) => !post.failed && !held(post.key)).sort((a, b) => a.at - b.at);
    let room = now < this.#notBefore ? 0 : this.#atOnce - open.filter((post) => post.sent).length;
    const targets = new Set();
    return open.filter((post) => {
      const due = !targets.has(post.target) && !post.sent && room > 0;
      targets.add(post.target);
      if (due) room--;
      return due && (post.sent = true);
    });
  }

  /** It was taken. */
  done(nonce) {
    this.#atOnce = Math.min(LIMIT, this.#atOnce + 1);
    return this.posts.delete(nonce);
  }

  /**
   * It was refused, or there was no answer. Returns whether that is its end.
   * That nothing was done is true of what was sent last, and may not be of what was sent before: ask again then.
   */
  refused(post, refusal, now, pause) {
    post.sent = false;
    const silent = refusal.code === "cut" || refusal.code === "no-answer";
    post.doubtful ||= silent;
    if (silent || refusal.code === "not-logged-in") return false;
    if (!refusal.waits || (refusal.code === "storage-failed" && !post.doubtful)) {
      this.#atOnce = Math.min(LIMIT, this.#atOnce + 1);
      post.failed = { code: refusal.code, message: refusal.message };
      return true;
    }
    this.#notBefore = Math.max(this.#notBefore, now + pause);
    this.#atOnce = 1;
    return false;
  }

  /** When `ready` may have something that must wait now. */
  get due() {
    return this.#notBefore;
  }
}
