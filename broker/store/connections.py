"""Connections to the database: one for the writer, one for each thread that reads, and the lock on the directory.

A second broker on the same data directory is refused; tools that only read may open the file beside us. Must
not know what is in the tables.

Source: https://www.sqlite.org/wal.html (the WAL-reset bug: versions before 3.51.3 are refused)
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw
from playhouse.apsw_ext import APSWDatabase

from broker.store.migrations import DatabaseUnusable, migrate

BUSY_S: Final = 5.0
"""How long a connection waits for another process (a backup, a reader's recovery) before it gives up."""

INTERRUPTED_S: Final = 0.005
"""What a reader that was interrupted has to come to an end, before it is interrupted again."""

CACHE_KIB: Final = 64_000
"""Pages the writer keeps in memory: the ends of all logs, and of the index of nonces."""

CHECKPOINT_PAGES: Final = 4_000
"""Pages in the write-ahead log before they are moved to the database: 16 MB, so that this is rare under load."""

WAL_BYTES: Final = 64 * 1024 * 1024
"""What is left of the write-ahead log's file after an exceptionally large transaction."""

SQLITE_OLDEST: Final = (3, 51, 3)
LOCK: Final = "lock"


class Readers(APSWDatabase):  # type: ignore[misc]  # playhouse has no types
    """peewee's connection per thread, read-only, with every thread's closed by `close_everywhere`."""

    def __init__(self, path: Path) -> None:
        self._guard = threading.Lock()
        self._opened: list[apsw.Connection] = []
        super().__init__(str(path), pragmas={"query_only": 1}, timeout=BUSY_S)

    def _connect(self) -> apsw.Connection:
        connection: apsw.Connection = super()._connect()
        with self._guard:
            self._opened.append(connection)
        return connection

    def close_everywhere(self) -> None:
        with self._guard:
            for connection in self._opened:
                _close(connection)
            self._opened.clear()


def _close(connection: apsw.Connection) -> None:
    """Close a connection that another thread may be reading by: whoever stops does not wait for the end of a search."""
    ends = time.monotonic() + BUSY_S
    while True:
        connection.interrupt()
        try:
            connection.close()
        except apsw.ThreadingViolationError:
            if time.monotonic() > ends:
                raise
            time.sleep(INTERRUPTED_S)
        else:
            return


def require_sqlite(version: str) -> None:
    """Refuse a SQLite that can corrupt its write-ahead log. Raises `DatabaseUnusable`."""
    if tuple(int(part) for part in version.split(".")[:3]) < SQLITE_OLDEST:
        raise DatabaseUnusable(f"SQLite {version} may damage databases. Update it: pip install --upgrade apsw.")


def lock_directory(directory: Path) -> apsw.Connection:
    """Make this process the only broker on `directory`, until the result is closed or the process ends.

    The lock is SQLite's own on an empty file beside the database: the same on every system, gone with its
    holder however it dies. Raises `DatabaseUnusable`.
    """
    with sentences(directory / LOCK):
        lock = apsw.Connection(_created(directory / LOCK))
        try:
            lock.pragma("journal_mode", "memory")
            lock.execute("BEGIN EXCLUSIVE")
        except apsw.BusyError:
            lock.close()
            raise DatabaseUnusable(
                f"{directory} is in use by another broker. Stop that one, or choose another data directory."
            ) from None
    return lock


def open_writer(path: Path) -> apsw.Connection:
    """Open the database, made with mode 0600 if it is not there, and bring its schema up to date.

    Raises `DatabaseUnusable`.
    """
    require_sqlite(apsw.sqlite_lib_version())
    with sentences(path):
        _settle(path.with_name(path.name + "-wal"))
        connection = apsw.Connection(_created(path))
        try:
            connection.set_busy_timeout(int(BUSY_S * 1000))
            journal = connection.pragma("journal_mode", "wal")
            for name, value in (
                ("synchronous", "full"),
                ("cache_size", -CACHE_KIB),
                ("wal_autocheckpoint", CHECKPOINT_PAGES),
                ("journal_size_limit", WAL_BYTES),
                # What is deleted is overwritten: a room that is gone is not to be read from the file.
                ("secure_delete", 1),
                # A statement of many rows keeps what it would need to undo itself; in a file, that costs a
                # third of the journal's rate.
                ("temp_store", "memory"),
            ):
                connection.pragma(name, value)
            # A promise to the senders rests on these two, so they are read back.
            if journal != "wal" or connection.pragma("synchronous") != 2:
                raise DatabaseUnusable(
                    f"{path} cannot be written durably here: its file system does not support SQLite's "
                    "write-ahead log. Choose a data directory on a local disk."
                )
            migrate(connection, path)
            connection.pragma("foreign_keys", 1)
        except BaseException:
            connection.close()
            raise
    return connection


def _settle(log: Path) -> None:
    """Bring a write-ahead log that was not closed to the disk, and see it as it is there.

    A writer that was killed before its sync leaves commits that the kernel holds and the disk may not. SQLite takes
    them for done, so a resent message would be acknowledged for being there, and be lost with the next power failure.
    After a sync that failed the kernel may even hold pages that it will never write; those are forgotten here.
    """
    try:
        descriptor = os.open(log, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _created(path: Path) -> str:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return str(path)


@contextmanager
def sentences(path: Path) -> Iterator[None]:
    """Turn what can go wrong at start into sentences for the operator."""
    try:
        yield
    except (apsw.NotADBError, apsw.CorruptError, UnicodeError) as error:  # text that is none: SQLite does not look
        raise DatabaseUnusable(
            f"{path} is damaged or no database ({error}). Move it away and restore a backup; "
            "without the file, the broker starts empty."
        ) from error
    except (apsw.FullError, apsw.IOError) as error:
        # A full disk may show first where SQLite shares memory between its connections.
        if isinstance(error, apsw.IOError) and getattr(error, "extendedresult", 0) != apsw.SQLITE_IOERR_SHMSIZE:
            raise DatabaseUnusable(f"{path} cannot be opened: {error}.") from error
        raise DatabaseUnusable(f"{path} cannot be written: the disk is full. Make room and start again.") from error
    except (OSError, apsw.Error) as error:
        raise DatabaseUnusable(f"{path} cannot be opened: {error}.") from error
