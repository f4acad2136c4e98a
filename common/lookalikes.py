"""When two names look alike: the skeleton of UTS #39, section 4, over the data of `confusable_homoglyphs`.

Only whoever admits new names needs this; it reads a table of some hundred kilobytes on first use.
"""

from __future__ import annotations

import unicodedata
from functools import cache


@cache
def _table() -> dict[str, list[dict[str, str]]]:
    from confusable_homoglyphs import confusables

    return confusables.confusables_data  # type: ignore[no-any-return]


@cache
def _prototype(character: str) -> str:
    """The text that stands for all that look like `character`.

    The table lists a prototype with all its look-alikes, and each look-alike with its prototype alone.
    """
    alike = [entry["c"] for entry in _table().get(character, ())]
    if len(alike) != 1:
        return character
    (other,) = alike
    if len(other) > 1 or len(_table().get(other, ())) > 1:
        return other
    return min(character, other)


def skeleton(name: str) -> str:
    """Return the form that names which look alike share, whatever their case and script."""
    shape = "".join(_prototype(character) for character in unicodedata.normalize("NFD", name))
    return unicodedata.normalize("NFKC", shape.casefold())
