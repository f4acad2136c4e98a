"""Asking for a broker's key, of brokers and of others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
import zmq

from broker.app import EmbeddedBroker
from client.link.failures import NoBroker
from client.link.greeting import ask
from common.addresses import Address
from tests.support.patience import PATIENCE_MS

KEY = bytes(32)


@contextmanager
def answering(*answers: bytes) -> Iterator[Address]:
    """Something that answers the first question with these frames."""
    with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
        socket.linger = 500
        port = socket.bind_to_random_port("tcp://127.0.0.1")

        def serve() -> None:
            if socket.poll(PATIENCE_MS):
                peer, _ = socket.recv_multipart()
                for answer in answers:
                    socket.send_multipart([peer, answer])

        thread = threading.Thread(target=serve)
        thread.start()
        yield Address("127.0.0.1", port - 2)
        thread.join()


def test_a_broker_says_who_it_is() -> None:
    with EmbeddedBroker() as broker:
        greeting = ask(broker.address, 5.0)
    assert greeting.key == broker.address.key
    assert 1 in greeting.versions


GOOD = {"id": 1, "ok": True, "server": "x", "versions": [1], "key": KEY}
BAD = [
    b"",
    b"\xc1",
    b"HTTP/1.1 400 Bad Request",
    msgspec.msgpack.encode([1, 2]),
    msgspec.msgpack.encode({**GOOD, "key": b"short"}),
    msgspec.msgpack.encode({**GOOD, "id": 2}),
    msgspec.msgpack.encode({**GOOD, "server": b"\xff"}),
    msgspec.msgpack.encode({"id": 1, "ok": False}),
    b"\xa1\xff",
]


def test_what_is_no_greeting_is_passed_over() -> None:
    with answering(*BAD, msgspec.msgpack.encode(GOOD)) as address:
        assert ask(address, 5.0).key == KEY


def test_nobody_and_somebody_else() -> None:
    with answering(*BAD) as address, pytest.raises(NoBroker, match=rf"{address.host}:{address.port}"):
        ask(address, 0.3)
