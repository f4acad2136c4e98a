"""The greeting: one question in the clear, and nothing else is answered."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
import zmq

from broker.app import EmbeddedBroker
from broker.wire.greeting import Greeting
from common.addresses import Address
from tests.support.patience import PATIENCE_MS

encode = msgspec.msgpack.encode
QUESTION = {"op": "greet", "id": 3, "versions": [1]}


@pytest.fixture(scope="module")
def address() -> Iterator[Address]:
    with EmbeddedBroker() as broker:
        yield broker.address


@pytest.fixture
def dealer(address: Address) -> Iterator[zmq.Socket[bytes]]:
    with zmq.Context() as context, context.socket(zmq.DEALER) as made:
        made.setsockopt(zmq.LINGER, 0)
        made.connect(address.greeting)
        yield made


def answer(dealer: zmq.Socket[bytes]) -> dict[str, object]:
    assert dealer.poll(PATIENCE_MS)
    return msgspec.msgpack.decode(dealer.recv())  # type: ignore[no-any-return]


def test_the_key_and_the_versions_are_told(dealer: zmq.Socket[bytes], address: Address) -> None:
    dealer.send(encode(QUESTION))
    assert answer(dealer) == {"id": 3, "ok": True, "server": "Tertulia", "versions": [1], "key": address.key}


@pytest.mark.parametrize(
    "frames",
    [
        [b""],
        [b"\xc1"],
        [encode(5)],
        [encode({**QUESTION, "op": "hello"})],
        [encode({**QUESTION, "id": -1})],
        [encode({**QUESTION, "id": 2**63})],
        [encode({**QUESTION, "id": "3"})],
        [encode({"op": "greet", "id": 3})],
        [encode({**QUESTION, "op": b"\xff\xfe"})],
        [b"\x81\xa2op\xa2\xff\xff"],
        [b"\x91" * 400],
        [encode(QUESTION), b""],
        [b"", encode(QUESTION)],
    ],
)
def test_whatever_else_is_asked_is_dropped_and_the_next_is_answered(
    dealer: zmq.Socket[bytes], frames: list[bytes]
) -> None:
    dealer.send_multipart(frames)
    dealer.send(encode({**QUESTION, "id": 4}))
    assert answer(dealer)["id"] == 4
    assert not dealer.poll(0)


def test_too_long_a_question_ends_its_connection_and_no_other(dealer: zmq.Socket[bytes], address: Address) -> None:
    with zmq.Context() as context, context.socket(zmq.DEALER) as stranger:
        stranger.setsockopt(zmq.LINGER, 0)
        monitor = stranger.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        stranger.connect(address.greeting)
        stranger.send(encode({**QUESTION, "padding": "x" * 600}))
        assert monitor.poll(PATIENCE_MS)
        stranger.disable_monitor()
    dealer.send(encode(QUESTION))
    assert answer(dealer)["ok"]


def test_an_answer_to_whoever_is_gone_is_dropped() -> None:
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        router.setsockopt(zmq.ROUTER_MANDATORY, 1)
        greeting = Greeting(router, "T", b"k" * 32)
        assert greeting.drain(5) == 0
        greeting._send(b"\0gone", b"answer")
