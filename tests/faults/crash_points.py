"""Every write and every sync of N commits fails, or is the moment at which the process dies.

`strace` does it to the real journal and store in a process of their own (`committer.py`): SIGKILL, EIO or ENOSPC at
the first, second … last call of each kind. Then the database is opened again: what was acknowledged must be there,
nothing may be half done, and what was not acknowledged can be sent again and is there once.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from tests.faults import committer
from tests.support import unmeasured

CALLS: Final = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink")
"""How SQLite changes files and makes changes last."""
FAULTS: Final = ("signal=SIGKILL", "error=EIO", "error=ENOSPC")


class Point(NamedTuple):
    """The `number`th call of a kind, and what happens to it."""

    call: str
    number: int
    fault: str

    def __str__(self) -> str:
        return f"{self.fault} at {self.call} {self.number}"


class Outcome(NamedTuple):
    """What one crash point did."""

    point: Point
    killed: bool
    acknowledged: int
    lost: set[int]
    corrupt: list[str]


def _committer(file: Path, commits: int, *strace: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "tests.faults.committer", str(file), "0", str(commits)]
    # Not with --seccomp-bpf: strace then forgets what it has counted.
    command = ["strace", "-f", "-qq", *strace, *program]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=unmeasured.environment())


def calls(commits: int) -> Counter[str]:
    """How often each call is made when nothing goes wrong."""
    with tempfile.TemporaryDirectory(prefix="tertulia-faults-") as directory:
        trace = Path(directory, "trace")
        done = _committer(
            Path(directory, "chat.db"), commits, "-o", str(trace), "-s", "0", "-e", f"trace={','.join(CALLS)}"
        )
        assert done.returncode == 0, done.stderr
        assert committer.acknowledged(done.stdout) == set(range(commits))
        return Counter(re.findall(rf"\b({'|'.join(CALLS)})\(", trace.read_text()))


def points(counted: Counter[str], kinds: Iterable[str] = FAULTS) -> list[Point]:
    """Every crash point."""
    return [Point(call, at, kind) for kind in kinds for call, times in counted.items() for at in range(1, times + 1)]


def crash(point: Point, commits: int) -> Outcome:
    """Let one point fail; what is left."""
    with tempfile.TemporaryDirectory(prefix="tertulia-faults-") as directory:
        file = Path(directory, "chat.db")
        inject = f"inject={point.call}:{point.fault}:when={point.number}"
        done = _committer(file, commits, "-o", "/dev/null", "-e", f"trace={point.call}", "-e", inject)
        killed = done.returncode == -9
        said = committer.acknowledged(done.stdout)
        lost, corrupt = committer.faults(file, said, commits)
        if killed != point.fault.endswith("SIGKILL") or done.returncode not in (-9, 0, committer.BROKEN):
            corrupt.append(f"status {done.returncode}: {done.stderr[-500:]}")
        corrupt += committer.resume(file, said, commits)
        return Outcome(point, killed, len(said), lost, corrupt)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The scenario's options."""
    parser.add_argument("--commits", type=int, default=50, metavar="N", help="commits to crash in (default: 50)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes at once (default: 2)")


def run(arguments: argparse.Namespace) -> int:
    """Try every point; 1 if anything was lost or corrupt."""
    began = time.monotonic()
    counted = calls(arguments.commits)
    every = points(counted)
    print(f"{arguments.commits} commits: " + ", ".join(f"{times} {call}" for call, times in counted.items()))
    with ThreadPoolExecutor(arguments.jobs) as pool:
        outcomes = list(pool.map(lambda point: crash(point, arguments.commits), every))
    for outcome in outcomes:
        if outcome.lost or outcome.corrupt:
            print(f"{outcome.point}: lost {sorted(outcome.lost)}, corrupt {outcome.corrupt}")
    lost = sum(len(outcome.lost) for outcome in outcomes)
    corrupt = sum(bool(outcome.corrupt) for outcome in outcomes)
    for kind in FAULTS:
        of_kind = [outcome for outcome in outcomes if outcome.point.fault == kind]
        print(f"{kind}: {len(of_kind)} points, {sum(outcome.acknowledged for outcome in of_kind)} acknowledged")
    print(f"points tried {len(outcomes)}, lost {lost}, corrupt {corrupt}, {time.monotonic() - began:.0f} s")
    return int(bool(lost or corrupt))
