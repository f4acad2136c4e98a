"""One connection under whatever may be at the port: once it is a broker, the client is connected soon, always.

Between the client and a real socket stands a gate that takes connections and drops them, keeps them in silence, says
half of a handshake or nonsense, or is not there at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import random
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import zmq
import zmq.asyncio
from zmq.utils import z85
from zmq.utils.monitor import parse_monitor_message

from client.link.connection import _socket
from client.link.watch import REFUSED_S, SPREAD, Watch
from common import keys
from common.addresses import Address
from common.limits import HANDSHAKE_S
from tests.support.patience import PATIENCE_MS, PATIENCE_S

LATEST_S = 1.5 * HANDSHAKE_S + REFUSED_S * (1 + SPREAD) + 3.0
"""Seconds after the last fault within which it is connected: what it may be waiting for, and some for the machine."""
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01CURVE" + bytes(47)
"""The first that a ZMTP peer says (RFC 37); the handshake proper comes after it."""

SAYS = {"half": GREETING[:11], "stutter": GREETING, "nonsense": b"HTTP/1.1 400 No\r\n\r\n"}


class Broker:
    """A ROUTER with a key, and nothing else."""

    def __init__(self) -> None:
        pair = keys.generate()
        self.key = pair.public
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.ROUTER)
        self.socket.linger = 0
        self.socket.curve_server = True
        self.socket.curve_secretkey = z85.encode(pair.secret)
        self.port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        self.monitor: Any = self.socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)

    def admits(self) -> None:
        """Wait until a handshake has been made."""
        assert self.monitor.poll(PATIENCE_MS)
        parse_monitor_message(self.monitor.recv_multipart())

    def close(self) -> None:
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close()
        self.context.term()


@pytest.fixture
def broker() -> Iterator[Broker]:
    made = Broker()
    yield made
    made.close()


class Gate:
    """A port, in a thread of its own, since the client's may be busy. `mood` is what becomes of a connection."""

    MOODS = ("drop", "hang", "half", "stutter", "nonsense", "cut", "away")

    def __init__(self, to: int) -> None:
        self._to = to
        self.mood = "drop"
        self.taken = 0
        self.dropping: Callable[[int], None] = lambda number: None
        """Called in the gate's thread with the number of a connection that is about to be dropped."""
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self.port = 0
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._do(self._open())

    def _do(self, coroutine: Awaitable[None]) -> None:
        async def done() -> None:
            await coroutine

        asyncio.run_coroutine_threadsafe(done(), self._loop).result(10)

    async def _open(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _cut(self) -> None:
        for end in self._ends:
            end.transport.abort()

    def be(self, mood: str, *, cut: bool = False) -> None:
        """Treat new connections so, and end those that stand if `cut`; the others stay as they are, silent ones too."""
        self.mood = mood
        if cut:
            self._do(self._cut())
        self._do(self._shut() if mood == "away" else self._open())

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        mood = self.mood
        with contextlib.suppress(OSError):
            async with self._kept(writer):
                await self._treat(mood, reader, writer)

    @contextlib.asynccontextmanager
    async def _kept(self, writer: asyncio.StreamWriter) -> AsyncIterator[None]:
        self._ends.add(writer)
        try:
            yield
        finally:
            self._ends.discard(writer)
            writer.transport.abort()

    async def _treat(self, mood: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if mood == "drop":
            self.dropping(self.taken)
        elif mood in ("pass", "cut"):
            await self._carry(reader, writer, math.inf if mood == "pass" else 300)
        else:
            writer.write(
                {"half": GREETING[:11], "stutter": GREETING, "nonsense": b"HTTP/1.1 400 No\r\n\r\n"}.get(mood, b"")
            )
            # Until the other side has had enough of it.
            while await reader.read(4_096):
                pass

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: float) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        async with self._kept(back):

            async def way(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
                carried = 0
                with contextlib.suppress(OSError):
                    while carried < most and (data := await source.read(4_096)):
                        carried += len(data)
                        sink.write(data)

            ways = [asyncio.create_task(each) for each in (way(reader, back), way(there, writer))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for each in ways:
                each.cancel()

    def close(self) -> None:
        self._do(self._shut())
        self._do(self._cut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)


@pytest.fixture
def gate(broker: Broker) -> Iterator[Gate]:
    made = Gate(broker.port)
    yield made
    made.close()


class Client:
    """A DEALER with its watch."""

    def __init__(self, port: int, key: bytes) -> None:
        self.socket = _socket(zmq.DEALER, Address("127.0.0.1", port, key), keys.generate(), 1.0)
        self.turns = 0
        self.up = False
        self.watch = Watch(self.socket, f"tcp://127.0.0.1:{port}", self._up, self._down, os.urandom)
        self._task = asyncio.create_task(self.watch.run())
        self.watch.connect()

    def _up(self) -> None:
        assert not self.up
        self.up = True
        self.turns += 1

    def _down(self) -> None:
        assert self.up
        self.up = False

    async def arrives(self, broker: Broker) -> None:
        """Wait until it is connected and something from it gets through. Raises TimeoutError if that takes long."""
        word = os.urandom(8)
        async with asyncio.timeout(LATEST_S):
            while True:
                if self.up:
                    with contextlib.suppress(zmq.Again):
                        await self.socket.send(word, zmq.NOBLOCK)
                if await asyncio.to_thread(broker.socket.poll, 50) and broker.socket.recv_multipart()[1] == word:
                    return

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.watch.close()
        self.socket.close(0)


def test_news_that_comes_late_costs_no_connection_that_stands_by_then(broker: Broker, gate: Gate) -> None:
    """libzmq has connected again by itself before the client reads that the attempt before it had failed."""

    async def scenario() -> None:
        loop, busy, free = asyncio.get_running_loop(), threading.Event(), threading.Event()

        def block() -> None:
            busy.set()
            assert free.wait(PATIENCE_S)

        def dropping(number: int) -> None:
            if number == 3:
                loop.call_soon_threadsafe(block)
                assert busy.wait(PATIENCE_S)
                gate.mood = "pass"

        gate.dropping = dropping
        client = Client(gate.port, broker.key)

        def wait() -> None:
            broker.admits()
            free.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        await client.arrives(broker)
        await client.close()
        waiting.join()

    asyncio.run(scenario())


@pytest.mark.parametrize("seed", range(4))
def test_whatever_was_at_the_port_it_is_connected_soon_after_a_broker_is_there(
    broker: Broker, gate: Gate, seed: int
) -> None:
    chance = random.Random(seed)

    async def scenario() -> None:
        clients = [Client(gate.port, broker.key) for _ in range(4)]
        for _ in range(12):
            gate.be(chance.choice(Gate.MOODS), cut=chance.random() < 0.5)
            await asyncio.sleep(chance.uniform(0.0, 0.4))
            if chance.random() < 0.4:
                time.sleep(chance.uniform(0.0, 0.5))  # noqa: ASYNC251 - the client is busy with other things
        gate.be("pass", cut=chance.random() < 0.5)
        for client in clients:
            await client.arrives(broker)
        gate.be("pass", cut=True)
        for client in clients:
            await client.arrives(broker)
        for client in clients:
            await client.close()

    asyncio.run(scenario())


def test_patience_has_no_end(broker: Broker, gate: Gate) -> None:
    """Somebody else was at the port for hours."""

    async def scenario() -> None:
        loop, dropped = asyncio.get_running_loop(), asyncio.Event()

        def dropping(number: int) -> None:
            loop.call_soon_threadsafe(dropped.set)

        gate.dropping = dropping
        client = Client(gate.port, broker.key)
        client.watch._failures = 5_000
        await dropped.wait()
        gate.be("pass")
        await client.arrives(broker)
        await client.close()

    asyncio.run(scenario())
