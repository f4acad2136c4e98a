"""Lanes: one after another in each, side by side between them, and bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from client.bot.lanes import AT_ONCE, LANE, Lanes


class Work:
    """Jobs that note when they begin, and wait until they are let go."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.gate = asyncio.Event()

    def job(self, name: str) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            self.begun.append(name)
            await self.gate.wait()

        return run


async def turn() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_one_after_another_in_a_lane_and_side_by_side_between_them() -> None:
    lanes, work = Lanes(), Work()
    for name in ("a1", "a2", "b1", "b2"):
        await lanes.put(name[0], work.job(name))
    await turn()
    assert work.begun == ["a1", "b1"]
    assert not lanes.empty
    work.gate.set()
    await lanes.idle()
    assert work.begun == ["a1", "b1", "a2", "b2"]
    assert lanes.empty


async def test_whoever_has_a_log_waits_for_a_place_and_what_has_none_is_dropped() -> None:
    lanes, work = Lanes(), Work()
    for number in range(LANE + 1):
        await lanes.put("a", work.job(str(number)))
        await turn()
    assert not lanes.offer("a", work.job("dropped"))
    waiting = asyncio.create_task(lanes.put("a", work.job("waited")))
    await turn()
    assert not waiting.done()
    assert lanes.offer("b", work.job("other"))
    work.gate.set()
    await waiting
    await lanes.idle()
    assert work.begun == ["0", "other", *(str(number) for number in range(1, LANE + 1)), "waited"]


async def test_so_many_run_at_once() -> None:
    lanes, work = Lanes(), Work()
    for number in range(AT_ONCE + 10):
        await lanes.put(number, work.job(str(number)))
    await turn()
    assert len(work.begun) == AT_ONCE
    work.gate.set()
    await lanes.idle()
    assert len(work.begun) == AT_ONCE + 10


async def test_a_failing_job_does_not_stop_those_after_it(caplog: pytest.LogCaptureFixture) -> None:
    lanes, work = Lanes(), Work()
    work.gate.set()

    async def fail() -> None:
        raise ZeroDivisionError

    await lanes.put("a", fail)
    await lanes.put("a", work.job("next"))
    await lanes.idle()
    assert work.begun == ["next"]
    assert "job-failed" in caplog.text


async def test_once_closed_nothing_begins() -> None:
    lanes, work = Lanes(), Work()
    await lanes.put("a", work.job("1"))
    await lanes.put("a", work.job("2"))
    await turn()
    lanes.close()
    await lanes.put("b", work.job("3"))
    work.gate.set()
    await turn()
    assert work.begun == ["1"]
