"""When timers are due: without drift, without storms, by the calendar of the machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.bot import BadHandler
from client.bot.schedule import Cron, Interval, parse
from client.bot.spans import milliseconds, spoken

MADRID = ZoneInfo("Europe/Madrid")


def ms(text: str, tz: ZoneInfo | None = MADRID, fold: int = 0) -> int:
    local = datetime.fromisoformat(text).replace(tzinfo=tz or UTC, fold=fold)
    return round(local.timestamp() * 1000)


def following(line: str, start: str, count: int) -> list[str]:
    """The next times that a line is due, in Madrid."""
    schedule, at, found = Cron.parse(line, MADRID), ms(start), []
    for _ in range(count):
        at = schedule.after(at, 0)
        found.append(datetime.fromtimestamp(at / 1000, MADRID).strftime("%Y-%m-%dT%H:%M%z"))
    return found


@pytest.mark.parametrize(
    ("line", "start", "due"),
    [
        ("*/15 * * * *", "2024-05-01T10:07", ["2024-05-01T10:15+0200", "2024-05-01T10:30+0200"]),
        ("0 9-10 * * mon-fri", "2024-05-03T09:30", ["2024-05-03T10:00+0200", "2024-05-06T09:00+0200"]),
        ("30 8 29 2 *", "2023-01-01T00:00", ["2024-02-29T08:30+0100", "2028-02-29T08:30+0100"]),
        ("0 0 1,15 * *", "2024-01-01T00:00", ["2024-01-15T00:00+0100", "2024-02-01T00:00+0100"]),
        ("0 12 13 * fri", "2024-09-07T00:00", ["2024-09-13T12:00+0200", "2024-09-20T12:00+0200"]),
        ("0 12 * * 7", "2024-05-01T00:00", ["2024-05-05T12:00+0200"]),
        ("5/20 3 * jan sun", "2024-01-02T00:00", ["2024-01-07T03:05+0100", "2024-01-07T03:25+0100"]),
        # The clock is set ahead at 2 on 31 March: what falls into the hour is due at its end, once.
        ("30 2 * * *", "2024-03-30T12:00", ["2024-03-31T03:00+0200", "2024-04-01T02:30+0200"]),
        ("*/20 * * * *", "2024-03-31T01:45", ["2024-03-31T03:00+0200", "2024-03-31T03:20+0200"]),
        # It is set back at 3 on 27 October: the hour comes twice, and the first counts.
        ("30 2 * * *", "2024-10-27T00:00", ["2024-10-27T02:30+0200", "2024-10-28T02:30+0100"]),
        ("30 * * * *", "2024-10-27T02:00", ["2024-10-27T02:30+0200", "2024-10-27T02:30+0100", "2024-10-27T03:30+0100"]),
    ],
)  # fmt: skip
def test_a_line_is_due_as_cron_has_it(line: str, start: str, due: list[str]) -> None:
    assert following(line, start, len(due)) == due


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("* * * *", "expected five fields"),
        ("60 * * * *", "'60' is no minute; expected 0 to 59"),
        ("* * * * moon", "'moon' is no day of the week; expected 0 to 7, or a name"),
        ("*/0 * * * *", "a step of the minute is a number above 0"),
        ("* 9-7 * * *", "the hour begins after it ends"),
        ("0 0 31 2 *", "there is no such day"),
    ],
)
def test_a_line_that_means_nothing_is_refused(line: str, said: str) -> None:
    with pytest.raises(BadHandler) as refused:
        parse(f"cron: {line}")
    assert said in str(refused.value)


@given(st.integers(1, 10**10), st.integers(0, 10**12), st.integers(-(10**9), 10**12))
def test_an_interval_is_counted_from_the_start(span: int, start: int, late: int) -> None:
    due = Interval(span).after(start + late, start)
    assert due > max(start, start + late) if late >= 0 else due == start + span
    assert (due - start) % span == 0
    assert due - max(start, start + late) <= span


@given(
    st.integers(0, 59), st.integers(0, 23), st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2037, 1, 1))
)
def test_a_daily_line_is_due_once_a_day(minute: int, hour: int, start: datetime) -> None:
    schedule = Cron.parse(f"{minute} {hour} * * *", MADRID)
    first = schedule.after(round(start.timestamp() * 1000), 0)
    second = schedule.after(first, 0)
    assert timedelta(hours=21) <= timedelta(milliseconds=second - first) <= timedelta(hours=27)
    local = datetime.fromtimestamp(first / 1000, MADRID)
    if (local.hour, local.minute) != (hour, minute):
        before = datetime.fromtimestamp(first / 1000 - 60, MADRID)
        assert local.utcoffset() != before.utcoffset(), "only where the clock was set"


@pytest.mark.parametrize(
    ("span", "expected"),
    [("5m", 300_000), ("1h30m", 5_400_000), ("1h 30m", 5_400_000), ("2d", 172_800_000), (90, 90_000), ("1.5s", 1_500),
     (timedelta(minutes=2), 120_000)],
)  # fmt: skip
def test_spans(span: str | float | timedelta, expected: int) -> None:
    assert milliseconds(span) == expected
    assert parse(span) == Interval(expected)


@pytest.mark.parametrize("span", ["", "5", "m", "5 minutes", "-5m", 0, -1, "500d", "1h30", "5m!"])
def test_what_is_no_span_is_refused(span: str | float) -> None:
    with pytest.raises(BadHandler):
        milliseconds(span)
    with pytest.raises(BadHandler):
        parse(span)


def test_an_interval_below_a_second_is_refused() -> None:
    with pytest.raises(BadHandler, match="too often"):
        parse("200ms")


@pytest.mark.parametrize(
    ("wait", "said"),
    [(1, "1 s"), (6_001, "7 s"), (119_000, "119 s"), (120_001, "3 min"), (7_200_000, "2 h")],
)
def test_waits_are_told_rounded_up(wait: int, said: str) -> None:
    assert spoken(wait) == said
