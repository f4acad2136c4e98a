"""The recent entries of each log, as frames, for browsers that come back after a moment.

A ring holds all entries of its log with a `seq` above its `floor`, or nothing: a hole in the chain empties it. So what
it gives is complete, or it says that it cannot. Must not know who may read what.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final, NamedTuple

from client.web.relay.bounds import RING_BYTES, RING_ENTRIES, RINGS_BYTES

_OVERHEAD: Final = 100
"""Bytes that a kept entry costs besides its frame."""


class Kept(NamedTuple):
    """An entry as browsers get it."""

    seq: int
    frame: bytes


class Ring:
    """What is kept of one log, under one room id."""

    def __init__(self, floor: int) -> None:
        """Entries up to `floor` are not here."""
        self.floor = floor
        self.last = floor
        """The `seq` of the last entry that was seen, here or not."""
        self.bytes = 0
        self._entries: deque[Kept] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, seq: int, prev: int, frame: bytes) -> bool:
        """Keep an entry that came. Returns whether it follows on the last one; if not, what was kept is dropped.

        One that was seen already is left alone.
        """
        if seq <= self.last:
            return True
        whole = prev <= self.last
        if not whole:
            self.reset(prev)
        self._entries.append(Kept(seq, frame))
        self.last = seq
        self.bytes += len(frame) + _OVERHEAD
        while len(self._entries) > RING_ENTRIES or self.bytes > RING_BYTES:
            self.drop_first()
        return whole

    def ends_at(self, head: int) -> bool:
        """The log ends at `head` now, says the broker. Returns whether that was known; if not, the ring is empty."""
        if head <= self.last:
            return True
        self.reset(head)
        return False

    def drop_first(self) -> None:
        """Forget the oldest entry."""
        oldest = self._entries.popleft()
        self.floor = oldest.seq
        self.bytes -= len(oldest.frame) + _OVERHEAD

    def reset(self, floor: int) -> None:
        """Begin anew behind `floor`."""
        self._entries.clear()
        self.bytes = 0
        self.floor = self.last = floor

    def after(self, seq: int) -> list[Kept] | None:
        """All entries above `seq`, in order; None if some of them are not here."""
        if seq < self.floor:
            return None
        if seq >= self.last:
            return []
        return [entry for entry in self._entries if entry.seq > seq]


class Rings:
    """The rings of all logs, bounded together: of the log that was silent for longest the ring is emptied first."""

    def __init__(self, most: int = RINGS_BYTES) -> None:
        self._most = most
        self._bytes = 0
        self._rings: OrderedDict[tuple[str, int], Ring] = OrderedDict()

    @property
    def size(self) -> int:
        """Bytes of all that is kept."""
        return self._bytes

    def open(self, log: str, id: int, head: int) -> Ring:
        """The ring of a log under that room id, new if there is none; what has another id under that name is dropped
        by `close`."""
        ring = self._rings.get((log, id))
        if ring is None:
            ring = self._rings[log, id] = Ring(head)
        return ring

    def close(self, log: str, id: int) -> None:
        """Forget a log."""
        ring = self._rings.pop((log, id), None)
        if ring is not None:
            self._bytes -= ring.bytes

    def add(self, log: str, id: int, seq: int, prev: int, frame: bytes) -> bool:
        """Keep an entry of an open log; see `Ring.add`."""
        ring = self._rings[log, id]
        before = ring.bytes
        whole = ring.add(seq, prev, frame)
        self._bytes += ring.bytes - before
        self._rings.move_to_end((log, id))
        if self._bytes > self._most:
            self._shrink()
        return whole

    def ends_at(self, log: str, id: int, head: int) -> bool:
        """An open log ends at `head`; see `Ring.ends_at`."""
        ring = self._rings[log, id]
        before = ring.bytes
        known = ring.ends_at(head)
        self._bytes += ring.bytes - before
        return known

    def _shrink(self) -> None:
        for ring in self._rings.values():
            while len(ring) and self._bytes > self._most:
                before = ring.bytes
                ring.drop_first()
                self._bytes += ring.bytes - before
            if self._bytes <= self._most:
                return
