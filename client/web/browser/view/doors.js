/**
 * The ways into and out of rooms and conversations, as dialogs and menus: make, join, enter, leave, hide, delete, invite;
 * who somebody is; what one says of oneself; the quick way to anywhere. Must not know what a conversation looks like.
 */
import { confirm, dialog, menu, moved } from "./dialogs.js";
import { bdi, h, visible } from "./dom.js";
import { form } from "./form.js";
import { _, facts, moment, ngettext } from "./language.js";
import { avatar, presence, said, talksOf } from "./lists.js";

const limits = async () => (await facts().catch(() => ({}))).limits ?? {};

/** Do it, or say why it was refused. */
async function tried(shell, act) {
  try {
    await act();
    shell.refresh();
    return true;
  } catch (error) {
    shell.fail(error);
    return false;
  }
}

/** What one may begin. */
export function newMenu(anchor, chat, shell) {
  menu(anchor, [
    { label: _("Make a room…"), icon: "plus", act: () => createRoom(chat, shell) },
    { label: _("Find a room"), icon: "search", act: () => shell.open("rooms") },
    { label: _("Write to somebody"), icon: "people", act: () => shell.open("people") },
  ]);
}

/** Make a room, and go there. */
async function createRoom(chat, shell) {
  const { NAME_LENGTH: name, SUBJECT_LENGTH: subject } = await limits();
  const made = dialog(_("Make a room"), form([
    { name: "room", label: _("Name"), autocomplete: "off", max: name, codes: ["bad-name", "name-taken"] },
    { name: "subject", label: _("Topic"), autocomplete: "off", max: subject, optional: true, codes: ["bad-text"] },
    { name: "kept", label: _("Keep it"), type: "checkbox", value: true, hint: _("It stays when you leave, or have no network for a while; otherwise it goes with you.") },
    { name: "private", label: _("Private"), type: "checkbox", hint: _("Only who is invited knows of it.") },
    { name: "open", label: _("Whoever joins may read what was said before"), type: "checkbox", hint: _("Of a private room; everybody may read the others whole.") },
  ], {
    ok: _("Make the room"),
    async act({ room, ...options }) {
      const key = await chat.create(room, options);
      made.close();
      shell.refresh();
      shell.show(key);
    },
  }));
}

/** A room one is not in: what it is, and the ways in. */
export function showRoom(chat, room, shell) {
  const into = (way) => async () => {
    shown.close();
    await tried(shell, async () => shell.show(await chat[way](room.name)));
  };
  const shown = dialog(visible(room.name),
    room.subject && h("p", { dir: "auto" }, visible(room.subject)),
    h("p", { class: "aid" },
      [room.private ? _("A private room.") : "", room.creator ? _("Made by {login}.", { login: room.creator }) : "",
        ngettext("{n} member is present.", "{n} members are present.", room.online)].filter(Boolean).join(" ")),
    h("div", { class: "actions" },
      chat.me && h("button", { type: "button", onclick: into("enter") }, _("Enter, and leave {room}", { room: visible(chat.me.current) })),
      h("button", { type: "button", class: "primary", autofocus: true, onclick: into("join") }, _("Join"))));
}

/** The menu of a conversation. `listed`: the RoomView, of a room one is not in. */
export function talkMenu(anchor, chat, key, shell, listed) {
  const talk = chat.talks.get(key);
  const room = talk?.view ?? listed;
  const name = visible(key);
  const items = [];
  if (talk) {
    const said = [["all", _("Tell me of everything")], ["mentions", _("Tell me when I am named")], ["off", _("Tell me of nothing")]];
    const now = talk.notify ?? (room ? "mentions" : "all");
    for (const [what, label] of said) {
      if (room || what !== "mentions") items.push({ label, checked: now === what, act: () => tried(shell, () => chat.notify(key, what)) });
    }
    items.push(null);
  }
  if (!room) return menu(anchor, [...items, { label: _("Who is it?"), icon: "people", act: () => showPerson(chat, key.slice(1), shell) }], name);
  const mine = chat.me && (room.creator === chat.me.login || chat.me.operator);
  const first = room.name === chat.server.defaultRoom;
  if (talk) items.push({ label: _("Invite somebody…"), icon: "people", act: () => invite(chat, key, shell) });
  else items.push({ label: _("Join"), icon: "plus", act: () => tried(shell, async () => shell.show(await chat.join(key))) });
  if (chat.me && chat.me.current !== key) {
    items.push({ label: _("Enter, and leave {room}", { room: visible(chat.me.current) }), act: () => tried(shell, async () => shell.show(await chat.enter(key))) });
  }
  if (!first) {
    items.push({ label: room.hidden ? _("Show in my lists") : _("Hide from my lists"), act: () => hide(chat, room, shell) });
    if (talk) items.push({ label: _("Leave the room"), act: () => leave(chat, key, shell) });
    if (mine) items.push(null, { label: _("Delete the room…"), danger: true, act: () => remove(chat, key, shell) });
  }
  menu(anchor, items, name);
}

const hide = (chat, room, shell) => tried(shell, async () => {
  await chat.request("hide", { room: room.name, hidden: !room.hidden });
  room.hidden = !room.hidden;
  shell.toast(room.hidden ? _("{room} is off your lists.", { room: room.name }) : _("{room} is in your lists.", { room: room.name }));
});

async function leave(chat, key, shell) {
  const room = chat.talks.get(key)?.view;
  const question = { title: _("Leave {room}?", { room: visible(key) }), text: _("It is a private room: to come back you must still be invited."), ok: _("Leave") };
  if (room?.private && !(await confirm(question))) return;
  await tried(shell, () => chat.leave(key));
}

async function remove(chat, key, shell) {
  const question = { title: _("Delete {room}?", { room: visible(key) }), text: _("The room and all that was said there are gone for good, for everybody."), ok: _("Delete"), danger: true };
  if (await confirm(question)) await tried(shell, () => chat.delete(key));
}

/** Who could be invited: all who are not in the room. */
async function invitable(chat, key) {
  const [users, members] = await Promise.all([chat.list("users"), chat.list("members", { room: key })]);
  const there = new Set(members.map(({ login }) => login));
  return users.map(({ login }) => login).filter((login) => !there.has(login));
}

async function invite(chat, key, shell) {
  const { NAME_LENGTH: max } = await limits();
  const asked = dialog(_("Invite to {room}", { room: visible(key) }), form([
    { name: "login", label: _("Login"), autocomplete: "off", max, codes: ["no-such-user", "bad-name"], proposals: invitable(chat, key) },
  ], {
    ok: _("Invite"),
    async act({ login }) {
      await chat.request("invite", { room: key, login });
      asked.close();
      shell.toast(_("{login} is invited.", { login }));
    },
  }));
}

/** Somebody's profile, with the way to write to them. */
export async function showPerson(chat, login, shell) {
  let person;
  if (!(await tried(shell, async () => { person = await chat.request("profile", { login }); }))) return;
  const fact = (label, value) => value && [h("dt", null, label), h("dd", { dir: "auto" }, value)];
  const shown = dialog(visible(person.login),
    h("div", { class: "person" }, avatar(person.login, person),
      h("div", null, h("b", { dir: "auto" }, visible(`${person.first_names} ${person.surnames}`.trim())), h("p", { class: "aid" }, person.bot ? _("program") : said(person)))),
    h("dl", { class: "facts" },
      fact(_("Says"), person.note && visible(person.note)),
      fact(_("Last seen"), !person.online && person.seen ? moment(person.seen) : ""),
      fact(_("Here since"), moment(person.created)),
      fact(_("Age"), person.age && String(person.age))),
    h("div", { class: "actions" },
      h("button", { type: "button", class: "primary", autofocus: true, onclick: () => { shown.close(); shell.show(`@${person.login}`); } },
        person.login === chat.me?.login ? _("Notes to myself") : _("Write to them"))));
}

const statuses = () => [["available", _("Available")], ["away", _("Away")], ["dnd", _("Do not disturb")]];

/** What one says of oneself, and the ways to one's settings. */
export function selfMenu(anchor, chat, shell) {
  if (!chat.me) return shell.open("settings");
  const { status, note } = chat.me;
  menu(anchor, [
    ...statuses().map(([what, label]) => ({ label, checked: status === what, act: () => tried(shell, () => chat.setStatus(what, note)) })),
    { label: _("Say something about it…"), act: () => editStatus(chat) },
    null,
    { label: _("Profile"), icon: "people", act: () => shell.open("settings/profile") },
    { label: _("Settings"), icon: "gear", act: () => shell.open("settings") },
  ], _("You"));
}

/** Status and note. */
export async function editStatus(chat) {
  const { NOTE_LENGTH: max } = await limits();
  const asked = dialog(_("What others see of you"), form([
    { name: "status", label: _("Status"), type: "radio", options: statuses(), value: chat.me.status },
    { name: "note", label: _("In a few words"), autocomplete: "off", optional: true, max, value: chat.me.note, codes: ["bad-text"] },
  ], {
    ok: _("Save"),
    async act({ status, note }) {
      await chat.setStatus(status, note);
      asked.close();
    },
  }));
}

/**
 * Ask before one logs out: what one has written and is nowhere else goes with it, in whatever tab it waits.
 * @param {import("../core/chat.js").Chat} chat
 * @param {{rooms?: boolean, always?: boolean}} [options] `rooms`: say what becomes of one's rooms, too; `always`: ask also if
 *   nothing would be lost
 * @returns {Promise<boolean>} whether one may be logged out
 */
export async function mayLogOut(chat, { rooms = false, always = true } = {}) {
  const unsent = await chat.unsent();
  if (!unsent && !always) return true;
  const lost = unsent ? ngettext("{n} message has not been sent yet and would be lost.", "{n} messages have not been sent yet and would be lost.", unsent) : "";
  const gone = rooms ? _("Rooms you made that are not kept go with you. What is kept on this device is deleted.")
    : _("What is kept on this device of your conversations is deleted here.");
  return confirm({ title: _("Log out?"), text: `${lost} ${gone}`.trim(), ok: _("Log out"), danger: true });
}

/** Words looked for in all conversations. */
export async function searchAll(chat, shell, words) {
  const { search } = await import("../talk/search.js");
  const { title, content } = search({ chat, shell }, words, false);
  shell.panel(title, content);
}

/** The quick way: a conversation, a room or somebody, by a part of the name. */
export function showSwitcher(chat, shell) {
  const list = h("ul", { class: "places" });
  const input = h("input", { type: "search", autofocus: true, autocomplete: "off", spellcheck: false, placeholder: _("A room or somebody"), "aria-label": _("A room or somebody"), oninput: draw });
  const panel = h("div", { class: "switcher", onkeydown: keyed }, input, list);
  const opened = dialog(_("Go to"), panel);
  let others = [];
  draw();
  Promise.all([chat.list("rooms"), chat.list("users")]).then(([rooms, users]) => {
    others = [...rooms.map(({ name }) => ({ key: name, name, room: true })), ...users.map((each) => ({ ...each, key: `@${each.login}`, name: each.login }))];
    draw();
  }, () => { /* Offline: those one has are enough. */ });

  function draw() {
    const wanted = input.value.trim().replace(/^[@#]/, "").toLocaleLowerCase();
    const mine = talksOf(chat).map(({ key, name, view, unread }) => ({ key, name, room: Boolean(view), unread, ...(view ? {} : presence(chat, name)) }));
    const all = [...mine, ...others.filter(({ key }) => !chat.talks.has(key))];
    const found = all.filter(({ name }) => name.toLocaleLowerCase().includes(wanted))
      .sort((one, other) => Number(other.name.toLocaleLowerCase().startsWith(wanted)) - Number(one.name.toLocaleLowerCase().startsWith(wanted)));
    list.replaceChildren(...found.slice(0, 12).map((each) => h("li", null, h("button", { type: "button", onclick: () => go(each.key) },
      avatar(each.name, each), bdi(each.name), each.unread ? h("span", { class: "badge" }, String(each.unread)) : null))));
  }

  function go(key) {
    opened.close();
    shell.show(key);
  }

  function keyed(event) {
    if (event.key === "Enter" && event.target === input) {
      event.preventDefault();
      list.querySelector("button")?.click();
    } else moved(event, panel.contains(document.activeElement) && document.activeElement === input ? list : panel);
  }
}
