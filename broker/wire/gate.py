"""Who may connect now: handshakes are counted per address, and whoever misbehaved stays out for a while.

A key that has a session is never refused for its address: one bad neighbour does not lock out a house. Asked by
the ZAP thread, told by the reactor and the watchman. Must not know how a connection is shut.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from enum import StrEnum
from threading import Lock
from typing import Final, NamedTuple

from broker import log
from broker.chat.rates import Limiter
from broker.wire.bounds import Bounds
from common.limits import BAN_S

_KEPT: Final = 10_000
"""Bans and addresses in memory; the oldest go first."""

HasSession = Callable[[str], bool]
"""Whether a public key (Z85) has a session; called from any thread."""


class Offence(StrEnum):
    """What no honest client does, and costs it its connection."""

    FLOOD = "flood"
    """More requests in a second than any refusal leaves room for."""
    BYTES = "too-many-bytes"
    """More bytes than its connection may send."""
    ADDRESS_BYTES = "too-many-bytes-from-address"
    """The most bytes, of an address that sent too many."""
    SUBSCRIPTIONS = "too-many-subscriptions"
    """More topics than its connection may ask for, or one longer than any is."""
    FOREIGN_FRAME = "foreign-frame"
    """Something else than a subscription on the broadcast socket."""


GRAVE: Final = frozenset({Offence.FLOOD, Offence.BYTES, Offence.SUBSCRIPTIONS})
"""For these a key that has a session is banned at once; for the others, as an address, when they repeat."""

_SLIGHT: Final = 1 / 16
"""Of an offence, where a stranger asks for too many topics: perhaps it is somebody whose session ended while they were
away, for whom libzmq asks for all their rooms again."""

Offended = Callable[[str, str | None, Offence], None]
"""Told the address, the key and the reason when a connection is shut for what it sent."""


class _Ban(NamedTuple):
    until: float
    lasts: float


class Gate:
    """Admits and bans; every method is for any thread."""

    def __init__(self, bounds: Bounds, has_session: HasSession, clock: Callable[[], float] = time.monotonic) -> None:
        self._bounds = bounds
        self._has_session = has_session
        self._clock = clock
        self._lock = Lock()
        self._handshakes = Limiter(bounds.handshakes, _KEPT)
        self._session_handshakes = Limiter(bounds.session_handshakes, 10 * _KEPT)
        self._offences = Limiter(bounds.offences, _KEPT)
        self._bans: OrderedDict[str, _Ban] = OrderedDict()
        self.refused = 0
        """Connections that were not admitted."""

    def admit(self, address: str, key: str) -> bool:
        """Whether a connection from that host, with that public key (Z85), may come in now."""
        now = self._clock()
        with self._lock:
            if self._banned(key, now):
                admitted = False
            elif self._has_session(key):
                admitted = not self._session_handshakes.take(key, now)
            else:
                admitted = not self._banned(address, now) and not self._handshakes.take(address, now)
            self.refused += not admitted
        if not admitted:
            log.event("not-admitted", address=address, key=key)
        return admitted

    def offended(self, address: str, key: str | None, offence: Offence) -> None:
        """A connection is shut for what it sent: note it, and ban who did it if that is called for."""
        now = self._clock()
        log.event("cut", logging.WARNING, reason=offence, address=address, key=key)
        with self._lock:
            member = key is not None and self._has_session(key)
            culprit = key if key is not None and member else address
            grave = member and offence in GRAVE
            weight = _SLIGHT if offence is Offence.SUBSCRIPTIONS else 1.0
            banned = self._ban(culprit, now) if grave or self._offences.take(culprit, now, weight) else 0.0
        if banned:
            log.event("banned", logging.WARNING, reason=offence, address=address, key=key, seconds=banned)

    def _banned(self, name: str, now: float) -> bool:
        ban = self._bans.get(name)
        return ban is not None and ban.until > now

    def _ban(self, name: str, now: float) -> float:
        """Ban a key or an address; for how long, or 0.0 if it is banned already."""
        shortest, longest = self._bounds.ban_s, max(self._bounds.ban_s, BAN_S[1])
        before = self._bans.get(name)
        if not shortest or (before is not None and before.until > now):
            return 0.0
        # Who was good for as long as the longest ban begins anew.
        again = before is not None and now - before.until < longest
        lasts = min(longest, before.lasts * 2) if before is not None and again else shortest
        self._bans[name] = _Ban(now + lasts, lasts)
        self._bans.move_to_end(name)
        if len(self._bans) > _KEPT:
            self._bans.popitem(last=False)
        return lasts
