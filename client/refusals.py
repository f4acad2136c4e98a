"""Sentences of refusals that have details, recognised again so that they can be said in another language.

The broker, `common` and `client.link` speak English, on the wire as in a program's exceptions. A person is told the
same in the language chosen: a sentence without details is looked up in the catalog as it is, one with details is found
here by its shape. `tests/client/test_language.py` holds that every sentence they can make is known. One table, loaded
only where another language than English is spoken. Must not know which code a sentence belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final

from client.language import N_

SHAPES: Final = (N_("A password has {low} to {high} characters."),)
"""Every sentence with details; `{what}` is a text of the catalog itself, all else is taken over as it is."""


def translated(said: str, translate: Callable[[str], str]) -> str | None:
    """The sentence by `translate`, with its details; None if it is not known."""
    found = translate(said)
    if found != said:
        return found
    for shape in SHAPES:
        match = _pattern(shape).fullmatch(said)
        if match is not None:
            details = match.groupdict()
            if "what" in details:
                details["what"] = translate(details["what"])
            return translate(shape).format(**details)
    return None


@cache
def _pattern(shape: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", shape)
    texts = (re.escape(part) if index % 2 == 0 else f"(?P<{part}>.+?)" for index, part in enumerate(parts))
    return re.compile("".join(texts), re.DOTALL)
