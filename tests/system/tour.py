"""A walk through the terminal client on real terminals: everything that it is for, as two people would use it.

Each stop gives a name and what the screen showed then, so that the walk is a test, and its screens can be looked at or
drawn (`python -m tests.system.tour`). What is waited for is short, since it must be seen on the smallest terminal. Long
because it is the one walk, from the first contact to the last word.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from client import ChatClient
from scripts import screenshot
from tests.faults.broker_process import BrokerProcess
from tests.support.tmux import Terminal, Terminals

ROOT: Final = Path(__file__).parents[2]
PASSWORD: Final = "tomillo y romero"
SIZES: Final = ((160, 45), (100, 30), (60, 20), (40, 10))
"""Columns and rows: all columns of the screen; no members; no rooms; no times and no title."""
OLD: Final = 450
"""Messages that were said before, on several pages of the history."""
_PROMPT: Final = "▸"
_SHEET: Final = "Esc: back"
_EDITOR: Final = """#!/bin/sh
printf 'written elsewhere\\n' >"$1"
"""


class Stop(NamedTuple):
    """What was shown, and the screen with its colours."""

    name: str
    screen: str


class Stage:
    """A broker, and people with a home and a terminal each."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ending = contextlib.ExitStack()
        self.broker = self._ending.enter_context(BrokerProcess("[chat]\ngrace_s = 60\n"))
        self.terminals = self._ending.enter_context(Terminals())
        self._editor = directory / "editor"
        self._editor.write_text(_EDITOR)
        self._editor.chmod(0o700)
        self._opened = 0

    def environment(self, who: str) -> dict[str, str]:
        """A home of their own."""
        home = self._directory / who
        home.mkdir(exist_ok=True)
        places = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "STATE", "DATA", "CACHE")}
        own = {"HOME": str(home), "TZ": "UTC", "LC_ALL": "C.UTF-8", "COLORTERM": "truecolor", "PYTHONPATH": str(ROOT)}
        return {**own, **places, "EDITOR": str(self._editor)}

    def account(self, who: str) -> None:
        """Make an account by the command line."""
        person = {"--first-names": who.title(), "--surnames": "Prueba", "--age": "30", "--gender": "other"}
        fields = [word for pair in person.items() for word in pair]
        address = str(self.broker.address)
        subprocess.run(
            [sys.executable, "-m", "client", "register", "--address", address, "--login", who, *fields],
            env={**os.environ, **self.environment(who), "TERTULIA_PASSWORD": PASSWORD},
            cwd=ROOT,
            check=True,
            capture_output=True,
        )

    def open(self, who: str, columns: int, rows: int, *arguments: str, **environment: str) -> Terminal:
        """Somebody starts the client."""
        self._opened += 1
        command = [sys.executable, "-m", "client", *arguments]
        return self.terminals.open(
            f"{who}{self._opened}",
            columns,
            rows,
            command,
            {**self.environment(who), **environment},
        )

    def seed(self, who: str, room: str, messages: int) -> None:
        """Somebody makes a room that stays, and says so many things there."""

        async def speak() -> None:
            async with ChatClient(str(self.broker.address), login=who, password=PASSWORD) as chat:
                made = await chat.create(room, kept=True)
                for number in range(messages):
                    await made.send(f"of old {number}")

        asyncio.run(speak())

    def back(self, who: str, columns: int, rows: int, *arguments: str, **environment: str) -> Terminal:
        """Somebody who has an account starts the client, and is in the lobby."""
        address = ("--address", str(self.broker.address), "--login", who)
        terminal = self.open(who, columns, rows, *address, *arguments, **{"TERTULIA_PASSWORD": PASSWORD, **environment})
        terminal.see("●")
        return terminal

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.close()


def walk(stage: Stage, columns: int, rows: int) -> Iterator[Stop]:
    """The walk of ana, on a terminal of that size, with bruno on another."""
    ana = stage.open("ana", columns, rows, "--address", f"127.0.0.1:{stage.broker.address.port}")
    ana.see("fingerprint")
    yield Stop("first contact", ana.coloured())
    ana.type("yes", "Enter")
    ana.see("New account")
    for given in ("ana", PASSWORD, PASSWORD, "Ana", "García", "34", "female"):
        ana.type(given, "Enter")
    yield Stop("new account", ana.coloured())
    ana.press("Enter")
    ana.see("●", "▸")
    yield Stop("first run", ana.coloured())

    stage.account("bruno")
    stage.seed("bruno", "archive", OLD)
    bruno = stage.back("bruno", 100, 30)
    bruno.type("hola Ana, ¿hay alguien?", "Enter")
    ana.see("¿hay alguien")
    yield from _writing(ana, bruno)
    yield from _changing(ana, bruno)
    yield from _attention(ana, bruno)
    yield from _finding(ana, bruno)
    yield from _people(ana, bruno)
    yield from _helping(ana)
    yield from _cut(stage, ana, bruno)
    yield from _resizing(ana, columns, rows)
    ana.type("half a thought")
    yield from _again(stage, ana, columns, rows)


def _acknowledged(terminal: Terminal, text: str) -> None:
    """Wait until one's own message stands among the messages and the broker has it.

    That somebody else sees it says nothing of either.
    """
    terminal.see(rf"^(?!.*{_PROMPT}).*{text}(?! …)")


def _put_away(terminal: Terminal) -> None:
    """Put away what lies over the messages. What is typed in the same moment as Esc would count as typed with Alt."""
    terminal.press("Escape")
    terminal.see_no(_SHEET)


def _writing(ana: Terminal, bruno: Terminal) -> Iterator[Stop]:
    """What is typed, and how it looks."""
    ana.type("*fat* _lean_ `code` :wave:", "Enter")
    bruno.see("fat", "lean", "code", "👋")
    ana.type("> said before", "M-Enter")
    ana.type("so I say", "Enter")
    bruno.see("said before", "so I say")
    ana.type("漢字 and e\u0301 and 👩🏿‍🔧 and 🇪🇸 and ❤️ ok", "Enter")
    ana.see("❤.? ok")
    bruno.type("look: https://example.org/guide", "Enter")
    ana.see("example.org")
    yield Stop("messages", ana.coloured())
    ana.type(":smi")
    ana.see(":smi", "smile")
    yield Stop("completion of emoji", ana.coloured())
    ana.press("C-c")
    ana.see_no(":smi")
    ana.type("/re")
    ana.see("/react", "/reply")
    yield Stop("completion of commands", ana.coloured())
    ana.press("C-c")
    ana.see_no("/reply")
    ana.paste("\n".join(f"pasted line {number}" for number in range(40)))
    ana.see("40", _SHEET)
    yield Stop("a paste is a question", ana.coloured())
    _put_away(ana)
    ana.press("M-e")
    ana.see("written elsewhere")
    ana.press("Enter")
    bruno.see("written elsewhere")


def _changing(ana: Terminal, bruno: Terminal) -> Iterator[Stop]:
    """Edit, delete, reply, react."""
    ana.type("a mistkae", "Enter")
    bruno.see("mistkae")
    _acknowledged(ana, "a mistkae")
    ana.press("Up")
    ana.see("▸ a mistkae")
    yield Stop("editing", ana.coloured())
    ana.press(*["BSpace"] * 3)
    ana.type("ake", "Enter")
    bruno.see("a mistake", "edited")
    ana.type("/reply ^bruno I am here", "Enter")
    bruno.see("I am here", "↳|╭|┌|│ .*bruno|> ")
    ana.type("/react ^bruno :thumbsup:", "Enter")
    bruno.see("👍")
    bruno.type("/react ^ana :heart:", "Enter")
    ana.see("❤ 1")
    yield Stop("edited, answered, reacted to", ana.coloured())
    ana.type("nobody shall read this", "Enter")
    bruno.see("nobody shall read this")
    _acknowledged(ana, "nobody shall read this")
    ana.press("Escape")
    ana.see("r answer")
    yield Stop("selecting", ana.coloured())
    ana.press("d")
    ana.see("d once more")
    ana.press("d")
    bruno.see_no("nobody shall read this")
    ana.see_no("nobody shall read this")
    yield Stop("taken back", ana.coloured())


def _attention(ana: Terminal, bruno: Terminal) -> Iterator[Stop]:
    """What is unread, and what is told."""
    ana.type("/create plaza", "Enter")
    ana.see("#plaza ▸")
    bruno.type("@ana come back", "Enter")
    bruno.type("/join plaza", "Enter")
    bruno.see("#plaza ▸")
    ana.see(r"1:lobby\(1,1\)")
    yield Stop("named elsewhere", ana.coloured())
    ana.press("M-a")
    ana.see("#lobby ▸", "come back")
    yield Stop("to what is unread", ana.coloured())
    ana.press("M-/")
    ana.see("#plaza ▸")
    ana.type("/notify all", "Enter")
    ana.type("/topic Openings, every Tuesday", "Enter")
    bruno.see("Openings")
    bruno.type("I am writ")
    ana.see("✎")
    yield Stop("somebody writes", ana.coloured())
    bruno.press("C-c")
    for number in range(60):
        bruno.type(f"line {number}", "Enter")
    ana.see("line 59")
    ana.press("PageUp", "PageUp")
    ana.see("↓")
    bruno.type("below", "Enter")
    ana.see("↓.*1 new")
    yield Stop("scrolled up", ana.coloured())
    ana.press("M-End")
    ana.see("below")
    ana.type("/join archive", "Enter")
    ana.see("#archive ▸", f"of old {OLD - 1}")
    ana.press_until("M-Home", r"of old 0\b")
    yield Stop("read back to the first word", ana.coloured())
    ana.type("/leave", "Enter")
    ana.see_no("archive ▸")
    ana.press("M-2")
    ana.see("#plaza ▸")


def _finding(ana: Terminal, bruno: Terminal) -> Iterator[Stop]:
    """Search, the switcher, links, numbers."""
    ana.type("/search alguien", "Enter")
    ana.see("lobby.*bruno: hola")
    yield Stop("search", ana.coloured())
    ana.press("Enter")
    ana.see("#lobby ▸", "¿hay alguien")
    yield Stop("where it was said", ana.coloured())
    ana.press("M-End")
    ana.press("C-k")
    ana.type("pla")
    ana.see("Go to: pla", "plaza")
    yield Stop("switcher", ana.coloured())
    ana.press("Enter")
    ana.see("#plaza ▸")
    ana.press("M-1")
    ana.see("#lobby ▸")
    ana.type("/links", "Enter")
    ana.see(r"1  https://example.org")
    yield Stop("links", ana.coloured())


def _people(ana: Terminal, bruno: Terminal) -> Iterator[Stop]:
    """One to one, and what people say of themselves."""
    ana.type("/msg bruno", "Enter")
    ana.see("@bruno ▸")
    ana.type("between us", "Enter")
    bruno.see(r"@ana +1")
    bruno.press("M-a")
    bruno.see("@ana ▸", "between us")
    bruno.type("/away at lunch", "Enter")
    bruno.see("You are away")
    ana.type("/whois bruno", "Enter")
    ana.see("at lunch")
    yield Stop("who somebody is", ana.coloured())
    ana.type("/dnd exam", "Enter")
    ana.type("/back", "Enter")
    ana.press("M-1")
    ana.see("#lobby ▸")


def _helping(ana: Terminal) -> Iterator[Stop]:
    """F1, one command, a wrong one."""
    ana.press("F1")
    ana.see("Enter", _SHEET)
    yield Stop("keys", ana.coloured())
    _put_away(ana)
    ana.type("/help react", "Enter")
    ana.see("/react", "example")
    yield Stop("one command", ana.coloured())
    ana.type("/jion plaza", "Enter")
    ana.see("/join")
    yield Stop("a wrong command", ana.coloured())
    ana.press("C-c")


def _cut(stage: Stage, ana: Terminal, bruno: Terminal) -> Iterator[Stop]:
    """The broker is killed under them."""
    stage.broker.kill()
    ana.see("offline")
    ana.type("written offline", "Enter")
    ana.see("written offline", "waits|…")
    yield Stop("offline", ana.coloured())
    stage.broker.start()
    ana.see("● live")
    bruno.press("M-1")
    bruno.see("written offline")
    _acknowledged(ana, "written offline")
    yield Stop("live again", ana.coloured())


def _resizing(ana: Terminal, columns: int, rows: int) -> Iterator[Stop]:
    """Every size, and back: what there is no room for goes."""
    parts = {
        (110, 12): "│ +[●◐○◌✎] ?bruno",
        (80, 0): "^ ?1 lobby",
        (50, 0): r"\d\d:\d\d +ana +written",
        (0, 12): "^ #lobby  ",
    }
    for width, height in (*SIZES, (columns, rows)):
        ana.resize(width, height)
        for (wide, high), pattern in parts.items():
            look = ana.see if width >= wide and height >= high else ana.see_no
            look(pattern)
        yield Stop(f"resized to {width}x{height}", ana.coloured(_PROMPT))


def _again(stage: Stage, ana: Terminal, columns: int, rows: int) -> Iterator[Stop]:
    """Quit with something half written; it is there the next time, in whatever language and colours."""
    ana.press("M-2")
    ana.see_no("half a thought")
    ana.type("/quit", "Enter")
    assert ana.ended() == 0
    again = stage.back("ana", columns, rows, "--lang", "es")
    again.see("half a thought")
    yield Stop("in Spanish", again.coloured())
    again.press("C-c")
    again.see_no("half a thought")
    again.type("/quit", "Enter")
    assert again.ended() == 0
    plain = stage.back("ana", columns, rows, NO_COLOR="1")
    plain.see("written offline")
    plain.see_no("half a thought")
    yield Stop("without colours", plain.coloured())
    plain.type("/quit", "Enter")
    assert plain.ended() == 0


def main() -> None:
    """Take the walk at every size, and leave its screens in a directory, as text and as pictures."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.tour", description=main.__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--size", action="append", help="COLUMNSxROWS; all four without")
    given = parser.parse_args()
    sizes = [tuple(map(int, size.split("x"))) for size in given.size or ()] or SIZES
    given.directory.mkdir(parents=True, exist_ok=True)
    for columns, rows in sizes:
        with tempfile.TemporaryDirectory(prefix="tertulia-tour-") as homes, Stage(Path(homes)) as stage:
            for number, stop in enumerate(walk(stage, columns, rows), 1):
                file = given.directory / f"{columns}x{rows}-{number:02}-{stop.name.replace(' ', '-').replace(',', '')}"
                file.with_suffix(".ansi").write_text(stop.screen)
                file.with_suffix(".svg").write_text(screenshot.picture(stop.screen, "tertulia"))
                print(file, flush=True)


if __name__ == "__main__":
    main()
