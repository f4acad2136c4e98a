"""`tertulia tail`: prints what was said in a room, and with `--follow` what is said from then on.

What was said is printed as it is now; what changes it while it is followed, or after `--since`, is printed as it comes.
Must not know how a message is printed.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Sequence

from client.commands import show
from client.commands.access import logged_in
from client.commands.visit import visit
from client.link.room import Room, RoomEntry
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
            show.entry(room.name, message, as_json=arguments.json)
            if left is not None and isinstance(message, Message):
                left -= 1
                if left == 0:
                    return


async def _messages(room: Room, since: int | None, count: int | None, follow: bool) -> AsyncIterator[RoomEntry]:
    """What was said or changed after `since`, or else what was said last; and with `follow` what is from now on."""
    page: Sequence[RoomEntry]
    if since is None:
        page = await room.history(limit=LAST if count is None else count)
        last = room.view.head
    else:
        page = await room.whole_history(after=since)
        last = since
    while page:
        for entry in page:
            yield entry
        last = max(last, page[-1].seq)
        # The newest were one answer, however many; what is after a number may be many.
        page = await room.whole_history(after=last) if since is not None else []
    if follow:
        async for entry in room.entries(after=last):
            yield entry
