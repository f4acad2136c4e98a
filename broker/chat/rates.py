"""How often something may be done: a token bucket for each key, kept as one number. Takes the time as an argument.

Must not know what is limited: a key is an account's number, a session's, an address.

Source: the generic cell rate algorithm (ITU-T I.371, Annex A): instead of tokens, the moment is kept at which the
bucket will be full again.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Final

from common.errors import RateLimited
from common.limits import Rate

_KEPT: Final = 10_000
"""Buckets in memory; those that are full again go first."""
_SHORTEST_S: Final = 0.05
"""Seconds named at the least: a wait below the granularity of timers would only be refused again."""
_STALE_S: Final = 0.01
"""How old a request's moment may be: whoever comes back after this wait must not be taken to have come before."""
_ROUNDED_S: Final = 1e-6
"""What sums of moments may be wrong by on a machine that has run for months: a whole burst at once must pass."""


class Limiter:
    """Buckets of one size, each found by its key and made full when it is first asked for."""

    __slots__ = ("_burst", "_full_at", "_interval", "_kept", "_window")

    def __init__(self, rate: Rate, kept: int = _KEPT) -> None:
        self._interval = 1.0 / rate.per_s if rate.per_s else 0.0
        self._burst = rate.burst
        self._window = self._interval * rate.burst
        self._full_at: dict[Hashable, float] = {}
        self._kept = kept

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: Hashable, now: float, cost: float = 1.0) -> float:
        """Take `cost` tokens; 0.0, or the seconds after which there will be enough, and then nothing is taken.

        `now` is in seconds by a clock that never jumps.
        """
        if not self._interval:
            return 0.0
        full_at = self._full_at.get(key, now)
        after = (full_at if full_at > now else now) + self._interval * cost
        wait = after - now - self._window
        if wait > _ROUNDED_S + 1e-9 * self._window:
            return wait
        self._full_at[key] = after
        if len(self._full_at) > self._kept:
            self._forget(now)
        return 0.0

    def check(self, key: Hashable, now: float, message: str, cost: float = 1.0) -> None:
        """Take `cost` tokens; all there may be, if that is more. Raises `RateLimited` with the wait."""
        wait = self.take(key, now, min(cost, self._burst))
        if wait:
            raise RateLimited(message, retry_after=max(_SHORTEST_S, math.ceil((wait + _STALE_S) * 100) / 100))

    def _forget(self, now: float) -> None:
        full = [key for key, at in self._full_at.items() if at <= now]
        for key in full:
            del self._full_at[key]
        while len(self._full_at) > self._kept * 9 // 10:
            del self._full_at[next(iter(self._full_at))]
