"""The sockets of a client: DEALER and SUB under asyncio, driving a session.

The only module that runs the session's actions. Both sockets are drained always (an unread SUB does not even
resubscribe after a reconnect), so libzmq's own queue may be unbounded (`RCVHWM=0`, without which libzmq can
abort under heartbeats); what an application does not read is bounded by its own streams. Reconnecting is
libzmq's, and where that gives up `watch`'s. Must not know what frames mean.

Sources: zmq_setsockopt(3), ZeroMQ RFC 37 (ZMTP 3.1: heartbeats).
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar, cast

import zmq
import zmq.asyncio
from zmq.utils import z85

from client.link.actions import Subscribe, Transmit, Unsubscribe
from client.link.transport import Deliver, Driven
from client.link.watch import CONNECT_S, RECONNECT_S, Watch, spread
from common import limits
from common.addresses import Address
from common.keys import KeyPair

BATCH: Final = 256
"""Frames read from a socket before others get a turn."""
GATHER_S: Final = 0.004
"""Seconds for which events are gathered while one comes on the heels of the other: to be woken for each of a thousand a
second costs as much as to read them."""
UNSENT_RETRY_S: Final = 0.05
"""Seconds until a frame that the command socket would not take is offered again."""
LINGER_MS: Final = 500
"""Milliseconds that a closed socket may still use for sending."""
MAX_SOCKETS: Final = 60_000
"""Sockets of one context: a test with thousands of clients in a process needs four for each."""

_contexts: dict[int, zmq.asyncio.Context] = {}
T = TypeVar("T")


def _context() -> zmq.asyncio.Context:
    """The context of this process, shared by its clients: one I/O thread, however many they are."""
    pid = os.getpid()
    if pid not in _contexts:
        context = zmq.asyncio.Context()
        context.set(zmq.MAX_SOCKETS, min(MAX_SOCKETS, context.get(zmq.SOCKET_LIMIT)))
        _contexts[pid] = context
    return _contexts[pid]


def _socket(kind: int, address: Address, keys: KeyPair, factor: float) -> zmq.asyncio.Socket:
    assert address.key is not None
    socket: zmq.asyncio.Socket = _context().socket(kind)
    socket.curve_serverkey = z85.encode(address.key)
    socket.curve_publickey = z85.encode(keys.public)
    socket.curve_secretkey = z85.encode(keys.secret)
    socket.rcvhwm = 0
    # A subscription beyond a SUB's mark is dropped without a word.
    socket.sndhwm = 0 if kind == zmq.SUB else 1_000
    # What is written to a connection that is not there yet would be forgotten with it.
    socket.immediate = 1
    socket.linger = LINGER_MS
    socket.heartbeat_ivl = round(limits.HEARTBEAT_S * 1000)
    socket.heartbeat_timeout = round(limits.SILENCE_S * 1000)
    # Doubled by libzmq, which adds no chance: all clients of a broker that is gone would come at the same moments.
    socket.reconnect_ivl, socket.reconnect_ivl_max = (round(1_000 * factor * seconds) for seconds in RECONNECT_S)
    socket.connect_timeout = round(CONNECT_S * 1_000)
    # Longer than the broker's own, which is to be the first to end it; by default it would be half a minute.
    socket.handshake_ivl = round(1.5 * limits.HANDSHAKE_S * 1_000)
    socket.maxmsgsize = limits.REPLY_BYTES + 256
    socket.ipv6 = True
    return socket


class Connection:
    """A session's two sockets, from `open` to `close`, in one event loop."""

    def __init__(
        self,
        address: Address,
        keys: KeyPair,
        session: Driven,
        deliver: Deliver,
        stepped: Callable[[], None] = lambda: None,
    ) -> None:
        """`deliver` gets what the session has for the application; `stepped` is called after each step it took."""
        self._address = address
        self._keys = keys
        self._session = session
        self._deliver = deliver
        self._stepped = stepped
        self._tasks: list[asyncio.Task[None]] = []
        self._sockets: list[zmq.asyncio.Socket] = []
        self._watches: list[Watch] = []
        self._unsent: deque[bytes] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._due = math.inf

    @property
    def reached(self) -> bool:
        """Whether anything took a connection at the address."""
        return any(watch.reached for watch in self._watches)

    @property
    def refused(self) -> bool:
        """Whether that did not get through the handshake: no broker, another key, or not let in."""
        return any(watch.refused for watch in self._watches)

    def open(self) -> None:
        """Begin to connect."""
        self._loop = asyncio.get_running_loop()
        # The same for both, so that they come back together.
        factor = spread(os.urandom)
        self._dealer = _socket(zmq.DEALER, self._address, self._keys, factor)
        self._sub = _socket(zmq.SUB, self._address, self._keys, factor)
        self._sockets = [self._dealer, self._sub]
        session = self._session
        of_commands = self._watch(self._dealer, self._address.commands, session.commands_up, self._commands_down)
        of_broadcast = self._watch(self._sub, self._address.broadcast, session.broadcast_up, session.broadcast_down)
        self._watches = [of_commands, of_broadcast]
        for name, coroutine in (
            ("commands watch", of_commands.run()),
            ("broadcast watch", of_broadcast.run()),
            ("commands", self._read(self._dealer, session.reply_received)),
            ("broadcast", self._read(self._sub, session.event_received, GATHER_S)),
        ):
            self._tasks.append(self._loop.create_task(coroutine, name=f"tertulia {name}"))
        for watch in self._watches:
            watch.connect()

    async def close(self) -> None:
        """Close the sockets; what was sent may still go out within `LINGER_MS`."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        try:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:
            for watch, socket in zip(self._watches, self._sockets, strict=False):
                watch.close()
                socket.close()
            self._tasks, self._sockets, self._timer = [], [], None

    def do(self, step: Callable[[float], T]) -> T:
        """Let the session take a step, given the time, and do what follows from it."""
        try:
            return step(time.monotonic())
        finally:
            self._act()

    def _safely(self, step: Callable[[], object]) -> None:
        """A fault here must end neither a task, for nobody would notice, nor what else is to be done: report it."""
        try:
            step()
        except Exception as error:
            self._loop.call_exception_handler({"message": "a fault in Tertulia's client", "exception": error})

    def _commands_down(self, now: float) -> None:
        # The session repeats what may be repeated; a stale frame must not go out beside it.
        self._unsent.clear()
        self._session.commands_down(now)

    def _watch(
        self, socket: zmq.asyncio.Socket, endpoint: str, up: Callable[[float], None], down: Callable[[float], None]
    ) -> Watch:
        return Watch(
            socket,
            endpoint,
            lambda: self._safely(lambda: self.do(up)),
            lambda: self._safely(lambda: self.do(down)),
            os.urandom,
        )

    async def _read(
        self, socket: zmq.asyncio.Socket, take: Callable[[bytes, float], None], gather_s: float = 0.0
    ) -> None:
        """Take what comes; what comes sooner than `gather_s` after the last is taken together then."""
        # A future for each frame would cost more than all the rest: wait once, then read what is there.
        plain: zmq.Socket[bytes] = zmq.Socket.shadow(socket.underlying)
        woken = 0.0
        while True:
            await socket.poll()
            before, woken = woken, time.monotonic()
            self._safely(lambda: self._drain(plain, take))
            self._safely(self._act)
            await asyncio.sleep(gather_s if woken - before < 2 * gather_s else 0.0)

    def _drain(self, socket: zmq.Socket[bytes], take: Callable[[bytes, float], None]) -> None:
        for _ in range(BATCH):
            try:
                frames = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            if len(frames) == 1:
                take(frames[0], time.monotonic())

    def _act(self) -> None:
        """Do what the session wants done, until it wants nothing more, and set the timer."""
        while actions := self._session.take():
            for action in actions:
                if isinstance(action, Transmit):
                    self._unsent.append(action.frame)
                elif isinstance(action, Subscribe):
                    self._sub.setsockopt(zmq.SUBSCRIBE, action.topic)
                elif isinstance(action, Unsubscribe):
                    self._sub.setsockopt(zmq.UNSUBSCRIBE, action.topic)
                else:
                    self._safely(partial(self._deliver, action))
        self._safely(self._stepped)
        self._send()
        due = self._session.deadline()
        if self._unsent:
            due = min(due, time.monotonic() + UNSENT_RETRY_S)
        if due != self._due:
            if self._timer is not None:
                self._timer.cancel()
            self._due = due
            self._timer = self._after(due) if due < math.inf else None

    def _after(self, due: float) -> asyncio.TimerHandle:
        return self._loop.call_later(max(0.0, due - time.monotonic()), self._tick)

    def _send(self) -> None:
        while self._unsent:
            # With NOBLOCK the future is done when it is returned.
            done = cast("asyncio.Future[object]", self._dealer.send(self._unsent[0], zmq.NOBLOCK))
            if done.exception() is not None:
                return
            self._unsent.popleft()

    def _tick(self) -> None:
        self._due, self._timer = math.inf, None
        self._safely(lambda: self.do(self._session.tick))
