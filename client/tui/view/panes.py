"""What stands around the messages, drawn from the model: rooms, people, the title line, the status line.

Every function gives rows for a number of cells and rows; names, topics and hints are made harmless here. Its length is
that of the four. Must not know containers, keys or sockets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from client.language import N_, _, ngettext
from client.tui.model.conversations import Conversation
from client.tui.model.state import Model
from client.tui.text import clean
from client.tui.text.wrap import Fragment, Row, cells, cut, pad
from client.tui.view.render import clock, nick_style

SIDE_WIDTH: Final = 18
"""Cells of each list at the sides."""
WIDE_SIDE_WIDTH: Final = 22
WIDE_FROM: Final = 140
"""Columns of the terminal from which on they are wider."""
SHORT_BELOW: Final = 80
"""Columns below which the status line keeps to the most important."""
CLOCK_OFF_MS: Final = 2_000
"""How far this machine's clock may be off before it is mentioned."""
NAMED: Final = 2
"""People named as writing; of more it says how many."""

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
    "connecting": ("class:status.busy", "◌", N_("connecting")),
    "live": ("class:status.good", "●", N_("live")),
    "resuming": ("class:status.busy", "◐", N_("catching up")),
    "offline": ("class:status.bad", "○", N_("offline")),
}

PRESENCE: Final = {"available": "●", "away": "◐", "dnd": "⊘", "offline": "○"}
"""What stands before somebody's name."""
WRITES: Final = "✎"
MADE: Final = "★"
"""What stands behind the name of whoever made the room."""
KEEPS_ORDER: Final = "☆"
"""And behind those of its moderators."""


def side_width(columns: int) -> int:
    """Cells of a list at the side, in a terminal of so many columns."""
    return WIDE_SIDE_WIDTH if columns >= WIDE_FROM else SIDE_WIDTH


# Rooms


def rooms(model: Model, width: int, height: int) -> list[Row]:
    """The list of conversations with what is unread; the one looked at is always among those in view."""
    order = model.order
    drawn: list[Row] = [[("class:side.head", pad(" " + _("rooms"), width))]]
    here = 0
    for index, talk in enumerate(order):
        if talk.private and index and not order[index - 1].private:
            drawn += [[("class:side", " " * width)], [("class:side.head", pad(" " + _("people"), width))]]
        if talk.log == model.current:
            here = len(drawn)
        drawn.append(_room(talk, index, talk.log == model.current, width))
    start = max(0, min(here - height // 2, len(drawn) - height))
    return drawn[start : start + height]


def _room(talk: Conversation, index: int, here: bool, width: int) -> Row:
    count = _count(talk)
    number = f"{index + 1:>2}" if index < 99 else "  "
    muted = talk.notify == "off"
    style = "class:side.here" if here else "class:side.mention" if talk.mentions and not muted else ""
    style = style or ("class:side.unread" if talk.unread and not muted else "class:side")
    faint = style if here else "class:side.number"
    name = pad(clean.line(talk.log), width - 5 - cells(count))
    return [(faint, f"{number} "), (style, name), (style, f" {count} ")]


def _count(talk: Conversation) -> str:
    """What is unread: `2,5` is five of which two name the reader; a dot if nobody wants to know how many."""
    if not talk.unread:
        return ""
    if talk.notify == "off":
        return "•"
    if talk.mentions and not talk.private:
        return f"{_figure(talk.mentions)},{_figure(talk.unread)}"
    return _figure(talk.unread)


def _figure(count: int) -> str:
    return str(count) if count < 1000 else "999+"


# People


def members(model: Model, width: int, height: int) -> list[Row]:
    """Who is in the room: those here first, then the others; as many as fit."""
    talk = model.here
    people = _people(model, talk)
    drawn: list[Row] = [[("class:side.head", pad(" " + _("members") if people else "", width))]]
    room = height - 1
    shown = people if len(people) <= room else people[: max(0, room - 1)]
    for login, presence in shown:
        me, writes = login == model.me, talk.writers.get(login, 0) > model.now
        bot = any(login in other.bots for other in (model.conversations.values() if talk.private else (talk,)))
        drawn.append(_person(login, presence, me, bot, _sign(talk, login, writes), width))
    if len(shown) < len(people):
        more = len(people) - len(shown)
        drawn.append([("class:side.head", pad("  " + _("and {n} more").format(n=more), width))])
    return drawn


def _people(model: Model, talk: Conversation) -> list[tuple[str, str]]:
    """Logins with their presence, as they are listed."""
    if talk.private:
        known = [other for other in model.conversations.values() if talk.peer in other.members]
        presence = max((_presence(other, talk.peer) for other in known), key=lambda each: each != "offline", default="")
        return [(talk.peer, presence)] if presence else []
    people = [(login, _presence(talk, login)) for login in talk.members]
    return sorted(people, key=lambda person: (person[1] == "offline", person[0].casefold()))


def _presence(talk: Conversation, login: str) -> str:
    return talk.statuses.get(login, "available") if talk.members.get(login) else "offline"


def _sign(talk: Conversation, login: str, writes: bool) -> str:
    """What stands behind a name: that somebody writes, or else that they keep order."""
    if writes:
        return WRITES
    return MADE if talk.made_by(login) else KEEPS_ORDER if talk.moderated_by(login) else " "


def _person(login: str, presence: str, me: bool, bot: bool, sign: str, width: int) -> Row:
    style = {"available": "class:me" if me else nick_style(login), "dnd": nick_style(login)}.get(presence, "")
    mark = {"available": style, "dnd": "class:side.dnd"}.get(presence, "class:side.away")
    start = (mark, f" {PRESENCE[presence]} ")
    end = ("class:side.writes" if sign == WRITES else "class:side", f"{sign} ")
    # No login has a space in it, so nobody can call themselves so.
    kind = " " + _("bot") if bot else ""
    name = cut(clean.line(login), max(0, width - 5 - cells(kind)))
    return [
        start,
        (style or "class:side.away", name),
        ("class:side.away", pad(kind, width - 5 - cells(name))),
        end,
    ]


# The title line


def title(model: Model, width: int) -> Row:
    """The conversation's name and topic line, and how many are there."""
    talk = model.here
    name = cut(f" {clean.line(talk.title)} ", width)
    if talk.private:
        people = _people(model, talk)
        rest = _("private")
        if people:
            rest = _(_HERE[people[0][1]])
    else:
        rest = clean.line(talk.subject)
    there = " " + ngettext("{n} here", "{n} here", talk.online).format(n=talk.online) + " " if not talk.private else ""
    left = max(0, width - cells(name) - cells(there) - 2)
    middle = ("· " if rest else "  ") + pad(rest, left)
    return [("class:title", name), ("class:title.topic", middle), ("class:title.topic", there)]


_HERE: Final = {
    "available": N_("private, here now"),
    "away": N_("private, here but away"),
    "dnd": N_("private, here but not to be disturbed"),
    "offline": N_("private, not here now: reads it later"),
}


# The status line


def status(model: Model, standing: Standing, scrolled: str, hint: str, width: int) -> Row:
    """The status line: the link, what is unread elsewhere, the time; `scrolled` says what lies below, if anything.

    What matters most comes first, as a narrow terminal shows no more.
    """
    short = width < SHORT_BELOW
    parts: Fragments = [_link(standing, short)]
    if model.waiting and standing.link != "live":
        text = ngettext("{n} message waits", "{n} messages wait", model.waiting).format(n=model.waiting)
        parts.append(("class:status.news", text))
    if hint:
        parts.append(("class:status.news", clean.line(hint)))
    if scrolled:
        parts.append(("class:status.news", scrolled))
    if model.here.loading:
        parts.append(("class:status.busy", _("reading older…")))
    news = _activity(model)
    if news:
        parts.append(("class:status.news", news if short else _("unread {news}").format(news=news)))
    writing = _writing(model.here, standing.now)
    if writing:
        parts.append(("class:status", writing))
    parts.append(("class:status", clock(standing.now, seconds=not short)))
    if abs(standing.offset_ms) > CLOCK_OFF_MS:
        behind, ahead = _("your clock is {n} s behind"), _("your clock is {n} s ahead")
        said = (behind if standing.offset_ms > 0 else ahead).format(n=f"{abs(standing.offset_ms) / 1000:.0f}")
        parts.append(("class:status", said))
    if not news:
        parts.append(("class:status", _("F1 keys · /help")))
    return _joined(parts, width)


def _link(standing: Standing, short: bool) -> Fragment:
    style, sign, words = SIGNS[standing.link]
    said = f" {sign} {_(words)}"
    if standing.link != "live":
        return (style, said + " " + _("for {time}").format(time=_span(standing.seconds)))
    if standing.round_trip_ms is not None and not short:
        shown = f"{standing.round_trip_ms:.0f}" if standing.round_trip_ms >= 1 else "<1"
        said += " " + _("{n} ms").format(n=shown)
    return (style, said)


def _activity(model: Model) -> str:
    """What is unread elsewhere, and under which number one finds it: where one is named first."""
    unread = [
        (index, talk)
        for index, talk in enumerate(model.order)
        if talk.unread and talk.log != model.current and talk.notify != "off"
    ]
    unread.sort(key=lambda each: not each[1].mentions)
    return " ".join(f"{index + 1}:{clean.line(talk.log)}({_count(talk)})" for index, talk in unread)


def _writing(talk: Conversation, now: int) -> str:
    """Who is writing."""
    writers = sorted(login for login, until in talk.writers.items() if until > now)
    if not writers:
        return ""
    if len(writers) > NAMED:
        return f"{WRITES} " + _("{n} people").format(n=len(writers))
    return f"{WRITES} " + ", ".join(clean.line(login) for login in writers)


def _span(seconds: int) -> str:
    if seconds < 120:
        return _("{n} s").format(n=seconds)
    return _("{n} min").format(n=seconds // 60) if seconds < 7_200 else _("{n} h").format(n=seconds // 3_600)


def _joined(parts: Fragments, width: int) -> Row:
    line: Row = []
    left = width
    for style, text in parts:
        text = cut((" · " if line else "") + text, left)
        left -= cells(text)
        line.append((style, text))
    line.append(("class:status", " " * left))
    return line
