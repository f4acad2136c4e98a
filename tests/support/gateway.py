"""Processes for tests of the gateway and of bots: a broker with accounts, and `tertulia` programs that run for long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest

from client.cli import main
from tests.generated import ROOT
from tests.support.patience import PATIENCE_S

PASSWORD = "correct horse"
PERSON = ["--first-names", "Ana", "--surnames", "Ruiz", "--age", "34", "--gender", "female"]


class Broker:
    """A broker in a process of its own, with hashes that cost little; can be killed and started again."""

    def __init__(self, data: Path, port: int = 0) -> None:
        self._data = data
        command = [sys.executable, "-m", "broker", "serve", "--data-dir", str(data)]
        command += ["--listen", "127.0.0.1", "--port", str(port), "--idle-exit", "900"]
        environment = {**os.environ, "TERTULIA_BROKER_BCRYPT_COST": "4", "XDG_CONFIG_HOME": str(data.parent)}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        assert self.address.startswith("tertulia://")

    @property
    def port(self) -> int:
        return int(self.address.rsplit(":", 1)[1].split("/")[0])

    def again(self) -> Broker:
        """The same broker, started anew where it was."""
        return Broker(self._data, self.port)

    def end(self, number: int = signal.SIGTERM) -> None:
        """End it, and wait until it has."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def register(self, *logins: str) -> None:
        """Make accounts, all with the same password."""
        for login in logins:
            command = ["register", "--address", self.address, "--login", login, *PERSON]
            done = subprocess.run(
                [sys.executable, "-m", "client", *command],
                cwd=ROOT, input=f"{PASSWORD}\n", text=True, capture_output=True,
            )  # fmt: skip
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def operator(self, *arguments: str) -> str:
        """Run a command of the operator's; what it prints."""
        command = [sys.executable, "-m", "broker", *arguments, "--data-dir", str(self._data)]
        environment = {**os.environ, "XDG_CONFIG_HOME": str(self._data.parent)}
        done = subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def key(self, login: str, *scopes: str) -> Path:
        """The key file of a bot, made the first time, for all rooms unless `scopes` say less."""
        file = self._data.parent / f"{login}.key"
        if not file.exists():
            self.operator("bot", "add", login, "--key-file", str(file), "--scopes", *(scopes or ("read:*", "write:*")))
        return file


@contextmanager
def broker(data: Path, *logins: str) -> Iterator[Broker]:
    """A broker with those accounts within the context."""
    started = Broker(data)
    try:
        started.register(*logins)
        yield started
    finally:
        started.end()


class Program:
    """A `tertulia` command that runs until it is told to end; its log is in a file."""

    def __init__(self, log: Path, *arguments: str, **environment: str) -> None:
        self.log = log
        with open(log, "a", encoding="utf-8") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "client", *arguments],
                cwd=ROOT,
                env={**os.environ, "XDG_CONFIG_HOME": str(log.parent), **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )

    def line(self) -> str:
        """The next line that it prints; empty if it has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def words(self) -> str:
        """What its log says so far."""
        return self.log.read_text(encoding="utf-8")

    def says(self, words: str) -> None:
        """Wait until its log says that."""
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.words():
            assert self.process.poll() is None, self.words()
            assert time.monotonic() < deadline, self.words()
            time.sleep(0.05)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Tell it to end; returns its status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGKILL)
        assert self.process.stdout is not None
        self.process.stdout.close()


def gateway(log: Path, running: Broker, hooks: Path, *arguments: str) -> Program:
    """`tertulia web` on a free port, as the bot `hooks`."""
    key = running.key("hooks")
    return Program(
        log, "web", "--listen", "127.0.0.1", "--port", "0", "--hooks", str(hooks), "--key", str(key), *arguments
    )


class Served:
    """`tertulia web` for browsers, on a port that it keeps; can be killed and started again.

    People open `url`. It names localhost, which browsers trust without TLS.
    """

    def __init__(self, log: Path, running: Broker, *arguments: str) -> None:
        self._log = log
        self._key = running.key("gate", "gateway")
        self._arguments = arguments
        self._port = 0
        self.start()

    def start(self) -> None:
        """Start it (again), and wait until it serves."""
        self.program = Program(
            self._log, "web", "--listen", "127.0.0.1", "--port", str(self._port), "--key", str(self._key),
            "--data-dir", str(self._log.parent / "web"), *self._arguments,
        )  # fmt: skip
        self.line = self.program.line()
        assert self.line.startswith("http"), self.program.words()
        scheme, _, port = self.line.rstrip("/").rpartition(":")
        self._port = int(port)
        self.url = f"{scheme.partition(':')[0]}://localhost:{port}"

    @property
    def port(self) -> int:
        return self._port

    def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        self.end(signal.SIGKILL)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Tell it to end; returns its status."""
        status = self.program.end(number)
        assert self.program.process.stdout is not None
        self.program.process.stdout.close()
        return status


def make_hook(capsys: pytest.CaptureFixture[str], hooks: Path, *arguments: str) -> str:
    """Make a hook by the command line; what it prints: a URL's path, or a secret."""
    assert main(["web", "hook", "add", *arguments, "--hooks", str(hooks)]) == 0
    return capsys.readouterr().out.strip()
