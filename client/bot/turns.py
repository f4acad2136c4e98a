"""Whose turn it is: whether a handler holds up the messages after the one it was called for.

Must not know what it does.
"""

from __future__ import annotations

import asyncio


class Turn:
    """One handler's turn."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        """Set when the next message may be handled."""
        self.resting = asyncio.Event()
        """Set when the handler has ended, or waits for somebody's answer."""

    def rest(self) -> None:
        """The handler has ended, or waits for an answer."""
        self.free.set()
        self.resting.set()

    def take(self) -> None:
        """It goes on, and the messages after it wait."""
        self.free.clear()
        self.resting.clear()

    def give(self) -> None:
        """It goes on, and so do the messages after it."""
        self.free.set()
