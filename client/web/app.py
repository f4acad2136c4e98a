"""The gateway's process: an aiohttp application over one relay to the broker, from its first breath to its last.

Serves the web app, its WebSockets, webhooks and `/healthz`. Belongs to one event loop. Must not know how any of them
works, nor the command line.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from client import log
from client.language import LANGUAGES
from client.link.chat import ChatClient
from client.link.failures import SessionOver
from client.tui.text import emoji
from client.web.edge import bounds
from client.web.edge.allowances import Places
from client.web.edge.connection import Connection, server_log
from client.web.edge.descriptors import connections_within
from client.web.edge.pages import Pages
from client.web.edge.proxies import Network, Proxies
from client.web.edge.routes import Doors, application
from client.web.edge.tls import BadCertificate, Certificate
from client.web.facts import facts
from client.web.push.push import Push
from client.web.push.vapid import CONTACT
from client.web.relay.relay import Relay
from client.web.rooms import Rooms
from client.web.webhooks.cursors import Cursors
from client.web.webhooks.hooks import HooksFile
from client.web.webhooks.incoming import IncomingHooks
from client.web.webhooks.outgoing import OutgoingHooks
from client.web.webhooks.sending import Sender

LOGGER: Final = logging.getLogger("tertulia.web")
FRESH: Final = "TERTULIA_WEB_DEV"
"""With this in the environment, for whoever works on the browser's files, they are read anew once they change."""


@dataclass(frozen=True)
class Settings:
    """Where the gateway listens, whom it trusts, and where its files are."""

    listen: str
    port: int
    """0 takes a free one."""
    hooks: Path
    data: Path
    """The directory of what push keeps; made if it is not there."""
    certificate: Certificate | None = None
    """For TLS; without it a proxy has to speak it, or the browser be on this machine."""
    proxies: tuple[Network, ...] = ()
    """The networks of trusted proxies."""
    origins: frozenset[str] = field(default_factory=frozenset)
    """Origins besides the request's own that pages may have."""
    push_contact: str = CONTACT
    """Whom push services write to: a `mailto:` or `https:` URL."""
    per_address: int = bounds.PER_ADDRESS
    """Connections at once from one address."""


async def serve(relay: Relay, settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then end in good order; `ready` is given the URL.

    Raises `BadHook`, `BadSecretFile`, `BadPages` or `OSError` if it cannot begin, `SessionOver` once the key is good no
    more.
    """
    async with AsyncExitStack() as stack:
        hook, work = None, None
        if relay.chat.login is not None:
            hooks, cursors, sender, rooms = (
                HooksFile(settings.hooks),
                Cursors(settings.hooks),
                Sender(),
                Rooms(relay.chat),
            )
            stack.callback(cursors.close)
            stack.push_async_callback(sender.close)
            work = OutgoingHooks(relay.chat, rooms, hooks, cursors, sender)
            hook = IncomingHooks(relay.chat, rooms, hooks).handle
        most = connections_within(bounds.CONNECTIONS)
        doors = Doors(Proxies(settings.proxies), settings.origins, Places(settings.per_address, most))
        push = Push(relay, settings.data, settings.push_contact)
        stack.push_async_callback(push.close)
        app = application(relay, Pages(_facts(), fresh=FRESH in os.environ), hook, doors, push.forget)
        runner = web.AppRunner(app, access_log=None, logger=server_log(), shutdown_timeout=bounds.SHUT_S)
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        push.start()
        with suppress(TimeoutError):
            async with asyncio.timeout(bounds.LIVE_S):
                await relay.chat.wait_live()
        server = await _listen(runner, settings, doors.proxies, Places(settings.per_address, most))
        stack.push_async_callback(_drain, server, relay, work)
        told = _signals(settings.certificate)
        ready(_url(server, settings))
        await _work(relay.chat, work, told)


def _facts() -> dict[str, bytes]:
    """What the browser is told of what is written in Python, by its path."""
    told: dict[str, Mapping[str, Any]] = {f"/facts/{lang}.json": facts(lang) for lang in LANGUAGES}
    told["/facts/emoji.json"] = emoji.table()
    return {path: json.dumps(what, ensure_ascii=False).encode() for path, what in told.items()}


async def _listen(runner: web.AppRunner, settings: Settings, proxies: Proxies, places: Places) -> asyncio.Server:
    logger, handlers = server_log(), runner.server
    assert handlers is not None
    certificate = settings.certificate
    return await asyncio.get_running_loop().create_server(
        lambda: Connection(handlers, logger, places, proxies),
        settings.listen,
        settings.port,
        ssl=certificate.context if certificate else None,
        ssl_handshake_timeout=bounds.TLS_S if certificate else None,
        backlog=bounds.BACKLOG,
    )


def _url(server: asyncio.Server, settings: Settings) -> str:
    host, port, *_rest = server.sockets[0].getsockname()
    scheme = "https" if settings.certificate else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _signals(certificate: Certificate | None) -> asyncio.Event:
    """What is set once the process is told to end; SIGHUP has the certificate read again."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    loop.add_signal_handler(signal.SIGHUP, _renew, certificate)
    return told


async def _work(chat: ChatClient, outgoing: OutgoingHooks | None, told: asyncio.Event) -> None:
    """Send what there is to send until told to end, or until the session has ended."""
    tasks = [asyncio.create_task(told.wait()), asyncio.create_task(_session_over(chat))]
    if outgoing is not None:
        tasks.append(asyncio.create_task(outgoing.run()))
    try:
        done, _pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _drain(server: asyncio.Server, relay: Relay, outgoing: OutgoingHooks | None) -> None:
    """Listen no more, send browsers away, and let webhooks under way come to an end."""
    server.close()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(relay.drain())
        if outgoing is not None:
            tasks.create_task(outgoing.stop(bounds.DRAIN_S))


def _renew(certificate: Certificate | None) -> None:
    """Read the certificate again, if there is one; if it cannot be used, the one that was stays."""
    if certificate is None:
        return
    try:
        certificate.read()
    except BadCertificate as error:
        log.event(LOGGER, "web-certificate-kept", logging.WARNING, cause=str(error))
    else:
        log.event(LOGGER, "web-certificate-read")


async def _session_over(chat: ChatClient) -> None:
    updates = chat.updates()
    while chat.ended is None:
        await anext(updates)
    raise SessionOver
