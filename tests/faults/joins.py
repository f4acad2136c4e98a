"""Joins, expulsions and departures while others try to overhear them: nobody hears what is not meant for them.

Pairs of an owner and a guest go through it again and again, each pair in a private room of its own: the guest is let
in, hears a message, and is expelled or leaves, by turns; then the owner says something that the guest must not hear.
Meanwhile attackers with hand-made connections send to the broadcast socket what is no subscription, and ask for these
rooms by name, by prefix and by guessing. Every socket records what it hears. Promised: nothing is heard by whoever is
no member at that moment, and no honest guest waits longer than a second to be let in.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from tests.faults.broker_process import BrokerProcess
from tests.faults.honest import share
from tests.faults.joins_attack import Eavesdroppers
from tests.faults.joins_pair import Pair

COUNT: Final = 10_000
WAIT_S: Final = 1.0
CONFIG: Final = """
[chat]
# The honest do in seconds what people do in days; what is attacked is bounded as by default.
posts = [0, 0]
requests = [0, 0]

[network]
session_handshakes = [0, 0]
"""


@dataclass
class Report:
    """What came of it."""

    rounds: int = 0
    waits: list[float] = field(default_factory=list)
    """Seconds from the answer to a join until its subscription was granted."""
    retries: int = 0
    cuts: int = 0
    overheard: list[str] = field(default_factory=list)
    """What somebody heard who was no member."""
    heard_rightly: int = 0

    @property
    def longest(self) -> float:
        """Seconds that the least lucky guest waited."""
        return max(self.waits, default=0.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many, and against how many."""
    parser.add_argument("--count", type=int, default=COUNT, help="joins, each with its end (default: %(default)s)")
    parser.add_argument("--pairs", type=int, default=4, help="pairs at the same time (default: %(default)s)")
    parser.add_argument("--attackers", type=int, default=3, help="processes that attack (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Go through all of them; 1 if somebody overheard something, or somebody waited for too long."""
    with BrokerProcess(CONFIG) as broker:
        began = time.monotonic()
        report, attack = attacked(broker, arguments.count, arguments.pairs, arguments.attackers)
        took = time.monotonic() - began
        alive = broker.alive
    waits = sorted(report.waits)
    print(f"{report.rounds} joins and ends in {took:.0f} s, {arguments.pairs} pairs, attackers: {attack}")
    print(f"heard by members: {report.heard_rightly}; by others: {len(report.overheard)}")
    print(
        f"until let in: p50 {share(waits, 0.5) * 1_000:.0f} ms, p99 {share(waits, 0.99) * 1_000:.0f} ms, "
        f"longest {report.longest * 1_000:.0f} ms; asked again {report.retries} times, cut {report.cuts} times"
    )
    broken = [f"overheard: {each}" for each in report.overheard[:10]]
    broken += [] if report.longest <= WAIT_S else [f"an honest guest waited {report.longest:.2f} s"]
    broken += [] if alive else ["the broker ended"]
    for sentence in broken:
        print(f"BROKEN: {sentence}")
    return 1 if broken else 0


def attacked(broker: BrokerProcess, count: int, pairs: int, attackers: int) -> tuple[Report, dict[str, int]]:
    """`count` rounds of `pairs` pairs under the attack of so many processes, and what these did."""
    report = Report()
    rooms = [f"cellar-{os.urandom(3).hex()}-{number}" for number in range(pairs)]

    def go_through(pair: Pair, rounds: int) -> None:
        for turn in range(rounds):
            pair.round(expelled=turn % 2 == 0)
        pair.finish()

    with ExitStack() as stack:
        made = [stack.enter_context(Pair(broker.address, room)) for room in rooms]
        eavesdroppers = stack.enter_context(Eavesdroppers(str(broker.address), rooms, attackers))
        with ThreadPoolExecutor(pairs) as pool:
            shares = [count // pairs + (number < count % pairs) for number in range(pairs)]
            for done in [pool.submit(go_through, *each) for each in zip(made, shares, strict=True)]:
                done.result()
        counted, overheard = eavesdroppers.stop()
    for pair in made:
        report.rounds += pair.rounds
        report.waits += pair.waits
        report.retries += pair.retries
        report.cuts += pair.cuts
        report.overheard += pair.overheard
        report.heard_rightly += pair.heard_rightly
    report.overheard += overheard
    return report, counted
