"""Which accounts are programs, as far as a bot knows or can ask. Must not know why it matters."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from client.bot.desk import Desk
from common import names
from common.errors import ChatError

PEOPLE: Final = 1_000
"""Accounts of which it is remembered: those met last."""


class Programs:
    """The accounts that were met."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: OrderedDict[str, bool] = OrderedDict()

    def remember(self, login: str, program: bool) -> None:
        """Somebody is a program, or is none."""
        self._known[names.key(login)] = program
        self._known.move_to_end(names.key(login))
        if len(self._known) > PEOPLE:
            self._known.popitem(last=False)

    async def has(self, login: str) -> bool:
        """Whether somebody is a program; if the broker does not say so now, they are taken for a person."""
        known = self._known.get(names.key(login))
        if known is None:
            try:
                found = await self._desk.find_user(login)
            except ChatError:
                return False
            known = found is not None and found.bot
            self.remember(login, known)
        return known
