"""Telling the broker how far was read: a mark at once, and then no more than one in a while for each conversation.

Must not know when something counts as read.
"""

from __future__ import annotations

import asyncio
from typing import Final

from client.link.failures import LinkLost, NoAnswer
from client.link.updates import LinkState
from client.tui.commands.ports import Chat
from client.tui.model.marks import Marks
from common.errors import Busy, ChatError, Closing, RateLimited, StorageFailed
from common.messages import Mark

MARK_S: Final = 1.5
"""Seconds between two marks of one conversation: nobody's other device has to know sooner."""
FAREWELL_S: Final = 2.0
"""Seconds that the last marks may take."""
PASSING: Final = (NoAnswer, LinkLost, Busy, RateLimited, Closing, StorageFailed)
"""Refusals that say nothing against the mark; of any other, the conversation is no longer one."""


class Receipts:
    """Tells what is due."""

    def __init__(self, chat: Chat, marks: Marks) -> None:
        self._chat = chat
        self._marks = marks
        self._telling = False
        self._turn = asyncio.Lock()

    def wanted(self) -> bool:
        """Whether `tell` has something to do, and nobody does it yet: then whoever asks is to do it."""
        wanted = self._marks.due and not self._telling and self._chat.link is LinkState.LIVE
        self._telling = self._telling or wanted
        return wanted

    @property
    def busy(self) -> bool:
        """Whether something is due, or is being told."""
        return self._marks.due or self._telling

    async def tell(self) -> None:
        """Tell what is due, and what becomes due meanwhile, until there is nothing more, or no link; see `wanted`."""
        try:
            while self._marks.due and self._chat.link is LinkState.LIVE:
                await self._round()
                await asyncio.sleep(MARK_S)
        finally:
            self._telling = False

    async def finish(self) -> None:
        """Tell the last ones, if that is soon done."""
        if self.busy and self._chat.link is LinkState.LIVE:
            try:
                async with asyncio.timeout(FAREWELL_S):
                    await self._round()
            except TimeoutError:
                pass  # what was read last is unread next time

    async def _round(self) -> None:
        async with self._turn:
            for log, seq in self._marks.take_due():
                try:
                    await self._chat.request(Mark(talk=log, read=seq))
                except PASSING:
                    self._marks.put_back(log, seq)
                except ChatError:
                    pass  # left, or gone
