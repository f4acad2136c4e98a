"""Frames to and from browsers: JSON text, read into commands and written from replies and events.

What comes is hostile: every fault is one error of one class, and nothing is dispatched before it is typed. An event is
written once, with the header of its WebSocket frame, for all sockets. `docs/WEB.md` is the page that says it all. Must
not know sockets.

Sources: RFC 8259 (JSON), RFC 6455 section 5.2 (the frame's header; a server's frames are not masked).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from client.web.relay.bounds import CURSORS, FRAME_BYTES
from common import limits
from common import messages as m
from common.errors import BadRequest, ChatError, UnknownOp
from common.texts import visible

PROTOCOL: Final = "tertulia.1"
"""The WebSocket's subprotocol: the version of what follows."""

NOT_FOR_BROWSERS: Final = frozenset(
    {"hello", "login", "register", "logout", "bye", "keys", "key-add", "key-revoke"}
    | {"store-get", "store-put", "store-list"}
)
"""Operations of the protocol that a socket does not take: the gateway's own affairs, and those of programs."""

ALLOWED: Final = {op: kinds[0] for op, kinds in m.OPS.items() if op not in NOT_FOR_BROWSERS}
"""Operations that are passed on to the broker."""

Id = Annotated[int, Meta(ge=1, le=2**53 - 1)]
Log = Annotated[str, Meta(min_length=1, max_length=4 * limits.NAME_LENGTH + 1)]
Cursor = tuple[m.UInt, m.UInt]
"""A room's id (0 of an inbox), and the `seq` up to which a browser has everything."""


class Greeting(msgspec.Struct, kw_only=True):
    """A browser's `hello`."""

    run: Annotated[str, Meta(max_length=64)] | None = None
    cursors: Annotated[dict[Log, Cursor], Meta(max_length=CURSORS)] = {}


class Visible(msgspec.Struct, kw_only=True):
    """A browser's `active`: whether its person sees the page."""

    on: bool


class Envelope(msgspec.Struct):
    """What every request has."""

    op: Annotated[str, Meta(max_length=32)]
    id: Id


class _Numbered(msgspec.Struct):
    id: Id


class Malformed(BadRequest):
    """A frame that is no request; `id` is its number if that much could be read, else 0."""

    def __init__(self, cause: ChatError, id: int) -> None:
        super().__init__(cause.message)
        self.cause = cause
        self.id = id


_envelope: Final = msgspec.json.Decoder(Envelope)
_numbered: Final = msgspec.json.Decoder(_Numbered)
_any: Final = msgspec.json.Decoder(dict[str, Any])
_greeting: Final = msgspec.json.Decoder(Greeting)
_visible: Final = msgspec.json.Decoder(Visible)
_commands: Final = {op: msgspec.json.Decoder(command) for op, command in ALLOWED.items()}
_encoder: Final = msgspec.json.Encoder()


def _read(decoder: msgspec.json.Decoder[Any], text: str, id: int) -> Any:
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        sentence = visible(f"The request is malformed: {error}".rstrip(": ."))[:200] + "."
        raise Malformed(BadRequest(sentence), id) from None


def envelope(text: str) -> Envelope:
    """What is asked, and under which number. Raises `Malformed`."""
    try:
        if len(text) > FRAME_BYTES:
            raise ValueError
        return _envelope.decode(text)
    except (ValueError, RecursionError):
        id = 0
        try:
            id = _numbered.decode(text).id
        except (ValueError, RecursionError):
            pass
        raise Malformed(
            BadRequest("A frame is a JSON object with 'op', a text, and 'id', an integer from 1."), id
        ) from None


def command(text: str, asked: Envelope) -> m.Command:
    """The command of a frame that is passed on. Raises `Malformed`, also for what browsers may not ask."""
    decoder = _commands.get(asked.op)
    if decoder is None:
        raise Malformed(UnknownOp(f"A browser cannot ask for the operation {asked.op!a}."), asked.id)
    read: m.Command = _read(decoder, text, asked.id)
    return read


def greeting(text: str, asked: Envelope) -> Greeting:
    """A browser's `hello`. Raises `Malformed`."""
    read: Greeting = _read(_greeting, text, asked.id)
    return read


def is_visible(text: str, asked: Envelope) -> bool:
    """Whether a page says that it is visible. Raises `Malformed`."""
    return bool(_read(_visible, text, asked.id).on)


def fields(text: str, asked: Envelope) -> dict[str, Any]:
    """All fields of a request that the gateway answers by itself. Raises `Malformed`."""
    read: dict[str, Any] = _read(_any, text, asked.id)
    return read


def framed(payload: bytes) -> bytes:
    """A text frame of a server around its payload."""
    length = len(payload)
    if length < 126:
        return bytes((0x81, length)) + payload
    if length < 65_536:
        return struct.pack("!BBH", 0x81, 126, length) + payload
    return struct.pack("!BBQ", 0x81, 127, length) + payload


def reply(id: int, answer: m.Reply) -> bytes:
    """The frame of an answer that the broker gave, under the browser's own number."""
    answer.id = id
    return framed(_encoder.encode(answer))


def answered(id: int, answer: dict[str, Any]) -> bytes:
    """The frame of an answer that the gateway gives by itself."""
    return framed(_encoder.encode({"id": id, "ok": True, **answer}))


def refused(id: int, error: ChatError, sentence: Callable[[ChatError], str]) -> bytes:
    """The frame of a refusal; `sentence` says it to the person."""
    detail: dict[str, Any] = {"code": error.code, "message": sentence(error)}
    if error.retry_after is not None:
        detail["retry_after"] = error.retry_after
    return framed(_encoder.encode({"id": id, "ok": False, "error": detail}))


def prefix(log: str) -> bytes:
    """The beginning of every event of a log."""
    return b'{"log":' + _encoder.encode(log) + b","


def event(prefix: bytes, event: m.AnyEvent) -> bytes:
    """The frame of an event; `prefix` is its log's."""
    return framed(prefix + _encoder.encode(event)[1:])


def live(prefix: bytes, id: int, head: int) -> bytes:
    """The frame that tells where a log ends."""
    return framed(prefix + _encoder.encode({"kind": "live", "id": id, "head": head})[1:])


def notice(kind: str, **more: str) -> bytes:
    """The frame of something about the socket itself, which is of no log."""
    return framed(_encoder.encode({"kind": kind, **more}))
