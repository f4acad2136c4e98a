"""The watchman: whom it shuts, by tables; and that it sees and shuts real connections."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from broker.chat.effects import Connection
from broker.wire import peers
from broker.wire.bounds import Bounds
from broker.wire.gate import Offence
from broker.wire.judge import Judge, Place, Seen, Verdict
from broker.wire.peers import Traffic
from broker.wire.roll import Standing
from broker.wire.watchman import Scanner, Watchman
from common import limits
from common.limits import Rate
from tests.support.patience import PATIENCE_S

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="TCP_INFO is Linux's")


class Street:
    """Connections before a judge."""

    def __init__(self, **bounds: object) -> None:
        self.standings: dict[Connection, Standing] = {}
        self.seen: list[Seen] = []
        self.judge = Judge(Bounds(**bounds), lambda each: self.standings.get(each, Standing.STRANGER))  # type: ignore[arg-type]

    def come(
        self,
        count: int = 1,
        standing: Standing = Standing.STRANGER,
        host: str = "192.0.2.7",
        since: float = 0.0,
        received: int = 500,
        place: Place = Place.COMMANDS,
    ) -> list[Seen]:
        made = []
        for _ in range(count):
            connection = (len(self.seen), 1_000 + len(self.seen))
            self.standings[connection] = standing
            seen = Seen(connection, host, since + len(made) * 1e-6, place)
            seen.received = received
            made.append(seen)
            self.seen.append(seen)
        return made

    def send(self, seen: Seen, count: int) -> None:
        seen.received += count
        seen.fresh = count

    def judged(self, now: float) -> dict[Connection, str]:
        verdicts = {verdict.seen.connection: verdict.reason for verdict in self.judge.judge(self.seen, now)}
        for seen in self.seen:
            seen.fresh = 0
        return verdicts


def connections(seen: list[Seen]) -> set[Connection]:
    return {each.connection for each in seen}


@pytest.mark.parametrize(
    ("standing", "count", "shut"),
    [
        (Standing.STRANGER, 1_000, False),
        (Standing.STRANGER, 1_001, True),
        (Standing.MEMBER, 1_001, False),
        (Standing.MEMBER, 5_001, True),
        (Standing.GATEWAY, 5_001, False),
    ],
)
def test_each_has_its_budget_of_bytes(standing: Standing, count: int, shut: bool) -> None:
    street = Street(member_bytes=Rate(10, 5_000), stranger_bytes=Rate(10, 1_000))
    (peer,) = street.come(standing=standing)
    street.come(3, standing)
    street.send(peer, count)
    assert street.judged(1.0) == ({peer.connection: Offence.BYTES} if shut else {})


@pytest.mark.parametrize(
    ("standing", "shut"), [(Standing.STRANGER, True), (Standing.MEMBER, True), (Standing.GATEWAY, False)]
)
def test_listeners_have_a_budget_of_their_own(standing: Standing, shut: bool) -> None:
    street = Street(listener_bytes=Rate(10, 500))
    (peer,) = street.come(standing=standing, place=Place.BROADCAST)
    street.send(peer, 501)
    assert street.judged(1.0) == ({peer.connection: Offence.BYTES} if shut else {})


def test_a_budget_fills_again() -> None:
    street = Street(member_bytes=Rate(100, 1_000))
    (peer,) = street.come(standing=Standing.MEMBER)
    for now in range(100):
        street.send(peer, 100)
        assert street.judged(float(now)) == {}
    street.send(peer, 1_001)
    assert street.judged(100.0) == {peer.connection: Offence.BYTES}


def test_an_address_over_its_budget_loses_whoever_sent_most() -> None:
    street = Street(address_bytes=Rate(10, 10_000))
    many = street.come(20, Standing.MEMBER)
    elsewhere = street.come(20, Standing.MEMBER, host="192.0.2.8")
    for each in many + elsewhere[:5]:
        street.send(each, 5_000)
    street.send(many[7], 9_000)
    assert street.judged(1.0) == {many[7].connection: Offence.ADDRESS_BYTES}


def test_thousands_that_come_back_at_once_are_no_flood() -> None:
    street = Street()
    for each in street.come(4_000, received=0):
        street.send(each, 1_500)
    assert street.judged(0.2) == {}


def test_who_says_nothing_is_shut_if_there_are_many_of_them() -> None:
    street = Street()
    mute = street.come(limits.MUTE_PER_ADDRESS + 30, received=0)
    others = street.come(10, received=0, host="192.0.2.8")
    assert street.judged(limits.MUTE_S) == {}
    shut = street.judged(limits.MUTE_S + 0.1)
    assert set(shut.values()) == {"mute"}
    assert set(shut) == connections(mute[-30:])
    assert not set(shut) & connections(others)


def test_a_greeting_ends() -> None:
    street = Street()
    (greeting,) = street.come(place=Place.GREETING)
    assert street.judged(limits.GREETING_S) == {}
    assert street.judged(limits.GREETING_S + 0.1) == {greeting.connection: "greeting-over"}


def test_strangers_are_bounded_by_address_and_in_all_and_the_newest_go() -> None:
    street = Street(strangers=25, strangers_per_address=10)
    members = street.come(50, Standing.MEMBER)
    here = street.come(15)
    there = street.come(9, host="192.0.2.8")
    assert street.judged(limits.ARRIVAL_S) == {}
    shut = street.judged(limits.ARRIVAL_S + 1)
    assert set(shut) == connections(here[10:])
    assert not set(shut) & connections(members + there)
    for number in range(3):
        street.come(9, host=f"192.0.2.{20 + number}", since=1.0 + number)
    street.seen = [seen for seen in street.seen if seen.connection not in shut]
    shut = street.judged(limits.ARRIVAL_S + 5)
    assert set(shut.values()) == {"too-many-strangers"}
    assert len(shut) == 10 + 9 + 27 - 25
    assert set(shut) == connections(street.seen[-21:])


def test_a_stranger_may_fill_in_a_form_but_not_stay_for_ever() -> None:
    street = Street()
    (stranger,) = street.come()
    street.come(standing=Standing.MEMBER)
    assert street.judged(limits.STRANGER_S) == {}
    assert street.judged(limits.STRANGER_S + 1) == {stranger.connection: "no-login"}


def test_those_who_arrive_are_bounded() -> None:
    street = Street()
    arriving = street.come(limits.ARRIVING + 7)
    assert street.judged(1.0) == dict.fromkeys(connections(arriving[-7:]), "too-many-arrive")


def test_near_the_descriptor_limit_members_stay_and_the_newest_strangers_go() -> None:
    street = Street(connections=100)
    members = street.come(90, Standing.MEMBER)
    old = street.come(15, since=0.0)
    new = street.come(15, since=11.0)
    shut = street.judged(12.0)
    assert set(shut) == connections(new) | connections(old[-5:])
    assert not set(shut) & connections(members)
    street.come(60, Standing.MEMBER)
    assert not set(street.judged(12.0)) & connections(members)


def test_who_does_not_read_is_shut_and_what_framing_adds_does_not_count() -> None:
    street = Street(unread_bytes=10_000)
    (reader,) = street.come(standing=Standing.MEMBER)
    sent = acked = 0
    for _ in range(100):
        sent += 1_000
        acked += 1_100
        reader.note(Traffic(500, acked, idle=True), sent)
        assert reader.unread == 0
    reader.note(Traffic(500, acked, idle=False), sent + 10_000)
    assert street.judged(1.0) == {}
    reader.note(Traffic(500, acked + 500, idle=False), sent + 10_501)
    assert street.judged(1.0) == {reader.connection: "unread"}
    reader.note(Traffic(500, acked + 10_501, idle=False), sent + 10_501)
    assert street.judged(1.0) == {}


@linux_only
def test_the_kernel_says_how_much_came_and_went() -> None:
    meter = peers.TrafficMeter()
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as far:
        near, _ = server.accept()
        with near:
            assert meter.of(near.fileno()) == (0, 0, True)
            far.sendall(b"x" * 1_234)
            near.recv(1_234, socket.MSG_WAITALL)
            near.sendall(b"y" * 777)
            far.recv(777, socket.MSG_WAITALL)
            while (traffic := meter.of(near.fileno())) != (1_234, 777, True):
                assert traffic is not None
            near.setblocking(False)
            with pytest.raises(BlockingIOError):
                while True:
                    near.send(b"z" * 65_536)
            assert not meter.of(near.fileno()).idle  # type: ignore[union-attr]
    assert meter.of(0) is None


@pytest.fixture
def ports() -> Iterator[list[socket.socket]]:
    """Three servers in a row, as a broker has."""
    with ExitStack() as stack:
        while True:
            first = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            port = first.getsockname()[1]
            try:
                others = [stack.enter_context(socket.create_server(("127.0.0.1", port + n))) for n in (1, 2)]
            except OSError:
                continue
            yield [first, *others]
            return


def visit(server: socket.socket) -> tuple[socket.socket, socket.socket]:
    far = socket.create_connection(server.getsockname())
    near, _ = server.accept()
    return near, far


@linux_only
def test_it_finds_the_connections_on_its_ports_and_no_others(ports: list[socket.socket]) -> None:
    scanner = Scanner(ports[0].getsockname()[1], lambda _: 0)
    with socket.create_server(("127.0.0.1", 0)) as other, ExitStack() as stack:
        visits = [visit(server) for server in (*ports, other)]
        for each in visits:
            stack.enter_context(each[0])
            stack.enter_context(each[1])
        found = {seen.connection[0]: seen for seen in scanner.look(7.0)}
        assert set(found) == {near.fileno() for near, _ in visits[:3]}
        assert [found[near.fileno()].place for near, _ in visits[:3]] == list(Place)
        assert {seen.host for seen in found.values()} == {"127.0.0.1"}
        near, far = visits[0]
        far.sendall(b"x" * 100)
        near.recv(100, socket.MSG_WAITALL)
        seen = next(each for each in scanner.look(8.0) if each.connection[0] == near.fileno())
        assert (seen.since, seen.fresh, seen.received) == (7.0, 100, 100)


@linux_only
def test_a_descriptor_that_is_used_again_is_another_connection(ports: list[socket.socket]) -> None:
    scanner = Scanner(ports[0].getsockname()[1], lambda _: 0)
    near, far = visit(ports[0])
    far.sendall(b"x" * 100)
    near.recv(100, socket.MSG_WAITALL)
    (before,) = scanner.look(1.0)
    number = near.fileno()
    near.close()
    far.close()
    again, back = visit(ports[0])
    if again.fileno() != number:
        os.dup2(again.fileno(), number)
        again.close()
    else:
        again.detach()
    (seen,) = [each for each in scanner.look(2.0) if each.connection[0] == number]
    assert seen.connection != before.connection
    assert (seen.since, seen.received) == (2.0, 0)
    os.close(number)
    back.close()


@linux_only
def test_it_shuts_by_itself_who_sends_too_much_and_tells_of_it(ports: list[socket.socket]) -> None:
    told: list[tuple[str, Connection, Offence]] = []
    judge = Judge(Bounds(stranger_bytes=Rate(1, 1_000)), lambda _: Standing.STRANGER)
    watchman = Watchman(Scanner(ports[0].getsockname()[1], lambda _: 0), judge, lambda *offence: told.append(offence))
    near, far = visit(ports[0])
    quiet, still_there = visit(ports[1])
    with near, far, quiet, still_there:
        connection = peers.identify(near.fileno())
        watchman.start()
        try:
            far.settimeout(PATIENCE_S)
            try:
                far.sendall(b"x" * 100_000)
            except OSError:
                pass  # shut before all was sent
            while near.recv(65_536):
                pass
            assert far.recv(1) == b""
            while not told:
                time.sleep(0.001)
        finally:
            watchman.stop()
        assert told == [("127.0.0.1", connection, Offence.BYTES)]
        still_there.sendall(b"hola")
        assert quiet.recv(4) == b"hola"


@linux_only
def test_a_fault_does_not_end_it(ports: list[socket.socket], caplog: pytest.LogCaptureFixture) -> None:
    looks: list[float] = []

    class Failing(Judge):
        def judge(self, all_seen: object, now: float) -> list[Verdict]:
            looks.append(now)
            raise RuntimeError("a fault")

    watchman = Watchman(
        Scanner(ports[0].getsockname()[1], lambda _: 0), Failing(Bounds(), lambda _: Standing.STRANGER), print
    )
    watchman.start()
    while len(looks) < 2:
        time.sleep(0.001)
    watchman.stop()
    assert {record.message for record in caplog.records} == {"watchman-failed"}
