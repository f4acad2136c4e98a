"""The one table of all commands, `#` and `/`: parser, help and completion read it, and nothing else is a command.

The `#` commands keep the meaning of the assignment this chat began as: one current room per session. The `/`
commands know several rooms at once. Its length is that of the table. Must not know what the commands do
(`client.tui.commands.doing`, `asking`, `amending`, `finding`, `attention`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from client.language import N_, _
from client.tui.commands import amending, asking, attention, doing, finding, own_keys
from client.tui.commands.grammar import Arg, Kind, Spec, Table
from client.tui.commands.ports import Desk
from client.tui.text.wrap import cells, pad

ROOM: Final = Arg(N_("room"), Kind.ROOM)
ROOM_HERE: Final = Arg(N_("room"), Kind.ROOM, optional=True)
USER: Final = Arg(N_("user"), Kind.USER)
TEXT: Final = Arg(N_("text"), Kind.TEXT)
TEXT_OR_NOT: Final = Arg(N_("text"), Kind.TEXT, optional=True)
NOTE: Final = Arg(N_("note"), Kind.TEXT, optional=True)
NUMBER: Final = Arg(N_("number"), Kind.NUMBER)
NUMBER_OR_NOT: Final = Arg(N_("number"), Kind.NUMBER, optional=True)
MESSAGE: Final = Arg(N_("message"), Kind.MESSAGE)
MESSAGE_OR_NOT: Final = Arg(N_("message"), Kind.MESSAGE, optional=True)


async def help(desk: Desk, values: Mapping[str, str], flags: frozenset[str]) -> None:
    """`/help`: all commands, or one of them."""
    if "command" not in values:
        present(desk, _("Commands"), overview())
        return
    spec = TABLE.find(values["command"])
    if spec is None:
        near = TABLE.near(values["command"])
        none = _("There is no command {word}.").format(word=values["command"])
        desk.complain(none + (" " + _("Did you mean {usage}?").format(usage=near.name) if near else ""))
        return
    desk.tell(*explained(spec))


async def show_keys(desk: Desk, values: Mapping[str, str], flags: frozenset[str]) -> None:
    """`/keyboard`: what F1 shows."""
    if desk.screen is not None:
        desk.screen.explain_keys()


def present(desk: Desk, title: str, lines: Sequence[str]) -> None:
    """Much text at once: over the screen, to be put away; line by line where there is none."""
    if desk.screen is not None:
        desk.screen.present(title, lines)
    else:
        desk.tell(*lines)


def overview() -> list[str]:
    """All commands with their sentences, by what they are about."""
    width = max(cells(spec.usage) for spec in TABLE if len(spec.usage) < 30) + 2
    lines: list[str] = []
    for title, specs in GROUPS:
        lines += ["", f"{_(title)}"] if lines else [_(title)]
        for spec in specs:
            usage = pad(spec.usage, width) if cells(spec.usage) < width else spec.usage + "  "
            lines.append(f"  {usage}{_(spec.help)}")
    return [
        *lines,
        "",
        _("/help <command> says more of one. A message that begins with / or # is written with two of them. Keys: F1."),
    ]


def explained(spec: Spec) -> list[str]:
    """One command in full."""
    lines = [f"{spec.usage}   {_(spec.help)}", *(f"  {flag}  {_(what)}" for flag, what in spec.flags.items())]
    if any(arg.kind is Kind.MESSAGE for arg in spec.args):
        lines.append(_("A message is ^12 by its number (/last shows them), ^ana the last of ana's, ^ the last of all."))
    if spec.aliases:
        lines.append(_("also written {names}").format(names=", ".join(spec.aliases)))
    return [*lines, _("for example: {example}").format(example=_(spec.example))]


ASSIGNED: Final = (
    Spec("#cR", (ROOM,), N_("Create a room and go into it."), N_("#cR chess"), doing.create_and_enter),
    Spec("#gR", (ROOM,), N_("Go into a room, leaving the one you are in."), N_("#gR chess"), doing.enter),
    Spec("#eR", (), N_("Go back to the default room."), "#eR", doing.back),
    Spec("#lR", (), N_("List the rooms and how many are in each."), "#lR", asking.rooms),
    Spec("#dR", (ROOM,), N_("Delete your room; take another's off your list."), N_("#dR chess"), doing.delete),
    Spec("#show users", (), N_("List all users of the whole system."), "#show users", asking.users),
    Spec(
        r"#\private",
        (USER, TEXT),
        N_("Say something to one person, wherever they are."),
        N_(r"#\private<ana> hello"),
        doing.message,
        aliases=("#private",),
    ),
    Spec("#exit", (), N_("Disconnect; rooms you made go with you."), "#exit", doing.quit),
)

ROOMS: Final = (
    Spec("/join", (ROOM,), N_("Go into a room besides those you are in."), N_("/join chess"), doing.join, ("/j",)),
    Spec(
        "/leave",
        (ROOM_HERE,),
        N_("Leave a room; close a private conversation."),
        "/leave",
        doing.leave,
        ("/part", "/close"),
    ),
    Spec(
        "/create",
        (ROOM,),
        N_("Create a room besides those you are in."),
        N_("/create --keep chess"),
        doing.create,
        flags={
            "--keep": N_("it stays when you disconnect"),
            "--private": N_("only whoever is invited may know of it"),
            "--open": N_("whoever comes in may read what was said before"),
        },
    ),
    Spec(
        "/delete",
        (ROOM,),
        N_("Delete your room; take another's off your list. A message is taken back with /retract."),
        N_("/delete chess"),
        doing.delete,
    ),
    Spec("/hide", (ROOM,), N_("Take a room off your own list."), N_("/hide chess"), doing.hide),
    Spec("/unhide", (ROOM,), N_("Put a room back on your list."), N_("/unhide chess"), doing.unhide),
    Spec(
        "/rooms",
        (),
        N_("List the rooms and how many are in each."),
        "/rooms",
        asking.rooms,
        aliases=("/list",),
        flags={"--hidden": N_("with those off your list")},
    ),
    Spec("/members", (ROOM_HERE,), N_("Show who is in a room."), "/members", asking.members, ("/names",)),
    Spec(
        "/topic",
        (Arg(N_("subject"), Kind.TEXT, optional=True),),
        N_("Show or set the room's topic line."),
        N_("/topic Openings, every Tuesday"),
        doing.topic,
        flags={"--clear": N_("take it away")},
    ),
    Spec("/invite", (USER, ROOM_HERE), N_("Let somebody into a private room."), "/invite ana", doing.invite),
    Spec("/remove", (USER, ROOM_HERE), N_("Put somebody out of your room."), "/remove ana", doing.remove, ("/kick",)),
    Spec(
        "/moderator",
        (USER, Arg(N_("choice"), Kind.CHOICE, optional=True, choices=("on", "off"))),
        N_("Let somebody keep order in your room, or no longer."),
        "/moderator ana off",
        doing.moderator,
        ("/mod",),
    ),
    Spec(
        "/go",
        (Arg(N_("name"), Kind.TALK, optional=True),),
        N_("Turn to a room or person, by number or some letters (Ctrl+K does it too)."),
        N_("/go ches"),
        finding.go,
        ("/buffer", "/b", "/switch"),
    ),
)

MESSAGES: Final = (
    Spec(
        "/reply",
        (MESSAGE_OR_NOT, TEXT_OR_NOT),
        N_("Answer a message: the last one, or the one you name."),
        N_("/reply ^ana I think so too"),
        amending.reply,
        ("/r",),
    ),
    Spec(
        "/edit",
        (MESSAGE_OR_NOT, TEXT_OR_NOT),
        N_("Say something else in the place of your last message."),
        N_("/edit I meant Tuesday"),
        amending.edit,
        ("/e",),
    ),
    Spec(
        "/retract",
        (MESSAGE_OR_NOT,),
        N_("Take your last message back: its text is erased for everybody."),
        "/retract",
        amending.retract,
        ("/redact", "/unsend"),
    ),
    Spec(
        "/react",
        (MESSAGE_OR_NOT, Arg(N_("emoji"), Kind.EMOJI)),
        N_("Put an emoji to a message, or take yours away."),
        "/react :thumbsup:",
        amending.react,
    ),
    Spec("/me", (TEXT,), N_("Say what you do."), N_("/me waves"), doing.act),
    Spec("/resend", (), N_("Send once more what was refused here."), "/resend", amending.resend),
    Spec(
        "/last",
        (NUMBER_OR_NOT,),
        N_("Show the last messages with their numbers."),
        "/last 5",
        amending.last_ones,
    ),
    Spec(
        "/search",
        (Arg(N_("words"), Kind.TEXT),),
        N_("Find words in all you may read; from:ana for those of one person."),
        "/search --here canción from:ana",
        finding.search,
        ("/find", "/grep"),
        flags={"--here": N_("in this conversation only")},
    ),
    Spec("/goto", (MESSAGE,), N_("Go to a message by its number."), "/goto ^4711", finding.go_to_message),
    Spec("/history", (NUMBER_OR_NOT,), N_("Read further back (PgUp does it too)."), "/history 200", doing.history),
    Spec("/links", (), N_("List the links of this conversation."), "/links", finding.list_links),
    Spec("/open", (NUMBER_OR_NOT,), N_("Open a link by its number; the newest without."), "/open 2", finding.open_link),
    Spec("/clear", (), N_("Empty the view; nothing is deleted."), "/clear", doing.clear),
    Spec(
        "/editor",
        (),
        N_("Write the message in your $EDITOR (Alt+e does it too)."),
        "/editor",
        doing.editor,
        on_screen=True,
    ),
)

PEOPLE: Final = (
    Spec("/msg", (USER, TEXT_OR_NOT), N_("Talk to one person."), N_("/msg ana hello"), doing.message, ("/m", "/query")),
    Spec("/users", (), N_("List all users of the whole system."), "/users", asking.users),
    Spec("/whois", (USER,), N_("Show who somebody is, and when they were last here."), "/whois ana", asking.whois),
    Spec("/away", (NOTE,), N_("Say that you are away."), N_("/away at lunch"), attention.away),
    Spec("/dnd", (NOTE,), N_("Say that you are not to be disturbed; nothing rings."), N_("/dnd exam"), attention.dnd),
    Spec("/back", (NOTE,), N_("Say that you are available again."), "/back", attention.back),
    Spec(
        "/seen",
        (Arg(N_("choice"), Kind.CHOICE, optional=True, choices=("on", "off")),),
        N_("Let others see when you were last here, or not."),
        "/seen off",
        attention.seen,
    ),
)

ATTENTION: Final = (
    Spec(
        "/notify",
        (Arg(N_("level"), Kind.CHOICE, optional=True, choices=attention.LEVELS),),
        N_("What of this room you are told by bell or notice."),
        "/notify all",
        attention.notify,
    ),
    Spec("/unread", (), N_("Say where something is unread (Alt+a goes there)."), "/unread", attention.unread),
    Spec(
        "/read",
        (),
        N_("Count everything here as read."),
        "/read --all",
        attention.read,
        flags={"--all": N_("in all conversations")},
    ),
    Spec(
        "/comings",
        (),
        N_("Show who comes and goes in crowded rooms, or hide it (Alt+= does it too)."),
        "/comings",
        attention.comings,
    ),
)

ACCOUNT: Final = (
    Spec(
        "/profile",
        (
            Arg(N_("field"), Kind.WORD, optional=True, choices=("first-names", "surnames", "age", "gender")),
            Arg(N_("value"), Kind.TEXT, optional=True),
        ),
        N_("Show your profile, or change a field of it."),
        "/profile age 34",
        doing.profile,
    ),
    Spec("/password", (), N_("Change your password; it is asked for, hidden."), "/password", doing.password),
    Spec("/sessions", (), N_("Show where you are logged in."), "/sessions", asking.sessions),
    Spec("/revoke", (NUMBER,), N_("End another of your sessions."), "/revoke 12", doing.revoke),
    Spec(
        "/keys",
        (
            Arg(N_("action"), Kind.CHOICE, optional=True, choices=("add", "revoke")),
            Arg(N_("name"), Kind.WORD, optional=True),
            Arg(N_("scopes"), Kind.TEXT, optional=True),
        ),
        N_("Show the keys that log in without your password; make one, or revoke it by its number."),
        "/keys add laptop read:lobby write:lobby",
        own_keys.keys,
    ),
    Spec("/logout", (), N_("End the session; the next start asks for the password."), "/logout", doing.logout),
    Spec("/quit", (), N_("Disconnect; rooms you made go with you."), "/quit", doing.quit, ("/exit", "/q")),
    Spec(
        "/help",
        (Arg(N_("command"), Kind.COMMAND, optional=True),),
        N_("Show the commands, or one."),
        "/help join",
        help,
        ("/?",),
    ),
    Spec("/keyboard", (), N_("Show the keys (F1 does it too)."), "/keyboard", show_keys, on_screen=True),
)

GROUPS: Final = (
    (N_("Rooms, one at a time"), ASSIGNED),
    (N_("Rooms, several at once"), ROOMS),
    (N_("Messages"), MESSAGES),
    (N_("People"), PEOPLE),
    (N_("What you are told"), ATTENTION),
    (N_("You, and this program"), ACCOUNT),
)
"""Every command there is, by what it is about."""

TABLE: Final = Table([spec for _title, specs in GROUPS for spec in specs])
