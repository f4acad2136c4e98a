"""Being in a room for the time of one command: joined if need be, and then left again.

Must not know what is done there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from client.link.chat import ChatClient
from client.link.room import Room


@asynccontextmanager
async def visit(chat: ChatClient, name: str) -> AsyncIterator[Room]:
    """The room of that name, of which the account is a member within the context.

    Whoever was a member stays one. So does whoever made the room, and everybody in the default room, which cannot
    be left: the account leaves that with its last session.
    """
    known = chat.room(name)
    if known is not None:
        yield known
        return
    room = await chat.join(name)
    try:
        yield room
    finally:
        if room.left is None and room.view.creator != chat.login:
            await room.leave()
