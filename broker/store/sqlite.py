"""`SqliteStore`: the port `Store` over one SQLite file, and the only transactions there are.

Must not know the rules, nor which thread calls: one connection writes, and each reading thread has its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import apsw

from broker.chat.ports import (
    AccountRow,
    EntryRow,
    HiddenRow,
    InvitationRow,
    LogPage,
    MarkRow,
    MemberRow,
    NewEntries,
    Place,
    ReadLog,
    RoomRow,
    SessionRow,
    Snapshot,
    StoreBroken,
    StoreFailed,
    StoreFull,
    Write,
)
from broker.store import statements as sql
from broker.store.connections import Readers, lock_directory, open_writer, sentences
from broker.store.entries import Batch, Ends, insert, look_up

PURGED_AT_ONCE: Final = 500
"""Entries of a deleted room that go in one transaction: a few milliseconds, so that no sender notices."""

_ID_TABLES: Final = ("account", "session", "token", "room")
_NO_SEQ: Final = 2**63 - 1
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
            self._writer = open_writer(path)
            self._locks = opening.pop_all()
        self._readers = Readers(path)
        self._ends: Ends | None = None

    def load(self) -> Snapshot:
        """Read all that the rules hold in memory. Raises `DatabaseUnusable`."""
        with sentences(self._path):
            ends = self._current()
            rows = self._rows
            ids = dict(rows(sql.LAST_IDS))
            return Snapshot(
                accounts=[_account(row) for row in rows(sql.ALL_ACCOUNTS)],
                sessions=[SessionRow._make((*row[:7], bool(row[7]), row[8])) for row in rows(sql.ALL_SESSIONS)],
                rooms=[RoomRow(*row[:2], *map(bool, row[2:5]), *row[5:]) for row in rows(sql.ALL_ROOMS)],
                members=[MemberRow(*row) for row in rows(sql.ALL_MEMBERS)],
                invitations=[InvitationRow(*row) for row in rows(sql.ALL_INVITATIONS)],
                hidden=[HiddenRow(*row) for row in rows(sql.ALL_HIDDEN)],
                marks=[MarkRow(*row) for row in rows(sql.ALL_MARKS)],
                heads=dict(ends.heads),
                last_ids={table: ids.get(table, 0) for table in _ID_TABLES},
            )

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
        return batch.places

    def _transaction(self, writes: Sequence[Write], batch: Batch) -> Batch:
        with self._exclusively():
            for write in writes:
                if type(write) is not NewEntries:
                    for statement, bindings in sql.statements(write):
                        self._writer.execute(statement, bindings)
            insert(self._writer, batch.values)
        return batch

    def purge(self) -> bool:
        """Remove some entries of deleted rooms, on the writer's thread. True if there may be more to remove."""
        with _failures():
            dropped = self._writer.execute(sql.NEXT_DROPPED, (1,)).fetchone()
            if dropped is None:
                return False
            with self._exclusively():
                self._writer.execute(sql.PURGE, (*dropped, PURGED_AT_ONCE))
                if self._writer.changes() < PURGED_AT_ONCE:
                    self._writer.execute(sql.PURGED, dropped)
            return True

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
        """Answer `ReadLog`. A page has at least one entry, if there is one, however long its text."""
        newest = query.after is None
        bounds = (query.log, query.after or 0, query.before if query.before is not None else _NO_SEQ)
        entries: list[EntryRow] = []
        size = 0
        more = False
        with _failures():
            cursor = self._reader().execute(sql.NEWEST_FIRST if newest else sql.OLDEST_FIRST, bounds)
            for row in cursor:
                entry = EntryRow(*row)
                size += len(entry.text.encode())
                if len(entries) == query.limit or (entries and size > query.max_bytes):
                    more = True
                    break
                entries.append(entry)
            cursor.close()
        if newest:
            entries.reverse()
        return LogPage(entries, more)

    def close(self) -> None:
        """Close every thread's connection and give the directory free."""
        self._readers.close_everywhere()
        self._writer.close()
        self._locks.close()

    def _current(self) -> Ends:
        """The ends of the logs, read anew after a failure."""
        if self._ends is None:
            self._ends = Ends(self._writer)
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


def _account(row: Sequence[Any]) -> AccountRow:
    """An account as the port has it: SQLite knows no booleans."""
    account = AccountRow._make(row)
    return account._replace(
        disabled=bool(account.disabled), operator=bool(account.operator), show_seen=bool(account.show_seen)
    )


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
