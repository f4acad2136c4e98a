/**
 * What the commands of the table do in a browser, in the words and with the care of client/tui/commands: those that change
 * something, those that look something up, those about messages. Their grammar is core/commands.js' matter; this one
 * table of actions is why the module is long. Must not know how an answer is drawn.
 */
import { Commands } from "../core/commands.js";
import { fold } from "../core/entries.js";
import { _, clock, facts, moment, ngettext } from "../view/language.js";
import { load, sign } from "./emoji.js";
import { line, same } from "./text.js";

/** Lines of one answer; what is beyond is counted. */
const SHOWN = 200;

/**
 * Carry out a line that begins like a command.
 * @param {import("./pane.js").Pane} pane where it was typed
 * @returns {Promise<boolean>} whether the line may go from the field: it was a command, and nothing refused it
 */
export async function carryOut(pane, typed) {
  const commands = new Commands((await facts()).commands, _);
  const { say, spec, values, flags, mistake } = commands.parse(typed);
  if (mistake) {
    pane.complain(...mistake);
    return false;
  }
  if (say !== undefined) {
    pane.chat.post(pane.talk.key, say);
    return true;
  }
  const act = ACTIONS[spec.name] ?? ACTIONS[LIKE[spec.name]];
  if (!act) {
    pane.tell(_("{command} is for the terminal; here it does nothing.", { command: spec.name }));
    return true;
  }
  try {
    return (await act(new Desk(pane, commands), values, new Set(flags))) !== false;
  } catch (error) {
    if (!error.code) throw error;
    await pane.failed(error);
    return false;
  }
}

const LIKE = { "/rooms": "#lR", "/users": "#show users", "/msg": "#\\private", "#dR": "/delete", "/quit": "#exit" };
/** What commands ask of where they were typed. */
class Desk {
  constructor(pane, commands) {
    Object.assign(this, { pane, commands, chat: pane.chat, talk: pane.talk, shell: pane.shell, me: pane.chat.me });
  }

  tell(...lines) {
    const more = lines.length - SHOWN;
    this.pane.tell(...(more > 0 ? [...lines.slice(0, SHOWN), _("… and {n} more", { n: more })] : lines));
  }

  /** @returns {false} so that what was typed stays in the field */
  complain(...lines) {
    this.pane.complain(...lines);
    return false;
  }

  show(key, options) {
    if (key !== this.talk.key || options) this.shell.show(key, options);
  }

  ask(op, fields) {
    return this.chat.request(op, fields);
  }

  /** The room that is meant; null, and said so, in a private conversation. */
  room(values) {
    const room = values.room ?? (this.talk.kind === "room" ? this.talk.key : null);
    if (room === null) this.complain(_("This is a private conversation; name the room."));
    return room;
  }

  /** The name as it is written here, if it is known in another spelling. */
  known(room) {
    return [...this.chat.talks.values()].find((talk) => talk.kind === "room" && same(talk.name, room))?.key ?? room;
  }

  #said() {
    return this.talk.entries.filter((entry) => entry.seq && entry.kind !== "invited");
  }

  /** The message that a command is about; null, and said so, if there is none. */
  async meant(values, mine) {
    const given = (values.message ?? "^").slice(1).replace(/^@/, "");
    const { talk, chat } = this;
    if (/^\d+$/.test(given)) {
      const at = () => talk.entries.find((entry) => entry.seq === Number(given));
      if (!at()) await chat.around(talk.key, Number(given)).catch(() => {});
      return at() ?? (this.complain(_("There is no message ^{number} here; /last shows the numbers.", { number: given })), null);
    }
    if (!given && mine && talk.entries.some((entry) => entry.mine && entry.state === "pending")) {
      this.complain(_("That message is still on its way; try again when it is sent."));
      return null;
    }
    const fits = (entry) => !entry.retracted && (given ? same(entry.sender, given) : mine === undefined || entry.mine === mine);
    if (!this.#said().some(fits) && !talk.first) await chat.older(talk.key);
    const found = this.#said().findLast(fits);
    if (!found) {
      this.complain(given ? _("There is no message of {login} here.", { login: given })
        : mine ? _("There is no message of yours here.") : _("There is no message here."));
    }
    return found ?? null;
  }

  last(many) {
    return this.#said().slice(-many);
  }
}

const numbered = (entry) => `^${entry.seq} ${clock(entry.time)} ${line(entry.sender)}: ${
  entry.retracted ? _("(taken back)") : line(entry.text)}${entry.reactions.map((each) => ` ${line(each.emoji)}×${each.count}`).join("")}`;

const statusOf = (status) => ({ available: _("available"), away: _("away"), dnd: _("not to be disturbed") })[status];
const saidOf = ({ status }) => (status && status !== "available" ? ` (${statusOf(status)})` : "");
const botOf = ({ bot }) => (bot ? ` ${_("(bot)")}` : "");
const listed = (values, map) => values.flatMap((each, at) => [at ? ", " : "", ...[map(each)].flat()]);

async function status(desk, status, note = "") {
  const { limits } = await facts();
  const words = note.split(/\s+/).join(" ").trim();
  if ([...words].length > limits.NOTE_LENGTH) return desk.complain(_("At most {n} characters.", { n: limits.NOTE_LENGTH }));
  await desk.chat.setStatus(status, words);
  desk.tell({
    available: _("You are available."), away: _("You are away; others see it."),
    dnd: _("You are not to be disturbed: nothing rings, and others see it."),
  }[status] + (words ? ` (${words})` : ""));
}

function profile(desk, view) {
  const lines = [[_("{login} is {name}", { login: line(view.login), name: line(`${view.first_names} ${view.surnames}`.trim()) })]];
  if (view.bot) lines.push(_("a bot: a program, not a person"));
  lines.push(view.online ? _("here now, {status}", { status: statusOf(view.status) })
    : view.seen ? _("last here {when}", { when: moment(view.seen) }) : _("not here now"));
  if (view.note) lines.push(_("says: {note}", { note: line(view.note) }));
  lines.push(_("here since {day}", { day: moment(view.created) }));
  if (view.age !== null) lines.push(_("age {age}, gender {gender} (seen by you and the operator only)", { age: view.age, gender: genderOf(view.gender) }));
  if (view.show_seen === false) lines.push(_("nobody sees when you were last here; /seen on shows it"));
  return lines;
}

const GENDERS = { female: () => _("female"), male: () => _("male"), other: () => _("other"), undisclosed: () => _("undisclosed") };
const genderOf = (gender) => GENDERS[gender]?.() ?? gender;

function changed(field, value, [low, high]) {
  switch (fold(field).replaceAll("_", "-")) {
    case "names": case "first-names": return { first_names: value };
    case "surnames": return { surnames: value };
    case "age": return /^\d{1,9}$/.test(value) && value >= low && value <= high ? { age: Number(value) } : _("An age is a number from {low} to {high}.", { low, high });
    case "gender": {
      const found = Object.keys(GENDERS).find((each) => [each, fold(genderOf(each))].includes(fold(value)));
      return found ? { gender: found } : _("A gender is one of {choices}.", { choices: Object.keys(GENDERS).map(genderOf).join(", ") });
    }
    default: return _("A field is first-names, surnames, age or gender; for example: /profile age 34");
  }
}

/** What each command does, by its name. False: what was typed stays in the field. */
const ACTIONS = {
  async "#cR"(desk, { room }) {
    try {
      await desk.chat.create(room);
    } catch (error) {
      if (error.code !== "name-taken") throw error;
      await desk.pane.failed(error);
      return desk.complain(_("If it is the room you want: {command}", { command: `#gR ${room}` }));
    }
    desk.show(await desk.chat.enter(room));
  },
  async "#gR"(desk, { room }) { desk.show(await desk.chat.enter(room)); },
  async "#eR"(desk) {
    const { defaultRoom } = desk.chat.server;
    if (desk.chat.me.current !== defaultRoom) await desk.chat.enter(defaultRoom);
    desk.show(defaultRoom);
  },
  async "#lR"(desk, _values, flags) {
    const rooms = await desk.chat.list("rooms", { hidden: flags.has("--hidden") });
    desk.tell(ngettext("{n} room, with how many are there now:", "{n} rooms, with how many are there now:", rooms.length), ...rooms.map((room) => {
      const traits = [!room.creator && _("default room"), room.kept && room.creator && _("kept"), room.private && _("private"), room.hidden && _("hidden"),
        room.creator && (room.creator === desk.me.login ? _("yours") : _("by {login}", { login: line(room.creator) }))].filter(Boolean);
      return [room.name === desk.talk.key ? "→ " : room.joined ? "✓ " : "– ", { room: room.name }, ` ${room.online} · ${traits.join(", ")}${room.subject ? ` · ${line(room.subject)}` : ""}`];
    }));
  },
  async "#show users"(desk) {
    const users = await desk.chat.list("users");
    users.sort((one, other) => other.online - one.online);
    const online = users.filter((user) => user.online).length;
    desk.tell(ngettext("{n} user, {online} here now:", "{n} users, {online} here now:", users.length, { online }), ...users.map((user) =>
      [user.online ? "● " : "○ ", { user: user.login }, ` ${line(`${user.first_names} ${user.surnames}`)}${botOf(user)}${saidOf(user)}`]));
  },
  async "#\\private"(desk, { user, text }) {
    const { chat } = desk;
    // Asked first, so that a mistyped login is refused before anything is written, and is spelt as its owner does.
    const known = [...chat.talks.values()].find((talk) => talk.kind === "person" && same(talk.name, user));
    const key = known?.key ?? chat.person((await desk.ask("profile", { login: user })).login).key;
    if (text === undefined) return desk.show(key);
    chat.post(key, text);
    if (key !== desk.talk.key) desk.tell(_("to {login} in private: {text}", { login: key.slice(1), text: line(text) }));
  },
  async "#exit"(desk) {
    if (await desk.shell.mayLogOut({ rooms: true })) await desk.chat.logout();
  },
  async "/logout"(desk) {
    if (await desk.shell.mayLogOut({ always: false })) await desk.chat.logout();
  },
  async "/join"(desk, { room }) { desk.show(await desk.chat.join(room)); },
  async "/leave"(desk, { room }) {
    if (!room && desk.talk.kind === "person") return desk.shell.back();
    await desk.chat.leave(desk.known(room ?? desk.talk.key));
  },
  async "/create"(desk, { room }, flags) {
    const [kept, hidden, open] = ["--keep", "--private", "--open"].map((flag) => flags.has(flag));
    desk.show(await desk.chat.create(room, { kept, private: hidden, open }));
    if (hidden) desk.shell.toast(_("Nobody else knows of this room; let people in with /invite <user>."));
  },
  async "/delete"(desk, values) {
    const room = desk.known(values.room);
    try {
      await desk.chat.delete(room);
      // Who is in it is told by the shell.
      if (!desk.chat.talks.has(room)) desk.tell(_("#{room} is deleted.", { room }));
    } catch (error) {
      if (error.code !== "forbidden") throw error;
      await desk.ask("hide", { room });
      desk.tell(_("#{room} is not yours, so it only went off your own list. /unhide {room} brings it back.", { room }));
    }
  },
  async "/hide"(desk, { room }) {
    await desk.ask("hide", { room });
    desk.tell(_("#{room} is off your list. /unhide {room} brings it back.", { room }));
  },
  async "/unhide"(desk, { room }) {
    await desk.ask("hide", { room, hidden: false });
    desk.tell(_("#{room} is on your list again.", { room }));
  },
  async "/members"(desk, values) {
    const room = desk.room(values);
    if (!room) return false;
    const members = await desk.chat.list("members", { room });
    const part = (each) => [{ user: each.login }, botOf(each) + (each.online ? saidOf(each) : "")];
    const [here, gone] = [true, false].map((on) => members.filter((each) => each.online === on));
    const view = desk.chat.talks.get(desk.known(room))?.view;
    const order = [view?.creator, ...(view?.moderators ?? [])].filter(Boolean);
    desk.tell(ngettext("#{room} has {n} member.", "#{room} has {n} members.", members.length, { room }),
      [_("here now: {logins}", { logins: "" }), ...(here.length ? listed(here, part) : [_("nobody")])],
      ...(gone.length ? [[_("not here: {logins}", { logins: "" }), ...listed(gone, part)]] : []),
      ...(order.length ? [_("who keeps order: {logins}", { logins: order.map(line).join(", ") })] : []));
  },
  async "/topic"(desk, { subject }, flags) {
    const room = desk.room({});
    if (!room) return false;
    if (subject !== undefined || flags.size) await desk.ask("subject", { room, subject: flags.size ? "" : subject });
    else desk.tell(line(desk.talk.view.subject) || _("#{room} has no topic. Set one with: /topic <text>", { room }));
  },
  async "/invite"(desk, values) {
    const room = desk.room(values);
    if (!room) return false;
    await desk.ask("invite", { room, login: values.user });
    desk.tell(_("{login} may come into #{room} now, and was told so.", { login: values.user, room }));
  },
  async "/remove"(desk, values) {
    const room = desk.room(values);
    if (!room) return false;
    await desk.ask("remove", { room, login: values.user });
    desk.tell(_("{login} is out of #{room}.", { login: values.user, room }));
  },
  async "/moderator"(desk, { user: login, choice = "on" }) {
    const room = desk.room({});
    if (!room) return false;
    await desk.ask("moderate", { room, login, on: choice === "on" });
    desk.tell(choice === "on" ? _("{login} keeps order in #{room}: may put people out, take back messages and set the topic.", { login, room })
      : _("{login} does not keep order in #{room}.", { login, room }));
  },
  "/go"(desk, { name = "" }) {
    const talks = [...desk.chat.talks.values()].sort((one, other) => other.active - one.active);
    if (!name) return desk.shell.back();
    const wanted = fold(name.replace(/^#/, ""));
    const names = talks.map((talk) => [fold(talk.key), talk]);
    const found = names.find(([key]) => key === wanted) ?? names.find(([key]) => key.replace("@", "").startsWith(wanted.replace("@", ""))) ?? names.find(([key]) => key.includes(wanted));
    if (!found) return desk.complain(_("No room or person here is called {name}; /join goes into a room.", { name }));
    desk.show(found[1].key);
  },
  async "/reply"(desk, values) {
    const entry = await desk.meant(values, values.message ? undefined : false);
    if (!entry) return false;
    if (values.text) desk.chat.post(desk.talk.key, values.text, entry.seq);
    else later(() => desk.pane.composer.reply(entry));
  },
  async "/edit"(desk, values) {
    const entry = await desk.meant(values, true);
    if (!entry) return false;
    if (!entry.mine) return desk.complain(_("That message is not yours."));
    if (!values.text) later(() => desk.pane.composer.edit(entry));
    else if (values.text === entry.text) desk.tell(_("That is what it says already."));
    else desk.chat.edit(entry, values.text);
  },
  async "/retract"(desk, values) {
    const entry = await desk.meant(values, true);
    if (!entry) return false;
    if (!desk.pane.mayTakeBack(entry)) return desk.complain(_("That message is not yours, and neither is the room."));
    desk.chat.retract(entry);
  },
  async "/react"(desk, values) {
    const entry = await desk.meant(values, values.message ? undefined : false);
    if (!entry) return false;
    if (/^:.*:$/.test(values.emoji)) await load();
    const emoji = sign(values.emoji);
    if (/^[\0-\x7f]*$/.test(emoji)) return desk.complain(_("{code} is no emoji.", { code: emoji }));
    desk.chat.react(entry, emoji, !entry.reactions.some((each) => each.emoji === emoji && each.mine));
  },
  "/me"(desk, { text }) { desk.chat.post(desk.talk.key, `_${desk.me.login} ${text.trim()}_`); },
  "/resend"(desk) {
    const failed = desk.talk.entries.filter((entry) => entry.state === "failed");
    for (const entry of failed) desk.chat.retry(entry);
    if (!failed.length) desk.tell(_("Everything you wrote here was sent, or is on its way."));
  },
  async "/last"(desk, { number = "10" }) {
    const wanted = Math.min(Number(number), SHOWN - 1);
    if (desk.last(wanted).length < wanted && !desk.talk.first) await desk.chat.older(desk.talk.key);
    const lines = desk.last(wanted).map(numbered);
    desk.tell(...(lines.length ? [ngettext("The last message here, with its number:", "The last {n} messages here, with their numbers:", lines.length), ...lines] : [_("There is no message here.")]));
  },
  "/search"(desk, { words }, flags) { return desk.pane.search(words, flags.has("--here")); },
  async "/goto"(desk, values) {
    const entry = await desk.meant(values);
    if (!entry) return false;
    await desk.pane.goTo(entry.seq);
  },
  async "/history"(desk, { number = "100" }) {
    for (let left = Math.min(Number(number), 2000); left > 0 && !desk.talk.first;) {
      const came = await desk.chat.older(desk.talk.key);
      if (!came) break;
      left -= came;
    }
    if (desk.talk.entries[0]?.seq) await desk.pane.goTo(desk.talk.entries[0].seq);
  },
  "/clear"(desk) { desk.pane.list.clear(); },
  async "/whois"(desk, { user: login }) {
    const view = await desk.ask("profile", { login });
    const rooms = [...desk.chat.talks.values()].filter((talk) => talk.view);
    const lines = profile(desk, view);
    const where = (said, fits) => rooms.some(fits) && lines.push(said(rooms.filter(fits).map((talk) => `#${line(talk.name)}`).join(", ")));
    where((names) => _("made {rooms}", { rooms: names }), (talk) => talk.view.creator === view.login);
    where((names) => _("keeps order in {rooms}", { rooms: names }), (talk) => talk.view.moderators.includes(view.login));
    if (view.login !== desk.me.login) where((names) => _("in rooms with you: {rooms}", { rooms: names }), (talk) => talk.members?.has(view.login));
    desk.tell(...lines);
  },
  "/away": (desk, { note }) => status(desk, "away", note),
  "/dnd": (desk, { note }) => status(desk, "dnd", note),
  "/back": (desk, { note }) => status(desk, "available", note),
  async "/seen"(desk, { choice }) {
    const { show_seen: shown } = await (choice ? desk.ask("update-profile", { show_seen: choice === "on" }) : desk.ask("profile"));
    desk.tell(shown === false ? _("Nobody sees when you were last here.") : _("Others may see when you were last here; /seen off hides it."));
  },
  async "/notify"(desk, { level }) {
    const { talk, chat } = desk;
    if (level) await chat.notify(talk.key, level);
    const name = talk.kind === "room" ? `#${talk.name}` : talk.name;
    desk.tell({
      all: _("You are told of every message in {name}.", { name }), mentions: _("Of {name} you are told what names you.", { name }), off: _("You are told nothing of {name}.", { name }),
    }[level ?? talk.notify ?? (talk.kind === "room" ? "mentions" : "all")]);
  },
  "/unread"(desk) {
    const lines = [...desk.chat.talks.values()].filter((talk) => talk.unread).map((talk) =>
      ngettext("{name}: {n} message", "{name}: {n} messages", talk.unread, { name: (talk.view ? "#" : "") + line(talk.name) }) + (talk.mentions && talk.view ? _(", names you") : ""));
    desk.tell(...(lines.length ? lines : [_("Nothing is unread.")]));
  },
  "/read"(desk, _values, flags) {
    const all = flags.has("--all");
    for (const talk of all ? desk.chat.talks.values() : [desk.talk]) if (talk.head) desk.chat.read(talk.key, talk.head);
    desk.tell(all ? _("Everything is read.") : _("Everything here is read."));
  },
  async "/profile"(desk, { field, value = "" }) {
    if (!field) {
      const command = _("/profile <field> <value>");
      return desk.tell(...profile(desk, await desk.ask("profile")), _("Change it with: {command}", { command }));
    }
    const wanted = changed(field, value.trim(), (await facts()).limits.AGE_RANGE);
    if (typeof wanted === "string") return desk.complain(wanted);
    await desk.ask("update-profile", wanted);
    desk.tell(_("Your profile is changed."));
  },
  "/password"(desk) { desk.shell.open("settings/password"); },
  async "/sessions"(desk) {
    const { sessions } = await desk.ask("sessions");
    desk.tell(_("Your sessions; /revoke <number> ends one:"), ...sessions.map((each) => {
      const seen = each.current ? _("this one") : _("last seen {when}", { when: moment(each.seen) });
      return `${each.id} ${each.online ? "●" : "○"} ${line(each.client) || _("unnamed")} · ${seen}`;
    }));
  },
  async "/revoke"(desk, { number }) {
    await desk.ask("revoke", { session: Number(number) });
    desk.tell(_("Session {number} is ended.", { number }));
  },
  "/help"(desk, { command }) {
    const { commands } = desk;
    if (command) {
      const spec = commands.find(command);
      if (!spec) return desk.complain(_("There is no command {word}.", { word: command }));
      return desk.tell(`${spec.usage}   ${spec.help}`, ...Object.entries(spec.flags).map(([flag, what]) => `  ${flag}  ${what}`),
        ...(spec.args.some((arg) => arg.kind === "message") ? [_("A message is ^12 by its number (/last shows them), ^ana the last of ana's, ^ the last of all.")] : []),
        ...(spec.aliases.length ? [_("also written {names}", { names: spec.aliases.join(", ") })] : []), _("for example: {example}", { example: spec.example }));
    }
    const lines = [];
    let group = "";
    for (const spec of commands.specs) {
      if (spec.terminal || !(spec.name in ACTIONS || LIKE[spec.name])) continue;
      if (spec.group !== group) lines.push(...(group ? [""] : []), (group = spec.group));
      lines.push(`${spec.usage}  –  ${spec.help}`);
    }
    desk.tell(...lines, "", _("/help <command> says more of one. A message that begins with / or # is written with two of them."));
  },
};

/** Once the field was emptied. */
const later = (act) => setTimeout(act);
