"""`make demo`: a broker and three people on real sockets go through every `#` command, and say what they see.

Each person is a real `tertulia --plain`, typing into its input and reading its output. What is printed is
checked on the way: if something does not appear, or a `#` command of the terminal's table was not used, the
demo says so and ends with status 1.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PATIENCE_S: Final = 60.0
"""Seconds in which anything that is expected appears."""

PASSWORD: Final = "correct horse battery"
WIDTH: Final = 6
COLOURS: Final = {"broker": "90", "ana": "36", "bruno": "33", "carla": "35"}


class Missing(Exception):
    """Something that should have been printed was not."""


def show(who: str, mark: str, line: str) -> None:
    """Print a line of the transcript."""
    name = f"{who:>{WIDTH}}"
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        name = f"\x1b[{COLOURS.get(who, '0')}m{name}\x1b[0m"
    print(f"{name} {mark} {line}", flush=True)


async def start(*command: str, environment: Mapping[str, str], stderr: int | None = DEVNULL) -> Process:
    """Start a program of this tree."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=PIPE,
        stdout=PIPE,
        stderr=stderr,
    )


class Person:
    """Somebody at a terminal."""

    def __init__(self, login: str, process: Process) -> None:
        self.login = login
        self.used: list[str] = []
        self._process = process
        self._seen: list[str] = []
        self._at = 0
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for raw in self._process.stdout:
            line = raw.decode().rstrip()
            show(self.login, "│", line)
            self._seen.append(line)
            self._news.set()

    def type(self, line: str) -> None:
        """Type a line and press Enter."""
        assert self._process.stdin is not None
        show(self.login, "▸", line)
        self.used.append(line)
        self._process.stdin.write(line.encode() + b"\n")

    async def sees(self, pattern: str) -> None:
        """Wait for a line that matches, after the last one waited for. Raises `Missing`."""
        limit = time.monotonic() + PATIENCE_S
        while True:
            for at in range(self._at, len(self._seen)):
                if re.search(pattern, self._seen[at]):
                    self._at = at + 1
                    return
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), limit - time.monotonic())
            except TimeoutError:
                raise Missing(f"{self.login} does not see {pattern!r}") from None

    async def ends(self) -> None:
        """Wait for the program to end by itself, content."""
        try:
            status = await asyncio.wait_for(self._process.wait(), PATIENCE_S)
        except TimeoutError:
            raise Missing(f"{self.login}'s terminal does not end") from None
        await self._reading
        if status:
            raise Missing(f"{self.login}'s terminal ended with status {status}")

    def stop(self) -> None:
        """End the program if it still runs."""
        if self._process.returncode is None:
            self._process.kill()


def unused(people: list[Person]) -> list[str]:
    """The `#` commands of the terminal's table that nobody has typed."""
    from client.typed.table import TABLE

    typed = [line for person in people for line in person.used]
    return [
        spec.name for spec in TABLE if spec.name[0] == "#" and not any(line.startswith(spec.name) for line in typed)
    ]


async def talk(ana: Person, bruno: Person, carla: Person) -> None:
    """Three people in the lobby, all over the rooms, and home again."""
    ana.type("good evening, everybody")
    await bruno.sees("#lobby ana: good evening, everybody")
    await carla.sees("#lobby ana: good evening, everybody")
    bruno.type("#show users")
    await bruno.sees("3 users, 3 here now")
    for login in ("ana", "bruno", "carla"):
        await bruno.sees(rf"● {login} ")

    ana.type("#cR kitchen")
    await bruno.sees("#lobby · ana left")
    carla.type("#gR kitchen")
    await ana.sees("#kitchen · carla came in")
    ana.type("what do we cook on Thursday?")
    await carla.sees(r"#kitchen ana: what do we cook on Thursday\?")
    bruno.type("#lR")
    await bruno.sees("2 rooms")
    await bruno.sees(r"#kitchen +2 .*by ana")
    await bruno.sees(r"#lobby +1 .*default room")

    bruno.type(r"#\private<ana> do not tell carla: paella")
    await ana.sees("bruno: do not tell carla: paella")
    ana.type(r"#\private bruno she knows already")
    await bruno.sees("ana: she knows already")

    carla.type("#dR kitchen")
    await carla.sees("#kitchen is not yours, so it only went off your own list")
    carla.type("#lR")
    await carla.sees("1 room,")
    carla.type("#eR")
    await bruno.sees("#lobby · carla came in")
    carla.type("#eR")
    carla.type("in the lobby, #eR does nothing")
    await bruno.sees("#lobby carla: in the lobby, #eR does nothing")
    bruno.type("#lR")
    await bruno.sees(r"#kitchen +1 ")
    await bruno.sees(r"#lobby +2 ")

    bruno.type("#gR kitchen")
    await bruno.sees("#kitchen · You left #lobby")
    await ana.sees("#kitchen · bruno came in")
    # That he came in others may hear before his own terminal has its answer; what he types next comes after that.
    bruno.type("is it ready?")
    await ana.sees(r"#kitchen bruno: is it ready\?")
    ana.type("#dR kitchen")
    await ana.sees("#kitchen is deleted")
    await carla.sees("#lobby · .*ana")
    await bruno.sees("#lobby · #kitchen was deleted")


async def part(ana: Person, bruno: Person, carla: Person) -> None:
    """A room goes with whoever made it, and then everybody goes."""
    bruno.type("#cR garden")
    await ana.sees("#lobby · bruno left")
    carla.type("#gR garden")
    await carla.sees("#garden · You left #lobby")
    await bruno.sees("#garden · carla came in")
    carla.type("what grows here?")
    await bruno.sees(r"#garden carla: what grows here\?")
    bruno.type("#exit")
    await bruno.ends()
    await ana.sees("#lobby · carla came in")
    await carla.sees("#lobby · #garden is gone, because whoever made it has left")
    ana.type("bruno has gone, and his garden with him")
    await carla.sees("#lobby ana: bruno has gone, and his garden with him")
    for person in (ana, carla):
        person.type("#exit")
        await person.ends()


async def demo(directory: Path) -> None:
    """Start everything, let them talk, and stop everything. Raises `Missing`."""
    broker = await start(
        "broker", "serve", "--data-dir", str(directory / "data"), "--listen", "127.0.0.1", "--port", "0", environment={}
    )
    assert broker.stdout is not None
    people: list[Person] = []
    try:
        address = (await asyncio.wait_for(broker.stdout.readline(), PATIENCE_S)).decode().strip()
        if not address:
            raise Missing("the broker did not start")
        show("broker", "│", f"listens at {address}")
        environments = [surroundings(directory, address, row[0]) for row in PEOPLE]
        await asyncio.gather(*(register(row, there) for row, there in zip(PEOPLE, environments, strict=True)))
        for row, there in zip(PEOPLE, environments, strict=True):
            people.append(Person(row[0], await start("client", "--plain", environment=there, stderr=STDOUT)))
            people[-1].type("#lR")
            await people[-1].sees(rf"#lobby +{len(people)} ")
        await talk(*people)
        await part(*people)
    finally:
        for person in people:
            person.stop()
        if broker.returncode is None:
            broker.terminate()
        if await asyncio.wait_for(broker.wait(), PATIENCE_S):
            raise Missing(f"the broker ended with status {broker.returncode}")
    if missing := unused(people):
        raise Missing(f"nobody typed {', '.join(missing)}")


def surroundings(directory: Path, address: str, login: str) -> dict[str, str]:
    """The environment of somebody with a home of their own."""
    home = directory / login
    return {
        "TERTULIA_ADDRESS": address,
        "TERTULIA_LOGIN": login,
        "TERTULIA_PASSWORD": PASSWORD,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
    }


async def register(row: tuple[str, str, str, str, str], environment: Mapping[str, str]) -> None:
    """Make somebody's account, with all that the assignment wants to know."""
    login, first_names, surnames, age, gender = row
    fields = ["--first-names", first_names, "--surnames", surnames, "--age", age, "--gender", gender]
    show(login, "$", f"tertulia register --login {login} {shlex.join(fields)}")
    process = await start("client", "register", *fields, environment=environment, stderr=None)
    if await asyncio.wait_for(process.wait(), PATIENCE_S):
        raise Missing(f"{login} could not register")


PEOPLE: Final = (
    ("ana", "Ana María", "Ruiz Vega", "34", "female"),
    ("bruno", "Bruno", "Sanz", "41", "male"),
    ("carla", "Carla", "Núñez", "29", "undisclosed"),
)


def main() -> int:
    """Run the demo; returns the exit status."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        try:
            asyncio.run(demo(Path(directory)))
        except Missing as error:
            print(f"demo: {error}", file=sys.stderr)
            return 1
    print(f"demo: every # command did what it says, in {time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
