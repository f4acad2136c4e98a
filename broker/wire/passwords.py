"""How a password is kept and checked: bcrypt over a keyed digest, with a tag that names the scheme.

    t1$ + bcrypt(base64(HMAC-SHA-384(pepper, NFKC(password))))

The digest has 64 bytes in base64, so bcrypt's limit of 72 never bites and no byte of a long password is lost.
The pepper lies in a file beside the broker's key: whoever has stolen the database alone cannot begin to guess.
A later scheme gets a tag of its own and stands beside this one in `Passwords`. Must not know accounts.

Sources: OWASP Password Storage Cheat Sheet; UAX #15 for NFKC.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import unicodedata
from typing import Final

import bcrypt

COST: Final = 12
"""bcrypt's work factor: about 0.25 s on one core."""
PEPPER_BYTES: Final = 32
_TAG: Final = "t1"
_SALTED: Final = "." * 53
"""Salt and digest of nobody's password: checking against it takes the same work as against a real one."""


class Passwords:
    """Hashes and checks passwords. Slow on purpose: for worker threads (bcrypt releases the GIL)."""

    def __init__(self, pepper: bytes, cost: int = COST) -> None:
        self._pepper = pepper
        self._cost = cost
        self._schemes = {_TAG: self._check_t1}
        self._nobody = f"{_TAG}$$2b${cost:02d}${_SALTED}"

    def hash(self, password: str) -> str:
        """The tagged hash to keep."""
        return f"{_TAG}${bcrypt.hashpw(self._digest(password), bcrypt.gensalt(self._cost)).decode()}"

    def check(self, password: str, tagged: str | None) -> bool:
        """Whether `password` is the one that was hashed to `tagged`; None takes as long, and is False."""
        tag, _, rest = (tagged or self._nobody).partition("$")
        scheme = self._schemes.get(tag)
        if scheme is None:
            raise ValueError(f"a password of the unknown scheme {tag!a}")
        right = scheme(password, rest)
        return right and tagged is not None

    def outdated(self, tagged: str) -> bool:
        """Whether a right password should be hashed again: an older scheme, or another cost."""
        return not tagged.startswith(f"{_TAG}$$2b${self._cost:02d}$")

    def _digest(self, password: str) -> bytes:
        text = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
        return base64.b64encode(hmac.digest(self._pepper, text, hashlib.sha384))

    def _check_t1(self, password: str, hashed: str) -> bool:
        return bcrypt.checkpw(self._digest(password), hashed.encode())
