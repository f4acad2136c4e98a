"""The cursors of all logs, and telling the broker of them: at most once a second, and at the end.

The mark of a room (`RoomView.read`), and for the inbox that of the talk with oneself, hold up to where the bot has
handled it. The wish of the mark, which is on disk before it is answered, says whether there is such a cursor:
`all` if there is, `off` if the bot was live since. Must not know what is done with a message.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from client.bot.clock import Clock
from client.bot.delivery import Cursor
from client.bot.ports import Chat
from client.log import event
from common import messages as m
from common.errors import ChatError, Forbidden, NoSuchRoom, NoSuchUser, NotMember

KEEP_MS: Final = 1_000
"""Milliseconds between two times that the broker is told."""
GONE: Final = (NotMember, NoSuchRoom, NoSuchUser, Forbidden)
"""Refusals after which there is nothing to keep."""

log = logging.getLogger("tertulia.bot")


class Keeping:
    """Up to where each log was handled."""

    def __init__(self, chat: Chat, clock: Clock, resume: bool) -> None:
        """Without `resume` the broker is told that there are no cursors any more, and nothing else."""
        self._chat = chat
        self._clock = clock
        self._resume = resume
        self._cursors: dict[str, Cursor] = {}
        self._unkept: set[str] = set()
        self._wake = asyncio.Event()
        self._moved: set[asyncio.Future[None]] = set()

    async def begin(self, talk: str, head: int, view: m.RoomView | m.TalkView | None, since: int = 0) -> Cursor:
        """Where to begin in a log that ends at `head`: there, or with `resume` where the bot was before.

        Raises what `mark` is refused with.
        """
        start = head
        resumable = view is not None and view.notify == "all"
        if self._resume and resumable and view is not None:
            start = max(view.read, since)
        elif self._resume:
            await self._chat.mark(talk, read=head, notify="all")
        elif resumable:
            await self._chat.mark(talk, notify="off")
        cursor = self._cursors[talk] = Cursor(start)
        return cursor

    def forget(self, talk: str, cursor: Cursor) -> None:
        """The log is not followed any more."""
        if self._cursors.get(talk) is cursor:
            del self._cursors[talk]
            self._unkept.discard(talk)
        self._tell_moved()

    def settle(self, talk: str, cursor: Cursor, seq: int) -> None:
        """An entry was handled."""
        if not cursor.settle(seq):
            return
        if self._resume and self._cursors.get(talk) is cursor:
            self._unkept.add(talk)
            self._wake.set()
        self._tell_moved()

    def _tell_moved(self) -> None:
        for waiting in self._moved:
            if not waiting.done():
                waiting.set_result(None)

    async def handled(self, talk: str, seq: int) -> None:
        """Wait until a log was handled up to `seq`, or is not followed."""
        while (cursor := self._cursors.get(talk)) is not None and cursor.handled < seq:
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._moved.add(waiting)
            try:
                await waiting
            finally:
                self._moved.discard(waiting)

    async def run(self) -> None:
        """Tell the broker from time to time."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.keep()
            await self._clock.sleep_until(self._clock.now() + KEEP_MS)

    async def keep(self) -> None:
        """Tell the broker now of every log that was handled further."""
        for talk in list(self._unkept):
            cursor = self._cursors.get(talk)
            self._unkept.discard(talk)
            if cursor is None or cursor.handled <= cursor.kept:
                continue
            handled = cursor.handled
            try:
                await self._chat.mark(talk, read=handled)
            except GONE:
                continue
            except ChatError as error:
                event(log, "cursor-not-kept", logging.WARNING, log=talk, reason=error)
                self._unkept.add(talk)
                self._wake.set()
                continue
            cursor.kept = handled
