"""What is answered where, and what each request passes first: who asks, how often, and from which page.

Must not know what the answers are made of.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from client.language import N_
from client.link.updates import LinkState
from client.web.edge import bounds, cookies, security
from client.web.edge.allowances import Allowances, Places
from client.web.edge.connection import Connection
from client.web.edge.entrance import Entrance, Left, refused
from client.web.edge.pages import Pages
from client.web.edge.proxies import Asker, Proxies
from client.web.edge.wording import lang, wording_of
from client.web.relay.relay import Relay
from client.web.webhooks.bounds import BODY_BYTES
from common.errors import ChatError, Forbidden

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SOCKET: Final = "/ws"
API: Final = "/api/"
_FOREIGN: Final = N_("This was not sent by a page of this server; load the page anew.")
TOO_MANY_SOCKETS: Final = 4429
"""The code by which a WebSocket is closed whose address has too many."""


@dataclass(frozen=True)
class Doors:
    """What a request is judged by."""

    proxies: Proxies
    origins: Collection[str]
    """Origins besides the request's own that a page may have, as browsers write them."""
    sockets: Places
    """The WebSockets of each address."""


def application(relay: Relay, pages: Pages, hook: Handler | None, doors: Doors, left: Left) -> web.Application:
    """The whole of what is served; `hook` answers a POST to `/hook/{secret}`, `left` is told who has logged out."""
    edge = _Edge(relay, pages, doors)
    entrance = Entrance(relay, edge.asker, left)
    # Forms are bounded where they are read: this is for the hooks.
    app = web.Application(client_max_size=BODY_BYTES, middlewares=[edge.gate])
    app.on_response_prepare.append(edge.protect)
    app.router.add_get("/healthz", edge.health)
    app.router.add_post("/hook/{secret}", hook or _no_hook)
    app.router.add_get(API + "server", edge.server)
    app.router.add_post(API + "login", entrance.login)
    app.router.add_post(API + "register", entrance.register)
    app.router.add_post(API + "logout", entrance.logout)
    app.router.add_get(SOCKET, edge.socket, allow_head=False)
    app.router.add_get("/{path:(?!hook/|api/).*}", edge.page)
    return app


async def _no_hook(_request: web.Request) -> web.Response:
    return web.Response(status=404, text="There is no such hook.")


class _Edge:
    def __init__(self, relay: Relay, pages: Pages, doors: Doors) -> None:
        self._relay = relay
        self._pages = pages
        self._doors = doors
        self._requests = Allowances(bounds.REQUESTS)

    def asker(self, request: web.Request) -> Asker:
        """Who sent a request."""
        peer = request.transport.get_extra_info("peername") if request.transport is not None else None
        tls = request.transport is not None and request.transport.get_extra_info("sslcontext") is not None
        return self._doors.proxies.asker(peer[0] if peer else "", tls, request.headers)

    @web.middleware
    async def gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request through, if there are not too many, and it comes from whom it has to come from."""
        connection = request.protocol
        if isinstance(connection, Connection):
            connection.busy()
        try:
            asker = request["asker"] = self.asker(request)
            wait = self._requests.wait(asker.neighbourhood, asyncio.get_running_loop().time())
            if wait:
                retry = {"Retry-After": str(math.ceil(wait))}
                return web.Response(status=429, text="Too many requests; wait a little.\n", headers=retry)
            try:
                self._judge(request, asker)
                return await handler(request)
            except ChatError as error:
                return refused(error, wording_of(request))
        finally:
            if isinstance(connection, Connection):
                connection.idle()

    def _judge(self, request: web.Request, asker: Asker) -> None:
        if request.path != SOCKET and not request.path.startswith(API):
            return
        unsaid = request.path != SOCKET and request.method in ("GET", "HEAD")
        if not security.from_here(request, secure=asker.secure, others=self._doors.origins, unsaid=unsaid):
            raise Forbidden(_FOREIGN)

    async def protect(self, request: web.Request, response: web.StreamResponse) -> None:
        """Give an answer the headers that every answer has, and a WebSocket's browser its cookie anew."""
        security.protect(response, secure=self.asker(request).secure)
        if response.status == 101 and (secret := cookies.read(request)) is not None and cookies.kept(secret):
            cookies.give(response, secret)
            # The cookies of an answer that is being prepared have become header fields by now.
            response.headers.add("Set-Cookie", response.cookies[cookies.NAME].OutputString())

    async def health(self, _request: web.Request) -> web.Response:
        """`GET /healthz`: whether the broker is reached."""
        live = self._relay.chat.link is LinkState.LIVE
        return web.json_response({"broker": self._relay.chat.link.value}, status=200 if live else 503)

    async def server(self, _request: web.Request) -> web.Response:
        """`GET /api/server`: what somebody sees of a server before they have a login."""
        welcome = self._relay.chat.welcome
        return web.json_response({"ok": True, "server": welcome.server, "registration": welcome.registration})

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Answer with a file, if the path, as it was written, is that of one."""
        page = self._pages.find(request.rel_url.raw_path)
        if page is None:
            raise web.HTTPNotFound
        return page.answer(request)

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """`GET /ws`: hand the browser over to the relay."""
        asker: Asker = request["asker"]
        if not self._doors.sockets.take(asker.neighbourhood):
            return await _too_many(request)
        try:
            secret = cookies.read(request)
            label = cookies.label(secret) if secret is not None else ""
            spoken = lang(request, request.query.get("lang", ""))
            return await self._relay.serve(request, label, asker.address, spoken)
        finally:
            self._doors.sockets.free(asker.neighbourhood)


async def _too_many(request: web.Request) -> web.StreamResponse:
    socket = web.WebSocketResponse(protocols=("tertulia.1",), timeout=bounds.SHUT_S)
    await socket.prepare(request)
    await socket.close(code=TOO_MANY_SOCKETS, message=b"too many sockets")
    return socket
