"""Turn a terminal's screen, as `tmux capture-pane -e` prints it, into an SVG picture.

    scripts/screenshot.py [TITLE] <SCREEN >PICTURE

Each run of cells of one look is one `<text>` that is told how wide it is, so that columns stand below each other in
whatever font the reader has. Must not know which program drew the screen.

Source: ECMA-48, 8.3.117 (SGR); SVG 1.1, 10.5 (`textLength`).
"""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterator
from html import escape
from typing import NamedTuple

from wcwidth import wcswidth

CELL = (8.4, 18.0)
"""Width and height of a cell, in pixels, at a font size of 14."""
MARGIN = 14.0
BAR = 30.0
"""Pixels of the title bar."""
GROUND, INK = "#16181d", "#d6d9e0"
PALETTE = (
    "#1b1d23 #e06c75 #98c379 #d7ba7d #61afef #c678dd #56b6c2 #c8ccd4 "
    "#6b7280 #ff8b94 #b5e890 #f5d88e #8cc8ff #e0a0f5 #7fdbe6 #ffffff"
).split()
"""The sixteen colours that a terminal has of its own."""
FONTS = "ui-monospace, 'DejaVu Sans Mono', 'Cascadia Mono', Menlo, Consolas, monospace"

_SEQUENCE = re.compile(r"\x1b\[([0-9;:]*)m|\x1b\]8;[^\x1b\x07]*(?:\x1b\\|\x07)|\x1b\([A-Z]|[\x0e\x0f]")


class Look(NamedTuple):
    """How a cell is drawn."""

    ink: str = ""
    ground: str = ""
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underlined: bool = False
    struck: bool = False
    reversed: bool = False


_FLAGS = {1: "bold", 2: "dim", 3: "italic", 4: "underlined", 7: "reversed", 9: "struck"}
_ENDS = {22: ("bold", "dim"), 23: ("italic",), 24: ("underlined",), 27: ("reversed",), 29: ("struck",)}


def cells(text: str) -> int:
    """How many cells a text takes."""
    return max(0, wcswidth(text))


def indexed(number: int) -> str:
    """A colour of the 256: sixteen of the terminal's own, a cube, and greys."""
    if number < 16:
        return PALETTE[number]
    if number >= 232:
        level = 8 + 10 * (number - 232)
        return f"#{level:02x}{level:02x}{level:02x}"
    steps = (0, 95, 135, 175, 215, 255)
    number -= 16
    return "#" + "".join(f"{steps[number // 6**power % 6]:02x}" for power in (2, 1, 0))


def changed(look: Look, parameters: str) -> Look:
    """The look after one SGR sequence."""
    codes = iter([int(code or 0) for code in re.split("[;:]", parameters)])
    for code in codes:
        if code == 0:
            look = Look()
        elif code in _FLAGS:
            look = look._replace(**{_FLAGS[code]: True})
        elif code in _ENDS:
            look = look._replace(**dict.fromkeys(_ENDS[code], False))
        elif code in (38, 48):
            kind = next(codes, 0)
            colour = indexed(next(codes, 0)) if kind == 5 else "#" + "".join(f"{next(codes, 0):02x}" for _ in range(3))
            look = look._replace(**{"ink" if code == 38 else "ground": colour})
        elif code in (39, 49):
            look = look._replace(**{"ink" if code == 39 else "ground": ""})
        elif 30 <= code <= 37 or 90 <= code <= 97:
            look = look._replace(ink=PALETTE[code - 30 if code < 90 else code - 82])
        elif 40 <= code <= 47 or 100 <= code <= 107:
            look = look._replace(ground=PALETTE[code - 40 if code < 100 else code - 92])
    return look


def runs(line: str) -> Iterator[tuple[int, str, Look]]:
    """The stretches of a line that look alike: at which cell each begins, its text, its look."""
    look, column, at = Look(), 0, 0
    for sequence in itertools.chain(_SEQUENCE.finditer(line), [None]):
        text = line[at : sequence.start() if sequence else None]
        if text:
            yield column, text, look
            column += cells(text)
        if sequence is not None:
            at = sequence.end()
            if sequence[1] is not None:
                look = changed(look, sequence[1])


def _drawn(column: int, row: int, text: str, look: Look) -> Iterator[str]:
    wide, high = CELL
    left, top, width = MARGIN + column * wide, BAR + MARGIN + row * high, cells(text) * wide
    ink, ground = look.ink or INK, look.ground
    if look.reversed:
        ink, ground = ground or GROUND, look.ink or INK
    if ground:
        yield f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{high}" fill="{ground}"/>'
    style = [f'fill="{ink}"']
    if look.bold:
        style.append('font-weight="bold"')
    if look.dim:
        style.append('opacity="0.6"')
    if look.italic:
        style.append('font-style="italic"')
    lines = [name for name, wanted in (("underline", look.underlined), ("line-through", look.struck)) if wanted]
    if lines:
        style.append(f'text-decoration="{" ".join(lines)}"')
    # Wider gaps are left, not drawn: a reader's program may make one space of several.
    for words in re.finditer(r"\S+(?: \S+)*", text):
        from_left = left + cells(text[: words.start()]) * wide
        place = f'x="{from_left:.1f}" y="{top + high * 0.76:.1f}"'
        length = f'textLength="{cells(words[0]) * wide:.1f}" lengthAdjust="spacingAndGlyphs"'
        yield f"<text {place} {length} {' '.join(style)}>{escape(words[0])}</text>"


def picture(screen: str, title: str = "") -> str:
    """The screen as an SVG document."""
    lines = screen.rstrip("\n").split("\n")
    columns = max(max((at + cells(text) for at, text, _ in runs(line)), default=0) for line in lines)
    width, height = 2 * MARGIN + columns * CELL[0], BAR + 2 * MARGIN + len(lines) * CELL[1]
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" font-family="{FONTS}" font-size="14" role="img" aria-label="{escape(title)}">',
        f'<rect width="100%" height="100%" rx="9" fill="{GROUND}"/>',
        *(f'<circle cx="{18 + 18 * number}" cy="15" r="5.5" fill="#3a3f4b"/>' for number in range(3)),
        f'<text x="{width / 2:.0f}" y="20" text-anchor="middle" fill="#8b92a0" font-size="12">{escape(title)}</text>',
        '<g style="white-space: pre">',
    ]
    for row, line in enumerate(lines):
        for column, text, look in runs(line):
            drawn += _drawn(column, row, text, look)
    return "\n".join([*drawn, "</g>", "</svg>", ""])


if __name__ == "__main__":
    sys.stdout.write(picture(sys.stdin.read(), " ".join(sys.argv[1:])))
