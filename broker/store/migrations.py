"""The schema, as ordered steps from an empty file to what this version reads and writes.

Every step is written by hand and never changed once released: the database remembers in `user_version` how
many it has had. All that are missing run in one transaction at start, so that an interruption leaves the old
state whole. `application_id` tells our databases from other programs'. Must not know what the tables mean.

Source: https://www.sqlite.org/pragma.html#pragma_application_id
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import apsw

APPLICATION: Final = 0x54657274
"""`Tert`, in the header of the file."""

Step = tuple[str, ...]

STEPS: Final[Sequence[Step]] = (
    (
        # AUTOINCREMENT because an id that was handed out is never handed out again, whatever is deleted.
        """CREATE TABLE account (
            id INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL UNIQUE, first_names TEXT NOT NULL,
            surnames TEXT NOT NULL, age INTEGER NOT NULL, gender TEXT NOT NULL, created INTEGER NOT NULL,
            disabled INTEGER NOT NULL, operator INTEGER NOT NULL, password TEXT NOT NULL)""",
        """CREATE TABLE session (
            id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
            key TEXT NOT NULL, label TEXT NOT NULL, client TEXT NOT NULL, created INTEGER NOT NULL,
            seen INTEGER NOT NULL, present INTEGER NOT NULL, current INTEGER NOT NULL)""",
        "CREATE INDEX session_account ON session (account)",
        """CREATE TABLE token (
            id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
            digest BLOB NOT NULL, created INTEGER NOT NULL)""",
        "CREATE INDEX token_account ON token (account, digest)",
        """CREATE TABLE room (
            id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, kept INTEGER NOT NULL,
            private INTEGER NOT NULL, open INTEGER NOT NULL, subject TEXT NOT NULL, creator INTEGER,
            created INTEGER NOT NULL)""",
        """CREATE TABLE member (
            room INTEGER NOT NULL REFERENCES room ON DELETE CASCADE,
            account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
            since INTEGER NOT NULL, PRIMARY KEY (room, account)) WITHOUT ROWID""",
        "CREATE INDEX member_account ON member (account)",
        """CREATE TABLE invitation (
            room INTEGER NOT NULL REFERENCES room ON DELETE CASCADE,
            account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
            PRIMARY KEY (room, account)) WITHOUT ROWID""",
        "CREATE INDEX invitation_account ON invitation (account)",
        """CREATE TABLE hidden (
            account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
            room INTEGER NOT NULL REFERENCES room ON DELETE CASCADE,
            PRIMARY KEY (account, room)) WITHOUT ROWID""",
        "CREATE INDEX hidden_room ON hidden (room)",
        """CREATE TABLE entry (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, log INTEGER NOT NULL, prev INTEGER NOT NULL,
            part INTEGER NOT NULL, time INTEGER NOT NULL, kind TEXT NOT NULL, sender INTEGER NOT NULL,
            other INTEGER NOT NULL, text TEXT NOT NULL, nonce BLOB NOT NULL)""",
        "CREATE INDEX entry_log ON entry (log, seq)",
        # The nonce leads, because one that begins with the time then always lands on the index's last pages;
        # a random one dirties a page of its own, which halves the journal's rate.
        "CREATE UNIQUE INDEX entry_nonce ON entry (nonce, sender, part)",
        "CREATE TABLE dropped (log INTEGER PRIMARY KEY)",
    ),
    (
        # What people say of themselves, and when they were last here, as far as their sessions still tell.
        "ALTER TABLE account ADD COLUMN status TEXT NOT NULL DEFAULT 'available'",
        "ALTER TABLE account ADD COLUMN note TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE account ADD COLUMN show_seen INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE account ADD COLUMN seen INTEGER NOT NULL DEFAULT 0",
        "UPDATE account SET seen = coalesce((SELECT max(seen) FROM session WHERE session.account = account.id), 0)",
        """CREATE TABLE mark (
            account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE, talk INTEGER NOT NULL,
            read INTEGER NOT NULL, notify TEXT, marked INTEGER NOT NULL,
            PRIMARY KEY (account, talk)) WITHOUT ROWID""",
        "CREATE INDEX mark_talk ON mark (talk)",
    ),
    (
        "ALTER TABLE entry ADD COLUMN target INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE entry ADD COLUMN edited INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE entry ADD COLUMN retracted INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE entry ADD COLUMN changed INTEGER NOT NULL DEFAULT 0",
        # No foreign key: every message that is inserted would look for reactions to it.
        """CREATE TABLE reaction (
            target INTEGER NOT NULL, account INTEGER NOT NULL, emoji TEXT NOT NULL, first INTEGER NOT NULL,
            PRIMARY KEY (target, account, emoji)) WITHOUT ROWID""",
        # What is there already is indexed by the running broker, in pieces: a start does not wait for it.
        "CREATE TABLE indexed (upto INTEGER PRIMARY KEY)",
        "INSERT INTO indexed VALUES (0)",
        # Exactly what is in the index, which keeps no text of its own: to take a message out, it must be told it.
        """CREATE VIEW entry_spoken AS SELECT seq, CASE WHEN log < 0 THEN 'i' || -log ELSE 'r' || log END
            || ' u' || sender AS scope, text FROM entry
            WHERE kind IN ('message', 'direct') AND NOT retracted AND seq <= (SELECT upto FROM indexed)""",
        """CREATE VIRTUAL TABLE entry_words USING fts5 (scope, text, content = 'entry_spoken', content_rowid = 'seq',
            columnsize = 0, tokenize = 'unicode61 remove_diacritics 2')""",
        # What is taken out is overwritten at once, and not when segments are next merged.
        "INSERT INTO entry_words (entry_words, rank) VALUES ('secure-delete', 1)",
    ),
    (
        "ALTER TABLE account ADD COLUMN bot INTEGER NOT NULL DEFAULT 0",
        """CREATE TABLE key (
            id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
            key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, scopes TEXT NOT NULL, created INTEGER NOT NULL,
            seen INTEGER NOT NULL)""",
        "CREATE INDEX key_account ON key (account)",
    ),
    (
        "ALTER TABLE entry ADD COLUMN hops INTEGER NOT NULL DEFAULT 0",
        """CREATE TABLE moderator (
            room INTEGER NOT NULL REFERENCES room ON DELETE CASCADE,
            account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
            PRIMARY KEY (room, account)) WITHOUT ROWID""",
        "CREATE INDEX moderator_account ON moderator (account)",
        # With rows, for a value may be larger than a page: the keys are found without reading any.
        """CREATE TABLE stored (
            account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE, key TEXT NOT NULL, value BLOB NOT NULL,
            PRIMARY KEY (account, key))""",
    ),
)


class DatabaseUnusable(Exception):
    """The database cannot be opened; the sentence names the file and says what to do."""


def migrate(connection: apsw.Connection, file: Path, steps: Sequence[Step] = STEPS) -> None:
    """Bring the database to the last of `steps`, in one transaction.

    Foreign keys must be off, so that a step may rebuild a table. Raises `DatabaseUnusable` if the database is
    another program's or a newer version's.
    """
    had = version(connection, file, steps)
    if had == len(steps):
        return
    with connection:
        for step in steps[had:]:
            for statement in step:
                connection.execute(statement)
        if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
            raise DatabaseUnusable(
                f"{file} could not be brought up to date: rows in it refer to others that are missing. "
                "It is unchanged. Restore a backup."
            )
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {len(steps)}")


def version(connection: apsw.Connection, file: Path, steps: Sequence[Step] = STEPS) -> int:
    """How many of `steps` the database has had; 0 if it is empty.

    Raises `DatabaseUnusable` if it is another program's or a newer version's.
    """
    application = connection.pragma("application_id")
    had = connection.pragma("user_version")
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").get
    if not application and not had and not tables:
        return 0
    if application != APPLICATION:
        raise DatabaseUnusable(f"{file} is another program's database. Choose another data directory.")
    assert isinstance(had, int)
    if had > len(steps):
        raise DatabaseUnusable(
            f"{file} was written by a newer Tertulia (schema {had}; this one knows {len(steps)}). "
            "Install that version again, or restore a backup made before it."
        )
    return had
