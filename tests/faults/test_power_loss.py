"""Power loss in brief; and the model finds what a process loses that does not sync, or syncs the wrong thing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.faults.power_loss import fail, killed_and_resumed, said, traced
from tests.faults.power_loss_disk import Disk, Event, events

COMMITS = 14

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace, to see what a process writes")


@pytest.fixture(scope="module")
def happened(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    return traced(tmp_path_factory.mktemp("traced"), 0, COMMITS)


def test_what_was_acknowledged_outlives_the_power(happened: list[Event]) -> None:
    assert said(happened) == set(range(COMMITS))
    tally = fail(happened, 0, COMMITS, Random(1), 1)
    assert tally.states > 80
    assert tally[1:] == (0, 0, [])


def test_what_is_acknowledged_for_being_there_after_a_kill_outlives_the_power() -> None:
    """The kill comes before the commit's sync; the commit is seen again, and its message resent."""
    resumed = killed_and_resumed(COMMITS, 19)
    assert resumed is not None
    assert fail(*resumed, COMMITS, Random(2), 3)[1:] == (0, 0, [])


@pytest.mark.parametrize("unsynced", ["chat.db-wal", "chat.db"])
def test_a_process_that_forgets_to_sync_is_found(happened: list[Event], unsynced: str) -> None:
    forgetful = [event for event in happened if (event.kind, event.name) != ("sync", unsynced)]
    tally = fail(forgetful, len(forgetful) // 2, COMMITS, Random(3), 1)
    assert tally.lost or tally.corrupt


def test_a_process_that_does_not_sync_the_directory_is_found(happened: list[Event]) -> None:
    forgetful = [event for event in happened if event.kind != "sync-names"]
    assert fail(forgetful, len(forgetful) // 2, COMMITS, Random(4), 1).lost


def write(at: int, data: bytes) -> Event:
    return Event("write", "file", at, data)


def states(*happened: Event) -> set[bytes | None]:
    disk = Disk()
    for event in happened:
        disk.apply(event)
    chance = Random(5)
    return {disk.after_power_loss(chance).get("file") for _ in range(300)}


FIRST_START = """
import sys
from pathlib import Path
from broker.datadir import DataDir
from common import keys
data = DataDir(Path(sys.argv[1]) / "var" / "data")
data.make()
keys.load_or_make_secret(data.pepper, 32)
"""


def test_the_names_of_secrets_and_of_their_directory_are_synced(tmp_path: Path) -> None:
    """A pepper that is lost takes every password with it, however well the database is kept."""
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-qq", "-y", "-o", str(trace), "-e", "trace=link,fsync", sys.executable]
    subprocess.run([*command, "-c", FIRST_START, str(tmp_path)], check=True)
    # The name that ends the first argument, for the link the one that ends the second.
    happened = re.findall(r"(?:fsync|link)\(.*[/.]([\w-]+)[>\"]", trace.read_text())
    draft = happened[2]
    assert happened == ["var", tmp_path.name, draft, "pepper", "data"]


NEW = (Event("make", "file"), Event("sync-names", ""))


def test_what_is_synced_lasts_and_what_is_not_may_not() -> None:
    assert states(*NEW, write(0, b"ab"), Event("sync", "file")) == {b"ab"}
    assert states(*NEW, write(0, b"ab"), Event("sync", "file"), Event("truncate", "file", 1)) == {b"ab", b"a"}
    made = states(*NEW, write(0, b"ab"))
    assert {b"", b"ab"} < made, "and garbage"
    assert {len(content or b"") for content in made} == {0, 2}


def test_a_later_write_may_be_there_without_an_earlier_one() -> None:
    assert b"\0" * 512 + b"b" * 512 in states(*NEW, write(0, b"a" * 512), write(512, b"b" * 512))
    assert b"a" * 512 + b"\0" * 512 + b"a" * 512 in states(*NEW, write(0, b"a" * 1_536)), "torn"


def test_names_are_another_thing_than_contents() -> None:
    assert states(Event("make", "file"), write(0, b"a"), Event("sync", "file")) == {None, b"a"}
    assert states(*NEW, Event("remove", "file")) == {None, b""}
    assert states(*NEW, Event("remove", "file"), Event("sync-names", "")) == {None}


def test_a_trace_is_read(tmp_path: Path) -> None:
    def path(name: str) -> str:
        return "".join(f"\\x{byte:02x}" for byte in str(tmp_path / name).encode())

    trace = tmp_path / "trace"
    lines = [
        f'7 openat(AT_FDCWD<{path("")}>, "{path("a")}", O_RDWR|O_CREAT, 0600) = 3<{path("a")}>',
        f'7 pwrite64(3<{path("a")}>, "\\x61\\x62", 2, 10 <unfinished ...>',
        '8 write(1<\\x2f>, "\\x68\\x69", 2) = 2',
        "7 <... pwrite64 resumed>) = 2",
        f'7 pwrite64(3<{path("a")}>, "\\x61", 1, 4096) = -1 ENOSPC',
        f"7 fdatasync(3<{path('a')}>) = 0",
        f"7 fsync(4<{path('')}>) = 0",
        f"7 fdatasync(3<{path('a')}>) = ?",
        f'7 pwrite64(3<{path("a-shm")}>, "\\x61", 1, 4096) = 1',
    ]
    trace.write_text("\n".join(lines))
    assert list(events(trace, tmp_path)) == [
        Event("make", "a"),
        Event("say", "", 0, b"hi"),
        Event("write", "a", 10, b"ab"),
        Event("sync", "a"),
        Event("sync-names", ""),
    ]
    trace.write_text(f'7 rename("{path("a")}", "{path("b")}") = 0\n')
    with pytest.raises(AssertionError, match="does not know"):
        list(events(trace, tmp_path))
