"""The greeting socket: one question in the clear, what is the broker's key and which versions it speaks.

The answer is no secret and proves nothing: the client shows the key's fingerprint once and remembers it.
Whatever is not that question is dropped. Must not know accounts, rooms or sessions.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import zmq

from broker.wire.sockets import GREETING_BYTES, Socket
from common.limits import PROTOCOL_VERSION

_ID_MAX: Final = 2**63 - 1
_NOBLOCK: Final = int(zmq.NOBLOCK)
_MORE: Final = int(zmq.NOBLOCK) | int(zmq.SNDMORE)


class _Question(msgspec.Struct):
    op: str
    id: int
    versions: list[int]


_decoder = msgspec.msgpack.Decoder(_Question)
_encoder = msgspec.msgpack.Encoder()


class Greeting:
    """Answers greetings on its ROUTER; for the thread that owns it."""

    def __init__(self, socket: Socket, server: str, public: bytes) -> None:
        self._socket = socket
        self._answer: dict[str, Any] = {"ok": True, "server": server, "versions": [PROTOCOL_VERSION], "key": public}

    def drain(self, limit: int) -> int:
        """Read and answer up to `limit` greetings; how many messages there were."""
        for count in range(limit):
            try:
                frames = self._socket.recv_multipart(_NOBLOCK)
            except zmq.Again:
                return count
            number = _asked(frames)
            if number is not None:
                self._send(frames[0], _encoder.encode({"id": number, **self._answer}))
        return limit

    def _send(self, route: bytes, body: bytes) -> None:
        try:
            self._socket.send(route, _MORE)
            self._socket.send(body, _NOBLOCK)
        except zmq.ZMQError:
            pass  # gone, or not reading: whoever wants an answer asks again


def _asked(frames: list[bytes]) -> int | None:
    """The number of the question, None if it is not the one question."""
    if len(frames) != 2 or len(frames[1]) > GREETING_BYTES or len(frames[0]) != 5 or frames[0][0]:
        return None
    try:
        question = _decoder.decode(frames[1])
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError):
        return None
    return question.id if question.op == "greet" and 0 <= question.id <= _ID_MAX else None
