"""Phrases of time, as people type them: "in 20m", "tomorrow at 9", "at 18:30", "every monday 9:00".

Used by `reminders.py` and `standup.py`. Everything is reckoned in a time zone that is given, so that nine o'clock stays
nine o'clock when the clocks are changed. Must not know bots.

    in 20m · in 1h30m · in 2 days · in half an hour · in a week
    at 18:30 · at 9 · at 6pm · today at 18:30 · tomorrow · tomorrow at 9:00
    on friday · on friday at 9 · on 2027-03-01 · on 2027-03-01 at 9:00
    every 2h · every day at 9:00 · every weekday 9:00 · every monday 9:00 · every mon, wed and fri at 8
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

NINE: Final = time(9)
"""The hour of a day that is named without one."""
SHORTEST_S: Final = 60
"""Seconds between two turns of what comes back, at the least."""
LONGEST: Final = timedelta(days=366 * 5)
"""How far ahead somebody may look."""

_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_UNIT: Final = r"(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)(?![a-z])"
_AMOUNT: Final = r"(?:\d+(?:\.\d+)?\s*|(?:half\s+)?an?\s+)"
_LENGTH: Final = re.compile(rf"{_AMOUNT}{_UNIT}(?:\s*(?:and\s+)?\d+(?:\.\d+)?\s*{_UNIT})*", re.I)
_PIECE: Final = re.compile(rf"({_AMOUNT})({_UNIT})", re.I)
_CLOCK: Final = re.compile(r"(?:at\s+)?(\d{1,2})(?::(\d\d))?\s*(am|pm)?\b(?![:\d-])", re.I)
_DATE: Final = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)\b")
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY: Final = re.compile(r"(mon|tue|wed|thu|fri|sat|sun)(?:s|r|rs|day|sday|nesday|rsday|urday)?s?\b", re.I)
_AND: Final = re.compile(r"\s*(?:,\s*and\b|,|\band\b)\s*", re.I)
_FIRST: Final = re.compile(r"\b(?:in|at|on|today|tomorrow|every)\b", re.I)
_TO: Final = re.compile(r"\s*(?:to\b|that\b|about\b|:|,)?\s*", re.I)


class NotATime(ValueError):
    """What was typed names no time; the sentence says what would."""

    def __init__(self, why: str = "") -> None:
        super().__init__(why or 'When? For example: "in 20m", "at 18:30", "tomorrow at 9", "every monday 9:00".')


@dataclass(frozen=True)
class Every:
    """What comes back: each `seconds`, or on `days` (0 is Monday) at `at`."""

    seconds: int = 0
    days: tuple[int, ...] = ()
    at: str = ""

    def after(self, when: datetime, zone: tzinfo) -> datetime:
        """The first turn after `when`; for an interval, that is the turn after the one that was at `when`."""
        if self.seconds:
            return when + timedelta(seconds=self.seconds)
        day, hour = when.astimezone(zone).date(), time.fromisoformat(self.at)
        turns = (_moment(day + timedelta(days=ahead), hour, zone) for ahead in range(15))
        return next(turn for turn in turns if turn.astimezone(zone).weekday() in self.days and turn > when)


@dataclass(frozen=True)
class Phrase:
    """A time, and what stood behind it."""

    due: datetime
    every: Every | None
    rest: str


def parse(text: str, now: datetime, zone: tzinfo) -> Phrase:
    """Read the time at the beginning of `text`. Raises `NotATime` with the sentence to show."""
    text = text.strip()
    word, _, rest = text.partition(" ")
    match word.lower():
        case "in":
            length, rest = _length(rest)
            return _checked(Phrase(now + length, None, rest), now)
        case "every":
            return _checked(_every(rest.strip(), now, zone), now)
        case "at":
            hour, rest = _clock(text)
            return _checked(Phrase(_next(now, hour, zone), None, rest), now)
        case "on" | "today" | "tomorrow":
            return _checked(_day(word.lower(), rest.strip(), now, zone), now)
    raise NotATime


def find(text: str, now: datetime, zone: tzinfo) -> Phrase:
    """As `parse`, and the time may stand at the end, too: "call bob in 20m". Raises `NotATime`."""
    try:
        return parse(text, now, zone)
    except NotATime as error:
        refused = error
    for word in _FIRST.finditer(text):
        try:
            phrase = parse(text[word.start() :], now, zone)
        except NotATime:
            continue
        if not phrase.rest:
            return Phrase(phrase.due, phrase.every, _TO.sub("", text[: word.start()], count=1).strip())
    raise refused


def length(text: str) -> timedelta:
    """A length of time alone: "20m", "1h30m", "2 days". Raises `NotATime`."""
    found, rest = _length(text)
    if rest:
        raise NotATime(f'"{text}" is no length of time; for example: 10s, 20m, 1h30m, 2 days.')
    return found


def said(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """A moment as one says it: "at 18:30", "tomorrow at 9:00", "on Friday 1 January at 9:00"."""
    there, here = moment.astimezone(zone), now.astimezone(zone)
    hour = f"at {there:%H:%M}" + (f":{there:%S}" if there.second and moment - now < timedelta(minutes=2) else "")
    ahead = (there.date() - here.date()).days
    if ahead in (0, 1):
        return hour if ahead == 0 else f"tomorrow {hour}"
    year = "" if there.year == here.year else f" {there.year}"
    return f"on {there:%A} {there.day} {there:%B}{year} {hour}"


def said_every(every: Every) -> str:
    """What comes back as one says it: "every Monday at 09:00", "every 2 h"."""
    if every.seconds:
        unit = next(unit for unit in "wdhms" if every.seconds % _UNITS[unit] == 0)
        return f"every {every.seconds // _UNITS[unit]} {unit}"
    if len(every.days) == 7:
        return f"every day at {every.at}"
    if every.days == (0, 1, 2, 3, 4):
        return f"every weekday at {every.at}"
    return f"every {', '.join(_DAYS[day].title() for day in every.days)} at {every.at}"


def _checked(phrase: Phrase, now: datetime) -> Phrase:
    if phrase.due - now > LONGEST:
        raise NotATime("That is too far ahead: five years at the most.")
    if phrase.due <= now:
        raise NotATime("That is over.")
    return Phrase(phrase.due, phrase.every, _TO.sub("", phrase.rest, count=1))


def _length(text: str) -> tuple[timedelta, str]:
    found = _LENGTH.match(text.strip())
    if not found:
        raise NotATime('In how long? For example: "in 20m", "in 1h30m", "in 2 days".')
    total = 0.0
    for amount, unit in _PIECE.findall(found[0]):
        number = float(amount) if amount[0].isdigit() else 0.5 if amount.lower().startswith("half") else 1.0
        total += number * _UNITS[unit[0].lower()]
    if total > LONGEST.total_seconds():
        raise NotATime("That is too far ahead: five years at the most.")
    return timedelta(seconds=round(total)), text.strip()[found.end() :]


def _clock(text: str) -> tuple[time, str]:
    found = _CLOCK.match(text.strip())
    if not found:
        raise NotATime('At what hour? For example: "at 18:30", "at 9", "at 6pm".')
    hour, minute, half = int(found[1]), int(found[2] or 0), (found[3] or "").lower()
    if half and not 1 <= hour <= 12:
        raise NotATime(f"{found[0].strip()} is no hour of the day.")
    hour = hour % 12 + (12 if half == "pm" else 0) if half else hour
    if hour > 23 or minute > 59:
        raise NotATime(f"{found[0].strip()} is no hour of the day.")
    return time(hour, minute), text.strip()[found.end() :]


def _clock_or_nine(text: str) -> tuple[time, str]:
    """The hour if one is named (with "at", or with minutes); a bare number may be the beginning of what to do."""
    if re.match(r"at\s+\d|\d{1,2}(:\d\d|\s*[ap]m\b)", text, re.I):
        return _clock(text)
    return NINE, text


def _day(word: str, rest: str, now: datetime, zone: tzinfo) -> Phrase:
    today = now.astimezone(zone).date()
    if word in ("today", "tomorrow"):
        hour, rest = _clock(rest) if word == "today" else _clock_or_nine(rest)
        return Phrase(_moment(today + timedelta(days=word == "tomorrow"), hour, zone), None, rest)
    if found := _DATE.match(rest):
        try:
            day = date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            raise NotATime(f"There is no {found[0]}.") from None
        hour, rest = _clock_or_nine(rest[found.end() :].strip())
        return Phrase(_moment(day, hour, zone), None, rest)
    if found := _DAY.match(rest):
        hour, rest = _clock_or_nine(rest[found.end() :].strip())
        return Phrase(Every(days=(_number(found),), at=f"{hour:%H:%M}").after(now, zone), None, rest)
    raise NotATime('On what day? For example: "on friday at 9:00", "on 2027-03-01 at 9:00".')


def _every(rest: str, now: datetime, zone: tzinfo) -> Phrase:
    days: tuple[int, ...] = ()
    if found := re.match(r"(day|weekday|working day)\b", rest, re.I):
        days = tuple(range(7)) if found[0].lower() == "day" else (0, 1, 2, 3, 4)
        rest = rest[found.end() :].strip()
    else:
        while found := _DAY.match(rest):
            days = (*days, _number(found))
            rest = rest[found.end() :].strip()
            if (comma := _AND.match(rest)) and _DAY.match(rest[comma.end() :]):
                rest = rest[comma.end() :]
    if days:
        hour, rest = _clock_or_nine(rest)
        every = Every(days=tuple(sorted(set(days))), at=f"{hour:%H:%M}")
        return Phrase(every.after(now, zone), every, rest)
    unit = re.match(r"(minute|hour|week)\b", rest, re.I)
    ahead, rest = _length(f"1 {rest}" if unit else rest)
    if ahead.total_seconds() < SHORTEST_S:
        raise NotATime("Every minute is the most that I tell anybody.")
    return Phrase(now + ahead, Every(seconds=int(ahead.total_seconds())), rest)


def _number(found: re.Match[str]) -> int:
    return next(n for n, day in enumerate(_DAYS) if day.startswith(found[1].lower()))


def _next(now: datetime, hour: time, zone: tzinfo) -> datetime:
    return Every(days=tuple(range(7)), at=f"{hour:%H:%M}").after(now, zone)


def _moment(day: date, hour: time, zone: tzinfo) -> datetime:
    """That hour of that day, in UTC; an hour that is left out when clocks are changed is the one after it."""
    return datetime.combine(day, hour, zone).astimezone(UTC)
