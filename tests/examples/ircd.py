"""A real IRC server on loopback, and a real IRC client on a plain socket, for the tests of the bridge.

Must not know the bridge.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROGRAM = "ngircd"
PATIENCE_S = 20.0
TRIES = 3
"""Ports that are tried."""
CHANNEL = "#circle"

_CONFIG = """\
[Global]
    Name = irc.example.net
    Info = For tests
    Listen = 127.0.0.1
    Ports = {port}
[Limits]
    MaxConnectionsIP = 0
    MaxNickLength = 9
    MaxPenaltyTime = 0
[Options]
    DNS = no
    Ident = no
    PAM = no
    ConnectIPv6 = no
    IncludeDir = {empty}
"""


def free_port() -> int:
    """A port that nobody listens on now; ngircd can not be told to choose one itself."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


class Ircd:
    """An ngircd on a port of loopback, from `start` to `stop`; it can be started again on the same port."""

    def __init__(self, directory: Path) -> None:
        program = shutil.which(PROGRAM, path="/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin")
        if program is None:
            pytest.skip(f"{PROGRAM} is not installed")
        self._program = program
        self._config = directory / "ngircd.conf"
        self._output = directory / "ngircd.log"
        self._empty = directory / "empty"
        self._empty.mkdir(exist_ok=True)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        """Where it listens: chosen at the first start, and kept."""

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        for attempt in range(TRIES):
            fresh = self.port == 0 or attempt > 0
            if fresh:
                self.port = free_port()
                self._config.write_text(_CONFIG.format(port=self.port, empty=self._empty))
                self._config.chmod(0o644)
            if self._started():
                return
            if not fresh:
                break
        raise AssertionError(f"{PROGRAM} does not listen:\n{self._output.read_text()}")

    def _started(self) -> bool:
        """Start it; whether it listens. Somebody else may have taken the port meanwhile."""
        with self._output.open("ab") as output:
            command = [self._program, "--nodaemon", "--config", str(self._config)]
            self._process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self._process.poll() is None
            except OSError:
                time.sleep(0.02)
        self.stop()
        return False

    def stop(self) -> None:
        """End it, as an operator does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE_S)
            self._process = None


class IrcPerson:
    """Somebody in the channel with a client of their own: lines on a socket, nothing of the bridge's library."""

    def __init__(self, nick: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.nick = nick
        self._reader = reader
        self._writer = writer
        self.lines: list[str] = []
        """All that was heard and not asked for yet."""

    @classmethod
    async def arrive(cls, port: int, nick: str, channel: str = CHANNEL) -> IrcPerson:
        """Connect and go into the channel."""
        person = cls(nick, *await asyncio.open_connection("127.0.0.1", port))
        person.send(f"NICK {nick}", f"USER {nick} 0 * :{nick}")
        await person.hears(r" 001 ")
        person.send(f"JOIN {channel}")
        await person.hears(r" 366 ")
        return person

    def send(self, *lines: str) -> None:
        """Send lines as they are."""
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())

    def say(self, *texts: str, channel: str = CHANNEL) -> None:
        """Say something in the channel."""
        self.send(*(f"PRIVMSG {channel} :{text}" for text in texts))

    async def hears(self, pattern: str, passed: Callable[[str], Any] | None = None) -> str:
        """The next line that `pattern` is found in; those before it are passed over (and given to `passed`)."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    raw = await self._reader.readline()
                    if not raw:
                        raise AssertionError(f"{self.nick}: the server hung up; heard {self.lines}")
                    line = raw.rstrip(b"\r\n").decode(errors="replace")
                    self.lines.append(line)
                    if line.startswith("PING"):
                        self.send("PONG" + line[4:])
                    if re.search(pattern, line):
                        return line
                    if passed is not None:
                        passed(line)
        except TimeoutError:
            raise AssertionError(f"{self.nick} did not hear {pattern!r}, only {self.lines}") from None

    async def hears_text(self, pattern: str, command: str = "PRIVMSG") -> str:
        """The text of the next message in the channel that `pattern` is found in."""
        line = await self.hears(rf"^\S+ {command} \S+ :.*{pattern}")
        return line.split(" :", 1)[1]

    async def texts_until(self, last: str) -> list[str]:
        """The texts of all messages up to the one that is `last`, in order."""
        heard: list[str] = []

        def note(line: str) -> None:
            if found := re.match(r"^\S+ (?:PRIVMSG|NOTICE) \S+ :(.*)$", line):
                heard.append(found[1])

        found = await self.hears(rf"^\S+ (?:PRIVMSG|NOTICE) \S+ :{re.escape(last)}$", note)
        return [*heard, found.split(" :", 1)[1]]

    async def leave(self) -> None:
        """Hang up."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            pass
