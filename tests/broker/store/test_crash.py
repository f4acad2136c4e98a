"""What was acknowledged is there, once, after `kill -9`; and a disk that really is full refuses cleanly."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from broker.store.sqlite import SqliteStore
from tests.contract.store_contract import whole

CYCLES = 8
LOGS = (1, 2, 3, -1, -2)

# Commits groups as fast as it can, and says so of each only once it is settled.
WRITER = """
import itertools, sys
from pathlib import Path
from queue import SimpleQueue
from broker.chat.effects import Append, Origin
from broker.chat.ports import NewEntries
from broker.store.journal import Journal
from broker.store.sqlite import SqliteStore

woken = SimpleQueue()
store = SqliteStore(Path(sys.argv[1]))
store.load()
journal = Journal(store, lambda: woken.put(None), 64)
journal.start()
cycle, origin = int(sys.argv[2]), Origin(b"", "", "", 0, "")
print("started", flush=True)
for number in itertools.count():
    nonce = cycle.to_bytes(4, "big") + number.to_bytes(12, "big")
    logs = (-1, -2) if number % 5 == 0 else (1 + number % 3,)
    entries = NewEntries("message", logs, 1 + number % 4, 0, "x" * (number % 700), nonce, number)
    while not journal.submit(Append(origin, entries)):
        woken.get()
        while journal.results:
            settled = journal.results.popleft()
            assert settled.error is None
            print(settled.job.entries.nonce.hex())
        sys.stdout.flush()
"""


def acknowledged_before_death(file: Path, cycle: int, lines: int) -> set[bytes]:
    """Run the writer, kill it once it has acknowledged so many, and return all that it had acknowledged."""
    command = [sys.executable, "-c", WRITER, str(file), str(cycle)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        try:
            assert writer.stdout.readline() == "started\n"
            heard = [writer.stdout.readline() for _ in range(lines)]
        finally:
            writer.kill()
        heard += writer.stdout.readlines()
    assert writer.returncode == -9
    # The last line may be cut short by the kill.
    return {bytes.fromhex(line) for line in heard if line.endswith("\n")}


def test_nothing_acknowledged_is_lost_or_doubled_by_kill_9(tmp_path: Path) -> None:
    chance = random.Random(20)
    file = tmp_path / "chat.db"
    acknowledged: set[bytes] = set()
    for cycle in range(CYCLES):
        acknowledged |= acknowledged_before_death(file, cycle, chance.randrange(1, 2_000))
        store = SqliteStore(file)
        logs = {log: whole(store, log) for log in LOGS}
        heads = store.load().heads
        store.close()
        stored: list[bytes] = []
        for log, entries in logs.items():
            prev = 0
            for entry in entries:
                assert entry.prev == prev
                prev = entry.seq
            assert heads.get(log, 0) == prev
            if log != -2:
                stored += [entry.nonce for entry in entries]
        assert len(set(stored)) == len(stored), "a nonce twice in one place"
        assert acknowledged <= set(stored)
        assert [entry.nonce for entry in logs[-1]] == [entry.nonce for entry in logs[-2]], "half of a direct message"
        numbers = [entry.seq for entries in logs.values() for entry in entries]
        assert len(set(numbers)) == len(numbers)


FILLER = """
import sys
from pathlib import Path
from broker.chat.ports import StoreFull
from broker.store.migrations import DatabaseUnusable
from broker.store.sqlite import SqliteStore
from tests.contract.store_contract import SETTING, message, whole

disk = Path(sys.argv[1])
ballast = disk / "ballast"
try:
    with ballast.open("wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
except OSError:
    pass
try:
    SqliteStore(disk / "chat.db")
except DatabaseUnusable as error:
    assert "the disk is full" in str(error), error
else:
    sys.exit("a database on a full disk")
ballast.unlink()
store = SqliteStore(disk / "chat.db")
store.commit(SETTING)
ballast.write_bytes(b"x" * 1_000_000)
done = 0
try:
    for number in range(10_000):
        store.commit([message(2 * number, text="x" * 4_000), message(2 * number + 1)])
        done += 2
except StoreFull:
    pass
else:
    sys.exit("the disk never filled")
assert [entry.seq for entry in whole(store, 1)] == list(range(1, done + 1))
ballast.unlink()
(places,) = store.commit([message(10**6)])
assert places[0][:2] == (done + 1, done), places
store.close()
store = SqliteStore(disk / "chat.db")
assert len(whole(store, 1)) == done + 1
store.close()
print("well")
"""


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="needs root on Linux, to mount a small disk",
)
def test_a_disk_that_is_full_refuses_and_serves_again_when_there_is_room(tmp_path: Path) -> None:
    script = 'mount -t tmpfs -o size=3m tmpfs "$1" || exit 77; exec "$2" -c "$3" "$1"'
    command = ["unshare", "--mount", "sh", "-c", script, "sh", str(tmp_path), sys.executable, FILLER]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip("this root may not mount a disk")
    assert (done.returncode, done.stdout) == (0, "well\n"), done.stderr
