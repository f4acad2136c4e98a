"""The compiled statements: one for each write, and none that reads a whole table of entries."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import apsw
import pytest

from broker.chat import ports
from broker.store import changes, pages, statements, words
from broker.store.connections import open_writer
from tests.contract.store_contract import ANA, KEY, LOBBY, SESSION, message

WRITES: dict[type, ports.Write] = {
    type(write): write
    for write in (
        message(1),
        ports.AddAccount(ANA, "x"),
        ports.UpdateAccount(ANA),
        ports.SetPassword(1, "x"),
        ports.PutKey(KEY),
        ports.DropKey(1),
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
        ports.PutModerator(ports.ModeratorRow(1, 1)),
        ports.DropModerator(1, 1),
        ports.PutStored(1, "key", b""),
        ports.DropStored(1, "key"),
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
        (statements.STORED, (1, "key"), "sqlite_autoindex_stored_1 (account=? AND key=?)"),
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


CHANGING = [value for name, value in vars(changes).items() if name.isupper() and str(value).split()[0].isupper()]


@pytest.mark.parametrize("statement", CHANGING)
def test_what_changes_a_message_reads_no_whole_table(connection: apsw.Connection, statement: str) -> None:
    assert "SCAN" not in plan(connection, statement, (0,) * parameters(statement))


@pytest.mark.parametrize(
    "statement", [pages._MESSAGE, pages._COPIES, pages._EMOJI, pages._KNOWN, pages._REACTIONS.format("?, ?")]
)
def test_looking_at_a_message_reads_no_whole_table(connection: apsw.Connection, statement: str) -> None:
    assert "SCAN entry" not in plan(connection, statement, (0,) * parameters(statement))
    assert "SCAN reaction" not in plan(connection, statement, (0,) * parameters(statement))


@pytest.mark.parametrize("statement", [words._NEXT, words._PUT_IN, words._PUT_IN_PIECE, words._TAKE_OUT])
def test_indexing_reads_no_whole_table(connection: apsw.Connection, statement: str) -> None:
    assert "SCAN entry" not in plan(connection, statement, (0,) * parameters(statement))


def test_a_search_begins_with_the_index_and_reads_messages_by_their_number(connection: apsw.Connection) -> None:
    readable = "WITH readable (log, since) AS (VALUES (?,?),(?,?))"
    found = plan(connection, readable + words._INDEXED, (1, 0, 2, 0, "x", 0, 9, 50))
    assert found.startswith("SCAN entry_words VIRTUAL TABLE"), found
    assert "SEARCH t1 USING INTEGER PRIMARY KEY (rowid=?)" in found
    assert "B-TREE FOR ORDER" not in found
    found = plan(connection, readable + words._UNINDEXED, (1, 0, 2, 0, 0, 9))
    assert "SEARCH t1 USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in found
    assert "B-TREE FOR ORDER" not in found


def parameters(statement: str) -> int:
    numbered = [int(number) for number in re.findall(r"\?(\d+)", statement)]
    return max(numbered, default=0) or statement.count("?")


def test_the_heads_are_found_without_reading_every_entry(connection: apsw.Connection) -> None:
    found = plan(connection, statements.HEADS, ())
    assert "SEARCH entry USING COVERING INDEX entry_log (log>?)" in found
    assert "SEARCH entry USING COVERING INDEX entry_log (log=?)" in found
