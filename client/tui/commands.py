"""The one table of all commands, `#` and `/`: parser, help and completion read it, and nothing else is a command.

The `#` commands keep the meaning of the assignment this chat began as: one current room per session. The `/`
commands know several rooms at once. Must not know what the commands do (`client.tui.doing`, `client.tui.asking`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from client.tui import asking, doing
from client.tui.grammar import Arg, Kind, Spec, Table
from client.tui.ports import Desk
from client.tui.wrap import cells, pad

ROOM: Final = Arg("room", Kind.ROOM)
ROOM_HERE: Final = Arg("room", Kind.ROOM, optional=True)
USER: Final = Arg("user", Kind.USER)
TEXT: Final = Arg("text", Kind.TEXT)
TEXT_OR_NOT: Final = Arg("text", Kind.TEXT, optional=True)
NUMBER: Final = Arg("number", Kind.NUMBER)


async def help(desk: Desk, values: Mapping[str, str], flags: frozenset[str]) -> None:
    """`/help`: all commands, or one of them."""
    if "command" not in values:
        desk.tell(*overview())
        return
    spec = TABLE.find(values["command"])
    if spec is None:
        near = TABLE.near(values["command"])
        desk.complain(f"There is no command {values['command']}." + (f" Did you mean {near.name}?" if near else ""))
        return
    desk.tell(*explained(spec))


def overview() -> list[str]:
    """All commands with their sentences."""
    width = max(cells(spec.usage) for spec in TABLE if len(spec.usage) < 30) + 2
    lines = [
        f"{pad(spec.usage, width) if cells(spec.usage) < width else spec.usage + '  '}{spec.help}" for spec in TABLE
    ]
    return [*lines, "A message that begins with / or # is written with two of them. Keys: F1."]


def explained(spec: Spec) -> list[str]:
    """One command in full."""
    lines = [f"{spec.usage}   {spec.help}", *(f"  {flag}  {what}" for flag, what in spec.flags.items())]
    if spec.aliases:
        lines.append(f"also written {', '.join(spec.aliases)}")
    return [*lines, f"for example: {spec.example}"]


TABLE: Final = Table(
    [
        Spec("#cR", (ROOM,), "Create a room and go into it.", "#cR chess", doing.create_and_enter),
        Spec("#gR", (ROOM,), "Go into a room, leaving the one you are in.", "#gR chess", doing.enter),
        Spec("#eR", (), "Go back to the default room.", "#eR", doing.back),
        Spec("#lR", (), "List the rooms and how many are in each.", "#lR", asking.rooms),
        Spec("#dR", (ROOM,), "Delete your room; take another's off your list.", "#dR chess", doing.delete),
        Spec("#show users", (), "List all users of the whole system.", "#show users", asking.users),
        Spec(
            r"#\private",
            (USER, TEXT),
            "Say something to one person, wherever they are.",
            r"#\private<ana> hello",
            doing.message,
            aliases=("#private",),
        ),
        Spec("#exit", (), "Disconnect; rooms you made go with you.", "#exit", doing.quit),
        Spec("/help", (Arg("command", Kind.COMMAND, optional=True),), "Show the commands, or one.", "/help join", help),
        Spec("/join", (ROOM,), "Go into a room besides those you are in.", "/join chess", doing.join, ("/j",)),
        Spec("/leave", (ROOM_HERE,), "Leave a room; close a private conversation.", "/leave", doing.leave, ("/part",)),
        Spec(
            "/create",
            (ROOM,),
            "Create a room besides those you are in.",
            "/create --keep chess",
            doing.create,
            flags={
                "--keep": "it stays when you disconnect",
                "--private": "only whoever is invited may know of it",
                "--open": "whoever comes in may read what was said before",
            },
        ),
        Spec("/delete", (ROOM_HERE,), "Delete your room; take another's off your list.", "/delete chess", doing.delete),
        Spec("/hide", (ROOM,), "Take a room off your own list.", "/hide chess", doing.hide),
        Spec("/unhide", (ROOM,), "Put a room back on your list.", "/unhide chess", doing.unhide),
        Spec(
            "/rooms",
            (),
            "List the rooms and how many are in each.",
            "/rooms",
            asking.rooms,
            aliases=("/list",),
            flags={"--hidden": "with those off your list"},
        ),
        Spec("/users", (), "List all users of the whole system.", "/users", asking.users),
        Spec("/members", (ROOM_HERE,), "Show who is in a room.", "/members", asking.members, ("/names",)),
        Spec("/msg", (USER, TEXT_OR_NOT), "Talk to one person.", "/msg ana hello", doing.message, ("/m", "/query")),
        Spec(
            "/topic",
            (Arg("subject", Kind.TEXT, optional=True),),
            "Show or set the room's topic line.",
            "/topic Openings, every Tuesday",
            doing.topic,
            flags={"--clear": "take it away"},
        ),
        Spec("/invite", (USER, ROOM_HERE), "Let somebody into a private room.", "/invite ana", doing.invite),
        Spec("/remove", (USER, ROOM_HERE), "Put somebody out of your room.", "/remove ana", doing.remove, ("/kick",)),
        Spec("/whois", (USER,), "Show who somebody is.", "/whois ana", asking.whois),
        Spec(
            "/profile",
            (Arg("field", Kind.WORD, optional=True), Arg("value", Kind.TEXT, optional=True)),
            "Show your profile, or change a field of it.",
            "/profile age 34",
            doing.profile,
        ),
        Spec("/password", (), "Change your password; it is asked for, hidden.", "/password", doing.password),
        Spec("/sessions", (), "Show where you are logged in.", "/sessions", asking.sessions),
        Spec("/revoke", (NUMBER,), "End another of your sessions.", "/revoke 12", doing.revoke),
        Spec(
            "/history",
            (Arg("number", Kind.NUMBER, optional=True),),
            "Read further back (PgUp does it too).",
            "/history 200",
            doing.history,
        ),
        Spec("/clear", (), "Empty the view; nothing is deleted.", "/clear", doing.clear),
        Spec("/logout", (), "End the session; the next start asks for the password.", "/logout", doing.logout),
        Spec("/quit", (), "Disconnect; rooms you made go with you.", "/quit", doing.quit, ("/exit", "/q")),
    ]
)
"""Every command there is."""
