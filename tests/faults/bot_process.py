"""A bot in a process of its own, to be killed and started again, and the key file by which it logs in.

Must not know what the bot does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.faults.broker_process import BrokerProcess
from tests.faults.guard import GUARD
from tests.support.patience import PATIENCE_S

SCOPES: Final = ("read:*", "write:*", "direct")


def add_bot(broker: BrokerProcess, login: str, key: Path) -> None:
    """Have the operator make a bot and its key file. Raises `CalledProcessError`."""
    operate(broker, "add", login, "--key-file", str(key), "--scopes", *SCOPES)


def operate(broker: BrokerProcess, *arguments: str) -> None:
    """`tertulia-broker bot …`. Raises `CalledProcessError`."""
    command = [sys.executable, "-m", "broker", "bot", *arguments, "--data-dir", str(broker.data)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class BotProcess:
    """`python -m MODULE` with a bot in it that `run`s. Standard error goes to `log`."""

    def __init__(
        self, module: str, key: Path, log: Path, rooms: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self._command = [sys.executable, "-m", module]
        told = {"TERTULIA_BOT_KEY": str(key), "TERTULIA_BOT_ROOMS": " ".join(rooms)}
        self._environment = {**os.environ, **told, **(environment or {})}
        self.log = log
        self.start()

    def start(self) -> None:
        """Start it (again); `serving` is set once it is at work."""
        self.serving = threading.Event()
        self.process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True, env=self._environment)
        GUARD.keep(self, self.process.pid)
        threading.Thread(target=self._read, args=(self.process, self.serving), daemon=True).start()

    def _read(self, process: subprocess.Popen[str], serving: threading.Event) -> None:
        assert process.stderr is not None
        with process.stderr, self.log.open("a") as log:
            for line in process.stderr:
                log.write(line)
                log.flush()
                if "event=serving" in line:
                    serving.set()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self.process.pid

    def kill(self) -> None:
        """`kill -9`, and wait until it is gone. Raises RuntimeError if it had ended by itself."""
        ended = self.process.poll()
        self.process.kill()
        self.process.wait()
        if ended is not None:
            raise RuntimeError(f"the bot had ended with status {ended}: {self.log.read_text()[-4_000:]}")

    def terminate(self) -> int:
        """SIGTERM, as an operator would; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        """End it, whatever it is at."""
        self.process.kill()
        self.process.wait()
        GUARD.release(self)
