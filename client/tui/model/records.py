"""What a conversation shows: one record per message or notice, and the list that keeps them in order.

Messages stand by their place in the broker's log (`seq`); notices stand where they came in between; one's own
messages that are not acknowledged yet come last. A hundred thousand of them fit in the memory of a small machine,
so a record holds nothing twice. The length is that of the changes a message may undergo. Must not know how a record
is drawn.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count
from typing import Final, Literal

from common.messages import Edited, Reacted, Retracted

LIMIT: Final = 5_000
"""Records kept per conversation while one reads its end; older ones are read from the broker again."""

FAR_LIMIT: Final = 120_000
"""Records kept while one has scrolled up: more than anybody pages back through, within 120 MiB for the whole client."""

Kind = Literal["message", "notice", "answer", "error"]
"""Said by somebody; happened in the room; the answer to a command; a refusal."""
Fate = Literal["sent", "pending", "failed"]

_ids = count(1)


@dataclass(frozen=True, slots=True)
class Reaction:
    """One emoji under a message."""

    emoji: str
    count: int
    mine: bool
    """Whether one's own is among them."""


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
    reply_to: int = 0
    """The `seq` of the message in the same log that this one answers; 0 for none."""
    edited: int = 0
    """When the text was changed last; 0 if never."""
    retracted: bool = False
    """Taken back: there is no text."""
    reactions: tuple[Reaction, ...] = ()
    """In the order of their first use."""
    changed_by: int = 0
    """The `seq` of the last change that is in this; 0 for none (`changed` on the wire)."""
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
            record = replace(record, id=waiting.id, revision=waiting.revision + 1, sender=waiting.sender, mine=True)
        else:
            record = numbered(record)
        record = replace(record, sender=sys.intern(record.sender), nonce=b"", fate="sent", reason="")
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

    def said_at(self, seq: int) -> Record | None:
        """The message at that place of the log, if it is held."""
        index = self._index_of(seq)
        return None if index is None else self._settled[index]

    def change(self, entry: Edited | Retracted | Reacted, *, mine: bool, mention: bool = False) -> Record | None:
        """Apply what somebody did to a message. `mine`: it was oneself; `mention`: an edited text names the person.

        Returns the message as it stands now; None if it is not held here, or the change was in it already.
        """
        index = self._index_of(entry.target)
        if index is None or entry.seq <= (record := self._settled[index]).changed_by:
            return None
        match entry:
            case Edited():
                if record.retracted:
                    return None
                record = record.changed(text=entry.text, edited=entry.time, mention=mention)
            case Retracted():
                record = record.changed(text="", retracted=True, reactions=(), mention=False)
            case Reacted():
                record = record.changed(reactions=_reacted(record.reactions, entry, mine))
        self._settled[index] = record = replace(record, changed_by=entry.seq)
        return record

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
        """Let go of the oldest records beyond `limit`; of very many, some at a time, as all the others are moved."""
        surplus = len(self._settled) - limit
        if surplus <= (limit // 100 if limit > LIMIT else 0):
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

    def mix_in(self, notices: Iterable[Record]) -> list[Record]:
        """Put notices where they belong by their time. Returns them as they stand."""
        added = [numbered(record) for record in notices]
        for record in added:
            index = len(self._settled)
            while index and self._settled[index - 1].time > record.time:
                index -= 1
            self._settled.insert(index, record)
        return added

    def take_out(self, ids: set[int]) -> list[Record]:
        """Take away what is no message of the log: notices, or what was not sent. Returns it."""
        taken = [record for record in self._settled if record.id in ids and not record.seq]
        if taken:
            self._settled = [record for record in self._settled if record.id not in ids or record.seq]
        return taken

    def clear(self) -> None:
        """Show nothing of what was; what is not acknowledged stays, and the broker still has the rest."""
        if self._places:
            self.oldest = self._places[-1]
        self._settled.clear()
        self._places.clear()

    def _index_of(self, seq: int) -> int | None:
        """Where the message at that place of the log stands."""
        at = bisect_left(self._places, seq)
        return self._index_for(at) if seq and at < len(self._places) and self._places[at] == seq else None

    def _index_for(self, at: int) -> int:
        """Where the message of the place `at` stands; the end, if there is none.

        As many records as there are notices may stand between it and where it would stand without any.
        """
        if at == len(self._places):
            return len(self._settled)
        seq = self._places[at]
        notices = len(self._settled) - len(self._places)
        near_start = at < len(self._places) // 2
        for index in range(at, at + notices + 1) if near_start else range(at + notices, at - 1, -1):
            if self._settled[index].seq == seq:
                return index
        raise AssertionError("every place has its record")

    def _take(self, nonce: bytes) -> Record | None:
        if nonce:
            for index, record in enumerate(self._pending):
                if record.nonce == nonce:
                    return self._pending.pop(index)
        return None


def _reacted(reactions: tuple[Reaction, ...], entry: Reacted, mine: bool) -> tuple[Reaction, ...]:
    """The reactions under a message after one was put there, or taken away."""
    found = next((each for each in reactions if each.emoji == entry.emoji), None)
    if found is None:
        return (*reactions, Reaction(entry.emoji, entry.count, mine and entry.on)) if entry.count else reactions
    now = replace(found, count=entry.count, mine=entry.on if mine else found.mine)
    return tuple(now if each is found else each for each in reactions if each is not found or now.count)
