"""Pressure from all sides at once: others' messages take at most twice as long as without it.

A flooder, a reader that stopped, 2,000 connections that never speak, and 10,000 subscriptions from one client, all
logged in but the mute. Rounds with and without them alternate, and medians are compared, since a machine has moods.
Promised besides: nothing is lost between honest members, and the broker's memory and descriptors stay bounded.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from tests.faults.broker_process import BrokerProcess
from tests.faults.honest import Latency, Members
from tests.faults.hostile import KINDS, Hostile

TOGETHER: Final = ("flooder", "stopped", "mute", "subscriber")
TIMES: Final = 2.0
"""As long as without, at the most."""
FLOOR_MS: Final = 5.0
"""A delivery faster than this has not suffered, whatever it is a multiple of."""
PEAK: Final = 256 * 2**20
DESCRIPTORS: Final = 3_000


@dataclass
class Report:
    """Rounds without and with the pressure, and what the broker took at its most."""

    calm: list[Latency] = field(default_factory=list)
    pressed: list[Latency] = field(default_factory=list)
    descriptors: int = 0
    peak: int = 0
    counted: list[dict[str, dict[str, int]]] = field(default_factory=list)
    """What each of the hostile did, by kind, of each round."""

    @property
    def lost(self) -> int:
        """Honest messages that did not arrive."""
        return sum(each.expected - each.arrived for each in self.calm + self.pressed)

    def broken(self) -> list[str]:
        """Promises that do not depend on the machine's mood."""
        found = [f"{self.lost} honest messages were lost"] if self.lost else []
        found += [f"the broker's peak was {self.peak / 2**20:.0f} MiB"] if self.peak >= PEAK else []
        return found + ([f"{self.descriptors} descriptors"] if self.descriptors >= DESCRIPTORS else [])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long, and from whom."""
    parser.add_argument("--rounds", type=int, default=5, help="of each kind (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each round (default: %(default)s)")
    parser.add_argument("--by", nargs="+", choices=list(KINDS), default=list(TOGETHER), help="who presses")


def run(arguments: argparse.Namespace) -> int:
    """Compare; 1 if others had to wait for more than twice as long."""
    with BrokerProcess() as broker:
        report = pressed(broker, arguments.by, arguments.rounds, arguments.seconds)
        if not broker.alive:
            print(f"BROKEN: the broker ended with status {broker.process.poll()}")
            return 1
        now, descriptors = broker.memory(), broker.descriptors()
    calm, under = (statistics.median(each.p99 for each in rounds) for rounds in (report.calm, report.pressed))
    print(f"median p99: {calm:.1f} ms without, {under:.1f} ms with: {under / calm:.2f} times")
    p50s = [statistics.median(each.p50 for each in rounds) for rounds in (report.calm, report.pressed)]
    print(f"median p50: {p50s[0]:.1f} ms without, {p50s[1]:.1f} ms with")
    print(
        f"broker: {report.peak / 2**20:.0f} MiB at its peak, {now / 2**20:.0f} now; "
        f"{report.descriptors} descriptors at most, {descriptors} now"
    )
    broken = report.broken()
    if under > max(FLOOR_MS, TIMES * calm):
        broken.append(f"p99 was {under / calm:.1f} times as long")
    for sentence in broken:
        print(f"BROKEN: {sentence}")
    return 1 if broken else 0


def pressed(
    broker: BrokerProcess,
    kinds: list[str],
    rounds: int,
    seconds: float,
    sizes: Callable[[str], tuple[int, ...]] = lambda kind: (),
) -> Report:
    """Measure by turns without and with the hostile, in the sizes of their kind or in those given."""
    report = Report()
    with Members(str(broker.address)) as members:
        for number in range(rounds):
            report.calm.append(members.measure(seconds))
            print(f"{number + 1} without: {report.calm[-1]}")
            with ExitStack() as stack:
                hostile = {
                    kind: stack.enter_context(Hostile(kind, str(broker.address), *sizes(kind))) for kind in kinds
                }
                for each in hostile.values():
                    each.wait()
                report.pressed.append(members.measure(seconds))
                report.descriptors = max(report.descriptors, broker.descriptors())
                for each in hostile.values():
                    each.tell_to_stop()
                counted = {kind: each.stop() for kind, each in hostile.items()}
            print(f"{number + 1} with:    {report.pressed[-1]}")
            print(f"  {counted}")
            report.counted.append(counted)
        report.peak = broker.peak_memory()
    return report
