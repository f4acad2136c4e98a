"""What a line of a log looks like: `name=value` pairs, or JSON; of the broker's, of bots' and of the gateway's alike.

Whatever a peer wrote reaches a log escaped: no control character, no line break, no look of a second line. A record's
message is the event's name, and its `fields`, where it has them, follow in order. Must not know where a line goes.
"""

from __future__ import annotations

import json
import logging
import time
from typing import Final

_LONGEST: Final = 1_000
"""Characters of one value; a traceback may have ten times as many."""


def escape(value: str, longest: int = _LONGEST) -> str:
    """`value` without any character that could act on a terminal or end the line, and not without end."""
    cut = value if len(value) <= longest else value[:longest] + "…"
    if cut.isprintable():
        return cut
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in cut)


class _Lines(logging.Formatter):
    """What both formats share: the fields of a record in order."""

    def _fields(self, record: logging.LogRecord) -> dict[str, object]:
        seconds, milliseconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)), int(record.msecs)
        return {
            "time": f"{seconds}.{milliseconds:03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }


class TextLines(_Lines):
    """`time=… level=… event=… name=value`, values with spaces, quotes or escapes in quotes."""

    def format(self, record: logging.LogRecord) -> str:
        return " ".join(f"{name}={self._value(name, value)}" for name, value in self._fields(record).items())

    @staticmethod
    def _value(name: str, value: object) -> str:
        plain = value if isinstance(value, str) else str(value)
        whole = escape(plain.replace("\\", "\\\\"), _LONGEST * 10 if name == "traceback" else _LONGEST)
        if whole and not any(each in ' "=\\' for each in whole):
            return whole
        return '"' + whole.replace('"', '\\"') + '"'


class JsonLines(_Lines):
    """One JSON object a line, ASCII only, so that nothing in it can act on a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            name: value
            if value is None or isinstance(value, int | float)
            else str(value)[: _LONGEST * 10 if name == "traceback" else _LONGEST]
            for name, value in self._fields(record).items()
        }
        return json.dumps(fields)
