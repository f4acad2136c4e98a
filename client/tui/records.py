"""What a conversation shows: one record per message or notice, and the list that keeps them in order.

Messages stand by their place in the broker's log (`seq`); notices stand where they came in between; one's own
messages that are not acknowledged yet come last. Must not know how a record is drawn.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from itertools import count
from typing import Final, Literal

LIMIT: Final = 5_000
"""Records kept per conversation while one reads its end; older ones are read from the broker again."""

FAR_LIMIT: Final = 20_000
"""Records kept while one has scrolled up."""

Kind = Literal["message", "notice", "answer", "error"]
"""Said by somebody; happened in the room; the answer to a command; a refusal."""
Fate = Literal["sent", "pending", "failed"]

_ids = count(1)


@dataclass(frozen=True, slots=True)
class Record:
    """One message or notice. `id` is this process's own and never changes; `revision` grows with each change."""

    kind: Kind
    time: int
    """Milliseconds UTC by the broker's clock."""
    text: str
    sender: str = ""
    seq: int = 0
    """The place in the log; 0 for what has none."""
    nonce: bytes = b""
    fate: Fate = "sent"
    reason: str = ""
    """Why the message failed, in a sentence; or in a word or two, what it waits for."""
    mine: bool = False
    mention: bool = False
    revision: int = 0
    id: int = 0

    def changed(self, **fields: object) -> Record:
        """This record with other fields and the next revision."""
        return replace(self, revision=self.revision + 1, **fields)  # type: ignore[arg-type]


def numbered(record: Record) -> Record:
    """The same record with an id of its own."""
    return replace(record, id=next(_ids))


class Scrollback:
    """The records of one conversation, in order, within bounds."""

    def __init__(self) -> None:
        self._settled: list[Record] = []
        self._pending: list[Record] = []
        self._places: list[int] = []  # the `seq` of every message held, sorted
        self.oldest: int | None = None
        """The `seq` above which all is held; what is below, if anything, is on the broker. None before the first."""

    def __len__(self) -> int:
        return len(self._settled) + len(self._pending)

    def __getitem__(self, index: int) -> Record:
        edge = len(self._settled)
        return self._settled[index] if index < edge else self._pending[index - edge]

    @property
    def pending(self) -> int:
        """How many of one's own messages are not acknowledged."""
        return len(self._pending)

    def find(self, id: int, near: int = 0) -> int | None:
        """The index of the record `id`, looked for outwards from `near`."""
        size = len(self)
        near = max(0, min(near, size - 1))
        for step in range(max(near + 1, size - near)):
            for index in (near - step, near + step):
                if 0 <= index < size and self[index].id == id:
                    return index
        return None

    def add(self, record: Record) -> Record | None:
        """Take in a record. Returns it as it stands now, or None if its message is held already.

        A message of one's own that was waiting under the same nonce is that message, and is no longer waiting.
        """
        if not record.seq:
            record = numbered(record)
            self._settled.append(record)
            return record
        at = bisect_left(self._places, record.seq)
        if at < len(self._places) and self._places[at] == record.seq:
            return None
        waiting = self._take(record.nonce)
        if waiting is not None:
            record = waiting.changed(time=record.time, seq=record.seq, fate="sent", reason="", text=record.text)
        else:
            record = numbered(record)
        index = self._index_for(at)
        while index and not self._settled[index - 1].seq and self._settled[index - 1].time > record.time:
            index -= 1  # read from the history, and said before that notice was
        self._settled.insert(index, record)
        self._places.insert(at, record.seq)
        return record

    def wait(self, record: Record) -> Record:
        """Show a message of one's own that is under way."""
        record = numbered(record)
        self._pending.append(record)
        return record

    def settle(self, nonce: bytes, seq: int, time: int) -> Record | None:
        """The message was acknowledged at that place. Returns it, if it was waiting here."""
        waiting = next((record for record in self._pending if record.nonce == nonce), None)
        if waiting is None:
            return None
        settled = self.add(replace(waiting, seq=seq, time=time))
        if settled is None:
            self._take(nonce)  # its place is taken, so it is shown already
        return settled

    def fail(self, nonce: bytes, reason: str) -> Record | None:
        """The message was refused; it stays where it was written, with the reason."""
        waiting = self._take(nonce)
        if waiting is None:
            return None
        failed = waiting.changed(fate="failed", reason=reason)
        self._settled.append(failed)
        return failed

    def postpone(self, nonce: bytes, reason: str) -> None:
        """The message still waits, for that reason if there is one to name."""
        for index, record in enumerate(self._pending):
            if record.nonce == nonce and record.reason != reason:
                self._pending[index] = record.changed(reason=reason)

    def trim(self, limit: int = LIMIT) -> None:
        """Let go of the oldest records beyond `limit`."""
        surplus = len(self._settled) - limit
        if surplus <= 0:
            return
        dropped = self._settled[:surplus]
        del self._settled[:surplus]
        gone = [record.seq for record in dropped if record.seq]
        if gone:
            del self._places[: bisect_left(self._places, gone[-1]) + 1]
            self.oldest = max(gone[-1], self.oldest or 0)

    @property
    def newest(self) -> int:
        """The highest `seq` held; 0 if there is none."""
        return self._places[-1] if self._places else 0

    @property
    def last(self) -> int:
        """The id of the last record that waits for nothing; 0 if there is none."""
        return self._settled[-1].id if self._settled else 0

    def amend(self, id: int, text: str, time: int) -> bool:
        """Say something else in a notice, if it is the last record. Returns whether it is."""
        if self.last != id:
            return False
        self._settled[-1] = self._settled[-1].changed(text=text, time=time)
        return True

    def clear(self) -> None:
        """Show nothing of what was; what is not acknowledged stays, and the broker still has the rest."""
        if self._places:
            self.oldest = self._places[-1]
        self._settled.clear()
        self._places.clear()

    def _index_for(self, at: int) -> int:
        """Where the message at this place belongs: at the end, or before the first message that comes after it."""
        if at == len(self._places):
            return len(self._settled)
        following = self._places[at]
        size = len(self._settled)
        near_start = at < len(self._places) // 2
        for index in range(size) if near_start else range(size - 1, -1, -1):
            if self._settled[index].seq == following:
                return index
        raise AssertionError("every place has its record")

    def _take(self, nonce: bytes) -> Record | None:
        if nonce:
            for index, record in enumerate(self._pending):
                if record.nonce == nonce:
                    return self._pending.pop(index)
        return None
