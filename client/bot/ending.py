"""The end of the process that bots run in: when it is told to end, when its parent is gone, and by force if need be.

A handler may block the loop, refuse to be cancelled, or wait in a thread that nobody can end; so a thread of its own
ends the process when its time is over. Must not know what runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Final, Self

from client.log import event

GRACE_S: Final = 15.0
"""Seconds after the first signal until the process is ended by force: more than what handlers have, and less than
systemd's unit and `--reload` give it."""
AT_ONCE_S: Final = 1.0
"""The same after the second signal, and once there is nothing left but what does not end."""
PARENT: Final = "TERTULIA_BOT_PARENT"
"""The environment's name for the number of a pipe that is closed when the parent has ended, however it did."""

log = logging.getLogger("tertulia.bot")


class Ending:
    """What calls `tell` when the process is told to end, and ends it if that does not; within the context."""

    def __init__(self, loop: asyncio.AbstractEventLoop, tell: Callable[[], None]) -> None:
        """`tell` is called in the loop, for each signal."""
        self._loop = loop
        self._tell = tell
        self._told = 0
        self._timer: threading.Timer | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGINT):
            # Not the loop's own: it hears of no signal while a handler blocks it.
            self._before[number] = signal.signal(number, self._signalled)
        parent = os.environ.pop(PARENT, "")
        if parent.isdigit():
            os.set_inheritable(int(parent), False)
            self._loop.add_reader(int(parent), self._orphaned, int(parent))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._timer is not None:
            self._timer.cancel()

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        self._told += 1
        self.within(GRACE_S if self._told == 1 else AT_ONCE_S)
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._tell)

    def _orphaned(self, parent: int) -> None:
        self._loop.remove_reader(parent)
        self._signalled(signal.SIGTERM, None)

    def within(self, seconds: float, status: int = 0) -> None:
        """Have the process ended by then, with that status, if it has not by itself."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(seconds, self._force, (status,))
        self._timer.daemon = True
        self._timer.start()

    @staticmethod
    def _force(status: int) -> None:
        event(log, "ended-by-force", logging.WARNING, status=status)
        os._exit(status)
