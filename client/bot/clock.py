"""The time, as everything in a bot is told it that waits: a port, so that a test can move it.

Must not know what is waited for.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

LONGEST_S: Final = 30.0
"""Seconds that one sleep lasts at the most: the broker's clock may be set, and machines are put to sleep."""


class Clock(Protocol):
    """Milliseconds UTC, and waiting for them."""

    def now(self) -> int:
        """Milliseconds UTC."""

    async def sleep_until(self, ms: int) -> None:
        """Return once `now` is `ms` or later."""


class Now(Protocol):
    """What can tell the time."""

    def now(self) -> int:
        """Milliseconds UTC."""


class BrokerClock:
    """The broker's time, by which messages are stamped, as the link knows it on this machine."""

    def __init__(self, source: Now) -> None:
        self._source = source

    def now(self) -> int:
        """Milliseconds UTC."""
        return self._source.now()

    async def sleep_until(self, ms: int) -> None:
        """Return once `now` is `ms` or later."""
        while (left := ms - self.now()) > 0:  # noqa: ASYNC110 - nothing tells when a clock was set
            await asyncio.sleep(min(left / 1000, LONGEST_S))
