"""docs/PROTOCOL.md and the code say the same: every op, field, bound, code and kind; and its examples are true."""

from __future__ import annotations

import json
import re
import typing
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from msgspec import inspect
from zmq.utils import z85

from common import addresses, codec, errors, limits, messages

PAGE: Final = (Path(__file__).parents[2] / "docs" / "PROTOCOL.md").read_text("utf-8")
UINT_MAX: Final = 2**63 - 1

Row = list[str]


def section(number: int) -> str:
    """The text of a numbered section."""
    found = re.search(rf"^## {number} .*?(?=^## |\Z)", PAGE, re.M | re.S)
    assert found, number
    return found[0]


def parts(number: int) -> dict[str, str]:
    """The parts of a section by the name in their heading."""
    pieces = re.split(r"^#{3,4} `?([\w-]+)`?$", section(number), flags=re.M)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def tables(text: str) -> list[list[Row]]:
    """The rows of each table, without heads; backquotes are taken off first cells."""
    found: list[list[Row]] = []
    for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
        rows = [[cell.strip() for cell in line.strip("|\n ").split(" | ")] for line in block.splitlines()]
        found.append([[row[0].strip("`"), *row[1:]] for row in rows[2:]])
    return found


def written(kind: inspect.Type) -> str:
    """A type in the page's words."""
    match kind:
        case inspect.IntType(ge=None, le=None):
            return "int"
        case inspect.IntType(ge=0, le=le) if le == UINT_MAX:
            return "uint"
        case inspect.IntType(ge=low, le=high):
            return f"uint {low}..{high}"
        case inspect.StrType(min_length=None, max_length=None):
            return "text"
        case inspect.StrType(min_length=low, max_length=high):
            return f"text {low or 0}..{high}"
        case inspect.BytesType(min_length=None, max_length=None):
            return "binary"
        case inspect.BytesType(min_length=low, max_length=high):
            return f"binary {high}" if low == high else f"binary {low or 0}..{high}"
        case inspect.BoolType():
            return "boolean"
        case inspect.LiteralType(values=values):
            ordered = sorted(map(str, values))
            return " / ".join(f'"{value}"' for value in ordered)
        case inspect.ListType(item_type=inspect.UnionType()):
            return "array of entries"
        case inspect.ListType(item_type=item, min_length=low, max_length=high):
            return f"array of {written(item)}" + (f", {low}..{high}" if high else "")
        case inspect.DictType(value_type=value):
            return f"map of {written(value)}"
        case inspect.UnionType(types=types):
            some = [written(each) for each in types if not isinstance(each, inspect.NoneType)]
            return " or ".join(some if len(some) == len(types) else [*some, "nil"])
        case inspect.StructType(cls=cls):
            return cls.__name__
    raise AssertionError(kind)


def fields(cls: type[msgspec.Struct]) -> list[inspect.Field]:
    found = inspect.type_info(cls)
    assert isinstance(found, inspect.StructType)
    return list(found.fields)


def unordered(kind: str) -> str:
    """A type as the page has it, the values of a choice in order of the alphabet."""
    choice, nil, _ = kind.partition(" or nil")
    values = sorted(choice.split(" / ")) if choice.startswith('"') else [choice]
    return " / ".join(values) + nil


def command_rows(cls: type[messages.Command]) -> list[Row]:
    """What the page's table of a request has to be, but for the last column."""
    rows = []
    for field in fields(cls):
        kind = written(field.type)
        if field.required:
            default = "required"
        elif field.default is None:
            default, kind = "optional", kind.removesuffix(" or nil")
        else:
            default = f"`{json.dumps(field.default)}`"
        rows.append([field.encode_name, kind, default])
    return rows


def plain_rows(cls: type[msgspec.Struct]) -> list[Row]:
    """What the page's table of a reply, an object or an event has to be, but for the last column."""
    envelope = {"id", "ok"} if issubclass(cls, messages.Reply) else set()
    return [[field.encode_name, written(field.type)] for field in fields(cls) if field.encode_name not in envelope]


def columns(rows: list[Row], count: int) -> list[Row]:
    return [[row[0], unordered(row[1]), *row[2:count]] for row in rows]


def test_the_ops_are_those_of_the_code() -> None:
    assert list(parts(7)) == list(messages.OPS)


@pytest.mark.parametrize("op", messages.OPS)
def test_an_op(op: str) -> None:
    command, reply = messages.OPS[op]
    text = parts(7)[op]
    asked, _, answered = text.partition("Reply `")
    expected = command_rows(command)
    found = tables(asked)
    assert (columns(found[0], 3) if found else []) == expected
    assert ("No fields." in asked) == (not expected)
    assert answered.startswith(f"{reply.__name__}`"), f"{op} is answered by {reply.__name__}"
    assert re.search(r"^Login: (yes|no)\.", asked, re.M)
    repeated = re.match(r"\w+`, as for `([\w-]+)`\.", answered)
    if repeated:
        assert messages.OPS[repeated[1]][1] is reply
        return
    replied = tables(answered)
    assert (columns(replied[0], 2) if replied else []) == plain_rows(reply)


@pytest.mark.parametrize("op", messages.OPS)
def test_the_codes_of_an_op_exist(op: str) -> None:
    line = re.search(r"^Login: .*$", parts(7)[op], re.M)
    assert line
    assert set(re.findall(r"`([a-z]+-[a-z-]+)`", line[0])) <= set(errors.BY_CODE)


OBJECTS: Final = {
    name: cls
    for name, cls in vars(messages).items()
    if re.fullmatch(r"\w+(View|State)|Hit", name) and name != "ProfileView"
}


def test_the_objects_are_those_of_the_code() -> None:
    assert set(parts(8)) == set(OBJECTS)


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object(name: str) -> None:
    assert columns(tables(parts(8)[name])[0], 2) == plain_rows(OBJECTS[name])


EVENTS: Final = {str(cls.__struct_config__.tag): cls for cls in typing.get_args(messages.AnyEvent)}


def test_the_kinds_of_events_are_those_of_the_code() -> None:
    assert [name for name in parts(9) if name != "Change"] == list(EVENTS)


@pytest.mark.parametrize("kind", [*EVENTS, "Change"])
def test_an_event(kind: str) -> None:
    cls = EVENTS.get(kind, messages.Change)
    assert columns(tables(parts(9)[kind])[0], 2) == plain_rows(cls)
    assert ("an entry" in parts(9)[kind].splitlines()[2]) == issubclass(cls, messages.Entry)


def test_the_codes_are_those_of_the_code() -> None:
    (rows,) = tables(section(10))
    assert [row[0] for row in rows] == list(errors.BY_CODE)
    assert {row[2] for row in rows} == {"no", "wait", "after login", "after `join`"}


def test_the_error_tree_in_the_docstring_is_the_tree() -> None:
    listed = re.findall(r"^ {6}( *)(\w+) +([a-z-]+) {2,}(\S.*)$", errors.__doc__ or "", re.M)
    assert {(name, code) for _, name, code, _ in listed} == {
        (cls.__name__, code) for code, cls in errors.BY_CODE.items()
    }
    (rows,) = tables(section(10))
    assert [row[0] for row in rows] == [code for _, _, code, _ in listed]


def test_the_bounds_are_those_of_the_code() -> None:
    (rows,) = tables(section(15))
    found = {row[0]: row[1] for row in rows}
    assert found == {name: bound(value) for name, value in vars(limits).items() if name.isupper()}


def bound(value: Any) -> str:
    """A bound as the page writes it: a rate as `a second, at once`, a range as `from..to`."""
    if isinstance(value, limits.Rate):
        return f"{value.per_s:.10g}, {value.burst:.10g}"
    return f"{value[0]:g}..{value[1]:g}" if isinstance(value, tuple) else f"{value:.10g}"


def test_the_envelope_is_that_of_the_code() -> None:
    rows = tables(section(4))[1]
    named = {(row[0], row[1].strip("`")) for row in rows}
    body = msgspec.msgpack.decode(codec.encode_request(1, messages.Ping(), "s", "192.0.2.7"))
    failure = msgspec.msgpack.decode(codec.encode_error(1, errors.Busy(retry_after=1.0), "s"))
    assert {name for message, name in named if message == "request"} == set(body)
    assert {name for message, name in named if message == "reply"} == set(failure)
    assert f"text 0..{limits.GATEWAY_SESSION_LENGTH}" in section(4)
    assert f"text 0..{limits.GATEWAY_ADDRESS_LENGTH}" in section(4)


def test_every_link_within_the_page_leads_somewhere() -> None:
    heads = re.findall(r"^#{2,4} (.*)$", PAGE, re.M)
    anchors = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= anchors


# The examples


def plain(value: Any) -> Any:
    """What was decoded, with binary as the page writes it."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


EXAMPLES: Final = re.findall(r"^```text (\w+) ([\w-]+)\n(.*?)```\n+```json\n(.*?)```", PAGE, re.M | re.S)


@pytest.mark.parametrize(("kind", "name", "bytes_", "says"), EXAMPLES, ids=[example[1] for example in EXAMPLES])
def test_an_example(kind: str, name: str, bytes_: str, says: str) -> None:
    frame = bytes.fromhex(bytes_)
    said = json.loads(says)
    if kind == "event":
        topic, _, body = frame.partition(b"\0")
        assert said == {"topic": topic.decode() + "\0", "body": plain(msgspec.msgpack.decode(body))}
        assert codec.encode_event(*codec.decode_event(frame)) == frame
        return
    assert said == plain(msgspec.msgpack.decode(frame))
    if kind == "request" and said["op"] in messages.OPS:
        request = codec.decode_request(frame)
        assert codec.encode_request(request.id, request.command) == frame
    if kind in ("reply", "error"):
        kinds = {said["id"]: reply_class(name)}
        number, answer = codec.decode_reply(frame, kinds)
        assert number == said["id"]
        again = (
            codec.encode_error(number, answer) if isinstance(answer, errors.ChatError) else codec.encode_reply(answer)
        )
        assert again == frame


def reply_class(name: str) -> type[messages.Reply]:
    """The class of a reply by the example's name."""
    camel = "".join(part.title() for part in name.split("-"))
    found = getattr(messages, camel, messages.Reply)
    assert issubclass(found, messages.Reply)
    return found


def test_there_are_examples() -> None:
    assert {kind for kind, *_ in EXAMPLES} == {"request", "reply", "error", "event", "map"}


def test_the_example_of_an_address() -> None:
    shown = dict(line.split(maxsplit=1) for line in re.findall(r"^(?:key|address|fingerprint|z85) .*$", PAGE, re.M))
    address = addresses.parse(shown["address"])
    assert address.key == bytes.fromhex(shown["key"])
    assert str(address) == shown["address"]
    assert addresses.fingerprint(address.key) == shown["fingerprint"]
    assert z85.decode(shown["z85"]) == address.key


def test_every_section_has_a_number_of_its_own_and_every_link_leads_to_one() -> None:
    headings = re.findall(r"^#{2,4} (\d[\d.]*) (.*)$", PAGE, re.M)
    numbers = [number for number, _ in headings]
    assert sorted(set(numbers)) == sorted(numbers)
    anchors = {f"{number} {title}".lower().replace(".", "").replace(" ", "-"): number for number, title in headings}
    links = re.findall(r"\[§(\d+\.\d+)\]\(#([\w-]+)\)", PAGE)
    assert links
    for number, anchor in links:
        assert anchors.get(anchor) == number
