"""What each command of the table does in the terminal, and `/help`, which shows the table itself.

Must not know how a line is read (`client.typed.grammar`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from client.language import _
from client.tui.commands import amending, asking, attention, doing, finding, own_keys
from client.tui.commands.ports import Action, Desk
from client.tui.text.wrap import cells, pad
from client.typed.grammar import Kind, Spec
from client.typed.table import GROUPS, TABLE


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


ACTIONS: Final[Mapping[str, Action]] = {
    "#cR": doing.create_and_enter,
    "#gR": doing.enter,
    "#eR": doing.back,
    "#lR": asking.rooms,
    "#dR": doing.delete,
    "#show users": asking.users,
    r"#\private": doing.message,
    "#exit": doing.quit,
    "/join": doing.join,
    "/leave": doing.leave,
    "/create": doing.create,
    "/delete": doing.delete,
    "/hide": doing.hide,
    "/unhide": doing.unhide,
    "/rooms": asking.rooms,
    "/members": asking.members,
    "/topic": doing.topic,
    "/invite": doing.invite,
    "/remove": doing.remove,
    "/moderator": doing.moderator,
    "/go": finding.go,
    "/reply": amending.reply,
    "/edit": amending.edit,
    "/retract": amending.retract,
    "/react": amending.react,
    "/me": doing.act,
    "/resend": amending.resend,
    "/last": amending.last_ones,
    "/search": finding.search,
    "/goto": finding.go_to_message,
    "/history": doing.history,
    "/links": finding.list_links,
    "/open": finding.open_link,
    "/clear": doing.clear,
    "/editor": doing.editor,
    "/msg": doing.message,
    "/users": asking.users,
    "/whois": asking.whois,
    "/away": attention.away,
    "/dnd": attention.dnd,
    "/back": attention.back,
    "/seen": attention.seen,
    "/notify": attention.notify,
    "/unread": attention.unread,
    "/read": attention.read,
    "/comings": attention.comings,
    "/profile": doing.profile,
    "/password": doing.password,
    "/sessions": asking.sessions,
    "/revoke": doing.revoke,
    "/keys": own_keys.keys,
    "/logout": doing.logout,
    "/quit": doing.quit,
    "/help": help,
    "/keyboard": show_keys,
}
"""For each row of the table, by its name."""
