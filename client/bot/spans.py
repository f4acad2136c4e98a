"""Spans of time as people write them: `90s`, `5m`, `1h30m`, `2d`. Must not know what they are for."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from client.bot.errors import BadHandler

_UNITS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
LONGEST_MS: Final = 366 * 86_400_000


def milliseconds(span: str | float | timedelta) -> int:
    """A span in milliseconds: text, seconds, or a `timedelta`. Raises `BadHandler` that says what was expected."""
    if isinstance(span, timedelta):
        found = span.total_seconds() * 1000
    elif isinstance(span, str):
        text = re.sub(r"\s+", "", span)
        parts = _PART.findall(text)
        if not parts or "".join(number + unit for number, unit in parts) != text:
            raise BadHandler(f"{span!r} is no span of time; expected, for instance, '90s', '5m', '1h30m' or '2d'.")
        found = sum(float(number) * _UNITS[unit] for number, unit in parts)
    elif isinstance(span, (int, float)) and not isinstance(span, bool):
        found = span * 1000
    else:
        raise BadHandler(f"{span!r} is no span of time; expected text such as '5m', seconds, or a timedelta.")
    if not 1 <= found <= LONGEST_MS:
        raise BadHandler(f"{span!r}: a span of time lies between a millisecond and a year.")
    return round(found)


def spoken(ms: int) -> str:
    """A wait as it is told, rounded up: `7 s`, `2 min`, `3 h`."""
    for unit, name in ((3_600_000, "h"), (60_000, "min")):
        if ms >= 2 * unit:
            return f"{-(-ms // unit)} {name}"
    return f"{-(-ms // 1000)} s"
