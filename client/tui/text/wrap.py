"""Breaking styled text into rows of a width in cells, at spaces where there are any.

Must not know what the text is. A row is a list of (style, text), as prompt_toolkit draws it.
"""

from __future__ import annotations

from functools import lru_cache

from wcwidth import wcwidth

Fragment = tuple[str, str]
Row = list[Fragment]
Cell = tuple[str, str, int]
"""Style, one character, the cells it takes."""


@lru_cache(maxsize=4096)
def _cell(character: str) -> int:
    return max(0, wcwidth(character))


def cells(text: str) -> int:
    """How many cells `text` takes, counted as the screen's library counts: each code point by itself."""
    if text.isascii():
        return len(text)
    return sum(_cell(character) for character in text)


def cut(text: str, width: int) -> str:
    """`text`, or as much of it as fits in `width` cells with an ellipsis."""
    if cells(text) <= width:
        return text
    used = 0
    for index, character in enumerate(text):
        used += _cell(character)
        if used > width - 1:
            return text[:index] + "…" if width > 0 else ""
    raise AssertionError("a text too wide has an end")


def pad(text: str, width: int) -> str:
    """`text` in exactly `width` cells."""
    text = cut(text, width)
    return text + " " * (width - cells(text))


def wrap(fragments: list[Fragment], width: int, first: int | None = None) -> list[Row]:
    """Break fragments into rows of at most `width` cells; a newline always breaks. At least one row.

    The first row has `first` cells, if that is given.
    """
    width = max(2, width)
    if sum(cells(text) for _, text in fragments) <= (width if first is None else first) and not any(
        "\n" in text for _, text in fragments
    ):
        return [fragments]
    rows: list[Row] = []
    line: list[Cell] = []
    for style, text in fragments:
        for character in text:
            if character == "\n":
                rows.extend(_broken(line, width, width if first is None or rows else first))
                line = []
            else:
                line.append((style, character, _cell(character)))
    rows.extend(_broken(line, width, width if first is None or rows else first))
    return rows


def broken(fragments: list[Fragment], width: int, first: int) -> list[Row]:
    """Break fragments of one line anywhere, so that no space is lost. At least one row; the first has `first` cells."""
    rows: list[Row] = []
    row: list[Cell] = []
    left = first
    for style, text in fragments:
        for character in text:
            taken = _cell(character)
            if taken > left and row:
                rows.append(_merged(row))
                row, left = [], width
            row.append((style, character, taken))
            left -= taken
    return [*rows, _merged(row)]


def _broken(line: list[Cell], width: int, first: int) -> list[Row]:
    """The rows of one line."""
    rows: list[Row] = []
    start, room = 0, first
    while True:
        end, used, space = start, 0, -1
        while end < len(line) and used + line[end][2] <= room:
            used += line[end][2]
            if line[end][1] == " ":
                space = end
            end += 1
        if end == len(line):
            rows.append(_merged(line[start:end]))
            return rows
        if line[end][1] == " ":
            cut_at, start_next = end, end + 1
        elif space > start:
            cut_at, start_next = space, space + 1
        else:
            cut_at = start_next = end
        rows.append(_merged(line[start:cut_at]))
        start, room = start_next, width


def _merged(characters: list[Cell]) -> Row:
    row: Row = []
    run: list[str] = []
    last = ""
    for style, character, _ in characters:
        if style != last and run:
            row.append((last, "".join(run)))
            run = []
        last = style
        run.append(character)
    if run:
        row.append((last, "".join(run)))
    return row
