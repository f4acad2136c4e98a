"""Kills the broker again and again under people who talk and read; nothing that was acknowledged may be lost.

Each cycle lets the broker live for a random while, most so short that few are back yet. Two processes of people
share one room, and those who talk write to each other in private. At the end the checker reads what everybody saw and
what is on disk.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults import history as h
from tests.faults.broker_process import BrokerProcess
from tests.faults.checker import judge
from tests.faults.checker_rules import Rule, Verdict
from tests.faults.people_plan import Person, Plan
from tests.faults.people_process import PeopleProcess, quieten

ROOM: Final = "plaza"
LIFE_S: Final = 2.1
"""Seconds that the broker lives at the most, after it has said that it serves."""
SHOWN: Final = 20
"""Broken promises that are printed one by one."""


@dataclass
class Figures:
    """What a run was, and what the checker made of it."""

    cycles: int
    seconds: float
    verdict: Verdict

    def lines(self) -> list[str]:
        """For people to read."""
        counts, private = self.verdict.counts, self.verdict.private
        broken = [violation.rule for violation in self.verdict.violations]
        doubled = broken.count(Rule.DOUBLED)
        lost = sum(broken.count(rule) for rule in (Rule.LOST, Rule.UNDELIVERED, Rule.TAIL, Rule.HISTORY))
        return [
            f"kills -9 of the broker   {self.cycles:,}",
            f"messages acknowledged    {counts[h.Acknowledged]:,} of {counts[h.Sending]:,} sent",
            f"of these in private      {private[h.Acknowledged]:,} of {private[h.Sending]:,}",
            f"deliveries               {counts[h.Delivered]:,}",
            f"pages of history         {counts[h.Answered]:,}",
            f"lost                     {lost:,}",
            f"doubled                  {doubled:,}",
            f"out of order, or other   {len(broken) - lost - doubled:,}",
            f"time                     {self.seconds:,.0f} s",
        ]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this scenario."""
    parser.add_argument("--cycles", type=int, default=1_000, help="how often the broker is killed (default: 1000)")
    parser.add_argument("--seed", type=int, default=1, help="decides the moments (default: 1)")
    parser.add_argument("--senders", type=int, default=20, help="who talk, and read (default: 20)")
    parser.add_argument("--readers", type=int, default=50, help="who only read (default: 50)")
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two turns of a sender (default: 0.5)")


def run(arguments: argparse.Namespace) -> int:
    """The scenario; 1 if a promise was broken."""
    directory = Path(tempfile.mkdtemp(prefix="tertulia-kills-"))
    print(f"seed {arguments.seed}; histories in {directory}", flush=True)
    figures = perform(
        directory, arguments.cycles, arguments.seed, arguments.senders, arguments.readers, arguments.pause, told=True
    )
    print("\n".join(figures.lines()))
    return conclude(figures.verdict, directory)


def conclude(verdict: Verdict, directory: Path) -> int:
    """Print what was broken, and keep the histories then; the exit status."""
    for violation in verdict.violations[:SHOWN]:
        print(violation)
    if verdict.violations:
        print(f"{len(verdict.violations)} broken promises; the histories are kept in {directory}")
        return 1
    shutil.rmtree(directory)
    return 0


def crowd(directory: Path, address: str, seed: int, senders: int, readers: int, pause_s: float) -> list[PeopleProcess]:
    """Senders and readers of one room, in two processes."""
    talkers = [f"talker{n}" for n in range(senders)]
    people = [Person(login=login, hears=[ROOM], talks=[ROOM], makes=[ROOM]) for login in talkers]
    for person in people:
        person.writes = [login for login in talkers if login != person.login]
    people += [Person(login=f"reader{n}", hears=[ROOM]) for n in range(readers)]
    return [
        PeopleProcess(
            Plan(
                address=address,
                where=str(directory),
                name=f"people{half}",
                people=people[half::2],
                seed=seed,
                pause_s=pause_s,
            )
        )
        for half in range(2)
    ]


def perform(
    directory: Path,
    cycles: int,
    seed: int,
    senders: int,
    readers: int,
    pause_s: float,
    *,
    life_s: float = LIFE_S,
    told: bool = False,
) -> Figures:
    """Run it in an empty directory. Raises RuntimeError if a process fails."""
    chance = random.Random(seed)
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(BrokerProcess(directory=directory))
        processes = crowd(directory, str(broker.address), seed, senders, readers, pause_s)
        for process in processes:
            stack.callback(process.close)
        for process in processes:
            process.wait_for("ready")
        for cycle in range(cycles):
            time.sleep(chance.triangular(0, life_s, 0))
            broker.kill()
            broker.start()
            for process in processes:
                process.check()
            if told and (cycle + 1) % 50 == 0:
                print(f"  {cycle + 1} kills after {time.monotonic() - began:.0f} s", flush=True)
        quieten(processes)
        broker.terminate()
    seconds = time.monotonic() - began
    return Figures(cycles, seconds, judge(h.merged(directory), h.final_logs(broker.data / "tertulia.db")))
