"""The sockets themselves, against sockets that are no broker."""

from __future__ import annotations

import asyncio
import dataclasses
import os
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


class Peer:
    """A ROUTER and an XPUB with a key, which do what the test says."""

    def __init__(self) -> None:
        pair = keys.generate()
        self.context = zmq.Context()
        self.commands, self.broadcast = self.context.socket(zmq.ROUTER), self.context.socket(zmq.XPUB)
        for socket in (self.commands, self.broadcast):
            socket.linger = 0
            socket.curve_server = True
            socket.curve_secretkey = z85.encode(pair.secret)
        while True:
            port = self.commands.bind_to_random_port("tcp://127.0.0.1")
            try:
                self.broadcast.bind(f"tcp://127.0.0.1:{port + 1}")
                break
            except zmq.ZMQError:
                self.commands.unbind(f"tcp://127.0.0.1:{port}")
        self.address = Address("127.0.0.1", port, pair.public)

    def close(self) -> None:
        self.context.destroy(linger=0)

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
    asyncio.run(asyncio.wait_for(coroutine, 30))


WELCOME = m.Welcome(
    server="peer",
    version=1,
    run="1",
    time=5,
    beacon="~" + "0" * 32,
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
        async with asyncio.timeout(10):
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
