/**
 * What stands around the conversations: the columns, where one is (the address after `#`), the state of the link, words
 * for a moment, the title and the badge, the keyboard. Views ask it for what they need of their surroundings.
 * Must not know what a list, a conversation or the settings look like.
 */
import { mountTalk } from "../talk/pane.js";
import { same } from "../talk/text.js";
import { addressOf, routeOf } from "./address.js";
import { preferred, prefer } from "./device.js";
import { h, icon, visible } from "./dom.js";
import { _, clock, ngettext, sentence } from "./language.js";
import { mountLists } from "./lists.js";

const WIDE = matchMedia("(min-width: 50rem)");
/** A panel has a column of its own, and covers nothing. */
const BESIDE = matchMedia("(min-width: 75rem)");
const CONNECTING_MS = 1500;
const TOAST_MS = 6000;
/** So many words for a moment stand at once; a new one takes the place of the oldest. */
const PASSING = 3;
/** So many characters are shown of words that can be copied whole. */
const RESCUED = 200;
/** Who has no mouse hovers for ever over what was pressed last. */
const HELD = matchMedia("(hover: hover)").matches ? ":hover, :focus-within" : ":focus-within";

export class Shell {
  #chat;
  #stop = new AbortController();
  #route = { view: "" };
  #side = "";
  /** @type {{key: string, talk?: object, mounted: {goTo?: Function, putBack?: Function, focus: Function, destroy: Function}} | null} */ #main = null;
  /** @type {{close: (moved?: boolean) => void} | null} */ #panel = null;
  #parts;
  #lists;
  #late;

  /** @param {import("../core/chat.js").Chat} chat @param {HTMLElement} body what was in it goes away */
  constructor(chat, body) {
    this.#chat = chat;
    const parts = (this.#parts = {
      link: h("div", { class: "link-bar", role: "status", hidden: true }),
      side: h("div", { class: "side" }),
      main: h("main", { class: "main", id: "main", tabIndex: -1 }),
      aside: h("aside", { class: "aside", hidden: true }),
      toasts: h("div", { class: "toasts", role: "status" }),
    });
    const skip = (event) => {
      event.preventDefault();
      this.#focusMain();
    };
    parts.columns = h("div", { class: "columns" }, parts.side, parts.main, parts.aside);
    body.replaceChildren(
      h("a", { class: "skip", href: "#main", onclick: skip }, _("Skip to the conversation")),
      h("div", { class: "shell" }, parts.link, parts.columns),
      parts.toasts,
    );
    const until = { signal: this.#stop.signal };
    this.#lists = mountLists(parts.side, chat, this);
    addEventListener("popstate", () => this.#moved(), until);
    addEventListener("keydown", (event) => this.#key(event), until);
    WIDE.addEventListener("change", () => this.#render(), until);
    visualViewport?.addEventListener("resize", () => this.#fit(), until);
    chat.addEventListener("link", () => this.#linked(), until);
    chat.addEventListener("talks", () => this.#counted(), until);
    chat.addEventListener("entries", () => this.#linked(), until);
    chat.addEventListener("heard", ({ detail }) => this.#heard(detail.entry), until);
    chat.addEventListener("notice", ({ detail }) => this.#noticed(detail), until);
    if (this.#parseHere().view === "talk" && !WIDE.matches && !history.state) {
      // Opened by a link or a notice: the browser's back leads to the list, too.
      const here = location.hash;
      history.replaceState({ depth: 0 }, "", "#/");
      history.pushState({ depth: 1 }, "", here);
    }
    this.#linked();
    this.#render();
  }

  /** Take everything away. */
  close() {
    this.#stop.abort();
    clearTimeout(this.#late);
    this.#panel?.close(true);
    this.#unmount();
    this.#lists.destroy();
    this.#title(0);
  }

  // What views ask for.

  /** The key of the conversation that is shown, or "". */
  get shown() {
    return this.#main?.key ?? "";
  }

  /** Turn to a conversation, at a message if `seq` is given. */
  show(key, { seq = 0 } = {}) {
    this.#go(addressOf(key, seq), { replace: this.#route.view === "talk" && !WIDE.matches });
  }

  /** Another view: "" (the list), "rooms", "people", "settings", "settings/profile", "keys". */
  open(view) {
    if (view === "keys") import("./dialogs.js").then(({ showKeys }) => showKeys());
    else this.#go(`#/${view}`);
  }

  /** Where one was before, or else the list. */
  back() {
    if (history.state?.depth > 0) history.back();
    else this.#go("#/", { replace: true });
  }

  /**
   * Say something for a moment; an error with actions stays until somebody puts it away.
   * @param {{error?: boolean, actions?: {label: string, act: () => void}[], closed?: () => void}} [options] `closed`: when
   *   somebody has put it away
   */
  toast(text, { error = false, actions = [], closed } = {}) {
    const away = () => toast.remove();
    const toast = h("div", { class: `toast${error ? " bad" : ""}`, role: error ? "alert" : null }, h("span", { dir: "auto" }, visible(text)));
    for (const { label, act } of actions) {
      toast.append(h("button", { type: "button", class: "plain", onclick: () => { away(); act(); } }, label));
    }
    toast.append(h("button", { type: "button", class: "round", "aria-label": _("Close"), onclick: () => { away(); closed?.(); } }, icon("close")));
    const { toasts } = this.#parts;
    // What is about to be pressed stands where it is.
    const still = toasts.matches(HELD);
    toasts.append(toast);
    if (!still) toasts.scrollTop = toasts.scrollHeight;
    if (error && actions.length) return;
    toast.dataset.passing = "";
    const passing = toasts.querySelectorAll("[data-passing]");
    if (passing.length > PASSING) passing[0].remove();
    const later = () => (toast.matches(HELD) ? setTimeout(later, TOAST_MS) : away());
    setTimeout(later, actions.length ? 2 * TOAST_MS : TOAST_MS);
  }

  /**
   * Say what became of words that somebody wrote, until they copied them or put it away.
   * @param {(short: string) => string} say makes the sentence of so much of them as can be shown @param {string} text
   * @param {() => void} [drop] called then
   */
  rescue(say, text, drop) {
    const short = [...text.slice(0, 2 * RESCUED)].slice(0, RESCUED).join("");
    const said = say(short === text ? text : `${short}…`);
    const copy = () => navigator.clipboard.writeText(text).then(drop, () => {
      this.rescue(say, text, drop);
      this.toast(_("This browser does not allow copying."), { error: true });
    });
    this.toast(said, { error: true, actions: [{ label: _("Copy text"), act: copy }], closed: drop });
  }

  /** Ask before something is done. @param {{title: string, text?: string, ok: string, danger?: boolean}} question @returns {Promise<boolean>} */
  async confirm(question) {
    return (await import("./dialogs.js")).confirm(question);
  }

  /** A menu at `anchor` (on a phone at the bottom). Items: {label, act, danger?, checked?, icon?}; null divides. */
  async menu(anchor, items, label) {
    (await import("./dialogs.js")).menu(anchor, items, label);
  }

  /** The menu of a conversation: what to be told of, leave, hide, delete, invite, who it is. */
  async talkMenu(anchor, key, listed) {
    (await import("./doors.js")).talkMenu(anchor, this.#chat, key, this, listed);
  }

  /** Ask before one logs out, as in view/doors.js. @returns {Promise<boolean>} */
  async mayLogOut(options) {
    return (await import("./doors.js")).mayLogOut(this.#chat, options);
  }

  /** The lists that came from the broker are old: something was made, left or deleted. */
  refresh() {
    this.#lists.refresh();
  }

  /** Somebody's profile. */
  async person(login) {
    (await import("./doors.js")).showPerson(this.#chat, login, this);
  }

  /** Lay something over the conversation, or beside it where there is room, until it is put away (Esc, back). */
  panel(title, content, { onclose } = {}) {
    this.#panel?.close(true);
    const before = document.activeElement;
    const { aside, columns } = this.#parts;
    // Where it covers the rest, the browser's back puts it away. `moved`: one is somewhere else already.
    if (!WIDE.matches && !history.state?.panel) history.pushState({ depth: (history.state?.depth ?? 0) + 1, panel: true }, "");
    const close = (moved) => {
      if (this.#panel?.close !== close) return;
      this.#panel = null;
      aside.hidden = true;
      aside.replaceChildren();
      columns.classList.remove("with-aside");
      onclose?.();
      if (before?.isConnected) before.focus();
      if (moved !== true && history.state?.panel) history.back();
    };
    aside.setAttribute("aria-label", title);
    const shut = h("button", { type: "button", class: "round", "aria-label": _("Close"), onclick: close }, icon("close"));
    aside.replaceChildren(h("header", { class: "bar" }, h("h2", null, title), shut), content);
    aside.hidden = false;
    columns.classList.add("with-aside");
    this.#panel = { close };
    (content.querySelector?.("[aria-current]") ?? content.querySelector?.("[type=search]") ?? shut).focus();
    return { close };
  }

  // Where one is.

  #parseHere() {
    return routeOf(location.hash);
  }

  #go(address, { replace = false } = {}) {
    const depth = history.state?.depth ?? 0;
    if (address === location.hash || history.state?.panel) replace = true;
    history[replace ? "replaceState" : "pushState"]({ depth: replace ? depth : depth + 1 }, "", address);
    this.#render(true);
  }

  /** The browser's back, or an address: what lay over the place that was left goes with it. */
  #moved() {
    const { view, key, part } = this.#route;
    const to = this.#parseHere();
    if (to.view !== view || to.key !== key || to.part !== part) document.querySelectorAll("dialog[open]").forEach((each) => each.close());
    this.#render();
  }

  /** Draw what the address says. `asked`: somebody went there, so the focus goes along. */
  #render(asked = false) {
    const route = (this.#route = this.#parseHere());
    const stays = BESIDE.matches && route.view === "talk" && route.key === this.shown;
    if (!stays) this.#panel?.close(true);
    const onMain = route.view === "talk" || route.view === "settings";
    this.#parts.columns.dataset.at = onMain ? "main" : "side";
    if (!onMain) this.#side = route.view;
    // Where only the list is to be seen, it is the page's main matter.
    this.#parts.side.role = onMain || WIDE.matches ? "navigation" : "main";
    this.#lists.view(this.#side);
    if (route.view === "settings") this.#settings(route.part);
    else if (route.view === "talk") this.#talk(this.#spelt(route.key), route.seq);
    else if (!WIDE.matches) this.#unmount();
    else if (!this.#main?.key) this.#arrive();
    this.#lists.current(this.shown);
    this.#counted();
    if (!asked) return;
    if (onMain) this.#focusMain();
    else this.#lists.focus();
  }

  /** On a wide screen something is always open: what was last, or where one is. */
  #arrive() {
    const { talks, me, server } = this.#chat;
    const key = [preferred("last"), me?.current, server.defaultRoom, ...talks.keys()].find((each) => talks.has(each));
    if (key) this.#talk(key, 0);
    else this.#say(_("Your conversations are on their way…"));
  }

  /** The key as its conversation has it, from now on in the address, too: there somebody may have spelt it otherwise. */
  #spelt(key) {
    const { talks, me } = this.#chat;
    const known = key.startsWith("@") && me ? this.#chat.person(key.slice(1)).key
      : talks.has(key) ? key : ([...talks.keys()].find((each) => same(each, key)) ?? key);
    if (known !== key) {
      history.replaceState(history.state, "", addressOf(known, this.#route.seq));
      this.#route = this.#parseHere();
    }
    return known;
  }

  #talk(key, seq) {
    const { talks } = this.#chat;
    if (this.#main?.key === key) {
      if (seq) this.#main.mounted.goTo?.(seq);
      return;
    }
    this.#unmount();
    if (!talks.has(key)) return this.#stranger(key);
    prefer("last", key);
    this.#main = { key, talk: talks.get(key), mounted: mountTalk(this.#parts.main, this.#chat, key, this) };
    if (seq) this.#main.mounted.goTo?.(seq);
    if (navigator.serviceWorker?.controller) import("../push.js").then(({ looked }) => looked(key), () => {});
  }

  /** A room one is not in, as far as this device knows. */
  #stranger(key) {
    if (this.#chat.link !== "live") return this.#say(_("This conversation is not on this device. It comes as soon as you are connected."));
    const join = async () => {
      try {
        const joined = await this.#chat.join(key);
        if (this.#route.key === key) this.#go(addressOf(joined, this.#route.seq), { replace: true });
      } catch (error) {
        this.fail(error);
      }
    };
    this.#say(_("You are not in the room {room}.", { room: visible(key) }), h("button", { type: "button", class: "primary", onclick: join }, _("Join the room")));
  }

  /** Say that something was refused. */
  fail(error) {
    this.toast(sentence(error), { error: true });
  }

  #say(text, ...more) {
    this.#parts.main.replaceChildren(
      h("header", { class: "bar only-narrow" },
        h("button", { type: "button", class: "round", "aria-label": _("Back"), onclick: () => this.back() }, icon("back"))),
      h("div", { class: "empty" }, h("h1", { dir: "auto" }, text), ...more),
    );
  }

  async #settings(part) {
    this.#unmount();
    const { mountSettings } = await import("./settings.js");
    if (this.#route.view !== "settings" || this.#stop.signal.aborted) return;
    this.#unmount();
    this.#main = { key: "", mounted: mountSettings(this.#parts.main, this.#chat, part, this) };
    this.#focusMain();
  }

  #unmount() {
    this.#main?.mounted.destroy();
    this.#main = null;
    this.#parts.main.replaceChildren();
  }

  #focusMain() {
    if (this.#main) this.#main.mounted.focus();
    else this.#parts.main.focus();
  }

  // What goes on.

  #linked() {
    const { link, linkSince, waiting, problem } = this.#chat;
    const bar = this.#parts.link;
    clearTimeout(this.#late);
    const since = Date.now() - linkSince;
    if (link === "connecting" && since < CONNECTING_MS) {
      this.#late = setTimeout(() => this.#linked(), CONNECTING_MS - since + 50);
      return;
    }
    const said = [];
    if (link === "offline") said.push(_("Offline since {time}.", { time: clock(linkSince) }));
    if (link === "connecting") said.push(_("Connecting…"));
    if (said.length && waiting) said.push(ngettext("{n} message waits.", "{n} messages wait.", waiting));
    if (said.length && problem) said.push(_("What you write now is lost if you close this page."));
    const text = said.join(" ");
    if (bar.textContent !== text) bar.textContent = text;
    bar.hidden = !text;
    bar.dataset.state = link;
    if (link === "live" && !this.#main && (WIDE.matches || this.#route.view === "talk")) this.#render();
  }

  #counted() {
    const { talks } = this.#chat;
    const { view, key } = this.#route;
    if (this.#main?.key && talks.get(this.#main.key) !== this.#main.talk) {
      // The room is gone, or one has left it, perhaps on another device; or by its name there is another.
      const another = talks.has(this.#main.key);
      this.#unmount();
      if (view === "talk" && !another) return this.#go(`#/${this.#side}`, { replace: true });
    }
    const missing = view === "talk" && this.#main?.key !== key && talks.has(key);
    if (missing || (!this.#main && !view && WIDE.matches && talks.size)) return this.#render();
    let unread = 0;
    for (const talk of talks.values()) unread += talk.notify === "off" ? 0 : talk.notify === "mentions" ? talk.mentions : talk.unread;
    this.#title(unread);
  }

  #title(unread) {
    const name = this.#main?.key || (this.#route.view === "settings" ? _("Settings") : "");
    const server = this.#chat.server.name || "Tertulia";
    document.title = `${unread ? `(${unread}) ` : ""}${name ? `${visible(name)} · ` : ""}${visible(server)}`;
    const badged = unread ? navigator.setAppBadge?.(unread) : navigator.clearAppBadge?.();
    badged?.catch(() => {});
  }

  #heard(entry) {
    if (entry.kind !== "invited") return;
    const join = () => this.#chat.join(entry.room).then((key) => this.show(key), (error) => this.fail(error));
    this.toast(_("{who} invites you to {room}.", { who: entry.sender, room: entry.room }), { actions: [{ label: _("Join"), act: join }] });
  }

  /** The words of an edit that was refused go back where one writes, if that is in view and free. */
  #refused({ op, key, text, error }) {
    const lost = op === "edit" && text && !(this.shown === key && this.#main.mounted.putBack(text));
    if (!lost) return this.fail(error);
    const why = sentence(error);
    this.rescue((short) => _("{why} Your message in {name} stays as it was. You wrote: {text}", { why, name: key, text: short }), text);
  }

  #noticed(notice) {
    const { kind, key, reason, text, drop } = notice;
    if (kind === "unsent") this.rescue((short) => _("You are no longer in {room}, so this was not sent: {text}", { room: key, text: short }), text, drop);
    if (kind === "room-left" && reason === "removed") this.toast(_("You were removed from {room}.", { room: key }));
    if (kind === "room-left" && ["deleted", "creator-gone"].includes(reason)) this.toast(_("The room {room} is no more.", { room: key }));
    if (kind === "refused") this.#refused(notice);
    if (kind === "storage") this.toast(_("This device is full: what you write offline is kept only while this page is open."), { error: true });
  }

  /** Where the on-screen keyboard covers the page instead of making it smaller (iOS), make it smaller. */
  #fit() {
    const { height, scale } = visualViewport;
    const covered = scale === 1 && innerHeight - height > 60;
    document.documentElement.style.setProperty("--height", covered ? `${height}px` : "");
    if (covered) scrollTo(0, 0);
  }

  #key(event) {
    const { key, altKey, ctrlKey, metaKey, shiftKey } = event;
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if ((ctrlKey || metaKey) && !shiftKey && !altKey && key.toLowerCase() === "k") {
      import("./doors.js").then(({ showSwitcher }) => showSwitcher(this.#chat, this));
    } else if (altKey && !ctrlKey && !metaKey && (key === "ArrowUp" || key === "ArrowDown")) {
      const next = this.#lists.beside(this.shown, key === "ArrowUp" ? -1 : 1);
      if (next) this.show(next);
    } else if (altKey && !ctrlKey && !metaKey && event.code === "KeyA") {
      const next = this.#lists.unread(this.shown);
      if (next) this.show(next);
    } else if (key === "Escape" && this.#panel) {
      this.#panel.close();
    } else return;
    event.preventDefault();
  }
}
