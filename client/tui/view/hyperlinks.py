"""What the terminal is sent beyond what its library knows: links, and signs that cannot push their neighbours away.

A terminal keeps a link open until it is told to close it, and the library writes only the cells that have changed.
So a link is opened for each of its cells and closed wherever the pen is lifted, or links would spread over the screen.
Terminals disagree about how many cells newer signs take. So such a sign is written into emptied cells, and the
cursor is then put where the library believes it to be. Must not know what is drawn.

Source: ECMA-48 (CUF), DEC STD 070 (DECSC, DECRC), "Hyperlinks in terminal emulators" (OSC 8).
"""

from __future__ import annotations

import re
from typing import Any, Final, cast

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.output import Output

from client.tui.text import links
from client.tui.text.wrap import Row, cells

_ZERO: Final = "[ZeroWidthEscape]"
_NUMBER: Final = re.compile(r"class:link-(\d+)")
_AGREED: Final = re.compile(
    "[\x00-\u02ff\u0370-\u0482\u048a-\u052f\u0531-\u0556\u1e00-\u1fff\u2010-\u2027\u2030-\u205e\u2190-\u21ff"
    "\u2400-\u2426\u2500-\u25c9\u25cb-\u25d1\u3001-\u3029\u3041-\u3096\u30a0-\u30ff\u4e00-\u9fff\uac00-\ud7a3\ufffd]*"
)
"""Signs of whose width all terminals have the same idea, as they are older than most."""


def linked(row: Row, numbers: links.Numbers) -> StyleAndTextTuples:
    """A row with what opens and closes the links in it."""
    if not any("class:link-" in style for style, _ in row):
        return list(row)
    drawn: StyleAndTextTuples = []
    for style, text in row:
        match = _NUMBER.search(style)
        link = numbers.link(int(match[1])) if match else None
        opening = links.opening(link, int(match[1])) if match and link is not None else ""
        if not opening:
            drawn.append((style, text))
            continue
        for character in text:
            drawn += [(_ZERO, opening), (style, character)]
        drawn.append((_ZERO, links.CLOSING))
    return drawn


class _Careful:
    """An output that closes links, and writes signs of a doubtful width so that they move nothing."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._open = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)

    def write(self, data: str) -> None:
        if data[:1] == "\r":
            self._close()
        if _AGREED.fullmatch(data):
            self._output.write(data)
            return
        width = cells(data)
        if not width:  # the library believes that it takes one
            self._output.write(" ")
            return
        self._output.write_raw("\x1b7" + " " * width + "\x1b8\x1b7")  # some forget a place once they were back at it
        self._output.write(data)
        self._output.write_raw(f"\x1b8\x1b[{width}C")

    def write_raw(self, data: str) -> None:
        if not data.startswith("\x1b]8;"):
            self._output.write_raw(data)
            return
        data = data.removeprefix(links.CLOSING) or data
        if data == links.CLOSING:
            self._close()
        elif data != self._open:
            self._close()
            self._output.write_raw(data)
            self._open = data

    def _close(self) -> None:
        if self._open:
            self._output.write_raw(links.CLOSING)
            self._open = ""

    def cursor_up(self, amount: int) -> None:
        self._close()
        self._output.cursor_up(amount)

    def cursor_forward(self, amount: int) -> None:
        self._close()
        self._output.cursor_forward(amount)

    def cursor_backward(self, amount: int) -> None:
        self._close()
        self._output.cursor_backward(amount)

    def reset_attributes(self) -> None:
        self._close()
        self._output.reset_attributes()

    def flush(self) -> None:
        self._close()
        self._output.flush()


def careful(output: Output) -> Output:
    """The same terminal, written to with care."""
    return cast(Output, _Careful(output))
