"""`/keys`: the keys that log in to one's account without a password, listed, made, revoked.

Takes the desk, its arguments by name and its flags (`client.tui.commands.ports.Action`). Must not know the screen.
"""

from __future__ import annotations

from collections.abc import Mapping

from client.language import _
from client.link import own_keys
from client.trust import key_file
from client.tui.commands.ports import Desk
from client.tui.view.render import clock, short_day
from common.messages import KeyRevoke, Keys, KeyView
from common.scopes import ALL

Values = Mapping[str, str]
Flags = frozenset[str]


async def keys(desk: Desk, values: Values, flags: Flags) -> None:
    """`/keys`: list them; `add` makes one, `revoke` forgets one."""
    match values.get("action"), values.get("name"):
        case None, _name:
            await _list(desk)
        case "add", str(name):
            await _add(desk, name, values.get("scopes", "").split())
        case "revoke", str(number) if number.isascii() and number.isdigit():
            await desk.chat.request(KeyRevoke(key=int(number)))
            desk.tell(_("Key {number} is revoked; whoever used it is cut off.").format(number=number))
        case "add", None:
            desk.complain(_("A key needs a name: /keys add laptop"))
        case _unknown:
            desk.complain(_("Which key? /keys shows their numbers; /keys revoke <number> ends one."))


async def _list(desk: Desk) -> None:
    found = (await desk.chat.request(Keys())).keys
    if found:
        desk.tell(_("Your keys; /keys revoke <number> ends one:"), *map(_line, found))
    else:
        desk.tell(_("You have no keys. /keys add <name> makes one, which logs in without your password."))
    desk.tell(_("The keys of the keyboard: F1, or /keyboard."))


def _line(view: KeyView) -> str:
    when = _("never used")
    if view.online:
        when = _("in use now")
    elif view.seen is not None:
        when = _("last used {when}").format(when=f"{short_day(view.seen)} {clock(view.seen)}")
    return f"{view.id:>4}  {view.name}  ({when})  {' '.join(view.scopes)}"


async def _add(desk: Desk, name: str, scopes: list[str]) -> None:
    file = key_file(name)
    made = await own_keys.make(desk.chat, file, name, scopes or ALL)
    said = _("Key {number} is in {file}; whoever has that file is you here, without your password.")
    desk.tell(
        said.format(number=made.id, file=file),
        _("It is for: {scopes}").format(scopes=" ".join(made.scopes)),
        _("To use it: tertulia --key {file}").format(file=file),
    )
