"""What a scenario has started ends with it, however the scenario ends: `kill -9` of it leaves nothing behind.

A process of its own, in a session of its own, reads from a pipe what there is to be ended and unmade, and does so when
the pipe ends, which it does with the scenario. Frozen processes do not read a pipe, brokers read none, and what Linux
has for it (PR_SET_PDEATHSIG) goes off when the thread ends that began the process. A number that has gone to another
process meanwhile is left alone. Linux only. Must not know what the processes are.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path

Process = tuple[int, int]
"""A process's number, and when it was begun, in ticks since the machine was."""


def born(number: int) -> int:
    """When a process was begun; 0 if there is none of that number."""
    try:
        stat = Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[19])


class _Guard:
    """The pipe's other end. There is a guarding process as long as there is anything to guard."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._processes: dict[Hashable, Process] = {}
        self._commands: dict[Hashable, Sequence[str]] = {}
        self._guard: subprocess.Popen[bytes] | None = None

    def keep(self, owner: Hashable, process: int) -> None:
        """End this process, too; one at a time for each owner."""
        with self._changing:
            self._processes[owner] = (process, born(process))
            self._tell()

    def unmake(self, owner: Hashable, command: Sequence[str]) -> None:
        """Run this command once all processes have ended, whatever comes of it."""
        with self._changing:
            self._commands[owner] = command
            self._tell()

    def release(self, owner: Hashable) -> None:
        """There is nothing left to be done about it."""
        with self._changing:
            self._processes.pop(owner, None)
            self._commands.pop(owner, None)
            self._tell()

    def _tell(self) -> None:
        if self._guard is None:
            if not (self._processes or self._commands):
                return
            command = [sys.executable, "-S", "-E", __file__]
            self._guard = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        assert self._guard.stdin is not None
        # If somebody has ended it, it is not for the scenario to fail.
        with contextlib.suppress(BrokenPipeError):
            state = [list(self._processes.values()), list(self._commands.values())]
            self._guard.stdin.write(json.dumps(state).encode() + b"\n")
            self._guard.stdin.flush()
        if not (self._processes or self._commands):
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.close()
            self._guard.wait()
            self._guard = None


GUARD = _Guard()


def end(processes: Iterable[Process], commands: Iterable[Sequence[str]]) -> None:
    """End and unmake it all."""
    for number, when in processes:
        with contextlib.suppress(OSError):
            process = os.pidfd_open(number)
            # The descriptor stands for the process that has the number now: was it begun then?
            if born(number) == when:
                signal.pidfd_send_signal(process, signal.SIGKILL)
            os.close(process)
    for command in commands:
        with contextlib.suppress(OSError):
            subprocess.run(command, check=False, capture_output=True)


def main() -> None:
    """Remember the latest state that was told, and act on it at the end of the pipe."""
    state: list[list[tuple[int, int]]] = [[], []]
    for line in sys.stdin.buffer:
        if line.endswith(b"\n"):
            state = json.loads(line)
            if not any(state):
                return  # told so; the pipe's end may be open in a process that was begun meanwhile
    end(*state)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
