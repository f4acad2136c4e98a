"""`tertulia send`: says something in a room, and ends when it is on the broker's disk."""

from __future__ import annotations

import argparse
import asyncio
import sys

from client.commands.access import logged_in
from client.commands.visit import visit
from common import texts


def run(arguments: argparse.Namespace) -> int:
    """Send the text of the command line, or else the whole input as one message."""
    asyncio.run(_send(arguments))
    return 0


async def _send(arguments: argparse.Namespace) -> None:
    async with logged_in(arguments, input_is_text=not arguments.text) as chat:
        text = texts.check_text(" ".join(arguments.text) or sys.stdin.read().rstrip("\n"))
        async with visit(chat, arguments.room) as room:
            await room.send(text)
