"""A relay behind the smallest web server there can be, and browsers that speak to it over real WebSockets.

Who a browser is stands in its URL here; in the gateway it is a cookie.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web
from zmq.utils import z85

from client.web.relay.relay import Relay
from common import messages as m
from common.keys import KeyPair
from tests.support.gateway import PASSWORD, Broker, broker
from tests.support.patience import PATIENCE_S


class Page:
    """A browser's page on a WebSocket: it asks, and keeps what it is told."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self.told: list[dict[str, Any]] = []
        """Every event so far."""
        self.raw: list[str] = []
        """Every frame so far, as it came."""
        self.hello: dict[str, Any] = {}
        """The answer to the last `hello`."""
        self._last = 100
        self._answers: dict[int, dict[str, Any]] = {}
        self._came = asyncio.Event()
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self.socket:
            if message.type is WSMsgType.TEXT:
                self.raw.append(message.data)
                frame = json.loads(message.data)
                if "kind" in frame:
                    self.told.append(frame)
                else:
                    self._answers[frame["id"]] = frame
            self._came.set()
        self._came.set()

    async def until(self, fact: Callable[[], bool]) -> None:
        """Wait until something is so; it is looked at after each frame."""
        async with asyncio.timeout(PATIENCE_S):
            while not fact():
                assert not self._task.done() or fact(), (self.socket.close_code, self.told[-5:])
                self._came.clear()
                await self._came.wait()

    async def ended(self) -> int | None:
        """Wait until the socket is closed; the code."""
        async with asyncio.timeout(PATIENCE_S):
            await self._task
        return self.socket.close_code

    async def send(self, text: str) -> None:
        """Send a frame as it is."""
        await self.socket.send_str(text)

    async def answer(self, id: int) -> dict[str, Any]:
        """Wait for the answer to a request."""
        await self.until(lambda: id in self._answers)
        return self._answers.pop(id)

    async def ask(self, op: str, **fields: object) -> dict[str, Any]:
        """Make a request; its answer."""
        self._last += 1
        number = self._last
        await self.send(json.dumps({"op": op, "id": number, **fields}))
        return await self.answer(number)

    async def greet(self, run: str | None = None, cursors: dict[str, tuple[int, int]] | None = None) -> dict[str, Any]:
        """Say hello."""
        self.hello = await self.ask("hello", run=run, cursors=cursors or {})
        return self.hello

    async def say(self, room: str, text: str) -> int:
        """Post; the place in the log."""
        sent = await self.ask("send", room=room, text=text, nonce=nonce())
        assert sent["ok"], sent
        return int(sent["seq"])

    def texts(self, log: str) -> list[str]:
        """What it heard said in a log."""
        return [event["text"] for event in self.told if event.get("log") == log and "text" in event]

    async def hears(self, log: str, text: str) -> dict[str, Any]:
        """Wait until that is said in a log; the event."""
        await self.until(lambda: text in self.texts(log))
        return next(event for event in self.told if event.get("log") == log and event.get("text") == text)

    async def told_of(self, kind: str, **fields: object) -> dict[str, Any]:
        """Wait for an event of a kind, with these fields; the first one."""

        def found() -> list[dict[str, Any]]:
            events = (event for event in self.told if event["kind"] == kind)
            return [each for each in events if all(each.get(name) == value for name, value in fields.items())]

        await self.until(lambda: bool(found()))
        return found()[0]

    async def close(self) -> None:
        """Go."""
        await self.socket.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


class Served:
    """A relay on a port of this machine."""

    def __init__(self, address: str, keys: KeyPair) -> None:
        self.relay = Relay(address, keys)
        self._session = ClientSession()
        self._pages: list[Page] = []

    async def __aenter__(self) -> Self:
        await self.relay.start()
        app = web.Application()
        app.router.add_get("/ws", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port: int = self._runner.addresses[0][1]
        return self

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        label, lang = request.query.get("label", ""), request.query.get("lang", "en")
        return await self.relay.serve(request, label, "192.0.2.7", lang)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for page in self._pages:
            await page.close()
        await self._session.close()
        await self.relay.drain()
        await self._runner.cleanup()
        await self.relay.close()

    async def login(self, login: str) -> str:
        """Log a new label in."""
        label = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
        await self.relay.enter(label, m.Login(login=login, password=PASSWORD), "192.0.2.7")
        return label

    async def page(self, label: str, lang: str = "en", protocols: tuple[str, ...] = ("tertulia.1",)) -> Page:
        """A page that has not said hello."""
        url = f"http://127.0.0.1:{self.port}/ws?label={label}&lang={lang}"
        page = Page(await self._session.ws_connect(url, protocols=protocols, max_msg_size=0))
        self._pages.append(page)
        return page

    async def person(self, login: str, lang: str = "en") -> Page:
        """Somebody who has logged in, and said hello."""
        page = await self.page(await self.login(login), lang)
        assert (await page.greet())["ok"]
        return page


@contextmanager
def broker_of(gate: KeyPair, data: Path, *logins: str) -> Iterator[Broker]:
    """A broker with people that knows these keys as a gateway's, and lets it connect anew as often as tests do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERTULIA_BROKER_CHAT_GATEWAYS", z85.encode(gate.public).decode())
        patch.setenv("TERTULIA_BROKER_NETWORK_SESSION_HANDSHAKES", "1000 1000")
        with broker(data, *logins) as started:
            yield started


@asynccontextmanager
async def relayed(address: str, keys: KeyPair) -> AsyncIterator[Served]:
    """A relay within the context."""
    async with Served(address, keys) as served:
        yield served


def nonce() -> str:
    """A new one, as JSON carries it."""
    return base64.b64encode(os.urandom(16)).decode()
