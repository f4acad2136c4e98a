"""All that the rules hold in memory, read from the tables at the start. Must not know what it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import apsw

from broker.chat.ports import (
    AccountRow,
    HiddenRow,
    InvitationRow,
    KeyRow,
    MarkRow,
    MemberRow,
    ModeratorRow,
    RoomRow,
    SessionRow,
    Snapshot,
    StoredRow,
)
from broker.store import statements as sql

_ID_TABLES: Final = ("account", "session", "token", "room", "key")


def read_snapshot(connection: apsw.Connection, heads: dict[int, int]) -> Snapshot:
    """Everything but the entries and the passwords; `heads` as `Snapshot` has them."""

    def rows(statement: str) -> list[Any]:
        return connection.execute(statement).fetchall()

    ids = dict(rows(sql.LAST_IDS))
    return Snapshot(
        accounts=[_account(row) for row in rows(sql.ALL_ACCOUNTS)],
        sessions=[SessionRow._make((*row[:7], bool(row[7]), row[8])) for row in rows(sql.ALL_SESSIONS)],
        rooms=[RoomRow(*row[:2], *map(bool, row[2:5]), *row[5:]) for row in rows(sql.ALL_ROOMS)],
        members=[MemberRow(*row) for row in rows(sql.ALL_MEMBERS)],
        invitations=[InvitationRow(*row) for row in rows(sql.ALL_INVITATIONS)],
        hidden=[HiddenRow(*row) for row in rows(sql.ALL_HIDDEN)],
        marks=[MarkRow(*row) for row in rows(sql.ALL_MARKS)],
        keys=[KeyRow(*row) for row in rows(sql.ALL_KEYS)],
        moderators=[ModeratorRow(*row) for row in rows(sql.ALL_MODERATORS)],
        stored=[StoredRow(*row) for row in rows(sql.ALL_STORED)],
        heads=dict(heads),
        last_ids={table: ids.get(table, 0) for table in _ID_TABLES},
    )


def _account(row: Sequence[Any]) -> AccountRow:
    """An account as the port has it: SQLite knows no booleans."""
    account = AccountRow._make(row)
    return account._replace(
        disabled=bool(account.disabled),
        operator=bool(account.operator),
        show_seen=bool(account.show_seen),
        bot=bool(account.bot),
    )
