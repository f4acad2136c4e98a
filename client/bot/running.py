"""Running bots as a program: who they are, connecting, and ending when told to. Must not know handlers."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from client import language
from client import log as output
from client.bot import loading
from client.bot.ending import AT_ONCE_S, Ending
from client.bot.errors import BadHandler
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
    if loading.note(bot, loading.Asked(None if rooms is None else tuple(rooms), address, key, login, password)):
        return DONE
    output.start()
    language.use()
    try:
        chat = connection(address, key, login, password)
    except (BadAddress, BadSecretFile, NotLoggedIn) as error:
        event(log, "not-served", logging.WARNING, code=getattr(error, "code", ""), reason=error)
        return WRONG_USAGE
    return run_all([Placed(bot, chat, rooms)])


@dataclass(frozen=True)
class Placed:
    """A bot with its connection, which is not started yet."""

    bot: Bot
    chat: ChatClient
    rooms: Iterable[str] | None = None
    """Where it is to be; else where it says itself, or `TERTULIA_BOT_ROOMS`."""


def connection(address: str | None, key: str | None, login: str | None, password: str | None) -> ChatClient:
    """The connection that the arguments ask for, or else the environment: `TERTULIA_BOT_KEY`, the path of a key file;
    or `TERTULIA_ADDRESS`, `TERTULIA_LOGIN` and `TERTULIA_PASSWORD`. With a key file the address is the file's, unless
    another host is given, or a whole address.

    Raises `BadSecretFile`, `BadAddress`, or `NotLoggedIn` that says what is missing.
    """
    login = login or os.environ.get("TERTULIA_LOGIN")
    password = password or os.environ.get("TERTULIA_PASSWORD")
    address = address or os.environ.get("TERTULIA_ADDRESS")
    path = key or (None if login and password and address else os.environ.get("TERTULIA_BOT_KEY"))
    if path is not None:
        credential = credentials.read(Path(path))
        where = credentials.broker(credential, address)
        if where != credential.address:
            event(log, "address-given", address=where, instead_of=credential.address)
        return ChatClient(where, credential.login, keys=credential.keys, client="tertulia bot")
    if not (address and login and password):
        raise NotLoggedIn(
            "Who is the bot? Set TERTULIA_BOT_KEY to the key file that 'tertulia-broker bot add' wrote, or "
            "TERTULIA_ADDRESS, TERTULIA_LOGIN and TERTULIA_PASSWORD."
        )
    return ChatClient(address, login, password, client="tertulia bot")


def run_all(placed: Sequence[Placed]) -> int:
    """Run bots side by side until SIGTERM or SIGINT, which let their handlers finish; a second one ends them at once.

    If one of them cannot go on, all end, so that whoever watches the process starts it anew. Returns the exit status.
    What does not end is ended by force, and the process with it.
    """
    with asyncio.Runner() as runner:
        stopping = Stopping()
        with Ending(runner.get_loop(), stopping.stop) as ending:
            status = REFUSED
            try:
                status = runner.run(_serve_all(placed, stopping))
            finally:
                ending.within(AT_ONCE_S, status)
                runner.close()
    return status


class Stopping:
    """Whether the bots are to stop, and what to cancel if they are told so once more."""

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self.tasks: list[asyncio.Task[int]] = []

    def stop(self) -> None:
        """Tell them."""
        if self.told.is_set():
            for task in self.tasks:
                task.cancel()
        self.told.set()


async def _serve_all(placed: Sequence[Placed], stopping: Stopping) -> int:
    tasks = stopping.tasks = [asyncio.create_task(_serve(each, stopping.told)) for each in placed]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        stopping.told.set()
        await asyncio.wait(tasks)
    finally:
        for task in tasks:
            task.cancel()
        statuses = await asyncio.gather(*tasks, return_exceptions=True)
    for status in statuses:
        if isinstance(status, BaseException) and not isinstance(status, asyncio.CancelledError):
            raise status
    return next((status for status in statuses if isinstance(status, int) and status), DONE)


async def _serve(placed: Placed, stopping: asyncio.Event) -> int:
    """Run one bot until it cannot go on, or until it is to stop."""
    serving = asyncio.create_task(_served(placed))
    stopped = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((serving, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            if not placed.bot.serving:
                return DONE  # it was still connecting
            await placed.bot.stop()
        return await serving
    finally:
        for task in (serving, stopped):
            task.cancel()
        await asyncio.gather(serving, stopped, return_exceptions=True)


async def _served(placed: Placed) -> int:
    bot, rooms = placed.bot, placed.rooms
    wanted = rooms if rooms is not None else bot.rooms or os.environ.get("TERTULIA_BOT_ROOMS", "").split()
    try:
        async with placed.chat:
            await bot.serve(placed.chat, rooms=wanted)
    except ChatError as error:
        event(log, "not-served", logging.WARNING, bot=bot.name, code=error.code, reason=error)
        return NO_BROKER if error.code in NOT_REACHED else REFUSED
    except BadHandler as error:  # by the environment: what the file says was looked at when it was loaded
        event(log, "not-served", logging.WARNING, bot=bot.name, reason=error)
        return WRONG_USAGE
    return DONE
