"""The client in JavaScript, written from the protocol's page alone, with a real broker and a Python client."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from client import ChatClient
from common import messages
from common.addresses import Address, parse
from tests.support.patience import PATIENCE_S

ROOT: Final = Path(__file__).parents[2]
EXAMPLE: Final = ROOT / "docs" / "examples" / "node"
PASSWORD: Final = "tomillo y romero"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example in a folder of its own, with its packages."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are needed")
    folder = tmp_path_factory.mktemp("example") / "node"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("node_modules"))
    installed = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True, timeout=300
    )
    if installed.returncode:
        pytest.skip(f"npm cannot install the example's packages here: {installed.stderr.strip()[-200:]}")
    return folder


@asynccontextmanager
async def broker(data: Path, port: int = 0) -> AsyncIterator[Address]:
    """A broker of its own process, from its first line to its end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "broker", "serve", "--listen", "127.0.0.1"),
        *("--port", str(port), "--data-dir", str(data)),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout
        async with asyncio.timeout(PATIENCE_S):
            line = await process.stdout.readline()
        yield parse(line.decode())
    finally:
        process.terminate()
        await process.wait()


class Node:
    """The example's program: lines in, lines out."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        assert process.stdin
        assert process.stdout
        self.stdin = process.stdin
        self.stdout = process.stdout
        self.seen: list[str] = []

    def type(self, line: str) -> None:
        self.stdin.write(f"{line}\n".encode())

    async def until(self, words: str) -> str:
        """Read on until a line holds `words`."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                line = (await self.stdout.readline()).decode().rstrip("\n")
                assert line or not self.stdout.at_eof(), f"it ended without {words!r}: {self.seen}"
                self.seen.append(line)
                if words in line:
                    return line

    def said(self, log: str) -> list[str]:
        """What it has shown of a log, without the numbers."""
        entries = [line for line in self.seen if line.startswith(f"[{log} ")]
        return [line.split("] ", 1)[1] for line in entries]

    async def end(self) -> None:
        """Close its input and wait until it has gone."""
        self.stdin.close()
        async with asyncio.timeout(PATIENCE_S):
            assert await self.process.wait() == 0


@asynccontextmanager
async def node(example: Path, *arguments: str) -> AsyncIterator[Node]:
    """Run the example's program."""
    process = await asyncio.create_subprocess_exec(
        "node",
        "chat.mjs",
        *arguments,
        cwd=example,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TERTULIA_PASSWORD": PASSWORD},
    )
    try:
        yield Node(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def account(login: str) -> messages.Register:
    return messages.Register(
        login=login, password=PASSWORD, first_names="A", surnames="B", age=30, gender="undisclosed"
    )


def test_the_vectors_hold_for_it_too(example: Path) -> None:
    ran = subprocess.run(
        ["npm", "test"],
        cwd=example,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "TERTULIA_VECTORS": str(ROOT / "tests" / "vectors")},
    )
    assert ran.returncode == 0, ran.stdout


async def test_it_talks(example: Path, tmp_path: Path) -> None:
    async with broker(tmp_path) as address, ChatClient(address, register=account("ana")) as ana:
        tea = await ana.create("té", subject="☕")
        await tea.send("before you came")
        inbox = ana.stream("@ana", 0)
        follow = ana.stream(tea.name, 0)
        # Registered by the whole address; then logged in by host and port alone, the key asked for.
        async with node(example, str(address), "nodi", "té", "--register") as nodi:
            await nodi.until("you hear té")
            assert nodi.said("té") == ["ana: before you came"]
            await tea.send("¡hola!\n\x09🦀")
            assert await nodi.until("hola")
            assert nodi.said("té")[-1] == "ana: ¡hola!␊    🦀"
            nodi.type("buenas")
            nodi.type("@ana psst")
            assert [(await anext(follow)).text for _ in range(3)][-1] == "buenas"
            private = await anext(inbox)
            assert (private.sender, private.to, private.text) == ("nodi", "ana", "psst")
            await ana.deliver(ana.direct("nodi", "hush"), PATIENCE_S)
            await nodi.until("hush")
            assert nodi.said("@nodi") == ["nodi: psst", "ana: hush"]
            await nodi.end()
        async with node(example, f"127.0.0.1:{address.port}", "NODI", "TÉ") as nodi:
            await nodi.until("you hear té")
            assert nodi.said("té") == ["ana: before you came", "ana: ¡hola!␊    🦀", "nodi: buenas"]
            await nodi.end()


async def test_it_fills_gaps(example: Path, tmp_path: Path) -> None:
    async with broker(tmp_path) as address, ChatClient(address, register=account("ana")) as ana:
        tea = await ana.create("tea")
        other = await ana.create("other")
        # Every second message that arrives is thrown away, the last one too: only a heartbeat tells of that.
        async with node(example, str(address), "nodi", "tea", "--register", "--drop", "2") as nodi:
            await nodi.until("you hear tea")
            for number in range(60):
                await tea.send(f"message {number}")
                await other.send("so that numbers are not contiguous")
            await nodi.until("message 59")
            assert nodi.said("tea") == [f"ana: message {number}" for number in range(60)]
            await nodi.end()


async def test_it_comes_back_after_a_restart_of_the_broker(example: Path, tmp_path: Path) -> None:
    async with broker(tmp_path) as address:
        async with ChatClient(address, register=account("ana")) as ana:
            await ana.create("tea", kept=True)
        running = node(example, str(address), "nodi", "tea", "--register")
        nodi = await running.__aenter__()
        await nodi.until("you hear tea")
    try:
        async with broker(tmp_path, address.port), ChatClient(address, "ana", PASSWORD) as ana:
            await (await ana.join("tea")).send("while you were away, perhaps")
            await nodi.until("while you were away")
            nodi.type("I am back")
            follow = ana.stream("tea", 0)
            assert [(await anext(follow)).text for _ in range(2)][-1] == "I am back"
            await nodi.end()
    finally:
        await running.__aexit__(None, None, None)
