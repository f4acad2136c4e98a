"""One log that a bot reads: how far, and what waits there to be handled, as it is by now.

A message that is changed or taken back while it waits is handled as it is when its turn comes. Must not know what is
done with a message.
"""

from __future__ import annotations

import asyncio
import copy
from dataclasses import dataclass, field

from client.bot.delivery import Cursor
from client.bot.ports import Entries
from common import messages as m

Change = m.Edited | m.Retracted
"""What makes a message another one."""


@dataclass
class Followed:
    """A log that is read."""

    name: str
    view: m.RoomView | None
    """None for the inbox."""
    cursor: Cursor
    stream: Entries
    task: asyncio.Task[None] | None = field(default=None)
    _waiting: dict[int, m.AnyEntry] = field(default_factory=dict, init=False)
    _early: dict[int, Change] = field(default_factory=dict, init=False)
    """Changes of messages that were not read yet."""

    @property
    def behind(self) -> bool:
        """Whether there are entries that were not taken up."""
        return self.task is not None and not self.task.done() and self.cursor.begun < self.stream.newest

    def read(self, entry: m.AnyEntry) -> None:
        """The next entry was read; it waits from now on."""
        self.cursor.begin(entry.seq)
        early = self._early.pop(entry.seq, None)
        self._waiting[entry.seq] = _changed(entry, early) if early else entry

    def change(self, change: Change) -> None:
        """A message was changed, read or not."""
        waiting = self._waiting.get(change.target)
        if waiting is not None:
            self._waiting[change.target] = _changed(waiting, change)
        elif change.target > self.cursor.begun:
            self._early[change.target] = change

    def take(self, seq: int) -> m.AnyEntry:
        """The turn of an entry has come: as it is by now."""
        return self._waiting.pop(seq)


def _changed(entry: m.AnyEntry, change: Change) -> m.AnyEntry:
    """An entry after a change, unless that is in it already."""
    if not isinstance(entry, (m.Message, m.DirectMessage)) or change.seq <= entry.changed:
        return entry
    made = copy.copy(entry)  # others hold the same one
    made.changed = change.seq
    if isinstance(change, m.Retracted):
        made.text, made.retracted = "", True
    elif not entry.retracted:
        made.text, made.edited = change.text, change.time
    return made
