"""The time of a test: it stands still until it is moved, and whoever waits for it waits till then.

Must not know who waits, nor for what.
"""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime
from itertools import count
from typing import Final

START: Final = datetime(2024, 1, 1, 12, 0, tzinfo=UTC)
"""When tests begin unless told otherwise: noon of a Monday."""


class Clock:
    """Milliseconds UTC, as the broker's rules and the bot are told them."""

    def __init__(self, start: datetime = START) -> None:
        self._ms = start.timestamp() * 1000
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def now(self) -> int:
        """Milliseconds UTC."""
        return int(self._ms)

    def seconds(self) -> float:
        """The same in seconds, with their fractions: for what is measured in those."""
        return self._ms / 1000

    async def sleep_until(self, ms: int) -> None:
        """Return once the clock was moved to `ms` or beyond; at once if that is past."""
        if ms > self.now():
            waking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._sleepers, (ms, next(self._numbers), waking))
            await waking

    def next(self) -> float | None:
        """When, in milliseconds, whoever sleeps and is due first is to be woken; None if nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def move(self, ms: float) -> None:
        """Make it that late, which is never earlier than it is, and wake who waited for it."""
        self._ms = max(self._ms, ms)
        while self._sleepers and self._sleepers[0][0] <= self.now():
            waking = heapq.heappop(self._sleepers)[2]
            if not waking.done():
                waking.set_result(None)
