"""Running a bot as a program: who it is, connecting, and ending when the process is told to. Must not know handlers."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from client.link.chat import ChatClient
from client.link.failures import NOT_REACHED
from common import credentials
from common.addresses import BadAddress
from common.errors import ChatError, NotLoggedIn
from common.keys import BadSecretFile

if TYPE_CHECKING:
    from client.bot.bot import Bot

DONE: Final = 0
REFUSED: Final = 1
WRONG_USAGE: Final = 2
NO_BROKER: Final = 3

log = logging.getLogger("tertulia.bot")


def run(
    bot: Bot,
    rooms: Iterable[str] | None = None,
    *,
    address: str | None = None,
    key: str | None = None,
    login: str | None = None,
    password: str | None = None,
) -> int:
    """Run a bot until SIGTERM or SIGINT; returns the exit status: 0 ended as told, 1 refused, 2 wrong usage, 3 no
    broker."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        chat = connection(address, key, login, password)
    except (BadAddress, BadSecretFile, NotLoggedIn) as error:
        log.error("%s", error)
        return WRONG_USAGE
    return asyncio.run(_serve(bot, chat, rooms))


def connection(address: str | None, key: str | None, login: str | None, password: str | None) -> type_of_maker:
    raise NotImplementedError
