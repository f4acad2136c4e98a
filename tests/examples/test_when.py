"""Phrases of time: what they mean, what is left of the line, what is refused, and the hours when clocks are changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest

MADRID = ZoneInfo("Europe/Madrid")
NOW = datetime(2026, 11, 25, 16, 50, 30, tzinfo=UTC)  # a Wednesday, 17:50:30 in Madrid


@pytest.fixture
def when(example: Callable[[str], ModuleType]) -> ModuleType:
    return example("when")


@pytest.mark.parametrize(
    ("text", "due", "rest"),
    [
        ("in 20m to take the cake out", "2026-11-25 18:10:30", "take the cake out"),
        ("in 1h30m tea", "2026-11-25 19:20:30", "tea"),
        ("in 1 hour and 30 minutes tea", "2026-11-25 19:20:30", "tea"),
        ("in half an hour: call", "2026-11-25 18:20:30", "call"),
        ("in an hour that the train goes", "2026-11-25 18:50:30", "the train goes"),
        ("in 2 days", "2026-11-27 17:50:30", ""),
        ("in 1.5h x", "2026-11-25 19:20:30", "x"),
        ("IN 90 Seconds x", "2026-11-25 17:52:00", "x"),
        ("in a week about it", "2026-12-02 17:50:30", "it"),
        ("in 5 minutes 3 eggs", "2026-11-25 17:55:30", "3 eggs"),
        ("in 20 mice", None, "In how long"),
        ("at 18:30 to go", "2026-11-25 18:30:00", "go"),
        ("at 9 to go", "2026-11-26 09:00:00", "go"),
        ("at 17:50 to go", "2026-11-26 17:50:00", "go"),
        ("at 6pm to go", "2026-11-25 18:00:00", "go"),
        ("at 12am", "2026-11-26 00:00:00", ""),
        ("at 12 pm lunch", "2026-11-26 12:00:00", "lunch"),
        ("today at 23:59 x", "2026-11-25 23:59:00", "x"),
        ("tomorrow water plants", "2026-11-26 09:00:00", "water plants"),
        ("tomorrow 10:15 x", "2026-11-26 10:15:00", "x"),
        ("tomorrow 2 eggs", "2026-11-26 09:00:00", "2 eggs"),
        ("on friday to rest", "2026-11-27 09:00:00", "rest"),
        ("on wednesday at 17:00 x", "2026-12-02 17:00:00", "x"),
        ("on sat at 8pm x", "2026-11-28 20:00:00", "x"),
        ("on 2027-03-01 at 9:30 x", "2027-03-01 09:30:00", "x"),
        ("on 2027-2-30 x", None, "There is no 2027-2-30"),
        ("on 2026-11-01 x", None, "over"),
        ("on the moon", None, "On what day"),
        ("today at 9 x", None, "over"),
        ("at 25:00 x", None, "no hour"),
        ("at 13pm x", None, "no hour"),
        ("at noon x", None, "At what hour"),
        ("in 9999 weeks x", None, "too far"),
        ("in 0s x", None, "over"),
        ("soon", None, "When?"),
        ("", None, "When?"),
    ],
)
def test_a_phrase_is_a_moment_and_what_to_do(when: ModuleType, text: str, due: str | None, rest: str) -> None:
    if due is None:
        with pytest.raises(when.NotATime, match=rest):
            when.parse(text, NOW, MADRID)
        return
    phrase = when.parse(text, NOW, MADRID)
    assert (f"{phrase.due.astimezone(MADRID):%Y-%m-%d %H:%M:%S}", phrase.rest, phrase.every) == (due, rest, None)


@pytest.mark.parametrize(
    ("text", "due", "said", "rest"),
    [
        ("every monday 9:00 to plan", "2026-11-30 09:00", "every Monday at 09:00", "plan"),
        ("every mon, wed and fri at 8 run", "2026-11-27 08:00", "every Monday, Wednesday, Friday at 08:00", "run"),
        ("every day at 18:00 stretch", "2026-11-25 18:00", "every day at 18:00", "stretch"),
        ("every weekday 9:15 stand up", "2026-11-26 09:15", "every weekday at 09:15", "stand up"),
        ("every tuesday and read", "2026-12-01 09:00", "every Tuesday at 09:00", "and read"),
        ("every sundays at 10 rest", "2026-11-29 10:00", "every Sunday at 10:00", "rest"),
        ("every 2h to drink", "2026-11-25 19:50", "every 2 h", "drink"),
        ("every hour drink", "2026-11-25 18:50", "every 1 h", "drink"),
        ("every 90 minutes drink", "2026-11-25 19:20", "every 90 m", "drink"),
        ("every 10s drink", None, "the most", ""),
        ("every now and then", None, "In how long", ""),
    ],
)
def test_what_comes_back(when: ModuleType, text: str, due: str | None, said: str, rest: str) -> None:
    if due is None:
        with pytest.raises(when.NotATime, match=said):
            when.parse(text, NOW, MADRID)
        return
    phrase = when.parse(text, NOW, MADRID)
    assert (f"{phrase.due.astimezone(MADRID):%Y-%m-%d %H:%M}", phrase.rest) == (due, rest)
    assert when.said_every(phrase.every) == said


def test_nine_o_clock_stays_nine_o_clock_when_the_clocks_are_changed(when: ModuleType) -> None:
    saturday = datetime(2027, 3, 27, 12, tzinfo=UTC)  # in the night the clocks of Madrid go forward
    daily = when.parse("every day at 9 x", saturday - timedelta(days=1), MADRID).every
    first = daily.after(saturday - timedelta(hours=12), MADRID)
    second = daily.after(first, MADRID)
    assert (first.hour, second.hour) == (8, 7)
    assert second - first == timedelta(hours=23)


def test_an_hour_that_is_left_out_is_told_all_the_same(when: ModuleType) -> None:
    saturday = datetime(2027, 3, 27, 12, tzinfo=UTC)
    phrase = when.parse("on 2027-03-28 at 2:30 x", saturday, MADRID)
    assert f"{phrase.due.astimezone(MADRID):%H:%M}" == "03:30"
    night = when.Every(days=tuple(range(7)), at="02:30")
    turns = [saturday]
    for _ in range(3):
        turns.append(night.after(turns[-1], MADRID))
    assert [turn.astimezone(MADRID).day for turn in turns] == [27, 28, 29, 30]


def test_moments_are_said_as_people_say_them(when: ModuleType) -> None:
    for text, said in (
        ("at 18:30", "at 18:30"),
        ("in 20s", "at 17:50:50"),
        ("tomorrow at 9", "tomorrow at 09:00"),
        ("on friday", "on Friday 27 November at 09:00"),
        ("on 2027-01-01", "on Friday 1 January 2027 at 09:00"),
    ):
        assert when.said(when.parse(text, NOW, MADRID).due, NOW, MADRID) == said


def test_a_length_stands_alone(when: ModuleType) -> None:
    assert when.length("1h30m") == timedelta(minutes=90)
    assert when.length("2 days") == timedelta(days=2)
    for wrong in ("1h of peace", "", "x"):
        with pytest.raises(when.NotATime):
            when.length(wrong)


@pytest.mark.parametrize(
    ("text", "due", "rest"),
    [
        ("to call bob in 20m", "2026-11-25 18:10:30", "call bob"),
        ("call bob at work at 18:30", "2026-11-25 18:30:00", "call bob at work"),
        ("look in the oven in 1h 5m", "2026-11-25 18:55:30", "look in the oven"),
        ("plan every monday at 9", "2026-11-30 09:00:00", "plan"),
        ("in 20m look in the oven in the kitchen", "2026-11-25 18:10:30", "look in the oven in the kitchen"),
        ("look in the oven", None, "When"),
    ],
)
def test_the_time_may_stand_at_the_end(when: ModuleType, text: str, due: str | None, rest: str) -> None:
    if due is None:
        with pytest.raises(when.NotATime, match=rest):
            when.find(text, NOW, MADRID)
        return
    phrase = when.find(text, NOW, MADRID)
    assert (f"{phrase.due.astimezone(MADRID):%Y-%m-%d %H:%M:%S}", phrase.rest) == (due, rest)
