"""The log of a program that nobody sits at, a bot or the gateway: one line for each event, on standard error.

Whatever is logged within the process goes there, of libraries too; how a line looks is `common.log_lines`. Texts of
messages and secrets are never logged; callers see to that. Must not know what the program does.
"""

from __future__ import annotations

import logging
import sys
from typing import TextIO

from common.log_lines import TextLines


def event(logger: logging.Logger, name: str, level: int = logging.INFO, /, **fields: object) -> None:
    """Log one event; with the exception that is being handled if `level` is that of an error."""
    logger.log(level, "%s", name, exc_info=level >= logging.ERROR, extra={"fields": fields})


def start(verbose: bool = False, stream: TextIO | None = None) -> None:
    """Send the log of this process to `stream` (standard error); with `verbose`, what only diagnosis needs too."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Lines())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if verbose else logging.INFO)


class _Lines(TextLines):
    """As the broker's, with the exception of a record among its fields."""

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info and record.exc_info[0] is not None:
            fields = {
                **getattr(record, "fields", {}),
                "error": f"{record.exc_info[0].__name__}: {record.exc_info[1]}",
                "traceback": self.formatException(record.exc_info),
            }
            record = logging.makeLogRecord({**vars(record), "exc_info": None, "fields": fields})
        return super().format(record)
