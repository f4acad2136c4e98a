"""`MemoryStore`: the port `Store` without a disk, for a broker in memory, and for tests of all that stands on a store.

It passes the same contract as `SqliteStore` (`tests/contract`). `failing` makes it refuse, as a broken disk
does; `commits` counts what was done. It is as long as what a store can do, read together with the contract.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any, Final

from broker.chat import ports
from broker.chat.ports import (
    EntryRow,
    Findings,
    FindMessages,
    LogPage,
    MessageRow,
    NewEntries,
    Phrase,
    Place,
    ReadLog,
    ReadMessage,
    ReadStored,
    Snapshot,
    StoreFailed,
    Write,
)
from common.limits import REACTIONS

_NO_SEQ: Final = 2**63 - 1


class _Refused(Exception):
    """A row that a table does not take."""


class _Tables:
    """Everything but the logs; copied for each commit, so that a failed one leaves nothing."""

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

    def copy(self) -> _Tables:
        new = _Tables()
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
            raise _Refused(f"{name} {id} is there already")
        table[id] = row
        self.last_ids[name] = max(self.last_ids[name], id)

    def _named(self, name: str, names: Any) -> None:
        if list(names).count(name) > 1:
            raise _Refused(f"{name!r} is there already")

    def _refer(self, table: dict[int, Any], id: int) -> None:
        if id not in table:
            raise _Refused(f"{id} is not there")


class MemoryStore:
    """Persistence for as long as the object lives."""

    def __init__(self) -> None:
        self.failing: StoreFailed | None = None
        """Raised by `commit` while it is set; nothing is done then."""
        self.commits = 0
        self._tables = _Tables()
        self._logs: dict[int, list[ports.EntryRow]] = {}
        self._places: dict[tuple[int, bytes], list[tuple[int, Place]]] = {}
        self._last = 0
        self._reactions: dict[int, dict[tuple[int, str], int]] = {}
        """By message, whose and which emoji is under it, and which entry brought that emoji."""

    def load(self) -> Snapshot:
        tables = self._tables
        return Snapshot(
            list(tables.accounts.values()),
            list(tables.sessions.values()),
            list(tables.rooms.values()),
            list(tables.members.values()),
            list(tables.invitations.values()),
            list(tables.hidden.values()),
            sorted(tables.marks.values(), key=lambda row: row.marked),
            list(tables.keys.values()),
            list(tables.moderators.values()),
            [ports.StoredRow(account, key, len(value)) for (account, key), value in tables.stored.items()],
            {log: entries[-1].seq for log, entries in self._logs.items()},
            dict(tables.last_ids),
        )

    def commit(self, writes: Sequence[Write]) -> list[tuple[Place, ...]]:
        if self.failing is not None:
            raise self.failing
        tables = self._tables.copy()
        try:
            for write in writes:
                tables.apply(write)
        except _Refused as error:
            raise StoreFailed(str(error)) from None
        self._tables = tables
        self.commits += 1
        places = []
        for write in writes:
            if isinstance(write, NewEntries):
                places.append(self._append(write))
            elif isinstance(write, ports.DropRoom):
                self._drop_log(write.id)
        return places

    def _append(self, new: NewEntries) -> tuple[Place, ...]:
        known = self._places.get((new.sender, new.nonce))
        if known:
            return tuple(place._replace(known=True) for _, place in known)
        places = []
        text = "" if new.kind == "edit" else new.text
        for part, log in enumerate(new.logs):
            self._last += 1
            entries = self._logs.setdefault(log, [])
            prev = entries[-1].seq if entries else 0
            target = new.targets[part] if new.targets else 0
            entries.append(
                EntryRow(
                    self._last,
                    prev,
                    new.time,
                    new.kind,
                    new.sender,
                    new.other,
                    text,
                    new.nonce,
                    target,
                    hops=new.hops,
                )
            )
            places.append((log, Place(self._last, prev, new.time, False)))
        self._places[new.sender, new.nonce] = places
        for (log, place), target in zip(places, new.targets, strict=False):
            self._revise(new, log, target, place.seq)
        if new.kind == "reaction":
            return tuple(
                place._replace(people=self._people(target, new.text))
                for (_, place), target in zip(places, new.targets, strict=True)
            )
        return tuple(place for _, place in places)

    def _people(self, target: int, emoji: str) -> int:
        """How many have that emoji at a message."""
        return sum(each == emoji for _, each in self._reactions.get(target, {}))

    def _revise(self, new: NewEntries, log: int, target: int, seq: int) -> None:
        """Do to the message at `target` what the entry at `seq` says."""
        at, message = next(self._messages(log, target), (0, None))
        if message is None or new.kind not in ("edit", "retract", "reaction"):
            return
        message = message._replace(changed=seq)
        reactions = self._reactions.setdefault(target, {})
        if new.kind == "retract":
            message = message._replace(text="", retracted=True)
            reactions.clear()
        elif new.kind == "edit" and not message.retracted:
            message = message._replace(text=new.text, edited=new.time)
        elif new.kind == "reaction" and not new.other:
            reactions.pop((new.sender, new.text), None)
        elif new.kind == "reaction" and not message.retracted:
            first = {each: since for (_, each), since in reactions.items()}
            if new.text in first or len(first) < REACTIONS:
                reactions.setdefault((new.sender, new.text), first.get(new.text, seq))
        self._logs[log][at] = message

    def _messages(self, log: int, seq: int) -> Iterator[tuple[int, EntryRow]]:
        for at, entry in enumerate(self._logs.get(log, [])):
            if entry.seq == seq and entry.kind in ("message", "direct"):
                yield at, entry

    def _drop_log(self, log: int) -> None:
        for entry in self._logs.pop(log, []):
            self._reactions.pop(entry.seq, None)
            key = (entry.sender, entry.nonce)
            self._places[key] = [place for place in self._places[key] if place[0] != log]

    def password(self, account: int) -> str | None:
        return self._tables.passwords.get(account)

    def has_token(self, account: int, digest: bytes, oldest: int) -> bool:
        return any(
            token.account == account and token.digest == digest and token.created > oldest
            for token in self._tables.tokens.values()
        )

    def read_log(self, query: ReadLog) -> LogPage:
        before = _NO_SEQ if query.before is None else query.before
        found = [entry for entry in self._logs.get(query.log, []) if (query.after or 0) < entry.seq < before]
        if query.after is None:
            found.reverse()
        page: list[ports.EntryRow] = []
        size = 0
        for entry in found[: query.limit]:
            shown = self._shown(query.log, entry, query.reader)
            size += len(shown.text.encode())
            if page and size > query.max_bytes:
                break
            page.append(shown)
        if query.after is None:
            page.reverse()
        return LogPage(page, len(page) < len(found))

    def _shown(self, log: int, entry: EntryRow, reader: int) -> EntryRow:
        """An entry as it is read: an edit with its message's text, a message with what was put under it."""
        if entry.kind == "edit":
            _, message = next(self._messages(log, entry.target), (0, None))
            return entry._replace(text=message.text if message else "")
        first: dict[str, int] = {}
        people: dict[str, set[int]] = {}
        target = entry.target if entry.kind == "reaction" else entry.seq
        for (account, emoji), since in self._reactions.get(target, {}).items():
            if entry.kind == "reaction" and emoji != entry.text:
                continue
            first[emoji] = min(since, first.get(emoji, since))
            people.setdefault(emoji, set()).add(account)
        reactions = [
            ports.Reaction(emoji, len(people[emoji]), reader in people[emoji])
            for emoji in sorted(first, key=lambda each: first[each])
        ]
        return entry._replace(reactions=tuple(reactions))

    def read_message(self, query: ReadMessage) -> MessageRow | None:
        _, message = next(self._messages(query.log, query.seq), (0, None))
        if message is None:
            return None
        known = self._places.get((query.sender, query.nonce))
        return MessageRow(
            message.kind,
            message.sender,
            message.other,
            message.retracted,
            message.hops,
            len(message.text),
            frozenset(emoji for _, emoji in self._reactions.get(message.seq, {})),
            tuple((log, place.seq) for log, place in self._places[message.sender, message.nonce]),
            known[0][1]._replace(known=True) if known else None,
        )

    def find_messages(self, query: FindMessages) -> Findings | None:
        before = _NO_SEQ if query.before is None else query.before
        found = [
            (log, self._shown(log, entry, query.reader))
            for log, since in query.logs
            for entry in self._logs.get(log, [])
            if since < entry.seq < before
            and entry.kind in ("message", "direct")
            and not entry.retracted
            and query.sender in (None, entry.sender)
            and all(_holds(entry.text, phrase) for phrase in query.words)
            and not any(_holds(entry.text, phrase) for phrase in query.without)
        ]
        found = sorted(found, key=lambda hit: -hit[1].seq) if query.words else []
        page: list[tuple[int, EntryRow]] = []
        size = 0
        for hit in found[: query.limit]:
            size += len(hit[1].text.encode())
            if page and size > query.max_bytes:
                break
            page.append(hit)
        return Findings(page, len(page) < len(found))

    def read_stored(self, query: ReadStored) -> bytes | None:
        return self._tables.stored.get((query.account, query.key))

    def close(self) -> None:
        """Nothing to close."""


def _holds(text: str, phrase: Phrase) -> bool:
    """Whether the words of `phrase` stand in `text` one after the other."""
    words, wanted = _words(text), _words(phrase.text)
    for at in range(len(words) - len(wanted) + 1):
        there = words[at : at + len(wanted)]
        if there == wanted or (
            phrase.begins and there[:-1] == wanted[:-1] and there and there[-1].startswith(wanted[-1])
        ):
            return bool(wanted)
    return False


def _words(text: str) -> list[str]:
    """The words of a text, without case and accents; everything but letters and digits divides them."""
    plain = [each for each in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(each) != "Mn"]
    return "".join(each if unicodedata.category(each)[0] in "LN" else " " for each in plain).split()
