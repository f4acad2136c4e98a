"""Decides which connections are shut, from what was seen of them. Takes the time as an argument.

Must not know how a connection is seen or shut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Final, NamedTuple

from broker.chat.effects import Connection
from broker.chat.rates import Limiter
from broker.wire.bounds import Bounds
from broker.wire.gate import Offence
from broker.wire.peers import Traffic
from broker.wire.roll import Standing
from common.limits import ARRIVAL_S, ARRIVING, GREETING_S, MUTE_PER_ADDRESS, MUTE_S, STRANGER_S

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
        # Those of connections that are gone are full again soon, and forgotten first.
        self._member_bytes = Limiter(bounds.member_bytes, bounds.connections)
        self._stranger_bytes = Limiter(bounds.stranger_bytes, bounds.connections)
        self._listener_bytes = Limiter(bounds.listener_bytes, bounds.connections)
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
