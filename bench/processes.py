"""Processes under measurement: a broker or the bare floor beneath it, and what they have used.

Linux only, since CPU and memory are read from /proc. Must not know what is measured.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType

from common import addresses

_TICKS = os.sysconf("SC_CLK_TCK")
CONFIG = """
bcrypt_cost = 4

[chat]
grace_s = 60
posts = [0, 0]
requests = [0, 0]
stranger_requests = [0, 0]
registrations = [0, 0]

[network]
handshakes = [0, 0]
member_bytes = [0, 0]
address_bytes = [0, 0]
flood_requests = 0
strangers = 10000
strangers_per_address = 10000
"""
"""Passwords are hashed cheaply here: what a login's hash costs is known, and not what is measured. Nor is the wait of
those who ask more than a person would."""


class Process:
    """A process that prints its address as its first line on stdout."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{arguments[0]} did not start")
        self.address = addresses.parse(line)

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu(self) -> float:
        """Seconds of CPU used so far, user and system, all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory(self) -> int:
        """Bytes of resident memory."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it in peace."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(10)

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Broker(Process):
    """A real broker with its own data directory, which `restart` keeps."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="tertulia-bench-")
        self.config = Path(self._directory.name, "broker.toml")
        self.config.write_text(CONFIG)
        self._start("0")

    def _start(self, port: str) -> None:
        data = str(Path(self._directory.name, "data"))
        super().__init__(
            "broker", "serve", "--listen", "127.0.0.1", "--port", port, "--data-dir", data, "--config", str(self.config)
        )

    def restart(self) -> None:
        """Kill it, and start it again on the same port."""
        self.kill()
        self._start(str(self.address.port))

    def stop(self) -> None:
        super().stop()
        self._directory.cleanup()


class Stopwatch:
    """CPU of a process between two moments."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._from = process.cpu()

    def microseconds(self, count: int) -> float:
        """CPU since the start, in µs, divided by `count`."""
        return (self._process.cpu() - self._from) * 1e6 / max(1, count)


class Background(threading.Thread):
    """Runs a function, and hands on what it returned or raised."""

    def __init__(self, function, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(daemon=True)
        self._call = (function, arguments)
        self._result: object = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        function, arguments = self._call
        try:
            self._result = function(*arguments)
        except BaseException as error:
            self._error = error

    def result(self):  # type: ignore[no-untyped-def]
        self.join()
        if self._error:
            raise self._error
        return self._result
