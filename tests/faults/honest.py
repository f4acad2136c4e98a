"""Honest members, in a process of their own, who talk to each other and say how long each message took.

Several accounts in one room; one after the other says something, at a fixed pace, and every other member notes when
it arrives (`honest_members`). The same process runs with and without an attack, so that only the attack differs. Must
not know what is done to the broker meanwhile.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Self

from tests.support.patience import PATIENCE_S


@dataclass(frozen=True)
class Latency:
    """How messages fared: counts, and milliseconds from sending to arrival at another member."""

    sent: int
    refused: int
    expected: int
    """Arrivals that there should have been, of messages that were not refused."""
    arrived: int
    renewed: int
    """Subscriptions made again."""
    p50: float
    p99: float
    longest: float

    def __str__(self) -> str:
        lost = f", {self.expected - self.arrived} LOST" if self.expected != self.arrived else ""
        return (
            f"p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms, longest {self.longest:.0f} ms ({self.sent} sent, "
            f"{self.refused} refused, {self.arrived} arrivals{lost}, {self.renewed} subscribed again)"
        )


def share(ordered: list[float], part: float) -> float:
    """The value below which that part of the ordered values lies; 0 of none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


class Members:
    """The process of the honest members; registered and subscribed once this is made."""

    def __init__(self, address: str, members: int = 5, rate: float = 20.0) -> None:
        """`rate` is messages a second of all members together."""
        command = [sys.executable, "-m", "tests.faults.honest_members", address, str(members), str(rate)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._line()

    def begin(self, seconds: float) -> None:
        """Start to measure."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()

    def result(self) -> Latency:
        """What the measurement found; waits for its end."""
        return Latency(**json.loads(self._line()))

    def measure(self, seconds: float) -> Latency:
        """Begin, and wait for the result."""
        self.begin(seconds)
        return self.result()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the honest members failed; their traceback is above")
        return line

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Meanwhile:
    """Measures round after round for as long as the context lasts; then `found` has the rounds."""

    def __init__(self, members: Members, round_s: float = 5.0) -> None:
        self._members = members
        self._round_s = round_s
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="honest-rounds")
        self.found: list[Latency] = []

    def _run(self) -> None:
        while not self._ends.is_set():
            self.found.append(self._members.measure(self._round_s))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    @property
    def p99(self) -> float:
        """The median of the rounds' 99th percentiles, in milliseconds: one round may meet a neighbour's work."""
        return statistics.median(each.p99 for each in self.found)

    @property
    def lost(self) -> int:
        """Messages that did not arrive where they should have."""
        return sum(each.expected - each.arrived for each in self.found)

    def __str__(self) -> str:
        p50 = statistics.median(each.p50 for each in self.found)
        longest = max(each.longest for each in self.found)
        refused, renewed = sum(each.refused for each in self.found), sum(each.renewed for each in self.found)
        return (
            f"medians of {len(self.found)} rounds: p50 {p50:.1f} ms, p99 {self.p99:.1f} ms; longest {longest:.0f} ms; "
            f"{sum(each.arrived for each in self.found)} arrivals, {self.lost} lost, {refused} refused, "
            f"{renewed} subscribed again"
        )
