"""Where new entries come to stand: numbers, predecessors, nonces that were there before, and the insert.

The numbers are given out here, not by SQLite, so that a batch needs no answer row by row: a batch is a few
statements with many rows each, because apsw lets go of the GIL, and must win it back from the reactor, at
every step of every statement. Must not know transactions: the caller begins and ends them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import apsw

from broker.chat.ports import DropRoom, NewEntries, Place, Write
from broker.store.statements import HEADS, LAST_IDS

Nonce = tuple[int, bytes]
"""Sender and nonce: what makes an entry the same entry."""

_COLUMNS: Final = ("seq", "log", "prev", "part", "time", "kind", "sender", "other", "text", "nonce", "hops")
_WIDTH: Final = len(_COLUMNS)
ROWS_AT_ONCE: Final = 512
"""Rows in one INSERT: the most whose text apsw keeps prepared (16 KiB)."""
LOOKED_UP_AT_ONCE: Final = 512


def _insert(rows: int) -> str:
    row = f"({','.join('?' * _WIDTH)})"
    return f"INSERT INTO entry ({', '.join(_COLUMNS)}) VALUES {','.join([row] * rows)}"


# Powers of two only: any batch is a few of them, and each stays prepared.
_INSERTS: Final = {1 << power: _insert(1 << power) for power in range(ROWS_AT_ONCE.bit_length())}


class Batch:
    """The entries of one transaction, before it is done."""

    def __init__(self) -> None:
        self.places: list[tuple[Place, ...]] = []
        self.values: list[object] = []
        """The rows for `insert`, one after the other."""
        self.heads: dict[int, int] = {}
        """The new last `seq` of each log that changes; 0 for one that is dropped."""
        self.last = 0
        self.characters = 0
        """Of all texts together."""
        self.targeted: list[tuple[NewEntries, int]] = []
        """Those that answer or change a message, and which of `places` are theirs."""


class Ends:
    """The last entry of every log, and the last `seq` ever given out."""

    def __init__(self, connection: apsw.Connection) -> None:
        heads: Any = connection.execute(HEADS).fetchall()
        ids: Any = connection.execute(LAST_IDS).fetchall()
        self.heads: dict[int, int] = dict(heads)
        self.last: int = dict(ids).get("entry", 0)

    def plan(self, writes: Iterable[Write], known: dict[Nonce, tuple[Place, ...]]) -> Batch:
        """Give every new entry its place. `known` says which nonces are on disk, and where."""
        batch = Batch()
        seen = dict(known)
        seq = self.last
        heads, changed, values = self.heads, batch.heads, batch.values
        for write in writes:
            # Compared by `type`, not `isinstance`: this loop is most of what a message costs here.
            if type(write) is NewEntries:
                nonce = (write.sender, write.nonce)
                places = seen.get(nonce)
                if places is None:
                    kind, logs, sender, other, text, token, time, targets, hops = write
                    batch.characters += len(text)
                    if targets and kind == "edit":
                        text = ""  # It stands in the message alone, so that it can be erased in one place.
                    made = []
                    for part, log in enumerate(logs):
                        seq += 1
                        prev = changed[log] if log in changed else heads.get(log, 0)
                        changed[log] = seq
                        values += (seq, log, prev, part, time, kind, sender, other, text, token, hops)
                        made.append(Place(seq, prev, time, False))
                    places = seen[nonce] = tuple(made)
                    if targets:
                        batch.targeted.append((write, len(batch.places)))
                elif nonce not in known:
                    places = tuple(place._replace(known=True) for place in places)
                batch.places.append(places)
            elif type(write) is DropRoom:
                changed[write.id] = 0
        batch.last = seq
        return batch

    def accept(self, batch: Batch) -> None:
        """Take over what `batch` changed, once it is on disk."""
        self.last = batch.last
        self.heads.update(batch.heads)
        for log, head in batch.heads.items():
            if not head:
                del self.heads[log]


def insert(connection: apsw.Connection, values: Sequence[object]) -> None:
    """Write a batch's rows in as few steps as may be. Raises `apsw.ConstraintError` if a nonce is there already."""
    at, end = 0, len(values)
    rows = ROWS_AT_ONCE
    while at < end:
        while rows * _WIDTH > end - at:
            rows >>= 1
        upto = at + rows * _WIDTH
        connection.execute(_INSERTS[rows], values[at:upto])
        at = upto


def look_up(connection: apsw.Connection, writes: Iterable[Write]) -> dict[Nonce, tuple[Place, ...]]:
    """Find which nonces of `writes` are on disk, and the places of their entries."""
    nonces = list({(write.nonce, write.sender) for write in writes if type(write) is NewEntries})
    found: dict[Nonce, tuple[Place, ...]] = {}
    for at in range(0, len(nonces), LOOKED_UP_AT_ONCE):
        some = nonces[at : at + LOOKED_UP_AT_ONCE]
        pairs = ",".join(["(?,?)"] * len(some))
        rows: Any = connection.execute(
            "SELECT sender, nonce, seq, prev, time FROM entry "
            f"WHERE (nonce, sender) IN (VALUES {pairs}) ORDER BY sender, nonce, part",
            [value for pair in some for value in pair],
        )
        for sender, nonce, seq, prev, time in rows:
            key = (sender, nonce)
            found[key] = (*found.get(key, ()), Place(seq, prev, time, True))
    return found
