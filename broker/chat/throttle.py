"""A pause before further password tries: never a lock-out. Takes the time as an argument.

Must not know what is tried: a key is an account's, or an address's. A try counts as a failure from its
beginning until it is known to have succeeded, so that many tries at once gain nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

from common.errors import RateLimited
from common.limits import LOGIN_FAILURES, LOGIN_FAILURES_PER_ADDRESS, LOGIN_PAUSE_MAX_S

_KEPT: Final = 10_000
_FORGIVEN_S: Final = 900.0


class Tries(NamedTuple):
    """What was tried under one key: how often, when last, and when the next try may begin."""

    tried: int
    last: float
    until: float


class Throttle:
    """Counts tries per account and per address: some are free, then each waits 1, 2, 4 … seconds."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, Tries] = OrderedDict()

    def begin(self, account: str, address: str, now: float) -> None:
        """Count a try. Raises `RateLimited`, and counts nothing, if account or address has to wait.

        `now` is in seconds by a clock that never jumps.
        """
        limits = ((f"account {account}", LOGIN_FAILURES), (f"address {address}", LOGIN_FAILURES_PER_ADDRESS))
        wait = max(self._tries.get(key, Tries(0, now, now)).until - now for key, _ in limits)
        if wait > 0:
            raise RateLimited("Too many tries; wait a little before the next.", retry_after=round(wait, 1) or 0.1)
        for key, free in limits:
            count, last, _ = self._tries.get(key, Tries(0, now, now))
            count = 1 if now - last > _FORGIVEN_S else count + 1
            pause = min(LOGIN_PAUSE_MAX_S, 2.0 ** min(count - free, 10)) if count >= free else 0.0
            self._tries[key] = Tries(count, now, now + pause)
            self._tries.move_to_end(key)
        while len(self._tries) > _KEPT:
            self._tries.popitem(last=False)

    def take_back(self, account: str, address: str) -> None:
        """Forget the try that was just begun: nothing was checked."""
        for key in (f"account {account}", f"address {address}"):
            count, last, _ = self._tries[key]
            self._tries[key] = Tries(count - 1, last, last)

    def succeed(self, account: str, address: str, now: float) -> None:
        """Forget the account's tries, and take this one off the address's."""
        self._tries.pop(f"account {account}", None)
        tried = self._tries.get(f"address {address}")
        if tried:
            self._tries[f"address {address}"] = Tries(max(0, tried.tried - 1), tried.last, now)
