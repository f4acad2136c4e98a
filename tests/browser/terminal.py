"""A person at a terminal: a real `tertulia --plain`, typing into its input and reading its output. Must not know who
else is in the room, nor where they sit."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.generated import ROOT
from tests.support.gateway import PASSWORD
from tests.support.patience import PATIENCE_S


class Terminal:
    """From `started` to `end`; must be waited for in the loop that started it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[str] = []

    @classmethod
    async def started(cls, address: str, login: str, home: Path) -> Terminal:
        """Log in, and be in the lobby. What it keeps goes below `home`."""
        environment = {
            **os.environ, "TERTULIA_ADDRESS": address, "TERTULIA_LOGIN": login, "TERTULIA_PASSWORD": PASSWORD,
            "XDG_CONFIG_HOME": str(home), "XDG_STATE_HOME": str(home),
        }  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "client", "chat", "--plain", cwd=ROOT, env=environment,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        return cls(process)

    def says(self, line: str) -> None:
        """Type a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def hears(self, words: str) -> None:
        """Read until a line has these words."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while not any(words in line for line in self.lines):
                line = await self._process.stdout.readline()
                assert line, self.lines
                self.lines.append(line.decode().rstrip("\n"))

    async def end(self) -> None:
        """Go."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
