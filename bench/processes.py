"""Processes under measurement: a broker or the bare floor beneath it, and what they have used.

Linux only, as what they use is looked up so. Must not know what is measured.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self

from common import addresses
from common.addresses import Address
from tests.faults.broker_process import BrokerProcess
from tests.support import unlimited, usage


class Measured(Protocol):
    """A server in a process of its own."""

    address: Address

    def cpu(self) -> float:
        """Seconds of CPU used so far, user and system, all threads."""

    def memory(self) -> int:
        """Bytes of resident memory."""


def broker() -> BrokerProcess:
    """A real broker, whose members do more than a person would, and come back within a minute.

    Passwords are hashed cheaply: what a login's hash costs is known, and not what is measured.
    """
    return BrokerProcess(unlimited.toml(grace_s=60))


@contextlib.contextmanager
def gateway(server: BrokerProcess, *options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A real gateway before that broker, with a key of its own; the process and its port."""
    key = server.directory / "gate.key"
    command = [sys.executable, "-m", "broker", "bot", "add", "gate", "--key-file", str(key)]
    subprocess.run([*command, "--scopes", "gateway", "--data-dir", str(server.data)], check=True)
    command = [sys.executable, "-m", "client", "web", "--listen", "127.0.0.1", "--port", "0", "--key", str(key)]
    process = subprocess.Popen(
        [*command, "--data-dir", str(server.directory / "web"), *options],
        env={**os.environ, "XDG_CONFIG_HOME": str(server.directory)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        if not line:
            raise RuntimeError("the gateway did not start")
        yield process, int(line.rstrip("/").rsplit(":", 1)[1])
    finally:
        process.terminate()
        process.wait(20)


class Floor:
    """The bare sockets."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.floor"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the floor did not start")
        self.address = addresses.parse(line)

    def cpu(self) -> float:
        """Seconds of CPU used so far."""
        return usage.cpu(self._process.pid)

    def memory(self) -> int:
        """Bytes of resident memory."""
        return usage.memory(self._process.pid)

    def stop(self) -> None:
        """End it in peace."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Stopwatch:
    """CPU of a process between two moments."""

    def __init__(self, process: Measured) -> None:
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
