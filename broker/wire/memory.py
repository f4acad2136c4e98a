"""Gives memory back to the system after a storm. Linux with glibc; elsewhere it does nothing.

What libzmq's thread takes and the reactor gives free stays with the allocator, which keeps it for the next storm: a
flood of a minute would be seen in the broker's size for ever. Must not know what the memory was for.

Source: malloc_trim(3), proc(5), /proc/self/statm.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Final

GROWTH: Final = 8 * 1024 * 1024
"""Bytes of growth since the last time from which on it is worth the milliseconds."""
CALM: Final = 10
"""Looks without growth after which it is done once more: what a storm held is freed only when it is over."""
_STATM: Final = Path("/proc/self/statm")


class Trimmer:
    """Watches the size of the process."""

    def __init__(self) -> None:
        self._malloc_trim: Any = None
        if sys.platform == "linux":
            try:
                import ctypes

                self._malloc_trim = ctypes.CDLL(None).malloc_trim
            except (ImportError, MemoryError, OSError, AttributeError):
                pass  # another allocator
        self._least = self._resident()
        self._looks_left = 0

    def trim(self) -> int:
        """Give back what is free, if the process has grown, or had a while ago; how many bytes that was."""
        before = self._resident()
        grown = before >= self._least + GROWTH
        over = self._looks_left == 1
        self._looks_left = CALM if grown else max(0, self._looks_left - 1)
        if self._malloc_trim is None or not (grown or over):
            self._least = min(self._least, before)
            return 0
        self._malloc_trim(0)
        self._least = self._resident()
        return before - self._least

    @staticmethod
    def _resident() -> int:
        try:
            return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError):
            return 0
