"""The reactor: a whole broker on loopback, asked by clients without a client library."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import zmq

from broker.app import Broker, EmbeddedBroker
from broker.chat.effects import Now
from broker.config import BrokerConfig
from broker.wire import peers
from broker.wire.reactor import PART, SWEEP_S
from common import codec, messages
from common.errors import ChatError
from common.limits import SILENCE_S
from tests.support import unlimited
from tests.support.loopback import RawClient
from tests.support.patience import PATIENCE_MS, PATIENCE_S


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(chat=unlimited.CHAT, network=unlimited.NETWORK) as running:
        yield running


@pytest.fixture
def ana(broker: EmbeddedBroker) -> Iterator[RawClient]:
    with RawClient(broker.address) as client:
        client.register(f"ana{os.urandom(4).hex()}")
        yield client


@pytest.fixture
def bob(broker: EmbeddedBroker) -> Iterator[RawClient]:
    with RawClient(broker.address) as client:
        client.register(f"bob{os.urandom(4).hex()}")
        yield client


def test_what_is_said_is_heard_acknowledged_and_kept(ana: RawClient, bob: RawClient) -> None:
    bob.enter("lobby")
    sent = ana.say("lobby", "hola")
    heard = bob.event(messages.Message)
    assert (heard.seq, heard.time, heard.text) == (sent.seq, sent.time, "hola")
    assert bob.ask(messages.History(log="lobby", limit=1)).entries == [heard]


def test_whoever_stays_connected_is_told_of_grants_for_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.wire.reactor.PRUNE_S", 0.2)
    with EmbeddedBroker() as broker, RawClient(broker.address) as ana:
        ana.register("ana")
        time.sleep(2 * SWEEP_S + 0.5)
        ana.enter("lobby", "@ana")


def test_many_messages_come_once_and_in_order(ana: RawClient, bob: RawClient) -> None:
    bob.enter("lobby")
    numbers = [ana.send(messages.Send(room="lobby", text=str(n), nonce=os.urandom(16))) for n in range(700)]
    kinds = dict.fromkeys(numbers, messages.Sent)
    answered = [ana.receive(*kinds.items()) for _ in numbers]
    assert [number for number, _ in answered] == numbers
    seqs = [reply.seq for _, reply in answered]
    assert seqs == sorted(set(seqs))
    heard = [bob.event(messages.Message) for _ in numbers]
    assert [event.text for event in heard] == [str(n) for n in range(700)]
    assert [event.prev for event in heard[1:]] == [event.seq for event in heard[:-1]]


def test_costly_requests_end_a_turn_before_the_batch_is_full(tmp_path: Path) -> None:
    with Broker(BrokerConfig(listen="127.0.0.1", port=0, data_dir=tmp_path)) as broker:
        reactor, commands = broker._reactor, broker._reactor._sockets.commands
        moments = count()
        reactor._clock = lambda: Now(0, float(next(moments)))
        with RawClient(broker.address) as client:
            for _ in range(3 * PART):
                client.send(messages.Ping())
            read = []
            while sum(read) < 3 * PART:
                assert commands.poll(PATIENCE_MS)
                before = reactor.requests
                reactor._turn({commands})
                read.append(reactor.requests - before)
    assert max(read) <= PART


def test_a_resend_is_answered_with_the_old_place_and_not_heard_again(ana: RawClient, bob: RawClient) -> None:
    bob.enter("lobby")
    command = messages.Send(room="lobby", text="once", nonce=os.urandom(16))
    assert ana.ask(command).seq == ana.ask(command).seq
    after = ana.say("lobby", "next")
    assert [bob.event(messages.Message).text for _ in range(2)] == ["once", "next"]
    assert after.seq


def test_a_stranger_hears_nothing(broker: EmbeddedBroker, ana: RawClient) -> None:
    with RawClient(broker.address) as eve:
        eve.hello()
        eve.subscribe("lobby")
        eve.sub.setsockopt(zmq.SUBSCRIBE, b"")
        assert eve.try_ask(messages.Send(room="lobby", text="x", nonce=os.urandom(16))).code == "not-logged-in"
        ana.enter("lobby")
        ana.say("lobby", "among us")
        ana.event(messages.Message)
        eve.subscribe(eve.beacon)
        while eve.sub.poll(200):
            assert codec.decode_event(eve.sub.recv()).log == eve.beacon


def test_a_password_is_checked_aside(broker: EmbeddedBroker, ana: RawClient) -> None:
    login = ana.ask(messages.Profile()).login
    with RawClient(broker.address) as phone:
        phone.hello()
        assert phone.try_ask(messages.Login(login=login, password="wrong one")).code == "wrong-password"
        assert phone.ask(messages.Login(login=login, password="correct horse")).session.login == login


def test_whoever_is_expelled_is_cut_off(ana: RawClient, bob: RawClient) -> None:
    login = bob.ask(messages.Profile()).login
    name = f"r{os.urandom(4).hex()}"
    ana.ask(messages.Create(room=name))
    bob.ask(messages.Join(room=name))
    bob.enter(name)
    ana.ask(messages.Remove(room=name, login=login))
    ana.say(name, "behind the back")
    # The connection is made anew, with the beacon's marker and without the room.
    assert bob.event(messages.Live, bob.beacon).log == bob.beacon
    while bob.sub.poll(200):
        assert codec.decode_event(bob.sub.recv()).log != name


def test_a_killed_client_is_offline_by_its_lost_connection_and_not_by_its_silence(
    broker: EmbeddedBroker, ana: RawClient
) -> None:
    ana.enter("lobby")
    ghost = RawClient(broker.address)
    login = ghost.register(f"ghost{os.urandom(4).hex()}").session.login
    killed = time.monotonic()
    ghost.close()
    gone: list[messages.Change] = []
    while not any(change.login == login and change.change == "offline" for change in gone):
        gone += ana.event(messages.Roster).changes
    assert 0.3 < time.monotonic() - killed < SILENCE_S / 2


def test_whoever_comes_back_in_time_is_not_missed(broker: EmbeddedBroker, ana: RawClient) -> None:
    first = RawClient(broker.address)
    login = first.register(f"blink{os.urandom(4).hex()}").session.login
    ana.enter("lobby")
    first.close()
    with RawClient(broker.address, first.keys) as again:
        assert again.hello().session is not None
        again.enter("lobby")
        ana.say("lobby", "done")
        seen: list[messages.Change] = []
        while not isinstance(event := ana.event(messages.Event), messages.Message):
            if isinstance(event, messages.Roster):
                seen += event.changes
        assert [change for change in seen if change.login == login and change.change == "offline"] == []


def test_garbage_is_answered_and_the_next_request_too(ana: RawClient) -> None:
    for frame in (b"", b"\xc1\xc1", b"\x81\xa2id\x05"):
        ana.dealer.send(frame)
        _, error = ana.receive((5, messages.Reply))
        assert isinstance(error, ChatError)
    assert ana.ask(messages.Ping()).ok


def test_foreign_frames_on_the_broadcast_socket_leave_the_others_in_peace(ana: RawClient, bob: RawClient) -> None:
    ana.enter("lobby")
    evil = bob.context.socket(zmq.XPUB)
    evil.close()
    bob.sub.close()
    bob.sub = bob._socket(zmq.XSUB)
    bob.sub.connect(bob.address.broadcast)
    for _ in range(50):
        bob.sub.send(b"foreign")
    for _ in range(20):
        ana.unsubscribe("lobby")
        ana.subscribe("lobby")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        sent = ana.say("lobby", "still here")
        if ana.sub.poll(100) and any(
            isinstance(event, messages.Message) and event.seq == sent.seq for event in events(ana)
        ):
            return
        ana.unsubscribe("lobby")
        ana.subscribe("lobby")
    raise AssertionError("never heard again")


def events(client: RawClient) -> Iterator[messages.Event]:
    while client.sub.poll(50):
        yield codec.decode_event(client.sub.recv()).event


def test_what_was_accepted_is_settled_and_the_clients_are_told_when_it_stops(tmp_path: Path) -> None:
    config = BrokerConfig(listen="127.0.0.1", port=0, data_dir=tmp_path, bcrypt_cost=4, chat=unlimited.CHAT)
    broker = Broker(config)
    thread = threading.Thread(target=broker.run)
    thread.start()
    with RawClient(broker.address) as client:
        client.register("ana")
        for number in range(500):
            client.send(messages.Send(room="lobby", text=str(number), nonce=os.urandom(16)))
        kinds = dict.fromkeys(range(1000), messages.Sent)
        acknowledged = [client.receive(*kinds.items())[1].seq]
        broker.stop()
        thread.join(PATIENCE_S)
        broker.close()
        client.event(messages.ClosingSoon, client.beacon)
        while client.dealer.poll(100):
            acknowledged.append(codec.decode_reply(client.dealer.recv(), dict(kinds))[1].seq)  # type: ignore[union-attr]
        keys = client.keys
    with EmbeddedBroker(data_dir=tmp_path) as again, RawClient(again.address, keys) as client:
        session = client.hello().session
        assert session is not None
        assert session.rooms[0].head >= max(acknowledged)


def test_whoever_was_logged_in_is_so_after_a_restart(tmp_path: Path) -> None:
    with EmbeddedBroker(data_dir=tmp_path) as broker:
        with RawClient(broker.address) as client:
            client.register("ana")
            sent = client.say("lobby", "kept")
        port = broker.address.port
    with EmbeddedBroker(data_dir=tmp_path, port=port) as broker, RawClient(broker.address, client.keys) as again:
        session = again.hello().session
        assert session is not None
        assert session.login == "ana"
        assert again.ask(messages.History(log="lobby")).entries[0].seq == sent.seq


def test_it_ends_by_itself_when_nobody_has_been_there(tmp_path: Path) -> None:
    config = BrokerConfig(listen="127.0.0.1", port=0, data_dir=tmp_path, bcrypt_cost=4, idle_exit_s=0.5)
    with Broker(config) as broker:
        thread = threading.Thread(target=broker.run)
        with RawClient(broker.address) as client:
            greeting = client.send(messages.Hello(versions=[1], client="raw"))
            thread.start()  # with somebody at the door: half a second is no time on a busy machine
            client.receive((greeting, messages.Welcome))
            client.hello()
            thread.join(2.5)
            assert thread.is_alive(), "somebody was there"
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def test_a_beacon_is_lost_only_with_its_connection(broker: EmbeddedBroker, ana: RawClient, bob: RawClient) -> None:
    """Whoever guesses a beacon and vanishes does not make its holder look absent."""
    ana.enter("lobby")
    name = bob.ask(messages.Profile()).login
    with RawClient(broker.address) as eve:
        eve.hello()
        eve.subscribe(bob.beacon)
        eve.subscribe("lobby")
        eve.ask(messages.Hello(versions=[1]))
    deadline = time.monotonic() + 1.5
    while (left := deadline - time.monotonic()) > 0:
        if ana.sub.poll(int(left * 1_000) + 1):
            event = codec.decode_event(ana.sub.recv()).event
            assert not isinstance(event, messages.Roster) or all(
                change.login != name or change.change != "offline" for change in event.changes
            )
    assert bob.ask(messages.Ping()).ok


def test_a_loss_that_libzmq_did_not_tell_is_found_by_the_sweep(
    broker: EmbeddedBroker, ana: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana.enter("lobby")
    ghost = RawClient(broker.address)
    login = ghost.register(f"ghost{os.urandom(4).hex()}").session.login
    monkeypatch.setattr("broker.wire.reactor.LOOKS", 0)
    stands = peers.stands
    monkeypatch.setattr(peers, "stands", lambda connection: True)
    ghost.close()
    ana.say("lobby", "barrier")
    monkeypatch.setattr(peers, "stands", stands)
    gone: list[messages.Change] = []
    while not any(change.login == login and change.change == "offline" for change in gone):
        gone += ana.event(messages.Roster).changes
