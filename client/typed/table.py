"""The one table of all commands, `#` and `/`: parsers, help and completion are made from it; nothing else is a command.

The `#` commands keep the meaning of the assignment this chat began as: one current room per session. The `/`
commands know several rooms at once. Its length is that of the table. Must not know what a command does, which each
surface says for itself (`client.tui.commands.actions`, the browser's `talk/doing.js`).
"""

from __future__ import annotations

from typing import Final, get_args

from client.language import N_
from client.typed.grammar import Arg, Kind, Spec, Table
from common.messages import Notify

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

LEVELS: Final[tuple[Notify, ...]] = get_args(Notify)


ASSIGNED: Final = (
    Spec("#cR", (ROOM,), N_("Create a room and go into it."), N_("#cR chess")),
    Spec("#gR", (ROOM,), N_("Go into a room, leaving the one you are in."), N_("#gR chess")),
    Spec("#eR", (), N_("Go back to the default room."), "#eR"),
    Spec("#lR", (), N_("List the rooms and how many are in each."), "#lR"),
    Spec("#dR", (ROOM,), N_("Delete your room; take another's off your list."), N_("#dR chess")),
    Spec("#show users", (), N_("List all users of the whole system."), "#show users"),
    Spec(
        r"#\private",
        (USER, TEXT),
        N_("Say something to one person, wherever they are."),
        N_(r"#\private<ana> hello"),
        aliases=("#private",),
    ),
    Spec("#exit", (), N_("Disconnect; rooms you made go with you."), "#exit"),
)

ROOMS: Final = (
    Spec("/join", (ROOM,), N_("Go into a room besides those you are in."), N_("/join chess"), ("/j",)),
    Spec(
        "/leave",
        (ROOM_HERE,),
        N_("Leave a room; close a private conversation."),
        "/leave",
        ("/part", "/close"),
    ),
    Spec(
        "/create",
        (ROOM,),
        N_("Create a room besides those you are in."),
        N_("/create --keep chess"),
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
    ),
    Spec("/hide", (ROOM,), N_("Take a room off your own list."), N_("/hide chess")),
    Spec("/unhide", (ROOM,), N_("Put a room back on your list."), N_("/unhide chess")),
    Spec(
        "/rooms",
        (),
        N_("List the rooms and how many are in each."),
        "/rooms",
        aliases=("/list",),
        flags={"--hidden": N_("with those off your list")},
    ),
    Spec("/members", (ROOM_HERE,), N_("Show who is in a room."), "/members", ("/names",)),
    Spec(
        "/topic",
        (Arg(N_("subject"), Kind.TEXT, optional=True),),
        N_("Show or set the room's topic line."),
        N_("/topic Openings, every Tuesday"),
        flags={"--clear": N_("take it away")},
    ),
    Spec("/invite", (USER, ROOM_HERE), N_("Let somebody into a private room."), "/invite ana"),
    Spec("/remove", (USER, ROOM_HERE), N_("Put somebody out of your room."), "/remove ana", ("/kick",)),
    Spec(
        "/moderator",
        (USER, Arg(N_("choice"), Kind.CHOICE, optional=True, choices=("on", "off"))),
        N_("Let somebody keep order in your room, or no longer."),
        "/moderator ana off",
        ("/mod",),
    ),
    Spec(
        "/go",
        (Arg(N_("name"), Kind.TALK, optional=True),),
        N_("Turn to a room or person, by number or some letters."),
        N_("/go ches"),
        ("/buffer", "/b", "/switch"),
    ),
)

MESSAGES: Final = (
    Spec(
        "/reply",
        (MESSAGE_OR_NOT, TEXT_OR_NOT),
        N_("Answer a message: the last one, or the one you name."),
        N_("/reply ^ana I think so too"),
        ("/r",),
    ),
    Spec(
        "/edit",
        (MESSAGE_OR_NOT, TEXT_OR_NOT),
        N_("Say something else in the place of your last message."),
        N_("/edit I meant Tuesday"),
        ("/e",),
    ),
    Spec(
        "/retract",
        (MESSAGE_OR_NOT,),
        N_("Take your last message back: its text is erased for everybody."),
        "/retract",
        ("/redact", "/unsend"),
    ),
    Spec(
        "/react",
        (MESSAGE_OR_NOT, Arg(N_("emoji"), Kind.EMOJI)),
        N_("Put an emoji to a message, or take yours away."),
        "/react :thumbsup:",
    ),
    Spec("/me", (TEXT,), N_("Say what you do."), N_("/me waves")),
    Spec("/resend", (), N_("Send once more what was refused here."), "/resend"),
    Spec(
        "/last",
        (NUMBER_OR_NOT,),
        N_("Show the last messages with their numbers."),
        "/last 5",
    ),
    Spec(
        "/search",
        (Arg(N_("words"), Kind.TEXT),),
        N_("Find words in all you may read; from:ana for those of one person."),
        "/search --here canción from:ana",
        ("/find", "/grep"),
        flags={"--here": N_("in this conversation only")},
    ),
    Spec("/goto", (MESSAGE,), N_("Go to a message by its number."), "/goto ^4711"),
    Spec("/history", (NUMBER_OR_NOT,), N_("Read further back."), "/history 200"),
    Spec("/links", (), N_("List the links of this conversation."), "/links", terminal=True),
    Spec("/open", (NUMBER_OR_NOT,), N_("Open a link by its number; the newest without."), "/open 2", terminal=True),
    Spec("/clear", (), N_("Empty the view; nothing is deleted."), "/clear"),
    Spec(
        "/editor",
        (),
        N_("Write the message in your $EDITOR (Alt+e does it too)."),
        "/editor",
        on_screen=True,
        terminal=True,
    ),
)

PEOPLE: Final = (
    Spec("/msg", (USER, TEXT_OR_NOT), N_("Talk to one person."), N_("/msg ana hello"), ("/m", "/query")),
    Spec("/users", (), N_("List all users of the whole system."), "/users"),
    Spec("/whois", (USER,), N_("Show who somebody is, and when they were last here."), "/whois ana"),
    Spec("/away", (NOTE,), N_("Say that you are away."), N_("/away at lunch")),
    Spec("/dnd", (NOTE,), N_("Say that you are not to be disturbed; nothing rings."), N_("/dnd exam")),
    Spec("/back", (NOTE,), N_("Say that you are available again."), "/back"),
    Spec(
        "/seen",
        (Arg(N_("choice"), Kind.CHOICE, optional=True, choices=("on", "off")),),
        N_("Let others see when you were last here, or not."),
        "/seen off",
    ),
)

ATTENTION: Final = (
    Spec(
        "/notify",
        (Arg(N_("level"), Kind.CHOICE, optional=True, choices=LEVELS),),
        N_("What of this room you are told by bell or notice."),
        "/notify all",
    ),
    Spec("/unread", (), N_("Say where something is unread (Alt+a goes there)."), "/unread"),
    Spec(
        "/read",
        (),
        N_("Count everything here as read."),
        "/read --all",
        flags={"--all": N_("in all conversations")},
    ),
    Spec(
        "/comings",
        (),
        N_("Show who comes and goes in crowded rooms, or hide it (Alt+= does it too)."),
        "/comings",
        terminal=True,
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
    ),
    Spec("/password", (), N_("Change your password; it is asked for, hidden."), "/password"),
    Spec("/sessions", (), N_("Show where you are logged in."), "/sessions"),
    Spec("/revoke", (NUMBER,), N_("End another of your sessions."), "/revoke 12"),
    Spec(
        "/keys",
        (
            Arg(N_("action"), Kind.CHOICE, optional=True, choices=("add", "revoke")),
            Arg(N_("name"), Kind.WORD, optional=True),
            Arg(N_("scopes"), Kind.TEXT, optional=True),
        ),
        N_("Show the keys that log in without your password; make one, or revoke it by its number."),
        "/keys add laptop read:lobby write:lobby",
        terminal=True,
    ),
    Spec("/logout", (), N_("End the session; the next start asks for the password."), "/logout"),
    Spec("/quit", (), N_("Disconnect; rooms you made go with you."), "/quit", ("/exit", "/q")),
    Spec(
        "/help",
        (Arg(N_("command"), Kind.COMMAND, optional=True),),
        N_("Show the commands, or one."),
        "/help join",
        ("/?",),
    ),
    Spec("/keyboard", (), N_("Show the keys (F1 does it too)."), "/keyboard", on_screen=True, terminal=True),
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
