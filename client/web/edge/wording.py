"""In which language a refusal is said to the person behind a request: as the page says, else as the browser prefers.

Must not know what was asked.
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from client import language
from common.errors import ChatError

Wording = Callable[[ChatError], str]
"""What to say of a refusal."""


def lang(request: web.Request, said: str = "") -> str:
    """The language to speak: what the page said, if it is one there is, else the first that the browser prefers."""
    preferred = (part.partition(";")[0].strip() for part in request.headers.get("Accept-Language", "").split(","))
    return next(filter(None, map(language.known, (said, *preferred))), language.LANGUAGES[0])


def wording_of(request: web.Request, said: str = "") -> Wording:
    """How to say a refusal to whoever sent the request."""
    return language.translator(lang(request, said)).sentence
