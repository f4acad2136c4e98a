"""Letting others see that one writes: while something is written to them, and no more often than they forget it.

A command is nobody's business. Must not know how the broker is told.
"""

from __future__ import annotations

from typing import Final

from client.typed.grammar import PREFIXES

AGAIN_S: Final = 4.0
"""Seconds after which it is said again: before `limits.TYPING_S` have passed, and others have forgotten it."""


class Writing:
    """What was last said of one's writing, and where."""

    def __init__(self) -> None:
        self._log = ""
        self._said = 0.0

    def typed(self, log: str, text: str, now: float) -> list[tuple[str, bool]]:
        """The line to `log` was changed to `text`. Returns whom to tell that one writes, or no longer does."""
        writes = bool(text.strip()) and text.lstrip()[0] not in PREFIXES
        tell = self._over(log if writes else "")
        if writes and (self._log != log or now - self._said >= AGAIN_S):
            self._log, self._said = log, now
            tell.append((log, True))
        return tell

    def sent(self) -> None:
        """What was written is said; whoever hears it knows that it is written."""
        self._log = ""

    def _over(self, log: str) -> list[tuple[str, bool]]:
        if not self._log or self._log == log:
            return []
        before, self._log = self._log, ""
        return [(before, False)]
