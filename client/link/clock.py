"""The broker's time on this machine, from the round trips of heartbeats.

Each sample bounds the offset by half its round trip; of the last eight the one with the shortest round trip
counts. The base is the local monotonic clock, so a jump of the local wall clock changes nothing here. A
sample whose bounds exclude the one in use means that the broker's clock jumped (or that this machine slept):
the older ones are forgotten. Must not know where samples come from; both local clocks are arguments.

Sources: F. Cristian, "Probabilistic clock synchronization" (1989); RFC 5905, section 10 (clock filter).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

WINDOW: Final = 8
"""Samples in use; at one heartbeat each, forty seconds."""
DRIFT: Final = 500e-6
"""How far two clocks may run apart, as a fraction: the most that NTP corrects by slewing."""
SLACK_MS: Final = 5.0
"""Milliseconds by which bounds may miss each other before that counts as a jump: rounding and slewing."""


class _Sample(NamedTuple):
    offset: float
    """Broker's milliseconds minus local monotonic milliseconds."""
    round_trip: float
    taken: float


class Clock:
    """What the broker's clock shows."""

    def __init__(self, monotonic: Callable[[], float], wall: Callable[[], float]) -> None:
        """`monotonic` and `wall` give seconds, the latter since 1970."""
        self._monotonic = monotonic
        self._wall = wall
        self._samples: deque[_Sample] = deque(maxlen=WINDOW)
        self._best: _Sample | None = None

    @property
    def synchronised(self) -> bool:
        """Whether there is a sample; until then `now` is the local wall clock."""
        return self._best is not None

    def now(self) -> int:
        """Milliseconds UTC by the broker's clock."""
        if self._best is None:
            return round(self._wall() * 1000)
        return round(self._monotonic() * 1000 + self._best.offset)

    @property
    def offset_ms(self) -> float:
        """Milliseconds by which the broker's clock is ahead of the local wall clock (negative: behind)."""
        if self._best is None:
            return 0.0
        return self._monotonic() * 1000 + self._best.offset - self._wall() * 1000

    @property
    def error_ms(self) -> float | None:
        """The bound on the error of `now` in milliseconds: half the shortest round trip. None without a sample."""
        return None if self._best is None else self._best.round_trip / 2

    @property
    def round_trip_ms(self) -> float | None:
        """Milliseconds of the latest round trip. None without a sample."""
        return self._samples[-1].round_trip if self._samples else None

    def sample(self, sent: float, received: float, broker_ms: int) -> None:
        """Take in a round trip: seconds of the monotonic clock at its ends, and what the broker's clock showed."""
        # The broker cuts its time to whole milliseconds, hence the half.
        offset = broker_ms + 0.5 - (sent + received) / 2 * 1000
        new = _Sample(offset, max(0.0, received - sent) * 1000, received)
        if self._best is not None and not _agree(self._best, new):
            self._samples.clear()
        self._samples.append(new)
        self._best = min(self._samples, key=lambda sample: (_bound(sample, received), -sample.taken))


def _bound(sample: _Sample, now: float) -> float:
    """How far off a sample may be by now."""
    return sample.round_trip / 2 + (now - sample.taken) * 1000 * DRIFT


def _agree(old: _Sample, new: _Sample) -> bool:
    return abs(old.offset - new.offset) <= _bound(old, new.taken) + new.round_trip / 2 + SLACK_MS
