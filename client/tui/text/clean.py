"""Text from other people, made safe to print and of a width that every terminal agrees on.

Control characters, escape sequences and the controls of writing direction are shown as visible signs
(`common.texts.visible`), format characters without a sign are left out. Emoji of several code points are
reduced to their base sign, because terminals and width tables disagree about the rest. Must not know what the
text is for.

Sources: UTS #51 (emoji sequences), UAX #44 (Default_Ignorable_Code_Point).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from wcwidth import wcwidth

from common import texts

MARKS: Final = 3
"""Combining marks kept in a row: enough for any script in use, and no tower over its line."""

LOST: Final = "\ufffd"
"""Stands for what has no form that two terminals agree on."""

BASE: Final = "\u25cc"
"""Carries a mark that stands alone; else it would cling to what stands in the cell before, which is not its own."""

_FILLERS: Final = frozenset("\u20e3\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")
_REGIONAL: Final = 0x1F1E6
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_TONE = "\ufe0f?[\U0001f3fb-\U0001f3ff]?"
_JOINED = re.compile(f"([\u203c-\u3299\U0001f000-\U0001faff]){_TONE}(?:\u200d[^\\s\\w]{_TONE})+")
_TONED = re.compile("([\u261d-\u270d\U0001f385-\U0001f9dd\U0001fac3-\U0001faf8])[\U0001f3fb-\U0001f3ff]")
_BLANK = re.compile(r"\n[ \t]*(?:\n[ \t]*){2,}")
_PLAIN = re.compile(r"[\n\x20-\x7e\xa1-\xac\xae-\u02ff]*")
"""What needs no look at all: nearly everything that Europe types."""


def text(raw: str) -> str:
    """Return `raw` with its line ends as newlines and every other control made visible; tabs become spaces.

    More than one blank line in a row is one blank line.
    """
    if "\r" in raw or "\u2028" in raw or "\u2029" in raw:
        raw = raw.replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    if not _PLAIN.fullmatch(raw):
        raw = _FLAG.sub(_letters, raw)
        raw = _TONED.sub(r"\1", _JOINED.sub(r"\1", raw))
        raw = _filtered(raw)
    if "\n\n\n" in raw or "\n " in raw:
        raw = _BLANK.sub("\n\n", raw)
    return raw.rstrip("\n ")


def line(raw: str) -> str:
    """As `text`, in one line: a newline becomes a visible sign."""
    return text(raw).replace("\n", " ⏎ ")


def typed(raw: str) -> str:
    """What a paste may bring into the input line: line ends as newlines, tabs as spaces, no other control."""
    raw = raw.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    return "".join(c for c in raw if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs"))


def signs(line: str) -> list[str]:
    """What stands for each character of a line while it is typed: itself, another sign, or nothing.

    The same as in `text` as far as one character at a time allows: else a terminal that joins several into one
    sign is elsewhere with its cursor than the screen's library believes, and the picture falls apart.
    """
    if _PLAIN.fullmatch(line):
        return list(line)
    shown: list[str] = []
    marks = 0
    for character in line:
        kind = unicodedata.category(character)
        if kind != "Cf" and not _is_selector(character):
            marks = marks + 1 if kind[0] == "M" or _takes_no_cell(character) else 0
        if "\U0001f1e6" <= character <= "\U0001f1ff":
            shown.append(chr(ord(character) - _REGIONAL + ord("A")))
        elif kind == "Co":
            shown.append(LOST)
        elif marks > MARKS or _is_selector(character) or (shown and "\U0001f3fb" <= character <= "\U0001f3ff"):
            shown.append("")
        else:
            seen = texts.visible(character)
            shown.append("" if kind == "Cf" and seen == character else seen)
    return shown


def _letters(match: re.Match[str]) -> str:
    """A flag, as the letters of its country: every terminal draws it differently."""
    return "".join(chr(ord(sign) - _REGIONAL + ord("A")) for sign in match.group())


def _filtered(raw: str) -> str:
    """Without towers of marks, width selectors, and format characters that show nothing."""
    kept: list[str] = []
    marks = 0
    for character in texts.visible(raw, newlines=True):
        kind = unicodedata.category(character)
        if kind == "Cf" or _is_selector(character):
            continue
        marks = marks + 1 if kind[0] == "M" or _takes_no_cell(character) else 0
        if kind == "Co":
            kept.append(LOST)
        elif marks <= MARKS:
            if marks == 1 and (not kept or kept[-1] in " \n"):
                kept.append(BASE)
            kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept))


def _takes_no_cell(character: str) -> bool:
    return character > "\u02ff" and wcwidth(character) == 0


def _is_selector(character: str) -> bool:
    """Variation selectors and the keycap's frame, which change a sign's width in some terminals only; and fillers.

    Fillers are what Unicode says to ignore, though some take two empty cells.
    """
    return character in _FILLERS or "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
