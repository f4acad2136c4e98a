"""Posts go out in the order in which they are asked for, as fast as the broker takes them and no faster.

The link waits as long as the broker says and keeps the order in each room. It holds a bounded number of posts, so here
a further one waits for its turn instead of failing: a flood makes a bot slow, it does not end it. A text that is too
long becomes several messages, divided at lines. Must not know who posts, or why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from client.link import outbox
from common import messages as m
from common.limits import TEXT_BYTES, TEXT_LENGTH

AT_ONCE: Final = outbox.LIMIT // 2
"""Posts on their way at once: half of what the link holds, the rest is for what the bot's own code posts beside it."""


class Pacing:
    """The turns of one connection's posts."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def post(self, send: Callable[[], Awaitable[m.Sent]]) -> m.Sent:
        """Wait for a turn, post, and wait until it is on the broker's disk. Raises what it is refused with."""
        async with self._turns:
            return await send()


def parts(text: str) -> list[str]:
    """The messages that a text becomes: one, or as few as hold it, divided at lines, else at spaces, else anywhere."""
    found = []
    while not _fits(text):
        end = _longest(text)
        at = next((at for mark in ("\n", " ") if (at := text.rfind(mark, 0, end + 1)) > 0), end)
        found.append(text[:at])
        text = text[at:].removeprefix(text[at : at + 1] if text[at] in "\n " else "")
    # A part that is blank would be refused; it says nothing.
    return [part for part in [*found, text] if part.strip()] or [text]


def _fits(text: str) -> bool:
    return len(text) <= TEXT_LENGTH and (4 * len(text) <= TEXT_BYTES or len(text.encode()) <= TEXT_BYTES)


def _longest(text: str) -> int:
    """How many of the first characters are one message at the most."""
    start = text[:TEXT_LENGTH].encode(errors="replace")[:TEXT_BYTES]
    return len(start.decode(errors="ignore"))
