"""The codec: bytes become a typed message or one class of error, whatever they are; messages survive the way."""

from __future__ import annotations

import struct
import tracemalloc
from typing import Any

import msgpack  # type: ignore[import-untyped]
import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import inspect

from common import codec, errors, limits, messages
from tests.support.bad_input import CASES, DROPPED, HARMLESS, NUMBER, TOO_LARGE, VALID, BadInput, request
from tests.support.samples import LOBBY

# What arrives at the broker


@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case.name)[1:-1])
def test_bad_input(case: BadInput) -> None:
    if case.by == "rules":
        assert codec.decode_request(case.frame).id == case.id
        return
    with pytest.raises(codec.RequestError) as refused:
        codec.decode_request(case.frame)
    assert (refused.value.cause.code, refused.value.id) == (case.code, case.id)
    check_sentence(refused.value)


def check_sentence(error: codec.RequestError) -> None:
    """What is told to the peer, and perhaps logged, is one short line that no terminal obeys."""
    assert error.message == error.cause.message
    assert error.message.isprintable()
    assert error.message.endswith(".")
    assert not error.message.endswith("..")
    assert len(error.message) <= 201


def test_bad_input_has_a_name_each() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("frame", HARMLESS.values(), ids=HARMLESS)
def test_harmless_input(frame: bytes) -> None:
    assert codec.decode_request(frame) == codec.Request(NUMBER, "", messages.Ping())


def test_each_frame_of_a_message_of_several_is_bounded_by_itself() -> None:
    assert all(len(frames) > 1 for frames in DROPPED.values())


def test_a_frame_over_the_bound_is_not_even_unpacked() -> None:
    with pytest.raises(codec.RequestError, match="at most 65536 bytes"):
        codec.decode_request(TOO_LARGE)


@pytest.mark.parametrize("op", messages.OPS)
def test_a_well_formed_request(op: str) -> None:
    found = codec.decode_request(request(op, VALID[op], **{"as": "s"}))
    assert (found.id, found.session, type(found.command)) == (NUMBER, "s", messages.OPS[op][0])
    for name, value in VALID[op].items():
        assert getattr(found.command, name) == value


@given(st.binary(max_size=200))
@example(b"\x81" * 5_000)
def test_any_bytes_are_a_request_or_refused(frame: bytes) -> None:
    decode(frame)


def decode(frame: bytes) -> codec.Request | None:
    try:
        return codec.decode_request(frame)
    except codec.RequestError as refused:
        error = refused
    assert error.code == "bad-request"
    assert error.cause.code in {"bad-request", "unknown-op"}
    assert 0 <= error.id < 2**63
    check_sentence(error)
    return None


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=40)
    | st.binary(max_size=40)
    | st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=20))
    | st.builds(msgpack.Timestamp, st.integers(0, 2**40), st.integers(0, 999_999_999))
)
KEYS = st.text(max_size=10) | st.integers(0, 9) | st.binary(max_size=5) | st.none() | st.booleans()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)


@given(VALUES)
def test_any_value_is_a_request_or_refused(value: Any) -> None:
    decode(msgpack.packb(value))


@given(st.sampled_from(list(VALID)), st.data())
def test_any_value_in_any_field(op: str, data: st.DataObject) -> None:
    body = {**VALID[op], "op": op, "id": NUMBER}
    name = data.draw(st.sampled_from([*body, "as", "other"]))
    found = decode(msgpack.packb({**body, name: data.draw(VALUES)}))
    assert found is None or isinstance(found.command, messages.Command)


@given(st.sampled_from(list(VALID)), st.data())
def test_any_byte_changed(op: str, data: st.DataObject) -> None:
    frame = bytearray(request(op, VALID[op]))
    frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    decode(bytes(frame))


def made_of(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """Values that fit a type of a command's field."""
    match kind:
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType(ge=low, le=high):
            return st.integers(low, high)
        case inspect.StrType(min_length=low, max_length=high):
            return st.text(min_size=low or 0, max_size=min(high or 0, 60))
        case inspect.BytesType(min_length=low, max_length=high):
            return st.binary(min_size=low or 0, max_size=high)
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.ListType(item_type=item, min_length=low, max_length=high):
            return st.lists(made_of(item), min_size=low or 0, max_size=high)
        case inspect.UnionType(types=types):
            return st.one_of(*map(made_of, types))
    raise AssertionError(kind)


def commands(op: str) -> st.SearchStrategy[messages.Command]:
    command = messages.OPS[op][0]
    info = inspect.type_info(command)
    assert isinstance(info, inspect.StructType)
    return st.fixed_dictionaries({field.name: made_of(field.type) for field in info.fields}).map(
        lambda fields: command(**fields)
    )


@given(st.sampled_from(list(messages.OPS)).flatmap(commands), st.integers(1, 2**63 - 1), st.text(max_size=64))
def test_what_is_asked_arrives(command: messages.Command, number: int, session: str) -> None:
    frame = codec.encode_request(number, command, session)
    assert codec.decode_request(frame) == codec.Request(number, session, command)
    assert msgpack.unpackb(frame)["op"] == command.op


def test_what_is_asked_for_by_nil_says_nil() -> None:
    frame = codec.encode_request(1, messages.StorePut(key="scores", value=None))
    assert msgspec.msgpack.decode(frame) == {"op": "store-put", "id": 1, "key": "scores", "value": None}
    with pytest.raises(codec.RequestError, match="value"):
        codec.decode_request(msgspec.msgpack.encode({"op": "store-put", "id": 1, "key": "scores"}))


def test_other_ops_may_be_named() -> None:
    ops: messages.Ops = {"ping": (messages.Ping, messages.Pong)}
    assert codec.decode_request(request("ping", {}), ops).command == messages.Ping()
    with pytest.raises(codec.RequestError) as refused:
        codec.decode_request(request("bye", {}), ops)
    assert refused.value.cause.code == "unknown-op"


def test_what_is_said_to_be_huge_takes_no_memory() -> None:
    import tracemalloc

    tracemalloc.start()
    for head in (b"\xdd", b"\xdf", b"\xdb", b"\xc6"):
        decode(head + struct.pack(">I", 2**32 - 1) + bytes(1_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000


# What arrives at a client


def test_a_reply_bears_the_session_of_a_gateway() -> None:
    reply = messages.RoomReply(id=5, room=LOBBY, current="lobby")
    plain, named = codec.encode_reply(reply), codec.encode_reply(reply, "s")
    assert msgpack.unpackb(named) == {"as": "s", **msgpack.unpackb(plain)}
    assert codec.decode_reply(named, {5: messages.RoomReply}) == (5, reply)


def test_binary_in_a_reply_to_a_gateway_stays_binary() -> None:
    entry = messages.Message(seq=1, prev=0, time=1, sender="ana", text="hola", nonce=bytes(16))
    reply = messages.Entries(id=5, entries=[entry], more=False)
    assert codec.decode_reply(codec.encode_reply(reply, "s"), {5: messages.Entries}) == (5, reply)


@pytest.mark.parametrize("cls", errors.BY_CODE.values(), ids=errors.BY_CODE)
def test_a_refusal_arrives(cls: type[errors.ChatError]) -> None:
    error = cls(retry_after=1.5)
    plain, named = codec.encode_error(3, error), codec.encode_error(3, error, "s")
    assert msgpack.unpackb(named) == {"as": "s", **msgpack.unpackb(plain)}
    number, found = codec.decode_reply(plain, {3: messages.Reply})
    assert isinstance(found, errors.ChatError)
    assert (number, type(found), found.message, found.retry_after) == (3, cls, cls.sentence, 1.5)


def test_a_refusal_without_a_wait_says_nothing_of_one() -> None:
    assert "retry_after" not in msgpack.unpackb(codec.encode_error(3, errors.Busy()))["error"]


REPLIES = st.sampled_from([reply for _, reply in messages.OPS.values()])


@given(st.binary(max_size=200), REPLIES)
def test_any_bytes_are_a_reply_or_refused(frame: bytes, kind: type[messages.Reply]) -> None:
    reply(frame, kind)


@given(st.fixed_dictionaries({"id": st.just(1)}, optional={"ok": VALUES, "error": VALUES, "session": VALUES}), REPLIES)
def test_any_value_is_a_reply_or_refused(value: Any, kind: type[messages.Reply]) -> None:
    reply(msgpack.packb(value), kind)


def reply(frame: bytes, kind: type[messages.Reply]) -> None:
    try:
        number, found = codec.decode_reply(frame, {1: kind})
    except errors.BadRequest as refused:
        error = refused
    else:
        assert type(number) is int
        assert isinstance(found, (kind, errors.ChatError))
        return
    assert error.message.isprintable()


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_refused(frame: bytes) -> None:
    event(frame)


@given(VALUES, st.sampled_from(["message", "roster", "live", "joined-room", "ended", "x"]))
def test_any_value_is_an_event_or_refused(value: Any, kind: str) -> None:
    event(b"lobby\0" + msgpack.packb(value))
    event(b"lobby\0" + msgpack.packb({"kind": kind, "time": value, "changes": [value], "room": value}))


def event(frame: bytes) -> None:
    try:
        found = codec.decode_event(frame)
    except errors.BadRequest as refused:
        error = refused
    else:
        assert isinstance(found.event, messages.Event)
        return
    assert error.message.isprintable()


def test_a_reply_over_the_bound_is_refused() -> None:
    frame = msgpack.packb({"id": 1, "ok": True, "x": bytes(limits.REPLY_BYTES)})
    with pytest.raises(errors.BadRequest, match="at most 1048576 bytes"):
        codec.decode_reply(frame, {1: messages.Reply})


def test_a_refusal_of_what_could_not_be_read_bears_number_0() -> None:
    number, found = codec.decode_reply(codec.encode_error(0, errors.BadRequest()), {})
    assert number == 0
    assert isinstance(found, errors.BadRequest)


def test_a_change_says_no_reason_if_there_is_none() -> None:
    changes = [
        messages.Change(login="ana", change="joined"),
        messages.Change(login="ana", change="left", reason="gone"),
    ]
    frame = codec.encode_event("lobby", messages.Roster(time=1, changes=changes, online=0))
    assert [set(change) for change in msgpack.unpackb(frame.split(b"\0", 1)[1])["changes"]] == [
        {"login", "change"},
        {"login", "change", "reason"},
    ]
    assert codec.decode_event(frame).event == messages.Roster(time=1, changes=changes, online=0)


def test_both_libraries_write_what_the_other_reads() -> None:
    body = {"op": "send", "id": 1, "room": "lobby", "text": "hola", "nonce": bytes(16)}
    assert codec.decode_request(msgpack.packb(body)) == codec.decode_request(msgspec.msgpack.encode(body))


def test_arrays_that_announce_more_than_they_hold_get_no_room() -> None:
    frame = b"\x83\xa2op\xa4ping\xa2id\x01\xa1x" + b"\xdc\xff\xff" * 1_000
    tracemalloc.start()
    try:
        with pytest.raises(codec.RequestError):
            codec.decode_request(frame)
        assert tracemalloc.get_traced_memory()[1] < 4 * limits.REQUEST_BYTES
    finally:
        tracemalloc.stop()


def test_a_text_that_is_no_utf8_is_refused_before_it_is_sent() -> None:
    with pytest.raises(errors.BadText, match="not text"):
        codec.encode_request(1, messages.Send(room="lobby", text="\ud800", nonce=b"n" * 16))


def test_a_number_beyond_all_is_refused_before_it_is_sent() -> None:
    with pytest.raises(errors.BadRequest, match="too large"):
        codec.encode_request(1, messages.KeyRevoke(key=10**25))
