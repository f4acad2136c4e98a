"""`tertulia users`: every user of the whole system, whoever is here marked. Must not know how a user is printed."""

from __future__ import annotations

import argparse
import asyncio

from client.commands import show
from client.commands.access import logged_in
from common.messages import UserList, Users


def run(arguments: argparse.Namespace) -> int:
    """Print the users, by login."""
    asyncio.run(_list(arguments))
    return 0


async def _list(arguments: argparse.Namespace) -> None:
    async with logged_in(arguments) as chat:
        page = UserList(users=[], more=True)
        while page.more:
            page = await chat.request(Users(after=page.users[-1].login if page.users else ""))
            for view in page.users:
                show.user(view, as_json=arguments.json)
