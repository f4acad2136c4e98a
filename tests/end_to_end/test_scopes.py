"""What a key's scopes keep from whoever holds it: tried with hand-made sockets on a real broker.

The barriers are as in `test_privacy`: an event on the eavesdropper's own beacon, provoked after what must not arrive.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from broker.app import EmbeddedBroker
from broker.chat.bots import AddBot, RevokeBot
from broker.chat.operators import DisableUser
from broker.wire.operator_client import OperatorClient
from common import messages, topics
from common.errors import ChatError
from common.keys import KeyPair, generate
from tests.end_to_end.test_privacy import SECRET, overheard
from tests.support.loopback import RawClient


@pytest.fixture
def running(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(data_dir=tmp_path) as broker:
        yield broker


@pytest.fixture
def operator(running: EmbeddedBroker, tmp_path: Path) -> Iterator[OperatorClient]:
    with OperatorClient(tmp_path / "operator.sock") as operator:
        yield operator


@pytest.fixture
def ana(running: EmbeddedBroker) -> Iterator[RawClient]:
    """Who made the rooms dev and den, and hears them."""
    with RawClient(running.address) as ana:
        ana.register("ana")
        for room in ("dev", "den"):
            ana.ask(messages.Create(room=room, kept=True))
        ana.enter("dev", "den", "@ana")
        yield ana


def key_of(ana: RawClient, *scopes: str) -> tuple[KeyPair, int]:
    """A key that Ana registers for herself, and its number."""
    pair = generate()
    added = ana.ask(messages.KeyAdd(key=pair.public, name="a script", scopes=list(scopes)))
    return pair, added.key.id


def bot(operator: OperatorClient, *scopes: str) -> KeyPair:
    pair = generate()
    operator.ask(AddBot(login="dice", key=pair.public, key_name="dice.key", scopes=list(scopes)))
    return pair


def frames_of_everything(client: RawClient, room: str) -> None:
    """Ask for a room in every way that the socket takes: by name, by prefixes, for all there is."""
    name = topics.topic(room)
    for end in range(len(name) + 1):
        client.sub.setsockopt(zmq.SUBSCRIBE, name[:end])
    for odd in (b"@", b"@ana\0", b"~", b"\0", name + b"\0", room.upper().encode() + b"\0"):
        client.sub.setsockopt(zmq.SUBSCRIBE, odd)


def test_without_read_a_bot_gets_nothing_of_a_room_in_any_way(
    running: EmbeddedBroker, operator: OperatorClient, ana: RawClient
) -> None:
    ana.say("den", SECRET)
    with RawClient(running.address, bot(operator, "read:dev", "write:dev", "write:den")) as spy:
        spy.hello()
        spy.ask(messages.Join(room="dev"))
        assert spy.ask(messages.Join(room="den")).room.head == 0
        frames_of_everything(spy, "den")
        assert overheard(spy) == []
        ana.say("den", SECRET)
        ana.ask(messages.Typing(talk="den"))
        ana.ask(messages.Subject(room="den", subject=SECRET))
        ana.ask(messages.Direct(to="ana", text=SECRET, nonce=b"n" * 16))
        ana.ask(messages.Direct(to="dice", text=SECRET, nonce=b"m" * 16))
        assert overheard(spy) == []
        for refused in (
            messages.History(log="den"),
            messages.Search(query="tertulia", log="den"),
            messages.Members(room="den"),
            messages.History(log="@dice"),
        ):
            with pytest.raises(ChatError, match="lacks the scope"):
                spy.ask(refused)
        assert spy.ask(messages.Search(query="tertulia")).hits == []
        assert "den" not in spy.ask(messages.Ping()).heads
        assert [room.head for room in spy.ask(messages.Hello(versions=[1])).session.rooms if room.name == "den"] == [0]
        spy.say("den", "still, it may speak")
        assert ana.event(messages.Message, "den").text in (SECRET, "still, it may speak")


@pytest.mark.parametrize("by", ["xsub", "sub"])
def test_raw_subscription_frames_gain_nothing(
    running: EmbeddedBroker, operator: OperatorClient, ana: RawClient, by: str
) -> None:
    with RawClient(running.address, bot(operator, "write:dev")) as spy:
        spy.hello()
        spy.ask(messages.Join(room="dev"))
        other = spy._socket(zmq.XSUB if by == "xsub" else zmq.SUB)
        other.connect(running.address.broadcast)
        for topic in (b"", b"dev", b"dev\0", topics.topic(spy.beacon)):
            if by == "xsub":
                other.send(b"\x01" + topic)
            else:
                other.setsockopt(zmq.SUBSCRIBE, topic)
        # Its own beacon is granted on this connection, and nothing else that was asked for before it.
        assert other.poll(10_000)
        assert other.recv().startswith(topics.topic(spy.beacon))
        ana.say("dev", SECRET)
        assert overheard(spy) == []
        while other.poll(0):
            assert SECRET.encode() not in other.recv()


def test_a_persons_key_without_direct_hears_nothing_of_the_inbox(running: EmbeddedBroker, ana: RawClient) -> None:
    pair, _ = key_of(ana, "read:dev", "write:dev")
    with RawClient(running.address, pair) as script, RawClient(running.address) as bob:
        bob.register("bob")
        assert script.hello().session.login == "ana"  # type: ignore[union-attr]
        script.enter("dev")
        frames_of_everything(script, "@ana")
        bob.ask(messages.Direct(to="ana", text=SECRET, nonce=b"n" * 16))
        bob.ask(messages.Typing(talk="@ana"))
        assert overheard(script) == []
        ana.say("dev", "for all")
        assert script.event(messages.Message).text == "for all"


def test_a_session_that_cannot_hear_its_inbox_is_told_of_its_rooms_on_its_beacon(
    running: EmbeddedBroker, ana: RawClient
) -> None:
    pair, _ = key_of(ana, "read:*", "write:*")
    with RawClient(running.address, pair) as script:
        script.hello()
        ana.ask(messages.Create(room="attic"))
        assert script.event(messages.JoinedRoom, script.beacon).room.name == "attic"
        script.enter("attic")
        ana.ask(messages.Leave(room="attic"))
        assert script.event(messages.LeftRoom, script.beacon).name == "attic"


def test_two_keys_of_one_account_do_not_widen_each_other(running: EmbeddedBroker, ana: RawClient) -> None:
    reading, writing = key_of(ana, "read:dev")[0], key_of(ana, "write:den", "direct")[0]
    with RawClient(running.address, reading) as reader, RawClient(running.address, writing) as writer:
        reader.hello()
        reader.enter("dev")
        writer.hello()
        frames_of_everything(reader, "den")
        frames_of_everything(writer, "dev")
        ana.say("dev", SECRET)
        ana.say("den", SECRET)
        assert overheard(writer) == []
        assert {frame.partition(b"\0")[0] for frame in overheard(reader)} == {b"dev"}
        with pytest.raises(ChatError, match="write:den"):
            reader.say("den", "x")
        assert writer.say("den", "x").seq


def cut_off(spy: RawClient, ana: RawClient, room: str) -> None:
    """It is told why, hears nothing after that, and every request is refused."""
    assert spy.event(messages.Ended).reason in ("revoked", "disabled")
    ana.say(room, SECRET)
    assert overheard(spy) == []
    for refused in (messages.Ping(), messages.History(log=room), messages.Rooms()):
        with pytest.raises(ChatError, match="Log in first"):
            spy.ask(refused)


def test_a_revoked_bot_is_cut_off_on_both_sockets(
    running: EmbeddedBroker, operator: OperatorClient, ana: RawClient
) -> None:
    pair = bot(operator, "read:dev", "write:dev")
    with RawClient(running.address, pair) as dice:
        dice.hello()
        dice.ask(messages.Join(room="dev"))
        dice.enter("dev")
        ana.say("dev", "!roll")
        assert dice.event(messages.Message).text == "!roll"
        operator.ask(RevokeBot(login="dice"))
        cut_off(dice, ana, "dev")
    with RawClient(running.address, pair) as again:
        assert again.hello().session is None
        frames_of_everything(again, "dev")
        ana.say("dev", SECRET)
        assert overheard(again) == []


def test_a_person_revokes_a_key_of_theirs(running: EmbeddedBroker, ana: RawClient) -> None:
    pair, number = key_of(ana, "read:dev")
    with RawClient(running.address, pair) as script:
        script.hello()
        script.enter("dev")
        ana.ask(messages.KeyRevoke(key=number))
        cut_off(script, ana, "dev")


def test_the_key_of_a_disabled_account_opens_nothing(
    running: EmbeddedBroker, operator: OperatorClient, ana: RawClient
) -> None:
    pair = bot(operator, "read:dev", "read:lobby")
    with RawClient(running.address, pair) as dice:
        dice.hello()
        dice.ask(messages.Join(room="dev"))
        dice.enter("dev")
        operator.ask(DisableUser(login="dice"))
        cut_off(dice, ana, "dev")
        with pytest.raises(ChatError, match="disabled"):
            dice.ask(messages.Hello(versions=[1]))
        operator.ask(DisableUser(login="dice", disabled=False))
        assert dice.ask(messages.Hello(versions=[1])).session.login == "dice"
