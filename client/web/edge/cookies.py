"""The cookie that is a browser's login, and the label under which the broker knows it. Nothing is kept here.

The cookie holds a secret; the broker and the log see only its hash, the label, from which nobody gets back to it. A
secret is always made here and at a login, so that nobody logs in under one that somebody else has chosen. Must not know
who is logged in.

Sources: RFC 6265bis (the prefix `__Host-`: Secure, no Domain, Path=/; SameSite).
"""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from aiohttp import web

from common import limits

NAME: Final = "__Host-tertulia"
SECRET_BYTES: Final = 32
"""Random bytes of a cookie: 256 bits."""
KEPT_S: Final = limits.SESSION_DAYS * 86_400
"""Seconds that a cookie is kept without being used, as long as the broker keeps the session."""

_KEPT, _TRANSIENT = "k", "t"
_FORM: Final = re.compile(rf"[{_KEPT}{_TRANSIENT}][A-Za-z0-9_-]{{43}}")


def make(*, keep: bool) -> str:
    """A new secret, for a login that lasts beyond the browser's end or does not."""
    return (_KEPT if keep else _TRANSIENT) + urlsafe_b64encode(secrets.token_bytes(SECRET_BYTES)).rstrip(b"=").decode()


def label(secret: str) -> str:
    """What the broker calls the session of that secret."""
    digest = hashlib.sha256(urlsafe_b64decode(secret[1:] + "=")).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def read(request: web.Request) -> str | None:
    """The secret that a request comes with; None without one, or if it is none that was made here."""
    found = request.cookies.get(NAME, "")
    return found if _FORM.fullmatch(found) else None


def give(response: web.StreamResponse, secret: str) -> None:
    """Let the browser keep the secret, from now on as long as it is to be kept."""
    age = KEPT_S if secret.startswith(_KEPT) else None
    response.set_cookie(NAME, secret, max_age=age, path="/", secure=True, httponly=True, samesite="Strict")


def kept(secret: str) -> bool:
    """Whether the login is to last beyond the browser's end."""
    return secret.startswith(_KEPT)


def take(response: web.StreamResponse) -> None:
    """Let the browser forget it."""
    response.del_cookie(NAME, path="/", secure=True, httponly=True, samesite="Strict")
