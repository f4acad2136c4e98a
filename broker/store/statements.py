"""Every statement but the journal's insert, compiled once from the models: a write costs no building of SQL.

`?1`, `?2` … stand for the fields of the write, or of the question, in their order. Must not know connections.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, assert_never

from peewee import SQL, Model, fn

from broker.chat import ports
from broker.store.models import (
    Account,
    Dropped,
    Entry,
    Hidden,
    Invitation,
    Key,
    Mark,
    Member,
    Moderator,
    Room,
    Session,
    Stored,
    Token,
)

Bindings = tuple[object, ...]


def _compiled(query: Any) -> str:
    sql, values = query.sql()
    assert not values, "a value would be fixed in the statement for good"
    return str(sql)


def _at(position: int) -> Any:
    return SQL(f"?{position}")


def _fields(table: type[Model], row: type[tuple[Any, ...]]) -> list[Any]:
    return [getattr(table, name) for name in row._fields]  # type: ignore[attr-defined]  # rows are named tuples


def _placed(fields: Sequence[Any]) -> dict[Any, Any]:
    return {field: _at(position) for position, field in enumerate(fields, 1)}


def _update(table: type[Model], fields: Sequence[Any]) -> str:
    """Replace all fields by the first of them."""
    values = _placed(fields)
    first = values.pop(fields[0])
    return _compiled(table.update(values).where(fields[0] == first))


_ACCOUNT = _fields(Account, ports.AccountRow)
_KEY = _fields(Key, ports.KeyRow)
_SESSION = _fields(Session, ports.SessionRow)
_ROOM = _fields(Room, ports.RoomRow)
_MEMBER = _fields(Member, ports.MemberRow)
_INVITATION = _fields(Invitation, ports.InvitationRow)
_HIDDEN = _fields(Hidden, ports.HiddenRow)
_MARK = _fields(Mark, ports.MarkRow)
_MODERATOR = _fields(Moderator, ports.ModeratorRow)
_STORED = _fields(Stored, ports.PutStored)
_ENTRY = [
    # The peewee alias of the only table of a SELECT is t1.
    # What an edit changed is looked for in its own log, and nothing is shown where it is not.
    SQL(
        "CASE t1.kind WHEN 'edit' THEN coalesce((SELECT text FROM entry AS said WHERE said.seq = t1.target "
        "AND said.log = t1.log AND said.kind IN ('message', 'direct')), '') ELSE t1.text END"
    )
    if name == "text"
    else getattr(Entry, name)
    for name in ports.EntryRow._fields
    if name != "reactions"
]

_ADD_ACCOUNT = _compiled(Account.insert(_placed([*_ACCOUNT, Account.password])))
_UPDATE_ACCOUNT = _update(Account, _ACCOUNT)
_SET_PASSWORD = _compiled(Account.update({Account.password: _at(2)}).where(Account.id == _at(1)))
_PUT_KEY = _compiled(Key.insert(_placed(_KEY)).on_conflict(conflict_target=[Key.id], preserve=_KEY[1:]))
_DROP_KEY = _compiled(Key.delete().where(Key.id == _at(1)))
_PUT_SESSION = _compiled(
    Session.insert(_placed(_SESSION)).on_conflict(conflict_target=[Session.id], preserve=_SESSION[1:])
)
_DROP_SESSION = _compiled(Session.delete().where(Session.id == _at(1)))
_ADD_TOKEN = _compiled(Token.insert(_placed([Token.id, Token.account, Token.digest, Token.created])))
_DROP_TOKEN = _compiled(Token.delete().where(Token.account == _at(1), Token.digest == _at(2)))
_DROP_TOKENS = _compiled(Token.delete().where(Token.account == _at(1)))
_ADD_ROOM = _compiled(Room.insert(_placed(_ROOM)))
_UPDATE_ROOM = _update(Room, _ROOM)
_DROP_ROOM = _compiled(Room.delete().where(Room.id == _at(1)))
_DROP_LOG = _compiled(Dropped.insert({Dropped.log: _at(1)}).on_conflict_ignore())
_PUT_MEMBER = _compiled(
    Member.insert(_placed(_MEMBER)).on_conflict(conflict_target=_MEMBER[:2], preserve=[Member.since])
)
_DROP_MEMBER = _compiled(Member.delete().where(Member.room == _at(1), Member.account == _at(2)))
_PUT_INVITATION = _compiled(Invitation.insert(_placed(_INVITATION)).on_conflict_ignore())
_DROP_INVITATION = _compiled(Invitation.delete().where(Invitation.room == _at(1), Invitation.account == _at(2)))
_HIDE = _compiled(Hidden.insert(_placed(_HIDDEN)).on_conflict_ignore())
_SHOW = _compiled(Hidden.delete().where(Hidden.account == _at(1), Hidden.room == _at(2)))
_PUT_MARK = _compiled(Mark.insert(_placed(_MARK)).on_conflict(conflict_target=_MARK[:2], preserve=_MARK[2:]))
_DROP_MARK = _compiled(Mark.delete().where(Mark.account == _at(1), Mark.talk == _at(2)))
_DROP_MARKS = _compiled(Mark.delete().where(Mark.talk == _at(1)))
_PUT_MODERATOR = _compiled(Moderator.insert(_placed(_MODERATOR)).on_conflict_ignore())
_DROP_MODERATOR = _compiled(Moderator.delete().where(Moderator.room == _at(1), Moderator.account == _at(2)))
_PUT_STORED = _compiled(
    Stored.insert(_placed(_STORED)).on_conflict(conflict_target=_STORED[:2], preserve=[Stored.value])
)
_DROP_STORED = _compiled(Stored.delete().where(Stored.account == _at(1), Stored.key == _at(2)))


def statements(write: ports.Write) -> tuple[tuple[str, Bindings], ...]:
    """What carries out `write`: statements in order, each with its bindings. None for `NewEntries`."""
    match write:
        case ports.AddAccount(row, password):
            return ((_ADD_ACCOUNT, (*row, password)),)
        case ports.UpdateAccount(row):
            return ((_UPDATE_ACCOUNT, row),)
        case ports.SetPassword():
            return ((_SET_PASSWORD, write),)
        case ports.PutKey(row):
            return ((_PUT_KEY, row),)
        case ports.DropKey():
            return ((_DROP_KEY, write),)
        case ports.PutSession(row):
            return ((_PUT_SESSION, row),)
        case ports.DropSession():
            return ((_DROP_SESSION, write),)
        case ports.AddToken():
            return ((_ADD_TOKEN, write),)
        case ports.DropTokens(account, digest):
            return ((_DROP_TOKENS, (account,)),) if digest is None else ((_DROP_TOKEN, write),)
        case ports.AddRoom(row):
            return ((_ADD_ROOM, row),)
        case ports.UpdateRoom(row):
            return ((_UPDATE_ROOM, row),)
        case ports.DropRoom():
            return ((_DROP_ROOM, write), (_DROP_MARKS, write), (_DROP_LOG, write))
        case ports.PutMember(row):
            return ((_PUT_MEMBER, row),)
        case ports.DropMember():
            return ((_DROP_MEMBER, write),)
        case ports.PutInvitation(row):
            return ((_PUT_INVITATION, row),)
        case ports.DropInvitation():
            return ((_DROP_INVITATION, write),)
        case ports.SetHidden(account, room, hidden):
            return ((_HIDE if hidden else _SHOW, (account, room)),)
        case ports.PutModerator(row):
            return ((_PUT_MODERATOR, row),)
        case ports.DropModerator():
            return ((_DROP_MODERATOR, write),)
        case ports.PutMark(row):
            return ((_PUT_MARK, row),)
        case ports.DropMark():
            return ((_DROP_MARK, write),)
        case ports.PutStored():
            return ((_PUT_STORED, write),)
        case ports.DropStored():
            return ((_DROP_STORED, write),)
        case ports.NewEntries():
            return ()
        case _:  # pragma: no cover - mypy sees to it
            assert_never(write)


def _all(fields: Sequence[Any]) -> str:
    return _compiled(fields[0].model.select(*fields).order_by(fields[0]))


ALL_ACCOUNTS: Final = _all(_ACCOUNT)
ALL_KEYS: Final = _all(_KEY)
ALL_SESSIONS: Final = _all(_SESSION)
ALL_ROOMS: Final = _all(_ROOM)
ALL_MEMBERS: Final = _all(_MEMBER)
ALL_INVITATIONS: Final = _all(_INVITATION)
ALL_HIDDEN: Final = _all(_HIDDEN)
ALL_MARKS: Final = _compiled(Mark.select(*_MARK).order_by(Mark.marked))
ALL_MODERATORS: Final = _all(_MODERATOR)
ALL_STORED: Final = _compiled(
    # SQLite tells the length of a blob without reading it.
    Stored.select(Stored.account, Stored.key, fn.LENGTH(Stored.value)).order_by(Stored.account)
)

LAST_IDS: Final = "SELECT name, seq FROM sqlite_sequence"
"""What AUTOINCREMENT remembers: the highest id ever used, by table."""

HEADS: Final = """
    WITH RECURSIVE known (log) AS (
        SELECT min(log) FROM entry
        UNION ALL
        SELECT (SELECT min(log) FROM entry WHERE log > known.log) FROM known WHERE known.log IS NOT NULL)
    SELECT log, (SELECT max(seq) FROM entry WHERE entry.log = known.log)
    FROM known WHERE log IS NOT NULL AND log NOT IN (SELECT log FROM dropped)"""
"""The last entry of each log. It leaps from log to log in the index; GROUP BY would read all of it."""

PASSWORD: Final = _compiled(Account.select(Account.password).where(Account.id == _at(1)))
HAS_TOKEN: Final = _compiled(
    Token.select(SQL("1")).where(Token.account == _at(1), Token.digest == _at(2), Token.created > _at(3))
)

STORED: Final = _compiled(Stored.select(Stored.value).where(Stored.account == _at(1), Stored.key == _at(2)))

ENTRY_COLUMNS: Final = _compiled(Entry.select(*_ENTRY)).split("SELECT ", 1)[1].rsplit(" FROM ", 1)[0]
"""What an `EntryRow` is made of but its reactions, to be selected from `entry AS t1`."""

_PAGE = Entry.select(*_ENTRY).where(
    Entry.log == _at(1), Entry.seq > _at(2), Entry.seq < _at(3), Entry.log.not_in(Dropped.select(Dropped.log))
)
OLDEST_FIRST: Final = _compiled(_PAGE.order_by(Entry.seq))
NEWEST_FIRST: Final = _compiled(_PAGE.order_by(Entry.seq.desc()))
"""A log's entries with ?2 < seq < ?3. The reader stops where the page ends."""

NEXT_DROPPED: Final = _compiled(Dropped.select(Dropped.log).limit(_at(1)))
PURGEABLE: Final = _compiled(Entry.select(Entry.seq, fn.LENGTH(Entry.text)).where(Entry.log == _at(1)).limit(_at(2)))
PURGE: Final = _compiled(Entry.delete().where(Entry.seq == _at(1)))
PURGED: Final = _compiled(Dropped.delete().where(Dropped.log == _at(1)))
