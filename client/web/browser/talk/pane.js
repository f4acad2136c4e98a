/**
 * One conversation: its header, messages, who writes, and where one writes. Puts together the parts of this folder; what is
 * not needed to read and write is loaded when it is asked for. Must not know the list of conversations, nor how the
 * app came here.
 */
import { bdi, h, icon } from "../view/dom.js";
import { _, ngettext } from "../view/language.js";
import { presence, said } from "../view/lists.js";
import { Composer, TOUCH } from "./composer.js";
import { table } from "./emoji.js";
import { MessageList } from "./list.js";
import { apart, line } from "./text.js";

/** Milliseconds of a long press, and pixels that a finger may tremble meanwhile. */
const LONG_MS = 450;
const TREMBLE = 10;
/** Milliseconds for which a message that was announced stays where screen readers find it. */
const SAID_MS = 4000;
/** People present from which on it is not said who comes and goes, unless they have spoken within so many milliseconds. */
const CROWDED = 12;
const LATELY_MS = 300_000;

/**
 * Show the conversation `key` in `element`.
 * @param {HTMLElement} element emptied first
 * @param {import("../core/chat.js").Chat} chat
 * @param {string} key
 * @param {import("../view/shell.js").Shell} shell
 * @returns {{goTo: (seq: number) => Promise<void>, putBack: (text: string) => boolean, focus: () => void, destroy: () => void}}
 *   `putBack`: words that were refused go back into the field, if it is free
 */
export function mountTalk(element, chat, key, shell) {
  const pane = new Pane(element, chat, chat.talks.get(key), shell);
  return { goTo: (seq) => pane.goTo(seq), putBack: (text) => pane.composer.putBack(text), focus: () => pane.focus(), destroy: () => pane.destroy() };
}

export class Pane {
  #listening = new AbortController();
  #title = h("button", { type: "button", class: "title", onclick: () => this.about() });
  #typing = h("div", { class: "typing", "aria-live": "off" });
  #live = h("div", { class: "unseen", "aria-live": "polite" });

  constructor(element, chat, talk, shell) {
    this.chat = chat;
    this.talk = talk;
    this.shell = shell;
    this.look = { me: chat.me?.login ?? "", now: () => chat.now(), unfolded: new WeakSet(), emoji: table, again: () => this.list.refresh() };
    this.list = new MessageList(chat, talk, this.look);
    this.composer = new Composer(chat, talk, {
      command: (typed) => this.command(typed), sent: () => this.list.toEnd(), failed: (error) => this.failed(error),
      lost: (text) => shell.rescue((short) => _("The message that you were editing is not there any more. You wrote: {text}", { text: short }), text),
    });
    const round = (name, label, act) => h("button", { type: "button", class: "round", "aria-label": label, onclick: act }, icon(name));
    element.replaceChildren(h("section", { class: "talk", "aria-label": line(talk.name) },
      h("header", { class: "bar" },
        h("button", { type: "button", class: "round only-narrow", "aria-label": _("Back"), onclick: () => shell.back() }, icon("back")),
        h("h1", null, this.#title),
        round("search", _("Search"), () => this.search()),
        talk.kind === "room" && round("people", _("Members"), () => this.members()),
        round("more", _("More"), (event) => shell.talkMenu(event.currentTarget, talk.key))),
      this.list.element, this.#typing, this.composer.element, this.#live));
    this.composer.grow();
    const { signal } = this.#listening;
    const mine = (what, act) => chat.addEventListener(what, ({ detail }) => detail.key === talk.key && act(detail), { signal });
    mine("talk", ({ what }) => (what === "draft" ? this.composer.takeUp() : this.#draw()));
    // Whether somebody is there is known from the room where everybody arrives.
    if (talk.kind !== "room") chat.addEventListener("talk", ({ detail }) => detail.key === chat.server.defaultRoom && this.#draw(), { signal });
    mine("heard", ({ entry }) => this.#announce(entry));
    mine("notice", (notice) => this.#notice(notice));
    this.#press(this.list.log, signal);
    this.#draw();
    chat.open(talk.key).catch((error) => this.failed(error));
    if (talk.kind === "room") chat.members(talk.key).catch(() => {});
  }

  /** Where a keyboard is, one writes; on a touch screen it would come up and hide what is to be read. */
  focus() {
    if (TOUCH.matches) this.list.log.focus({ preventScroll: true });
    else this.composer.focus();
  }

  destroy() {
    this.#listening.abort();
    this.list.destroy();
    this.composer.destroy();
    this.#panel?.close();
    this.chat.close(this.talk.key);
  }

  #draw() {
    const { talk } = this;
    const { view } = talk;
    const other = !view && presence(this.chat, talk.name);
    const sub = !view ? (other ? said(other) : "")
      : [ngettext("{n} here", "{n} here", view.online), view.subject && line(view.subject)].filter(Boolean).join(" · ");
    this.#title.replaceChildren(
      h("span", { class: "name" }, bdi(view ? `#${talk.name}` : talk.name), view?.private && icon("lock")), sub && h("span", { class: "sub", dir: "auto" }, sub));
    const who = [...talk.typing].filter((login) => login !== this.look.me).map(line);
    this.#typing.textContent = who.length > 3 ? _("Several people are writing…")
      : who.length ? ngettext("{who} is writing…", "{who} are writing…", who.length, { who: who.join(", ") }) : "";
  }

  #announce(entry) {
    if (document.visibilityState !== "visible") return;
    const said = h("div", null, `${line(entry.sender)}: ${line(entry.text.slice(0, 300))}`);
    this.#live.append(said);
    setTimeout(() => said.remove(), SAID_MS);
  }

  #notice({ kind, login, reason, by, subject, added = [], removed = [], time }) {
    if (login && this.talk.view?.online >= CROWDED
      && !this.talk.entries.slice(-200).some((entry) => entry.sender === login && this.chat.now() - entry.time < LATELY_MS)) return;
    const who = apart(login ?? by);
    const left = { gone: _("{who} left (connection lost)", { who }), removed: _("{who} left (removed)", { who }), disabled: _("{who} left (account disabled)", { who }) };
    const lines = {
      joined: () => [_("{who} came in", { who })],
      left: () => [left[reason] ?? _("{who} left", { who })],
      subject: () => [subject ? _("{who} set the topic: {subject}", { who, subject: apart(subject) }) : _("{who} took the topic away", { who })],
      moderators: () => [...added.map((each) => _("{login} keeps order here now", { login: apart(each) })), ...removed.map((each) => _("{login} no longer keeps order here", { login: apart(each) }))],
    }[kind]?.();
    if (lines) this.list.note("notice", lines, time);
  }

  /** Show the answer to a command. */
  tell(...lines) {
    this.list.note("answer", lines);
    this.#live.append(h("div", null, lines.flat().map((part) => part.room ?? part.user ?? part).join(" ").slice(0, 300)));
    setTimeout(() => this.#live.firstChild?.remove(), SAID_MS);
  }

  /** Show that something was refused, and why. */
  complain(...lines) {
    this.list.note("error", lines);
  }

  /** Say why something failed. */
  async failed(error) {
    const { sentence } = await import("../view/language.js");
    this.complain(error.code ? sentence(error) : String(error));
  }

  async goTo(seq) {
    try {
      if (!(await this.list.goTo(seq))) this.shell.toast(_("That message is not there any more."));
    } catch (error) {
      this.failed(error);
    }
  }

  /** Carry out a line that begins like a command. @returns {Promise<boolean>} whether the field may be emptied */
  async command(typed) {
    try {
      const { carryOut } = await import("./doing.js");
      return await carryOut(this, typed);
    } catch (error) {
      if (error.code) this.failed(error);
      else this.complain(_("Commands cannot be had now; try again when you are connected."));
      return false;
    }
  }

  about() {
    if (this.talk.kind === "person") this.shell.person(this.talk.name);
    else this.members();
  }

  async members() {
    this.#open((await import("./members.js")).members(this));
  }

  async search(words = "", here = true) {
    this.#open((await import("./search.js")).search(this, words, here));
  }

  #panel = null;

  #open({ title, content, close: onclose }) {
    this.#panel = this.shell.panel(title, content, { onclose });
  }

  /** What is done to messages: by a press, a long press, the right button, or a key on the one in focus. */
  #press(log, signal) {
    let timer = 0;
    let start = null;
    let opened = false;
    const stop = () => clearTimeout(timer);
    const open = (target) => {
      const row = target.closest(".row");
      const item = this.list.itemOf(row);
      if (item && !item.note && item.kind !== "invited") this.act("more", item, row.querySelector(".more"));
      return !!item;
    };
    const on = (what, act) => log.addEventListener(what, act, { signal });
    on("pointerdown", (event) => {
      stop();
      opened = false;
      // A finger near a button is taken for one on it, so these are pressed long as well.
      if (event.pointerType === "mouse" || event.target.closest("a")) return;
      start = event;
      timer = setTimeout(() => { opened = open(event.target); }, LONG_MS);
    });
    on("pointermove", (event) => start && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > TREMBLE && stop());
    for (const what of ["pointerup", "pointercancel"]) on(what, stop);
    on("contextmenu", (event) => {
      if (event.target.closest("a") || String(getSelection())) return;
      stop();
      if (opened || open(event.target)) event.preventDefault();
    });
    on("click", (event) => {
      const button = !opened && event.target.closest("[data-act]");
      const item = button && this.list.itemOf(button.closest(".row"));
      if (item) this.act(button.dataset.act, item, button, button.dataset.value);
    });
    on("keydown", (event) => {
      const what = { Enter: "more", r: "reply", e: "edit", "+": "react", d: "retract", y: "copy" }[event.key];
      const item = event.target.matches(".row") && this.list.itemOf(event.target);
      if (event.key === "Escape") this.composer.focus();
      else if (what && item && !event.ctrlKey && !event.metaKey && !event.altKey && !item.note) this.act(what, item, event.target, "");
      else return;
      event.preventDefault();
    });
  }

  async act(what, item, anchor, value) {
    const { list, chat, shell } = this;
    if (what === "unfold") {
      this.look.unfolded.add(item);
      list.refresh();
    } else if (what === "dismiss") list.dismiss(item);
    else if (what === "quoted") this.goTo(item.replyTo);
    else if (what === "person") shell.person(value);
    else if (what === "room" || what === "join") chat.join(value).then((key) => shell.show(key), (error) => this.failed(error));
    else if (what === "retry") chat.retry(item);
    else if (what === "discard") chat.discard(item);
    else {
      const { actions } = await import("./actions.js");
      actions(this, what, item, anchor, value);
    }
  }

  /** Whether a message may be taken back here. */
  mayTakeBack(item) {
    const { view } = this.talk;
    const { me } = this.chat;
    return item.mine || (!!view && (me.operator || view.creator === me.login || view.moderators.includes(me.login)));
  }
}
