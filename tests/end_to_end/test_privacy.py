"""No byte of a room reaches whoever is not entitled to it: tried with hand-made sockets.

The barrier of each test is another event that does reach the eavesdropper, sent after what must not: the broker
delivers in order on a connection, so whatever was going to arrive has arrived by then.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import zmq

from broker.app import EmbeddedBroker
from common import codec, messages
from tests.support.loopback import RawClient
from tests.support.patience import PATIENCE_MS

SECRET = "the secret word is tertulia"


@pytest.fixture
def ana(broker: EmbeddedBroker) -> Iterator[RawClient]:
    """The creator of a private room and of a public one, who hears both."""
    with RawClient(broker.address) as ana:
        ana.register("ana")
        ana.ask(messages.Create(room="devops"))
        ana.ask(messages.Create(room="cellar", private=True, kept=True))
        ana.enter("devops", "cellar")
        yield ana


def overheard(client: RawClient, secret: str = SECRET) -> list[bytes]:
    """Whatever arrived up to the next marker of the client's own beacon, provoked now.

    Twice, since after a cut the first may come on a new connection while the old one's last frames still wait.
    """
    frames = []
    for _ in range(2):
        client.unsubscribe(client.beacon)
        client.subscribe(client.beacon)
        while True:
            assert client.sub.poll(PATIENCE_MS), "the barrier did not come"
            frame = client.sub.recv()
            if secret.encode() in frame:
                frames.append(frame)
            event = codec.decode_event(frame).event
            if isinstance(event, messages.Live) and event.log == client.beacon:
                break
    return frames


PREFIXES = [b"", b"d", b"dev", b"devops", b"devops\0", b"c", b"cellar", b"cellar\0", b"@", b"@ana\0", b"~", b"\0"]


@pytest.mark.parametrize("topic", PREFIXES)
def test_a_non_member_hears_nothing_by_any_prefix(broker: EmbeddedBroker, ana: RawClient, topic: bytes) -> None:
    with RawClient(broker.address) as bob:
        bob.register("bob")
        bob.sub.setsockopt(zmq.SUBSCRIBE, topic)
        assert overheard(bob) == []
        ana.say("devops", SECRET)
        ana.say("cellar", SECRET)
        ana.ask(messages.Direct(to="ana", text=SECRET, nonce=b"n" * 16))
        assert overheard(bob) == []


@pytest.mark.parametrize("topic", PREFIXES)
def test_a_key_that_never_logged_in_hears_nothing(broker: EmbeddedBroker, ana: RawClient, topic: bytes) -> None:
    with RawClient(broker.address) as stranger:
        stranger.hello()
        stranger.sub.setsockopt(zmq.SUBSCRIBE, topic)
        assert overheard(stranger) == []
        ana.say("devops", SECRET)
        ana.say("lobby", SECRET)
        ana.say("cellar", SECRET)
        assert overheard(stranger) == []


def joined(broker: EmbeddedBroker, ana: RawClient, room: str) -> RawClient:
    """Bob, who is a member, and hears the room, as is shown."""
    bob = RawClient(broker.address)
    bob.register("bob")
    if room == "cellar":
        ana.ask(messages.Invite(room=room, login="bob"))
    bob.ask(messages.Join(room=room))
    bob.enter(room)
    ana.say(room, "can you hear me?")
    assert bob.event(messages.Message).text == "can you hear me?"
    return bob


@pytest.mark.parametrize("room", ["devops", "cellar"])
def test_a_member_hears_and_after_leaving_hears_nothing(broker: EmbeddedBroker, ana: RawClient, room: str) -> None:
    with joined(broker, ana, room) as bob:
        bob.ask(messages.Leave(room=room))
        ana.say(room, SECRET)
        assert overheard(bob) == []
        ana.say(room, SECRET)
        assert overheard(bob) == []


def test_whoever_is_removed_from_a_private_room_hears_nothing(broker: EmbeddedBroker, ana: RawClient) -> None:
    with joined(broker, ana, "cellar") as bob:
        bob.enter("@bob")
        ana.ask(messages.Remove(room="cellar", login="bob"))
        ana.say("cellar", SECRET)
        assert bob.event(messages.LeftRoom).reason == "removed"
        assert overheard(bob) == []


def test_whoever_was_expelled_by_deletion_hears_nothing_of_the_next_room_of_that_name(
    broker: EmbeddedBroker, ana: RawClient
) -> None:
    with joined(broker, ana, "devops") as bob:
        ana.ask(messages.Delete(room="devops"))
        ana.ask(messages.Create(room="devops", private=True))
        ana.say("devops", SECRET)
        assert overheard(bob) == []


def test_a_revoked_session_hears_nothing(broker: EmbeddedBroker, ana: RawClient) -> None:
    with joined(broker, ana, "devops") as bob, RawClient(broker.address) as phone:
        phone.hello()
        phone.ask(messages.Login(login="bob", password="correct horse"))
        (other,) = [view.id for view in phone.ask(messages.Sessions()).sessions if not view.current]
        phone.ask(messages.Revoke(session=other))
        ana.say("devops", SECRET)
        ana.say("lobby", SECRET)
        assert overheard(bob) == []


def test_a_foreign_frame_on_the_broadcast_socket_gains_nobody_anything(broker: EmbeddedBroker, ana: RawClient) -> None:
    """An XSUB may send what is no subscription; joins under that attack are granted to the right ones only."""
    with RawClient(broker.address) as bob, RawClient(broker.address) as eva:
        bob.register("bob")
        eva.register("eva")
        stop = threading.Event()

        def attack() -> None:
            context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
            try:
                while not stop.is_set():
                    xsub = RawClient._socket(_Attacker(eva, context), zmq.XSUB)  # type: ignore[arg-type]
                    xsub.connect(broker.address.broadcast)
                    for frame in (b"\1cellar\0", b"hello there", b"", b"\1cellar\0"):
                        if xsub.poll(100, zmq.POLLOUT):
                            xsub.send(frame)
                    xsub.close(0)
            finally:
                context.destroy(0)

        thread = threading.Thread(target=attack)
        thread.start()
        try:
            ana.ask(messages.Invite(room="cellar", login="bob"))
            for _ in range(20):
                bob.ask(messages.Join(room="cellar"))
                for _ in range(50):
                    bob.unsubscribe("cellar")
                    bob.subscribe("cellar")
                    if marked(bob, "cellar"):
                        break
                else:
                    raise AssertionError("an honest join was never granted")
                sent = ana.say("cellar", SECRET)
                while bob.event(messages.Message).seq != sent.seq:
                    pass
                bob.unsubscribe("cellar")
                bob.ask(messages.Leave(room="cellar"))
                bob.subscribe(bob.beacon)
        finally:
            stop.set()
            thread.join()
        assert overheard(eva) == []


class _Attacker:
    """What `RawClient._socket` needs, with a context of the attack's own thread."""

    def __init__(self, client: RawClient, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self.address, self.keys, self.context = client.address, client.keys, context


def marked(client: RawClient, log: str) -> bool:
    """Whether the marker of a log comes within a moment."""
    while client.sub.poll(300):
        event = codec.decode_event(client.sub.recv()).event
        if isinstance(event, messages.Live) and event.log == log:
            return True
    return False


def test_what_may_not_be_read_is_neither_found_nor_heard_when_it_changes(
    broker: EmbeddedBroker, ana: RawClient
) -> None:
    with RawClient(broker.address) as bob:
        bob.register("bob")
        bob.sub.setsockopt(zmq.SUBSCRIBE, b"")
        places = {room: ana.say(room, f"{SECRET} in {room}").seq for room in ("devops", "cellar")}
        places["@ana"] = ana.ask(messages.Direct(to="ana", text=f"{SECRET} alone", nonce=b"a" * 16)).seq
        sought = messages.Search(query="secret tertulia")
        assert len(ana.ask(sought).hits) == 3
        for number, (log, seq) in enumerate(places.items()):
            ana.ask(messages.Edit(log=log, seq=seq, text=f"{SECRET} again", nonce=bytes([number] * 16)))
            for command in (
                messages.Edit(log=log, seq=seq, text="x", nonce=b"x" * 16),
                messages.Retract(log=log, seq=seq, nonce=b"y" * 16),
                messages.React(log=log, seq=seq, emoji="👍", nonce=b"z" * 16),
                messages.Search(query="secret", log=log),
            ):
                assert bob.try_ask(command).code in ("not-member", "no-such-log")
        assert bob.ask(sought).hits == []
        assert bob.ask(messages.Search(query="tertulia", sender="ana")).hits == []
        assert overheard(bob) == []
        assert [hit.entry.text for hit in ana.ask(sought).hits] == [f"{SECRET} again"] * 3
