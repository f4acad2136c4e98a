"""When something is due that is done again and again: at intervals, or by the calendar as cron writes it.

An interval is counted from the start, not from the last run, so it does not drift; what was due while the machine
slept is due once, now, and not as often as it was missed. The calendar is that of the machine on which the bot runs. Of
an hour that comes twice, when the clock is set back, the first counts; what falls into an hour that is left out is due
when that is over. A line whose hour is `*` knows neither. Must not know what is done.

Source: crontab(5) of Debian's cron.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final, Protocol

from client.bot.errors import BadHandler
from client.bot.spans import milliseconds

CRON: Final = "cron:"
SHORTEST_MS: Final = 1_000
"""An interval at least: what is done more often belongs in a loop of its own."""
_MINUTE_MS: Final = 60_000
_FARTHEST: Final = timedelta(days=8 * 366)
"""How far ahead a day is looked for: there are eight years between some leap days."""
_MONTHS: Final = {name: at for at, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_DAYS: Final = {name: at for at, name in enumerate("sun mon tue wed thu fri sat".split())}
_FIELDS: Final[tuple[tuple[str, int, int, dict[str, int]], ...]] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)


class Schedule(Protocol):
    """When it is due next."""

    def after(self, now: int, start: int) -> int:
        """The first time after `now` that it is due, in milliseconds UTC; `start` is when it all began."""


@dataclass(frozen=True)
class Interval:
    """Every so many milliseconds from the start on."""

    span_ms: int

    def after(self, now: int, start: int) -> int:
        """The first time after `now`."""
        return start + (max(0, now - start) // self.span_ms + 1) * self.span_ms


@dataclass(frozen=True)
class Cron:
    """A line of five fields: minute, hour, day of the month, month, day of the week."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """Sunday is 0."""
    every_hour: bool
    either_day: bool
    """Whether both kinds of days are given: then one of them is enough."""
    tz: tzinfo | None = None
    """None for the time zone of this machine."""

    @classmethod
    def parse(cls, line: str, tz: tzinfo | None = None) -> Cron:
        """Read a line. Raises `BadHandler` naming the field and what was expected."""
        fields = line.lower().split()
        if len(fields) != len(_FIELDS):
            raise BadHandler(
                f"{line!r}: expected five fields: minute hour day month weekday, as in '*/5 9-17 * * mon-fri'."
            )
        sets = [_values(field, *about) for field, about in zip(fields, _FIELDS, strict=True)]
        weekdays = frozenset(day % 7 for day in sets[4])
        either = not fields[2].startswith("*") and not fields[4].startswith("*")
        made = cls(sets[0], sets[1], sets[2], sets[3], weekdays, fields[1].startswith("*"), either, tz)
        if made.after(0, 0) < 0:
            raise BadHandler(f"{line!r}: there is no such day.")
        return made

    def after(self, now: int, start: int) -> int:
        """The first time after `now`; -1 if there is none."""
        at = (now // _MINUTE_MS + 1) * _MINUTE_MS
        before = self._local(at - _MINUTE_MS)
        last = before + _FARTHEST
        while (local := self._local(at)) < last:
            if self._left_out(before, local) or (self._due(local) and (self.every_hour or not local.fold)):
                return at
            at += _MINUTE_MS
            if not self._day(local):
                midnight = local.replace(hour=0, minute=0, fold=0) + timedelta(days=1)
                at = max(at, round(midnight.timestamp()) * 1000)
            before = self._local(at - _MINUTE_MS)
        return -1

    def _local(self, ms: int) -> datetime:
        return datetime.fromtimestamp(ms / 1000, self.tz) if self.tz else datetime.fromtimestamp(ms / 1000)

    def _due(self, local: datetime) -> bool:
        return local.minute in self.minutes and local.hour in self.hours and self._day(local)

    def _day(self, local: datetime) -> bool:
        if local.month not in self.months:
            return False
        by_month, by_week = local.day in self.days, local.isoweekday() % 7 in self.weekdays
        return by_month or by_week if self.either_day else by_month and by_week

    def _left_out(self, before: datetime, local: datetime) -> bool:
        """Whether the clock was just set ahead, over a time that this was due at."""
        at, end = before.replace(tzinfo=None, fold=0) + timedelta(minutes=1), local.replace(tzinfo=None, fold=0)
        if self.every_hour or not at < end <= at + timedelta(hours=3):
            return False
        return any(self._due(at + timedelta(minutes=each)) for each in range((end - at) // timedelta(minutes=1)))


def _values(field: str, name: str, low: int, high: int, words: dict[str, int]) -> frozenset[int]:
    """The numbers that a field stands for: lists of `*`, `N`, `N-M`, each perhaps with `/STEP`."""

    def number(text: str) -> int:
        found = words.get(text, int(text) if text.isascii() and text.isdigit() else -1)
        if not low <= found <= high:
            raise BadHandler(f"{text!r} is no {name}; expected {low} to {high}{', or a name' if words else ''}.")
        return found

    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
            raise BadHandler(f"{part!r}: a step of the {name} is a number above 0.")
        first, dash, last = span.partition("-")
        if span == "*":
            start, end = low, high
        else:
            start = number(first)
            end = number(last) if dash else (high if slash else start)
        if start > end:
            raise BadHandler(f"{part!r}: the {name} begins after it ends.")
        found |= set(range(start, end + 1, int(step) if slash else 1))
    return frozenset(found)


def parse(when: str | float | timedelta, tz: tzinfo | None = None) -> Schedule:
    """What `every` takes: a span (`5m`, seconds, `timedelta`), or `cron: ` and a line. Raises `BadHandler`."""
    if isinstance(when, str) and when.strip().lower().startswith(CRON):
        return Cron.parse(when.strip()[len(CRON) :], tz)
    span = milliseconds(when)
    if span < SHORTEST_MS:
        raise BadHandler(f"{when!r} is too often; a second is the shortest interval.")
    return Interval(span)
