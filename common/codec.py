"""Bytes to messages and back: the only module that imports msgpack.

What arrives is decoded in one function into a typed message or one error class, `BadRequest`. Frames are
unpacked by `msgpack` (strict: bounded, no extension types, text keys) and typed by `msgspec.convert`; what
leaves is packed by msgspec's encoder, which writes the same format. All that reads or writes a frame stands together
here. Must not know sockets or rules.

Source: the MessagePack specification, https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import Annotated, Any, NamedTuple, NoReturn

import msgpack  # type: ignore[import-untyped]
import msgspec

from common import topics
from common.errors import BadRequest, BadText, ChatError, UnknownOp, from_wire
from common.limits import (
    GATEWAY_ADDRESS_LENGTH,
    GATEWAY_SESSION_LENGTH,
    NESTING,
    REPLY_BYTES,
    REQUEST_BYTES,
    REQUEST_ELEMENTS,
    RETRY_AFTER_MAX_S,
)
from common.messages import OPS, AnyEvent, Command, Event, Message, Name, Nonce, Ops, Reply, Send, Text, UInt
from common.texts import NO_TEXT, visible

_encoder = msgspec.msgpack.Encoder()
_ID_MAX = 2**63 - 1
_REPLY_ELEMENTS = 65_536
_ENVELOPE = frozenset({"op", "id", "as", "from"})
_BINARY = (bytes,)
"""Binary stays binary: without this msgspec would also read Base64 text where binary is meant."""


class Request(msgspec.Struct, frozen=True, gc=False):
    """A request as it arrived: envelope and command."""

    id: int
    session: str
    """The field `as`: which of a gateway's sessions asks; empty for everybody else."""
    command: Command
    address: str = ""
    """The field `from`: the address of a gateway's person; empty for everybody else."""


class RequestError(BadRequest):
    """A request that cannot be read; `id` is its number if that much could be, else 0."""

    def __init__(self, cause: ChatError, id: int) -> None:
        super().__init__(cause.message)
        self.cause = cause
        self.id = id


class EventFrame(NamedTuple):
    """An event as it arrived: the log it is of, and the event."""

    log: str
    event: AnyEvent


def _refuse(*_: object) -> NoReturn:
    raise ValueError("extension types are not part of this protocol")


def _sentence(start: str, error: Exception) -> str:
    """What the library says, fit to be shown and logged: it may quote what a stranger sent."""
    return visible(f"{start}: {error}".rstrip(": ."))[:200] + "."


def _unpack(frame: bytes, bound: int, elements: int) -> Any:
    if len(frame) > bound:
        raise BadRequest(f"A frame has at most {bound} bytes.")
    # msgpack makes room for as many elements as an array says that it has, on every level, before it reads them.
    try:
        value = msgpack.unpackb(
            frame,
            raw=False,
            strict_map_key=True,
            ext_hook=_refuse,
            max_array_len=elements,
            max_map_len=4_096,
            max_ext_len=0,
        )
    except ValueError as error:
        raise BadRequest(_sentence("The frame is not MessagePack as this protocol uses it", error)) from None
    if type(value) is not dict:
        raise BadRequest("The frame is not a MessagePack map.")
    return value


def _check_unknown(value: dict[str, Any]) -> None:
    """Hold what is ignored to the same rules as what is read, level by level."""
    level: list[Any] = [value]
    for _ in range(NESTING):
        maps = [each for each in level if type(each) is dict]
        if any(type(name) is not str for each in maps for name in each):
            raise BadRequest("The keys of a map are text.")
        arrays = [each for each in level if type(each) is list]
        level = list(chain(chain.from_iterable(arrays), *(each.values() for each in maps)))
        if not level:
            return
    if any(type(each) is dict or type(each) is list for each in level):
        raise BadRequest(f"Maps and arrays nest at most {NESTING} deep.")


@cache
def _fields(command: type[Command]) -> frozenset[str]:
    return frozenset(command.__struct_fields__) | _ENVELOPE


@cache
def _required(command: type[Command]) -> frozenset[str]:
    return frozenset(field.name for field in msgspec.structs.fields(command) if field.required)


class _SendFrame(msgspec.Struct, forbid_unknown_fields=True, tag_field="op", tag=Send.op):
    """A whole `send` with no field that is not its own."""

    id: Annotated[int, msgspec.Meta(ge=1, le=_ID_MAX)]
    room: Name
    text: Text
    nonce: Nonce
    reply_to: Annotated[int, msgspec.Meta(ge=0, le=_ID_MAX)] | None = None
    hops: Annotated[int, msgspec.Meta(ge=0, le=_ID_MAX)] | None = None
    session: Annotated[str, msgspec.Meta(max_length=GATEWAY_SESSION_LENGTH)] = msgspec.field(name="as", default="")
    address: Annotated[str, msgspec.Meta(max_length=GATEWAY_ADDRESS_LENGTH)] = msgspec.field(name="from", default="")


_send = msgspec.msgpack.Decoder(_SendFrame)


class _MessageFrame(msgspec.Struct, forbid_unknown_fields=True, tag_field="kind", tag="message"):
    """A whole `message` as it is broadcast: nothing was done to it yet, and no field is an array."""

    seq: UInt
    prev: UInt
    time: UInt
    sender: str
    text: str
    nonce: bytes
    reply_to: UInt = 0
    hops: UInt = 0


_message = msgspec.msgpack.Decoder(_MessageFrame)
_MESSAGE_FIELDS = _MessageFrame.__struct_fields__


def decode_request(frame: bytes, ops: Ops = OPS) -> Request:
    """Read a request frame for one of `ops`. Raises `RequestError`, and nothing else, whatever the bytes."""
    if ops is OPS and len(frame) <= REQUEST_BYTES:
        try:
            # Nearly every request is a `send`, and this reads it in a fifth of the time. What it refuses, another
            # op included, is read again below, where it is told what is wrong.
            sent = _send.decode(frame)
            command = Send(room=sent.room, text=sent.text, nonce=sent.nonce, reply_to=sent.reply_to, hops=sent.hops)
            return Request(sent.id, sent.session, command, sent.address)
        except (ValueError, RecursionError):
            pass
    id = 0
    try:
        body = _unpack(frame, REQUEST_BYTES, REQUEST_ELEMENTS)
        number = body.get("id")
        if type(number) is not int or not 1 <= number <= _ID_MAX:
            raise BadRequest("The field 'id' is an integer, 1 and up.")
        id = number
        op = body.get("op")
        if type(op) is not str:
            raise BadRequest("The field 'op' is text.")
        known = ops.get(op)
        if known is None:
            raise UnknownOp(f"This broker does not know the operation {op[:32]!a}.")
        session = body.get("as", "")
        if type(session) is not str or len(session) > GATEWAY_SESSION_LENGTH:
            raise BadRequest(f"The field 'as' is text of at most {GATEWAY_SESSION_LENGTH} characters.")
        address = body.get("from", "")
        if type(address) is not str or len(address) > GATEWAY_ADDRESS_LENGTH:
            raise BadRequest(f"The field 'from' is text of at most {GATEWAY_ADDRESS_LENGTH} characters.")
        if not body.keys() <= (fields := _fields(known[0])):
            _check_unknown({name: body[name] for name in body.keys() - fields})
        return Request(id, session, msgspec.convert(body, known[0], builtin_types=_BINARY), address)
    except msgspec.ValidationError as error:
        raise RequestError(BadRequest(_sentence("The request is malformed", error)), id) from None
    except ChatError as error:
        raise RequestError(error, id) from None


def encode_request(id: int, command: Command, session: str = "", address: str = "") -> bytes:
    """Write a request frame. Raises `BadText` for a text that UTF-8 cannot hold (a lone surrogate), and `BadRequest`
    for a number beyond 64 bits."""
    body: dict[str, Any] = {"op": command.op, "id": id}
    if session:
        body["as"] = session
    if address:
        body["from"] = address
    required = _required(type(command))
    for field in command.__struct_fields__:
        value = getattr(command, field)
        if value is not None or field in required:
            body[field] = value
    try:
        return _encoder.encode(body)
    except UnicodeEncodeError:
        raise BadText(NO_TEXT) from None  # not what it was: it may be a password
    except OverflowError:
        raise BadRequest("A number in the request is too large.") from None


def encode_reply(reply: Reply, session: str = "") -> bytes:
    """Write the reply to a request that was granted; `session` is the request's field `as`."""
    if session:
        return _encoder.encode({"as": session, **msgspec.to_builtins(reply, builtin_types=(bytes,))})
    return _encoder.encode(reply)


def encode_error(id: int, error: ChatError, session: str = "") -> bytes:
    """Write the reply to a request that was refused."""
    detail: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.retry_after is not None:
        detail["retry_after"] = error.retry_after
    body: dict[str, Any] = {"id": id, "ok": False, "error": detail}
    if session:
        body["as"] = session
    return _encoder.encode(body)


def decode_reply(frame: bytes, kinds: dict[int, type[Reply]]) -> tuple[int, Reply | ChatError]:
    """Read a reply frame; `kinds` gives the class expected for each request number that is open.

    Returns the number with the reply, or with the error as a value. Raises `BadRequest` for a frame that
    is no reply, and for a number that is not open.
    """
    body = _unpack(frame, REPLY_BYTES, _REPLY_ELEMENTS)
    id = body.get("id")
    if type(id) is not int or (id != 0 and id not in kinds):
        raise BadRequest("The reply answers no open request.")
    kind = kinds.get(id)
    try:
        if body.get("ok") is True and kind is not None:
            return id, msgspec.convert(body, kind, builtin_types=_BINARY)
        failure = msgspec.convert(body.get("error"), _Failure)
    except msgspec.ValidationError as error:
        raise BadRequest(_sentence("The reply is malformed", error)) from None
    return id, from_wire(failure.code, failure.message, failure.retry_after)


class _Failure(msgspec.Struct):
    code: str
    message: str
    retry_after: Annotated[float, msgspec.Meta(ge=0, le=RETRY_AFTER_MAX_S)] | None = None


def encode_event(log: str, event: Event) -> bytes:
    """Write an event frame: the topic of `log`, then the event."""
    return topics.topic(log) + _encoder.encode(event)


def decode_event(frame: bytes) -> EventFrame:
    """Read an event frame. Raises `BadRequest`; an event of an unknown kind is one too, and to be ignored."""
    try:
        log, body = topics.split(frame)
        if len(body) <= REPLY_BYTES:
            try:
                # As with a `send`: nearly every event is one of these, and what this refuses is read again below.
                said = _message.decode(body)
                return EventFrame(log, Message(**{name: getattr(said, name) for name in _MESSAGE_FIELDS}))
            except (ValueError, RecursionError):
                pass
        event = _unpack(body, REPLY_BYTES, _REPLY_ELEMENTS)
        return EventFrame(log, msgspec.convert(event, AnyEvent, builtin_types=_BINARY))
    except (msgspec.ValidationError, ValueError) as error:
        raise BadRequest(_sentence("The event is malformed", error)) from None
