"""How often one address may do something, and how often at once: tables that never grow beyond their bound.

Of more addresses than the table holds, those seen longest ago are forgotten. Must not know what is counted; the time is
an argument.
"""

from __future__ import annotations

from collections import Counter, OrderedDict

from client.web.edge import bounds
from common.limits import Rate


class Allowances:
    """A bucket for each address, which fills with time."""

    def __init__(self, rate: Rate, most: int = bounds.ADDRESSES) -> None:
        self._rate = rate
        self._most = most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait(self, address: str, now: float) -> float:
        """Take one; 0 if it is allowed, else the seconds until one will be."""
        left, seen = self._buckets.pop(address, (self._rate.burst, now))
        left = min(self._rate.burst, left + (now - seen) * self._rate.per_s)
        allowed = left >= 1
        self._buckets[address] = (left - 1 if allowed else left, now)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self._rate.per_s


class Places:
    """How many of something there are at once, from one address and in all."""

    def __init__(self, per_address: int, in_all: int) -> None:
        self._per_address = per_address
        self._in_all = in_all
        self._taken: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """How many there are."""
        return self._taken.total()

    def take(self, address: str, *, bounded: bool = True) -> bool:
        """Take one place, to be given back, if there is one; without `bounded` only those in all count."""
        if self._taken.total() >= self._in_all or (bounded and self._taken[address] >= self._per_address):
            return False
        self._taken[address] += 1
        return True

    def free(self, address: str) -> None:
        """Give one place back."""
        assert self._taken[address] > 0, "nobody gives back what was not taken"
        self._taken[address] -= 1
        if not self._taken[address]:
            del self._taken[address]
