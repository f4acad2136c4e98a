"""The full-text index: when messages come into it, that they leave it for good, and what searches find meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue

import apsw
import pytest

from broker.chat import ports
from broker.chat.effects import Append, Origin
from broker.chat.ports import FindMessages, NewEntries, Phrase
from broker.store import sqlite, words
from broker.store.inspection import Inspection
from broker.store.journal import Journal
from broker.store.migrations import STEPS, migrate
from broker.store.sqlite import SqliteStore
from tests.contract.store_contract import SETTING, message
from tests.support.patience import PATIENCE_S

FORMER = 2
"""Steps of the schema before there was an index."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path)
    store.commit(SETTING)
    yield store
    store.close()


def change(kind: str, number: int, target: int, text: str = "", log: int = 1, time: int = 9_000) -> NewEntries:
    return NewEntries(kind, (log,), 1, 0, text, (number + 10**6).to_bytes(16, "big"), time, (target,))


def find(store: SqliteStore, word: str, *, logs: tuple[tuple[int, int], ...] = ((1, 0),), limit: int = 50) -> list[int]:
    found = store.find_messages(FindMessages(logs, (Phrase(word),), (), None, None, limit, 1 << 30, 1))
    assert found is not None
    return [entry.seq for _, entry in found.found]


def tidied(store: SqliteStore) -> int:
    """Tidy until nothing is left to do; how often there was something."""
    times = 0
    while store.tidy():
        times += 1
    return times


def upto(path: Path) -> int:
    connection = apsw.Connection(str(path))
    try:
        return int(connection.execute(words.UPTO).get)  # type: ignore[call-overload]
    finally:
        connection.close()


def well(path: Path) -> bool:
    with Inspection(path) as inspection:
        return inspection.damage() == inspection.misindexed() == inspection.breaks() == []


# When it is filled


def test_few_messages_wait_and_are_found_all_the_same(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "UNINDEXED", 10)
    store.commit([message(number, text=f"hola {number}") for number in range(9)])
    assert not store.tidy()
    assert upto(path) == 0
    assert find(store, "hola") == list(range(9, 0, -1))
    store.commit([message(9, text="hola 9")])
    tidied(store)
    assert upto(path) == 10
    store.commit([message(10, text="hola 10")])
    assert find(store, "hola") == list(range(11, 0, -1))
    assert find(store, "hola", limit=3) == [11, 10, 9]
    assert well(path)


def test_few_long_messages_do_not_wait(store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "UNINDEXED_CHARACTERS", 100)
    store.commit([message(1, text="a" * 60)])
    assert not store.tidy()
    store.commit([change("edit", 1, 1, "b" * 60)])
    tidied(store)
    assert upto(path) == 2
    store.commit([message(2, text="a" * 60)])
    assert not store.keep_up()
    store.close()
    with closing(SqliteStore(path)) as again:
        tidied(again)
        assert upto(path) == 3, "how much waited was forgotten"


def test_pieces_are_bounded_in_entries_and_in_text(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "UNINDEXED", 1)
    monkeypatch.setattr(words, "PIECE", 4)
    monkeypatch.setattr(words, "PIECE_CHARACTERS", 100)
    store.commit([message(number, text="hola " * (30 if number == 5 else 1)) for number in range(10)])
    reached = []
    while store.tidy():
        reached.append(upto(path))
    assert reached == [4, 5, 6, 10]
    assert find(store, "hola") == list(range(10, 0, -1))
    assert well(path)


def test_without_an_idle_moment_a_piece_comes_now_and_then(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "UNINDEXED", 3)
    monkeypatch.setattr(words, "PIECE", 2)
    store.commit([message(number) for number in range(2)])
    assert not store.keep_up(), "nothing to do"
    store.commit([message(number) for number in range(2, 20)])
    assert store.keep_up()
    assert upto(path) == 2
    monkeypatch.setattr(sqlite, "INDEX_SHARE", 1e-9)
    store._piece_due = 0.0
    store.keep_up()
    assert upto(path) == 4
    assert store.keep_up(), "there is more, but it is not time to"
    assert upto(path) == 4


def test_a_piece_that_fails_is_not_tried_again_at_once_and_harms_nothing(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "UNINDEXED", 3)
    store.commit([message(number, text="hola") for number in range(20)])
    put_in_piece = words.put_in_piece

    def half(connection: apsw.Connection, upto: int) -> int:
        put_in_piece(connection, upto)
        raise apsw.FullError("no space")

    monkeypatch.setattr(words, "put_in_piece", half)
    with pytest.raises(ports.StoreFull):
        store.keep_up()
    monkeypatch.setattr(words, "put_in_piece", put_in_piece)
    assert store.keep_up(), "there is something to do, and it is not time to"
    assert upto(path) == 0
    assert find(store, "hola") == list(range(20, 0, -1))
    tidied(store)
    assert upto(path) == 20
    assert find(store, "hola") == list(range(20, 0, -1))
    assert well(path)


def test_the_journal_indexes_when_it_is_idle(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "UNINDEXED", 5)
    monkeypatch.setattr(sqlite, "INDEX_SHARE", 1e-9)
    tidy = SqliteStore.tidy
    done = threading.Event()

    def watched(self: SqliteStore) -> bool:
        more = tidy(self)
        if upto(path) >= 20:
            done.set()
        return more

    monkeypatch.setattr(SqliteStore, "tidy", watched)
    store = SqliteStore(path)
    store.commit(SETTING)
    woken: SimpleQueue[None] = SimpleQueue()
    journal = Journal(store, lambda: woken.put(None), 100)
    journal.start()
    for number in range(20):
        journal.submit(Append(Origin(b"", "", "", 0, ""), message(number, text="hola")))
    assert done.wait(PATIENCE_S)
    assert journal.stop(PATIENCE_S)
    assert find(store, "hola") == list(range(20, 0, -1))
    store.close()


def test_numbers_without_entries_do_not_wait_for_ever(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "UNINDEXED", 5)
    store.commit([message(number, log=2, text="secret") for number in range(20)])
    store.commit([ports.DropRoom(2)])
    tidied(store)
    assert not store.keep_up()
    store.commit([message(number, text="hola") for number in range(100, 106)])
    tidied(store)
    assert find(store, "hola") == list(range(26, 20, -1))
    assert well(path)


def test_a_search_looks_through_so_much_of_what_is_not_indexed_and_no_more(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.commit([message(number, text="hola") for number in range(20)])
    monkeypatch.setattr(words, "TAIL", 5)
    assert find(store, "hola") == [20, 19, 18, 17, 16]
    monkeypatch.setattr(words, "TAIL_CHARACTERS", 12)
    assert find(store, "hola") == [20, 19, 18]


def test_a_search_that_takes_too_long_is_given_up_and_the_next_is_not(store: SqliteStore) -> None:
    store.commit([message(number, text="hola") for number in range(500)])
    asked = FindMessages(((1, 0),), (Phrase("hola"),), (), None, None, 50, 1 << 30, 1)
    assert words.find(store._reader(), asked, -1.0) is None
    assert store._reader().txn_state() == apsw.SQLITE_TXN_NONE
    assert len(find(store, "hola")) == 50


def test_a_search_that_takes_too_long_in_what_is_not_indexed_is_given_up(store: SqliteStore) -> None:
    store.commit([message(number, text="hola") for number in range(50)])
    asked = FindMessages(((1, 0),), (Phrase("hola"),), (), None, None, 50, 1 << 30, 1)
    rows = [(1, number, 0, 0, "message", 1, 0, "hola") for number in range(50, 0, -1)]
    assert len(words._looked_through(rows, words.expression(asked), lambda: False)) == 50
    moments = iter(range(1_000))
    with pytest.raises(apsw.InterruptError):
        words._looked_through(rows, words.expression(asked), lambda: next(moments) == 10)
    assert next(moments) == 11


# What leaves it


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("kind", ["edit", "retract"])
def test_what_was_said_before_is_nowhere_in_the_files(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, indexed: bool
) -> None:
    monkeypatch.setattr(sqlite, "UNINDEXED", 1 if indexed else 1_000)
    secret = b"xylophonequark"
    others = [message(number, text=f"other words {number} {number * 7}") for number in range(300)]
    store.commit([*others[:150], message(1_000, text="a xylophonequark of mine"), *others[150:]])
    tidied(store)
    store._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    assert secret in path.read_bytes()
    store.commit([change(kind, 1, 151, "something else")])
    tidied(store)
    files = list(path.parent.glob("chat.db*"))
    assert {file.name for file in files} >= {"chat.db", "chat.db-wal"}
    for file in files:
        content = file.read_bytes()
        assert secret not in content, file
        assert secret[:10] not in content, file
    assert find(store, "xylophonequark") == []
    assert well(path)


def test_what_was_erased_by_one_that_was_killed_is_erased_by_the_next(store: SqliteStore, tmp_path: Path) -> None:
    store.commit([message(1, text="xylophonequark")])
    store.commit([change("retract", 1, 1)])
    left = tmp_path / "left"
    left.mkdir()
    for name in ("chat.db", "chat.db-wal"):
        (left / name).write_bytes((tmp_path / name).read_bytes())
    assert b"xylophonequark" in (left / "chat.db-wal").read_bytes()
    with closing(SqliteStore(left / "chat.db")) as next_:
        tidied(next_)
        assert [file.name for file in left.iterdir() if b"xylophonequark" in file.read_bytes()] == []


def test_the_log_is_emptied_once_nobody_reads(store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "WIPE_S", 0.0)
    log = path.with_name("chat.db-wal")
    store.commit([message(1, text="xylophonequark")])
    reader = apsw.Connection(str(path))
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM entry").fetchall()
    store.commit([change("retract", 1, 1)])
    assert store.tidy(), "it is to be tried again"
    assert b"xylophonequark" in log.read_bytes()
    reader.execute("COMMIT")
    reader.close()
    assert not store.tidy()
    assert log.read_bytes() == b""
    assert b"xylophonequark" not in path.read_bytes()


def test_a_change_of_what_is_not_there_leaves_the_index_alone(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "UNINDEXED", 1)
    store.commit([message(number, text="hola") for number in range(4)])
    tidied(store)
    store.commit([change(kind, number, 2, "x", log=2) for number, kind in enumerate(("edit", "retract", "reaction"))])
    store.commit([change("retract", 9, 77)])
    assert find(store, "hola") == [4, 3, 2, 1]
    assert well(path)


def test_many_changes_in_one_commit_are_done_in_order(store: SqliteStore, path: Path) -> None:
    store.commit(
        [
            message(1, text="one"),
            change("edit", 1, 1, "two"),
            change("edit", 2, 1, "three"),
            message(2, text="alone"),
            change("retract", 3, 4),
            change("edit", 4, 4, "back again"),
        ]
    )
    assert find(store, "three") == [1]
    assert find(store, "two") == find(store, "alone") == find(store, "back") == []
    assert well(path)


def test_a_deleted_rooms_words_and_reactions_go_with_it(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "UNINDEXED", 1)
    store.commit([message(number, log=2, text=f"xylophonequark {number}") for number in range(30)])
    store.commit([NewEntries("reaction", (2,), 1, 1, "👍", b"r" * 16, 5, (7,))])
    tidied(store)
    store.commit([ports.DropRoom(2)])
    assert find(store, "xylophonequark", logs=((2, 0),)) == []
    tidied(store)
    assert b"xylophonequark" not in path.read_bytes()
    assert store._writer.execute("SELECT count(*) FROM reaction").get == 0
    assert well(path)


# A database from before


def test_a_deleted_room_goes_in_pieces_that_are_bounded_in_their_text(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PURGED_CHARACTERS", 100)
    store.commit([message(number, text="a" * length) for number, length in enumerate((200, 60, 40, 1, 5, 200, 3))])
    store.commit([ports.DropRoom(1)])
    left = []
    with closing(apsw.Connection(str(path))) as connection:
        while store.purge():
            left.append(connection.execute("SELECT count(*) FROM entry").get)
    assert left == [6, 4, 2, 1, 0]


def former(path: Path) -> None:
    """A database of the schema before, with messages of all kinds in it."""
    connection = apsw.Connection(str(path))
    migrate(connection, path, STEPS[:FORMER])
    for row in ((1, "ana"), (2, "bea")):
        connection.execute(
            "INSERT INTO account (id, login, first_names, surnames, age, gender, created, disabled, operator, password)"
            " VALUES (?, ?, 'A', 'B', 30, 'f', 1, 0, 0, 'hash')",
            row,
        )
    connection.execute("INSERT INTO room VALUES (1, 'lobby', 1, 0, 0, '', NULL, 1), (2, 'den', 1, 1, 0, '', 1, 1)")
    prev: dict[int, int] = {}
    for seq in range(1, 301):
        kind, log = [("message", 1), ("message", 2), ("direct", -1), ("invited", -2)][seq % 4]
        connection.execute(
            "INSERT INTO entry VALUES (?, ?, ?, 0, ?, ?, 1, 2, ?, ?)",
            (seq, log, prev.get(log, 0), seq * 10, kind, f"canción {seq}", seq.to_bytes(16, "big")),
        )
        prev[log] = seq
    connection.close()


def test_a_database_from_before_is_read_at_once_and_indexed_behind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "UNINDEXED", 1)
    monkeypatch.setattr(words, "PIECE", 50)
    former(path)
    store = SqliteStore(path)
    assert upto(path) == 0, "the start does not wait for it"
    assert store.load().heads == {1: 300, 2: 297, -1: 298, -2: 299}
    page = store.read_log(ports.ReadLog(1, None, None, 2, 999))
    assert page.entries[-1] == ports.EntryRow(
        300, 296, 3_000, "message", 1, 2, "canción 300", (300).to_bytes(16, "big")
    )
    logs = ((1, 0), (2, 0), (-1, 0), (-2, 0))
    spoken = [seq for seq in range(300, 0, -1) if seq % 4 != 3]
    assert find(store, "cancion", logs=logs, limit=300) == spoken
    for _ in range(3):
        assert store.tidy()
    assert upto(path) == 150
    store.commit([change("edit", 1, 4, "otra cosa"), change("retract", 2, 300), message(9_000, text="la canción")])
    assert find(store, "cancion", logs=logs, limit=300) == [303, *(seq for seq in spoken if seq not in (4, 300))]
    assert find(store, "otra") == [4]
    assert well(path)
    tidied(store)
    assert upto(path) == 303
    assert find(store, "cancion", logs=logs, limit=300) == [303, *(seq for seq in spoken if seq not in (4, 300))]
    assert find(store, "1", logs=((2, 0),)) == [1]
    store.close()
    assert well(path)


def test_closing_ends_a_search_that_runs(store: SqliteStore, path: Path) -> None:
    store.commit([message(number, text="hola " * 20) for number in range(2_000)])
    started = threading.Event()
    outcomes: list[object] = []

    def endless() -> None:
        reader = store._reader()
        started.set()
        try:
            outcomes.append(reader.execute("SELECT count(*) FROM entry a, entry b, entry c").fetchall())
        except apsw.Error as error:
            outcomes.append(error)

    thread = threading.Thread(target=endless)
    thread.start()
    assert started.wait(PATIENCE_S)
    store._readers.close_everywhere()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert isinstance(outcomes[0], apsw.Error)
