"""The compiled statements: one for each write, and none that reads a whole table of entries."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import apsw
import pytest

from broker.chat import ports
from broker.store import statements
from broker.store.connections import open_writer
from tests.contract.store_contract import ANA, LOBBY, SESSION, message

WRITES: dict[type, ports.Write] = {
    type(write): write
    for write in (
        message(1),
        ports.AddAccount(ANA, "x"),
        ports.UpdateAccount(ANA),
        ports.SetPassword(1, "x"),
        ports.PutSession(SESSION),
        ports.DropSession(1),
        ports.AddToken(1, 1, b"", 0),
        ports.DropTokens(1, None),
        ports.AddRoom(LOBBY),
        ports.UpdateRoom(LOBBY),
        ports.DropRoom(1),
        ports.PutMember(ports.MemberRow(1, 1, 0)),
        ports.DropMember(1, 1),
        ports.PutInvitation(ports.InvitationRow(1, 1)),
        ports.DropInvitation(1, 1),
        ports.SetHidden(1, 1, True),
        ports.PutMark(ports.MarkRow(1, 1, 0, None, 0)),
        ports.DropMark(1, 1),
    )
}


@pytest.fixture
def connection(tmp_path: Path) -> apsw.Connection:
    return open_writer(tmp_path / "chat.db")


def plan(connection: apsw.Connection, statement: str, bindings: tuple[object, ...]) -> str:
    return "; ".join(str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", bindings))


@pytest.mark.parametrize("kind", get_args(ports.Write), ids=lambda kind: kind.__name__)
def test_every_write_has_its_statements_and_reads_no_whole_table(connection: apsw.Connection, kind: type) -> None:
    found = statements.statements(WRITES[kind])
    assert bool(found) == (kind is not ports.NewEntries), "entries are inserted all at once (`broker.store.entries`)"
    for statement, bindings in found:
        assert "SCAN" not in plan(connection, statement, bindings)


@pytest.mark.parametrize(
    ("statement", "bindings", "index"),
    [
        (statements.OLDEST_FIRST, (1, 0, 9), "entry_log (log=? AND seq>? AND seq<?)"),
        (statements.NEWEST_FIRST, (1, 0, 9), "entry_log (log=? AND seq>? AND seq<?)"),
        (statements.PURGEABLE, (1, 500), "entry_log (log=?)"),
        (statements.PURGE, (1,), "INTEGER PRIMARY KEY (rowid=?)"),
        (statements.HAS_TOKEN, (1, b"", 0), "token_account (account=? AND digest=?)"),
        ("SELECT seq FROM entry WHERE (nonce, sender) IN (VALUES (?, ?), (?, ?))", (b"", 1, b"", 2), "entry_nonce"),
    ],
)
def test_questions_use_an_index(
    connection: apsw.Connection, statement: str, bindings: tuple[object, ...], index: str
) -> None:
    found = plan(connection, statement, bindings)
    assert index in found
    assert "SCAN entry" not in found
    assert "B-TREE FOR ORDER" not in found


def test_the_heads_are_found_without_reading_every_entry(connection: apsw.Connection) -> None:
    found = plan(connection, statements.HEADS, ())
    assert "SEARCH entry USING COVERING INDEX entry_log (log>?)" in found
    assert "SEARCH entry USING COVERING INDEX entry_log (log=?)" in found
