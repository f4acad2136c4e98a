"""Reading logs: pages of entries with what has become of each message, and one message before it is changed.

Must not know who may read what, nor threads: the caller gives the connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import apsw

from broker.chat.ports import EntryRow, LogPage, MessageRow, Place, Reaction, ReadLog, ReadMessage
from broker.store.statements import ENTRY_COLUMNS, NEWEST_FIRST, OLDEST_FIRST

Row = Sequence[Any]
NO_SEQ: Final = 2**63 - 1
COLUMNS: Final = ENTRY_COLUMNS
SEQ, SENDER, TEXT = (EntryRow._fields.index(name) for name in ("seq", "sender", "text"))
"""Where these stand in a row of `COLUMNS`; one further on if the log's number stands before them."""
_RETRACTED: Final = EntryRow._fields.index("retracted")
_CHANGED: Final = EntryRow._fields.index("changed")
_KIND, _TARGET = (EntryRow._fields.index(name) for name in ("kind", "target"))

_REACTIONS: Final = """
    SELECT target, emoji, count(*), max(account = ?) FROM reaction WHERE target IN ({})
    GROUP BY target, emoji ORDER BY min(first)"""
_MESSAGE: Final = """
    SELECT kind, sender, other, retracted, hops, length(text), nonce FROM entry
    WHERE seq = ? AND log = ? AND kind IN ('message', 'direct') AND log NOT IN (SELECT log FROM dropped)"""
_COPIES: Final = "SELECT log, seq FROM entry WHERE nonce = ? AND sender = ? ORDER BY part"
_EMOJI: Final = "SELECT DISTINCT emoji FROM reaction WHERE target = ?"
_KNOWN: Final = "SELECT seq, prev, time FROM entry WHERE nonce = ? AND sender = ? ORDER BY part LIMIT 1"


class Sized:
    """The rows of one page: at most `limit`, and no more once their texts exceed `max_bytes`; one in any case."""

    def __init__(self, limit: int, max_bytes: int) -> None:
        self._limit = limit
        self._left = max_bytes
        self.rows: list[Row] = []
        self.more = False

    def take(self, row: Row, text: int = TEXT + 1) -> bool:
        """Add a row, whose text stands at that position; False, and `more` is set, if it is none of this page's."""
        self._left -= len(row[text].encode())
        if len(self.rows) == self._limit or (self.rows and self._left < 0):
            self.more = True
            return False
        self.rows.append(row)
        return True


def rows_with_reactions(connection: apsw.Connection, rows: Sequence[Row], reader: int) -> list[EntryRow]:
    """Rows of `COLUMNS` as entries, each message with the reactions to it as `reader` sees them, and each reaction with
    what there is of its emoji."""
    # What was never changed has none, and that is nearly everything.
    targets = {row[0] for row in rows if row[_CHANGED]} | {row[_TARGET] for row in rows if row[_KIND] == "reaction"}
    found: dict[int, list[Reaction]] = {}
    if targets:
        statement = _REACTIONS.format(",".join("?" * len(targets)))
        for target, emoji, count, mine in connection.execute(statement, (reader, *targets)):
            found.setdefault(target, []).append(Reaction(emoji, count, bool(mine)))

    def reactions(row: Row) -> tuple[Reaction, ...]:
        if row[_KIND] == "reaction":
            return tuple(each for each in found.get(row[_TARGET], ()) if each.emoji == row[TEXT])
        return tuple(found.get(row[0], ()))

    return [EntryRow._make((*row[:_RETRACTED], bool(row[_RETRACTED]), *row[_CHANGED:], reactions(row))) for row in rows]


def read_log(connection: apsw.Connection, query: ReadLog) -> LogPage:
    """Answer `ReadLog`. A page has at least one entry, if there is one, however long its text."""
    newest = query.after is None
    bounds = (query.log, query.after or 0, query.before if query.before is not None else NO_SEQ)
    page = Sized(query.limit, query.max_bytes)
    # At one moment: a reaction that came in between would be shown, and `changed` would say that it is not.
    with connection:
        cursor = connection.execute(NEWEST_FIRST if newest else OLDEST_FIRST, bounds)
        for row in cursor:
            if not page.take(row, TEXT):
                break
        cursor.close()
        entries = rows_with_reactions(connection, page.rows, query.reader)
    if newest:
        entries.reverse()
    return LogPage(entries, page.more)


def read_message(connection: apsw.Connection, query: ReadMessage) -> MessageRow | None:
    """Answer `ReadMessage`."""
    row: Any = connection.execute(_MESSAGE, (query.seq, query.log)).fetchone()
    if row is None:
        return None
    kind, sender, other, retracted, hops, length, nonce = row
    copies: Any = connection.execute(_COPIES, (nonce, sender)).fetchall()
    emoji: Any = connection.execute(_EMOJI, (query.seq,)).fetchall()
    known: Any = connection.execute(_KNOWN, (query.nonce, query.sender)).fetchone()
    return MessageRow(
        kind,
        sender,
        other,
        bool(retracted),
        hops,
        length,
        frozenset(each for (each,) in emoji),
        tuple((log, seq) for log, seq in copies),
        Place._make((*known, True, 0)) if known else None,
    )
