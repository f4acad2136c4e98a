"""A process that commits numbered jobs through the real journal and store, and what its database must hold afterwards.

`python -m tests.faults.committer FILE FIRST COMMITS` says `acknowledged N` once job N is settled, one job at a
time, so that the system calls of two runs are the same. The store is opened, written and closed on the journal's
thread: whoever counts its calls counts one thread's. Must not know which fault is at work.
"""

from __future__ import annotations

import math
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Final, cast

import apsw

from broker.chat import ports
from broker.chat.effects import Append, Commit, Origin
from broker.chat.ports import NewEntries, Place, ReadLog, Store, StoreBroken, StoreFailed, Write
from broker.store import connections, sqlite
from broker.store.inspection import Inspection
from broker.store.journal import Job, Journal
from broker.store.migrations import DatabaseUnusable
from broker.store.sqlite import SqliteStore

CHECKPOINT_PAGES: Final = 24
"""Far fewer than a broker's, so that a few commits see several checkpoints."""
UNINDEXED: Final = 5
"""Likewise: a few commits see a few pieces indexed, and messages changed before and after."""
EDITED: Final = "edited"
TRIES: Final = 3
"""How often a refused job is sent again."""
BROKEN: Final = 3
"""Exit status if the journal ended, as it must after a failed sync."""
REFUSED: Final = 4
"""Exit status if a job was refused every time."""
_FIRST_ROOM: Final = 100
_ORIGIN: Final = Origin(b"", "", "", 0, "")


def job(number: int) -> Job:
    """Job `number`, the same in every run: people, rooms, messages short and long, direct ones, changes, a deletion."""
    if number == 0:
        people = [
            ports.AddAccount(ports.AccountRow(id, f"person{id}", "A", "B", 30, "other", 1, False, False), "hash")
            for id in (1, 2)
        ]
        return _commit(*people, ports.AddRoom(_room(1)))
    match number % 6:
        case 1:
            return Append(_ORIGIN, _entry(number, "direct", (-1, -2)))
        case 2:
            # More than a page, and several rows: one transaction, whole or not at all.
            many = [_entry(number, "message", (1,), part, "x" * 700 * part) for part in range(8)]
            return _commit(*many)
        case 3:
            room = _FIRST_ROOM + number
            member = ports.PutMember(ports.MemberRow(room, 1, 0))
            return _commit(ports.AddRoom(_room(room)), member, _entry(number, "message", (room,)))
        case 4:
            seq = _first(number - 3)
            return Append(_ORIGIN, _entry(number, "edit", (-1, -2), text=EDITED, targets=(seq, seq + 1)))
        case 0:
            return Append(_ORIGIN, _entry(number, "retract", (1,), text="", targets=(_first(number - 4),)))
        case 5 if number > 6:
            return _commit(ports.DropRoom(_FIRST_ROOM + number - 8), _entry(number, "message", (1,)))
        case _:
            return Append(_ORIGIN, _entry(number, "message", (1,), text="x" * (number * 37 % 500)))


def _first(number: int) -> int:
    """The `seq` of the first entry of a job: every entry of a job before it has one of its own."""
    return 1 + sum(
        len(write.logs) for each in range(number) for write in writes_of(each) if isinstance(write, NewEntries)
    )


def _room(id: int) -> ports.RoomRow:
    return ports.RoomRow(id, f"room{id}", True, False, True, "", 1, 1)


def _entry(
    number: int, kind: str, logs: tuple[int, ...], part: int = 0, text: str = "hola", targets: tuple[int, ...] = ()
) -> NewEntries:
    nonce = number.to_bytes(8, "big") + part.to_bytes(8, "big")
    return NewEntries(kind, logs, 1, 0, text, nonce, number, targets)


def _commit(*writes: Write) -> Commit:
    return Commit(writes, lambda places, now: [], None, None)


def writes_of(number: int) -> Sequence[Write]:
    """What job `number` writes."""
    made = job(number)
    return (made.entries,) if isinstance(made, Append) else made.writes


class _OpenedByTheJournal:
    """The real store, opened at the first commit and closed by an empty one, all on the journal's thread."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._store: SqliteStore | None = None

    def commit(self, writes: Sequence[Write]) -> list[tuple[Place, ...]]:
        if self._store is None:
            try:
                self._store = SqliteStore(self._file)
            except DatabaseUnusable as error:
                raise StoreFailed(str(error)) from error
        if not writes:
            self._store.close()
            self._store = None
            return []
        return self._store.commit(writes)

    def keep_up(self) -> bool:
        """Index a few messages after each commit, so that the system calls of two runs are the same."""
        if self._store is not None:
            self._store.keep_up()
        return False

    def tidy(self) -> bool:
        return False


def run(file: Path, first: int, commits: int, say: Callable[[int], object]) -> int:
    """Do the jobs from `first` to below `commits`, a refused one again, and say each that is done; the exit status."""
    woken: SimpleQueue[None] = SimpleQueue()
    journal = Journal(cast(Store, _OpenedByTheJournal(file)), lambda: woken.put(None), 64)
    journal.start()

    def settle(each: Job) -> StoreFailed | None:
        if not journal.submit(each):
            return StoreBroken("the journal has ended")
        woken.get()
        error = journal.results.popleft().error
        if error is not None:
            journal.resume(error)
        return error

    for number in range(first, commits):
        for _ in range(TRIES):
            error = settle(job(number))
            if error is None:
                break
            if isinstance(error, StoreBroken):
                return BROKEN
        else:
            print(error, file=sys.stderr)
            return REFUSED
        say(number)
    settle(_commit())
    journal.stop(10)
    return 0


def _say(number: int) -> None:
    # One system call, so that a trace shows when it was said.
    os.write(1, f"acknowledged {number}\n".encode())


def acknowledged(output: str) -> set[int]:
    """The jobs that a committer said were done. The last line may be cut short by a kill."""
    return {int(line.split()[1]) for line in output.splitlines(keepends=True) if line.endswith("\n")}


def faults(file: Path, done: set[int], commits: int) -> tuple[set[int], list[str]]:
    """Open the database as a starting broker does; the acknowledged jobs that are lost, and what is corrupt."""
    try:
        store = SqliteStore(file)
        try:
            heads = store.load().heads
            rooms = {room.id for room in store.load().rooms}
            logs = {log: store.read_log(ReadLog(log, 0, None, 10_000, 1 << 30)).entries for log in heads}
        finally:
            store.close()
        wrong = _damage(file) + _misindexed(file)
    except (DatabaseUnusable, StoreFailed, UnicodeError) as error:
        return done, [str(error)]
    wrong += _broken_chains(logs, heads)
    present, partly = _present(logs, rooms, commits)
    wrong += _unchanged(logs, present, commits)
    wrong += [f"half of job {number} is there" for number in partly]
    stored = [number for number in range(commits) if number in present]
    if stored != list(range(len(stored))):
        wrong.append(f"a job is missing before a later one: {stored}")
    return done - present, wrong


def _damage(file: Path) -> list[str]:
    connection = apsw.Connection(str(file))
    try:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
        return found + [f"dangling: {row}" for row in connection.execute("PRAGMA foreign_key_check")]
    except apsw.Error as error:
        return [str(error)]
    finally:
        connection.close()


def _misindexed(file: Path) -> list[str]:
    with Inspection(file) as inspection:
        return inspection.misindexed()


def _broken_chains(logs: dict[int, list[ports.EntryRow]], heads: dict[int, int]) -> list[str]:
    wrong = []
    for log, entries in logs.items():
        prev = 0
        for entry in entries:
            if entry.prev != prev:
                wrong.append(f"log {log}: {entry.seq} follows {prev}, and says {entry.prev}")
            prev = entry.seq
        if heads[log] != prev:
            wrong.append(f"log {log}: ends with {prev}, and its head is {heads[log]}")
    numbers = Counter(entry.seq for entries in logs.values() for entry in entries)
    return wrong + [f"number {seq} twice" for seq, times in numbers.items() if times > 1]


def _unchanged(logs: dict[int, list[ports.EntryRow]], present: set[int], commits: int) -> list[str]:
    """Messages that are not as they should be: changed if what changes them is there, and not if it is not."""
    found = {(log, entry.seq): (entry.text, entry.changed) for log, entries in logs.items() for entry in entries}
    wrong = []
    for number in range(commits):
        for write in writes_of(number):
            if isinstance(write, NewEntries) and write.targets:
                for target in zip(write.logs, write.targets, strict=True):
                    text, changed = found.get(target, ("", 0))
                    if bool(changed) != (number in present) or (changed and text != write.text):
                        wrong.append(f"job {number} ({write.kind}) and the message {target} do not fit")
    return wrong


def _present(logs: dict[int, list[ports.EntryRow]], rooms: set[int], commits: int) -> tuple[set[int], set[int]]:
    """The jobs that are there whole, and those of which only a part is, or a part twice."""
    held = Counter((log, entry.nonce) for log, entries in logs.items() for entry in entries)
    dropped = {room for number in range(commits) for room in _gone(writes_of(number), held)}
    whole, partly = set(), set()
    for number in range(commits):
        found = []
        for write in writes_of(number):
            if isinstance(write, NewEntries):
                found += [held[log, write.nonce] for log in write.logs if log not in dropped]
            elif isinstance(write, ports.AddRoom) and write.row.id not in dropped:
                found.append(int(write.row.id in rooms))
            elif isinstance(write, ports.DropRoom) and write.id in dropped:
                found.append(int(write.id not in rooms))
        # Of a room that came and went nothing is left, so only its end can tell.
        if not found or set(found) == {1}:
            whole.add(number)
        elif set(found) != {0}:
            partly.add(number)
    return whole, partly


def _gone(writes: Sequence[Write], held: Counter[tuple[int, bytes]]) -> set[int]:
    """The rooms that a job deletes, if the job was done."""
    said = [write for write in writes if isinstance(write, NewEntries)]
    if all(held[log, entry.nonce] for entry in said for log in entry.logs):
        return {write.id for write in writes if isinstance(write, ports.DropRoom)}
    return set()


def resume(file: Path, done: set[int], commits: int) -> list[str]:
    """Send again what was not acknowledged, as clients do, and all that follows; what is wrong with the outcome."""
    first = min(set(range(commits)) - done, default=commits)
    if first < commits and any(not isinstance(write, NewEntries) for write in writes_of(first)):
        # Only what has a nonce may be sent again without asking whether it is there.
        missing, _ = faults(file, {first}, commits)
        first += not missing
    status = run(file, first, commits, lambda number: None)
    if status:
        return [f"the next start ended with {status}"]
    missing, wrong = faults(file, set(range(commits)), commits)
    return wrong + [f"job {number} is missing after all" for number in missing]


if __name__ == "__main__":
    connections.CHECKPOINT_PAGES = CHECKPOINT_PAGES  # type: ignore[misc]
    sqlite.UNINDEXED = UNINDEXED  # type: ignore[misc]
    sqlite.INDEX_SHARE = math.inf  # type: ignore[misc]
    sys.exit(run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), _say))
