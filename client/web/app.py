"""The gateway's process: an aiohttp application over one client of the broker, from its first breath to its last.

Serves webhooks and `/healthz`. Belongs to one event loop. Must not know how webhooks work, nor the command line.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from client.link.chat import ChatClient
from client.link.failures import SessionOver
from client.link.updates import LinkState
from client.web.rooms import Rooms
from client.web.webhooks.bounds import BODY_BYTES
from client.web.webhooks.cursors import Cursors
from client.web.webhooks.hooks import HooksFile
from client.web.webhooks.incoming import IncomingHooks
from client.web.webhooks.outgoing import OutgoingHooks
from client.web.webhooks.sending import Sender

GRACE_S: Final = 5.0
"""Seconds that requests on either side have to end in once the process is told to."""


@dataclass(frozen=True)
class Settings:
    """Where the gateway listens, and where its hooks are."""

    listen: str
    port: int
    """0 takes a free one."""
    hooks: Path


async def serve(chat: ChatClient, settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then end in good order; `ready` is given the URL.

    Raises `BadHook`, `BadSecretFile` or `OSError` if it cannot begin, `SessionOver` once the key is good no more.
    """
    hooks, cursors = HooksFile(settings.hooks), Cursors(settings.hooks)
    sender, rooms = Sender(), Rooms(chat)
    outgoing = OutgoingHooks(chat, rooms, hooks, cursors, sender)
    app = application(chat, IncomingHooks(chat, rooms, hooks))
    runner = web.AppRunner(app, access_log=None, logger=_server_log(), shutdown_timeout=GRACE_S)
    try:
        await runner.setup()
        site = web.TCPSite(runner, settings.listen, settings.port)
        await site.start()
        ready(_url(runner))
        await _work(chat, outgoing)
    finally:
        await runner.cleanup()
        await sender.close()
        cursors.close()


def application(chat: ChatClient, incoming: IncomingHooks) -> web.Application:
    """What is answered where."""

    async def health(_request: web.Request) -> web.Response:
        live = chat.link is LinkState.LIVE
        return web.json_response({"broker": chat.link.value}, status=200 if live else 503)

    app = web.Application(client_max_size=BODY_BYTES)
    app.router.add_get("/healthz", health)
    app.router.add_post("/hook/{secret}", incoming.handle)
    return app


def _server_log() -> logging.Logger:
    """The log of aiohttp's server, which says nothing of a request that it cannot read: it would quote it, and with it
    the secret of a hook; and anybody could fill the disk."""
    logger = logging.getLogger("tertulia.web.server")
    if _of_ours not in logger.filters:
        logger.addFilter(_of_ours)
    return logger


def _of_ours(record: logging.LogRecord) -> bool:
    """Whether something is to be mended here, and not by whoever asked."""
    fault = record.exc_info[1] if record.exc_info else None
    return not isinstance(fault, HttpProcessingError | web.RequestPayloadError | ConnectionError)


def _url(runner: web.AppRunner) -> str:
    host, port, *_rest = runner.addresses[0]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _work(chat: ChatClient, outgoing: OutgoingHooks) -> None:
    """Send what there is to send until told to end, or until the session has ended."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    tasks = [
        asyncio.create_task(told.wait()),
        asyncio.create_task(_session_over(chat)),
        asyncio.create_task(outgoing.run()),
    ]
    try:
        done, _pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await outgoing.stop(GRACE_S)


async def _session_over(chat: ChatClient) -> None:
    updates = chat.updates()
    while chat.ended is None:
        await anext(updates)
    raise SessionOver
