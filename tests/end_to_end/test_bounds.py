"""Bounds on what peers do, over real sockets: who exceeds one loses its connection, and nobody else notices."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import zmq

from broker import log
from broker.app import EmbeddedBroker
from broker.chat.settings import ChatSettings
from broker.log_writer import Throttle
from broker.wire.bounds import Bounds
from common import codec, messages
from common.limits import HISTORY_PAGE, TEXT_BYTES, UNREAD_BYTES, Rate
from tests.support import unlimited
from tests.support.loopback import RawClient
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the watchman needs Linux")


@pytest.fixture(autouse=True)
def _nothing_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests provoked does not keep from the log what is provoked here."""
    monkeypatch.setattr(log, "_throttle", Throttle())


def cuts(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Why connections were shut so far."""
    return [str(record.fields["reason"]) for record in caplog.records if record.message in ("cut", "shut")]  # type: ignore[attr-defined]


def meanwhile(done: Callable[[], bool], other: RawClient) -> None:
    """Have somebody else go on talking until `done`."""
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline
        other.say("lobby", "still here")


def test_replies_that_nobody_reads_are_bounded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with EmbeddedBroker(data_dir=tmp_path, chat=unlimited.CHAT) as broker, caplog.at_level(logging.INFO, "broker"):
        with RawClient(broker.address) as ana, RawClient(broker.address) as greedy:
            ana.register("ana")
            greedy.register("greedy")
            for _ in range(40):
                ana.say("lobby", "x" * (TEXT_BYTES // 3))
            greedy.dealer.disconnect(broker.address.commands)
            stalled = greedy._socket(zmq.DEALER)
            stalled.setsockopt(zmq.RCVHWM, 1)
            stalled.setsockopt(zmq.RCVBUF, 4_096)
            stalled.connect(broker.address.commands)
            pages = 4 * UNREAD_BYTES // (40 * TEXT_BYTES // 3)
            for number in range(pages):
                stalled.send(codec.encode_request(number, messages.History(log="lobby", limit=HISTORY_PAGE)))
            meanwhile(lambda: "unread" in cuts(caplog), ana)
            stalled.close()


def test_a_flood_ends_with_a_ban_of_its_key_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bounds = Bounds(flood_requests=200)
    with EmbeddedBroker(data_dir=tmp_path, network=bounds) as broker, caplog.at_level(logging.INFO, "broker"):
        with RawClient(broker.address) as ana, RawClient(broker.address) as flooder:
            ana.register("ana")
            flooder.register("flooder")
            request = codec.encode_request(1, messages.Ping())

            def banned() -> bool:
                for _ in range(1_000):
                    flooder.dealer.send(request)
                return any(record.message == "banned" for record in caplog.records)

            # Who waits for a reply lets the broker have its turn: both are threads of this process.
            meanwhile(banned, ana)
            assert ana.say("lobby", "still here").seq
            with RawClient(broker.address) as newcomer:
                newcomer.register("newcomer")


def test_one_message_too_many_is_an_answer_with_a_wait(tmp_path: Path) -> None:
    chat = ChatSettings(posts=Rate(10, 2))
    with EmbeddedBroker(data_dir=tmp_path, chat=chat) as broker, RawClient(broker.address) as ana:
        ana.register("ana")
        said = [ana.try_ask(messages.Send(room="lobby", text="hola", nonce=os.urandom(16))) for _ in range(3)]
        assert said[2].code == "rate-limited"
        assert 0 < said[2].retry_after < 0.15
        time.sleep(said[2].retry_after)
        assert ana.say("lobby", "after the wait").seq
