"""A sheet laid over the messages: a text to read, a list to pick from, a question with its answers.

One at a time; Esc puts it away. It takes the keys while it is there, and letters narrow a list down. The three kinds
share every key and the drawing, hence one module. All that it shows is made harmless here. Must not know what is
picked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from prompt_toolkit.application import get_app
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import ConditionalContainer, Dimension, FormattedTextControl, Window

from client.language import _
from client.tui.text import clean
from client.tui.text.wrap import cut, pad, wrap

MARGIN: Final = 4
"""Columns of the screen beside a sheet, where there are that many."""
AROUND: Final = 4
"""Rows of the screen above and below it."""
WIDEST: Final = 110
SMALL: Final = 20
"""Rows of a screen of which a sheet leaves the status and the line alone."""


@dataclass
class Sheet:
    """What lies over the messages."""

    title: str
    rows: Sequence[str]
    pick: Callable[[int], None] | None = None
    """What Enter does with the row that is chosen; a text to read has none."""
    narrow: Callable[[str], Sequence[str]] | None = None
    """The rows for what was typed."""
    at_end: Callable[[], None] | None = None
    """Called when the last row is chosen: perhaps there is more."""
    answers: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    """What letters do."""
    foot: str = ""
    typed: str = ""
    at: int = 0
    """The row that is chosen; of a text, the first that is shown."""


class Overlay:
    """Shows a `Sheet`, or nothing."""

    def __init__(self, opened: Callable[[], None], closed: Callable[[], None]) -> None:
        """`opened` gives the keys to `window`, `closed` back to where they were."""
        self.sheet: Sheet | None = None
        self._opened = opened
        self._closed = closed
        self._height = 1
        self.window = Window(
            FormattedTextControl(self._draw, focusable=True, key_bindings=self._keys(), show_cursor=False),
            width=lambda: Dimension.exact(self._size()[0]),
            height=lambda: Dimension.exact(self._size()[1]),
            style="class:sheet",
        )
        self.container = ConditionalContainer(self.window, Condition(lambda: self.sheet is not None))

    def show(self, sheet: Sheet) -> None:
        """Lay a sheet over the messages, in the place of any other."""
        self.sheet = sheet
        self._opened()

    def close(self) -> None:
        """Put it away."""
        if self.sheet is not None:
            self.sheet = None
            self._closed()

    # How it looks

    def _size(self) -> tuple[int, int]:
        screen = get_app().output.get_size()
        width = max(1, min(WIDEST, screen.columns - (MARGIN if screen.columns > 60 else 0)))
        rows = len(self._lines(width - 2)) + 2 + bool(self.sheet.foot) if self.sheet else 1
        around = AROUND if screen.rows > SMALL else 2
        return width, max(1, min(rows, screen.rows - around))

    def _lines(self, width: int) -> list[str]:
        """The rows as they stand: a text is broken into lines, a list has one for each."""
        if self.sheet is None:
            return []
        if self.sheet.pick is not None:
            return [cut(clean.line(row), width) for row in self.sheet.rows]
        broken = (wrap([("", clean.text(row))], width) for row in self.sheet.rows)
        return ["".join(text for _style, text in row) for rows in broken for row in rows]

    def _draw(self) -> StyleAndTextTuples:
        sheet = self.sheet
        if sheet is None:
            return []
        width, height = self._size()
        lines = self._lines(width - 2)
        self._height = max(1, height - 2 - bool(sheet.foot))
        if sheet.pick is None:
            start = sheet.at = max(0, min(sheet.at, len(lines) - self._height))
        else:
            sheet.at = max(0, min(sheet.at, len(lines) - 1))
            start = max(0, min(sheet.at - self._height // 2, len(lines) - self._height))
        typed = f" {clean.line(sheet.typed)}▏" if sheet.narrow else ""
        drawn: StyleAndTextTuples = [("class:sheet.title", pad(f" {clean.line(sheet.title)}{typed}", width))]
        for index in range(start, start + self._height):
            here = sheet.pick is not None and index == sheet.at
            style = "class:sheet.here" if here else "class:sheet"
            text = lines[index] if index < len(lines) else ""
            drawn += [("", "\n"), (style, pad(f" {text}", width))]
        if sheet.foot:
            drawn += [("", "\n"), ("class:sheet.title", pad(f" {sheet.foot}", width))]
        below = len(lines) - start - self._height
        esc = _("Esc: back")
        more = _("{n} more below").format(n=below) + " · " if below > 0 else ""
        drawn += [("", "\n"), ("class:sheet.title", pad(f" {more}{esc}", width))]
        return drawn

    # What keys do

    def _keys(self) -> KeyBindings:
        bound = KeyBindings()
        for keys, rows in (("up", -1), ("c-p", -1), ("s-tab", -1), ("down", 1), ("c-n", 1), ("tab", 1)):
            bound.add(keys)(self._moving_by(rows))
        bound.add("pageup")(self._moving(lambda: -self._height))
        bound.add("pagedown")(self._moving(lambda: self._height))
        bound.add("home")(self._moving(lambda: -1_000_000))
        bound.add("end")(self._moving(lambda: 1_000_000))
        bound.add("enter")(lambda event: self._picked())
        for keys in ("escape", "c-c", "c-g", "f1"):
            bound.add(keys)(lambda event: self.close())
        bound.add("backspace")(lambda event: self._type(None))
        bound.add(Keys.BracketedPaste)(lambda event: self._type(clean.typed(event.data).split("\n")[0]))
        bound.add(Keys.Any)(lambda event: self._type(event.data))
        return bound

    def _moving_by(self, rows: int) -> Callable[[KeyPressEvent], None]:
        return lambda event: self._move(rows)

    def _moving(self, by: Callable[[], int]) -> Callable[[KeyPressEvent], None]:
        return lambda event: self._move(by())

    def _move(self, rows: int) -> None:
        sheet = self.sheet
        if sheet is None:
            return
        last = len(sheet.rows) - 1
        if sheet.pick is None:
            sheet.at = max(0, sheet.at + rows)  # the end is known where it is drawn
            return
        sheet.at = max(0, min(last, sheet.at + rows))
        if sheet.at == last and sheet.at_end is not None:
            sheet.at_end()

    def _picked(self) -> None:
        sheet = self.sheet
        if sheet is None:
            return
        if "enter" in sheet.answers:
            self.close()
            sheet.answers["enter"]()
        elif sheet.pick is None:
            self.close()
        elif sheet.rows:
            self.close()
            sheet.pick(sheet.at)

    def _type(self, text: str | None) -> None:
        sheet = self.sheet
        if sheet is None:
            return
        if sheet.narrow is not None:
            sheet.typed = sheet.typed[:-1] if text is None else sheet.typed + text
            sheet.rows, sheet.at = sheet.narrow(sheet.typed), 0
        elif text is None:
            return
        elif text in sheet.answers:
            self.close()
            sheet.answers[text]()
        elif text == "q" and not sheet.answers:
            self.close()
        elif text in ("j", "k", " "):
            self._move({"j": 1, "k": -1, " ": self._height}[text])
