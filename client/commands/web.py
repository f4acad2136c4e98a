"""`tertulia web`: the gateway, which lets other programs post into rooms and tells them what is said there.

Must not know how it does that: see `client/web`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from client import log
from client.cli import WrongUsage
from client.commands.access import logged_in
from client.commands.program import by_key, key_file
from client.language import _, sentence
from common.keys import BadSecretFile

if TYPE_CHECKING:
    from client.link.chat import ChatClient


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to end; the first line printed is the URL."""
    log.start()
    try:
        asyncio.run(_serve(arguments))
    except ModuleNotFoundError as error:
        if error.name != "aiohttp":
            raise
        raise WrongUsage(_("the gateway needs aiohttp: pip install 'tertulia[web]'")) from None
    return 0


async def _serve(arguments: argparse.Namespace) -> None:
    from client.web.app import Settings, serve
    from client.web.webhooks.hooks import BadHook, default_path

    settings = Settings(arguments.listen, arguments.port, vars(arguments).get("hooks") or default_path())
    file = key_file(arguments)
    connected: AbstractAsyncContextManager[ChatClient] = (
        by_key(file, "tertulia web") if file is not None else logged_in(arguments)
    )
    try:
        async with connected as chat:
            await serve(chat, settings, _ready)
    except (BadHook, BadSecretFile) as error:
        raise WrongUsage(sentence(error) if isinstance(error, BadSecretFile) else str(error)) from None
    except OSError as error:
        where = f"{arguments.listen}:{arguments.port}"
        raise WrongUsage(_("{where}: cannot listen there ({reason})").format(where=where, reason=error)) from None


def _ready(url: str) -> None:
    print(url)
    sys.stdout.flush()
