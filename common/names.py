"""The grammar of logins and room names, and when two names are the same.

A name is 1 to 32 characters in NFC, each a Unicode letter, mark, decimal digit, or one of ``_ - .``, and
it begins with a letter or a digit. Characters that show nothing (Default_Ignorable_Code_Point) are none of
these, whatever their category: names that differ only by them could not be told apart. Two names are the
same if their keys are (`key`: NFKC, case-folded).
Names that only look the same are told apart by `common.lookalikes`. Must not know which names exist.

Sources: UAX #15 (normalisation), UTS #39 (identifiers), RFC 8265 (comparison by case folding).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from common.errors import BadName
from common.limits import NAME_LENGTH

PUNCTUATION: Final = "_-."
MARKS: Final = 2
"""Combining marks in a row: what Devanagari and Vietnamese need, and no tower over its line."""
_CATEGORIES: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd"})
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks with the property Default_Ignorable_Code_Point: fillers and variation selectors."""
_FIRST: Final = frozenset({"Lu", "Ll", "Lt", "Lo", "Nd"})


def parse(name: str) -> str:
    """Return `name` in NFC, or raise `BadName` with the sentence to show."""
    normal = unicodedata.normalize("NFC", name)
    if not 1 <= len(normal) <= NAME_LENGTH:
        raise BadName(f"A name has 1 to {NAME_LENGTH} characters.")
    if unicodedata.category(normal[0]) not in _FIRST:
        raise BadName("A name begins with a letter or a digit.")
    for character in normal:
        known = character in PUNCTUATION or unicodedata.category(character) in _CATEGORIES
        if not known or _UNSEEN.match(character):
            raise BadName(f"A name holds letters, digits, '_', '-' and '.', but not {ascii(character)[1:-1]!r}.")
    marks = 0
    for character in normal:
        marks = marks + 1 if unicodedata.category(character)[0] == "M" else 0
        if marks > MARKS:
            raise BadName(f"A name has at most {MARKS} combining marks on a letter.")
    return normal


def key(name: str) -> str:
    """The form by which names are compared: equal keys are one name. Accepts any text."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", folded)
