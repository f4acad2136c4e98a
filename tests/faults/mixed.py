"""Every kind of fault, many at once, from a seed: processes, disk, lines and clocks, under three rooms of people.

The broker and three groups of people have a machine of their own each, made of network namespaces; one group reaches
the broker through a line that is slow at times. Two rooms are public; in the private one guests come, go and are
expelled, and some write to each other in private. Needs root. A seed gives the same schedule again.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.addresses import parse
from tests.faults import history as h
from tests.faults.broker_process import BrokerProcess
from tests.faults.checker import judge
from tests.faults.checker_rules import Verdict
from tests.faults.injectors import World, available
from tests.faults.injectors_surroundings import Disk, FalseClock
from tests.faults.kills import conclude
from tests.faults.network import BROKER, FAR_PORT, PORT, FarLine, Lan, missing
from tests.faults.people_plan import Person, Plan
from tests.faults.people_process import PeopleProcess, quieten
from tests.faults.schedule import Performance, draw

GROUPS: Final = ("far", "near", "wrong")
"""Those behind the bad line, those beside the broker, and those whose clock is wrong at times."""
PUBLIC: Final = ("plaza", "patio")
PRIVATE: Final = "cave"
EACH: Final = 10
"""People in a group."""
WRITERS: Final = 5
"""People in a group who write to each other in private, and to those of the other groups."""
DISK_MB: Final = 48
CONFIG: Final = "[chat]\ngrace_s = 600.0\n"
"""Nobody is to leave a room because they were away for long: that has tests of its own."""


@dataclass
class Figures:
    """What a run was, and what the checker made of it."""

    seconds: float
    faults: Counter[str]
    schedule: list[str]
    failures: Counter[str]
    """Posts that were not acknowledged, by error."""
    verdict: Verdict

    def lines(self) -> list[str]:
        """For people to read."""
        counts, private = self.verdict.counts, self.verdict.private
        failures = ", ".join(f"{name} {count:,}" for name, count in sorted(self.failures.items()))
        return [
            *(f"{name:26}{count:,}" for name, count in sorted(self.faults.items())),
            f"{'messages acknowledged':26}{counts[h.Acknowledged]:,} of {counts[h.Sending]:,} sent",
            f"{'of these in private':26}{private[h.Acknowledged]:,} of {private[h.Sending]:,}",
            f"{'not acknowledged':26}{failures}",
            f"{'deliveries':26}{counts[h.Delivered]:,}, in private {private[h.Delivered]:,}",
            f"{'pages of history':26}{counts[h.Answered]:,}",
            f"{'joined, left, removed':26}{counts[h.Joined]:,}, {counts[h.Left]:,}, {counts[h.Removed]:,}",
            f"{'broken promises':26}{len(self.verdict.violations):,}",
            f"{'time':26}{self.seconds:,.0f} s",
        ]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this scenario."""
    parser.add_argument("--minutes", type=float, default=10.0, help="how long there are faults (default: 10)")
    parser.add_argument("--seed", type=int, default=1, help="decides the schedule (default: 1)")


def run(arguments: argparse.Namespace) -> int:
    """The scenario; 1 if a promise was broken, 2 if it cannot be played here."""
    if reason := missing():
        print(reason)
        return 2
    for lacking in available()[1]:
        print(f"left out: {lacking}")
    directory = Path(tempfile.mkdtemp(prefix="tertulia-mixed-"))
    print(f"seed {arguments.seed}; histories in {directory}", flush=True)
    figures = perform(directory, arguments.minutes * 60, arguments.seed, lambda line: print(line, flush=True))
    print("\n".join(figures.lines()))
    return conclude(figures.verdict, directory)


def plans(directory: Path, seed: int) -> list[Plan]:
    """Who the people are: all are in `plaza`, most talk; some have the private room, and some visit it."""
    people: dict[str, list[Person]] = {group: [] for group in GROUPS}
    guests = [f"{group}{number}" for group in GROUPS for number in (1, 2)]
    writers = [f"{group}{number}" for group in GROUPS for number in range(WRITERS)]
    regulars = [f"{group}{number}" for group in GROUPS for number in (3, 4)]
    for group in GROUPS:
        for number in range(EACH):
            login = f"{group}{number}"
            person = Person(login=login, hears=["plaza"], makes=list(PUBLIC))
            person.talks = ["plaza"] if number < 6 else []
            if number < WRITERS:
                person.writes = [other for other in writers if other != login]
            if number % 2:
                person.hears.append("patio")
                person.talks.append("patio")
            if login in guests:
                person.visits = PRIVATE
            if login in regulars:
                person.hears.append(PRIVATE)
                person.talks.append(PRIVATE)
            people[group].append(person)
    host = people["near"][0]
    host.hosts, host.guests, host.regulars = PRIVATE, guests, regulars
    host.hears.append(PRIVATE)
    return [
        Plan(address="", where=str(directory), name=group, people=people[group], seed=seed, pause_s=0.7)
        for group in GROUPS
    ]


def _world(stack: contextlib.ExitStack, directory: Path, seed: int) -> World:
    """Make everything; the stack unmakes it. Raises `PermissionError` where even root may not."""
    lan = Lan(GROUPS)
    stack.callback(lan.remove)
    try:
        lan.build()
        disk = Disk(directory / "data", DISK_MB)
    except subprocess.CalledProcessError as error:
        raise PermissionError(f"this root may not make namespaces or mounts: {error.stderr}") from None
    stack.callback(disk.close)
    clocks = {name: FalseClock(directory / f"{name}.clock") for name in ("broker", "wrong")}
    stack.callback(clocks["broker"].close)
    broker = BrokerProcess(
        CONFIG,
        directory=directory,
        listen=BROKER,
        port=PORT,
        prefix=lan.on(),
        environment=clocks["broker"].environment,
    )
    stack.callback(broker.close)
    far = FarLine(lan, seed)
    stack.callback(far.close)
    people = {}
    for plan in plans(directory, seed):
        port = FAR_PORT if plan.name == "far" else PORT
        plan.address = str(parse(str(broker.address).replace(f":{PORT}/", f":{port}/")))
        environment = clocks["wrong"].environment if plan.name == "wrong" else {}
        people[plan.name] = PeopleProcess(plan, prefix=lan.on(plan.name), environment=environment)
        stack.callback(people[plan.name].close)
    return World(broker, people, lan, far, disk, clocks)


def perform(directory: Path, seconds: float, seed: int, tell: Callable[[str], None]) -> Figures:
    """Play it in an empty directory. Raises RuntimeError if a process fails; `tell` gets the schedule then."""
    began = time.monotonic()
    kinds, _ = available()
    recorder = h.Recorder(directory / f"faults{h.SUFFIX}")
    with contextlib.ExitStack() as stack:
        world = _world(stack, directory, seed)
        for process in world.people.values():
            process.wait_for("ready")
        performance = Performance(world, draw(kinds, seconds, seed), recorder)

        def look() -> None:
            for process in world.people.values():
                process.check()

        try:
            performance.run(seconds, look)
            while not world.broker.alive:
                world.revive()
            quieten(list(world.people.values()))
        except BaseException:
            tell(f"seed {seed}\n" + "\n".join(performance.told))
            tell(world.broker.log_text()[-2_000:])
            raise
        world.broker.terminate()
        world.disk.keep(directory / "kept")
    recorder.close()
    logs = h.final_logs(directory / "kept" / "tertulia.db")
    verdict = judge(h.merged(directory), logs)
    failures = Counter(record.error for record in h.merged(directory) if isinstance(record, h.Failed))
    if verdict.violations:
        tell(f"seed {seed}\n" + "\n".join(performance.told))
    return Figures(time.monotonic() - began, performance.done, performance.told, failures, verdict)
