"""Whose turn it is: whether a handler holds up the messages after the one it was called for.

Must not know what it does.
"""

from __future__ import annotations

import asyncio


class Turn:
    """One handler's turn. It may wait for several answers at once; it rests as long as one of them is open."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        """Set when the next message may be handled."""
        self.resting = asyncio.Event()
        """Set when the handler has ended, or waits for somebody's answer."""
        self._open: set[int] = set()
        """What it waits for."""

    def rest(self, question: int = 0) -> None:
        """The handler waits for the answer to a question, or, without one, has ended."""
        if question:
            self._open.add(question)
        self.free.set()
        self.resting.set()

    def take(self, question: int = 0) -> None:
        """It goes on, and the messages after it wait, unless it has asked something else meanwhile."""
        self._open.discard(question)
        if not self._open:
            self.free.clear()
            self.resting.clear()

    def give(self) -> None:
        """It goes on, and so do the messages after it."""
        self.free.set()
