"""The power fails at any sync of N commits: writes since the last sync are lost, torn, reordered or garbage.

The real journal and store are traced (`committer.py`), the states that their calls allow are drawn by a seed
(`power_loss_disk.py`), and each is opened again as a starting broker does: what was acknowledged before that moment
must be there, and nothing corrupt. So for one process, and for one that was killed in the middle of a commit and
started again, whose clients resend what was not acknowledged.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from broker.chat.effects import Append
from tests.faults import committer
from tests.faults.power_loss_disk import STRACE, Disk, Event, events


class Tally(NamedTuple):
    """What came of the states that were tried."""

    states: int
    lost: int
    corrupt: int
    told: list[str]
    """The first few of what was wrong."""

    def with_(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            self.states + other.states, self.lost + other.lost, self.corrupt + other.corrupt, self.told + other.told
        )


NONE = Tally(0, 0, 0, [])


def traced(directory: Path, first: int, commits: int, killed_at_sync: int | None = None) -> list[Event]:
    """What a committer does in `directory`; it may be killed as it asks for its so many'th sync."""
    data = directory / "data"
    data.mkdir(exist_ok=True)
    trace = directory / "trace"
    program = [sys.executable, "-m", "tests.faults.committer", str(data / "chat.db"), str(first), str(commits)]
    kill = [] if killed_at_sync is None else ["-e", f"inject=fdatasync:signal=SIGKILL:when={killed_at_sync}"]
    done = subprocess.run([*STRACE, *kill, "-o", str(trace), *program], check=False, capture_output=True, text=True)
    assert done.returncode in (0, -9), done.stderr
    return list(events(trace, data))


def killed_and_resumed(commits: int, killed_at_sync: int) -> tuple[list[Event], int] | None:
    """Two processes, the second started after the first was killed; it resends what was not acknowledged.

    All that they did, and how much of it the first; None if that cannot be sent twice, having no nonce.
    """
    with tempfile.TemporaryDirectory(prefix="tertulia-faults-") as name:
        first = traced(Path(name), 0, commits, killed_at_sync)
        resent = max(said(first), default=-1) + 1
        if not isinstance(committer.job(resent), Append):
            return None
        return first + traced(Path(name), resent, min(resent + 3, commits)), len(first)


def said(happened: Iterable[Event]) -> set[int]:
    """The jobs that were acknowledged."""
    return committer.acknowledged(b"".join(event.data for event in happened if event.kind == "say").decode())


def moments(happened: Sequence[Event], since: int) -> Iterator[tuple[int, Disk]]:
    """How many events have been, and the disk then: before and after each sync, and whenever something was said.

    Those before `since` events are left out.
    """
    disk = Disk()
    for at, event in enumerate(happened):
        telling = event.kind in ("sync", "sync-names", "say")
        if telling and at >= since:
            yield at, disk
        disk.apply(event)
        if telling and at >= since:
            yield at + 1, disk


def fail(happened: Sequence[Event], since: int, commits: int, chance: Random, draws: int) -> Tally:
    """Try `draws` states at every moment from `since` events on."""
    tally = NONE
    for at, disk in moments(happened, since):
        done = said(happened[:at])
        for _ in range(draws):
            lost, corrupt = _opened(disk.after_power_loss(chance), done, commits)
            told = [f"after {at} calls: lost {sorted(lost)}, corrupt {corrupt}"] if lost or corrupt else []
            tally = tally.with_(Tally(1, len(lost), int(bool(corrupt)), told))
    return tally


def _opened(files: dict[str, bytes], done: set[int], commits: int) -> tuple[set[int], list[str]]:
    with tempfile.TemporaryDirectory(prefix="tertulia-faults-") as name:
        for file, content in files.items():
            Path(name, file).write_bytes(content)
        return committer.faults(Path(name, "chat.db"), done, commits)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The scenario's options."""
    parser.add_argument("--commits", type=int, default=50, metavar="N", help="commits to lose power in (default: 50)")
    parser.add_argument("--draws", type=int, default=10, metavar="N", help="states at each moment (default: 10)")
    parser.add_argument("--restarts", type=int, default=30, metavar="N", help="kills with a restart (default: 30)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="where chance begins (default: 1)")


def run(arguments: argparse.Namespace) -> int:
    """Try all; 1 if anything was lost or corrupt."""
    began = time.monotonic()
    chance = Random(arguments.seed)
    commits = arguments.commits
    with tempfile.TemporaryDirectory(prefix="tertulia-faults-") as name:
        happened = traced(Path(name), 0, commits)
    syncs = sum(event.kind == "sync" for event in happened)
    print(f"{commits} commits: {len(happened)} calls, {syncs} syncs of files; seed {arguments.seed}")
    once = fail(happened, 0, commits, chance, arguments.draws)
    print(f"one process: states tried {once.states}, lost {once.lost}, corrupt {once.corrupt}")
    again = NONE
    restarts = 0
    for sync in sorted(chance.sample(range(8, syncs), min(arguments.restarts, syncs - 8))):
        second = killed_and_resumed(commits, sync)
        if second is not None:
            restarts += 1
            again = again.with_(fail(*second, commits, chance, arguments.draws))
    print(f"killed and started again, {restarts} times: states tried {again.states}, lost {again.lost}, ", end="")
    print(f"corrupt {again.corrupt}")
    total = once.with_(again)
    for line in total.told[:20]:
        print(line)
    print(f"states tried {total.states}, lost {total.lost}, corrupt {total.corrupt}, {time.monotonic() - began:.0f} s")
    return int(bool(total.lost or total.corrupt))
