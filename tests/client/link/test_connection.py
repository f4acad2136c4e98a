"""The sockets themselves, against sockets that are no broker."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import queue
import socket as sockets
import threading
import time
from collections.abc import Coroutine, Iterator
from typing import Any

import msgspec
import pytest
import zmq
from zmq.utils import z85

from broker.app import EmbeddedBroker
from client.link.actions import Answered
from client.link.clock import Clock
from client.link.connection import Connection
from client.link.failures import LinkLost, NoBroker
from client.link.line import Line
from client.link.session import Session
from client.link.updates import LinkChanged, Update
from common import codec, keys
from common import messages as m
from common.addresses import Address
from common.errors import UnsupportedVersion
from common.limits import REPLY_BYTES
from tests.support.patience import PATIENCE_S


class Peer:
    """A ROUTER and an XPUB with a key, which do what the test says."""

    def __init__(self, zap: bytes = b"") -> None:
        """With `zap`, connections are answered with that status."""
        pair = keys.generate()
        self.context = zmq.Context()
        self.zap = zap
        self.judged: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        """The keys that asked to be let in."""
        if zap:
            questions = self.context.socket(zmq.ROUTER)
            questions.bind("inproc://zeromq.zap.01")
            self._judge = threading.Thread(target=self._let_in, args=(questions,), daemon=True)
            self._judge.start()
        self.commands, self.broadcast = self.context.socket(zmq.ROUTER), self.context.socket(zmq.XPUB)
        for socket in (self.commands, self.broadcast):
            socket.linger = 0
            socket.curve_server = True
            socket.curve_secretkey = z85.encode(pair.secret)
            if zap:
                socket.zap_domain = b"test"
        while True:
            port = self.commands.bind_to_random_port("tcp://127.0.0.1")
            try:
                self.broadcast.bind(f"tcp://127.0.0.1:{port + 1}")
                break
            except zmq.ZMQError:
                self.commands.unbind(f"tcp://127.0.0.1:{port}")
        self.address = Address("127.0.0.1", port, pair.public)

    def _let_in(self, questions: zmq.Socket[bytes]) -> None:
        with questions:
            questions.linger = 0
            while True:
                try:
                    frames = questions.recv_multipart()
                except zmq.ContextTerminated:
                    return
                self.judged.put(frames[8])
                questions.send_multipart([frames[0], b"", b"1.0", frames[3], self.zap, b"", b"", b""])

    def close(self) -> None:
        self.commands.close()
        self.broadcast.close()
        self.context.term()

    async def request(self) -> tuple[bytes, codec.Request]:
        """The next request, and whom to answer."""
        assert await asyncio.to_thread(self.commands.poll, 10_000)
        peer, frame = self.commands.recv_multipart()
        return peer, codec.decode_request(frame)


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.close()


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 2 * PATIENCE_S))


WELCOME = m.Welcome(
    server="peer",
    version=1,
    run="1",
    time=5,
    beacon="~" + "0" * 11,
    default_room="lobby",
    registration="open",
    session=None,
)


def welcome(id: int) -> bytes:
    return codec.encode_reply(msgspec.structs.replace(WELCOME, id=id))


def test_somebody_who_never_answers(peer: Peer) -> None:
    async def scenario() -> None:
        line = Line(peer.address, keys.generate(), "test", lambda update: None)
        with pytest.raises(NoBroker, match="takes connections but did not answer"):
            await line.start(0.5)
        await line.close()
        await line.close()

    run(scenario())


def test_the_first_thing_said_is_hello(peer: Peer) -> None:
    async def scenario() -> None:
        line = Line(peer.address, keys.generate(), "test", lambda update: None)
        starting = asyncio.create_task(line.start(5.0))
        identity, request = await peer.request()
        assert request.command == m.Hello(versions=[1], client="test")
        assert len(identity) == 5, "the routing id is the peer's to choose"
        peer.commands.send_multipart([identity, b"\xc1"])
        peer.commands.send_multipart([identity, b"two", b"frames"])
        peer.commands.send_multipart([identity, welcome(request.id)])
        await starting
        assert line.session.heartbeat.welcome is not None
        await line.close()

    run(scenario())


def test_a_broker_of_another_age(peer: Peer) -> None:
    async def scenario() -> None:
        line = Line(peer.address, keys.generate(), "test", lambda update: None)
        starting = asyncio.create_task(line.start(5.0))
        identity, request = await peer.request()
        peer.commands.send_multipart([identity, codec.encode_error(request.id, UnsupportedVersion())])
        with pytest.raises(UnsupportedVersion):
            await starting
        await line.close()
        with pytest.raises(LinkLost):
            await line.until(lambda: False)

    run(scenario())


def test_a_fault_in_the_application_is_reported_and_reading_goes_on(peer: Peer) -> None:
    async def scenario() -> None:
        faults: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))
        told: list[Answered | Update] = []
        answered = asyncio.Event()

        def deliver(action: Answered | Update) -> None:
            told.append(action)
            if isinstance(action, Answered):
                answered.set()
            if isinstance(action, LinkChanged):
                raise ValueError("the application's own")

        session = Session(client="test", clock=Clock(lambda: 0.0, lambda: 0.0), random=bytes)
        connection = Connection(peer.address, keys.generate(), session, deliver)
        connection.open()
        identity, hello = await peer.request()
        peer.commands.send_multipart([identity, welcome(hello.id)])
        _, ping = await peer.request()
        assert isinstance(ping.command, m.Ping)
        number = connection.do(lambda now: session.request(m.Users(), now))
        _, users = await peer.request()
        peer.commands.send_multipart([identity, codec.encode_reply(m.UserList(id=users.id, users=[], more=False))])
        async with asyncio.timeout(PATIENCE_S):
            await answered.wait()
        assert told[-1] == Answered(number, m.UserList(id=users.id, users=[], more=False))
        assert [type(fault["exception"]) for fault in faults] == [ValueError]
        await connection.close()

    run(scenario())


def test_many_clients_in_one_process_share_what_is_dear() -> None:
    async def scenario(address: Address) -> None:
        lines = [Line(address, keys.generate(), "test", lambda update: None) for _ in range(50)]
        await lines[0].start(20.0)
        threads = len(os.listdir("/proc/self/task"))
        await asyncio.gather(*(line.start(20.0) for line in lines[1:]))
        assert len(os.listdir("/proc/self/task")) == threads
        await asyncio.gather(*(line.close() for line in lines))

    with EmbeddedBroker() as broker:
        run(scenario(broker.address))


def test_an_address_that_is_another_brokers() -> None:
    async def scenario(address: Address) -> None:
        line = Line(address, keys.generate(), "test", lambda update: None)
        with pytest.raises(NoBroker, match="does not prove the key"):
            await line.start(0.5)
        await line.close()

    with EmbeddedBroker() as broker:
        run(scenario(dataclasses.replace(broker.address, key=keys.generate().public)))


@pytest.mark.parametrize("status", [b"400", b"500"])
def test_a_client_that_was_not_let_in_goes_on_trying_though_libzmq_gives_up(status: bytes) -> None:
    async def scenario(peer: Peer) -> None:
        line = Line(peer.address, keys.generate(), "test", lambda update: None)
        starting = asyncio.create_task(line.start(20.0))
        for _ in range(6):
            await asyncio.to_thread(peer.judged.get, timeout=PATIENCE_S)
        peer.zap = b"200"
        identity, request = await peer.request()
        peer.commands.send_multipart([identity, welcome(request.id)])
        await starting
        line._connection._sub.subscribe(b"topic")  # not before there is a connection again, and it gets through
        while not await asyncio.to_thread(peer.broadcast.poll, 10):
            pass
        assert peer.broadcast.recv() == b"\1topic"
        await line.close()

    refusing = Peer(status)
    run(scenario(refusing))
    refusing.close()


def test_a_frame_beyond_the_bound_costs_the_connection_and_not_the_client(peer: Peer) -> None:
    async def scenario() -> None:
        line = Line(peer.address, keys.generate(), "test", lambda update: None)
        starting = asyncio.create_task(line.start(20.0))
        identity, request = await peer.request()
        peer.commands.send_multipart([identity, welcome(request.id)])
        await starting
        peer.commands.send_multipart([identity, bytes(REPLY_BYTES + 257)])
        await line.until(lambda: not line.session.heartbeat.connected)
        while True:
            again, request = await peer.request()
            if isinstance(request.command, m.Hello):
                break
        assert again != identity
        peer.commands.send_multipart([again, welcome(request.id)])
        await line.until(lambda: line.session.heartbeat.answering)
        await line.close()

    run(scenario())


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(200)])
def test_somebody_else_at_the_port_is_tried_again_and_ever_less_often(says: bytes) -> None:
    async def scenario() -> None:
        taken: list[float] = []
        waited = asyncio.Event()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            taken.append(time.monotonic())
            writer.write(says)
            writer.close()
            if len(taken) > 3 and taken[-1] - taken[-2] > 1.0:
                waited.set()

        server = await asyncio.start_server(take, "127.0.0.1", 0, family=sockets.AF_INET)
        port = server.sockets[0].getsockname()[1]
        session = Session(client="test", clock=Clock(lambda: 0.0, lambda: 0.0), random=bytes)
        address = Address("127.0.0.1", port, keys.generate().public)
        connection = Connection(address, keys.generate(), session, lambda action: None)
        connection.open()
        await waited.wait()
        assert connection.reached
        assert len(taken) < 10
        await connection.close()
        server.close()

    run(scenario())


def test_no_two_clients_come_back_at_the_same_moments() -> None:
    async def scenario() -> None:
        pauses = set()
        for _ in range(20):
            session = Session(client="test", clock=Clock(lambda: 0.0, lambda: 0.0), random=bytes)
            connection = Connection(
                Address("127.0.0.1", 1, keys.generate().public), keys.generate(), session, lambda action: None
            )
            connection.open()
            both = {(int(each.reconnect_ivl), int(each.reconnect_ivl_max)) for each in connection._sockets}
            assert len(both) == 1, "of one client they come back together"
            pauses |= both
            await connection.close()
        assert len(pauses) > 10
        assert all(100 <= first <= 300 and 500 <= longest <= 1_500 for first, longest in pauses)

    run(scenario())
