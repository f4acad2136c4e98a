"""Small worlds that keep every promise and write down what happens in them, for the checker's own tests.

Must not know the checker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from common import topics
from tests.faults import history as h

ROOM, CAVE = "plaza", "cave"
"""A public room and a private one."""


@dataclass
class Scene:
    """A small world that keeps every promise, and writes down what happens in it."""

    history: list[h.AnyRecord] = field(default_factory=list)
    logs: dict[str, list[h.Row]] = field(default_factory=lambda: {ROOM: [], CAVE: []})
    seq: int = 0
    at: int = 0
    texts: int = 0
    following: dict[tuple[str, str], int] = field(default_factory=dict)

    def tell(self, kind: Callable[..., h.AnyRecord], who: str, *fields: object) -> int:
        self.at += 10
        self.history.append(kind(self.at, who, *fields))
        return self.at

    def join(self, who: str, log: str = ROOM) -> None:
        self.tell(h.Joining, who, log)
        self.tell(h.Joined, who, log)
        head = self.logs[log][-1].seq if self.logs[log] else 0
        self.tell(h.Following, who, log, head, head if log == CAVE else 0, log == CAVE)
        self.following[who, log] = head

    def send(self, who: str, log: str = ROOM) -> str:
        self.texts += 1
        text = f"{who} {self.texts}"
        self.tell(h.Sending, who, log, text)
        return text

    def commit(self, text: str, log: str = ROOM) -> h.Row:
        self.seq += 1
        prev = self.logs[log][-1].seq if self.logs[log] else 0
        row = h.Row(self.seq, prev, text.split()[0], self.seq.to_bytes(16, "big"), text)
        self.logs[log].append(row)
        return row

    def attend(self, who: str) -> None:
        """Begin to read an inbox."""
        log = topics.inbox(who)
        self.logs.setdefault(log, [])
        self.tell(h.Following, who, log, 0, 0, True)
        self.following[who, log] = 0

    def invite(self, who: str) -> None:
        """Something else comes into an inbox, and is given to its owner."""
        row = self.commit("ana", topics.inbox(who))
        self.logs[topics.inbox(who)][-1] = row._replace(text="")
        self.following[who, topics.inbox(who)] = row.seq

    def deposit(self, text: str, to: str) -> tuple[h.Row, h.Row]:
        """A private message gets its places, in the sender's inbox and in the recipient's."""
        nonce = (self.seq + 1).to_bytes(16, "big")
        places = []
        for log in (topics.inbox(text.split()[0]), topics.inbox(to)):
            places.append(self.commit(text, log)._replace(to=to, nonce=nonce))
            self.logs[log][-1] = places[-1]
        return places[0], places[1]

    def write(self, who: str, to: str) -> tuple[h.Row, h.Row]:
        """A private message, sent, acknowledged and heard at both ends."""
        own, there = self.deposit(self.send(who, topics.inbox(to)), to)
        self.ack(own, topics.inbox(to))
        self.deliver(who, topics.inbox(who))
        self.deliver(to, topics.inbox(to))
        return own, there

    def ack(self, row: h.Row, log: str = ROOM) -> None:
        self.tell(h.Acknowledged, row.sender, log, row.text, row.nonce, row.seq)

    def deliver(self, who: str, log: str = ROOM) -> None:
        """All that there is by now."""
        for row in self.logs[log]:
            if row.seq > self.following[who, log] and row.text:
                self.following[who, log] = row.seq
                self.give(who, row, log)

    def give(self, who: str, row: h.Row, log: str = ROOM) -> None:
        self.tell(h.Delivered, who, log, row.seq, row.sender, row.nonce, row.text)

    def say(self, who: str, log: str = ROOM) -> h.Row:
        row = self.commit(self.send(who, log), log)
        self.ack(row, log)
        for reader, followed in self.following:
            if followed == log:
                self.deliver(reader, log)
        return row

    def leave(self, who: str, log: str) -> None:
        asked = self.at
        self.tell(h.Left, who, log, asked)
        del self.following[who, log]

    def expel(self, who: str, by: str, log: str) -> None:
        self.tell(h.Removed, by, log, who, self.at)
        del self.following[who, log]

    def read(self, who: str, log: str = ROOM, after: int | None = None) -> None:
        self.tell(h.Asking, who, log)
        rows = [(row.seq, row.text) for row in self.logs[log] if row.seq > (after or 0)]
        self.tell(h.Answered, who, log, after, rows, False)

    def settle(self) -> None:
        for who, log in self.following:
            self.deliver(who, log)
            self.tell(h.Settled, who, log)


def scene() -> Scene:
    """Three people in a room; five messages, all heard, and some in private."""
    made = Scene()
    for who in ("ana", "bob", "eva"):
        made.join(who)
        made.attend(who)
    for who, to in (("ana", "bob"), ("bob", "ana"), ("ana", "eva"), ("eva", "bob"), ("ana", "bob")):
        made.write(who, to)
        made.invite("bob")
    for who in ("ana", "bob", "ana", "eva", "ana"):
        made.say(who)
    made.read("bob")
    return made


def replace(made: Scene, index: int, **changes: object) -> None:
    """Change a record's fields."""
    record = made.history[index]
    fields = {name: changes.get(name, getattr(record, name)) for name in record.__struct_fields__}
    made.history[index] = type(record)(**fields)


def find(made: Scene, kind: type[h.Record], who: str, nth: int = 0) -> int:
    """Where somebody's nth record of a kind is."""
    return [n for n, record in enumerate(made.history) if isinstance(record, kind) and record.who == who][nth]
