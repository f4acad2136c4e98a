"""Running a bot as a program: who it is, connecting, and ending when the process is told to. Must not know handlers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from client import language
from client import log as output
from client.link.chat import ChatClient
from client.link.failures import NOT_REACHED
from client.log import event
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
    output.start()
    language.use()
    try:
        chat = connection(address, key, login, password)
    except (BadAddress, BadSecretFile, NotLoggedIn) as error:
        event(log, "not-served", logging.WARNING, code=getattr(error, "code", ""), reason=error)
        return WRONG_USAGE
    return asyncio.run(_serve(bot, chat, rooms))


def connection(address: str | None, key: str | None, login: str | None, password: str | None) -> ChatClient:
    """The connection that the arguments ask for, or else the environment: `TERTULIA_BOT_KEY`, the path of a key file;
    or `TERTULIA_ADDRESS`, `TERTULIA_LOGIN` and `TERTULIA_PASSWORD`.

    Raises `BadSecretFile`, `BadAddress`, or `NotLoggedIn` that says what is missing.
    """
    login = login or os.environ.get("TERTULIA_LOGIN")
    password = password or os.environ.get("TERTULIA_PASSWORD")
    address = address or os.environ.get("TERTULIA_ADDRESS")
    path = key or (None if login and password and address else os.environ.get("TERTULIA_BOT_KEY"))
    if path is not None:
        credential = credentials.read(Path(path))
        return ChatClient(address or credential.address, keys=credential.keys, client="tertulia bot")
    if not (address and login and password):
        raise NotLoggedIn(
            "Who is the bot? Set TERTULIA_BOT_KEY to the key file that 'tertulia-broker bot add' wrote, or "
            "TERTULIA_ADDRESS, TERTULIA_LOGIN and TERTULIA_PASSWORD."
        )
    return ChatClient(address, login, password, client="tertulia bot")


async def _serve(bot: Bot, chat: ChatClient, rooms: Iterable[str] | None) -> int:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    stopping: list[asyncio.Task[None]] = []

    def stop() -> None:
        if stopping:
            task.cancel()  # Told twice: at once.
        stopping.append(loop.create_task(bot.stop()))

    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop)
    wanted = rooms if rooms is not None else bot.rooms or os.environ.get("TERTULIA_BOT_ROOMS", "").split()
    try:
        async with chat:
            await bot.serve(chat, rooms=wanted)
    except ChatError as error:
        event(log, "not-served", logging.WARNING, code=getattr(error, "code", ""), reason=error)
        return NO_BROKER if error.code in NOT_REACHED else REFUSED
    except asyncio.CancelledError:
        if not stopping:
            raise
    return DONE
