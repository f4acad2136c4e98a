/**
 * Which rows of a long list stand in the document: arithmetic only. The list hangs from its end, as the scroller
 * does (column-reverse): positions are counted upwards from the end, so what is added above moves nothing.
 * Must not know what a row is.
 */

/** Rows that stand in the document at most, and how many are added or taken away at once. */
export const MOST = 140;
export const STEP = 8;

/** Rows that are drawn before there are any: what fills a screen; the others follow, some with each frame. */
export const FIRST = 12;

/** Heights of items; those never drawn count as the mean of those that were. */
export class Heights {
  #known = new WeakMap();
  #sum = 0;
  #many = 0;

  set(item, height) {
    const before = this.#known.get(item);
    if (before === height || !height) return;
    this.#sum += height - (before ?? 0);
    if (before === undefined) this.#many++;
    this.#known.set(item, height);
  }

  get mean() {
    return this.#many ? this.#sum / this.#many : 48;
  }

  get(item) {
    return this.#known.get(item) ?? this.mean;
  }

  /** The height of items[from..to). */
  between(items, from, to) {
    const mean = this.mean;
    let sum = 0;
    for (let at = from; at < to; at++) sum += this.#known.get(items[at]) ?? mean;
    return sum;
  }

  clear() {
    this.#known = new WeakMap();
    this.#sum = this.#many = 0;
  }
}

/** The window that ends with the newest of `count` items. */
export function atEnd(count, most = MOST / 2) {
  return { from: Math.max(0, count - most), to: count };
}

/** The window around the item at an index. */
export function around(index, count, most = MOST / 2) {
  const from = Math.max(0, Math.min(index - (most >> 1), count - most));
  return { from, to: Math.min(count, from + most) };
}

/** The index of the item that stands `up` pixels above the end. */
export function indexAt(items, heights, up) {
  let at = items.length - 1;
  for (let sum = 0; at > 0; at--) {
    sum += heights.get(items[at]);
    if (sum > up) break;
  }
  return Math.max(0, at);
}

/**
 * The next window, when of the one now so many pixels are drawn above and below what is seen.
 * @param {{from: number, to: number}} now
 * @param {number} above pixels of rows above the view; negative: the view shows what is not drawn
 * @param {number} below the same below
 * @param {number} view the view's height
 * @returns {{from: number, to: number} | "jump"} the same object if nothing is to be done
 */
export function moved(now, count, above, below, view) {
  if (above < -view || below < -view) return "jump";
  let { from, to } = now;
  if (above < view * 1.5) from = Math.max(0, from - STEP);
  if (below < view * 1.5) to = Math.min(count, to + STEP);
  if (from === now.from && to === now.to) return now;
  if (to - from > MOST) {
    if (from < now.from) to = Math.min(to, Math.max(now.to - STEP, from + MOST));
    else from = Math.max(from, to - MOST);
  }
  return { from, to };
}
