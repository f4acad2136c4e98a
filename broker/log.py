"""The broker's log: one line for each event on standard error, as `name=value` pairs or as JSON.

Whatever a peer wrote reaches the log escaped: no control character, no line break, no look of a second
line. Texts of messages, secrets and routing ids are never logged; callers see to that. Must not know where
an event comes from.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Final, Literal, TextIO

Format = Literal["text", "json"]

LOGGER: Final = logging.getLogger("broker")
_LONGEST: Final = 1_000
"""Characters of one value; a traceback may have ten times as many."""


def event(name: str, level: int = logging.INFO, /, **fields: object) -> None:
    """Log one event."""
    if LOGGER.isEnabledFor(level):
        LOGGER.log(level, "%s", name, extra={"fields": fields})


def failure(name: str, /, **fields: object) -> None:
    """Log one event with the traceback of the exception that is being handled."""
    LOGGER.error("%s", name, exc_info=True, extra={"fields": fields})


def start(format: Format = "text", verbose: bool = False, stream: TextIO | None = None) -> None:
    """Send the log to `stream` (standard error); with `verbose`, what only matters for diagnosis too."""
    handler = _Stream(stream or sys.stderr)
    handler.setFormatter(JsonLines() if format == "json" else TextLines())
    for old in list(LOGGER.handlers):
        LOGGER.removeHandler(old)
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.DEBUG if verbose else logging.INFO)
    LOGGER.propagate = False


def escape(value: str, longest: int = _LONGEST) -> str:
    """`value` without any character that could act on a terminal or end the line, and not without end."""
    cut = value if len(value) <= longest else value[:longest] + "…"
    if cut.isprintable():
        return cut
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in cut)


class _Stream(logging.StreamHandler[TextIO]):
    """Standard error. If nobody takes it any more, the broker goes on without a log."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


class _Lines(logging.Formatter):
    """What both formats share: the fields of a record in order."""

    def _fields(self, record: logging.LogRecord) -> dict[str, object]:
        seconds, milliseconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)), int(record.msecs)
        fields: dict[str, object] = {
            "time": f"{seconds}.{milliseconds:03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        fields.update(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[0] is not None:
            fields["error"] = f"{record.exc_info[0].__name__}: {record.exc_info[1]}"
            fields["traceback"] = self.formatException(record.exc_info)
        return fields


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
