"""`SqliteStore`: the port `Store` over one SQLite file, and the only transactions there are.

Long because what can wait shares the writer with what cannot, and all that they share stands together.
Must not know the rules, nor which thread calls: one connection writes, and each reading thread has its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import apsw

from broker.chat.ports import (
    Findings,
    FindMessages,
    LogPage,
    MessageRow,
    NewEntries,
    Place,
    ReadLog,
    ReadMessage,
    ReadStored,
    Snapshot,
    StoreBroken,
    StoreFailed,
    StoreFull,
    Write,
)
from broker.store import changes, pages, words
from broker.store import statements as sql
from broker.store.connections import BUSY_S, Readers, lock_directory, open_writer, sentences
from broker.store.entries import Batch, Ends, insert, look_up
from broker.store.snapshot import read_snapshot
from common.limits import SEARCH_S

PURGED_AT_ONCE: Final = 100
"""Entries of a deleted room that go in one transaction: some ten milliseconds if they are indexed, most of them for
overwriting their words."""
PURGED_CHARACTERS: Final = 8_000
"""Characters of their texts after which a piece ends early: a tenth of a second at the worst, where no two words are
the same."""

UNINDEXED: Final = 1_000
"""Messages that may wait to be indexed: what is edited soon after it was said costs the index nothing, and a search
looks through so many in a hundredth of a second."""
UNINDEXED_CHARACTERS: Final = 100_000
"""Characters of texts that may wait, however few messages they are: a search must look through all of them. So many
without a word twice are a tenth of a second."""
INDEX_SHARE: Final = 0.02
"""The part of the writer's time that indexing takes under a load without a pause: two thousand messages a second."""
RETRY_S: Final = 1.0
"""Seconds under load after which indexing is tried again that failed."""
WIPE_S: Final = 10.0
"""Seconds between two times that the write-ahead log is emptied because a text was erased."""

_SYNC_ERRORS: Final = (apsw.SQLITE_IOERR_FSYNC, apsw.SQLITE_IOERR_DIR_FSYNC)
"""After these nothing that was written since the last sync can be relied on, and no later sync will tell."""


class SqliteStore:
    """Persistence in the file `path`; its directory must exist, and is locked until `close`."""

    def __init__(self, path: Path, home: Path | None = None) -> None:
        """Open the database, or make it. Raises `DatabaseUnusable`.

        `home` is the data directory, to be locked too where the database is elsewhere.
        """
        self._path = path
        with ExitStack() as opening:
            for directory in {each.resolve() for each in (path.resolve().parent, home or path.parent)}:
                opening.callback(lock_directory(directory).close)
            # The log of one that was killed may hold what it had erased.
            self._erased = path.with_name(path.name + "-wal").exists()
            self._writer = open_writer(path)
            self._locks = opening.pop_all()
        self._readers = Readers(path)
        self._ends: Ends | None = None
        self._indexed = self._waiting = 0
        self._piece_due = self._wipe_due = 0.0

    def load(self) -> Snapshot:
        """Read all that the rules hold in memory. Raises `DatabaseUnusable`."""
        with sentences(self._path):
            return read_snapshot(self._writer, self._current().heads)

    def commit(self, writes: Sequence[Write]) -> list[tuple[Place, ...]]:
        """Do all of `writes` in one durable transaction. Raises `StoreFull` or `StoreFailed`."""
        with _failures():
            ends = self._current()
            # Taken up again only when the commit is through; after a failure they are read anew.
            self._ends = None
            try:
                batch = self._transaction(writes, ends.plan(writes, {}))
            except apsw.ConstraintError:
                # Resends are rare, so nonces are not looked up beforehand: the index has just found one.
                batch = self._transaction(writes, ends.plan(writes, look_up(self._writer, writes)))
            ends.accept(batch)
            self._ends = ends
            self._waiting += batch.characters
        return batch.places

    def _transaction(self, writes: Sequence[Write], batch: Batch) -> Batch:
        with self._exclusively():
            for write in writes:
                if type(write) is not NewEntries:
                    for statement, bindings in sql.statements(write):
                        self._writer.execute(statement, bindings)
            insert(self._writer, batch.values)
            if batch.targeted:
                self._erased |= changes.carry_out(self._writer, batch.targeted, batch.places)
        return batch

    # What can wait, on the writer's thread.

    def tidy(self) -> bool:
        """Do a piece of what can wait for an idle moment; whether there may be more. Raises `StoreFull`, `StoreFailed`.

        Entries of deleted rooms are removed, messages are indexed, and what was erased goes from the write-ahead log.
        """
        return self.purge() or self._index() or self._wipe()

    def keep_up(self) -> bool:
        """Index a piece though nothing is idle, if it is time to; whether there is something to `tidy`."""
        with _failures():
            behind = self._behind(self._current().last)
        if behind and time.monotonic() >= self._piece_due:
            self._index()
        return behind or self._erased

    def purge(self) -> bool:
        """Remove some entries of deleted rooms. True if there may be more to remove."""
        with _failures():
            dropped = self._writer.execute(sql.NEXT_DROPPED, (1,)).fetchone()
            if dropped is None:
                return False
            with self._exclusively():
                rows: Any = self._writer.execute(sql.PURGEABLE, (*dropped, PURGED_AT_ONCE)).fetchall()
                seqs = words.fitting(rows, PURGED_CHARACTERS)
                changes.forget(self._writer, seqs)
                self._writer.executemany(sql.PURGE, ((seq,) for seq in seqs))
                if len(seqs) == len(rows) < PURGED_AT_ONCE:
                    self._writer.execute(sql.PURGED, dropped)
            self._erased = True
            return True

    def _index(self) -> bool:
        """Index a piece. True if there may be more to index."""
        with _failures():
            last = self._current().last
            if not self._behind(last):
                return False
            begun = time.monotonic()
            self._piece_due = begun + RETRY_S  # unless it is done: a full disk is not tried at every commit
            with self._exclusively():
                indexed = words.put_in_piece(self._writer, self._indexed)
            more = indexed > self._indexed
            # Numbers that no entry has any more are passed over, or they would count as waiting for ever.
            self._indexed = indexed if more else last
            if self._indexed == last:
                self._waiting = 0
            now = time.monotonic()
            self._piece_due = now + (now - begun) / INDEX_SHARE
            return more

    def _behind(self, last: int) -> bool:
        """Whether so much is not indexed that it is time to."""
        return last - self._indexed >= UNINDEXED or (last > self._indexed and self._waiting >= UNINDEXED_CHARACTERS)

    def _wipe(self) -> bool:
        """Empty the write-ahead log, where what was erased still stands. True if it is to be tried again."""
        if not self._erased or time.monotonic() < self._wipe_due:
            return self._erased
        self._wipe_due = time.monotonic() + WIPE_S
        with _failures():
            self._writer.set_busy_timeout(0)
            try:
                self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
                self._erased = False
            except apsw.BusyError:
                pass  # somebody reads; the log is moved as far as that allows
            finally:
                self._writer.set_busy_timeout(int(BUSY_S * 1000))
        return self._erased

    def password(self, account: int) -> str | None:
        """The tagged hash of an account's password, None if there is no such account."""
        with _failures():
            row = self._reader().execute(sql.PASSWORD, (account,)).fetchone()
            return None if row is None else str(row[0])

    def has_token(self, account: int, digest: bytes, oldest: int) -> bool:
        """Whether the account has a token of that digest made after `oldest` (ms)."""
        with _failures():
            return self._reader().execute(sql.HAS_TOKEN, (account, digest, oldest)).fetchone() is not None

    def read_log(self, query: ReadLog) -> LogPage:
        """Answer `ReadLog`."""
        with _failures():
            return pages.read_log(self._reader(), query)

    def read_message(self, query: ReadMessage) -> MessageRow | None:
        """Answer `ReadMessage`."""
        with _failures():
            return pages.read_message(self._reader(), query)

    def find_messages(self, query: FindMessages) -> Findings | None:
        """Answer `FindMessages`."""
        with _failures():
            return words.find(self._reader(), query, SEARCH_S)

    def read_stored(self, query: ReadStored) -> bytes | None:
        """Answer `ReadStored`."""
        with _failures():
            row: Any = self._reader().execute(sql.STORED, query).fetchone()
            return None if row is None else bytes(row[0])

    def close(self) -> None:
        """Close every thread's connection and give the directory free."""
        self._readers.close_everywhere()
        self._writer.close()
        self._locks.close()

    def _current(self) -> Ends:
        """The ends of the logs, read anew after a failure."""
        if self._ends is None:
            self._ends = Ends(self._writer)
            ((self._indexed,),) = self._rows(words.UPTO)
            # Nobody has counted what is there.
            self._waiting = UNINDEXED_CHARACTERS if self._indexed < self._ends.last else 0
        return self._ends

    def _rows(self, statement: str) -> list[Any]:
        return self._writer.execute(statement).fetchall()

    def _reader(self) -> apsw.Connection:
        connection: apsw.Connection = self._readers.connection()
        return connection

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        """A transaction that ends with a commit, or is undone."""
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._writer.execute("COMMIT")
        finally:
            # Some failures (a full disk) have ended it already.
            if not self._writer.get_autocommit():
                self._writer.execute("ROLLBACK")


@contextmanager
def _failures() -> Iterator[None]:
    """Turn SQLite's errors into the port's."""
    try:
        yield
    except apsw.FullError as error:
        raise StoreFull(f"No space is left for the database: {error}") from error
    except apsw.IOError as error:
        if getattr(error, "extendedresult", 0) in _SYNC_ERRORS:
            raise StoreBroken(f"The disk failed to keep what was written: {error}") from error
        raise StoreFailed(f"The database refused: {error}") from error
    except apsw.Error as error:
        raise StoreFailed(f"The database refused: {error}") from error
    except UnicodeError as error:
        raise StoreFailed(f"The database is damaged: {error}") from error
