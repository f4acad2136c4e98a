"""A process that dies, or whose disk fails, while it makes the first database or brings an old one up to date.

What is left is the old state or the new one, whole, and the next start finishes it. Every so many'th write and every
sync is tried; `TERTULIA_CRASH_EVERY=1` tries all.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from broker.store.connections import open_writer
from broker.store.migrations import STEPS, migrate
from broker.store.sqlite import SqliteStore
from tests.contract.store_contract import SETTING, everything, message, whole
from tests.support import unmeasured

EVERY = int(os.environ.get("TERTULIA_CRASH_EVERY", "47"))
CALLS = ("pwrite64", "fdatasync", "ftruncate", "unlink")
FAULTS = ("signal=SIGKILL", "error=EIO")
MESSAGES = 40

# What migrations do: a new column, a table made anew under its old name, every row changed.
NEXT = (
    ("ALTER TABLE entry ADD COLUMN weight INTEGER NOT NULL DEFAULT 0", "UPDATE entry SET weight = time"),
    (
        "CREATE TABLE new_room (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, kept INTEGER NOT NULL,"
        " private INTEGER NOT NULL, open INTEGER NOT NULL, subject TEXT NOT NULL, creator INTEGER,"
        " created INTEGER NOT NULL, colour TEXT NOT NULL)",
        "INSERT INTO new_room SELECT *, 'red' FROM room",
        "DROP TABLE room",
        "ALTER TABLE new_room RENAME TO room",
        "CREATE INDEX entry_time ON entry (time)",
    ),
)

OPEN = """
import json, sys
from pathlib import Path
from broker.store.connections import open_writer
from broker.store.migrations import STEPS, migrate
file = Path(sys.argv[1])
connection = open_writer(file)
if sys.argv[2] == "next":
    connection.pragma("foreign_keys", 0)
    migrate(connection, file, (*STEPS, *json.loads(sys.argv[3])))
connection.close()
"""

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace, to make a call fail")


def opened(file: Path, upto: str, *strace: str) -> subprocess.CompletedProcess[str]:
    """Open the database in a process of its own, and bring it up to date."""
    command = ["strace", "-f", "-qq", *strace, sys.executable, "-c", OPEN, str(file), upto, json.dumps(NEXT)]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=unmeasured.environment())


def points(before: Path | None, upto: str, directory: Path) -> Iterator[tuple[str, int, str, Path]]:
    """Each point: the call, which of them, what happens to it, and the file on which it did."""

    def attempt(name: str, *strace: str) -> tuple[Path, int]:
        file = directory / name / "chat.db"
        file.parent.mkdir()
        if before is not None:
            shutil.copy(before, file)
        return file, opened(file, upto, "-o", str(file.parent / "trace"), *strace).returncode

    file, status = attempt("counted", "-e", f"trace={','.join(CALLS)}")
    assert status == 0
    counted = Counter(re.findall(rf"\b({'|'.join(CALLS)})\(", (file.parent / "trace").read_text()))
    for fault in FAULTS:
        for call, times in counted.items():
            for at in range(1, times + 1, EVERY if call == "pwrite64" else 1 + EVERY // 4):
                inject = f"inject={call}:{fault}:when={at}"
                file, status = attempt(f"{call}-{at}-{fault[:5]}", "-e", f"trace={call}", "-e", inject)
                assert (status == -9) == ("KILL" in fault)
                yield call, at, fault, file


def schema(file: Path) -> list[tuple[object, ...]]:
    connection = apsw.Connection(str(file))
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        version = connection.pragma("user_version")
        return [(version, ""), *connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name")]
    finally:
        connection.close()


def test_a_first_database_that_is_half_made_is_finished(tmp_path: Path) -> None:
    complete = tmp_path / "complete.db"
    open_writer(complete).close()
    for *point, file in points(None, "first", tmp_path):
        assert schema(file) in ([(0, "")], schema(complete)), point
        store = SqliteStore(file)
        store.commit([*SETTING, message(1)])
        store.close()
        assert schema(file) == schema(complete), point


def test_an_old_database_is_left_old_or_is_new_and_the_next_start_finishes_it(tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    store = SqliteStore(old)
    store.commit([*SETTING, *(message(number, text="x" * 300) for number in range(MESSAGES))])
    rows, entries = everything(store), whole(store, 1)
    store.close()
    new = Path(shutil.copy(old, tmp_path / "new.db"))
    connection = open_writer(new)
    connection.pragma("foreign_keys", 0)
    migrate(connection, new, (*STEPS, *NEXT))
    connection.close()
    reached = set()
    for *point, file in points(old, "next", tmp_path):
        left = schema(file)
        assert left in (schema(old), schema(new)), point
        reached.add(left[0])
        if left == schema(old):
            store = SqliteStore(file)
            assert (everything(store), whole(store, 1)) == (rows, entries), point
            store.close()
            assert opened(file, "next", "-o", os.devnull, "-e", "trace=none").returncode == 0
        assert schema(file) == schema(new), point
        connection = apsw.Connection(str(file))
        assert connection.execute("SELECT count(*) FROM entry WHERE weight = time").get == MESSAGES
        assert connection.execute("SELECT count(*) FROM room WHERE colour = 'red'").get == 2
        connection.close()
    assert reached == {(len(STEPS), ""), (len(STEPS) + len(NEXT), "")}
