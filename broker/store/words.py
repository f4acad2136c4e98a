"""The full-text index: messages come into it behind the journal, go out of it at once, and are found by it.

It holds every message up to `indexed.upto` and no other, and keeps no text of its own: whoever changes a message takes
it out first, by `take_out`, and puts it in again afterwards. Beside the words it holds in which log each message stands
and who said it, as words of a column of their own, so that nothing is looked at that the reader may not read.
What is not in it yet is looked through by every search. Must not know transactions: the caller begins and ends them.

Source: https://www.sqlite.org/fts5.html (external content tables; the `secure-delete` option)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import apsw

from broker.chat.ports import Findings, FindMessages, Phrase
from broker.store.pages import COLUMNS, NO_SEQ, SENDER, SEQ, TEXT, Row, Sized, rows_with_reactions

PIECE: Final = 250
"""Entries that are indexed in one transaction."""
PIECE_CHARACTERS: Final = 100_000
"""Characters of text after which a piece ends early: a few milliseconds, so that no sender notices."""
TAIL: Final = 10_000
"""Newest entries that a search looks through where they are not indexed: a tenth of a second."""
TAIL_CHARACTERS: Final = 4_000_000
"""Characters of their texts, after which it looks no further back."""
_STEPS: Final = 1_000
"""SQLite's steps between two looks at the clock."""

UPTO: Final = "SELECT upto FROM indexed"
_NEXT: Final = "SELECT seq, length(text) FROM entry WHERE seq > ? ORDER BY seq LIMIT ?"
_ADVANCE: Final = "UPDATE indexed SET upto = ?"
# By rowid, so that nothing before it is read; the view holds what is to come in once `upto` has moved.
_PUT_IN_PIECE: Final = (
    "INSERT INTO entry_words (rowid, scope, text) SELECT seq, scope, text FROM entry_spoken WHERE seq > ? AND seq <= ?"
)
_PUT_IN: Final = "INSERT INTO entry_words (rowid, scope, text) SELECT seq, scope, text FROM entry_spoken WHERE seq = ?"
_TAKE_OUT: Final = (
    "INSERT INTO entry_words (entry_words, rowid, scope, text) "
    "SELECT 'delete', seq, scope, text FROM entry_spoken WHERE seq = ?"
)

ANEW: Final = "scope, text, content = '', tokenize = 'unicode61 remove_diacritics 2'"
"""An index by the same rules as that of the schema, and with nothing in it."""
SPOKEN: Final = "SELECT seq, scope, text FROM entry_spoken ORDER BY seq"
"""All that is to be in the index."""
_READABLE: Final = """
    t1.kind IN ('message', 'direct') AND NOT t1.retracted AND t1.log NOT IN (SELECT log FROM dropped)
    AND EXISTS (SELECT 1 FROM readable WHERE readable.log = t1.log AND readable.since < t1.seq)"""
_INDEXED: Final = f"""
    SELECT t1.log, {COLUMNS} FROM entry_words JOIN entry AS t1 ON t1.seq = entry_words.rowid
    WHERE entry_words MATCH ? AND entry_words.rowid > ? AND entry_words.rowid < ? AND {_READABLE}
    ORDER BY entry_words.rowid DESC LIMIT ?"""
_UNINDEXED: Final = f"""
    SELECT t1.log, {COLUMNS} FROM entry AS t1 WHERE t1.seq > ? AND t1.seq < ? AND {_READABLE} ORDER BY t1.seq DESC"""


def fitting(rows: Iterable[tuple[int, int]], most: int) -> list[int]:
    """The first of these entries whose texts have at most so many characters together; one in any case.

    `rows` are their `seq`s and the lengths of their texts.
    """
    seqs, characters = [], 0
    for seq, length in rows:
        if characters and characters + length > most:
            break
        seqs.append(seq)
        characters += length
    return seqs


def put_in_piece(connection: apsw.Connection, upto: int) -> int:
    """Index the next messages after `upto`; returns up to which entry all are indexed now."""
    rows: Any = connection.execute(_NEXT, (upto, PIECE)).fetchall()
    last = max(fitting(rows, PIECE_CHARACTERS), default=upto)
    if last > upto:
        connection.execute(_ADVANCE, (last,))
        connection.execute(_PUT_IN_PIECE, (upto, last))
    return last


def put_in(connection: apsw.Connection, seq: int) -> None:
    """Index a message again whose text was changed; one that is beyond what is indexed, or is retracted, is left."""
    connection.execute(_PUT_IN, (seq,))


def take_out(connection: apsw.Connection, seq: int) -> None:
    """Erase a message from the index, before its text is changed; one that is not in it is left."""
    connection.execute(_TAKE_OUT, (seq,))


def _scope(log: int) -> str:
    return f"r{log}" if log > 0 else f"i{-log}"


def _quoted(phrase: Phrase) -> str:
    text = phrase.text.replace('"', " ").replace("\0", " ")
    return f'"{text}"{" *" if phrase.begins else ""}'


def expression(query: FindMessages) -> str:
    """The question in FTS5's language. Every word stands in quotation marks, so none is an operator."""
    scopes = " OR ".join(f'"{_scope(log)}"' for log, _ in query.logs)
    parts = [f"{{scope}} : ({scopes})"]
    if query.sender is not None:
        parts.append(f'{{scope}} : ("u{query.sender}")')
    parts.append(f"{{text}} : ({' AND '.join(map(_quoted, query.words))})")
    asked = " AND ".join(parts)
    without = " OR ".join(map(_quoted, query.without))
    return f"({asked}) NOT {{text}} : ({without})" if without else asked


def find(connection: apsw.Connection, query: FindMessages, seconds: float) -> Findings | None:
    """Answer `FindMessages` at one moment of the database; None if it took longer than `seconds`."""
    if not query.logs or not query.words:
        return Findings([], False)
    page = Sized(query.limit, query.max_bytes)
    try:
        with _bounded(connection, seconds) as too_late, connection:
            for row in _fitting(connection, query, too_late):
                if not page.take(row):
                    break
            found = rows_with_reactions(connection, [row[1:] for row in page.rows], query.reader)
    except apsw.InterruptError:
        return None
    return Findings([(row[0], entry) for row, entry in zip(page.rows, found, strict=True)], page.more)


def _fitting(connection: apsw.Connection, query: FindMessages, too_late: Callable[[], bool]) -> Iterator[Row]:
    """What fits, newest first, at least one more than the page takes if there is."""
    ((upto,),) = _all(connection, UPTO)
    ((last,),) = _all(connection, "SELECT max(seq) FROM entry")
    before = min(NO_SEQ if query.before is None else query.before, (last or 0) + 1)
    readable = f"WITH readable (log, since) AS (VALUES {','.join(['(?,?)'] * len(query.logs))})"
    given = [number for log in query.logs for number in log]
    asked = expression(query)
    if before > upto + 1:
        floor = max(upto, before - 1 - TAIL)
        rows = connection.execute(readable + _UNINDEXED, (*given, floor, before))
        yield from _looked_through(list(_shortened(rows)), asked, too_late)
    # No log is read below where it may be: what all of them have there is passed over at once.
    since = min(number for _, number in query.logs)
    yield from _all(connection, readable + _INDEXED, (*given, asked, since, before, query.limit + 1))


def _shortened(rows: Iterable[Row]) -> Iterator[Row]:
    left = TAIL_CHARACTERS
    for row in rows:
        left -= len(row[TEXT + 1])
        if left < 0:
            return
        yield row


def _looked_through(rows: Sequence[Row], asked: str, too_late: Callable[[], bool]) -> list[Row]:
    """Those of `rows` (newest first) that fit, by an index made for the moment. Raises `apsw.InterruptError`."""

    def in_time() -> Iterator[Row]:
        for row in reversed(rows):
            if too_late():
                raise apsw.InterruptError
            yield row[SEQ + 1], f"{_scope(row[0])} u{row[SENDER + 1]}", row[TEXT + 1]

    if not rows:
        return []
    connection = apsw.Connection(":memory:")
    try:
        connection.execute(f"CREATE VIRTUAL TABLE entry_words USING fts5 ({ANEW})")
        with connection:
            connection.executemany("INSERT INTO entry_words (rowid, scope, text) VALUES (?, ?, ?)", in_time())
        found = _all(connection, "SELECT rowid FROM entry_words WHERE entry_words MATCH ?", (asked,))
    finally:
        connection.close()
    fits = {seq for (seq,) in found}
    return [row for row in rows if row[SEQ + 1] in fits]


def _all(connection: apsw.Connection, statement: str, bindings: Sequence[object] = ()) -> list[Any]:
    return connection.execute(statement, bindings).fetchall()


@contextmanager
def _bounded(connection: apsw.Connection, seconds: float) -> Iterator[Callable[[], bool]]:
    """Interrupt what runs on `connection` after `seconds`; gives a way to ask whether that is so."""
    ends = time.monotonic() + seconds
    too_late: Callable[[], bool] = lambda: time.monotonic() > ends  # noqa: E731
    connection.set_progress_handler(too_late, _STEPS)
    try:
        yield too_late
    finally:
        connection.set_progress_handler(None)
