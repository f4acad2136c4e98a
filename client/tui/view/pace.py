"""When what has changed is drawn: at once if it is long since the last time, else after a while, for all of it.

What a person does is drawn at once, and does not come by here. A flood costs no more than a share of the processor,
however large the terminal. Must not know what is drawn.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from prompt_toolkit.application import Application

FRAME_S: Final = 1 / 30
"""Seconds between two frames at the least: nobody reads faster."""
SHARE: Final = 0.06
"""Of the processor's time, what may go into frames that nobody asked for."""
SLOWEST_S: Final = 0.25
"""Seconds between two frames at the most."""


class Pace:
    """Calls `draw`, which shows everything that has changed by then, as often as is good."""

    def __init__(
        self,
        draw: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        spent: Callable[[], float] = time.thread_time,
    ) -> None:
        """`spent` gives the seconds of the processor that this thread has had."""
        self._draw = draw
        self._clock = clock
        self._spent = spent
        self._began = -SLOWEST_S
        self._spent_before = 0.0
        self._cost = 0.0
        self._waiting: asyncio.TimerHandle | None = None

    @property
    def interval(self) -> float:
        """Seconds between two frames, after what the last ones have cost."""
        return max(FRAME_S, min(SLOWEST_S, self._cost / SHARE))

    def began(self) -> None:
        """A frame is being drawn."""
        self._began, self._spent_before = self._clock(), self._spent()

    def ended(self) -> None:
        """A frame was drawn."""
        self._cost += (self._spent() - self._spent_before - self._cost) / 4

    def changed(self) -> None:
        """Something is to be drawn, soon."""
        if self._waiting is not None:
            return
        left = self._began + self.interval - self._clock()
        if left <= 0:
            self._draw()
        else:
            self._waiting = asyncio.get_running_loop().call_later(left, self._due)

    def _due(self) -> None:
        self._waiting = None
        self._draw()


def paced(app: Application[Any]) -> Pace:
    """The pace of an application; it is told of every frame, whoever asked for it."""
    pace = Pace(app.invalidate)
    app.before_render += lambda _: pace.began()
    app.after_render += lambda _: pace.ended()
    return pace
