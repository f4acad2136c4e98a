"""`tertulia tail`: prints what was said in a room, and with `--follow` what is said from then on.

Must not know how a message is printed.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator

from client.commands import show
from client.commands.access import logged_in
from client.commands.visit import visit
from client.link.room import Room
from common.messages import Message

LAST = 20
"""Messages that are printed if nothing else was asked for."""


def run(arguments: argparse.Namespace) -> int:
    """Print the messages, oldest first."""
    asyncio.run(_tail(arguments))
    return 0


async def _tail(arguments: argparse.Namespace) -> None:
    async with logged_in(arguments) as chat, visit(chat, arguments.room) as room:
        left = arguments.count
        if left == 0:
            return
        async for message in _messages(room, arguments.since, arguments.count, arguments.follow):
            show.message(room.name, message, as_json=arguments.json)
            if left is not None:
                left -= 1
                if left == 0:
                    return


async def _messages(room: Room, since: int | None, count: int | None, follow: bool) -> AsyncIterator[Message]:
    """What was said after `since`, or else the last `count`; and with `follow` what is said from now on."""
    if since is None:
        page = await room.history(limit=LAST if count is None else count)
        last = room.view.head
    else:
        page = await room.history(after=since)
        last = since
    while page:
        for message in page:
            yield message
        last = page[-1].seq
        # The newest were one answer, however many; what is after a number may be many.
        page = await room.history(after=last) if since is not None else []
    if follow:
        async for message in room.messages(after=last):
            yield message
