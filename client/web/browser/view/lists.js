/**
 * The column of lists: the conversations one has, all rooms, all people; and oneself. Rows are kept as long as what they
 * say is the same, so that focus and scrolling stay. Must not know what a conversation looks like.
 */
import { addressOf } from "./address.js";
import { bdi, h, icon, steady, visible } from "./dom.js";
import { _, clock, day, ngettext, number } from "./language.js";

const DRAWN = 200;
const REFRESH_MS = 20_000;

/** What is known of somebody's presence: from the room where everybody arrives. */
export const presence = (chat, login) => chat.talks.get(chat.server.defaultRoom)?.members?.get(login) ?? null;

/** The conversations one has, the last active first; hidden ones only if something is unread there. */
export const talksOf = (chat) => [...chat.talks.values()]
  .filter((talk) => !talk.view?.hidden || talk.unread || talk.name === chat.server.defaultRoom)
  .sort((one, other) => other.active - one.active || one.name.localeCompare(other.name));

/** A letter in the colour of a name, or `#` for a room, with a dot for presence. */
export function avatar(name, { room = false, online, status } = {}) {
  const dot = online === undefined || room ? null : h("i", { class: `presence ${online ? status ?? "available" : "offline"}` });
  return h("span", { class: "avatar hued", hue: name, "aria-hidden": true }, room ? "#" : [...name][0]?.toUpperCase(), dot);
}

/** Presence in a word. */
export const said = ({ online, status }) =>
  !online ? _("offline") : { away: _("away"), dnd: _("do not disturb") }[status] ?? _("available");

const hidden = (text) => h("span", { class: "unseen" }, text);

/**
 * @param {HTMLElement} element @param {import("../core/chat.js").Chat} chat @param {import("./shell.js").Shell} shell
 * @returns {{view: (name: string) => void, current: (key: string) => void, focus: () => void,
 *   beside: (key: string, by: number) => string, unread: (key: string) => string, destroy: () => void}}
 */
export function mountLists(element, chat, shell) {
  const stop = new AbortController();
  const until = { signal: stop.signal };
  /** @type {Map<string, {sign: string, row: HTMLElement}>} */
  let kept = new Map();
  let view = "";
  let current = "";
  let waiting = 0;
  /** Rooms or people as the broker listed them; null: not yet. @type {object[] | null} */
  let listed = null;
  let listedAt = 0;
  let asked = 0;
  let trouble = "";
  let withHidden = false;

  const doors = async (name, ...rest) => (await import("./doors.js"))[name](...rest);
  const search = h("input", { type: "search", autocomplete: "off", spellcheck: false, oninput: () => draw() });
  const field = h("div", { class: "find", role: "search" }, search);
  const self = h("button", { type: "button", class: "self", onclick: () => doors("selfMenu", self, chat, shell) });
  const list = h("ul", { class: "places", onkeydown: arrows });
  const foot = h("p", { class: "foot", role: "status" });
  const scroll = h("div", { class: "scroll", tabIndex: -1 }, list, foot);
  const redraw = steady(scroll, () => draw(), until);
  const add = h("button", { type: "button", class: "round", "aria-label": _("New"), "aria-haspopup": "menu", onclick: () => doors("newMenu", add, chat, shell) }, icon("plus"));
  const find = h("button", { type: "button", class: "round", "aria-label": _("Go to… (Ctrl+K)"), onclick: () => doors("showSwitcher", chat, shell) }, icon("search"));
  const settings = h("a", { class: "round", href: "#/settings", "aria-label": _("Settings"), onclick: followed("settings") }, icon("gear"));
  const tabs = [["", _("Conversations")], ["rooms", _("Rooms")], ["people", _("People")]].map(([name, label]) =>
    h("a", { href: `#/${name}`, data: { name }, onclick: followed(name) }, label));
  const title = h("h1", { class: "unseen" });
  element.replaceChildren(title, h("div", { class: "bar" }, self, find, add, settings), field, scroll, h("div", { class: "tabs" }, tabs));

  /** Turn to a view without a load of the page, unless it is wanted in another tab. */
  function followed(to) {
    return (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      shell.open(to);
    };
  }

  function drawSelf() {
    if (!chat.me) return self.replaceChildren(h("span", { class: "two" }, h("b", null, chat.server.name || "Tertulia")));
    const { login, status, note } = chat.me;
    const state = { online: chat.link === "live", status };
    self.replaceChildren(avatar(login, state), h("span", { class: "two" }, h("b", null, bdi(login)), h("small", { dir: "auto" }, note ? visible(note) : said(state))));
  }

  function later() {
    waiting ||= requestAnimationFrame(() => {
      waiting = 0;
      redraw();
    });
  }

  function draw() {
    const wanted = search.value.trim().toLocaleLowerCase();
    const rows = { "": talkRows, rooms: roomRows, people: personRows }[view](wanted);
    const fresh = new Map();
    for (const { key, sign, make } of rows.slice(0, DRAWN)) {
      const before = kept.get(key);
      fresh.set(key, before?.sign === sign ? before : { sign, row: make() });
    }
    kept = fresh;
    const children = [...fresh.values()].map((each) => each.row);
    if (children.length !== list.children.length || children.some((row, i) => row !== list.children[i])) {
      const focused = list.contains(document.activeElement) && document.activeElement.closest("li").dataset.key;
      list.replaceChildren(...children);
      if (focused) kept.get(focused)?.row.querySelector("a, button").focus({ preventScroll: true });
    }
    for (const [key, { row }] of kept) mark(row, key);
    foot.replaceChildren(...[footed(rows.length, wanted)].flat().filter(Boolean));
  }

  function mark(row, key) {
    const link = row.firstChild;
    if (key === current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }

  function footed(found, wanted) {
    if (trouble) return trouble;
    if (found > DRAWN) return ngettext("{n} more: search for its name.", "{n} more: search for a name.", found - DRAWN);
    if (view && !listed) return _("One moment…");
    if (!view && wanted) return [!found && _("Nothing by that name."), within()];
    if (!found && wanted) return _("Nothing by that name.");
    if (!view && !found && chat.link !== "live") return _("Your conversations are on their way…");
    if (!view && !wanted && found < 2) return _("Rooms and people to talk with are listed below; + makes a room of your own.");
    if (view === "rooms" && listed.some((room) => room.hidden)) {
      const turn = () => {
        withHidden = !withHidden;
        draw();
      };
      return h("button", { type: "button", class: "plain", onclick: turn }, withHidden ? _("Without hidden rooms") : _("Hidden rooms, too"));
    }
    return "";
  }

  /** What was typed may be words of a message, too. */
  function within() {
    const words = search.value.trim();
    return h("button", { type: "button", class: "plain", onclick: () => doors("searchAll", chat, shell, words) }, _("Search messages for: {words}", { words: visible(words) }));
  }

  /** One row: a link that fills it, and perhaps a button for more. */
  function row(key, { href, go, picture, name, extra = [], aside = [], line, more }) {
    return h("li", { data: { key } },
      h("a", { href, onclick: (event) => { if (!event.ctrlKey && !event.metaKey) { event.preventDefault(); go(); } } },
        picture,
        h("span", { class: "two" }, h("b", null, bdi(name), extra), h("small", { dir: "auto" }, line)),
        h("span", { class: "meta" }, aside)),
      more && h("button", { type: "button", class: "round", "aria-label": _("More about {name}", { name: visible(name) }), "aria-haspopup": "menu", onclick: more }, icon("more")));
  }

  function talkRows(wanted) {
    return talksOf(chat).filter((talk) => talk.name.toLocaleLowerCase().includes(wanted)).map((talk) => {
      const { key, name, view: room, unread, mentions, notify, unreadMore, active } = talk;
      const there = room ? {} : presence(chat, name) ?? {};
      const line = lineOf(talk);
      const today = active && day(active, chat.now()) === _("Today");
      const time = !active ? "" : today ? clock(active) : new Date(active).toLocaleDateString(document.documentElement.lang, { day: "numeric", month: "short" });
      const sign = [line, time, unread, unreadMore, mentions, notify, there.online, there.status, room?.private, talk.draft && 1].join("\u0000");
      const make = () => row(key, {
        href: addressOf(key), go: () => shell.show(key), name, line,
        picture: avatar(name, { room: Boolean(room), ...there }),
        extra: room?.private ? [icon("lock"), hidden(_("private"))] : there.online !== undefined ? hidden(` ${said(there)}`) : [],
        aside: [h("time", null, time), unread ? counted(unread, unreadMore, mentions, notify) : null],
      });
      return { key, sign, make };
    });
  }

  function counted(unread, more, mentions, notify) {
    const loud = mentions && notify !== "off";
    const text = `${loud ? "@" : ""}${number(loud ? mentions : unread)}${more && (!loud || mentions === unread) ? "+" : ""}`;
    const words = loud ? ngettext("{n} message for you", "{n} messages for you", mentions) : ngettext("{n} unread message", "{n} unread messages", unread);
    return h("span", { class: `badge${loud ? " loud" : ""}${notify === "off" ? " mute" : ""}` }, h("span", { "aria-hidden": true }, text), hidden(words));
  }

  function lineOf({ typing, draft, entries, view: room }) {
    if (typing.size) return ngettext("{who} is writing…", "{who} are writing…", typing.size, { who: [...typing].map(visible).join(", ") });
    if (draft) return _("Draft: {text}", { text: visible(draft).slice(0, 100) });
    const last = entries.at(-1);
    if (!last) return visible(room?.subject ?? "");
    if (last.retracted) return _("A message was taken back.");
    if (last.kind === "invited") return _("{who} invites you to {room}.", { who: last.sender, room: last.room });
    const text = visible(last.text.slice(0, 120)).replace(/\s+/g, " ");
    return last.mine ? _("You: {text}", { text }) : room ? `${last.sender}: ${text}` : text;
  }

  function roomRows(wanted) {
    const rank = (room) => (room.private && !room.joined ? 0 : 1);
    return (listed ?? [])
      .filter((room) => (withHidden || !room.hidden) && `${room.name} ${room.subject}`.toLocaleLowerCase().includes(wanted))
      .sort((one, other) => rank(one) - rank(other) || other.online - one.online || one.name.localeCompare(other.name))
      .map((room) => {
        const joined = chat.talks.has(room.name);
        const online = chat.talks.get(room.name)?.view?.online ?? room.online;
        const state = joined ? _("You are in") : room.private ? _("You are invited") : room.hidden ? _("Hidden") : "";
        return {
          key: room.name,
          sign: [room.subject, online, state].join("\u0000"),
          make: () => row(room.name, {
            href: addressOf(room.name), name: room.name,
            go: () => (joined ? shell.show(room.name) : doors("showRoom", chat, room, shell)),
            picture: avatar(room.name, { room: true }),
            extra: room.private ? [icon("lock"), hidden(_("private"))] : [],
            line: visible(room.subject) || (room.creator ? _("by {login}", { login: room.creator }) : _("Everybody arrives here")),
            aside: [h("span", { class: "online" }, h("i", { class: "presence available" }), number(online), hidden(` ${_("present")}`)), state && h("small", null, state)],
            more: (event) => shell.talkMenu(event.currentTarget, room.name, room),
          }),
        };
      });
  }

  function personRows(wanted) {
    const rank = (there) => (there.online ? 0 : 1);
    return (listed ?? [])
      .map((person) => ({ ...person, ...presence(chat, person.login) }))
      .filter((person) => `${person.login} ${person.first_names} ${person.surnames}`.toLocaleLowerCase().includes(wanted))
      .sort((one, other) => rank(one) - rank(other) || one.login.localeCompare(other.login))
      .map((person) => {
        const { login, first_names: first, surnames, bot } = person;
        return {
          key: `@${login}`,
          sign: [first, surnames, person.online, person.status].join("\u0000"),
          make: () => row(`@${login}`, {
            href: addressOf(`@${login}`), go: () => shell.show(`@${login}`), name: login,
            picture: avatar(login, person),
            extra: bot ? [" ", h("small", { class: "tag" }, _("program"))] : [],
            line: visible(`${first} ${surnames}`.trim()),
            aside: h("small", null, said(person)),
            more: () => shell.person(login),
          }),
        };
      });
  }

  /** Ask for the list that is shown, if it is not fresh. */
  async function ask(force = false) {
    const op = { rooms: "rooms", people: "users" }[view];
    if (!op || (!force && Date.now() - listedAt < REFRESH_MS)) return;
    listedAt = Date.now();
    const mine = ++asked;
    try {
      const found = await chat.list(op, op === "rooms" ? { hidden: true } : {});
      if (mine !== asked) return;
      listed = found;
      trouble = "";
    } catch (error) {
      if (mine !== asked) return;
      listedAt = 0;
      trouble = listed ? "" : error.code === "offline" ? _("The list comes as soon as you are connected.") : error.message;
    }
    redraw();
  }

  function arrows(event) {
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const links = [...list.querySelectorAll("li > a")];
      const at = links.indexOf(document.activeElement.closest("li")?.firstChild);
      const to = links[at + (event.key === "ArrowUp" ? -1 : 1)] ?? (event.key === "ArrowUp" ? search : null);
      if (!event.altKey && to) {
        event.preventDefault();
        to.focus();
      }
    }
  }
  search.addEventListener("keydown", (event) => {
    const first = list.querySelector("a") ?? foot.querySelector("button");
    if (event.key === "ArrowDown") first?.focus();
    else if (event.key === "Enter") first?.click();
    else if (event.key === "Escape" && search.value) {
      search.value = "";
      draw();
    } else return;
    event.preventDefault();
  });

  /** Whoever is in the list of conversations has a dot: that wants the members of the room where all arrive. */
  let known = false;
  function whoIsThere() {
    if (known || chat.link !== "live" || !chat.talks.has(chat.server.defaultRoom)) return;
    if (view !== "people" && ![...chat.talks.keys()].some((key) => key.startsWith("@"))) return;
    known = true;
    chat.members(chat.server.defaultRoom).catch(() => { known = false; });
  }

  chat.addEventListener("talks", () => { later(); whoIsThere(); if (view === "rooms") ask(); }, until);
  chat.addEventListener("entries", later, until);
  chat.addEventListener("talk", later, until);
  chat.addEventListener("me", drawSelf, until);
  chat.addEventListener("link", () => {
    drawSelf();
    if (chat.link !== "live") return;
    later();
    ask(true);
    whoIsThere();
  }, until);
  drawSelf();
  // Of rooms that one is not in nothing is told.
  const again = setInterval(() => { if (document.visibilityState === "visible" && chat.link === "live") ask(); }, REFRESH_MS);

  return {
    view(name) {
      if (name === view && search.placeholder) return ask();
      view = name;
      [listed, listedAt, trouble, kept, search.value] = [null, 0, "", new Map(), ""];
      asked++;
      search.placeholder = { "": _("Search conversations"), rooms: _("Search rooms"), people: _("Search people") }[name];
      search.setAttribute("aria-label", search.placeholder);
      for (const tab of tabs) {
        if (tab.dataset.name === name) {
          tab.setAttribute("aria-current", "page");
          element.setAttribute("aria-label", (title.textContent = tab.textContent));
        } else tab.removeAttribute("aria-current");
      }
      if (list.firstChild) scroll.scrollTop = 0;
      draw();
      ask();
      whoIsThere();
    },
    current(key) {
      current = key;
      for (const [each, { row }] of kept) mark(row, each);
    },
    /** Something was made, hidden or deleted: draw anew, and ask anew. */
    refresh() {
      draw();
      ask(true);
    },
    focus: () => (list.querySelector("[aria-current]") ?? list.querySelector("a") ?? scroll).focus({ preventScroll: true }),
    beside(key, by) {
      const keys = talksOf(chat).map((talk) => talk.key);
      return keys[(keys.indexOf(key) + by + keys.length) % keys.length] ?? "";
    },
    unread: (key) => (talksOf(chat).find((talk) => talk.mentions && talk.key !== key) ?? talksOf(chat).find((talk) => talk.unread && talk.key !== key))?.key ?? "",
    destroy() {
      stop.abort();
      clearInterval(again);
      cancelAnimationFrame(waiting);
    },
  };
}
