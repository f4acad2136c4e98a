"""One log as this client follows it: what was delivered, what is known to exist, what waits for a hole to close.

An entry names the one before it (`prev`), so a hole shows; a `live` marker says where the log ends at a point of
the stream, so whatever is below and unseen is missing; a head from a heartbeat may be ahead of the stream, so it
only counts if the stream stands still for a while. Pages of history fill holes from below; entries beyond a
hole are held back, so delivery is in order and once. Must not know how a page is asked for, nor what time it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from common.messages import AnyEntry

HELD: Final = 1_000
"""Entries held back beyond a hole; with more, all are dropped and read from history instead."""


class Hole(NamedTuple):
    """Entries with `after` < seq < `before` are missing."""

    after: int
    before: int


class Log:
    """The place of this client in one log."""

    def __init__(self, name: str, id: int, start: int) -> None:
        self.name = name
        self.id = id
        """The room's id; 0 for an inbox."""
        self.last = start
        """The `seq` up to which everything was delivered."""
        self.fetching = False
        """Whether a page is under way; whoever fetches keeps it."""
        self.silent_losses = 0
        """Times in a row that only a heartbeat showed a loss: the subscription itself may be gone."""
        self._certain = start
        self._held: dict[int, AnyEntry] = {}
        self._rumour = 0
        self._rumour_due = math.inf
        self._rumour_wait = 0.0
        self._rumour_last = start
        self._not_before = -math.inf

    def heard(self, entry: AnyEntry) -> list[AnyEntry]:
        """Take in an entry from the stream; returns what may be delivered now, in order."""
        self.silent_losses = 0
        if entry.seq <= self.last:
            return []
        if entry.prev <= self.last:
            self.last = entry.seq
            return [entry, *self._release()] if self._held else [entry]
        # Everything up to `prev` exists, whatever becomes of this entry.
        self._certain = max(self._certain, entry.prev)
        self._held[entry.seq] = entry
        if len(self._held) > HELD:
            self._certain = max(self._certain, max(self._held))
            self._held.clear()
        return []

    def _release(self) -> list[AnyEntry]:
        ready = []
        for seq in sorted(self._held):
            entry = self._held[seq]
            if seq > self.last:
                if entry.prev > self.last:
                    break
                self.last = seq
                ready.append(entry)
            del self._held[seq]
        return ready

    def ends_at(self, head: int) -> None:
        """The stream itself says that the log ends here at this point: what is below and unseen is missing."""
        self._certain = max(self._certain, head)

    def rumoured(self, head: int, now: float, wait: float) -> None:
        """A head heard of elsewhere: it counts once the stream has stood still below it for `wait` seconds."""
        if head <= self.last or head <= self._certain:
            return
        self._rumour = max(self._rumour, head)
        if self._rumour_due == math.inf:
            self._rumour_wait, self._rumour_last = wait, self.last
            self._rumour_due = now + wait

    def hole(self, now: float) -> Hole | None:
        """What to fetch next, if anything is known to be missing and nothing is under way."""
        self._weigh_rumour(now)
        if self.fetching or now < self._not_before or self._certain <= self.last:
            return None
        return Hole(self.last, self._certain + 1)

    def _weigh_rumour(self, now: float) -> None:
        if self._rumour <= self.last:
            self._rumour_due = math.inf
        elif now >= self._rumour_due:
            if self.last != self._rumour_last:
                self._rumour_last, self._rumour_due = self.last, now + self._rumour_wait
            else:
                self._certain = max(self._certain, self._rumour)
                self._rumour_due = math.inf
                self.silent_losses += 1

    def page(self, hole: Hole, entries: Sequence[AnyEntry], more: bool) -> list[AnyEntry]:
        """Take in the page that `hole` asked for; returns what was missing and what it had held back."""
        found = []
        for entry in entries:
            if entry.seq > self.last:
                self.last = entry.seq
                found.append(entry)
        if not (more and entries):
            # History is the truth: what it does not have up to there is not for us.
            self.last = max(self.last, hole.before - 1)
        return found + self._release()

    def failed(self, now: float, wait: float) -> None:
        """The page was refused for now; ask again after `wait` seconds."""
        self._not_before = now + wait

    @property
    def behind(self) -> bool:
        """Whether something is known to be missing."""
        return self._certain > self.last

    @property
    def settled(self) -> bool:
        """Whether nothing is missing, not even by rumour."""
        return not self.behind and self._rumour_due == math.inf and not self.fetching

    def deadline(self) -> float:
        """When `hole` may next have another answer by the mere passing of time."""
        waiting = self._not_before if self.behind and not self.fetching else math.inf
        return min(self._rumour_due, waiting)
