"""The command socket: who asks is what the connection proves, and nobody makes the broker wait."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import zmq
from zmq.utils import z85

from broker.chat.effects import Origin
from broker.wire.commands import Commands
from broker.wire.gate import Offence
from broker.wire.roll import Roll
from broker.wire.sockets import Context, Socket, Sockets, open_sockets
from broker.wire.zap import ZapHandler
from common import codec, messages
from common.errors import ChatError
from common.keys import generate
from tests.support.patience import PATIENCE_MS

PAIR = generate()
GATEWAY = "g" * 40
FLOOD = 50


class Desk:
    """A command socket with what came in."""

    def __init__(self, sockets: Sockets) -> None:
        self.sockets = sockets
        self.members: set[str] = set()
        self.roll = Roll(self.members.__contains__, {GATEWAY})
        self.offences: list[tuple[str, str | None, str]] = []
        self.commands = Commands(sockets.commands, self.roll, lambda *offence: self.offences.append(offence), FLOOD)
        self.requests: list[tuple[Origin, codec.Request]] = []
        self.malformed: list[tuple[Origin, ChatError]] = []

    def read(self) -> int:
        assert self.sockets.commands.poll(PATIENCE_MS)
        return self.commands.drain(
            256,
            lambda origin, request: self.requests.append((origin, request)),
            lambda origin, error: self.malformed.append((origin, error)),
        )

    def read_ping(self) -> Origin:
        """Read until a `ping` has come: the barrier behind whatever was sent before it."""
        while not any(type(request.command) is messages.Ping for _, request in self.requests):
            self.read()
        return self.requests[-1][0]


@pytest.fixture
def desk(context: Context) -> Iterator[Desk]:
    zap = ZapHandler(context)
    zap.start()
    sockets = open_sockets(context, "127.0.0.1", 0, PAIR.secret)
    yield Desk(sockets)
    sockets.close(0)
    zap.stop()


def client(context: Context, desk: Desk, kind: int = zmq.DEALER, name: bytes | None = None) -> tuple[Socket, str]:
    own = generate()
    made: Socket = context.socket(kind)
    if name is not None:
        made.setsockopt(zmq.ROUTING_ID, name)
    made.setsockopt(zmq.CURVE_SERVERKEY, z85.encode(PAIR.public))
    made.setsockopt(zmq.CURVE_PUBLICKEY, z85.encode(own.public))
    made.setsockopt(zmq.CURVE_SECRETKEY, z85.encode(own.secret))
    made.connect(f"tcp://127.0.0.1:{desk.sockets.port}")
    return made, z85.encode(own.public).decode()


PING = codec.encode_request(7, messages.Ping(), "s")


def test_a_request_comes_with_who_asks_and_from_where(context: Context, desk: Desk) -> None:
    dealer, key = client(context, desk)
    dealer.send(PING)
    desk.read()
    ((origin, request),) = desk.requests
    assert (origin.key, origin.session, origin.id, origin.address) == (key, "s", 7, "127.0.0.1")
    assert len(origin.route) == 5
    assert origin.route[0] == 0
    assert request.command == messages.Ping()


@pytest.mark.parametrize(
    ("told", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("no address", "no address"),
        ("", ""),
    ],
)
def test_the_address_that_a_gateway_tells_is_counted_as_a_peers_is(
    context: Context, desk: Desk, told: str, counted: str
) -> None:
    dealer, _key = client(context, desk)
    dealer.send(codec.encode_request(7, messages.Ping(), "s", told))
    origin = desk.read_ping()
    assert (origin.person, origin.address) == (counted, "127.0.0.1"), "believed or not is no matter of the wire's"


def test_a_gateway_that_is_one_no_longer_floods_as_anybody_does(context: Context, desk: Desk) -> None:
    gateway, key = client(context, desk)
    desk.roll._gateways = {key}
    for _ in range(3 * FLOOD):
        gateway.send(PING)
    while len(desk.requests) < 3 * FLOOD:
        desk.read()
    desk.roll._gateways = ()
    gateway.send(PING)
    while not desk.offences:
        desk.read()
    assert desk.offences == [("127.0.0.1", key, Offence.FLOOD)]


def test_a_reply_goes_where_the_request_came_from(context: Context, desk: Desk) -> None:
    one, _ = client(context, desk)
    two, _ = client(context, desk)
    one.send(PING)
    origin = desk.read_ping()
    desk.commands.send(origin.route, b"for one")
    assert one.poll(PATIENCE_MS)
    assert one.recv() == b"for one"
    assert not two.poll(0)


@pytest.mark.parametrize(
    "frame", [b"", b"\xc1", b"\x80", codec.encode_request(1, messages.Ping())[:-1], b"\x81\xa2id\xd6\x01abcd"]
)
def test_what_cannot_be_read_is_told_to_its_sender(context: Context, desk: Desk, frame: bytes) -> None:
    dealer, key = client(context, desk)
    dealer.send(frame)
    dealer.send(PING)
    desk.read_ping()
    ((origin, error),) = desk.malformed
    assert (origin.key, error.code) == (key, "bad-request")


@pytest.mark.parametrize("frames", [[PING, b""], [b"", PING], [PING, PING, PING]])
def test_several_frames_are_no_request(context: Context, desk: Desk, frames: list[bytes]) -> None:
    dealer, _ = client(context, desk)
    dealer.send_multipart(frames)
    dealer.send(PING)
    desk.read_ping()
    assert len(desk.requests) == 1
    assert desk.commands.foreign == 1


@pytest.mark.parametrize("name", [b"me", b"\1abcd", b"a" * 200])
def test_a_chosen_routing_id_is_not_listened_to(context: Context, desk: Desk, name: bytes) -> None:
    chosen, _ = client(context, desk, name=name)
    chosen.send(PING)
    while not desk.commands.foreign:
        desk.read()
    assert not desk.requests


def test_a_frame_without_identity_is_dropped(context: Context) -> None:
    """Never seen with CURVE and ZAP; a socket without them stands for whatever might bring it about."""
    router: Socket = context.socket(zmq.ROUTER)
    port = router.bind_to_random_port("tcp://127.0.0.1")
    dealer: Socket = context.socket(zmq.DEALER)
    dealer.connect(f"tcp://127.0.0.1:{port}")
    dealer.send(PING)
    assert router.poll(PATIENCE_MS)
    commands = Commands(router, Roll(lambda _: False), lambda *_: None)
    heard: list[object] = []
    commands.drain(10, lambda *given: heard.append(given), lambda *given: heard.append(given))
    assert (heard, commands.foreign) == ([], 1)


def test_a_reply_to_whoever_is_gone_is_dropped(desk: Desk) -> None:
    desk.commands.send(b"\0gone", b"reply")
    assert desk.commands.undelivered == 1


def test_a_client_that_does_not_read_costs_only_its_own_replies(context: Context, desk: Desk) -> None:
    stalled, _ = client(context, desk)
    stalled.setsockopt(zmq.RCVHWM, 1)
    other, _ = client(context, desk)
    stalled.send(PING)
    route = desk.read_ping().route
    desk.requests.clear()
    body = b"x" * 65_536
    for _ in range(5_000):
        desk.commands.send(route, body)
    assert desk.commands.undelivered > 0
    other.send(PING)
    desk.commands.send(desk.read_ping().route, b"on time")
    assert other.poll(PATIENCE_MS)


def test_a_batch_is_bounded(context: Context, desk: Desk) -> None:
    dealer, _ = client(context, desk)
    for _ in range(30):
        dealer.send(PING)
    read = 0
    while read < 30:
        assert desk.sockets.commands.poll(PATIENCE_MS)
        count = desk.commands.drain(7, lambda *_: None, lambda *_: None)
        assert count <= 7
        read += count


def test_another_error_of_the_socket_is_not_hidden(desk: Desk) -> None:
    desk.sockets.commands.close()
    with pytest.raises(zmq.ZMQError):
        desk.commands.send(b"\0abcd", b"reply")


def test_a_flood_costs_the_connection_and_is_told_once(context: Context, desk: Desk) -> None:
    flooder, key = client(context, desk)
    gateway, gateway_key = client(context, desk)
    desk.roll._gateways = {gateway_key}
    gateway.send(PING)
    desk.read_ping()
    for _ in range(3 * FLOOD):
        flooder.send(PING)
        gateway.send(PING)
    while sum(origin.key == gateway_key for origin, _ in desk.requests) < 3 * FLOOD + 1 or not desk.offences:
        desk.read()
    assert desk.offences == [("127.0.0.1", key, Offence.FLOOD)]
    assert sum(origin.key == key for origin, _ in desk.requests) == FLOOD


def test_requests_are_counted_by_the_second(context: Context, desk: Desk) -> None:
    dealer, _ = client(context, desk)
    for _ in range(3):
        for _ in range(FLOOD):
            dealer.send(PING)
        desk.requests.clear()
        while len(desk.requests) < FLOOD:
            desk.read()
        desk.commands.review()
    assert desk.offences == []


def test_who_flooded_may_come_back(context: Context, desk: Desk) -> None:
    dealer, _ = client(context, desk)
    for _ in range(FLOOD + 1):
        dealer.send(PING)
    while not desk.offences:
        desk.read()
    for _ in range(2):
        desk.commands.review()
    desk.roll.prune()
    desk.commands.forget_gone()
    desk.requests.clear()
    dealer.send(PING)
    desk.read_ping()


def test_who_is_taken_for_what_was_cut_is_looked_at_again_within_a_second(
    context: Context, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(desk.roll, "was_cut", lambda descriptor, key: True)
        dealer, _ = client(context, desk)
        dealer.send(PING)
        desk.read()
    assert desk.requests == []
    desk.commands.review()
    dealer.send(PING)
    desk.read_ping()


def test_what_is_no_request_counts_as_one(context: Context, desk: Desk) -> None:
    dealer, key = client(context, desk)
    for _ in range(FLOOD + 1):
        dealer.send_multipart([b"", PING])
    while not desk.offences:
        desk.read()
    assert desk.offences == [("127.0.0.1", key, Offence.FLOOD)]


def test_connections_that_are_gone_are_forgotten(context: Context, desk: Desk) -> None:
    one, _ = client(context, desk)
    two, _ = client(context, desk)
    one.send(PING)
    two.send(PING)
    while len(desk.requests) < 2:
        desk.read()
    one.close()
    while len(desk.roll) == 2:
        desk.roll.prune()
    desk.commands.forget_gone()
    assert len(desk.commands._lines) == 1
    two.send(PING)
    desk.read_ping()
