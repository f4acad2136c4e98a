"""A look at a database that changes nothing: is the file sound, do its rows fit together, does every log hold.

It may be taken beside the broker that writes, or on a disk that cannot be written. Must not know the rules, nor
what is done about what is found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import apsw

from broker.store.connections import BUSY_S, WAL_BYTES, require_sqlite, sentences
from broker.store.migrations import STEPS, DatabaseUnusable, version
from broker.store.words import ANEW, SPOKEN

__all__ = ["WAL_BYTES", "Inspection", "check_sqlite"]

SHOWN: Final = 3
"""Findings of one kind that are told; one is reason enough to restore a backup."""

_UNLIKE: Final = f"""
    SELECT log, seq, prev, before FROM (
        SELECT log, seq, prev, lag(seq, 1, 0) OVER (PARTITION BY log ORDER BY seq) AS before FROM entry)
    WHERE prev <> before AND log NOT IN (SELECT log FROM dropped) LIMIT {SHOWN}"""
_STRAY: Final = f"""
    WITH RECURSIVE known (log) AS (
        SELECT min(log) FROM entry
        UNION ALL
        SELECT (SELECT min(log) FROM entry WHERE log > known.log) FROM known WHERE known.log IS NOT NULL)
    SELECT log FROM known WHERE log IS NOT NULL AND log NOT IN (SELECT log FROM dropped)
        AND log NOT IN (SELECT id FROM room) AND -log NOT IN (SELECT id FROM account) LIMIT {SHOWN}"""
_INDEXED: Final = "SELECT upto, (SELECT seq FROM sqlite_sequence WHERE name = 'entry') FROM indexed"
_AHEAD: Final = """
    SELECT max(seq), (SELECT seq FROM sqlite_sequence WHERE name = 'entry') FROM entry"""


def check_sqlite() -> str:
    """SQLite's version. Raises `DatabaseUnusable` if it can damage its write-ahead log."""
    found = apsw.sqlite_lib_version()
    require_sqlite(found)
    return str(found)


def _terms(connection: apsw.Connection) -> Counter[tuple[str, str]]:
    """The words of an index by the column that they stand in, and how often."""
    connection.execute("CREATE VIRTUAL TABLE temp.entry_terms USING fts5vocab (main, entry_words, col)")
    rows: Any = connection.execute("SELECT col, term, cnt FROM temp.entry_terms").fetchall()
    connection.execute("DROP TABLE temp.entry_terms")
    return Counter({(column, term): times for column, term, times in rows})


class Inspection:
    """An open database that is only read. Its methods raise `DatabaseUnusable` if the file cannot be read."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raises `DatabaseUnusable`."""
        self.path = path
        self._log = path.with_name(path.name + "-wal")
        with sentences(path):
            self._connection = self._opened()

    def _opened(self) -> apsw.Connection:
        try:
            return self._connected("mode=ro")
        except (apsw.CantOpenError, apsw.ReadOnlyError):
            # Readers of a write-ahead log share memory in a file beside it; on a disk that cannot be written there
            # is none, and only a database without such a log can be read as it stands.
            if self.log_bytes:
                raise DatabaseUnusable(
                    f"{self.path} was not closed, and what was written last can only be read where the disk can be "
                    "written. Make it writable, or copy the data directory elsewhere and examine the copy."
                ) from None
            return self._connected("immutable=1")

    def _connected(self, how: str) -> apsw.Connection:
        address = f"{self.path.resolve().as_uri()}?{how}"
        connection = apsw.Connection(address, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
        try:
            connection.set_busy_timeout(int(BUSY_S * 1000))
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        except BaseException:
            connection.close()
            raise
        return connection

    @property
    def log_bytes(self) -> int:
        """The size of the write-ahead log; 0 if there is none."""
        return self._log.stat().st_size if self._log.exists() else 0

    def steps(self) -> tuple[int, int]:
        """How many steps of the schema it has had, and how many there are.

        Raises `DatabaseUnusable` if it is another program's, or a newer version's.
        """
        return version(self._connection, self.path, STEPS), len(STEPS)

    def damage(self, quick: bool = False) -> list[str]:
        """What is wrong with the file's pages, and, unless it must be `quick`, with its indexes."""
        pragma = f"PRAGMA {'quick_check' if quick else 'integrity_check'}({SHOWN})"
        with self._damage_told() as found:
            found += [" ".join(str(row[0]).split()) for row in self._rows(pragma) if row[0] != "ok"]
        return found

    def dangling(self) -> list[str]:
        """Rows that refer to rows which are not there."""
        with self._damage_told() as found:
            rows = self._rows("PRAGMA foreign_key_check")
            found += [f"a row of {table} refers to a missing {parent}" for table, _, parent, _ in rows[:SHOWN]]
        return found

    def breaks(self) -> list[str]:
        """Where a log's entries do not follow one another, or belong to nobody."""
        with self._damage_told() as found:
            for log, seq, prev, before in self._rows(_UNLIKE):
                found.append(f"in log {log} entry {seq} comes after {before}, and should after {prev}")
            found += [f"log {log} belongs to no room and no account" for (log,) in self._rows(_STRAY)]
            ((newest, given),) = self._rows(_AHEAD)
            if newest is not None and newest > (given or 0):
                found.append(f"entry {newest} is beyond the last number given out, {given or 0}")
        return found

    def misindexed(self) -> list[str]:
        """Where the full-text index says something else than the messages: something is missing, or was not erased.

        The messages are indexed anew, aside, and both are compared word by word. No word is told: it may be erased.
        """
        with self._damage_told() as found:
            # One moment of the database, whoever writes meanwhile; and a file of its own for what is made here.
            with self._connection, closing(apsw.Connection("")) as aside:
                aside.execute(f"CREATE VIRTUAL TABLE entry_words USING fts5 ({ANEW})")
                with aside:
                    rows = self._connection.execute(SPOKEN)
                    aside.executemany("INSERT INTO entry_words (rowid, scope, text) VALUES (?, ?, ?)", rows)
                should, does = _terms(aside), _terms(self._connection)
                ((upto, given),) = self._rows(_INDEXED)
            stale, missing = len(does - should), len(should - does)
            if stale:
                found.append(f"{stale} words are indexed that no message has")
            if missing:
                found.append(f"{missing} words of messages are not indexed")
            if upto > (given or 0):
                found.append(f"it is said to go up to {upto}, beyond the last number given out, {given or 0}")
        return found

    def newest(self) -> int | None:
        """When the last entry was written (ms UTC); None if there is none."""
        with sentences(self.path):
            rows = self._rows("SELECT time FROM entry ORDER BY seq DESC LIMIT 1")
        return int(rows[0][0]) if rows else None

    def entries(self) -> int:
        """How many entries all logs have."""
        with sentences(self.path):
            return int(self._rows("SELECT count(*) FROM entry")[0][0])

    def _rows(self, statement: str) -> list[Any]:
        return self._connection.execute(statement).fetchall()

    @contextmanager
    def _damage_told(self) -> Iterator[list[str]]:
        """A list for findings, to which a file that is too damaged to be read adds itself."""
        found: list[str] = []
        with sentences(self.path):
            try:
                yield found
            except (apsw.CorruptError, apsw.NotADBError) as error:
                found.append(str(error))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
