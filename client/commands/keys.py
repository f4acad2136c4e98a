"""`tertulia keys`: the keys that log in to one's account without a password. Must not know what a scope allows."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from client.commands import show
from client.commands.access import logged_in
from client.language import _
from client.link import own_keys
from client.trust import key_file
from common.messages import KeyRevoke, Keys
from common.scopes import ALL
from common.texts import visible


def run(arguments: argparse.Namespace) -> int:
    """List the keys, make one, or revoke one."""
    asyncio.run({"list": _list, "add": _add, "revoke": _revoke}[arguments.action](arguments))
    return 0


async def _list(arguments: argparse.Namespace) -> None:
    async with logged_in(arguments) as chat:
        for view in (await chat.request(Keys())).keys:
            show.key(view, as_json=arguments.json)


async def _add(arguments: argparse.Namespace) -> None:
    file: Path = arguments.file or key_file(arguments.name)
    async with logged_in(arguments) as chat:
        made = await own_keys.make(chat, file, arguments.name, arguments.scopes or ALL)
    said = _("Key {number} is in {file}; whoever has that file is {login}. Use it with --key.")
    print(said.format(number=made.id, file=visible(str(file)), login=visible(chat.login or "")))


async def _revoke(arguments: argparse.Namespace) -> None:
    async with logged_in(arguments) as chat:
        await chat.request(KeyRevoke(key=arguments.number))
