/**
 * The broker's time, from the round trips of answers: as client/link/clock.py, which says why. All in milliseconds.
 *
 * Must not know where samples come from; both local clocks are given.
 */

const WINDOW = 8;
const DRIFT = 500e-6;
const SLACK = 5;

const bound = (sample, now) => sample.trip / 2 + (now - sample.taken) * DRIFT;

export class Clock {
  #samples = [];
  #best = null;
  #monotonic;
  #wall;

  constructor(monotonic, wall) {
    this.#monotonic = monotonic;
    this.#wall = wall;
  }

  now() {
    return Math.round(this.#wall() + this.offsetMs);
  }

  /** How far the broker's clock is ahead of the local one. */
  get offsetMs() {
    return this.#best ? this.#monotonic() + this.#best.offset - this.#wall() : 0;
  }

  /** The bound on its error: half the shortest round trip; null without a sample. */
  get errorMs() {
    return this.#best && this.#best.trip / 2;
  }

  get roundTripMs() {
    return this.#samples.at(-1)?.trip ?? null;
  }

  /** A round trip: local monotonic times of both ends, and what the broker's clock showed. */
  sample(sent, taken, time) {
    const fresh = { offset: time + 0.5 - (sent + taken) / 2, trip: Math.max(0, taken - sent), taken };
    const best = this.#best;
    if (best && Math.abs(best.offset - fresh.offset) > bound(best, taken) + fresh.trip / 2 + SLACK) this.#samples = [];
    this.#samples = [...this.#samples, fresh].slice(-WINDOW);
    this.#best = this.#samples.reduce((a, b) => (bound(b, taken) <= bound(a, taken) ? b : a));
  }
}
