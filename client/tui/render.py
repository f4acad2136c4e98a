"""A record as rows of styled text: when, who, what. Style names are those of `client.tui.style`.

All text passes `client.tui.clean` here, so nothing that a peer wrote reaches the terminal otherwise. Times are
shown in the local zone, from the broker's clock. Must not know where on the screen the rows will stand.
"""

from __future__ import annotations

import re
import zlib
from datetime import datetime
from typing import Final

from client.tui import clean
from client.tui.records import Record
from client.tui.wrap import Fragment, Row, cells, cut, pad, wrap
from common import names

NICKS: Final = 14
"""Colours for nicks: `class:nick.0` and up."""

NICK_WIDTH: Final = 10
"""Cells of the column of nicks; a longer one pushes its own first row only."""

NO_TIME_BELOW: Final = 50
"""In a narrower window the time of day is left out."""

SLANTED: Final = {"pending": "class:pending", "failed": "class:failed", "sent": ""}
_LINK = re.compile(r"https?://[^\s<>\"]+")


def clock(time: int, seconds: bool = False) -> str:
    """The time of day of a moment of the broker's clock, in the local zone."""
    return datetime.fromtimestamp(time / 1000).strftime("%H:%M:%S" if seconds else "%H:%M")


def day(time: int) -> str:
    """The date of a moment of the broker's clock, in the local zone."""
    moment = datetime.fromtimestamp(time / 1000)
    return f"{moment:%A} {moment.day} {moment:%B %Y}"


def short_day(time: int) -> str:
    """The date in few cells."""
    return datetime.fromtimestamp(time / 1000).strftime("%Y-%m-%d")


def nick_style(login: str) -> str:
    """The style of a nick: the same for a login always and everywhere."""
    return f"class:nick.{zlib.crc32(names.key(login).encode('utf-8', 'replace')) % NICKS}"


def rows(record: Record, width: int, before: Record | None = None, unread: int = 0) -> list[Row]:
    """Draw a record in `width` cells, with what stands above it.

    A line with the date comes first if `before` is of another day; a line of `unread` ones, if there are any.
    """
    drawn: list[Row] = []
    if before is None or day(before.time) != day(record.time):
        drawn.append(_rule(f" {day(record.time)} ", width, "─", "class:rule"))
    if unread:
        drawn.append(_rule(f" {unread} unread ", width, "╌", "class:unread-rule"))
    stamp = [] if width < NO_TIME_BELOW else [("class:time", clock(record.time) + " ")]
    drawn.extend(_said(record, width, stamp) if record.kind == "message" else _noted(record, width, stamp))
    return drawn


def _said(record: Record, width: int, stamp: list[Fragment]) -> list[Row]:
    nick = cut(clean.line(record.sender), min(max(NICK_WIDTH, width // 3), max(1, width - 3)))
    style = "class:me" if record.mine else nick_style(record.sender)
    if stamp:
        nick, indent = pad(nick, max(NICK_WIDTH, cells(nick))), cells(stamp[0][1]) + NICK_WIDTH + 1
    else:
        indent = 2
    head: Row = [*stamp, (style, nick), ("", " ")]
    lines = wrap(_body(record), width - indent, first=max(2, width - sum(cells(text) for _, text in head)))
    return [head + lines[0], *([("", " " * indent), *line] for line in lines[1:])]


def _body(record: Record) -> list[Fragment]:
    style = SLANTED[record.fate] or ("class:mention" if record.mention else "class:text")
    text = clean.text(record.text)
    body: list[Fragment] = []
    at = 0
    for match in _LINK.finditer(text):
        end = len(match.group().rstrip(".,;:!?)'")) + match.start()
        body += [(style, text[at : match.start()]), (f"{style} class:link", text[match.start() : end])]
        at = end
    body.append((style, text[at:]))
    if record.fate == "pending":
        body.append(("class:pending", f" … {record.reason}" if record.reason else " …"))
    elif record.fate == "failed":
        body.append(("class:failed", f"  ✗ not sent: {clean.line(record.reason)}"))
    return [fragment for fragment in body if fragment[1]]


MARKS: Final = {"notice": ("class:notice", "·"), "answer": ("class:answer", "│"), "error": ("class:error", "!")}


def _noted(record: Record, width: int, stamp: list[Fragment]) -> list[Row]:
    style, mark = MARKS[record.kind]
    lines = wrap([(style, clean.text(record.text))], width - 2 - (cells(stamp[0][1]) if stamp else 0))
    indent = cells(stamp[0][1]) if stamp else 0
    head: Row = [*stamp, (style, f"{mark} ")]
    again = f"{mark} " if record.kind == "answer" else "  "
    return [head + lines[0], *([("", " " * indent), (style, again), *line] for line in lines[1:])]


def _rule(label: str, width: int, sign: str, style: str) -> Row:
    label = cut(label, width)
    left = (width - cells(label)) // 2
    return [(style, sign * left + label + sign * (width - cells(label) - left))]


def in_a_line(record: Record, where: str) -> str:
    """A record as `--plain` prints it: `12:51 #lobby ana: text`, without any control."""
    head = f"{clock(record.time)} {clean.line(where)}"
    if record.kind == "message":
        return f"{head} {clean.line(record.sender)}: {clean.line(record.text)}"
    return f"{head} {MARKS[record.kind][1]} {clean.line(record.text)}"
