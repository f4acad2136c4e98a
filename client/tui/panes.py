"""What stands around the messages, drawn from the model: rooms, people, the title line, the status line.

Every function gives fragments for a number of cells or rows. Must not know containers, keys or sockets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from client.tui import clean
from client.tui.conversations import Conversation
from client.tui.render import clock, nick_style
from client.tui.state import Model
from client.tui.wrap import Fragment, Row, cells, cut, pad

SIDE_WIDTH: Final = 18
"""Cells of each list at the sides."""
WIDE_SIDE_WIDTH: Final = 22
WIDE_FROM: Final = 140
"""Columns of the terminal from which on they are wider."""
CLOCK_OFF_MS: Final = 2_000
"""How far this machine's clock may be off before it is mentioned."""

Fragments = list[Fragment]


@dataclass(frozen=True)
class Standing:
    """How things stand with the broker, for the status line."""

    link: str
    """`connecting`, `live`, `resuming` or `offline`."""
    seconds: int
    """For how long."""
    round_trip_ms: float | None
    now: int
    offset_ms: float


SIGNS: Final = {
    "connecting": ("class:status.busy", "◌ connecting"),
    "live": ("class:status.good", "● live"),
    "resuming": ("class:status.busy", "◐ catching up"),
    "offline": ("class:status.bad", "○ offline"),
}


def side_width(columns: int) -> int:
    """Cells of a list at the side, in a terminal of so many columns."""
    return WIDE_SIDE_WIDTH if columns >= WIDE_FROM else SIDE_WIDTH


def rooms(model: Model, width: int, height: int) -> list[Row]:
    """The list of conversations with what is unread; the one looked at is always among those in view."""
    order = model.order
    here = next((index for index, talk in enumerate(order) if talk.log == model.current), 0)
    room = max(1, height - 1)
    start = max(0, min(here - room // 2, len(order) - room))
    drawn: list[Row] = [[("class:side.head", pad(" rooms", width))]]
    for index in range(start, min(len(order), start + room)):
        drawn.append(_room(order[index], index, order[index].log == model.current, width))
    return drawn


def _room(talk: Conversation, index: int, here: bool, width: int) -> Row:
    count = _figure(talk.unread) if talk.unread else ""
    number = f"{(index + 1) % 10}" if index < 10 else " "
    style = "class:side.here" if here else "class:side.mention" if talk.mentions else ""
    style = style or ("class:side.unread" if talk.unread else "class:side")
    name = pad(clean.line(talk.log), width - 4 - len(count))
    return [(style, f"{number} {name} {count} ")]


def _figure(count: int) -> str:
    return str(count) if count < 1000 else "999+"


def members(model: Model, width: int, height: int) -> list[Row]:
    """Who is in the room: those here first, then the others; as many as fit."""
    talk = model.here
    here = sorted((login for login, online in talk.members.items() if online), key=str.casefold)
    away = sorted((login for login, online in talk.members.items() if not online), key=str.casefold)
    drawn: list[Row] = [[("class:side.head", pad(f" here {len(here)}" if talk.members else "", width))]]
    room = height - 1
    people = [(login, True) for login in here] + [(login, False) for login in away]
    shown = people if len(people) <= room else people[: max(0, room - 1)]
    for login, online in shown:
        name = pad(clean.line(login), width - 3)
        style = ("class:me" if login == model.me else nick_style(login)) if online else "class:side.away"
        drawn.append([(style, f"{'●' if online else '○'} {name} ")])
    if len(shown) < len(people):
        drawn.append([("class:side.head", f"  and {len(people) - len(shown)} more")])
    return drawn


def title(model: Model, width: int) -> Fragments:
    """The conversation's name and topic line, and how many are there."""
    talk = model.here
    name = f" {clean.line(talk.title)} "
    if talk.private:
        known = [other.members[talk.peer] for other in model.conversations.values() if talk.peer in other.members]
        rest = "private" + ("" if not known else ", here now" if any(known) else ", not here now: reads it later")
    else:
        rest = clean.line(talk.subject)
    there = f" {talk.online} here " if not talk.private else ""
    left = max(0, width - cells(name) - cells(there) - 2)
    return [
        ("class:title", name),
        ("class:title.topic", ("· " if rest else "  ") + pad(rest, left)),
        ("class:title.topic", there),
    ]


def status(model: Model, standing: Standing, scrolled: str, hint: str, width: int) -> Fragments:
    """The status line: the link, the time, what is unread elsewhere; `scrolled` says what lies below, if anything."""
    style, words = SIGNS[standing.link]
    if standing.link != "live":
        words += f" for {_span(standing.seconds)}"
    elif standing.round_trip_ms is not None:
        words += f" {standing.round_trip_ms:.0f} ms" if standing.round_trip_ms >= 1 else " <1 ms"
    parts: Fragments = [(style, f" {words}")]
    if model.waiting and standing.link != "live":
        many = "message waits" if model.waiting == 1 else "messages wait"
        parts.append(("class:status.news", f"{model.waiting} {many}"))
    if hint:
        parts.append(("class:status.news", clean.line(hint)))
    parts.append(("class:status", clock(standing.now, seconds=True)))
    if abs(standing.offset_ms) > CLOCK_OFF_MS:
        parts.append(
            ("class:status", f"your clock is {abs(standing.offset_ms) / 1000:.0f} s {_side(standing.offset_ms)}")
        )
    if model.here.loading:
        parts.append(("class:status.busy", "reading older…"))
    if scrolled:
        parts.append(("class:status.news", scrolled))
    news = " ".join(
        f"{index + 1}:{clean.line(talk.log)}({_figure(talk.unread)})"
        for index, talk in enumerate(model.order)
        if talk.unread and talk.log != model.current
    )
    if news:
        parts.append(("class:status.news", f"unread {news}"))
    else:
        parts.append(("class:status", "F1 keys · /help"))
    return _joined(parts, width)


def _side(offset_ms: float) -> str:
    return "behind" if offset_ms > 0 else "ahead"


def _span(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7_200 else f"{seconds // 3_600} h"


def _joined(parts: Fragments, width: int) -> Fragments:
    line: Fragments = []
    left = width
    for style, text in parts:
        text = (" · " if line else "") + text
        text = cut(text, left)
        left -= cells(text)
        line.append((style, text))
    line.append(("class:status", " " * left))
    return line
