"""The key by which the broker's own gateway is let in: made in the data directory, registered with the scope for it.

A key that lies there and is not registered (any more) is never registered again: whoever revoked it had a reason. Must
not know the gateway's process.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from broker.chat.bots import AddBot, ListBots
from broker.office import Ask
from common import credentials, keys
from common.addresses import Address
from common.errors import Forbidden, NameTaken
from common.limits import LIST_PAGE
from common.scopes import GATEWAY

LOGINS: Final = ("web", *(f"web-{number}" for number in range(2, 10)))
"""What the gateway's account is called: the first of these that is no person's."""


def admit(ask: Ask, file: Path, address: Address) -> None:
    """Have a key in `file` that is a gateway's, and the broker's `address` beside it.

    `ask` does the operator's commands. Raises `ChatError`, among them `BadSecretFile`, and `OSError`.
    """
    if file.exists():
        kept = credentials.read(file)
        if _registered(ask, kept.keys.public):
            if kept.address != address:
                _replace(file, credentials.Credential(address, kept.login, kept.keys))
            return
    pair = keys.generate()
    # First the file: a key that is registered and nowhere written would be of no use.
    _replace(file, credentials.Credential(address, LOGINS[0], pair))
    for login in LOGINS:
        try:
            ask(AddBot(login=login, name="Tertulia", key=pair.public, key_name=file.name, scopes=[GATEWAY]))
        except (Forbidden, NameTaken):
            if login == LOGINS[-1]:
                raise
        else:
            if login != LOGINS[0]:
                _replace(file, credentials.Credential(address, login, pair))
            return


def _registered(ask: Ask, public: bytes) -> bool:
    after = ""
    while True:
        page: Any = ask(ListBots(after=after, limit=LIST_PAGE))
        if any(key.key == public and GATEWAY in key.scopes for bot in page.bots for key in bot.keys):
            return True
        if not page.more:
            return False
        after = page.bots[-1].login


def _replace(file: Path, credential: credentials.Credential) -> None:
    """Write the file whole, in the place of the one that is there."""
    draft = file.with_name(f".{file.name}.new")
    draft.unlink(missing_ok=True)
    credentials.write(draft, credential)
    draft.replace(file)
