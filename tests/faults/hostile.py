"""Hostile peers, each in a process of its own that does one thing, as fast as it can, until it is told to stop.

    flooder      logged in: posts to the room where the others talk
    asker        logged in: requests of every other kind
    subscriber   logged in: asks for 10,000 topics, and again after each cut, as libzmq does
    stopped      logged in: subscribes to the room, and never reads again
    mute         2,000 connections that never say a word, made again when they are shut
    names        names of a mebibyte, in requests and in subscriptions
    thief        routing ids of its own choice, again and again
    foreign      what is no subscription, on the broadcast socket

Each comes from addresses of its own, so that what the broker does to an address does not meet the honest. Must not
know what the broker does about it; what is counted is said on standard output at the end.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Callable
from typing import Final, Self

from common.addresses import parse
from tests.faults import hostile_members, hostile_strangers
from tests.support.patience import PATIENCE_S

Act = Callable[..., dict[str, int]]


class Hostile:
    """The process of one hostile peer."""

    def __init__(self, kind: str, address: str, *sizes: int) -> None:
        """Start it; `sizes` instead of those of its kind."""
        command = [sys.executable, "-m", "tests.faults.hostile", kind, address, *map(str, sizes)]
        # An attacker has a machine of its own: on this one it gets what the broker and the honest leave.
        self._process = subprocess.Popen(["nice", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._kind = kind

    def wait(self) -> None:
        """Return once it is at work."""
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError(f"the {self._kind} failed; its traceback is above")

    def tell_to_stop(self) -> None:
        """Let it end; `stop` waits for that."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def stop(self) -> dict[str, int]:
        """End it; what it has done."""
        assert self._process.stdout is not None
        self.tell_to_stop()
        told = [line for line in self._process.stdout if line != "ready\n"]
        counted: dict[str, int] = json.loads(told[-1] if told else "{}")
        self._process.wait(PATIENCE_S)
        self._process.stdout.close()
        return counted

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.stop()


KINDS: Final[dict[str, Act]] = {
    "flooder": hostile_members.flooder,
    "asker": hostile_members.asker,
    "subscriber": hostile_members.subscriber,
    "stopped": hostile_members.stopped_reader,
    "mute": hostile_strangers.mute,
    "names": hostile_strangers.names,
    "thief": hostile_strangers.thief,
    "foreign": hostile_strangers.foreign,
}


def _ready() -> None:
    print("ready", flush=True)


def _told_to_stop() -> bool:
    return bool(select.select([sys.stdin], [], [], 0)[0])


if __name__ == "__main__":
    sizes = map(int, sys.argv[3:])
    print(json.dumps(KINDS[sys.argv[1]](parse(sys.argv[2]), _ready, _told_to_stop, *sizes)), flush=True)
