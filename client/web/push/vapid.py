"""The gateway's own key, by which push services know it (VAPID), and the libraries that push needs.

The key is made at the first start. Whoever holds it can send to every browser that subscribed here, and who loses it
can send to none: browsers must subscribe anew. The libraries are loaded when the first person asks for push, not
before. Must not know subscriptions or messages.

Sources: RFC 8292 (VAPID), RFC 7515 (JWS), SEC 1 (P-256 points).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib.util
import re
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from client.language import N_
from client.web.push.bounds import AUDIENCES, TOKEN_S
from common.errors import ChatError
from common.keys import load_or_make_secret

NEEDED: Final = ("pywebpush", "py_vapid", "http_ece", "cryptography")
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256."""
CONTACT: Final = "https://tertulia.invalid"
"""Stands for an operator who gives no contact; some services refuse it."""


_CONTACT: Final = re.compile(r"mailto:[^@\s]+@[\w-]+(\.[\w-]+)+|https://[\w-]+(\.[\w-]+)+(:\d+)?(/\S*)?")


class BadContact(ChatError):
    """What the operator gives as contact is none."""

    code = "bad-contact"
    sentence = N_("A contact for push services is mailto:you@example.org or https://example.org.")


def is_contact(text: str) -> bool:
    """Whether push services could write there."""
    return _CONTACT.fullmatch(text) is not None


def missing() -> str:
    """What is not installed of what push needs; empty if nothing is. Loads nothing."""
    return ", ".join(name for name in NEEDED if importlib.util.find_spec(name) is None)


def base64url(data: bytes) -> str:
    """RFC 4648 section 5, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Vapid:
    """The key, and tokens signed with it."""

    def __init__(self, seed: bytes, contact: str = CONTACT) -> None:
        """`seed` is 32 secret bytes; `contact` a `mailto:` or `https:` URL of the operator, for push services.

        Raises `BadContact`.
        """
        if not is_contact(contact):
            raise BadContact
        self._seed = seed
        self._contact = contact
        self._tokens: dict[str, tuple[int, str]] = {}

    @classmethod
    def load(cls, file: Path, contact: str = CONTACT) -> Vapid:
        """The key of `file`, made now if there is none. Raises `BadSecretFile`, also if others can read it."""
        return cls(load_or_make_secret(file, 32), contact)

    @cached_property
    def _signer(self) -> Any:
        from cryptography.hazmat.primitives.asymmetric import ec
        from py_vapid import Vapid02

        key = ec.derive_private_key(int.from_bytes(self._seed) % (_ORDER - 1) + 1, ec.SECP256R1())
        return Vapid02(key, {"no-strict": True})  # the contact is checked here

    @cached_property
    def public(self) -> str:
        """What a browser subscribes with: the public key, base64url."""
        from cryptography.hazmat.primitives import serialization

        form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        point: bytes = self._signer.public_key.public_bytes(*form)
        return base64url(point)

    def authorization(self, endpoint: str, seconds: int) -> str:
        """The header for a request to `endpoint`; `seconds`: the time, UTC. One token serves for hours."""
        audience = f"https://{urlsplit(endpoint).hostname}"
        until, token = self._tokens.get(audience, (0, ""))
        if until - seconds < TOKEN_S // 2:
            claims = {"aud": audience, "exp": seconds + TOKEN_S, "sub": self._contact}
            token = self._signer.sign(claims)["Authorization"]
            if len(self._tokens) >= AUDIENCES:
                self._tokens.clear()
            self._tokens[audience] = seconds + TOKEN_S, token
        return token

    def topic(self, endpoint: str, talk: str) -> str:
        """What names a conversation to a push service, which learns nothing by it, nor who else has it."""
        return base64url(hmac.digest(self._seed, f"{endpoint}\0{talk}".encode(), hashlib.sha256)[:24])
