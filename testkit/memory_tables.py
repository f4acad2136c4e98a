"""The tables of a store in memory: everything that is one row, and the rows that a table does not take.

Must not know logs, nor what is asked of a store.
"""

from __future__ import annotations

from copy import copy
from typing import Any

from broker.chat import ports
from broker.chat.ports import Write


class Refused(Exception):
    """A row that a table does not take."""


class Tables:
    """Accounts, rooms and all that hangs on them; copied for each commit, so that a failed one leaves nothing."""

    def __init__(self) -> None:
        self.accounts: dict[int, ports.AccountRow] = {}
        self.passwords: dict[int, str] = {}
        self.keys: dict[int, ports.KeyRow] = {}
        self.sessions: dict[int, ports.SessionRow] = {}
        self.tokens: dict[int, ports.AddToken] = {}
        self.rooms: dict[int, ports.RoomRow] = {}
        self.members: dict[tuple[int, int], ports.MemberRow] = {}
        self.invitations: dict[tuple[int, int], ports.InvitationRow] = {}
        self.hidden: dict[tuple[int, int], ports.HiddenRow] = {}
        self.marks: dict[tuple[int, int], ports.MarkRow] = {}
        self.moderators: dict[tuple[int, int], ports.ModeratorRow] = {}
        self.stored: dict[tuple[int, str], bytes] = {}
        self.last_ids = {"account": 0, "session": 0, "token": 0, "room": 0, "key": 0}

    def copy(self) -> Tables:
        new = Tables()
        for name, value in vars(self).items():
            setattr(new, name, copy(value))
        return new

    def apply(self, write: Write) -> None:
        match write:
            case ports.AddAccount(row, password):
                self._add("account", self.accounts, row.id, row)
                self._named(row.login, (account.login for account in self.accounts.values()))
                self.passwords[row.id] = password
            case ports.UpdateAccount(row):
                if row.id in self.accounts:
                    self.accounts[row.id] = row
                    self._named(row.login, (account.login for account in self.accounts.values()))
            case ports.SetPassword(account, password):
                if account in self.accounts:
                    self.passwords[account] = password
            case ports.PutKey(row):
                self._refer(self.accounts, row.account)
                self.keys[row.id] = row
                self._named(row.key, (key.key for key in self.keys.values()))
                self.last_ids["key"] = max(self.last_ids["key"], row.id)
            case ports.DropKey(id):
                self.keys.pop(id, None)
            case ports.PutSession(row):
                self._refer(self.accounts, row.account)
                self.sessions[row.id] = row
                self.last_ids["session"] = max(self.last_ids["session"], row.id)
            case ports.DropSession(id):
                self.sessions.pop(id, None)
            case ports.AddToken(id, account):
                self._refer(self.accounts, account)
                self._add("token", self.tokens, id, write)
            case ports.DropTokens(account, digest):
                for id, token in list(self.tokens.items()):
                    if token.account == account and digest in (None, token.digest):
                        del self.tokens[id]
            case ports.AddRoom(row):
                self._add("room", self.rooms, row.id, row)
                self._named(row.name, (room.name for room in self.rooms.values()))
            case ports.PutMark(row):
                self._refer(self.accounts, row.account)
                self.marks[row.account, row.talk] = row
            case ports.DropMark(account, talk):
                self.marks.pop((account, talk), None)
            case ports.PutStored(account, key, value):
                self._refer(self.accounts, account)
                self.stored[account, key] = value
            case ports.DropStored(account, key):
                self.stored.pop((account, key), None)
            case ports.UpdateRoom(row):
                if row.id in self.rooms:
                    self.rooms[row.id] = row
                    self._named(row.name, (room.name for room in self.rooms.values()))
            case _:
                self._apply_to_room(write)

    def _apply_to_room(self, write: Write) -> None:
        match write:
            case ports.DropRoom(id):
                self.rooms.pop(id, None)
                for table in (self.members, self.moderators, self.invitations, self.hidden):
                    rows: dict[Any, Any] = table
                    for key, row in list(rows.items()):
                        if row.room == id:
                            del rows[key]
                self.marks = {key: row for key, row in self.marks.items() if row.talk != id}
            case ports.PutMember(row):
                self._refer(self.rooms, row.room)
                self._refer(self.accounts, row.account)
                self.members[row.room, row.account] = row
            case ports.DropMember(room, account):
                self.members.pop((room, account), None)
            case ports.PutModerator(row):
                self._refer(self.rooms, row.room)
                self._refer(self.accounts, row.account)
                self.moderators[row.room, row.account] = row
            case ports.DropModerator(room, account):
                self.moderators.pop((room, account), None)
            case ports.PutInvitation(row):
                self._refer(self.rooms, row.room)
                self._refer(self.accounts, row.account)
                self.invitations[row.room, row.account] = row
            case ports.DropInvitation(room, account):
                self.invitations.pop((room, account), None)
            case ports.SetHidden(account, room, hidden):
                if hidden:
                    self._refer(self.rooms, room)
                    self._refer(self.accounts, account)
                    self.hidden[account, room] = ports.HiddenRow(account, room)
                else:
                    self.hidden.pop((account, room), None)

    def _add(self, name: str, table: dict[int, Any], id: int, row: Any) -> None:
        if id in table:
            raise Refused(f"{name} {id} is there already")
        table[id] = row
        self.last_ids[name] = max(self.last_ids[name], id)

    def _named(self, name: str, names: Any) -> None:
        if list(names).count(name) > 1:
            raise Refused(f"{name!r} is there already")

    def _refer(self, table: dict[int, Any], id: int) -> None:
        if id not in table:
            raise Refused(f"{id} is not there")
