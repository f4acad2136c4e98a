"""Looks after the broker's own TCP connections: who sends too much, says nothing, or is one too many is shut.

Neither ZMQ_RCVHWM nor ZMQ_MAXMSGSIZE bounds memory: libzmq holds a message of thousands of frames whole, and every
subscription that was denied. Nor does ZMQ_SNDHWM, which counts messages. So a thread reads from
the kernel how many bytes went over each connection, and shuts down what is over its budget; libzmq then frees what
it holds. Linux only. Must not know what travels.

Source: tcp(7), TCP_INFO.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Final, NamedTuple

from broker import log
from broker.chat.effects import Connection
from broker.chat.rates import Limiter
from broker.wire import peers
from broker.wire.bounds import Bounds
from broker.wire.gate import Offence
from broker.wire.peers import Traffic
from broker.wire.roll import Standing
from common.limits import ARRIVAL_S, ARRIVING, GREETING_S, MUTE_PER_ADDRESS, MUTE_S, STRANGER_S

SCAN_S: Final = 0.1
"""Seconds between two looks at the least: one peer pushes some 30 MB in that time."""
SHARE: Final = 0.05
"""Of a core at the most: with thousands of connections the looks become rarer instead of dearer."""
_DESCRIPTORS: Final = "/proc/self/fd"
_BUDGETS: Final = 50_000
_FREE_BYTES: Final = 4_096
"""Of each connection, not counted for its address: a thousand clients that come back are no flood."""


class Place(IntEnum):
    """A socket of the broker, by how many ports it is above the first."""

    COMMANDS = 0
    BROADCAST = 1
    GREETING = 2


class Seen:
    """A connection as it was seen last."""

    __slots__ = ("acked", "connection", "fresh", "host", "place", "received", "sent", "since", "unread")

    def __init__(self, connection: Connection, host: str, since: float, place: Place = Place.COMMANDS) -> None:
        self.connection = connection
        self.host = host
        self.since = since
        """When it was first seen, by the clock that never jumps."""
        self.place = place
        """Where it leads."""
        self.received = 0
        """Bytes so far."""
        self.fresh = 0
        """Bytes since the look before."""
        self.unread = 0
        """Bytes of replies that the other side has not taken."""
        self.sent = 0
        self.acked = 0

    def note(self, traffic: Traffic, sent: int) -> None:
        """Take in what the kernel says, and how many bytes of replies were handed to libzmq so far."""
        self.fresh, self.received = traffic.received - self.received, traffic.received
        if traffic.idle:
            # All is read: what encryption and framing added meanwhile no longer counts.
            self.sent, self.acked = sent, traffic.acked
        self.unread = (sent - self.sent) - (traffic.acked - self.acked)


class Verdict(NamedTuple):
    """A connection to be shut."""

    seen: Seen
    reason: Offence | str


class Judge:
    """Decides which connections are shut. Takes the time as an argument, and sees nothing of the system."""

    def __init__(self, bounds: Bounds, standing: Callable[[Connection], Standing]) -> None:
        """`standing` tells whose connection it is, as far as is known."""
        self._bounds = bounds
        self._standing = standing
        self._member_bytes = Limiter(bounds.member_bytes, _BUDGETS)
        self._stranger_bytes = Limiter(bounds.stranger_bytes, _BUDGETS)
        self._listener_bytes = Limiter(bounds.listener_bytes, _BUDGETS)
        self._address_bytes = Limiter(bounds.address_bytes)

    def judge(self, all_seen: Iterable[Seen], now: float) -> list[Verdict]:
        """What is to be shut after this look; each connection once."""
        verdicts: dict[Connection, Verdict] = {}
        arriving: list[Seen] = []
        settled: list[Seen] = []
        senders: list[Seen] = []
        total = 0
        for seen in all_seen:
            total += 1
            standing = self._standing(seen.connection)
            if seen.unread > self._bounds.unread_bytes and standing is not Standing.GATEWAY:
                verdicts[seen.connection] = Verdict(seen, "unread")
            if seen.fresh and standing is not Standing.GATEWAY:
                senders.append(seen)
                if self._over_budget(seen, standing, now):
                    verdicts.setdefault(seen.connection, Verdict(seen, Offence.BYTES))
            if standing is Standing.STRANGER:
                (settled if now - seen.since > ARRIVAL_S else arriving).append(seen)
            if seen.place is Place.GREETING and now - seen.since > GREETING_S:
                verdicts.setdefault(seen.connection, Verdict(seen, "greeting-over"))
        self._judge_addresses(senders, verdicts, now)
        self._judge_mute(arriving, verdicts, now)
        self._judge_strangers(settled, verdicts, now)
        _shut(verdicts, _newest(arriving, len(arriving) - ARRIVING), "too-many-arrive")
        left = [seen for seen in arriving + settled if seen.connection not in verdicts]
        _shut(verdicts, _newest(left, total - len(verdicts) - self._bounds.connections), "too-many-connections")
        return list(verdicts.values())

    def _over_budget(self, seen: Seen, standing: Standing, now: float) -> bool:
        if seen.place is Place.BROADCAST:
            budget = self._listener_bytes
        else:
            budget = self._member_bytes if standing is Standing.MEMBER else self._stranger_bytes
        return budget.take(seen.connection, now, seen.fresh) > 0

    def _judge_addresses(self, senders: list[Seen], verdicts: dict[Connection, Verdict], now: float) -> None:
        """Shut, of an address over its budget, the connection that sent most since the last look."""
        for neighbours in _by_host(senders):
            fresh = sum(min(seen.fresh, max(0, seen.received - _FREE_BYTES)) for seen in neighbours)
            if fresh and self._address_bytes.take(neighbours[0].host, now, fresh):
                heaviest = max(neighbours, key=lambda seen: seen.fresh)
                verdicts.setdefault(heaviest.connection, Verdict(heaviest, Offence.ADDRESS_BYTES))

    @staticmethod
    def _judge_mute(arriving: list[Seen], verdicts: dict[Connection, Verdict], now: float) -> None:
        for silent in _by_host(seen for seen in arriving if not seen.received and now - seen.since > MUTE_S):
            _shut(verdicts, _newest(silent, len(silent) - MUTE_PER_ADDRESS), "mute")

    def _judge_strangers(self, settled: list[Seen], verdicts: dict[Connection, Verdict], now: float) -> None:
        bounds = self._bounds
        _shut(verdicts, (seen for seen in settled if now - seen.since > STRANGER_S), "no-login")
        for neighbours in _by_host(settled):
            _shut(verdicts, _newest(neighbours, len(neighbours) - bounds.strangers_per_address), "too-many-strangers")
        _shut(verdicts, _newest(settled, len(settled) - bounds.strangers), "too-many-strangers")


def _by_host(connections: Iterable[Seen]) -> Iterable[list[Seen]]:
    of: dict[str, list[Seen]] = {}
    for seen in connections:
        of.setdefault(seen.host, []).append(seen)
    return of.values()


def _newest(connections: list[Seen], count: int) -> list[Seen]:
    """The `count` that came last; none if that is not positive."""
    if count <= 0:
        return []
    return sorted(connections, key=lambda seen: seen.since, reverse=True)[:count]


def _shut(verdicts: dict[Connection, Verdict], connections: Iterable[Seen], reason: str) -> None:
    for seen in connections:
        verdicts.setdefault(seen.connection, Verdict(seen, reason))


class Scanner:
    """Finds this process's connections on the broker's ports, and what came on each. Raises `OSError` if it cannot."""

    def __init__(self, port: int, sent: Callable[[Connection], int]) -> None:
        """`sent` tells how many bytes of replies were handed to libzmq for a connection."""
        self._ports = range(port, port + 3)
        self._sent = sent
        self._meter = peers.TrafficMeter()
        self._seen: dict[int, tuple[int, Seen | None]] = {}
        """By descriptor: the inode, and the connection if it is one of the broker's."""
        self.look(0.0)

    def look(self, now: float) -> list[Seen]:
        """Every connection that stands."""
        before, self._seen = self._seen, {}
        found = []
        for name in os.listdir(_DESCRIPTORS):
            descriptor = int(name)
            identity = peers.identify(descriptor)
            if identity is None:
                continue
            known = before.get(descriptor)
            seen = known[1] if known and known[0] == identity[1] else self._first(identity, now)
            self._seen[descriptor] = (identity[1], seen)
            if seen is not None and (traffic := self._meter.of(descriptor)) is not None:
                seen.note(traffic, self._sent(seen.connection))
                found.append(seen)
        return found

    def _first(self, connection: Connection, now: float) -> Seen | None:
        endpoint = peers.endpoint(connection[0])
        if endpoint is None or endpoint.port not in self._ports:
            return None
        return Seen(connection, endpoint.host, now, Place(endpoint.port - self._ports[0]))


class Watchman:
    """The thread. `offended(address, connection, reason)` is told of each connection that misbehaved."""

    def __init__(self, scanner: Scanner, judge: Judge, offended: Callable[[str, Connection, Offence], None]) -> None:
        self._scanner = scanner
        self._judge = judge
        self._offended = offended
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchman", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        pause = SCAN_S
        while not self._stop.wait(pause):
            before = time.thread_time()
            try:
                self.look(time.monotonic())
            except Exception:
                # The top of this thread: without it nothing bounds what peers send.
                log.failure("watchman-failed")
            pause = max(SCAN_S, (time.thread_time() - before) / SHARE)

    def look(self, now: float) -> list[Verdict]:
        """Look once, and shut what is to be shut."""
        verdicts = self._judge.judge(self._scanner.look(now), now)
        shut: Counter[str] = Counter()
        for verdict in verdicts:
            peers.cut(verdict.seen.connection)
            if isinstance(verdict.reason, Offence):
                self._offended(verdict.seen.host, verdict.seen.connection, verdict.reason)
            else:
                shut[verdict.reason] += 1
        for reason, count in shut.items():
            log.event("shut", reason=reason, connections=count)
        return verdicts
