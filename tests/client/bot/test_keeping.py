"""Cursors are told to the broker once a second, again if that fails, and never for what is gone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from client.bot.keeping import KEEP_MS, Keeping
from client.link.failures import NoAnswer
from common import messages as m
from common.errors import ChatError, NotMember
from testkit.clock import Clock


class Marks:
    """The part of a `client.bot.ports.Chat` that marks: refuses what it is told to, notes the rest."""

    def __init__(self) -> None:
        self.made: list[tuple[str, int | None, m.Notify | None]] = []
        self.refusals: list[ChatError] = []

    async def mark(self, talk: str, read: int | None = None, notify: m.Notify | None = None) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.made.append((talk, read, notify))


async def turn() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def kept(resume: bool = True) -> tuple[Keeping, Marks, Clock]:
    marks, clock = Marks(), Clock()
    port: Any = marks
    return Keeping(port, clock, resume), marks, clock


def view(read: int, notify: m.Notify | None) -> m.TalkView:
    return m.TalkView(talk="@dice", read=read, notify=notify)


@pytest.mark.parametrize(
    ("resume", "known", "since", "start", "made"),
    [
        (True, None, 0, 50, [("dev", 50, "all")]),
        (True, view(20, None), 0, 50, [("dev", 50, "all")]),
        (True, view(20, "off"), 0, 50, [("dev", 50, "all")]),
        (True, view(20, "all"), 0, 20, []),
        (True, view(0, "all"), 30, 30, []),
        (False, view(20, "all"), 0, 50, [("dev", None, "off")]),
        (False, view(20, "off"), 0, 50, []),
        (False, None, 0, 50, []),
    ],
)
async def test_where_it_begins(resume: bool, known: Any, since: int, start: int, made: list[Any]) -> None:
    keeping, marks, _ = kept(resume)
    assert (await keeping.begin("dev", 50, known, since)).handled == start
    assert marks.made == made


async def test_once_a_second_and_again_if_it_fails() -> None:
    keeping, marks, clock = kept()
    cursor = await keeping.begin("dev", 0, view(0, "all"))
    task = asyncio.create_task(keeping.run())
    for seq in (1, 2, 3):
        cursor.begin(seq)
    keeping.settle("dev", cursor, 1)
    await turn()
    assert marks.made == [("dev", 1, None)]
    keeping.settle("dev", cursor, 3)
    keeping.settle("dev", cursor, 2)
    await turn()
    assert len(marks.made) == 1, "not within a second"
    marks.refusals = [NoAnswer()]
    clock.move(clock.now() + KEEP_MS)
    await turn()
    assert len(marks.made) == 1, "refused"
    clock.move(clock.now() + KEEP_MS)
    await turn()
    assert marks.made[1:] == [("dev", 3, None)]
    task.cancel()


async def test_what_is_gone_is_not_tried_again() -> None:
    keeping, marks, _ = kept()
    cursor = await keeping.begin("dev", 0, view(0, "all"))
    cursor.begin(1)
    keeping.settle("dev", cursor, 1)
    marks.refusals = [NotMember()]
    await keeping.keep()
    await keeping.keep()
    assert marks.made == []
    old = await keeping.begin("lobby", 0, view(0, "all"))
    old.begin(1)
    keeping.forget("lobby", old)
    keeping.settle("lobby", old, 1)
    await keeping.keep()
    assert marks.made == [], "a room of that name may be another one by now"


async def test_a_live_bot_tells_nothing() -> None:
    keeping, marks, _ = kept(resume=False)
    cursor = await keeping.begin("dev", 0, None)
    cursor.begin(1)
    waiting = asyncio.create_task(keeping.handled("dev", 1))
    await turn()
    assert not waiting.done()
    keeping.settle("dev", cursor, 1)
    await waiting
    await keeping.keep()
    assert marks.made == []
    await keeping.handled("nowhere", 5)
