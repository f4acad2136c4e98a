"""Admission: who is let in under which name, and that nothing ends the thread that decides it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import zmq
from zmq.utils import z85

from broker.wire import zap
from broker.wire.sockets import ZAP_DOMAIN, Context, Socket
from broker.wire.zap import ENDPOINT, ZapHandler
from common.keys import generate
from tests.support.patience import PATIENCE_MS


@pytest.fixture
def ask(context: Context) -> Iterator[Any]:
    """Puts a question to a running handler, as libzmq does; gives status and name."""
    seen: list[tuple[str, str]] = []

    def admit(address: str, key: str) -> bool:
        seen.append((address, key))
        if address == "192.0.2.1":
            raise RuntimeError("the policy is broken")
        return address != "192.0.2.2"

    handler = ZapHandler(context, admit)
    handler.start()
    request: Socket = context.socket(zmq.REQ)
    request.connect(ENDPOINT)

    def put(*frames: bytes) -> tuple[bytes, bytes]:
        request.send_multipart(list(frames))
        assert request.poll(PATIENCE_MS)
        _, _, status, _, name, _ = request.recv_multipart()
        return status, name

    put.seen = seen  # type: ignore[attr-defined]
    yield put
    request.close()
    handler.stop()


KEY = generate().public


def question(**changed: bytes) -> list[bytes]:
    asked = {
        "version": b"1.0",
        "number": b"1",
        "domain": ZAP_DOMAIN,
        "address": b"127.0.0.1",
        "identity": b"",
        "mechanism": b"CURVE",
        "key": KEY,
    }
    return list({**asked, **changed}.values())


def test_any_key_may_come_in_and_is_its_connections_name(ask: Any) -> None:
    assert ask(*question()) == (b"200", z85.encode(KEY))


@pytest.mark.parametrize(
    "changed",
    [
        {"version": b"2.0"},
        {"domain": b"other"},
        {"mechanism": b"PLAIN"},
        {"mechanism": b"NULL"},
        {"key": KEY[:31]},
        {"key": b""},
    ],
)
def test_everything_else_is_refused(ask: Any, changed: dict[str, bytes]) -> None:
    assert ask(*question(**changed)) == (b"400", b"")


def test_who_may_not_come_in_now_is_told_to_come_again(ask: Any) -> None:
    """libzmq's clients give up for good after a 400, and try again after a 300."""
    assert ask(*question(address=b"192.0.2.2")) == (b"300", b"")


def test_a_malformed_question_is_refused(ask: Any) -> None:
    assert ask(b"1.0", b"1") == (b"400", b"")
    assert ask(*question(), b"more") == (b"400", b"")


def test_a_policy_that_raises_refuses_and_the_next_is_answered(ask: Any) -> None:
    assert ask(*question(address=b"192.0.2.1")) == (b"500", b"")
    assert ask(*question())[0] == b"200"


def test_the_policy_sees_the_host_as_it_is_counted(ask: Any) -> None:
    ask(*question(address=b"::ffff:198.51.100.7"))
    assert ask.seen[-1] == ("198.51.100.7", z85.encode(KEY).decode())


def test_not_even_a_message_without_sense_ends_the_thread(context: Context, ask: Any) -> None:
    dealer: Socket = context.socket(zmq.DEALER)
    dealer.connect(ENDPOINT)
    dealer.send(b"")
    assert ask(*question())[0] == b"200"
    dealer.close()


def test_every_key_is_admitted_by_default() -> None:
    assert zap.everybody("", "")
