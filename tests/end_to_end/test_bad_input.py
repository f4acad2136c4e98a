"""Every frame that no client should send, over a real socket: its code or a closed connection, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import zmq

from broker.app import EmbeddedBroker
from common import codec, messages
from common.errors import ChatError
from tests.support import bad_input, unlimited
from tests.support.loopback import RawClient
from tests.support.patience import PATIENCE_MS


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    # A connection may not send so many bytes as all these cases are in one second.
    with EmbeddedBroker(chat=unlimited.CHAT, network=unlimited.NETWORK) as broker:
        yield broker


@pytest.fixture(scope="module")
def bystander(broker: EmbeddedBroker) -> Iterator[RawClient]:
    """Somebody in the lobby, to whom nothing must happen."""
    with RawClient(broker.address) as bystander:
        bystander.register("bystander")
        bystander.enter("lobby")
        yield bystander


@pytest.fixture(scope="module")
def ana(broker: EmbeddedBroker) -> Iterator[RawClient]:
    with RawClient(broker.address) as ana:
        ana.register("ana")
        yield ana


@pytest.fixture(scope="module")
def stranger(broker: EmbeddedBroker) -> Iterator[RawClient]:
    with RawClient(broker.address) as stranger:
        stranger.hello()
        yield stranger


def test_every_case_is_answered_with_its_code(
    broker: EmbeddedBroker,
    bystander: RawClient,
    ana: RawClient,
    stranger: RawClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    overhear(bystander)
    wrong = []
    for case in bad_input.CASES:
        bystander.ask(messages.Ping())  # Whoever says nothing for a while counts as away.
        for client in {"with": [ana], "without": [stranger], "either": [ana, stranger]}[case.login]:
            client.dealer.send(case.frame)
            assert client.dealer.poll(PATIENCE_MS), case.name
            id, reply = codec.decode_reply(client.dealer.recv(), {case.id: messages.Reply})
            if not isinstance(reply, ChatError) or (reply.code, id) != (case.code, case.id):
                wrong.append((case.name, case.login, id, reply))
    assert wrong == []
    assert overhear(bystander) == [], "nothing happened to anybody"
    assert not [record for record in caplog.records if record.exc_info], "and the broker met no fault"


def overhear(client: RawClient) -> list[messages.Event]:
    """What came on the lobby up to a message of one's own."""
    sent = client.say("lobby", "barrier")
    heard = []
    while True:
        assert client.sub.poll(PATIENCE_MS)
        log, event = codec.decode_event(client.sub.recv())
        if isinstance(event, messages.Message) and event.seq == sent.seq:
            return heard
        if log == "lobby":
            heard.append(event)


@pytest.mark.parametrize("frames", bad_input.DROPPED.values(), ids=list(bad_input.DROPPED))
def test_messages_of_several_frames_are_dropped(ana: RawClient, frames: tuple[bytes, ...]) -> None:
    ana.dealer.send_multipart(frames)
    assert ana.ask(messages.Ping()).ok, "and the next reply is to the next request"


def test_a_huge_frame_costs_its_sender_the_connection(broker: EmbeddedBroker, bystander: RawClient) -> None:
    with RawClient(broker.address) as flooder:
        flooder.hello()
        monitor = flooder.dealer.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        flooder.dealer.send(bad_input.TOO_LARGE)
        assert monitor.poll(PATIENCE_MS), "the broker did not hang up"
        monitor.close(0)
    assert bystander.ask(messages.Ping()).ok
