"""Bounded iterators: the entries of a log for a program, the updates for a user interface.

A program that reads slowly costs a fixed amount of memory. A log's stream that runs over forgets what it holds
and reads it again from history, so nothing is missed however slow the reader. The stream of updates has no
history behind it: it drops entries and rosters, and says so with `Overrun`. Must not know sockets.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar, cast, get_args

from client.link.updates import Arrived, Overrun, RosterChanged, Update
from common.errors import NoSuchLog, NoSuchRoom, NotMember
from common.messages import AnyEntry, Entries, Entry

ENTRIES: Final = 512
"""Entries that a log's stream holds."""
UPDATES: Final = 4_096
"""Updates that a stream of updates holds."""

Kinds = tuple[type[Entry], ...]
ENTRY_KINDS: Final[Kinds] = get_args(AnyEntry)
"""Every kind of entry."""
Page = Callable[[int], Awaitable[Entries]]
"""Reads the page of the log that begins after a sequence number."""
E = TypeVar("E", bound=AnyEntry)


class LogStream(Generic[E]):
    """The entries of some kinds of one log from a place on: gap-free, in order, once. One reader at a time gets each.

    Iterating waits for the next entry, offline too. It ends when the log is no longer followed (the room was
    left or deleted, the client closed), after what had arrived; it raises if the session ended.
    """

    def __init__(self, page: Page, after: int, newest: int, kinds: Kinds = ENTRY_KINDS) -> None:
        """Begin after `after`; `newest` is the last entry there already is, read from history if need be.

        What is of none of `kinds` is passed over.
        """
        self._page = page
        self._kinds = kinds
        self._position = after
        self._newest = newest
        self._queue: deque[AnyEntry] = deque()
        self._behind = newest > after
        self.replayed = newest
        """The `seq` of the last entry known that was fetched from the log afterwards, not heard live."""
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._closed = False
        self._failure: Exception | None = None

    @property
    def position(self) -> int:
        """The `seq` of the entry that was given out last, or was passed over since."""
        return self._position

    @property
    def newest(self) -> int:
        """The `seq` of the last entry there is, given out or not."""
        return self._newest

    def feed(self, entry: AnyEntry, replayed: bool = False) -> None:
        """The log has a further entry; `replayed` as in `Arrived`."""
        if self._closed or entry.seq <= self._newest:
            return
        self._newest = entry.seq
        if replayed:
            self.replayed = entry.seq
        if not self._behind:
            self._queue.append(entry)
            if len(self._queue) > ENTRIES:
                self._queue.clear()
                self._behind = True
        self._wake.set()

    def close(self, failure: Exception | None = None) -> None:
        """No further entry will come; the reader gets what there is, then `failure` or the end."""
        if not self._closed:
            self._closed, self._failure = True, failure
            self._wake.set()

    def __aiter__(self) -> LogStream[E]:
        return self

    async def __anext__(self) -> E:
        async with self._turn:
            while True:
                entry = await self._next()
                self._position = entry.seq
                if isinstance(entry, self._kinds):
                    return cast(E, entry)

    async def _next(self) -> AnyEntry:
        while not self._queue:
            if self._behind:
                await self._refill()
            elif self._closed:
                raise self._failure or StopAsyncIteration
            else:
                self._wake.clear()
                await self._wake.wait()
        return self._queue.popleft()

    async def _refill(self) -> None:
        newest = self._newest
        try:
            page = await self._page(self._position)
        except (NotMember, NoSuchRoom, NoSuchLog):
            # No longer ours to read.
            self._behind, self._closed = False, True
            return
        # What came after the end is for another reader: of a later stay, or of another room of that name.
        end = self._newest if self._closed else math.inf
        self._queue.extend(entry for entry in page.entries if self._position < entry.seq <= end)
        more = page.more and page.entries[-1].seq < end
        last = self._queue[-1].seq if self._queue else self._position
        # Without more to read, whatever was fed before the question is there; what was fed since may not be.
        if last >= self._newest or (not more and newest == self._newest):
            self._behind = False
            self._newest = max(self._newest, last)


class UpdateStream:
    """All updates from its making on, in order."""

    def __init__(self, limit: int = UPDATES) -> None:
        self._limit = limit
        self._queue: deque[Update] = deque()
        self._wake = asyncio.Event()
        self._closed = False

    def feed(self, update: Update) -> None:
        """Something happened."""
        if self._closed:
            return
        self._queue.append(update)
        if len(self._queue) > self._limit:
            self._shrink()
        self._wake.set()

    def _shrink(self) -> None:
        """Keep the newest of what cannot be read anew, and say for each log from where to read the rest."""
        after: dict[str, int] = {}
        kept: deque[Update] = deque()
        for update in self._queue:
            if isinstance(update, Overrun):
                for log, seq in update.after.items():
                    after.setdefault(log, seq)
            elif isinstance(update, Arrived):
                after.setdefault(update.log, update.entry.seq - 1)
            elif not isinstance(update, RosterChanged):
                kept.append(update)
        # Down to half, or the next update of those kinds would have us look at all of them again.
        while len(kept) >= max(1, self._limit // 2):
            kept.popleft()
        self._queue = kept
        self._queue.append(Overrun(after))

    @property
    def waiting(self) -> int:
        """Updates that were not given out yet."""
        return len(self._queue)

    def close(self) -> None:
        """No further update will come; the reader gets what there is, then the end."""
        self._closed = True
        self._wake.set()

    def __aiter__(self) -> UpdateStream:
        return self

    async def __anext__(self) -> Update:
        while not self._queue:
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._queue.popleft()
