"""The tables, as peewee models: column names and types, once, for every statement and every reader.

The models have no behaviour and no connection: statements are compiled from them (`broker.store.statements`)
and run on the connections of `broker.store.connections`. The schema itself, with its indexes and deletion
rules, is made by `broker.store.migrations`; a test holds the two together. Must not know the rules.
"""

from __future__ import annotations

from typing import Final

from peewee import BlobField, BooleanField, CompositeKey, ForeignKeyField, IntegerField, Model, TextField
from playhouse.apsw_ext import APSWDatabase

DIALECT: Final = APSWDatabase(None)
"""Never connected: it only tells peewee which SQL to write, so that one process can hold several stores."""


class Table(Model):
    class Meta:
        database = DIALECT


class Account(Table):
    id = IntegerField(primary_key=True)
    login = TextField(unique=True)
    first_names = TextField()
    surnames = TextField()
    age = IntegerField()
    gender = TextField()
    created = IntegerField()
    disabled = BooleanField()
    operator = BooleanField()
    password = TextField()
    status = TextField()
    note = TextField()
    show_seen = BooleanField()
    seen = IntegerField()
    bot = BooleanField()


class Key(Table):
    id = IntegerField(primary_key=True)
    account = ForeignKeyField(Account, column_name="account")
    key = TextField(unique=True)
    name = TextField()
    scopes = TextField()
    created = IntegerField()
    seen = IntegerField()


class Session(Table):
    id = IntegerField(primary_key=True)
    account = ForeignKeyField(Account, column_name="account")
    key = TextField()
    label = TextField()
    client = TextField()
    created = IntegerField()
    seen = IntegerField()
    present = BooleanField()
    current = IntegerField()


class Token(Table):
    id = IntegerField(primary_key=True)
    account = ForeignKeyField(Account, column_name="account")
    digest = BlobField()
    created = IntegerField()


class Room(Table):
    id = IntegerField(primary_key=True)
    name = TextField(unique=True)
    kept = BooleanField()
    private = BooleanField()
    open = BooleanField()
    subject = TextField()
    creator = IntegerField(null=True)
    created = IntegerField()


class Member(Table):
    room = ForeignKeyField(Room, column_name="room")
    account = ForeignKeyField(Account, column_name="account")
    since = IntegerField()

    class Meta:
        primary_key = CompositeKey("room", "account")


class Moderator(Table):
    room = ForeignKeyField(Room, column_name="room")
    account = ForeignKeyField(Account, column_name="account")

    class Meta:
        primary_key = CompositeKey("room", "account")


class Invitation(Table):
    room = ForeignKeyField(Room, column_name="room")
    account = ForeignKeyField(Account, column_name="account")

    class Meta:
        primary_key = CompositeKey("room", "account")


class Hidden(Table):
    account = ForeignKeyField(Account, column_name="account")
    room = ForeignKeyField(Room, column_name="room")

    class Meta:
        primary_key = CompositeKey("account", "room")


class Mark(Table):
    """`talk` is a room's id or another account's negated: a room takes its marks with it by hand."""

    account = ForeignKeyField(Account, column_name="account")
    talk = IntegerField()
    read = IntegerField()
    notify = TextField(null=True)
    marked = IntegerField()

    class Meta:
        primary_key = CompositeKey("account", "talk")


class Stored(Table):
    account = ForeignKeyField(Account, column_name="account")
    key = TextField()
    value = BlobField()

    class Meta:
        primary_key = CompositeKey("account", "key")


class Entry(Table):
    """One line of one log. `part` is its position in `NewEntries.logs`, so that a nonce is there once per log."""

    seq = IntegerField(primary_key=True)
    log = IntegerField()
    prev = IntegerField()
    part = IntegerField()
    time = IntegerField()
    kind = TextField()
    sender = IntegerField()
    other = IntegerField()
    text = TextField()
    nonce = BlobField()
    target = IntegerField()
    edited = IntegerField()
    retracted = BooleanField()
    changed = IntegerField()
    hops = IntegerField()


class Reaction(Table):
    """An account's emoji under a message; `first` is the `seq` of the entry that brought this emoji there."""

    target = IntegerField()
    account = IntegerField()
    emoji = TextField()
    first = IntegerField()

    class Meta:
        primary_key = CompositeKey("target", "account", "emoji")


class Dropped(Table):
    """The logs of deleted rooms: nobody reads them any more, and their entries are purged bit by bit."""

    log = IntegerField(primary_key=True)


class Indexed(Table):
    """One row: every message up to that `seq` is in the full-text index, and none beyond (`broker.store.words`)."""

    upto = IntegerField(primary_key=True)


MODELS: Final = (
    Account,
    Key,
    Session,
    Token,
    Room,
    Member,
    Moderator,
    Invitation,
    Hidden,
    Mark,
    Stored,
    Entry,
    Reaction,
    Dropped,
    Indexed,
)
