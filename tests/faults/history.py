"""What clients did and saw, and when: one line a record, in files that outlive whoever wrote them.

A record is with the kernel before the call that it announces is made, so a `kill -9` of the client takes nothing back;
the last line of a file may be torn then, and is not read. `at` is CLOCK_MONOTONIC in nanoseconds, which all processes
of a machine share whatever happens to their wall clocks. A message is known by its text, which is sent once only. Must
not know what is right or wrong.
"""

from __future__ import annotations

import contextlib
import heapq
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec


class Record(msgspec.Struct, frozen=True, array_like=True):
    """Something that a process did or saw; `who` is the client's login."""

    at: int
    who: str


class Started(Record, frozen=True, tag="start"):
    """A client process begins (again); what it was about to do before is over."""


class Sending(Record, frozen=True, tag="send"):
    """About to send; here and in what follows, a private message's `log` is the recipient's inbox, `@login`."""

    log: str
    text: str


class Acknowledged(Record, frozen=True, tag="ack"):
    """The broker has said where it is; a private message, where in the sender's inbox."""

    log: str
    text: str
    nonce: bytes
    seq: int


class Failed(Record, frozen=True, tag="fail"):
    """It was not acknowledged; `certain` if the application was told that it was not carried out."""

    log: str
    text: str
    error: str
    certain: bool


class Delivered(Record, frozen=True, tag="got"):
    """The application was given a message."""

    log: str
    seq: int
    sender: str
    nonce: bytes
    text: str


class Joining(Record, frozen=True, tag="join"):
    """About to ask to become a member."""

    log: str


class Joined(Record, frozen=True, tag="joined"):
    """The answer came: a member."""

    log: str


class NotJoined(Record, frozen=True, tag="not-joined"):
    """It was refused; without `certain` it may still be carried out."""

    log: str
    error: str
    certain: bool


class Following(Record, frozen=True, tag="follow"):
    """As a member, reads everything after `after`; what is up to `since` is not for this account to read."""

    log: str
    after: int
    since: int
    private: bool


class Ended(Record, frozen=True, tag="end"):
    """The application was told that it is not a member any more."""

    log: str
    reason: str


class Left(Record, frozen=True, tag="left"):
    """A leave was acknowledged; it was asked for at `asked`."""

    log: str
    asked: int


class Removed(Record, frozen=True, tag="removed"):
    """`who` was told that `guest` is not a member any more, which was asked for at `asked`."""

    log: str
    guest: str
    asked: int


class Asking(Record, frozen=True, tag="ask"):
    """About to ask for history."""

    log: str


class Answered(Record, frozen=True, tag="page"):
    """A page of history: the newest entries, or those from `after` on, as pairs of seq and text."""

    log: str
    after: int | None
    rows: list[tuple[int, str]]
    more: bool


class Settled(Record, frozen=True, tag="settled"):
    """There has been peace for long enough: by now this client must have been given all that this log holds."""

    log: str


class Fault(Record, frozen=True, tag="fault"):
    """What was done to the system; `who` is the fault's name."""

    detail: str


AnyRecord = (
    Started
    | Sending
    | Acknowledged
    | Failed
    | Delivered
    | Joining
    | Joined
    | NotJoined
    | Following
    | Ended
    | Left
    | Removed
    | Asking
    | Answered
    | Settled
    | Fault
)
SUFFIX: Final = ".jsonl"
R = TypeVar("R", bound=Record)


class Recorder:
    """Writes one process's records; each is with the kernel when `add` returns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._encode = msgspec.json.Encoder().encode

    def add(self, record: Record) -> None:
        """Write a record."""
        self._file.write(self._encode(record) + b"\n")

    def close(self) -> None:
        """Nothing more comes."""
        self._file.close()


def now() -> int:
    """The time of a record."""
    return time.monotonic_ns()


def records(path: Path) -> Iterator[AnyRecord]:
    """One process's records; a last line that was torn by its end is left out."""
    decoder = msgspec.json.Decoder(AnyRecord)
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield decoder.decode(line)


def merged(directory: Path) -> Iterator[AnyRecord]:
    """Everybody's records in the order of time, read as they are needed."""
    return heapq.merge(*(records(path) for path in sorted(directory.glob("*" + SUFFIX))), key=lambda each: each.at)


def positions(path: Path, found: dict[tuple[str, str], int]) -> None:
    """Bring up to date, by login and log, how far whoever reads on was given it, with one process's records."""
    for record in records(path):
        if isinstance(record, Following):
            found[record.who, record.log] = record.after
        elif isinstance(record, Delivered):
            found[record.who, record.log] = record.seq
        elif isinstance(record, Ended | Left):
            found.pop((record.who, record.log), None)


class Row(NamedTuple):
    """A message in a final log."""

    seq: int
    prev: int
    sender: str
    nonce: bytes
    text: str
    to: str = ""
    """To whom it was written, in an inbox; an entry of another kind has no text there."""


Logs = Mapping[str, Sequence[Row]]
"""The final logs of rooms, and inboxes as `@login`, each in the order of `seq`."""


def final_logs(database: Path) -> dict[str, list[Row]]:
    """Every room's log, and every inbox, as it is on disk, once the broker has ended."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        rooms: Iterable[tuple[str, ...]] = connection.execute("SELECT name FROM room")
        logs: dict[str, list[Row]] = {name: [] for (name,) in rooms}
        for log, *row in connection.execute(
            "SELECT room.name, seq, prev, login, nonce, text FROM entry JOIN room ON room.id = entry.log"
            " JOIN account ON account.id = sender WHERE kind = 'message' ORDER BY seq"
        ):
            logs[log].append(Row(*row))
        owners: Iterable[tuple[str, ...]] = connection.execute("SELECT login FROM account")
        logs |= {f"@{login}": [] for (login,) in owners}
        for owner, *row in connection.execute(
            "SELECT owner.login, seq, prev, account.login, nonce, CASE kind WHEN 'direct' THEN text ELSE '' END,"
            " CASE kind WHEN 'direct' THEN other.login ELSE '' END FROM entry"
            " JOIN account owner ON owner.id = -entry.log JOIN account ON account.id = sender"
            " LEFT JOIN account other ON other.id = other ORDER BY seq"
        ):
            logs[f"@{owner}"].append(Row(*row))
    return logs
