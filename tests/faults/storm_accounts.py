"""Thousands of accounts with a session each, written into the database as rows before the broker starts.

To register them all would be to hash for minutes. Their hashes fit no password, so that nobody could log in with one:
whoever is there afterwards is there by the session's row alone. Must not know what they will do.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from zmq.utils import z85

from broker.chat import ports
from broker.store.sqlite import SqliteStore
from common.keys import KeyPair, generate

ROOM: Final = "hurricane"
"""The room besides the lobby of which everybody is a member."""
NO_HASH: Final = "bcrypt$none"


class Client(NamedTuple):
    """An account and the keys of its session."""

    login: str
    keys: KeyPair


def make(database: Path, count: int) -> list[Client]:
    """Add `count` accounts, members of the lobby and of `ROOM`, to the database of a broker that does not run."""
    clients = [Client(f"storm{index:05}", generate()) for index in range(count)]
    store = SqliteStore(database)
    try:
        snapshot = store.load()
        now = time.time_ns() // 1_000_000
        account, session, room = (snapshot.last_ids[table] + 1 for table in ("account", "session", "room"))
        lobby = snapshot.rooms[0].id
        writes: list[ports.Write] = [ports.AddRoom(ports.RoomRow(room, ROOM, True, False, False, "", None, now))]
        for index, (login, keys) in enumerate(clients):
            name = z85.encode(keys.public).decode()
            mine = account + index
            writes += [
                ports.AddAccount(
                    ports.AccountRow(mine, login, "Storm", "Rider", 30, "undisclosed", now, False, False), NO_HASH
                ),
                ports.PutSession(ports.SessionRow(session + index, mine, name, "", "storm", now, now, False, lobby)),
                ports.PutMember(ports.MemberRow(lobby, mine, 0)),
                ports.PutMember(ports.MemberRow(room, mine, 0)),
            ]
        store.commit(writes)
    finally:
        store.close()
    return clients


def save(clients: Sequence[Client], file: Path) -> None:
    """Write down who they are, for another process."""
    file.write_text(json.dumps([[login, keys.public.hex(), keys.secret.hex()] for login, keys in clients]))


def load(file: Path) -> list[Client]:
    """What was saved."""
    return [
        Client(login, KeyPair(bytes.fromhex(public), bytes.fromhex(secret)))
        for login, public, secret in json.loads(file.read_text())
    ]
