"""A client that can be looked into: what it is told, the moment it is told, and whether it has caught up.

Must not know whose it is, nor whether there are sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from client.link.actions import Answered
from client.link.chat import ChatClient
from client.link.session import Session
from client.link.transport import Deliver, Link, Transport
from client.link.updates import Update
from common import messages as m
from common import topics
from common.addresses import Address
from common.keys import KeyPair
from common.limits import PROTOCOL_VERSION


class Client:
    """A `ChatClient`, and its session."""

    def __init__(
        self, transport: Transport, address: Address, keys: KeyPair, take: Callable[[Update], None], **options: Any
    ) -> None:
        """`take` is called with every update, after the `ChatClient` has it; `options` are those of `ChatClient`."""
        tap = _Tap(transport, take)
        self.chat = ChatClient(address, keys=keys, transport=tap, **options)
        self._session, self._link, self._stepped = tap.session, tap.link, tap.stepped
        self.closed = False

    @property
    def sending(self) -> bool:
        """Whether a post of this client is not acknowledged."""
        return len(self._session.outbox) > 0

    async def close(self, bye: bool) -> None:
        """Disconnect, politely or not."""
        self.closed = True
        await self.chat.close(bye)

    async def catch_up(self) -> None:
        """Return once this client was told everything that follows from what the broker was asked before this.

        `hello` is answered once every commit under way is done, and says where each log ends. What no log keeps has
        come by the time that a subscription, made anew on the same connection, is in force: frames keep their order.
        """
        if self.closed or self.chat.login is None:
            return
        welcome = await self.chat.request(m.Hello(versions=[PROTOCOL_VERSION], client="test kit"))
        if welcome.session is None:
            return
        subscriptions, logs = self._session.subscriptions, self._session.rooms.logs
        heads = {room.name: room.head for room in welcome.session.rooms}
        heads[topics.inbox(welcome.session.login)] = welcome.session.inbox
        renewed = next((log for log in logs if log in subscriptions), None)
        if renewed is not None:
            await self._until(lambda: subscriptions.complete)
            self._link.do(lambda now: subscriptions.renew(renewed, now))
        await self._until(
            lambda: subscriptions.complete and all(logs[log].last >= head for log, head in heads.items() if log in logs)
        )

    async def _until(self, fact: Callable[[], bool]) -> None:
        while not fact() and not self.closed and self.chat.login is not None:
            self._stepped.clear()
            await self._stepped.wait()


class _Tap:
    """A transport that lets somebody else see what its client is told."""

    def __init__(self, transport: Transport, take: Callable[[Update], None]) -> None:
        self._transport = transport
        self._take = take
        self.stepped = asyncio.Event()
        self.session: Session
        self.link: Link

    def monotonic(self) -> float:
        return self._transport.monotonic()

    def wall(self) -> float:
        return self._transport.wall()

    def connect(
        self, address: Address, keys: KeyPair, session: Session, deliver: Deliver, stepped: Callable[[], None]
    ) -> Link:
        def tell(action: Answered | Update) -> None:
            deliver(action)
            if not isinstance(action, Answered):
                self._take(action)

        def step() -> None:
            stepped()
            self.stepped.set()

        self.session = session
        self.link = self._transport.connect(address, keys, session, tell, step)
        return self.link
