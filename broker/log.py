"""The broker's log: one line for each event on standard error, as `name=value` pairs or as JSON.

How a line looks is `common.log_lines`. Texts of messages, secrets and routing ids are never logged; callers see to
that. Nobody who logs waits for whoever reads: see `log_writer`. Must not know where an event comes from.
"""

from __future__ import annotations

import atexit
import logging
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Literal, TextIO

from broker.log_writer import Throttle, Writer
from common.log_lines import JsonLines, TextLines

Format = Literal["text", "json"]

LOGGER: Final = logging.getLogger("broker")
PROVOKED: Final = frozenset(
    {
        "banned",
        "cut",
        "fault",
        "foreign-frame",
        "foreign-request",
        "not-admitted",
        "refused",
        "shut",
        "worker-failed",
        "zap-failed",
    }
)
"""Events that a peer can cause as often as it likes: written at a bounded rate (`log_writer.RATE`)."""
_PLAIN: Final = (str, int, float, type(None))

_writer: Writer | None = None
_throttle = Throttle()


def event(name: str, level: int = logging.INFO, /, **fields: object) -> None:
    """Log one event."""
    if LOGGER.isEnabledFor(level) and (name not in PROVOKED or _throttle.admits(name)):
        LOGGER.handle(_record(name, fields, level))


def failure(name: str, /, **fields: object) -> None:
    """Log one event with the traceback of the exception that is being handled."""
    if name not in PROVOKED or _throttle.admits(name):
        LOGGER.error("%s", name, exc_info=True, extra={"fields": fields})


def start(
    format: Format = "text", verbose: bool = False, stream: TextIO | None = None, throttle: Throttle | None = None
) -> None:
    """Send the log to `stream` (standard error); with `verbose`, what only matters for diagnosis too.

    From now on an exception that nobody caught, on any thread, is a line of the log as well.
    """
    global _writer, _throttle
    stop()
    _throttle = throttle or Throttle()
    _writer = _Snapshots(stream or sys.stderr, _record, _throttle)
    _writer.setFormatter(JsonLines() if format == "json" else TextLines())
    _only(_writer)
    LOGGER.setLevel(logging.DEBUG if verbose else logging.INFO)
    LOGGER.propagate = False
    sys.excepthook, threading.excepthook = _crashed, _thread_crashed
    # Whatever ends the process, and after the hook above.
    atexit.register(stop)
    _writer.start()


def stop() -> None:
    """Write what waits, unless nobody takes it, and log nothing more."""
    global _writer, _throttle
    _throttle = Throttle()
    if _writer is not None:
        # The handler of last resort would write to standard error itself.
        _only(logging.NullHandler())
        _writer.stop()
        _writer = None
        sys.excepthook, threading.excepthook = sys.__excepthook__, threading.__excepthook__
        atexit.unregister(stop)


def _only(handler: logging.Handler) -> None:
    for old in list(LOGGER.handlers):
        LOGGER.removeHandler(old)
    LOGGER.addHandler(handler)


def _record(name: str, fields: Mapping[str, object], level: int = logging.WARNING) -> logging.LogRecord:
    # Not by `Logger.log`, which spends most of its time on finding the caller, whom no line names.
    return LOGGER.makeRecord(LOGGER.name, level, "", 0, name, (), None, extra={"fields": fields})


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    LOGGER.critical("crashed", exc_info=(kind, error, trace))


def _thread_crashed(crash: threading.ExceptHookArgs) -> None:
    if crash.exc_value is not None and crash.exc_type is not SystemExit:
        fields = {"thread": crash.thread.name if crash.thread else ""}
        cause = (crash.exc_type, crash.exc_value, crash.exc_traceback)
        LOGGER.critical("thread-crashed", exc_info=cause, extra={"fields": fields})


class _Snapshots(Writer):
    """Fixes on the caller's thread what may be another thing by the time that it is written."""

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, object] = getattr(record, "fields", {})
        record.fields = fixed = {
            name: value if isinstance(value, _PLAIN) else str(value) for name, value in fields.items()
        }
        record.msg, record.args = record.getMessage(), ()
        if record.exc_info and record.exc_info[0] is not None:
            fixed["error"] = f"{record.exc_info[0].__name__}: {record.exc_info[1]}"
            fixed["traceback"] = logging.Formatter().formatException(record.exc_info)
            record.exc_info = None
        super().emit(record)
