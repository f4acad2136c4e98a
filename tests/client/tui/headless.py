"""A terminal of a given size without a terminal: keys in by a pipe, frames out as the rows a person would see.

The frames come from prompt_toolkit's real VT100 output, read back by the small part of a terminal that it uses.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output
from wcwidth import wcwidth

from tests.support.patience import PATIENCE_S

_SEQUENCE = re.compile(r"\x1b\[([?>0-9;]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[=>78]|\x1b\(B")


@dataclass
class Glass:
    """What the bytes written so far amount to on the screen."""

    columns: int
    rows: int
    cells: list[list[str]] = field(default_factory=list)
    row: int = 0
    column: int = 0
    kept: tuple[int, int] = (0, 0)
    link: str = ""
    """Where what is written now leads."""
    links: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._wipe()

    def _wipe(self) -> None:
        self.cells = [[" "] * self.columns for _ in range(self.rows)]
        self.links = [[""] * self.columns for _ in range(self.rows)]

    def feed(self, text: str) -> None:
        at = 0
        while at < len(text):
            sequence = _SEQUENCE.match(text, at)
            if sequence:
                if sequence[0].startswith("\x1b]8;"):
                    self.link = sequence[0].split(";", 2)[2].removesuffix("\x1b\\")
                elif sequence[0] == "\x1b7":
                    self.kept = (self.row, self.column)
                elif sequence[0] == "\x1b8":
                    self.row, self.column = self.kept
                self._obey(sequence[1] or "", sequence[2] or "")
                at = sequence.end()
                continue
            self._put(text[at])
            at += 1

    def _put(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row = min(self.row + 1, self.rows - 1)
        elif character == "\b":
            self.column = max(0, self.column - 1)
        elif character == "\x07":
            return
        elif character == "\x1b" or wcwidth(character) < 0:
            raise AssertionError(f"a control reached the terminal: {character!r}")
        elif wcwidth(character) > 0:
            self.column = min(self.column, self.columns - 1)
            self.cells[self.row][self.column] = character
            self.links[self.row][self.column] = self.link
            for _ in range(1, wcwidth(character)):
                self.column += 1
                if self.column < self.columns:
                    self.cells[self.row][self.column] = ""
                    self.links[self.row][self.column] = self.link
            self.column += 1

    def _obey(self, parameters: str, letter: str) -> None:
        numbers = [int(number) for number in re.findall(r"\d+", parameters)] or [0]
        step = max(1, numbers[0])
        match letter:
            case "H":
                self.row = min(step, self.rows) - 1
                self.column = (numbers[1] if len(numbers) > 1 else 1) - 1
            case "A":
                self.row = max(0, self.row - step)
            case "B":
                self.row = min(self.rows - 1, self.row + step)
            case "C":
                self.column = min(self.columns - 1, self.column + step)
            case "D":
                self.column = max(0, self.column - step)
            case "J":
                if numbers[0] == 2:
                    self._wipe()
                else:
                    self._erase_line()
                    self.cells[self.row + 1 :] = [[" "] * self.columns for _ in range(self.rows - self.row - 1)]
                    self.links[self.row + 1 :] = [[self.link] * self.columns for _ in range(self.rows - self.row - 1)]
            case "K":
                self._erase_line()

    def _erase_line(self) -> None:
        if self.column < self.columns:
            self.cells[self.row][self.column :] = [" "] * (self.columns - self.column)
            self.links[self.row][self.column :] = [self.link] * (self.columns - self.column)

    def lines(self) -> list[str]:
        return ["".join(row).rstrip() for row in self.cells]


class _Telling(Vt100_Output):
    """Says when something was written."""

    flushed: asyncio.Event

    def flush(self) -> None:
        super().flush()
        self.flushed.set()


class Headless:
    """One headless terminal. `press` writes what keys send; `see` waits until something is on the screen."""

    def __init__(self, columns: int, rows: int, pipe: PipeInput) -> None:
        self.size = Size(rows=rows, columns=columns)
        self.input = pipe
        self.stream = io.StringIO()
        self.flushed = asyncio.Event()
        self.output = _Telling(self.stream, lambda: self.size, term="xterm-256color")
        self.output.flushed = self.flushed
        self.glass = Glass(columns, rows)
        self._read = 0

    @property
    def written(self) -> str:
        """Everything that was written to the terminal."""
        return self.stream.getvalue()

    def press(self, text: str) -> None:
        self.input.send_text(text)

    def frame(self) -> list[str]:
        text = self.written
        self.glass.feed(text[self._read :])
        self._read = len(text)
        return self.glass.lines()

    async def until(self, seen: Callable[[str], bool]) -> str:
        """Wait until the screen as one text is as wanted."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not seen("\n".join(self.frame())):
                    self.flushed.clear()
                    await self.flushed.wait()
        except TimeoutError:
            raise AssertionError("not seen on:\n" + "\n".join(self.frame())) from None
        return "\n".join(self.frame())

    async def see(self, *texts: str) -> str:
        return await self.until(lambda screen: all(text in screen for text in texts))

    async def see_no(self, text: str) -> str:
        return await self.until(lambda screen: text not in screen)


@contextmanager
def headless(columns: int = 120, rows: int = 24) -> Iterator[Headless]:
    """A terminal for the application made within."""
    with create_pipe_input() as pipe:
        terminal = Headless(columns, rows, pipe)
        with create_app_session(input=pipe, output=terminal.output):
            yield terminal
