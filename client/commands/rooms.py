"""`tertulia rooms`: every room one may know of, with how many are there. Must not know how a room is printed."""

from __future__ import annotations

import argparse
import asyncio

from client.commands import show
from client.commands.access import logged_in
from common.messages import RoomList, Rooms


def run(arguments: argparse.Namespace) -> int:
    """Print the rooms, by name."""
    asyncio.run(_list(arguments))
    return 0


async def _list(arguments: argparse.Namespace) -> None:
    async with logged_in(arguments) as chat:
        page = RoomList(rooms=[], more=True)
        while page.more:
            page = await chat.request(Rooms(after=page.rooms[-1].name if page.rooms else ""))
            for view in page.rooms:
                show.room(view, as_json=arguments.json)
