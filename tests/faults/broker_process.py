"""A real broker in a process of its own, to be killed, stopped, frozen and started again on its data.

Linux only, as what it uses is looked up so. Must not know which fault is at work.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from common.addresses import Address, parse
from tests.faults.guard import GUARD
from tests.support import usage
from tests.support.patience import PATIENCE_S

CHEAP = "bcrypt_cost = 4\n"
"""The first line of every configuration here: what a hash costs is known, and not what is tried."""


class BrokerProcess:
    """`tertulia-broker serve`. `config` is TOML beside `CHEAP`; `prefix` a command to run it under (ip netns exec …).

    The port found at the first start is kept over restarts. Standard error goes to `log`.
    """

    def __init__(
        self,
        config: str = "",
        *,
        directory: Path | None = None,
        listen: str = "127.0.0.1",
        port: int = 0,
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="tertulia-faults-") if directory is None else None
        self.directory = directory or Path(self._temporary.name)  # type: ignore[union-attr]
        self.data = self.directory / "data"
        self.log = self.directory / "broker.log"
        self._config = self.directory / "broker.toml"
        self._config.write_text(CHEAP + config)
        self._listen = listen
        self._port = port
        self._prefix = prefix
        self._environment = {**os.environ, **(environment or {})}
        self.start()

    def start(self) -> None:
        """Start it (again) and wait until it is ready."""
        command = [*self._prefix, sys.executable, "-m", "broker", "serve", "--listen", self._listen]
        command += ["--port", str(self._port), "--data-dir", str(self.data), "--config", str(self._config)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env=self._environment
            )
        GUARD.keep(self, self.process.pid)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise RuntimeError(f"the broker did not start: {self.log.read_text()[-2_000:]}")
        self.address: Address = parse(line)
        self._port = self.address.port

    @property
    def pid(self) -> int:
        """The process's number."""
        return self.process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process.poll() is None

    def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        self.process.kill()
        self._reap()

    def terminate(self) -> int:
        """SIGTERM; its exit status."""
        self.process.terminate()
        return self._reap()

    def freeze(self) -> None:
        """SIGSTOP."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    def _reap(self) -> int:
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(PATIENCE_S)

    def memory(self) -> int:
        """Bytes of resident memory now."""
        return usage.memory(self.pid)

    def peak_memory(self) -> int:
        """The most that it ever was, in bytes."""
        return usage.peak_memory(self.pid)

    def descriptors(self) -> int:
        """Open descriptors now."""
        return usage.descriptors(self.pid)

    def cpu(self) -> float:
        """Seconds of CPU used so far, all threads."""
        return usage.cpu(self.pid)

    def log_text(self) -> str:
        """What it has logged."""
        return self.log.read_text(errors="replace")

    def close(self) -> None:
        """End it, whatever state it is in, and remove its directory if that was made here."""
        if self.alive:
            self.thaw()
            self.process.terminate()
            deadline = time.monotonic() + PATIENCE_S
            while self.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            if self.process.poll() is None:
                self.process.kill()
            self._reap()
        GUARD.release(self)
        if self._temporary is not None:
            self._temporary.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
