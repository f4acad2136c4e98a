"""`SqliteStore`: the contract, and what only a store on a disk has to do."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from broker.chat import ports
from broker.chat.ports import EntryRow, NewEntries, Place, ReadLog, StoreBroken, StoreFailed, StoreFull
from broker.store import pages
from broker.store.migrations import DatabaseUnusable
from broker.store.sqlite import PURGED_AT_ONCE, SqliteStore, _failures
from tests.contract.store_contract import SETTING, Open, StoreContract, everything, message, whole
from tests.support.patience import PATIENCE_S


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    stores: list[SqliteStore] = []

    def open_again() -> SqliteStore:
        stores.append(SqliteStore(tmp_path / "tertulia.db"))
        return stores[-1]

    yield open_again
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Open) -> ports.Store:
    return opened()


class TestSqliteStore(StoreContract):
    pass


def rows(path: Path, statement: str) -> list[tuple[object, ...]]:
    """What a tool sees that opens the file beside the broker."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return list(connection.execute(statement))
    finally:
        connection.close()


def test_the_files_are_for_nobody_else(store: SqliteStore, tmp_path: Path) -> None:
    store.commit(SETTING)
    assert {name.name for name in tmp_path.iterdir()} >= {"tertulia.db", "tertulia.db-wal", "lock"}
    for name in tmp_path.iterdir():
        assert stat.S_IMODE(name.stat().st_mode) == 0o600, name


def test_a_second_broker_is_refused_and_the_first_one_goes_on(store: SqliteStore, opened: Open) -> None:
    with pytest.raises(DatabaseUnusable, match="in use by another broker"):
        opened()
    store.commit(SETTING)
    store.close()
    assert len(opened().load().accounts) == 2


def test_a_reading_tool_may_look_while_the_broker_runs(store: SqliteStore, tmp_path: Path) -> None:
    store.commit(SETTING)
    assert rows(tmp_path / "tertulia.db", "SELECT login FROM account") == [("ana",), ("bea",)]


def test_every_thread_reads_on_its_own_connection_while_one_writes(store: SqliteStore) -> None:
    store.commit(SETTING)
    together = threading.Barrier(3, timeout=PATIENCE_S)

    def read() -> set[int]:
        together.wait()
        return {len(whole(store, 1)) for _ in range(50)}

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        together.wait()
        for number in range(50):
            store.commit([message(2 * number), message(2 * number + 1)])
        for reader in readers:
            assert all(count % 2 == 0 for count in reader.result()), "half a transaction was seen"


def test_a_reader_cannot_write(store: SqliteStore) -> None:
    with pytest.raises(apsw.ReadOnlyError):
        store._reader().execute("DELETE FROM account")


def test_reading_leaves_no_transaction_open(store: SqliteStore) -> None:
    store.commit([*SETTING, *(message(number) for number in range(10))])
    store.read_log(ReadLog(1, None, None, 2, 1_000))
    store.password(1)
    store.has_token(1, b"", 0)
    assert store._reader().txn_state() == apsw.SQLITE_TXN_NONE


# Deleted rooms are purged bit by bit.


def test_purging_goes_in_bounded_steps_and_survives_a_restart(store: SqliteStore, opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "tertulia.db"
    store.commit(SETTING)
    assert not store.purge(), "there is nothing to purge yet"
    store.commit([message(number, log=2) for number in range(2 * PURGED_AT_ONCE + 1)])
    store.commit([message(10_000, log=1), ports.DropRoom(2)])
    assert whole(store, 2) == []
    assert store.purge()
    assert rows(path, "SELECT count(*) FROM entry WHERE log = 2") == [(PURGED_AT_ONCE + 1,)]
    store.close()
    store = opened()  # type: ignore[assignment]
    assert store.load().heads == {1: 2 * PURGED_AT_ONCE + 2}
    assert whole(store, 2) == []
    while store.purge():
        pass
    assert rows(path, "SELECT log, count(*) FROM entry GROUP BY log") == [(1, 1)]
    assert rows(path, "SELECT * FROM dropped") == []
    assert store.commit([message(10_001)]) == [(Place(2 * PURGED_AT_ONCE + 3, 2 * PURGED_AT_ONCE + 2, 5_000, False),)]


def test_what_was_said_in_a_deleted_room_is_no_longer_in_the_file(opened: Open, tmp_path: Path) -> None:
    store = opened()
    assert isinstance(store, SqliteStore)
    store.commit(SETTING)
    store.commit([message(number, log=2, text=f"a secret of many words, number {number}") for number in range(300)])
    store.commit([ports.DropRoom(2)])
    while store.purge():
        pass
    store.close()
    (database,) = tmp_path.glob("tertulia.db*")
    assert b"a secret of many words" not in database.read_bytes()


def test_an_entry_for_a_deleted_room_does_no_harm(store: SqliteStore) -> None:
    store.commit(SETTING)
    store.commit([message(1, log=2), ports.DropRoom(2)])
    store.commit([message(2, log=2)])
    assert whole(store, 2) == []
    while store.purge():
        pass
    assert store.commit([message(3, log=1)]) == [(Place(3, 0, 5_000, False),)]


# Failures.


def cramp(store: SqliteStore, pages: int | None) -> None:
    """Let the database grow by so many pages only, as on a full disk; None: as it likes."""
    size = store._writer.pragma("page_count")
    assert isinstance(size, int)
    store._writer.pragma("max_page_count", size + pages if pages is not None else 1 << 30)


def test_a_full_disk_refuses_all_of_a_commit_and_nothing_else(store: SqliteStore) -> None:
    store.commit([*SETTING, message(1)])
    before = everything(store)
    cramp(store, 2)
    big = [message(number, text="x" * 8_000) for number in range(2, 9)]
    for _ in range(2):
        with pytest.raises(StoreFull, match="No space"):
            store.commit([ports.SetPassword(1, "changed"), *big])
    assert everything(store) == before
    assert store.password(1) == "hash of ana"
    assert [entry.seq for entry in whole(store, 1)] == [1]
    assert store.commit([message(20)]) == [(Place(2, 1, 5_000, False),)], "what fits is taken"
    cramp(store, None)
    assert [place[0].seq for place in store.commit(big)] == list(range(3, 10))


def test_a_fault_in_the_code_leaves_no_transaction_open(store: SqliteStore) -> None:
    store.commit(SETTING)
    bad = message(1)._replace(text=object())  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        store.commit([ports.SetPassword(1, "changed"), bad])
    assert store.password(1) == "hash of ana"
    assert store.commit([message(2)]) == [(Place(1, 0, 5_000, False),)]


def test_another_writer_is_waited_for_and_then_reported(store: SqliteStore, tmp_path: Path) -> None:
    store.commit(SETTING)
    store._writer.set_busy_timeout(1)
    other = apsw.Connection(str(tmp_path / "tertulia.db"))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreFailed, match="refused"):
        store.commit([message(1)])
    other.execute("ROLLBACK")
    other.close()
    assert store.commit([message(1)]) == [(Place(1, 0, 5_000, False),)]


def test_reading_from_a_damaged_database_fails_cleanly(store: SqliteStore, tmp_path: Path) -> None:
    store.commit([*SETTING, *(message(number, text="x" * 500) for number in range(100))])
    store.close()
    path = tmp_path / "tertulia.db"
    schema = {number for (number,) in rows(path, "SELECT pageno FROM dbstat WHERE name = 'sqlite_schema'")}
    with path.open("r+b") as file:
        for number in {*range(path.stat().st_size // 4096)} - {number - 1 for number in schema}:
            file.seek(4096 * number)
            file.write(b"\xff" * 4096)
    store = SqliteStore(path)
    try:
        with pytest.raises(StoreFailed):
            whole(store, 1)
        with pytest.raises(DatabaseUnusable, match=r"tertulia\.db is damaged"):
            store.load()
        with pytest.raises(StoreFailed):
            store.commit([message(200)])
    finally:
        store.close()


def test_text_that_is_none_fails_cleanly(store: SqliteStore, tmp_path: Path) -> None:
    """A damaged page may still look like rows: SQLite does not look whether their text is UTF-8."""
    store.commit([*SETTING, message(1)])
    other = apsw.Connection(str(tmp_path / "tertulia.db"))
    other.execute("UPDATE entry SET text = CAST(x'fffe' AS TEXT)")
    other.execute("UPDATE account SET surnames = CAST(x'fffe' AS TEXT)")
    other.close()
    with pytest.raises(StoreFailed, match="damaged"):
        whole(store, 1)
    with pytest.raises(DatabaseUnusable, match=r"tertulia\.db is damaged"):
        store.load()


def test_a_store_that_cannot_be_opened_leaves_the_directory_free(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "tertulia.db"
    path.write_bytes(b"no database " * 100)
    with pytest.raises(DatabaseUnusable, match="damaged"):
        opened()
    path.unlink()
    assert list(opened().load().accounts) == []


def test_a_failed_sync_is_told_apart_from_what_may_be_tried_again(tmp_path: Path) -> None:
    for code, kind in ((apsw.SQLITE_IOERR_FSYNC, StoreBroken), (apsw.SQLITE_IOERR_WRITE, StoreFailed)):
        with pytest.raises(StoreFailed) as raised, _failures():
            raise apsw.exception_for(code)
        assert type(raised.value) is kind


def test_a_page_shows_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def put(number: int) -> NewEntries:
        return NewEntries("reaction", (1,), number, 1, "👍", number.to_bytes(16, "little"), 5, (1,))

    with closing(SqliteStore(tmp_path / "chat.db")) as store:
        store.commit([*SETTING, message(1), put(1)])
        whole = pages.rows_with_reactions

        def late(*given: Any) -> list[EntryRow]:
            store.commit([put(2)])
            return whole(*given)

        monkeypatch.setattr(pages, "rows_with_reactions", late)
        said = store.read_log(ReadLog(1, 0, None, 1, 99)).entries[0]
        assert (said.changed, said.reactions[0].people) == (2, 1)
