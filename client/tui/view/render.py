"""A record as rows of styled text: when, who, what. Style names are those of `client.tui.view.themes`.

All text passes `client.tui.text.clean` here, so nothing that a peer wrote reaches the terminal otherwise. Times are
shown in the local zone, from the broker's clock. Its length is that of the forms a record has. Must not know where
on the screen the rows will stand.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from client.language import _, long_date, ngettext, short_date
from client.tui.model.records import Record
from client.tui.text import clean, emoji, links, markup
from client.tui.text.wrap import Fragment, Row, broken, cells, cut, pad, wrap
from common import names

NICKS: Final = 14
"""Colours for nicks: `class:nick.0` and up."""

NICK_WIDTH: Final = 10
"""Cells of the column of nicks; a longer one pushes its own first row only."""
WIDE_NICK_WIDTH: Final = 14
WIDE_FROM: Final = 90
"""Cells of the window from which on the column is wider."""

NO_TIME_BELOW: Final = 50
"""In a narrower window the time of day is left out."""

GROUP_MS: Final = 300_000
"""Milliseconds after which whoever goes on speaking is named again."""

QUARTER: Final = 900_000
"""Milliseconds: no time zone's midnight lies within a quarter of an hour."""

SLANTED: Final = {"pending": "class:pending", "failed": "class:failed", "sent": "class:text"}


class Above(NamedTuple):
    """What stands above a record, as far as it changes how the record is drawn."""

    day: bool = False
    """It is the first of its day: a line with the date comes first."""
    unread: int = 0
    """So many are unread from here on: a line says so."""
    grouped: bool = False
    """The same person goes on speaking, and is not named again."""
    minute: bool = False
    """The same minute stands above, and not again here."""
    quoted: tuple[str, str] | None = None
    """Who said what it answers, and what that was; two empty ones if that is not known here."""


NOTHING: Final = Above()


class Pen:
    """How one reader's messages are drawn. `me` is their login; `number` gives a link its number."""

    def __init__(self, me: str = "", number: Callable[[str], int] | None = None) -> None:
        self.look = markup.Look(number or links.Numbers().number, nick_style, clean.line(me))


def clock(time: int, seconds: bool = False) -> str:
    """The time of day of a moment of the broker's clock, in the local zone."""
    moment = datetime.fromtimestamp(time / 1000)
    short = f"{moment.hour:02}:{moment.minute:02}"
    return f"{short}:{moment.second:02}" if seconds else short


@lru_cache(maxsize=4096)
def _date(quarter: int) -> int:
    return datetime.fromtimestamp(quarter * QUARTER / 1000).toordinal()


def same_day(one: int, other: int) -> bool:
    """Whether two moments of the broker's clock are on one day in the local zone."""
    return _date(one // QUARTER) == _date(other // QUARTER)


def day(time: int) -> str:
    """The date of a moment of the broker's clock, in the local zone."""
    return long_date(datetime.fromtimestamp(time / 1000))


def short_day(time: int) -> str:
    """The date in few cells."""
    return short_date(datetime.fromtimestamp(time / 1000))


@lru_cache(maxsize=4096)
def nick_style(login: str) -> str:
    """The style of a nick: the same for a login always and everywhere."""
    return f"class:nick.{zlib.crc32(names.key(login).encode('utf-8', 'replace')) % NICKS}"


def above(record: Record, before: Record | None, unread: int = 0, answered: Record | None = None) -> Above:
    """What stands above a record, given the one before it and the one that it answers, as far as they are held."""
    new = before is None or not same_day(before.time, record.time)
    quoted = None
    if record.reply_to:
        quoted = (answered.sender, _("message deleted") if answered.retracted else answered.text) if answered else _GONE
    if before is None or new or unread:
        return Above(new, unread, quoted=quoted)
    minute = before.time // 60_000 == record.time // 60_000 and before.kind == record.kind == "message"
    grouped = (
        quoted is None
        and record.kind == before.kind == "message"
        and record.sender == before.sender
        and 0 <= record.time - before.time < GROUP_MS
    )
    return Above(new, 0, grouped, minute and grouped, quoted)


_GONE: Final = ("", "")


def rows(record: Record, width: int, above: Above = NOTHING, pen: Pen | None = None) -> list[Row]:
    """Draw a record in `width` cells, with what stands above it."""
    drawn: list[Row] = []
    if above.day:
        drawn.append(_rule(f" {day(record.time)} ", width, "─", "class:rule"))
    if above.unread:
        label = ngettext("{n} unread", "{n} unread", above.unread).format(n=above.unread)
        drawn.append(_rule(f" {label} ", width, "╌", "class:unread-rule"))
    stamp = "" if width < NO_TIME_BELOW else " " * 6 if above.minute else clock(record.time) + " "
    if record.kind == "message":
        drawn.extend(_said(record, width, stamp, above, (pen or Pen()).look))
    else:
        drawn.extend(_noted(record, width, stamp))
    return drawn


def _said(record: Record, width: int, stamp: str, above: Above, look: markup.Look) -> list[Row]:
    column = 0
    if stamp:
        column = WIDE_NICK_WIDTH if width >= WIDE_FROM else NICK_WIDTH
    indent = len(stamp) + column + 1 if stamp else 2
    head: Row = [("class:time", stamp)] if stamp else []
    if above.grouped:
        head.append(("", " " * (indent - len(stamp))))
    else:
        nick = cut(clean.line(record.sender), min(max(column, width // 3), max(1, width - 3)))
        style = "class:me" if record.mine else nick_style(record.sender)
        head += [(style, pad(nick, max(column, cells(nick)))), ("", " ")]
    drawn: list[Row] = []
    if above.quoted is not None:
        drawn.append([("", " " * indent), *_quoted(above.quoted, width - indent)])
    first = max(2, width - sum(cells(text) for _style, text in head))
    for row in _body(record, width - indent, first, look):
        drawn.append([*head, *row] if head else [("", " " * indent), *row])
        head = []
    if record.reactions:
        drawn.extend([("", " " * indent), *row] for row in _reactions(record, width - indent))
    return drawn


def _body(record: Record, width: int, first: int, look: markup.Look) -> list[Row]:
    """What was said, in rows of `width` cells, the first one of `first`."""
    if record.retracted:
        return wrap([("class:gone", _("message deleted"))], width, first)
    style = SLANTED[record.fate]
    said = markup.lines(clean.text(record.text), style, look, record.mention)
    end = _end(record)
    drawn: list[Row] = []
    for index, line in enumerate(said):
        fragments = line.fragments + end if index == len(said) - 1 else line.fragments
        prefix: Row = [(f"{style} {line.style}", line.prefix)] if line.prefix else []
        room = max(2, width - len(line.prefix))
        top = max(2, first - len(line.prefix)) if index == 0 else room
        lines = broken(fragments, room, top) if line.exact else wrap(fragments, room, top)
        drawn.extend([*prefix, *row] for row in lines)
    return drawn


def _end(record: Record) -> list[Fragment]:
    """What is to be said of a message behind its text."""
    end: list[Fragment] = []
    if record.edited:
        end.append(("class:edited", f" ({_('edited')})"))
    if record.fate == "pending":
        end.append(("class:pending", f" … {record.reason}" if record.reason else " …"))
    elif record.fate == "failed":
        end.append(("class:failed", "  ✗ " + _("not sent: {reason}").format(reason=clean.line(record.reason))))
    return end


def _quoted(quoted: tuple[str, str], width: int) -> Row:
    """The message that is answered, in one row: who, and the first words."""
    sender, text = quoted
    if quoted == _GONE:
        return [("class:reply", cut("╭ " + _("an earlier message"), width))]
    name = cut(clean.line(sender), max(4, width // 3))
    words = " ".join(clean.text(emoji.replaced(text[:400])).split())
    left = max(0, width - cells(name) - 4)
    said = ("class:reply", ": " + cut(words, left))
    return [("class:reply", "╭ "), (f"class:reply {nick_style(sender)}", name), said]


def _reactions(record: Record, width: int) -> list[Row]:
    """A row, or some, of emoji with how many put them there; one's own stand in brackets."""
    drawn: list[Row] = [[]]
    used = 0
    for reaction in record.reactions:
        sign = cut(clean.line(emoji.sign(reaction.emoji)), 8) or clean.LOST
        text = f"[{sign} {reaction.count}]" if reaction.mine else f" {sign} {reaction.count} "
        if used and used + 1 + cells(text) > width:
            drawn.append([])
            used = 0
        drawn[-1] += [("", " ")] if used else []
        drawn[-1].append(("class:reaction.mine" if reaction.mine else "class:reaction", cut(text, width)))
        used += cells(text) + (1 if used else 0)
    return drawn


MARKS: Final = {"notice": ("class:notice", "·"), "answer": ("class:answer", "│"), "error": ("class:error", "!")}


def _noted(record: Record, width: int, stamp: str) -> list[Row]:
    style, mark = MARKS[record.kind]
    if record.kind == "notice" and stamp:
        mark = pad(mark, WIDE_NICK_WIDTH if width >= WIDE_FROM else NICK_WIDTH)
    indent = len(stamp)
    lines = wrap([(style, clean.text(record.text))], width - len(mark) - 1 - indent)
    head: Row = [("class:time", stamp)] if stamp else []
    again = f"{mark} " if record.kind == "answer" else " " * (len(mark) + 1)
    return [[*head, (style, f"{mark} "), *lines[0]], *([("", " " * indent), (style, again), *row] for row in lines[1:])]


def _rule(label: str, width: int, sign: str, style: str) -> Row:
    label = cut(label, width)
    left = (width - cells(label)) // 2
    return [(style, sign * left + label + sign * (width - cells(label) - left))]


def in_a_line(record: Record, where: str) -> str:
    """A record as `--plain` prints it: `12:51 #lobby ana: text`, without any control."""
    head = f"{clock(record.time)} {clean.line(where)}"
    if record.kind == "message":
        text = f"({_('message deleted')})" if record.retracted else clean.line(record.text)
        return f"{head} {clean.line(record.sender)}: {text}" + (f" ({_('edited')})" if record.edited else "")
    return f"{head} {MARKS[record.kind][1]} {clean.line(record.text)}"
