/**
 * The messages of one conversation, of which only those near the view stand in the document. The scroller is a reversed
 * column: its origin is its end, so the end stays in view while one is there, and what is loaded above moves nothing. What
 * changes below the view is made good by moving the scroller by as much. Must not know how a message looks, nor the rest of
 * the pane.
 */
import { h } from "../view/dom.js";
import { _, ngettext } from "../view/language.js";
import { draw, signature } from "./message.js";
import { grouped, sameDay } from "./text.js";
import { FIRST, Heights, MOST, around, atEnd, indexAt, moved } from "./window.js";

/** Pixels from the end that still count as being there. */
const NEAR = 24;
/** Milliseconds until older messages are asked for again after that failed. */
const PATIENCE_MS = 3000;

export class MessageList {
  #chat;
  #talk;
  #look;
  #items = [];
  #window = { from: 0, to: 0 };
  #rows = new Map();
  #heights = new Heights();
  #notes = [];
  #missed = 0;
  #unread = 0;
  #unreadItem = null;
  #readTo = -1;
  #arriving = false;
  #frame = 0;
  #spared = [0, 0];
  #asking = false;
  #stale = false;
  #anew = false;
  #focused = null;
  #above = h("div");
  #below = h("div");
  #top = h("div", { class: "top" });
  #inner = h("div", { class: "rows" }, this.#top, this.#above, this.#below);
  #end = h("button", { type: "button", class: "to-end", hidden: true, onclick: () => this.toEnd() });
  #listening = new AbortController();

  /**
   * @param {import("../core/chat.js").Chat} chat
   * @param {import("../core/chat.js").Talk} talk
   * @param {import("./message.js").Look} look
   */
  constructor(chat, talk, look) {
    this.#chat = chat;
    this.#talk = talk;
    this.#look = look;
    this.log = h("div", { class: "log", role: "log", "aria-live": "off", tabIndex: 0, "aria-label": _("Messages") }, this.#inner);
    this.element = h("div", { class: "messages" }, this.log, this.#end);
    const { signal } = this.#listening;
    this.log.addEventListener("scroll", () => this.#soon(), { passive: true, signal });
    this.log.addEventListener("keydown", (event) => this.#key(event), { signal });
    chat.addEventListener("entries", ({ detail }) => detail.key === talk.key && this.#changed(detail), { signal });
    chat.addEventListener("talk", ({ detail }) => detail.key === talk.key && detail.what === "loading" && this.#beginning(), { signal });
    for (const [where, what] of [[document, "visibilitychange"], [window, "focus"]]) {
      where.addEventListener(what, () => this.#attend(), { signal });
    }
    this.#watcher.observe(this.log);
    if (talk.unread) [this.#unread, this.#readTo, this.#arriving] = [talk.unread, talk.read, true];
    this.refresh();
  }

  #width = 0;
  #watcher = new ResizeObserver(([{ contentRect }]) => {
    if (this.#width && this.#width !== contentRect.width) this.#heights.clear();
    this.#width = contentRect.width;
    this.#soon();
  });

  destroy() {
    this.#listening.abort();
    this.#watcher.disconnect();
    cancelAnimationFrame(this.#frame);
  }

  /** Whether the newest message is in view. */
  get atEnd() {
    return this.#talk.last && this.log.scrollTop > -NEAR;
  }

  /** Show an answer or a notice among the messages. */
  note(kind, lines, time = this.#chat.now()) {
    const stuck = this.atEnd;
    const last = this.#notes.at(-1);
    if (kind === "notice" && last?.kind === kind && this.#items.at(-1) === last && last.lines.length < 5) last.lines.push(...lines);
    else this.#notes.push({ note: true, kind, lines: [...lines], time: Math.max(time, last?.time ?? 0) });
    if (this.#notes.length > 200) this.#notes.shift();
    this.refresh();
    if (stuck || kind !== "notice") this.log.scrollTop = 0;
    // An answer that does not fit is read from its beginning, where it can be put away, too.
    const row = this.#rows.get(this.#notes.at(-1))?.element;
    if (kind !== "notice" && row?.offsetHeight > this.log.clientHeight) row.scrollIntoView({ block: "start" });
  }

  /** Put an answer away. */
  dismiss(item) {
    this.#notes = this.#notes.filter((note) => note !== item);
    this.refresh();
  }

  /** Hide what is shown so far; nothing is deleted. */
  clear() {
    this.#notes = [];
    this.cleared = this.#talk.entries.findLast((entry) => entry.seq)?.seq ?? 0;
    this.refresh();
  }

  /** What a row shows. */
  itemOf(row) {
    return row && this.#items.find((item) => this.#rows.get(item)?.element === row);
  }

  /** Where the unread begin, as far as that is loaded; they may be read while it still loads. */
  #findUnread() {
    const { entries, first, loaded } = this.#talk;
    if (this.#readTo < 0) return;
    this.#unreadItem = entries.find((entry) => entry.seq > this.#readTo && !entry.mine) ?? null;
    if (loaded && (first || entries[0]?.seq <= this.#readTo)) this.#readTo = -1;
  }

  #changed({ change, entries }) {
    const others = change === "end" ? entries.filter((entry) => !entry.mine) : [];
    const looking = document.visibilityState === "visible" && this.atEnd;
    if (change === "reset") this.#unreadItem = null;
    if (others.length && !looking) {
      this.#missed += others.length;
      if (!this.#unreadItem) [this.#unreadItem, this.#unread] = [others[0], 0];
    }
    if (change === "end" && entries.some((entry) => entry.mine && entry.state === "pending")) {
      this.#unreadItem = null;
      this.#readTo = -1;
      this.refresh();
      this.toEnd();
      return;
    }
    this.#anew ||= change === "reset";
    this.#stale = true;
    this.#soon();
  }

  /** Begin where the unread begin if they do not fit into the view; before that is known, nothing counts as read. */
  async #arrive() {
    if (!this.#arriving || this.#asking || !this.#talk.loaded) return;
    const moved = () => this.log.scrollTop < -NEAR;
    if (this.#readTo > 0 && !moved()) {
      this.#asking = true;
      await this.#chat.around(this.#talk.key, this.#readTo).catch(() => {});
      this.#asking = false;
      this.refresh();
    }
    const at = this.#items.indexOf(this.#unreadItem);
    if (!this.#arriving || this.#listening.signal.aborted) return;
    this.#arriving = false;
    if (at < 0 || moved()) return;
    if (!this.#rows.has(this.#unreadItem)) this.#render(around(at, this.#items.length), true);
    const { element } = this.#rows.get(this.#unreadItem);
    if (element.getBoundingClientRect().top < this.log.getBoundingClientRect().top) {
      this.#missed ||= this.#unread;
      element.scrollIntoView({ block: "start" });
    }
    this.#soon();
  }

  #merge() {
    const { entries } = this.#talk;
    const shown = this.cleared ? entries.filter((entry) => !entry.seq || entry.seq > this.cleared) : entries;
    if (!this.#notes.length) return shown.slice();
    const items = [];
    let at = 0;
    for (const entry of shown) {
      while (at < this.#notes.length && this.#notes[at].time < entry.time) items.push(this.#notes[at++]);
      items.push(entry);
    }
    return items.concat(this.#notes.slice(at));
  }

  /** Draw what has changed, and move nothing that is looked at. */
  refresh() {
    const anew = this.#anew;
    this.#anew = this.#stale = false;
    this.#findUnread();
    const before = this.#items;
    const stuck = this.log.scrollTop > -NEAR;
    const items = (this.#items = this.#merge());
    let { from, to } = this.#window;
    if (!this.#rows.size && this.#talk.last && stuck) ({ from, to } = atEnd(items.length, FIRST));
    else if (anew && this.#talk.last && stuck) ({ from, to } = atEnd(items.length));
    else if (stuck && this.#talk.last) ({ from, to } = atEnd(items.length, Math.max(MOST / 2, Math.min(MOST, to - from))));
    else {
      const size = to - from;
      const known = before.slice(from, to).find((item) => items.includes(item));
      if (!known) ({ from, to } = around(items.length >> 1, items.length));
      else {
        from = Math.max(0, items.indexOf(known) - before.indexOf(known) + from);
        to = Math.min(items.length, from + Math.max(size, MOST / 2));
      }
    }
    this.#render({ from, to }, stuck && this.#talk.last);
    this.#button();
    this.#soon();
  }

  #aboveOf(index) {
    const item = this.#items[index];
    const before = this.#items[index - 1];
    const unread = item === this.#unreadItem;
    return {
      day: !before || !sameDay(before.time, item.time),
      unread: unread ? Math.max(this.#unread, this.#missed, 1) : 0,
      grouped: !item.note && !unread && grouped(item, before),
    };
  }

  /** Draw the rows of a window; those there are looked at again only if something may have changed (`again`). */
  #render(next, stuck, again = true) {
    // Read first, then write: the layout is clean up to here.
    const items = this.#items;
    const { from, to } = next;
    const wanted = new Set(items.slice(from, to));
    const gone = [...this.#rows].filter(([item]) => again || !wanted.has(item));
    for (const [item, { element }] of gone) this.#heights.set(item, element.offsetHeight);
    const anchor = stuck ? null : this.#anchor();
    for (const [item, { element }] of gone) {
      if (wanted.has(item)) continue;
      if (element.contains(document.activeElement)) this.log.focus({ preventScroll: true });
      element.remove();
      this.#rows.delete(item);
    }
    let place = this.#above.nextSibling;
    for (let at = from; at < to; at++) {
      const item = items[at];
      let row = this.#rows.get(item);
      if (!row || again) {
        const stood = row?.element === place;
        row = this.#row(item, at, row);
        if (stood) place = row.element;
      }
      if (row.element === place) place = place.nextSibling;
      else this.#inner.insertBefore(row.element, place);
    }
    this.#spare(next, again);
    this.#window = next;
    this.#beginning();
    if (anchor?.element.isConnected) {
      const moved = anchor.element.getBoundingClientRect().bottom - anchor.bottom;
      if (Math.abs(moved) >= 1) this.log.scrollTop += moved;
    }
  }

  #row(item, at, row) {
    const above = this.#aboveOf(at);
    const sign = signature(item, above, this.#look);
    if (row?.sign === sign) return row;
    const element = draw(item, above, this.#look);
    if (row) {
      const held = row.element.contains(document.activeElement);
      row.element.replaceWith(element);
      if (held) element.focus({ preventScroll: true });
    }
    this.#rows.set(item, { element, sign });
    return this.#rows.get(item);
  }

  /** The height of what is not drawn. */
  #spare({ from, to }, again) {
    const count = this.#items.length;
    const now = this.#window;
    const between = (one, other) => this.#heights.between(this.#items, one, other);
    if (again) this.#spared = [between(0, from), between(to, count)];
    else {
      this.#spared[0] += from < now.from ? -between(from, now.from) : between(now.from, from);
      this.#spared[1] += to < now.to ? between(to, now.to) : -between(now.to, to);
    }
    this.#above.style.height = `${from ? Math.max(1, this.#spared[0]) : 0}px`;
    this.#below.style.height = `${to < count ? Math.max(1, this.#spared[1]) : 0}px`;
  }

  /** The lowest row that is whole in view, and where. */
  #anchor() {
    const { bottom: edge } = this.log.getBoundingClientRect();
    let element = this.#below.previousSibling;
    while (element && element !== this.#above) {
      const { bottom } = element.getBoundingClientRect();
      if (bottom <= edge) return { element, bottom };
      element = element.previousSibling;
    }
    return null;
  }

  #beginning() {
    const { first, loading, kind } = this.#talk;
    const said = this.cleared ? "" : loading ? _("Loading…") : !first ? ""
      : kind === "room" ? _("The beginning of the room.") : _("The beginning of your conversation.");
    if (this.#top.textContent !== said) this.#top.textContent = said;
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.#stale) this.refresh();
      this.#scrolled();
    });
  }

  #scrolled() {
    const { log } = this;
    const view = log.clientHeight;
    if (!view) return;
    const up = -log.scrollTop;
    const below = up - this.#below.offsetHeight;
    const above = this.#inner.offsetHeight - this.#above.offsetHeight - this.#below.offsetHeight - below - view;
    const { from, to } = this.#window;
    const many = this.#items.length;
    const next = moved(this.#window, many, from ? above : Infinity, to < many ? below : Infinity, view);
    if (next === "jump") this.#render(around(indexAt(this.#items, this.#heights, up), many), true);
    else if (next !== this.#window) this.#render(next, next.to <= to, false);
    if (next === "jump" || next.from !== from || next.to !== to) this.#soon();
    this.#arrive();
    this.#extend(above, below, view);
    this.#attend();
    this.#button();
  }

  /** Load more where the view comes near the end of what is loaded. */
  async #extend(above, below, view) {
    const { key, first, last, loading, loaded } = this.#talk;
    const older = !first && !this.cleared && this.#window.from === 0 && above < view * 3;
    const newer = !last && this.#window.to === this.#items.length && below < view * 2;
    if (this.#asking || loading || !loaded || !(older || newer)) return;
    this.#asking = true;
    let wait = 0;
    try {
      if (!(await (older ? this.#chat.older(key) : this.#chat.newer(key)))) wait = PATIENCE_MS;
    } catch {
      wait = PATIENCE_MS;
    }
    setTimeout(() => {
      this.#asking = false;
      if (!this.#listening.signal.aborted) this.#soon();
    }, wait);
  }

  /** What is in view is read: only at the end, and only while somebody looks. */
  #attend() {
    if (this.#arriving || !this.atEnd || document.visibilityState !== "visible" || !document.hasFocus()) return;
    this.#missed = 0;
    const seq = this.#talk.entries.findLast((entry) => entry.seq)?.seq ?? 0;
    if (seq && (seq > this.#talk.read || this.#talk.unread)) this.#chat.read(this.#talk.key, seq);
  }

  #button() {
    const far = !this.#talk.last || this.log.scrollTop < -this.log.clientHeight;
    this.#end.hidden = !(far || (this.#missed && !this.atEnd));
    const said = this.#missed ? ngettext("{n} new message", "{n} new messages", this.#missed) : _("To the end");
    if (!this.#end.hidden && this.#end.textContent !== `${said} ↓`) this.#end.textContent = `${said} ↓`;
  }

  /** Go to the newest message. */
  async toEnd() {
    this.#arriving = false;
    if (!this.#talk.last) await this.#chat.latest(this.#talk.key);
    if (this.#stale) this.refresh();
    this.#render(atEnd(this.#items.length), true);
    this.log.scrollTop = 0;
    this.#attend();
    this.#button();
  }

  /** Bring a message into view, from the broker if need be. @returns {Promise<boolean>} whether there is one */
  async goTo(seq) {
    this.#arriving = false;
    const at = () => this.#items.findIndex((item) => item.seq === seq);
    if (at() < 0) {
      this.cleared = 0;
      await this.#chat.around(this.#talk.key, seq);
      this.refresh();
    }
    if (at() < 0) return false;
    this.#render(around(at(), this.#items.length), true);
    this.#show(at(), "center");
    const { element } = this.#rows.get(this.#items[at()]);
    element.classList.add("found");
    setTimeout(() => element.classList.remove("found"), 2500);
    return true;
  }

  #show(at, block = "nearest") {
    this.#focused = this.#items[at];
    const { element } = this.#rows.get(this.#focused);
    element.scrollIntoView({ block });
    element.focus({ preventScroll: true });
  }

  #key(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "End") this.toEnd();
    else if (step) {
      const on = this.itemOf(document.activeElement?.closest?.(".row"));
      const at = on ? this.#items.indexOf(on) + step : this.#items.length - 1;
      if (at < 0 || at >= this.#items.length) return;
      const { from, to } = this.#window;
      if (at < from || at >= to) this.#render(around(at, this.#items.length), true);
      this.#show(at);
    } else return;
    event.preventDefault();
  }
}
