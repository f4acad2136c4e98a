"""ZMTP 3.1 and CURVE by hand, without libzmq: the bytes that a client sends, well formed or in any way not.

No sockets here: `Curve` makes the client's commands from the broker's, and whoever calls it sends what it likes of
them. Must not know what a broker does with it.

Sources: ZeroMQ RFC 37 (ZMTP 3.1), https://rfc.zeromq.org/spec/37/; RFC 26 (CurveZMQ), https://rfc.zeromq.org/spec/26/
"""

from __future__ import annotations

import os
from typing import Final, NamedTuple

from nacl import bindings as box
from nacl.exceptions import CryptoError

from common.keys import KeyPair, generate

MORE: Final = 1
LONG: Final = 2
COMMAND: Final = 4
"""Flags of a frame on the wire."""
INNER_COMMAND: Final = 2
"""The flag of a command inside an encrypted message; `MORE` is the same there."""
GREETING_BYTES: Final = 64
MECHANISM_BYTES: Final = 20

HELLO: Final = b"\x05HELLO"
WELCOME: Final = b"\x07WELCOME"
INITIATE: Final = b"\x08INITIATE"
READY: Final = b"\x05READY"
ERROR: Final = b"\x05ERROR"
MESSAGE: Final = b"\x07MESSAGE"


class Violation(Exception):
    """The other side broke the protocol, or does not take part in it."""


class Frame(NamedTuple):
    """A frame as it stood on the wire."""

    flags: int
    body: bytes


def greeting(
    mechanism: bytes = b"CURVE", *, version: bytes = b"\x03\x01", as_server: bool = False, filler: bytes = bytes(31)
) -> bytes:
    """The 64 bytes that open a connection, or more or fewer if a part is not what it should be."""
    signature = b"\xff" + bytes(8) + b"\x7f"
    return signature + version + mechanism.ljust(MECHANISM_BYTES, b"\0") + bytes([as_server]) + filler


def frame(body: bytes, flags: int = 0, *, size: int | None = None) -> bytes:
    """A frame; `size` is the length that it claims to have, if not its own."""
    claimed = len(body) if size is None else size
    if claimed > 255 or flags & LONG:
        return bytes([flags | LONG]) + claimed.to_bytes(8, "big") + body
    return bytes([flags, claimed]) + body


def property_of(name: bytes, value: bytes) -> bytes:
    """One entry of a handshake's metadata."""
    return bytes([len(name)]) + name + len(value).to_bytes(4, "big") + value


def subscription(topic: bytes) -> bytes:
    """The message by which every libzmq subscribes, whatever its version."""
    return b"\1" + topic


class Reader:
    """Bytes in, frames out."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> None:
        """More of what arrived."""
        self._bytes += data

    def take(self, count: int) -> bytes | None:
        """So many bytes, None as long as they are not there."""
        if len(self._bytes) < count:
            return None
        taken = bytes(self._bytes[:count])
        del self._bytes[:count]
        return taken

    def frame(self) -> Frame | None:
        """The next frame, None as long as it is not whole."""
        held = self._bytes
        if len(held) < 2:
            return None
        start = 9 if held[0] & LONG else 2
        if len(held) < start:
            return None
        end = start + int.from_bytes(held[1:start], "big")
        if len(held) < end:
            return None
        whole = Frame(held[0], bytes(held[start:end]))
        del held[:end]
        return whole


class Curve:
    """The client's side of one CURVE connection; the keys of the session are made anew for each."""

    def __init__(self, server: bytes, keys: KeyPair | None = None) -> None:
        """`server` is the broker's public key; `keys` the client's own pair, a new one if not given."""
        self.keys = keys or generate()
        self._server = server
        self._public, self._secret = box.crypto_box_keypair()
        self._to_server = box.crypto_box_beforenm(server, self._secret)
        self._sent = 0
        self._shared = b""
        self._cookie = b""
        self._peer = b""

    def hello(self) -> bytes:
        """The body of HELLO."""
        number = self._next()
        sealed = box.crypto_box_afternm(bytes(64), b"CurveZMQHELLO---" + number, self._to_server)
        return HELLO + b"\1\0" + bytes(72) + self._public + number + sealed

    def welcomed(self, body: bytes) -> None:
        """Take in the body of WELCOME. Raises `Violation`."""
        if not body.startswith(WELCOME) or len(body) != 168:
            raise Violation(f"no WELCOME: {body[:12]!r}")
        opened = self._open(body[24:], b"WELCOME-" + body[8:24], self._to_server)
        self._peer, self._cookie = opened[:32], opened[32:]
        self._shared = box.crypto_box_beforenm(self._peer, self._secret)

    def initiate(self, metadata: bytes) -> bytes:
        """The body of INITIATE."""
        once = os.urandom(16)
        vouched = box.crypto_box(self._public + self._server, b"VOUCH---" + once, self._peer, self.keys.secret)
        number = self._next()
        plain = self.keys.public + once + vouched + metadata
        return INITIATE + self._cookie + number + self._seal(plain, b"CurveZMQINITIATE" + number)

    def ready(self, body: bytes) -> bytes:
        """Take in the body of READY; the broker's metadata. Raises `Violation`."""
        if not body.startswith(READY):
            raise Violation(f"no READY: {body[:12]!r}")
        return self._open(body[14:], b"CurveZMQREADY---" + body[6:14], self._shared)

    def message(self, payload: bytes, flags: int = 0, *, number: int | None = None) -> bytes:
        """The body of an encrypted MESSAGE; `flags` are the inner ones; `number` repeats or skips a nonce."""
        nonce = self._next() if number is None else number.to_bytes(8, "big")
        return MESSAGE + nonce + self._seal(bytes([flags]) + payload, b"CurveZMQMESSAGEC" + nonce)

    def sealed(self, plain: bytes) -> bytes:
        """A MESSAGE around any plain text at all, without flags if it is empty."""
        nonce = self._next()
        return MESSAGE + nonce + self._seal(plain, b"CurveZMQMESSAGEC" + nonce)

    def opened(self, body: bytes) -> tuple[int, bytes]:
        """Inner flags and payload of a MESSAGE from the broker. Raises `Violation`."""
        if not body.startswith(MESSAGE):
            raise Violation(f"no MESSAGE: {body[:12]!r}")
        plain = self._open(body[16:], b"CurveZMQMESSAGES" + body[8:16], self._shared)
        return plain[0], plain[1:]

    @property
    def sent(self) -> int:
        """The number of the last nonce that was used."""
        return self._sent

    def _next(self) -> bytes:
        self._sent += 1
        return self._sent.to_bytes(8, "big")

    def _seal(self, plain: bytes, nonce: bytes) -> bytes:
        return bytes(box.crypto_box_afternm(plain, nonce, self._shared))

    def _open(self, sealed: bytes, nonce: bytes, shared: bytes) -> bytes:
        try:
            return bytes(box.crypto_box_open_afternm(sealed, nonce, shared))
        except CryptoError as error:
            raise Violation(str(error)) from None
