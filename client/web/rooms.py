"""The rooms that the gateway is in for those who use it: joined when they are first needed, once for all who ask.

Must not know what is done there.
"""

from __future__ import annotations

import asyncio

from client.link.chat import ChatClient
from client.link.room import Room
from common import names


class Rooms:
    """Joins rooms of one client."""

    def __init__(self, chat: ChatClient) -> None:
        self._chat = chat
        self._locks: dict[str, asyncio.Lock] = {}

    async def join(self, name: str) -> Room:
        """The room of that name, of which the account is a member now. Raises why it cannot be joined."""
        lock = self._locks.setdefault(names.key(name), asyncio.Lock())
        async with lock:
            return self._chat.room(name) or await self._chat.join(name)
