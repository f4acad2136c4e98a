"""A process of people, to be killed, frozen and started again. Must not know what they do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from queue import Empty, Queue

import msgspec

from tests.faults.guard import GUARD
from tests.faults.people_plan import Plan

PATIENCE_S = 150.0
EXPLAINS_S = 2.0


class PeopleProcess:
    """`python -m tests.faults.people`. `prefix` is a command to run it under (ip netns exec …)."""

    def __init__(self, plan: Plan, *, prefix: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> None:
        self.plan = plan
        self._prefix = prefix
        self._environment = {**os.environ, **(environment or {})}
        self._file = plan.directory / f"{plan.name}.plan"
        self._log = plan.directory / f"{plan.name}.log"
        self._changing = threading.Lock()
        self.start()

    def start(self) -> None:
        """Start it (again); `wait_for("ready")` says when everybody is in."""
        self._file.write_bytes(msgspec.json.encode(self.plan))
        self.words: Queue[str] = Queue()
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self._prefix, sys.executable, "-m", "tests.faults.people", str(self._file)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._environment,
            )
        GUARD.keep(self, self.process.pid)
        threading.Thread(target=self._read, args=(self.process, self.words), daemon=True).start()

    @staticmethod
    def _read(process: subprocess.Popen[str], words: Queue[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            words.put(line.strip())
        words.put("")

    def say(self, word: str) -> None:
        """Give an order."""
        assert self.process.stdin is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def wait_for(self, word: str) -> None:
        """Wait until it says that. Raises RuntimeError if it ends instead, or takes too long."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                said = self.words.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                # It writes down what it waits for, and says so by nothing else.
                self.process.send_signal(signal.SIGUSR1)
                time.sleep(EXPLAINS_S)
                raise RuntimeError(f"{self.plan.name} did not say {word!r}: {self.complaint()}") from None
            if said == word:
                return
            if not said:
                self.words.put("")
                raise RuntimeError(f"{self.plan.name} has ended before {word!r}: {self.complaint()}")

    def check(self) -> None:
        """Raises RuntimeError if it has ended by itself."""
        with self._changing:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.plan.name} has ended: {self.complaint()}")

    def complaint(self) -> str:
        """What it has said on standard error last."""
        return self._log.read_text(errors="replace")[-12_000:]

    def restart(self) -> None:
        """`kill -9`, and start it again: it goes on as another incarnation."""
        with self._changing:
            self.process.kill()
            self.process.wait()
            self._close()
            self.plan.incarnation += 1
            self.start()

    def freeze(self) -> None:
        """SIGSTOP."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> int:
        """Wait until it has ended by itself; its exit status."""
        status = self.process.wait(PATIENCE_S)
        self._close()
        GUARD.release(self)
        return status

    def close(self) -> None:
        """End it, whatever it is at."""
        self.process.kill()
        self.process.wait()
        self._close()
        GUARD.release(self)

    def _close(self) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass


def quieten(processes: Sequence[PeopleProcess]) -> None:
    """Let everybody finish what they are at, then be given all of it, and go. Raises RuntimeError if somebody fails."""
    for word in ("quiet", "settle"):
        for process in processes:
            process.say(word)
        for process in processes:
            process.wait_for(word)
    for process in processes:
        if status := process.end():
            raise RuntimeError(f"{process.plan.name} ended with status {status}: {process.complaint()}")
