"""A session with its connection in one event loop: requests and posts become awaited values, updates go round.

Must not know what a room is; `chat.py` makes an interface for people's programs of this.
"""

from __future__ import annotations

import asyncio
import os
import time
import weakref
from collections.abc import Callable

from client.link.actions import Answered
from client.link.calls import WAITS
from client.link.clock import Clock
from client.link.connection import Connection
from client.link.failures import ClientClosed, NoAnswer, NoBroker
from client.link.outbox import Postable
from client.link.room import Pending
from client.link.session import TIMEOUT_S, Session
from client.link.streams import UpdateStream
from client.link.transport import Deliver, Transport
from client.link.updates import Settled, Update
from common import codec
from common import messages as m
from common.addresses import Address
from common.errors import Busy, ChatError
from common.keys import KeyPair


class Network:
    """The transport of everybody but tests: sockets, and this machine's clocks."""

    def monotonic(self) -> float:
        """Seconds by the system's clock that never jumps."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds since 1970, by the system's clock."""
        return time.time()

    def connect(
        self, address: Address, keys: KeyPair, session: Session, deliver: Deliver, stepped: Callable[[], None]
    ) -> Connection:
        """A connection to the broker at `address`, not opened yet."""
        return Connection(address, keys, session, deliver, stepped)


class Line:
    """What carries a client's requests, posts and updates."""

    def __init__(
        self,
        address: Address,
        keys: KeyPair,
        client: str,
        apply: Callable[[Update], None],
        transport: Transport | None = None,
    ) -> None:
        """`apply` sees every update first; without `transport` it goes over the network."""
        self._address = address
        self._apply = apply
        transport = transport or Network()
        self.clock = Clock(transport.monotonic, transport.wall)
        self.session = Session(client=client, clock=self.clock, random=os.urandom)
        self._connection = transport.connect(address, keys, self.session, self._deliver, self._wake)
        self._answers: dict[int, asyncio.Future[m.Reply]] = {}
        self._pending: dict[bytes, Pending] = {}
        self._streams: weakref.WeakSet[UpdateStream] = weakref.WeakSet()
        self._changes: set[asyncio.Future[None]] = set()
        self.closed = False

    async def start(self, timeout: float) -> None:
        """Connect and greet. Raises `NoBroker`, or that no protocol version is shared; then it is closed."""
        self._connection.open()
        heartbeat = self.session.heartbeat
        try:
            async with asyncio.timeout(timeout):
                await self.until(lambda: heartbeat.welcome is not None or heartbeat.fatal is not None)
        except TimeoutError:
            await self.close()
            raise NoBroker(self._explain(timeout)) from None
        if heartbeat.fatal is not None:
            await self.close()
            raise heartbeat.fatal

    def _explain(self, timeout: float) -> str:
        where = f"{self._address.host}:{self._address.port}"
        if self._connection.refused:
            return (
                f"What listens at {where} does not prove the key in the address: it is no Tertulia broker or another "
                "one, or its key has changed, or the address is mistyped."
            )
        if self._connection.reached:
            return f"The broker at {where} takes connections but did not answer within {timeout:g} s; try again."
        return f"No broker answered at {where} within {timeout:g} s; is it running, and is the address right?"

    async def until(self, fact: Callable[[], bool]) -> None:
        """Wait until something is so; it is looked at after each step of the session."""
        while not fact():
            if self.closed:
                raise ClientClosed
            change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._changes.add(change)
            try:
                await change
            finally:
                self._changes.discard(change)

    async def request(self, command: m.Command, *, timeout: float = TIMEOUT_S, patient: bool = True) -> m.Reply:
        """Make a request. Raises what it is refused with, or `NoAnswer`.

        Told to wait, it is made again as long as `timeout` allows; without `patient` only if the broker is busy, and
        not if it was asked too often, so that a person can be told. Cancelled before it could go out, it is not made;
        later, the broker carries it out, and its effect shows.
        """
        if self.closed:
            raise ClientClosed
        codec.encode_request(1, command)
        answer: asyncio.Future[m.Reply] = asyncio.get_running_loop().create_future()

        def step(now: float) -> int:
            number = self.session.request(command, now, timeout, WAITS if patient else (Busy,))
            self._answers[number] = answer
            return number

        number = self._connection.do(step)
        try:
            return await answer
        except asyncio.CancelledError:
            if not self.closed:
                self._connection.do(lambda now: self.session.withdraw(number, now))
            raise

    def post(self, command: Postable) -> Pending:
        """Put a message, or the change of one, on its way.

        Raises `TooMany` if too many wait already, `BadText` for what is no UTF-8.
        """
        if self.closed:
            raise ClientClosed
        codec.encode_request(1, command)  # refused here, where whoever wrote it hears of it, and not once it is sent
        self._pending[command.nonce] = pending = Pending(command.nonce, getattr(command, "text", ""))
        try:
            self._connection.do(lambda now: self.session.post(command, now))
        except ChatError:
            del self._pending[command.nonce]
            raise
        return pending

    async def arrival(self, pending: Pending, timeout: float) -> m.Sent:
        """Wait for a post; one that has not gone out by then is taken back. Raises the refusal, or `NoAnswer`."""
        try:
            async with asyncio.timeout(timeout):
                return await pending
        except TimeoutError:
            if self.session.outbox.withdraw(pending.nonce):
                failure = NoAnswer("The broker did not answer in time; the message was not sent.")
                self._deliver(Settled(pending.nonce, failure))
                self._wake()
                raise failure from None
            raise NoAnswer("The broker did not answer in time; the message may still arrive, once.") from None

    def updates(self) -> UpdateStream:
        """A new stream of everything that happens from now on."""
        stream = UpdateStream()
        self._streams.add(stream)
        return stream

    async def finish(self, farewell: m.Command, timeout: float) -> None:
        """Give posts a moment to arrive, then say the last word; neither takes longer than `timeout`."""
        waiting = list(self._pending.values())
        try:
            async with asyncio.timeout(timeout):
                await self.until(lambda: all(pending.outcome is not None for pending in waiting))
        except TimeoutError:
            pass
        try:
            await self.request(farewell, timeout=timeout)
        except ChatError:
            pass  # Then the broker finds out by itself.

    async def close(self) -> None:
        """Disconnect; whatever waits is told so. Closing twice is closing."""
        if self.closed:
            return
        self.closed = True
        try:
            await self._connection.close()
        finally:
            self._tell_who_waits()

    def _tell_who_waits(self) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ClientClosed())
                answer.exception()
        for pending in self._pending.values():
            pending.settle(ClientClosed())
        self._answers.clear()
        self._pending.clear()
        for stream in list(self._streams):
            stream.close()
        self._wake()

    def _deliver(self, action: Answered | Update) -> None:
        if isinstance(action, Answered):
            self._answered(action)
        else:
            if isinstance(action, Settled) and action.nonce in self._pending:
                self._pending.pop(action.nonce).settle(action.outcome)
            self._apply(action)
            for stream in list(self._streams):
                stream.feed(action)

    def _answered(self, action: Answered) -> None:
        answer = self._answers.pop(action.call, None)
        if answer is None or answer.done():
            return
        if isinstance(action.outcome, ChatError):
            answer.set_exception(action.outcome)
        else:
            answer.set_result(action.outcome)

    def _wake(self) -> None:
        for change in self._changes:
            if not change.done():
                change.set_result(None)
