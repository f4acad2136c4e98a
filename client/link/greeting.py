"""Asking a broker for its public key, over the one socket of it that is not encrypted.

What it answers proves nothing: whoever sits on the way can answer with a key of their own. `client.trust`
compares it with what was seen before. Must not know what was.
"""

from __future__ import annotations

import time
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from client.link.failures import NoBroker
from common import limits
from common.addresses import Address

TIMEOUT_S: Final = 5.0
"""Seconds to wait for the answer."""
_BYTES: Final = 4_096


class Greeting(Struct, kw_only=True, frozen=True):
    """What a broker says of itself."""

    id: int = 0
    ok: bool = True
    server: Annotated[str, Meta(max_length=256)]
    versions: list[int]
    key: Annotated[bytes, Meta(min_length=32, max_length=32)]


def ask(address: Address, timeout: float = TIMEOUT_S) -> Greeting:
    """Ask what listens at `address` who it is; blocks for `timeout` seconds at most. Raises `NoBroker`."""
    import zmq  # only now: the terminal paints before it needs the sockets

    question = msgspec.msgpack.encode({"op": "greet", "id": 1, "versions": [limits.PROTOCOL_VERSION]})
    ends = time.monotonic() + timeout
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.linger = 0
        socket.ipv6 = True
        socket.maxmsgsize = _BYTES
        socket.connect(address.greeting)
        socket.send(question)
        while (left := ends - time.monotonic()) > 0:
            if socket.poll(max(1, round(left * 1000))):
                frames = socket.recv_multipart()
                try:
                    greeting = msgspec.msgpack.decode(frames[-1], type=Greeting)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue
                if len(frames) == 1 and greeting.ok and greeting.id == 1:
                    return greeting
    raise NoBroker(
        f"No broker answered at {address.host}:{address.port} within {timeout:g} s; "
        "is it running, and is the address right?"
    )
