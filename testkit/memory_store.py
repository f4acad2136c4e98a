"""`MemoryStore`: the port `Store` without a disk, for a broker in memory, and for tests of all that stands on a store.

It passes the same contract as `SqliteStore` (`tests/contract`). `failing` makes it refuse, as a broken disk
does; `commits` counts what was done. It is as long as what a store can do, read together with the contract.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

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
from testkit.memory_tables import Refused, Tables

_NO_SEQ: Final = 2**63 - 1


class MemoryStore:
    """Persistence for as long as the object lives."""

    def __init__(self) -> None:
        self.failing: StoreFailed | None = None
        """Raised by `commit` while it is set; nothing is done then."""
        self.commits = 0
        self._tables = Tables()
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
        except Refused as error:
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
