"""Which fault begins when, and for how long: drawn from a seed, so that a seed is a schedule.

What a fault hits is drawn from the seed as well, when it begins. Must not know what a fault does.
"""

from __future__ import annotations

import heapq
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.faults import history as h
from tests.faults.injectors import Injector, World

GAP_S: Final = 2.5
"""Seconds of peace in a lane between two faults, on average."""
LONG_S: Final = 10.0
"""What may last longer than that is drawn that much more rarely."""
TICK_S: Final = 0.1


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


@dataclass
class Performance:
    """Carries out a schedule in real time; `done` counts what was begun, `told` has a line for each."""

    world: World
    steps: Sequence[Step]
    recorder: h.Recorder
    done: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    def run(self, seconds: float, look: Callable[[], None]) -> None:
        """Until the time is over; `look` is called again and again, and raises if something is wrong.

        Whatever is broken then is mended.
        """
        began = time.monotonic()
        waiting = list(self.steps)
        ends: list[tuple[float, int, Injector]] = []
        try:
            while (now := time.monotonic() - began) < seconds:
                while ends and ends[0][0] <= now:
                    heapq.heappop(ends)[2].end()
                while waiting and waiting[0].at <= now:
                    step = waiting.pop(0)
                    fault = step.kind(self.world, random.Random(step.seed))
                    detail = fault.begin()
                    heapq.heappush(ends, (time.monotonic() - began + step.seconds, id(fault), fault))
                    self._tell(step, detail, time.monotonic() - began)
                if not any(fault.lane == "broker" for _, _, fault in ends):
                    self.world.revive()
                look()
                time.sleep(TICK_S)
        finally:
            for _, _, fault in sorted(ends, key=lambda end: end[:2]):
                fault.end()
        self.world.revive()

    def _tell(self, step: Step, detail: str, now: float) -> None:
        self.done[step.kind.name] += 1
        self.recorder.add(h.Fault(h.now(), step.kind.name, detail))
        self.told.append(f"{step} ({detail or 'done'}, at {now:.1f} s)")
