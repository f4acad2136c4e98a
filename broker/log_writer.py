"""The thread that writes the log, so that no other ever waits for whoever reads it.

Lines go to it by a bounded queue. If standard error is full (a pipe that nobody reads, a terminal that was stopped)
the queue fills and further lines are dropped and counted; the broker goes on. What peers can provoke at will is
written only so often for each name, and the number held back is told. Must not know events or formats.
"""

from __future__ import annotations

import logging
import os
import queue
import select
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, TextIO

LINES: Final = 4_096
"""Lines that may wait to be written; more are dropped."""
RATE: Final = 50.0
"""Lines a second of one name that peers can provoke."""
BURST: Final = 200.0
"""Lines of that name at once."""
TELL_S: Final = 5.0
"""Seconds between two lines that say how many were held back."""
STOP_S: Final = 1.0
"""Seconds that the last lines get for leaving if nobody reads them."""
_LOOK_S: Final = 0.1
"""Seconds between two looks whether one should end, while nobody reads."""
_ATOMIC: Final = 4_096
"""Bytes that a pipe with any room takes without blocking, where the system says that it has room."""


class _Unread(Exception):
    """Nobody reads, and it is time to end."""


Note = Callable[[str, Mapping[str, object]], logging.LogRecord]
"""Makes a record of an event of the log's own."""


class Throttle:
    """Lets `burst` lines of a name through at once and `rate` a second, and counts the others."""

    def __init__(self, rate: float = RATE, burst: float = BURST, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}
        self._held: dict[str, int] = {}
        self._lock = threading.Lock()

    def admits(self, name: str) -> bool:
        """Whether one more line of this name may be written now."""
        with self._lock:
            now = self._clock()
            level, then = self._levels.get(name, (self._burst, now))
            level = min(self._burst, level + (now - then) * self._rate)
            admitted = level >= 1.0
            self._levels[name] = (level - 1.0 if admitted else level, now)
            if not admitted:
                self._held[name] = self._held.get(name, 0) + 1
            return admitted

    def take(self) -> dict[str, int]:
        """How many lines of each name were held back since this was last asked."""
        with self._lock:
            taken, self._held = self._held, {}
            return taken


class Writer(logging.Handler):
    """A handler whose lines are written by a thread of its own, from `start` to `stop`."""

    def __init__(self, stream: TextIO, note: Note, throttle: Throttle, lines: int = LINES) -> None:
        super().__init__()
        self._stream = stream
        self._note = note
        self._throttle = throttle
        self._queue: queue.Queue[logging.LogRecord | None] = queue.Queue(lines)
        self._dropped = 0
        self._counting = threading.Lock()
        self._descriptor = -1
        self._until: float | None = None
        """When to give up what is not written yet, once it is to end."""
        self._told = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        try:
            # Its own: what is closed and used again for something else must get no lines of ours.
            self._descriptor = os.dup(self._stream.fileno())
        except (OSError, ValueError):
            pass  # no file of the system, or closed
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, for `STOP_S` seconds at the most, and end."""
        self._until = time.monotonic() + STOP_S
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            pass  # then it is awake, and sees `_until`
        # The thread may hang in a write that nothing can end: it is a daemon, and left behind.
        self._thread.join(STOP_S + _LOOK_S)

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a record over, or drop it; on the caller's thread, with the handler's lock held."""
        try:
            self._queue.put_nowait(record)
        except queue.Full:
            self._drop(1)

    def _drop(self, count: int) -> None:
        with self._counting:
            self._dropped += count

    def _run(self) -> None:
        try:
            while self._step():
                pass
        except _Unread:
            pass
        finally:
            if self._descriptor >= 0:
                os.close(self._descriptor)

    def _step(self) -> bool:
        """Write the next line; False at the end."""
        try:
            record = self._queue.get(timeout=TELL_S if self._until is None else _LOOK_S)
            over = record is None
        except queue.Empty:
            record, over = None, self._until is not None
        if record is not None and not self._write(record):
            self._drop(1)
        with self._counting:
            dropped, self._dropped = self._dropped, 0
        if dropped and not self._write(self._note("log-dropped", {"count": dropped})):
            self._drop(dropped)
        if over or time.monotonic() >= self._told + TELL_S:
            self._told = time.monotonic()
            for name, count in self._throttle.take().items():
                self._write(self._note("held-back", {"of": name, "count": count}))
        return not over

    def _write(self, record: logging.LogRecord) -> bool:
        """Whether it could be written; a full disk may have room for the next, and a closed pipe is no fault."""
        line = self.format(record) + "\n"
        try:
            if self._descriptor < 0:
                self._stream.write(line)
                self._stream.flush()
                return True
            rest = line.encode("utf-8", "backslashreplace")
            while rest:
                self._wait()
                rest = rest[os.write(self._descriptor, rest[:_ATOMIC]) :]
        except (OSError, ValueError):
            return False
        return True

    def _wait(self) -> None:
        """Return when a write will not block; raises `_Unread` when it is time to give up."""
        if not hasattr(select, "poll"):
            return
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        while not poll.poll(_LOOK_S * 1_000):
            if self._until is not None and time.monotonic() >= self._until:
                raise _Unread
