"""What people may write, and how what others wrote is shown without harm.

    message text    any text with something to see in it; of the controls only line feed and tab
    line            one line (subject, person's name, client's description): no control at all, nothing that
                    breaks the line or changes the direction of writing
    emoji           one symbol, or a sequence that is shown as one (flags, keycaps, skin tones, families)

Texts are kept as written: nothing is normalised or trimmed. Whatever was written by somebody else goes through
`visible` before it reaches a terminal. Must not know who wrote a text, or where it is shown.

Sources: UAX #9 (Bidi_Control), UAX #44 (general categories), UTS #51 §1.4 (emoji sequences), ECMA-48 (what a terminal
obeys).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from common.errors import BadText, ChatError
from common.limits import TEXT_BYTES, TEXT_LENGTH

_CONTROLS: Final = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_BREAKS: Final = "\u2028\u2029"
_BIDI: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_SURROGATES: Final = "\ud800-\udfff"
"""No UTF-8 holds them, but a Python text made from a terminal's or a file name's bytes may."""

_NOT_IN_TEXT: Final = re.compile(f"[{_CONTROLS}{_SURROGATES}]")
_NOT_IN_LINE: Final = re.compile(f"[\t\n{_CONTROLS}{_BREAKS}{_BIDI}{_SURROGATES}]")
_UNSEEN: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
_SYMBOLS: Final = frozenset({"So", "Sm"})
_EMOJI_ELSEWHERE: Final = frozenset("\u203c\u2049\u2139\u3030")
"""Emoji that Unicode counts among letters and punctuation."""
_EMOJI_RESERVED: Final = range(0x1F000, 0x20000)
"""Where newer emoji come to stand than our tables know."""
# Of the classes that `_emoji_class` tells: a flag, a keycap, or symbols that are joined to one.
_EMOJI: Final = re.compile("RR|D[VW]?K|(B[VW]?S?T*|S)(Z(B[VW]?S?T*))*")
_TAB: Final = "    "
NO_TEXT: Final = "What was given is not text in the encoding of this system."
"""What is said of an argument, a setting or an input that UTF-8 cannot hold."""
_LOST: Final = "\ufffd"


def _shows(text: str) -> bool:
    """Whether anything can be seen in `text`; unassigned characters count as seen, for they may be newer than we."""
    return any(unicodedata.category(character) not in _UNSEEN for character in text)


def check_text(text: str) -> str:
    """Return the text of a message as it is, or raise `BadText` with the sentence to show."""
    if text.isascii() and text.isprintable() and not text.isspace() and 0 < len(text) <= TEXT_LENGTH:
        return text  # nearly every message, told at a glance
    found = _NOT_IN_TEXT.search(text)
    if found is not None:
        raise BadText(f"A text holds no control characters but line feeds and tabs; found {found[0]!a}.")
    if not _shows(text):
        raise BadText("The text is empty.")
    if len(text) > TEXT_LENGTH or len(text.encode()) > TEXT_BYTES:
        raise BadText(f"A text has at most {TEXT_LENGTH} characters and {TEXT_BYTES} bytes in UTF-8.")
    return text


def mended(text: str) -> str:
    """Return `text` as `check_text` takes it, but for its length and that there may be nothing to see in it.

    For what a program hands on from others who know nothing of our rules: line ends become line feeds, and whatever
    else is not allowed becomes something to see, so that nothing is lost unseen.
    """
    return _NOT_IN_TEXT.sub(_stand_in, text.replace("\r\n", "\n").replace("\r", "\n"))


def check_line(text: str, what: str, *, required: bool = False, error: type[ChatError] = BadText) -> str:
    """Return a one-line text as it is, or raise `error` with a sentence that begins with `what`.

    Its length is bounded where it is decoded (`common.codec`). With `required` there must be something to see.
    """
    found = _NOT_IN_LINE.search(text)
    if found is not None:
        raise error(f"{what} is one line without control characters; found {found[0]!a}.")
    if required and not _shows(text):
        raise error(f"{what}: something is required.")
    return text


def check_emoji(text: str) -> str:
    """Return an emoji as it is, or raise `BadText`: letters, digits, spaces and invisible characters are none."""
    if not _EMOJI.fullmatch("".join(map(_emoji_class, text))):
        raise BadText("That is no emoji: a reaction is one symbol.")
    return text


def _emoji_class(character: str) -> str:
    """One letter for what a character may be within an emoji; `X` for what is in none."""
    code = ord(character)
    if character in "#*0123456789":
        return "D"
    for letter, first, last in (
        ("K", 0x20E3, 0x20E3),  # the keycap around a digit
        ("V", 0xFE0F, 0xFE0F),  # shown as a picture
        ("W", 0xFE0E, 0xFE0E),  # shown as text
        ("Z", 0x200D, 0x200D),  # joins two
        ("R", 0x1F1E6, 0x1F1FF),  # half a flag
        ("S", 0x1F3FB, 0x1F3FF),  # skin tones
        ("T", 0xE0020, 0xE007F),  # tags: flags of regions
    ):
        if first <= code <= last:
            return letter
    category = unicodedata.category(character)
    symbol = category in _SYMBOLS and not character.isascii()
    reserved = category == "Cn" and code in _EMOJI_RESERVED
    return "B" if symbol or reserved or character in _EMOJI_ELSEWHERE else "X"


def visible(text: str, *, newlines: bool = False) -> str:
    """Return `text` with everything a terminal might obey replaced by something to see.

    Control characters of ASCII become their pictures (U+2400 onwards), a tab four spaces; all other controls,
    line and paragraph separators, directional controls and lone surrogates become U+FFFD. With `newlines`
    line feeds stay.
    """
    return _NOT_IN_LINE.sub(_kept if newlines else _stand_in, text)


def _kept(found: re.Match[str]) -> str:
    return "\n" if found[0] == "\n" else _stand_in(found)


def _stand_in(found: re.Match[str]) -> str:
    character = found[0]
    if character == "\t":
        return _TAB
    if character < " ":
        return chr(0x2400 + ord(character))
    return "\u2421" if character == "\x7f" else _LOST
