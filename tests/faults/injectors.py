"""What can go wrong with a process, a disk, a line or a clock, each with its end: `begin`, some seconds, `end`.

Every injector has a lane: two of one lane are never at work at once, those of different lanes may be. None touches
anything outside of what the scenario has made: no host clock, no foreign process, no foreign mount. Longer
than most modules because there are many kinds, one below the other. Must not know when it is used, nor what is right.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
from dataclasses import dataclass
from typing import ClassVar, Final

from tests.faults.broker_process import BrokerProcess
from tests.faults.guard import GUARD
from tests.faults.injectors_surroundings import FAKETIME, Disk, FalseClock
from tests.faults.network import FarLine, Lan
from tests.faults.people_process import PeopleProcess
from tests.support.patience import PATIENCE_S

JUMPS: Final = (-86_400, -3_600, -40, 40, 3_600, 86_400)
"""Seconds by which a wall clock is wrong."""


@dataclass
class World:
    """What there is to be disturbed."""

    broker: BrokerProcess
    people: dict[str, PeopleProcess]
    lan: Lan
    far: FarLine
    disk: Disk
    clocks: dict[str, FalseClock]

    def revive(self) -> None:
        """As whoever watches over a broker does: start it if it has ended, and again if it cannot start yet."""
        if not self.broker.alive:
            try:
                self.broker.start()
            except RuntimeError:
                pass


class Injector:
    """One kind of fault. `seconds` is how long it lasts, from and to."""

    name: ClassVar[str]
    lane: ClassVar[str]
    seconds: ClassVar[tuple[float, float]] = (0.0, 0.0)

    def __init__(self, world: World, chance: random.Random) -> None:
        self.world = world
        self.chance = chance

    def begin(self) -> str:
        """Do it; what it hit, for the record."""
        raise NotImplementedError

    def end(self) -> None:
        """Undo it."""


class BrokerKilled(Injector):
    name, lane = "broker killed", "broker"

    def begin(self) -> str:
        if self.world.broker.alive:
            self.world.broker.kill()
        self.world.revive()
        return ""


class BrokerTerminated(Injector):
    name, lane = "broker terminated", "broker"

    def begin(self) -> str:
        status = self.world.broker.terminate() if self.world.broker.alive else None
        self.world.revive()
        return f"status {status}"


class BrokerFrozen(Injector):
    name, lane, seconds = "broker frozen", "broker", (0.2, 4.0)

    def begin(self) -> str:
        if self.world.broker.alive:
            self.world.broker.freeze()
        return ""

    def end(self) -> None:
        if self.world.broker.alive:
            self.world.broker.thaw()


class BrokerFrozenLong(BrokerFrozen):
    name, seconds = "broker frozen for long", (16.0, 20.0)


class ReadOnlyStart(Injector):
    """The broker finds its file system read-only when it starts, and cannot; later it can."""

    name, lane, seconds = "read-only at start", "broker", (0.5, 2.0)

    def begin(self) -> str:
        if self.world.broker.alive:
            self.world.broker.kill()
        if not self.world.disk.lock():
            return "not now: the disk is full"
        try:
            self.world.broker.start()
        except RuntimeError:
            return "did not start"
        return "started"

    def end(self) -> None:
        self.world.disk.unlock()
        self.world.revive()


class DiskFull(Injector):
    name, lane, seconds = "disk full", "disk", (2.0, 6.0)

    def begin(self) -> str:
        return "" if self.world.disk.fill() else "not now: it is read-only"

    def end(self) -> None:
        self.world.disk.empty()


class ReadOnly(Injector):
    """Under the running broker every write to a file fails as it would on a read-only file system."""

    name, lane, seconds = "disk read-only", "disk", (1.0, 4.0)

    def begin(self) -> str:
        # The kernel lets nobody remount what is open for writing: the calls fail instead.
        calls = "pwrite64,ftruncate,fallocate"
        inject = ["-e", f"trace={calls}", "-e", f"inject={calls}:error=EROFS"]
        command = ["strace", "-f", "-qq", "-o", os.devnull, *inject, "-p", str(self.world.broker.pid)]
        self._strace = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        GUARD.keep(self, self._strace.pid)
        return ""

    def end(self) -> None:
        self._strace.send_signal(signal.SIGINT)
        try:
            self._strace.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._strace.kill()
            self._strace.wait()
        GUARD.release(self)


class PeopleKilled(Injector):
    name, lane = "people killed", "people"

    def begin(self) -> str:
        who = self.chance.choice(sorted(self.world.people))
        self.world.people[who].restart()
        return who


class PeopleFrozen(Injector):
    name, lane, seconds = "people frozen", "people", (0.2, 4.0)

    def begin(self) -> str:
        self._who = self.chance.choice(sorted(self.world.people))
        self.world.people[self._who].freeze()
        return self._who

    def end(self) -> None:
        self.world.people[self._who].thaw()


class PeopleFrozenLong(PeopleFrozen):
    name, seconds = "people frozen for long", (16.0, 20.0)


class CableOut(Injector):
    name, lane, seconds = "cable out", "line", (0.3, 5.0)

    def begin(self) -> str:
        self._who = self.chance.choice(sorted(self.world.people))
        self.world.lan.plug(self._who, "down")
        return self._who

    def end(self) -> None:
        self.world.lan.plug(self._who, "up")


class CableOutLong(CableOut):
    name, seconds = "cable out for long", (16.0, 20.0)


class NarrowCable(Injector):
    name, lane, seconds = "narrow cable", "line", (2.0, 6.0)

    def begin(self) -> str:
        self._who = self.chance.choice(sorted(self.world.people))
        self.world.lan.narrow(self._who, True)
        return self._who

    def end(self) -> None:
        self.world.lan.narrow(self._who, False)


class BadLine(Injector):
    name, lane, seconds = "far line bad", "line", (2.0, 8.0)
    KINDS: ClassVar[tuple[dict[str, float], ...]] = (
        {"delay_s": 0.3, "jitter_s": 0.2},
        {"delay_s": 0.05, "loss": 0.1, "again_s": 0.8},
        {"bytes_per_s": 12_000.0},
        {"delay_s": 1.5, "jitter_s": 1.0, "loss": 0.02, "again_s": 3.0},
    )

    def begin(self) -> str:
        kind = self.chance.choice(self.KINDS)
        self.world.far.set(kind)
        return str(kind)

    def end(self) -> None:
        self.world.far.set({})


class AllCut(Injector):
    name, lane = "all connections cut", "line"

    def begin(self) -> str:
        self.world.lan.cut()
        return ""


class ClockWrong(Injector):
    name, lane, seconds = "clock wrong", "clock", (2.0, 10.0)

    def begin(self) -> str:
        whose = self.chance.choice(sorted(self.world.clocks))
        jump = self.chance.choice(JUMPS)
        # Until the next one: the end of this fault is not the end of the error.
        self.world.clocks[whose].set(jump)
        return f"{whose} {jump:+d} s"


def available() -> tuple[list[type[Injector]], list[str]]:
    """The kinds of fault that there can be on this machine, and why the others cannot."""
    kinds: list[type[Injector]] = [
        BrokerKilled,
        BrokerTerminated,
        BrokerFrozen,
        BrokerFrozenLong,
        ReadOnlyStart,
        DiskFull,
        PeopleKilled,
        PeopleFrozen,
        PeopleFrozenLong,
        CableOut,
        CableOutLong,
        NarrowCable,
        BadLine,
        AllCut,
    ]
    lacking = []
    if shutil.which("strace"):
        kinds.append(ReadOnly)
    else:
        lacking.append(f"{ReadOnly.name}: needs strace")
    if FAKETIME is not None:
        kinds.append(ClockWrong)
    else:
        lacking.append(f"{ClockWrong.name}: needs libfaketime, of the program faketime")
    return kinds, lacking
