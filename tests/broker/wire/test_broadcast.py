"""The broadcast socket: only what was granted is heard, whatever strangers send; and who is gone is known."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import zmq
from zmq.utils import z85

from broker.chat.effects import Connection
from broker.wire import peers
from broker.wire.broadcast import BeaconLost, Broadcast, Change, Granted, Withdrawn
from broker.wire.gate import Offence
from broker.wire.roll import Roll
from broker.wire.sockets import Context, Socket, Sockets, open_sockets
from broker.wire.zap import ZapHandler
from common import topics
from common.keys import KeyPair, generate
from common.limits import STRANGER_SUBSCRIPTIONS
from tests.support.patience import PATIENCE_MS

PAIR = generate()
MOST = 100
BEACON = b"~" + b"0" * 11 + b"\0"


class Stage:
    """A broadcast socket that grants what `entitled` says."""

    def __init__(self, sockets: Sockets) -> None:
        self.sockets = sockets.broadcast
        self.port = sockets.port + 1
        self.entitled: set[tuple[str, bytes]] = set()
        self.asked: list[bytes] = []
        self.members: set[str] = set()
        self.offences: list[str] = []
        self.broadcast = Broadcast(
            sockets.broadcast,
            self.may_hear,
            Roll(self.members.__contains__),
            lambda _address, _key, reason: self.offences.append(reason),
            subscriptions=MOST,
        )

    def may_hear(self, key: str, topic: bytes) -> bool:
        self.asked.append(topic)
        return (key, topic) in self.entitled

    @property
    def only(self) -> Any:
        """The one socket's own part."""
        (stage,) = self.broadcast._stages.values()
        return stage

    def read(self) -> list[Change]:
        poller = zmq.Poller()
        for each in self.sockets:
            poller.register(each, zmq.POLLIN)
        ready = dict(poller.poll(PATIENCE_MS))
        assert ready, "nothing arrived"
        return self.broadcast.drain(ready, 100)

    def publish(self, frame: bytes) -> None:
        """Publish a whole frame."""
        self.broadcast.publish(frame.partition(b"\0")[0].decode(), frame)

    def read_until(self, kind: type[Change]) -> list[Change]:
        changes: list[Change] = []
        while not any(isinstance(change, kind) for change in changes):
            changes += self.read()
        return changes


class Listener:
    """A subscriber, as an XSUB so that it may send any frame."""

    def __init__(self, context: Context, stage: Stage, keys: KeyPair | None = None) -> None:
        own = keys or generate()
        self.key = z85.encode(own.public).decode()
        self.stage = stage
        self.socket: Socket = context.socket(zmq.XSUB)
        for option, value in (
            (zmq.CURVE_SERVERKEY, z85.encode(PAIR.public)),
            (zmq.CURVE_PUBLICKEY, z85.encode(own.public)),
            (zmq.CURVE_SECRETKEY, z85.encode(own.secret)),
            (zmq.LINGER, 0),
            (zmq.SNDHWM, 0),
            (zmq.RECONNECT_IVL, 20),
        ):
            self.socket.setsockopt(option, value)
        self.socket.connect(f"tcp://127.0.0.1:{stage.port}")

    def may(self, *names: bytes) -> Listener:
        self.stage.entitled |= {(self.key, topic) for topic in names}
        return self

    def subscribe(self, topic: bytes) -> None:
        self.socket.send(b"\1" + topic)

    def join(self, topic: bytes) -> Granted:
        """Subscribe, and have it granted."""
        self.may(topic).subscribe(topic)
        change = self.stage.read_until(Granted)[-1]
        assert isinstance(change, Granted)
        return change

    def hears(self) -> list[bytes]:
        """What was published to it so far: what arrives before a frame that is published now, for it alone."""
        last = b"last" + os.urandom(8).hex().encode() + b"\0"
        self.join(last)
        self.stage.publish(last)
        heard: list[bytes] = []
        while True:
            assert self.socket.poll(PATIENCE_MS), "the barrier did not come"
            if (frame := self.socket.recv()) == last:
                return heard
            heard.append(frame)

    def hears_in_vain(self) -> list[bytes]:
        """What arrives within a moment, where no barrier can be set up."""
        heard: list[bytes] = []
        while self.socket.poll(200):
            heard.append(self.socket.recv())
        return heard


@contextmanager
def opened(context: Context, shares: int) -> Iterator[Stage]:
    zap = ZapHandler(context)
    zap.start()
    sockets = open_sockets(context, "127.0.0.1", 0, PAIR.secret, shares=shares)
    yield Stage(sockets)
    sockets.close(0)
    zap.stop()


@pytest.fixture
def stage(context: Context) -> Iterator[Stage]:
    """One socket, so that what one peer does meets the others."""
    with opened(context, shares=1) as stage:
        yield stage


@pytest.fixture
def ana(context: Context, stage: Stage) -> Listener:
    return Listener(context, stage)


@pytest.fixture
def eve(context: Context, stage: Stage) -> Listener:
    return Listener(context, stage)


def test_a_grant_names_its_holder_and_connection_and_is_heard(stage: Stage, ana: Listener) -> None:
    granted = ana.join(b"lobby\0")
    assert (granted.key, granted.topic) == (ana.key, b"lobby\0")
    assert peers.stands(granted.connection)
    stage.publish(b"lobby\0hola")
    assert ana.hears() == [b"lobby\0hola"]


@pytest.mark.parametrize("topic", [b"", b"dev\0", b"lobb", b"lobby", b"\0", b"@ana\0"])
def test_what_was_not_granted_is_not_heard(stage: Stage, ana: Listener, eve: Listener, topic: bytes) -> None:
    ana.join(b"lobby\0")
    eve.may(b"own\0")
    eve.subscribe(topic)
    eve.subscribe(b"own\0")
    assert [change.topic for change in stage.read_until(Granted) if isinstance(change, Granted)] == [b"own\0"]
    assert stage.broadcast.denied == 1
    stage.publish(b"lobby\0hola")
    stage.publish(b"dev\0hola")
    stage.publish(b"own\0hola")
    assert eve.hears() == [b"own\0hola"]


def test_nothing_is_sent_after_an_unsubscription_was_read(stage: Stage, ana: Listener) -> None:
    granted = ana.join(b"lobby\0")
    ana.socket.send(b"\0lobby\0")
    assert stage.read_until(Withdrawn) == [Withdrawn(b"lobby\0", granted.connection)]
    stage.publish(b"lobby\0hola")
    assert ana.hears() == []


def test_a_lost_connection_shows_by_its_beacon_alone(stage: Stage, ana: Listener) -> None:
    ana.join(b"lobby\0")
    granted = ana.join(BEACON)
    ana.socket.close()
    assert stage.read_until(BeaconLost) == [BeaconLost(BEACON)]
    while peers.stands(granted.connection):
        pass


def test_a_cut_connection_comes_back_and_is_judged_anew(stage: Stage, ana: Listener) -> None:
    granted = ana.join(b"lobby\0")
    stage.entitled.clear()
    assert peers.cut(granted.connection)
    ana.may(BEACON).subscribe(BEACON)
    changes: list[Change] = []
    while not changes:
        # A subscriber says again what it wants once it is touched after the reconnect.
        ana.socket.poll(20)
        changes = [each for each in stage.broadcast.drain(stage.sockets, 100) if isinstance(each, Granted)]
    assert {change.topic for change in changes if isinstance(change, Granted)} == {BEACON}
    stage.publish(b"lobby\0hola")
    assert ana.hears() == []


@pytest.mark.parametrize("frames", [[b"hello"], [b""], [b"\2lobby\0"], [b"\1lobby\0", b"more"], [b"x", b"\1lobby\0"]])
def test_a_foreign_frame_costs_its_sender_the_connection(
    stage: Stage, ana: Listener, eve: Listener, frames: list[bytes]
) -> None:
    standing = ana.join(b"lobby\0").connection
    lost = eve.join(BEACON).connection
    eve.socket.send_multipart(frames)
    stage.read_until(BeaconLost)
    assert stage.broadcast.foreign >= 1
    while peers.stands(lost):
        pass
    assert peers.stands(standing)


def test_nothing_is_granted_behind_a_foreign_frame_until_all_is_read(
    stage: Stage, ana: Listener, eve: Listener
) -> None:
    """A foreign frame puts libzmq's idea of who asked out of step: a grant could go to whoever sent it."""
    ana.join(BEACON)
    eve.join(BEACON)
    for _ in range(5):
        eve.socket.send(b"foreign")
    ana.may(b"secret\0").subscribe(b"secret\0")
    while not stage.broadcast.foreign:
        stage.read()
    for _ in range(3):
        stage.publish(b"secret\0hola")
    assert eve.hears_in_vain() == []
    assert set(ana.hears_in_vain()) <= {b"secret\0hola"}
    ana.socket.send(b"\0secret\0")
    ana.subscribe(b"secret\0")
    if not any(isinstance(change, Granted) for change in stage.broadcast.drain(stage.sockets, 100)):
        stage.read_until(Granted)


def test_the_guard_lasts_over_batches_until_the_socket_is_empty(stage: Stage, ana: Listener) -> None:
    ana.join(BEACON)
    (socket,) = stage.sockets
    stage.only._guarded = True
    ana.may(b"a\0").subscribe(b"a\0")
    assert socket.poll(PATIENCE_MS)
    assert stage.broadcast.drain(stage.sockets, 1) == []
    assert stage.only._guarded
    assert stage.broadcast.drain(stage.sockets, 1) == []
    assert not stage.only._guarded
    assert b"a\0" not in stage.asked


def test_an_unsubscription_under_guard_sends_its_client_away(stage: Stage, ana: Listener) -> None:
    granted = ana.join(b"lobby\0")
    stage.only._guarded = True
    ana.socket.send(b"\0lobby\0")
    assert stage.read() == [Withdrawn(b"lobby\0", granted.connection)]
    while peers.stands(granted.connection):
        pass


def test_a_batch_is_bounded(stage: Stage, ana: Listener) -> None:
    ana.join(BEACON)
    for number in range(10):
        ana.may(b"%d\0" % number).subscribe(b"%d\0" % number)
    granted = 0
    while granted < 10:
        assert stage.sockets[0].poll(PATIENCE_MS)
        count = len(stage.broadcast.drain(stage.sockets, 3))
        assert count <= 3
        granted += count


def test_identity_of_a_connection_that_is_closed_already(
    stage: Stage, ana: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(_: int) -> Connection | None:
        return None

    monkeypatch.setattr(peers, "identify", closed)
    ana.may(BEACON).subscribe(BEACON)
    ana.socket.send(b"\0" + BEACON)
    ana.socket.send(b"foreign")
    while not stage.broadcast.foreign:
        assert stage.read() == []


def test_too_many_topics_cost_the_connection(stage: Stage, ana: Listener, eve: Listener) -> None:
    standing = ana.join(b"lobby\0").connection
    lost = eve.join(BEACON).connection
    for number in range(STRANGER_SUBSCRIPTIONS):
        eve.subscribe(b"guess%d\0" % number)
    stage.read_until(BeaconLost)
    assert set(stage.offences) == {Offence.SUBSCRIPTIONS}
    while peers.stands(lost):
        pass
    assert peers.stands(standing)


def test_members_may_ask_for_more_and_what_is_given_back_does_not_count(stage: Stage, ana: Listener) -> None:
    stage.members.add(ana.key)
    ana.join(b"lobby\0")
    for number in range(10 * MOST):
        ana.subscribe(b"guess%d\0" % number)
        ana.socket.send(b"\0guess%d\0" % number)
    for number in range(MOST - 2):
        ana.subscribe(b"guess%d\0" % number)
    ana.join(BEACON)
    assert stage.offences == []
    ana.subscribe(b"one more\0")
    stage.read_until(BeaconLost)
    assert stage.offences == [Offence.SUBSCRIPTIONS]


def test_a_topic_longer_than_any_costs_the_connection(stage: Stage, eve: Listener) -> None:
    eve.join(BEACON)
    eve.subscribe(b"x" * topics.LONGEST)
    eve.join(b"own\0")
    assert stage.offences == []
    eve.subscribe(b"x" * (topics.LONGEST + 1))
    stage.read_until(BeaconLost)
    assert stage.offences == [Offence.SUBSCRIPTIONS]


@pytest.fixture
def stages(context: Context) -> Iterator[Stage]:
    """Several sockets that share the port."""
    with opened(context, shares=4) as stages:
        yield stages


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel divides connections on Linux only")
def test_listeners_are_divided_and_all_hear(context: Context, stages: Stage) -> None:
    listeners = [Listener(context, stages) for _ in range(16)]
    granted = [listener.join(b"lobby\0") for listener in listeners]
    assert len(stages.broadcast._where["lobby"]) > 1
    stages.publish(b"lobby\0hola")
    assert [listener.hears() for listener in listeners] == [[b"lobby\0hola"]] * 16
    alone = listeners[3].join(BEACON)
    assert len(stages.broadcast._where[BEACON[:-1].decode()]) == 1
    stages.broadcast.forget({b"lobby\0": [granted[5].connection]})
    assert len(stages.broadcast._where["lobby"]) == 1
    assert BEACON[:-1].decode() not in stages.broadcast._where
    stages.publish(b"lobby\0still here")
    assert listeners[5].hears() == [b"lobby\0still here"]
    assert peers.stands(alone.connection)
