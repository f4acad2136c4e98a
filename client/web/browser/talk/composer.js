/**
 * Where one writes: what is typed, what it answers or stands in the place of, and where it goes. What begins with `#`
 * or `/` is a command, or a mistake; it never goes to the room. Must not know how messages are drawn, nor what a
 * command does.
 */
import { h, icon } from "../view/dom.js";
import { _, facts, ngettext } from "../view/language.js";
import { line, tooLong } from "./text.js";

/** On a touch screen Enter makes a line, as its keyboards promise. */
export const TOUCH = matchMedia("(hover: none) and (pointer: coarse)");
/** Characters from which on it is looked at whether a text is too long: fewer never are. */
const LONG = 2000;
/**
 * Edits and answers under way in talks that are not in view. An answer's words are its talk's draft, those of an edit are here.
 * @type {WeakMap<object, {what: "edit"|"reply", entry: object, text: string, kept: string}>}
 */
const under = new WeakMap();

export class Composer {
  #chat;
  #talk;
  #carry;
  #about = null;
  #kept = "";
  #completion = null;
  #limits = null;
  #field = h("textarea", {
    rows: 1, "aria-label": _("Message"), autocomplete: "off", autocapitalize: "sentences", spellcheck: true, dir: "auto",
    "aria-autocomplete": "list", enterKeyHint: TOUCH.matches ? "enter" : "send",
  });
  #strip = h("div", { class: "strip", hidden: true });
  #hint = h("div", { class: "hint", role: "status" });
  #button = h("button", { type: "submit", class: "send round", "aria-label": _("Send") }, icon("send"));

  /**
   * @param {import("../core/chat.js").Chat} chat
   * @param {import("../core/chat.js").Talk} talk
   * @param {{command: (line: string) => Promise<boolean>, sent: () => void, failed: (error: Error) => void, lost: (text: string) => void}} carry
   *   what carries out a line that begins like a command (resolves to whether it may go from the field), and hears that something was said,
   *   or why not, and of words for which there is no place any more
   */
  constructor(chat, talk, carry) {
    this.#chat = chat;
    this.#talk = talk;
    this.#carry = carry;
    this.element = h("form", { class: "composer", onsubmit: (event) => { event.preventDefault(); this.#send(); } },
      this.#strip, this.#hint, h("div", { class: "line" }, this.#field, this.#button));
    this.#field.placeholder = talk.kind === "person" ? _("Message to {name}", { name: line(talk.name) }) : _("Message to {name}", { name: `#${line(talk.name)}` });
    this.#field.addEventListener("input", () => this.#typed());
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#field.addEventListener("blur", () => this.#completion?.close());
    // A press of the button must not take the keyboard away.
    this.#button.addEventListener("pointerdown", (event) => event.preventDefault());
    this.put(talk.draft, false);
    this.#resume();
  }

  destroy() {
    if (this.#chat.talks.get(this.#talk.key) === this.#talk) {
      if (this.#about) under.set(this.#talk, { ...this.#about, text: this.text, kept: this.#kept });
    } else if (this.#about?.what === "edit") this.#lose(this.#about.entry, this.text);
    this.#chat.typing(this.#talk.key, false);
    this.#completion?.close();
  }

  /** Once it stands in the document, it can be measured. */
  grow() {
    const { style } = this.#field;
    style.height = "auto";
    if (this.text) style.height = `${this.#field.scrollHeight}px`;
  }

  get text() {
    return this.#field.value;
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  /** Put a text into the field. */
  put(text, typed = true) {
    this.#field.value = text;
    this.#field.setSelectionRange(text.length, text.length);
    if (typed) this.#typed();
    else this.#busy();
  }

  /** For what was made of a message there is no place any more. */
  #lose(entry, text) {
    if (text.trim() && text !== entry.text) this.#carry.lost(text);
  }

  /** Go on with what was begun in an earlier page, if nothing was yet in this one. */
  takeUp() {
    if (this.#about?.what === "edit") this.#kept ||= this.#talk.draft;
    else if (!this.text) this.put(this.#talk.draft, false);
  }

  /** Put a text back that was taken from here, unless something else is being written. @returns {boolean} whether it is there */
  putBack(text) {
    if (this.text || this.#about) return false;
    this.put(text);
    return true;
  }

  /** Write in answer to a message. */
  reply(entry) {
    this.#begin("reply", entry, this.text);
  }

  /** Write in the place of one's own message. */
  edit(entry) {
    if (this.#about?.what !== "edit") this.#kept = this.text;
    this.#begin("edit", entry, entry.text);
  }

  /** Go on with what was begun before one looked elsewhere. */
  #resume() {
    const before = under.get(this.#talk);
    under.delete(this.#talk);
    if (!before) return;
    const { what, text, kept } = before;
    // What is not loaded just now may be there still: the broker knows.
    const entry = this.#talk.entries.find((each) => each.seq === before.entry.seq) ?? before.entry;
    if (entry.retracted) {
      if (what === "edit") this.#lose(entry, text);
      return;
    }
    this.#over(what, entry);
    if (what !== "edit") return;
    this.#kept = kept;
    this.put(text, false);
  }

  #begin(what, entry, text) {
    if (this.#about?.what === "edit" && what === "reply") text = this.#kept;
    this.#over(what, entry);
    this.put(text);
    this.focus();
  }

  /** Say above the field what is written there. */
  #over(what, entry) {
    this.#about = { what, entry };
    const name = line(entry.sender);
    this.#strip.replaceChildren(
      h("span", { class: "what" }, what === "edit" ? _("Edit:") : _("Answer to {login}:", { login: name }), " ", h("bdi", null, line(entry.text.slice(0, 200)))),
      h("button", { type: "button", class: "round", "aria-label": _("Give up"), onclick: () => { this.giveUp(); this.focus(); } }, icon("close")),
    );
    this.#strip.hidden = false;
  }

  /** Neither edit nor answer any more. @returns {boolean} whether there was something to give up */
  giveUp() {
    const about = this.#about;
    if (!about) return false;
    this.#about = null;
    // A command may have led elsewhere before it is done.
    under.delete(this.#talk);
    this.#strip.hidden = true;
    if (about.what === "edit") this.put(this.#kept);
    return true;
  }

  /** Say something beside the field until something is typed. */
  hint(text) {
    this.#hint.textContent = text;
  }

  #busy() {
    this.#button.disabled = !this.text.trim() || !!this.#tooLong;
    this.grow();
  }

  #tooLong = null;

  #typed() {
    const { text } = this;
    this.hint("");
    this.#tooLong = null;
    if (text.length > LONG) this.#measure(text);
    if (this.#about?.what !== "edit") this.#chat.draft(this.#talk.key, text);
    this.#chat.typing(this.#talk.key, !!text.trim() && !/^\s*[/#]/.test(text));
    this.#busy();
    this.#complete();
  }

  async #measure(text) {
    try {
      this.#limits ??= (await facts()).limits;
    } catch {
      return; // The broker says so itself.
    }
    if (text !== this.text) return;
    this.#tooLong = tooLong(text, this.#limits);
    if (this.#tooLong) {
      const { what, over } = this.#tooLong;
      this.hint(what === "long" ? ngettext("Too long by {n} character.", "Too long by {n} characters.", over)
        : ngettext("Too long by {n} byte.", "Too long by {n} bytes.", over));
    }
    this.#busy();
  }

  async #complete() {
    const before = this.text.slice(0, this.#field.selectionEnd);
    if (!this.#completion && !/^\s*[/#]|(^|\s)([@#]\S*|:[a-z0-9_+-]{2,})$/i.test(before)) return;
    const { Completion } = await import("./completion.js");
    this.#completion ??= new Completion(this.#chat, this.#talk, this.#field, (text, at) => {
      this.#field.value = text;
      this.#field.setSelectionRange(at, at);
      this.#typed();
    });
    this.#completion.update();
  }

  #key(event) {
    if (event.isComposing || event.keyCode === 229) return;
    if (this.#completion?.key(event)) return event.preventDefault();
    const { key } = event;
    if (key === "Enter" && !event.shiftKey && !event.altKey && (!TOUCH.matches || event.ctrlKey || event.metaKey)) this.#send();
    else if (key === "Escape" && this.giveUp()) event.stopPropagation();
    else if (key === "ArrowUp" && !this.text) this.#again();
    else return;
    event.preventDefault();
  }

  /** The last own message into the field; only once it is acknowledged, so that no older one is meant by mistake. */
  #again() {
    const own = this.#talk.entries.findLast((entry) => entry.mine && entry.kind !== "invited" && !entry.retracted);
    if (!own) return;
    if (own.state === "pending") this.hint(_("That message is still on its way; try again when it is sent."));
    else if (own.state === "failed") {
      if (this.#chat.discard(own)) this.put(own.text);
    } else this.edit(own);
  }

  async #send() {
    const text = this.text.replace(/\r\n?/g, "\n").trimEnd();
    if (!text.trim() || this.#tooLong) return;
    const start = text.trimStart();
    const about = this.#about;
    if (about?.what !== "edit" && /^[/#]/.test(start)) {
      if (start[1] !== start[0]) {
        if ((await this.#carry.command(text)) && this.text.trimEnd() === text) this.#done();
        return;
      }
      this.#post(start.slice(1), about);
    } else this.#post(text, about);
  }

  #post(text, about) {
    try {
      if (about?.what !== "edit") this.#chat.post(this.#talk.key, text, about?.entry.seq ?? 0);
      else if (text !== about.entry.text) this.#chat.edit(about.entry, text);
      else return this.hint(_("That is what it says already."));
    } catch (error) {
      return this.#carry.failed(error);
    }
    this.#done();
    this.#carry.sent();
  }

  #done() {
    const edit = this.#about?.what === "edit";
    this.giveUp();
    if (!edit) this.put("");
    this.#chat.typing(this.#talk.key, false);
    this.#completion?.close();
  }
}
