"""From any older state to this one, or not at all; and what cannot be opened is explained."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import apsw
import pytest

from broker.store import connections
from broker.store.connections import lock_directory, open_writer, require_sqlite
from broker.store.migrations import APPLICATION, STEPS, DatabaseUnusable, migrate
from broker.store.models import MODELS

FILE = Path("chat.db")
OLD = (("CREATE TABLE person (name TEXT)", "INSERT INTO person VALUES ('ana')"),)
NEW = (
    *OLD,
    ("ALTER TABLE person ADD COLUMN age INTEGER NOT NULL DEFAULT 0",),
    ("CREATE TABLE pet (name TEXT)", "UPDATE person SET age = 30"),
)


@pytest.fixture
def connection(tmp_path: Path) -> apsw.Connection:
    return apsw.Connection(str(tmp_path / FILE))


def schema(connection: apsw.Connection) -> list[tuple[object, ...]]:
    return list(connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name"))


def test_an_empty_file_gets_every_step(connection: apsw.Connection) -> None:
    migrate(connection, FILE)
    assert connection.pragma("user_version") == len(STEPS)
    assert connection.pragma("application_id") == APPLICATION
    before = schema(connection)
    migrate(connection, FILE)
    assert schema(connection) == before


def test_the_tables_are_those_of_the_models(connection: apsw.Connection) -> None:
    migrate(connection, FILE)
    tables = {str(name) for name, _ in schema(connection)} - {"sqlite_sequence"}
    assert {name for name in tables if "_" not in name} == {model._meta.table_name for model in MODELS}
    for model in MODELS:
        meta: Any = model._meta
        columns = {
            name: (type_, bool(not_null or key), bool(key))
            for _, name, type_, not_null, _, key in connection.execute(f"PRAGMA table_info({meta.table_name})")
        }
        keys = {field.name for field in meta.get_primary_keys()}
        kinds = {"TextField": "TEXT", "BlobField": "BLOB"}
        assert columns == {
            field.column_name: (kinds.get(type(field).__name__, "INTEGER"), not field.null, field.name in keys)
            for field in meta.sorted_fields
        }, meta.table_name


@pytest.mark.parametrize("reached", [0, 1, 2])
def test_an_older_database_gets_the_steps_it_lacks(connection: apsw.Connection, reached: int) -> None:
    if reached:
        migrate(connection, FILE, NEW[:reached])
    migrate(connection, FILE, NEW)
    assert list(connection.execute("SELECT name, age FROM person")) == [("ana", 30)]
    assert connection.pragma("user_version") == 3


def test_who_was_there_before_is_available_and_was_last_seen_with_their_sessions(connection: apsw.Connection) -> None:
    migrate(connection, FILE, STEPS[:1])
    connection.execute(
        "INSERT INTO account VALUES (1, 'ana', 'A', 'B', 30, 'other', 5, 0, 0, 'x'), "
        "(2, 'bob', 'B', 'C', 30, 'other', 5, 0, 0, 'x')"
    )
    for id, seen in ((1, 900), (2, 700)):
        connection.execute("INSERT INTO session VALUES (?, 1, 'k', '', '', 5, ?, 0, 1)", (id, seen))
    migrate(connection, FILE)
    rows = connection.execute("SELECT login, status, note, show_seen, seen FROM account ORDER BY id").fetchall()
    assert rows == [("ana", "available", "", 1, 900), ("bob", "available", "", 1, 0)]
    assert connection.execute("SELECT count(*) FROM mark").get == 0


def test_what_was_said_before_was_said_by_people(connection: apsw.Connection) -> None:
    migrate(connection, FILE, STEPS[:3])
    connection.execute(
        "INSERT INTO entry (log, prev, part, time, kind, sender, other, text, nonce) "
        "VALUES (1, 0, 0, 5, 'message', 1, 0, 'hola', x'00')"
    )
    migrate(connection, FILE)
    assert connection.execute("SELECT text, hops FROM entry").fetchall() == [("hola", 0)]
    assert (
        connection.execute("SELECT count(*) FROM moderator").get
        == connection.execute("SELECT count(*) FROM stored").get
        == 0
    )


def test_a_step_that_fails_leaves_the_old_state(connection: apsw.Connection) -> None:
    migrate(connection, FILE, OLD)
    before = schema(connection)
    with pytest.raises(apsw.SQLError):
        migrate(connection, FILE, (*NEW[:2], ("CREATE TABLE pet (name TEXT)", "this is not SQL")))
    assert schema(connection) == before
    assert connection.pragma("user_version") == 1
    migrate(connection, FILE, NEW)
    assert connection.pragma("user_version") == 3


def test_a_process_that_dies_between_steps_leaves_the_old_state(connection: apsw.Connection, tmp_path: Path) -> None:
    migrate(connection, FILE, OLD)
    before = schema(connection)
    connection.close()
    script = f"""
import apsw, os, pathlib
from broker.store.migrations import migrate
connection = apsw.Connection({str(tmp_path / FILE)!r})
connection.pragma("journal_mode", "wal")
connection.create_scalar_function("die", lambda: os.kill(os.getpid(), 9))
migrate(connection, pathlib.Path("chat.db"), (*{NEW!r}, ("INSERT INTO pet VALUES (die())",)))
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    connection = apsw.Connection(str(tmp_path / FILE))
    assert schema(connection) == before
    assert connection.pragma("user_version") == 1
    connection.close()


def test_a_step_that_loses_what_others_refer_to_is_undone(connection: apsw.Connection) -> None:
    first = (
        "CREATE TABLE person (id INTEGER PRIMARY KEY)",
        "CREATE TABLE pet (owner INTEGER REFERENCES person)",
        "INSERT INTO person VALUES (1)",
        "INSERT INTO pet VALUES (1)",
    )
    migrate(connection, FILE, (first,))
    with pytest.raises(DatabaseUnusable, match=r"chat\.db could not be brought up to date.*unchanged"):
        migrate(connection, FILE, (first, ("DELETE FROM person",)))
    assert list(connection.execute("SELECT id FROM person")) == [(1,)]


def test_a_newer_database_is_left_alone(connection: apsw.Connection) -> None:
    migrate(connection, FILE, NEW)
    with pytest.raises(DatabaseUnusable, match=r"chat\.db was written by a newer Tertulia \(schema 3; .* knows 1\)"):
        migrate(connection, FILE, OLD)
    assert connection.pragma("user_version") == 3


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE other (x)", "PRAGMA user_version = 7", "PRAGMA application_id = 7"]
)
def test_another_programs_database_is_left_alone(connection: apsw.Connection, statement: str) -> None:
    connection.execute(statement)
    before = schema(connection)
    with pytest.raises(DatabaseUnusable, match=r"chat\.db is another program's"):
        migrate(connection, FILE)
    assert schema(connection) == before


# Opening.


def test_the_writer_is_durable(tmp_path: Path) -> None:
    connection = open_writer(tmp_path / FILE)
    assert connection.pragma("journal_mode") == "wal"
    assert connection.pragma("synchronous") == 2
    assert connection.pragma("foreign_keys") == 1
    connection.close()


def test_a_database_that_cannot_be_durable_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A database in memory has no write-ahead log, like one on a file system without shared memory.
    monkeypatch.setattr(connections, "_created", lambda path: ":memory:")
    with pytest.raises(DatabaseUnusable, match="cannot be written durably"):
        open_writer(tmp_path / FILE)


@pytest.mark.parametrize("content", [b"this is not a database " * 100, b"\x00" * 5_000])
def test_what_is_no_database_is_explained(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / FILE
    file.write_bytes(content)
    with pytest.raises(DatabaseUnusable, match=r"chat\.db is damaged or no database.*Move it away"):
        open_writer(file)
    assert file.read_bytes() == content


def test_a_truncated_database_is_explained(tmp_path: Path) -> None:
    file = tmp_path / FILE
    open_writer(file).close()
    file.write_bytes(file.read_bytes()[:9_000])
    with pytest.raises(DatabaseUnusable, match=r"chat\.db is damaged"):
        open_writer(file)


def test_a_directory_in_the_files_place_is_explained(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(DatabaseUnusable, match=r"chat\.db cannot be opened"):
        open_writer(tmp_path / FILE)


def test_a_directory_that_is_not_there_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusable, match="cannot be opened"):
        lock_directory(tmp_path / "missing")


def test_a_lock_outlives_no_process(tmp_path: Path) -> None:
    script = f"""
import pathlib, sys
from broker.store.connections import lock_directory
lock = lock_directory(pathlib.Path({str(tmp_path)!r}))
print("locked", flush=True)
sys.stdin.read()
"""
    holder = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        with pytest.raises(DatabaseUnusable, match="in use by another broker"):
            lock_directory(tmp_path)
    finally:
        holder.kill()
        holder.communicate()
    lock_directory(tmp_path).close()


@pytest.mark.parametrize("version", ["3.40.1", "3.51.2", "3.7.17"])
def test_a_sqlite_that_may_damage_databases_is_refused(version: str) -> None:
    with pytest.raises(DatabaseUnusable, match=f"SQLite {version} may damage"):
        require_sqlite(version)


@pytest.mark.parametrize("version", ["3.51.3", "3.54.1", "4.0"])
def test_a_sound_sqlite_is_taken(version: str) -> None:
    require_sqlite(version)
