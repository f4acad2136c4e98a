"""`tertulia://HOST:PORT/KEY`: where a broker listens and the public key that proves it is that broker.

KEY is the 32-byte CURVE public key in lower-case base32 without padding: 52 characters that survive being
read aloud. The command socket listens on PORT, broadcast on PORT + 1, greeting on PORT + 2. Must not know
which addresses were met before (`client.trust`).
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from common.errors import ChatError
from common.limits import PORT

SCHEME = "tertulia"
_KEY = re.compile(r"[a-z2-7]{52}")
_HOST = re.compile(r"[\w.-]{1,253}|[0-9a-fA-F:.]{2,45}(%[\w.-]{1,32})?")
"""A host's name (international ones too), or an IPv4 or IPv6 address, the latter perhaps with its zone."""


class BadAddress(ChatError):
    """An address that cannot be read; the sentence says what is expected."""

    code = "bad-address"
    sentence = f"An address is {SCHEME}://HOST:PORT/KEY, HOST:PORT or HOST."


def encode_key(key: bytes) -> str:
    """Write a 32-byte public key as 52 characters."""
    return base64.b32encode(key).decode().rstrip("=").lower()


def decode_key(text: str) -> bytes:
    """Read 52 characters as a 32-byte public key. Raises `BadAddress`."""
    if _KEY.fullmatch(text) is None:
        raise BadAddress("A broker's key has 52 characters, a to z and 2 to 7.")
    key = base64.b32decode(text.upper() + "====")
    if encode_key(key) != text:
        # The last character carries one bit of the key; another would be a second spelling of the same key.
        raise BadAddress("A broker's key ends in 'a' or 'q'; this one was mistyped.")
    return key


def fingerprint(key: bytes) -> str:
    """What people compare: 32 hexadecimal digits in groups of four, from SHA-256 of the key."""
    digits = hashlib.sha256(key).hexdigest()[:32]
    return " ".join(digits[at : at + 4] for at in range(0, 32, 4))


@dataclass(frozen=True)
class Address:
    """A broker's address; `key` is None as long as only the host is known."""

    host: str
    port: int = PORT
    key: bytes | None = None

    def __str__(self) -> str:
        where = f"{SCHEME}://{_bracketed(self.host)}:{self.port}"
        return f"{where}/{encode_key(self.key)}" if self.key else where

    @property
    def commands(self) -> str:
        """The endpoint of the command socket."""
        return self._endpoint(0)

    @property
    def broadcast(self) -> str:
        """The endpoint of the broadcast socket."""
        return self._endpoint(1)

    @property
    def greeting(self) -> str:
        """The endpoint of the greeting socket."""
        return self._endpoint(2)

    def _endpoint(self, above: int) -> str:
        return f"tcp://{_bracketed(self.host)}:{self.port + above}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def parse(text: str) -> Address:
    """Read an address in full form, or HOST, or HOST:PORT. Raises `BadAddress`."""
    text = text.strip()
    whole = text if "://" in text else f"{SCHEME}://{text}"
    try:
        parts = urlsplit(whole)
        port = parts.port
    except ValueError as error:
        raise BadAddress(f"{text!r} is no address: {error}.") from None
    strange = parts.query or parts.fragment or parts.username is not None
    host = parts.hostname or ""
    if parts.scheme != SCHEME or strange or _HOST.fullmatch(host) is None or not text.isprintable():
        raise BadAddress(f"{text!r} is no address: expected {SCHEME}://HOST:PORT/KEY, HOST:PORT or HOST.")
    if port is not None and not 1 <= port <= 65_533:
        raise BadAddress(f"{text!r} is no address: a port lies between 1 and 65533.")
    key = parts.path.strip("/")
    return Address(host, port or PORT, decode_key(key) if key else None)
