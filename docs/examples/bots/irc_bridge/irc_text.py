"""Text on its way between a room and IRC: made harmless in one direction, cut to lines in the other.

An IRC line has 512 bytes, and the server puts the sender's full name before what we send: what is over is cut off
without a word. So a message is split here, between words where that is possible and never within a character.
Must not know connections, nor bots.

Sources: RFC 2812 section 2.3 (512 bytes, no NUL, CR, LF), modern.ircdocs.horse/formatting (formatting codes),
UAX #9 (controls of the writing direction), UAX #29 (marks and joiners stay with their character).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

LINE_BYTES: Final = 512
"""Bytes of one IRC line, with its sender and its line end."""
USER_BYTES: Final = 11
"""Bytes that the server may show as our user name: ten, and the `~` of whoever was not identified."""
HOST_BYTES: Final = 63
"""Bytes that the server may show as our host."""
NAME_LENGTH: Final = 32
"""Characters of a name from IRC that a room is shown."""
LINES: Final = 12
"""IRC lines that one message becomes at the most: a channel bears no more from one person at once."""

# Colour by number, colour by its six digits, then: bold, italic, underline, strike, fixed width, reverse, plain.
_CODES: Final = re.compile(
    "\x03(?:[0-9]{1,2}(?:,[0-9]{1,2})?)?|\x04(?:[0-9a-fA-F]{6}(?:,[0-9a-fA-F]{6})?)?|[\x02\x1d\x1f\x1e\x11\x16\x0f]"
)
_BREAKS: Final = re.compile("\r\n|[\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
_BIDI: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ACTION: Final = re.compile(r"_(?P<who>\S+) (?P<what>.+)_", re.DOTALL)


def harmless(raw: str) -> str:
    """A text from IRC as a room may have it: one line, without formatting codes, controls and changes of direction."""
    text = _BIDI.sub("", _BREAKS.sub(" ", _CODES.sub("", raw)).replace("\t", " "))
    return "".join(sign for sign in text if unicodedata.category(sign) not in ("Cc", "Cs")).strip()


def name(raw: str) -> str:
    """A nick from IRC as a room may have it; `?` if nothing of it can be shown."""
    return re.sub(r"\s", "", harmless(raw))[:NAME_LENGTH] or "?"


def action(text: str, login: str) -> str | None:
    """What somebody does (`/me waves`, which a room has as `_ana waves_`), without the name; None if it is talk."""
    found = _ACTION.fullmatch(text.strip())
    return found["what"] if found and found["who"] == login else None


def room_left(nick: str, channel: str, command: str = "PRIVMSG") -> int:
    """Bytes of text that a line of ours may have, once the server has put our full name before it."""
    around = f":{nick}!" + "u" * USER_BYTES + "@" + "h" * HOST_BYTES + f" {command} {channel} :\r\n"
    return LINE_BYTES - len(around.encode())


def lines(text: str, prefix: str, budget: int, most: int = LINES) -> list[str]:
    """`text` as IRC lines of at most `budget` bytes, each with `prefix`, so that nobody can speak in another's name.

    Empty lines are left out. Of more than `most` lines the rest is counted in the last one.
    """
    head = clean(prefix)
    left = budget - len(head.encode())
    if left < 16:
        raise ValueError(f"{budget} bytes are too few for {head!r} and a text.")
    found = [part for line in _BREAKS.split(text) for part in _parts(clean(line), left)]
    if len(found) > most:
        found = [*found[: most - 1], f"(and {len(found) - most + 1} more lines, which are in the room)"]
    return [head + part for part in found]


def clean(line: str) -> str:
    """A line of a room as IRC may have it: no control, which would be a format or an end of line there."""
    line = line.replace("\t", "    ")
    return "".join(sign for sign in line if unicodedata.category(sign) not in ("Cc", "Cs"))


def short(text: str, length: int = 60) -> str:
    """The beginning of a text on one line, as one quotes it."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def _parts(line: str, budget: int) -> Iterator[str]:
    """A line in pieces of at most `budget` bytes."""
    line = line.rstrip()
    while len(line.encode()) > budget:
        cut = _cut(line, budget)
        yield line[:cut].rstrip()
        line = line[cut:].lstrip()
    if line.strip():
        yield line


def _cut(line: str, budget: int) -> int:
    """Where to cut: the last blank that fits; else a border between signs; else one between characters."""
    end = len(line.encode()[:budget].decode(errors="ignore"))
    blank = line.rfind(" ", 0, end + 1)
    if blank > end // 2:
        return blank
    sign = end
    while sign > end - 16 and sign > 1 and _clings(line, sign):
        sign -= 1
    return end if sign <= 1 or _clings(line, sign) else sign


def _clings(line: str, place: int) -> bool:
    """Whether the character at `place` belongs to the one before it."""
    here, before = line[place], line[place - 1]
    if unicodedata.category(here).startswith("M") or "\U0001f3fb" <= here <= "\U0001f3ff":
        return True
    return "\u200d" in (here, before) or _flag(line, place)


def _flag(line: str, place: int) -> bool:
    """Whether `place` is within a flag: two regional letters, counted from the first of their row."""
    start = place
    while start and "\U0001f1e6" <= line[start - 1] <= "\U0001f1ff":
        start -= 1
    return "\U0001f1e6" <= line[place] <= "\U0001f1ff" and (place - start) % 2 == 1
