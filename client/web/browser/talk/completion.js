/**
 * What may stand at the cursor, offered above the field: commands with their sentences, rooms, people. What fits is
 * core/commands.js' matter. Must not know what a command does.
 */
import { Commands } from "../core/commands.js";
import { h } from "../view/dom.js";
import { _, facts } from "../view/language.js";
import { beginning, load, table } from "./emoji.js";
import { line } from "./text.js";

/** Proposals shown at a time; nobody reads more. */
const MOST = 50;
/** Milliseconds for which the lists of rooms and people are good enough to complete from. */
const LEARNT_MS = 30_000;

let learnt = { at: 0, rooms: [], people: [] };

export class Completion {
  #chat;
  #talk;
  #field;
  #put;
  #commands = null;
  #found = [];
  #at = -1;
  #dismissed = "";
  #list = h("div", { class: "proposals", role: "listbox", id: "proposals", tabIndex: 0, "aria-label": _("Proposals"), hidden: true });

  /** @param {(text: string, at: number) => void} put what changes the field's text and cursor */
  constructor(chat, talk, field, put) {
    this.#chat = chat;
    this.#talk = talk;
    this.#field = field;
    this.#put = put;
    field.form.append(this.#list);
    // A press must not take the keyboard away.
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#list.addEventListener("click", (event) => {
      const at = [...this.#list.children].indexOf(event.target.closest("[role=option]"));
      if (at >= 0) this.#take(at);
    });
  }

  /** Propose what fits by now. */
  async update(requested = false) {
    try {
      this.#commands ??= new Commands((await facts()).commands.filter((spec) => !spec.terminal), _);
    } catch {
      return; // Without the table nothing is proposed.
    }
    const { value, selectionStart, selectionEnd } = this.#field;
    const before = value.slice(0, selectionEnd);
    if (selectionStart !== selectionEnd || (before === this.#dismissed && !requested)) return this.close();
    this.#dismissed = "";
    this.#learn(before);
    if (!table.size && /:[^\s:]{2,}$/.test(before)) await load();
    const found = this.#commands.proposals(before, this.#known(), requested).slice(0, MOST);
    // What stands there already is no proposal.
    this.#show(found.length === 1 && found[0].text.trim() === before.slice(before.length - found[0].replaces) ? [] : found);
  }

  #known() {
    const { talks, me } = this.#chat;
    const all = [...talks.values()];
    const said = this.#talk.entries.toReversed().filter((entry) => entry.seq).map((entry) => entry.sender);
    const members = (talk) => [...(talk.members?.keys() ?? [])];
    return {
      rooms: () => [...all.filter((talk) => talk.kind === "room").map((talk) => talk.name), ...learnt.rooms],
      people: () => [...members(this.#talk), ...said, ...all.flatMap((talk) => (talk.kind === "person" ? [talk.name] : members(talk))), ...learnt.people]
        .filter((login) => login !== me?.login),
      speakers: () => said,
      talks: (letters) => all.filter((talk) => talk.name.toLowerCase().includes(letters.toLowerCase())).map((talk) => [talk.key, talk.view ? `#${talk.name}` : talk.name]),
      emoji: beginning,
    };
  }

  async #learn(before) {
    const now = Date.now();
    if (!/^\s*[/#]|[@#]\S*$/.test(before) || now - learnt.at < LEARNT_MS || this.#chat.link !== "live") return;
    learnt.at = now;
    try {
      const [rooms, users] = await Promise.all([this.#chat.request("rooms"), this.#chat.request("users")]);
      learnt = { at: now, rooms: rooms.rooms.map((room) => room.name), people: users.users.map((user) => user.login) };
      if (!this.#list.hidden || this.#field.value.endsWith(before)) this.update();
    } catch { /* Then what is known already has to do. */ }
  }

  #show(found) {
    this.#found = found;
    this.#at = -1;
    this.#list.replaceChildren(...found.map(({ shown, about }, at) =>
      h("div", { role: "option", id: `proposal-${at}`, "aria-selected": false }, h("bdi", null, line(shown)), about && h("small", null, about))));
    this.#list.hidden = !found.length;
    this.#list.scrollTop = 0;
    this.#field.setAttribute("aria-controls", found.length ? "proposals" : "");
    this.#field.removeAttribute("aria-activedescendant");
  }

  close() {
    this.#show([]);
  }

  #mark(at) {
    const { children } = this.#list;
    children[this.#at]?.setAttribute("aria-selected", "false");
    this.#at = (at + children.length) % children.length;
    const chosen = children[this.#at];
    chosen.setAttribute("aria-selected", "true");
    chosen.scrollIntoView({ block: "nearest" });
    this.#field.setAttribute("aria-activedescendant", chosen.id);
  }

  #take(at) {
    const { text, replaces } = this.#found[at];
    const { value, selectionEnd } = this.#field;
    const before = value.slice(0, selectionEnd - replaces) + text;
    this.close();
    this.#put(before + value.slice(selectionEnd), before.length);
  }

  /** A key in the field. @returns {boolean} whether it was for the proposals */
  key({ key, shiftKey, ctrlKey, altKey, metaKey }) {
    if (ctrlKey || altKey || metaKey) return false;
    if (this.#list.hidden) return false;
    if (key === "ArrowDown") this.#mark(this.#at + 1);
    else if (key === "ArrowUp") this.#mark(this.#at < 0 ? this.#found.length - 1 : this.#at - 1);
    else if (key === "Tab" && !shiftKey) this.#take(Math.max(0, this.#at));
    else if (key === "Enter" && !shiftKey && this.#at >= 0) this.#take(this.#at);
    else if (key === "Escape") {
      this.#dismissed = this.#field.value.slice(0, this.#field.selectionEnd);
      this.close();
    } else return false;
    return true;
  }
}
