"""How often the screen is drawn: at once after a pause, not too often in a flood, and seldom where it costs much."""

from __future__ import annotations

import asyncio

import pytest

from client.tui.view.pace import FRAME_S, SLOWEST_S, Pace
from tests.support.patience import PATIENCE_S


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def frame(pace: Pace, time: Time, cost: float) -> None:
    pace.began()
    time.now += cost
    pace.ended()


async def test_a_change_is_drawn_at_once_and_those_that_follow_together() -> None:
    time, drawn = Time(), asyncio.Queue[float]()
    pace = Pace(lambda: drawn.put_nowait(time.now), time, time)
    pace.changed()
    assert drawn.get_nowait() == 100
    frame(pace, time, 0.001)
    for _ in range(1_000):
        pace.changed()
    assert drawn.empty()
    time.now += 1
    await asyncio.wait_for(drawn.get(), PATIENCE_S)
    assert drawn.empty()
    pace.changed()
    assert drawn.get_nowait() == 101.001


@pytest.mark.parametrize(("cost", "interval"), [(0.001, FRAME_S), (0.006, 0.1), (1.0, SLOWEST_S)])
def test_frames_that_cost_much_are_drawn_less_often(cost: float, interval: float) -> None:
    time = Time()
    pace = Pace(lambda: None, time, time)
    for _ in range(40):
        frame(pace, time, cost)
    assert pace.interval == pytest.approx(interval, rel=0.01)
