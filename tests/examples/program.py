"""An example as its own process on a real broker, by a key file, as somebody runs it who has read its first lines.

Must not know what the example does.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from broker.app import EmbeddedBroker
from broker.chat.bots import AddBot
from broker.datadir import DataDir
from broker.wire.operator_client import OperatorClient
from client import ChatClient
from client.link.room import Room
from common import credentials, keys
from common import messages as m
from common.credentials import Credential

ROOT = Path(__file__).parents[2]
BOTS = ROOT / "docs" / "examples" / "bots"
PAGE = (BOTS / "README.md").read_text(encoding="utf-8")
LINES = list(zip(re.findall(r"^- Key: `(.+)`$", PAGE, re.M), re.findall(r"^- Run: `(.+)`$", PAGE, re.M), strict=True))
"""How the page says that each bot's key is made, and how it is run."""
PATIENCE_S = 30.0


def key_file(broker: EmbeddedBroker, path: Path, login: str) -> Path:
    """Make a bot's account and its key file, for the scopes that the page names."""
    asked = next(shlex.split(key) for key, _ in LINES if f" bot add {login} " in key)
    scopes = asked[asked.index("--scopes") + 1 :]
    pair = keys.generate()
    with OperatorClient(DataDir(broker.data_dir).operator) as operator:
        operator.ask(AddBot(login=login, key=pair.public, key_name="test", scopes=scopes))
    credentials.write(path, Credential(broker.address, login, pair))
    return path


class Program:
    """One run of an example, from `start` to `stop` or `kill`; it can be started again."""

    def __init__(self, name: str, key: Path, directory: Path, **variables: str) -> None:
        """`name` is that of the file, without its ending."""
        self._path = BOTS / f"{name}.py"
        self._log = directory / f"{self._path.stem}.log"
        self._environment: Mapping[str, str] = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "TERTULIA_BOT_KEY": str(key),
            **variables,
        }
        self._process: Process | None = None

    async def start(self) -> None:
        """Start it; whether it is there is seen in the room."""
        with self._log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "client",
                "bot",
                "run",
                str(self._path),
                env=self._environment,
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
            )

    async def prints(self, text: str) -> None:
        """Wait until it has printed something."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while text not in self.log:  # a file says nothing of when it grows
                    if self._process is not None and self._process.returncode is not None:
                        break
                    await asyncio.sleep(0.02)
                else:
                    return
        except TimeoutError:
            pass
        raise AssertionError(f"{text!r} was not printed, but:\n{self.log}")

    async def stop(self) -> int:
        """Tell it to end, as systemd does; its exit status."""
        return await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End it with no time to do anything (kill -9)."""
        await self._end(signal.SIGKILL)

    def hold(self) -> None:
        """Let it do nothing until `release`, as a machine that is put to sleep does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def release(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def _end(self, number: int) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(number)
        async with asyncio.timeout(PATIENCE_S):
            return await process.wait()

    @property
    def log(self) -> str:
        """What it has printed."""
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.kill()


async def guest(broker: EmbeddedBroker, login: str) -> ChatClient:
    """Somebody new in the lobby; to be closed."""
    account = m.Register(
        login=login, password="correct horse", first_names=login, surnames="S", age=30, gender="undisclosed"
    )
    chat = ChatClient(str(broker.address), register=account)
    await chat.start()
    return chat


async def hears(room: Room, after: int, program: Program, said: str) -> m.Message:
    """The first message above `after` in a room that contains `said`; it may take a moment."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for message in room.messages(after):
                if said in message.text:
                    return message
    except TimeoutError:
        pass
    raise AssertionError(f"nobody says {said!r}; the program printed:\n{program.log}")
