"""Which fault begins when, and for how long: drawn from a seed, so that a seed is a schedule.

What a fault hits is drawn from the seed as well, when it begins. Must not know what a fault does.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from tests.faults import history as h
from tests.faults.injectors import Injector, World

BROKER: Final = "broker"
"""The lane in which the broker is started and ended."""
GAP_S: Final = 4.0
"""Seconds of peace in a lane between two faults, on average."""
LONG_S: Final = 10.0
"""What may last longer than that is drawn that much more rarely."""
TICK_S: Final = 0.1
LANE_S: Final = 60.0


@dataclass(frozen=True)
class Step:
    """A fault to come: seconds from the start, its kind, how long it lasts, and what the rest is drawn from."""

    at: float
    kind: type[Injector]
    seconds: float
    seed: int

    def __str__(self) -> str:
        return f"{self.at:7.1f} s  {self.kind.name}" + (f", {self.seconds:.1f} s long" if self.seconds else "")


def draw(kinds: Sequence[type[Injector]], seconds: float, seed: int) -> list[Step]:
    """A schedule: in each lane one fault after the other; every kind that fits at least once if there is time."""
    steps: list[Step] = []
    for lane in sorted({kind.lane for kind in kinds}):
        chance = random.Random(f"{seed} {lane}")
        mine = [kind for kind in kinds if kind.lane == lane]
        weights = [0.1 if kind.seconds[1] > LONG_S else 1.0 for kind in mine]
        first = chance.sample(mine, len(mine))
        at = chance.uniform(0.2, GAP_S)
        while at < seconds:
            short = first.pop() if first and seconds > 60 else None
            kind = short or chance.choices(mine, weights)[0]
            lasts = chance.uniform(*kind.seconds)
            if at + lasts < seconds:
                steps.append(Step(at, kind, lasts, chance.getrandbits(32)))
                at += lasts
            at += chance.expovariate(1 / GAP_S) + 0.2
    return sorted(steps, key=lambda step: step.at)


class Performance:
    """Carries out a schedule in real time, each lane in a thread of its own.

    `done` counts what was begun; `told` has a line for each.
    """

    def __init__(self, world: World, steps: Sequence[Step], recorder: h.Recorder) -> None:
        self.done: Counter[str] = Counter()
        self.told: list[str] = []
        self._world = world
        self._steps = steps
        self._recorder = recorder
        self._telling = threading.Lock()
        self._over = threading.Event()

    def run(self, seconds: float, look: Callable[[], None]) -> None:
        """Until the time is over; `look` is called again and again, and raises if something is wrong.

        Whatever is broken then is mended.
        """
        self._began = time.monotonic()
        lanes = sorted({step.kind.lane for step in self._steps})
        with ThreadPoolExecutor(max(1, len(lanes))) as pool:
            playing = [pool.submit(self._play, lane) for lane in lanes]
            try:
                while self._now() < seconds:
                    look()
                    for lane in playing:
                        if lane.done():
                            lane.result()
                    time.sleep(TICK_S)
            finally:
                self._over.set()
        for lane in playing:
            lane.result()
        self._world.revive()

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _play(self, lane: str) -> None:
        """A lane that is late, because the machine has other things to do, goes on with what is next."""
        for step in self._steps:
            if step.kind.lane == lane and self._wait(lane, step.at):
                fault = step.kind(self._world, random.Random(step.seed))
                detail = fault.begin()
                try:
                    self._tell(step, detail)
                    self._over.wait(step.seconds)
                finally:
                    fault.end()
        self._wait(lane, math.inf)

    def _wait(self, lane: str, at: float) -> bool:
        """Until that time; False if all is over before. Meanwhile the broker's lane sees to it that there is one."""
        while not self._over.is_set():
            if lane == BROKER:
                self._world.revive()
            left = at - self._now()
            if left <= 0:
                return True
            self._over.wait(min(left, TICK_S) if lane == BROKER else min(left, LANE_S))
        return False

    def _tell(self, step: Step, detail: str) -> None:
        with self._telling:
            self.done[step.kind.name] += 1
            self._recorder.add(h.Fault(h.now(), step.kind.name, detail))
            self.told.append(f"{step} ({detail or 'done'}, at {self._now():.1f} s)")
