"""Machines on one machine: a broker and groups of people in network namespaces, with cables that can be cut.

Needs root and iproute2. All that is made in the system is named after this process, and goes with `remove`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from tests.faults.guard import GUARD

BROKER: Final = "10.78.0.1"
PORT: Final = 5570
FAR_PORT: Final = 6570
"""Where the proxy of the far ones listens, on the broker's machine."""
RATE: Final = ("rate", "256kbit", "burst", "16kbit", "latency", "300ms")
"""What a narrow cable carries; what does not fit is dropped, and TCP sends it again."""


def missing() -> str:
    """Why there can be no such network here; empty if there can."""
    if not hasattr(os, "geteuid") or os.geteuid():
        return "network namespaces and mounts need root"
    if any(shutil.which(program) is None for program in ("ip", "tc", "ss")):
        return "needs ip, tc and ss, of iproute2"
    return ""


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


class Lan:
    """A broker's machine with a bridge, and further machines, each joined to it by a cable of its name."""

    def __init__(self, names: Sequence[str]) -> None:
        self._prefix = f"flt{os.getpid()}"
        self._broker = f"{self._prefix}b"
        self._machines = {name: f"{self._prefix}{number}" for number, name in enumerate(names, 2)}
        self._namespaces = (self._broker, *self._machines.values())

    def build(self) -> None:
        """Make it. Raises `CalledProcessError` where even root may not."""
        for namespace in self._namespaces:
            GUARD.unmake(namespace, ["ip", "netns", "delete", namespace])
        _run("ip", "netns", "add", self._broker)
        inside = ("ip", "-n", self._broker)
        _run(*inside, "link", "set", "lo", "up")
        _run(*inside, "link", "add", "lan", "type", "bridge")
        _run(*inside, "addr", "add", f"{BROKER}/24", "dev", "lan")
        _run(*inside, "link", "set", "lan", "up")
        for number, (name, machine) in enumerate(self._machines.items(), 2):
            there = ("ip", "-n", machine)
            _run("ip", "netns", "add", machine)
            _run(*there, "link", "set", "lo", "up")
            ends = ("eth0", "netns", machine, "type", "veth", "peer", "name", name, "netns", self._broker)
            _run("ip", "link", "add", *ends)
            _run(*inside, "link", "set", name, "master", "lan", "up")
            _run(*there, "addr", "add", f"10.78.0.{number}/24", "dev", "eth0")
            _run(*there, "link", "set", "eth0", "up")

    def remove(self) -> None:
        """Unmake it, however much of it there is."""
        for namespace in self._namespaces:
            subprocess.run(["ip", "netns", "delete", namespace], check=False, capture_output=True)
            GUARD.release(namespace)

    def on(self, name: str = "") -> tuple[str, ...]:
        """What to put before a command to run it on a machine; the broker's without a name."""
        return ("ip", "netns", "exec", self._machines[name] if name else self._broker)

    def plug(self, name: str, state: str) -> None:
        """Pull somebody's cable (`down`), or put it back (`up`)."""
        _run("ip", "-n", self._broker, "link", "set", name, state)

    def narrow(self, name: str, narrow: bool) -> None:
        """Let the cable carry `RATE` only, or all again, towards the people and back."""
        kind = ("tbf", *RATE) if narrow else ()
        word = "add" if narrow else "del"
        _run("tc", "-n", self._broker, "qdisc", word, "dev", name, "root", *kind)
        _run("tc", "-n", self._machines[name], "qdisc", word, "dev", "eth0", "root", *kind)

    def cut(self) -> None:
        """End every TCP connection of the broker's machine at once; whoever had one may connect again."""
        # It complains about listening sockets, which it cannot end.
        command = [*self.on(), "ss", "--kill", "--tcp", "state", "established"]
        subprocess.run(command, check=False, capture_output=True)


class FarLine:
    """A process of `network_proxy.py` on the broker's machine, through which the far ones reach it."""

    def __init__(self, lan: Lan, seed: int) -> None:
        command = [*lan.on(), sys.executable, "-m", "tests.faults.network_proxy", BROKER, str(FAR_PORT), str(PORT)]
        self._process = subprocess.Popen(
            [*command, str(seed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        GUARD.keep(self, self._process.pid)
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            raise RuntimeError("the proxy did not start")

    def set(self, conditions: Mapping[str, float]) -> None:
        """How the line is from now on, by the fields of `network_proxy.Conditions`; the rest is well."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(conditions) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        GUARD.release(self)
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(BrokenPipeError):
                assert pipe is not None
                pipe.close()
