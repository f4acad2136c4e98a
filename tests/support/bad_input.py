"""Bad input, one table: frames that no client should send, and what each is answered.

`CASES` is made from the messages themselves: every field of every operation, missing, of each wrong type, too long, too
short, out of range, in wrong case; and frames that are no request at all. The codec's own test decodes each;
an end-to-end test sends each over a real socket and expects the reply to bear the same code and number.

    case.frame      the one frame to send from a DEALER
    case.code       the code of the error that answers it
    case.id         the number that the reply bears, 0 where the request's could not be read
    case.by         who decides: the codec, from the frame alone, or the rules
    case.login      in which state of the session: "without" a login, "with" one, or "either"

Cases of the rules suppose a broker with open registration whose default room is `lobby`, and, with a login, an
ordinary account that is no gateway and knows no other room. `DROPPED` are messages of several frames, which are
dropped unanswered; `TOO_LARGE` costs its sender the connection. `HARMLESS` looks odd and is granted.
Must not know how a frame is sent.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

import msgspec
from msgspec import inspect

from common import limits
from common.messages import OPS

Login = Literal["without", "with", "either"]

NUMBER: Final = 77
"""The number that requests bear here."""


class BadInput(NamedTuple):
    """A frame, and what it is answered."""

    name: str
    frame: bytes
    code: str
    id: int = NUMBER
    by: Literal["codec", "rules"] = "codec"
    login: Login = "either"


VALID: Final[dict[str, dict[str, Any]]] = {
    "hello": {"versions": [1], "client": "a test"},
    "register": {
        "login": "newcomer",
        "password": "correct horse",
        "first_names": "New",
        "surnames": "Comer",
        "age": 30,
        "gender": "other",
    },
    "login": {"login": "ana", "password": "correct horse", "remember": False},
    "logout": {},
    "bye": {},
    "ping": {},
    "sessions": {},
    "revoke": {"session": 9_999_999},
    "password": {"old": "correct horse", "new": "battery staple"},
    "profile": {"login": "ana"},
    "update-profile": {"first_names": "Ana", "surnames": "Sol", "age": 31, "gender": "female", "show_seen": True},
    "users": {"after": "", "limit": 10},
    "rooms": {"hidden": False, "after": "", "limit": 10},
    "create": {"room": "den", "kept": False, "private": False, "open": False, "subject": "a den"},
    "join": {"room": "lobby"},
    "enter": {"room": "lobby"},
    "leave": {"room": "lobby"},
    "delete": {"room": "lobby"},
    "hide": {"room": "lobby", "hidden": True},
    "members": {"room": "lobby", "after": "", "limit": 10},
    "invite": {"room": "lobby", "login": "ana"},
    "remove": {"room": "lobby", "login": "ana"},
    "moderate": {"room": "lobby", "login": "ana", "on": True},
    "subject": {"room": "lobby", "subject": "all and nothing"},
    "send": {"room": "lobby", "text": "hola", "nonce": bytes(16), "hops": 0},
    "direct": {"to": "ana", "text": "hola", "nonce": bytes(16), "hops": 0},
    "edit": {"log": "lobby", "seq": 9_999_999, "text": "hola", "nonce": bytes(16)},
    "retract": {"log": "lobby", "seq": 9_999_999, "nonce": bytes(16)},
    "react": {"log": "lobby", "seq": 9_999_999, "emoji": "\U0001f44d", "on": True, "nonce": bytes(16)},
    "search": {"query": "hola", "log": "lobby", "sender": "ana", "before": 9, "limit": 10},
    "typing": {"talk": "lobby", "on": True},
    "mark": {"talk": "lobby", "read": 3, "notify": "all"},
    "status": {"status": "away", "note": "back at five"},
    "history": {"log": "lobby", "after": 0, "before": 9, "limit": 10},
    "keys": {},
    "key-add": {"key": bytes(range(32)), "name": "laptop", "scopes": ["read:lobby"]},
    "key-revoke": {"key": 9_999_999},
    "store-get": {"key": "scores"},
    "store-put": {"key": "scores", "value": b"{}"},
    "store-list": {"prefix": "sco", "after": "", "limit": 10},
}
"""A well-formed body for every op."""

WITHOUT_LOGIN: Final = frozenset({"hello", "register", "login"})
"""The ops that a session without an account may use."""

_EXAMPLES: Final[dict[type[inspect.Type], Any]] = {
    inspect.NoneType: None,
    inspect.BoolType: True,
    inspect.IntType: 1,
    inspect.FloatType: 1.0,
    inspect.StrType: "1",
    inspect.BytesType: b"0123456789abcdef",
    inspect.ListType: [1],
    inspect.DictType: {"1": 1},
}
_BASE64: Final = "MDEyMzQ1Njc4OWFiY2RlZg=="


def request(op: Any, body: dict[str, Any], **envelope: Any) -> bytes:
    """A request frame, however odd."""
    return msgspec.msgpack.encode({"op": op, "id": NUMBER, **envelope, **body})


def _kinds(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    return kind.types if isinstance(kind, inspect.UnionType) else (kind,)


def _wrong_values(field: inspect.Field) -> Iterator[tuple[str, Any]]:
    """Values that do not fit a field, each with what is wrong."""
    kinds = _kinds(field.type)
    fitting = {inspect.StrType if isinstance(kind, inspect.LiteralType) else type(kind) for kind in kinds}
    for kind, value in _EXAMPLES.items():
        if kind not in fitting:
            yield f"is {kind.__name__.removesuffix('Type').lower()}", value
    for one in kinds:
        yield from _out_of_bounds(one)


def _out_of_bounds(kind: inspect.Type) -> Iterator[tuple[str, Any]]:
    match kind:
        case inspect.StrType(min_length=low, max_length=high):
            assert high is not None, "every text has a bound"
            yield "too long", "x" * (high + 1)
            yield "too long in wide characters", "\U0001f980" * (high + 1)
            if low:
                yield "empty", ""
        case inspect.BytesType(min_length=low, max_length=high):
            assert high is not None, "so has every binary"
            yield "too long", bytes(high + 1)
            if low:
                yield "empty", b""
                yield "too short", bytes(low - 1)
                yield "Base64", _BASE64
        case inspect.IntType(ge=low, le=high):
            assert low is not None, "and every number"
            assert high is not None
            yield "too small", low - 1
            yield "too large", high + 1
            yield "the largest there is", 2**64 - 1
            yield "not a number", float("nan")
        case inspect.LiteralType(values=values):
            yield "another word", "x"
            yield "empty", ""
            yield "in wrong case", str(values[0]).title()
            yield "an escape sequence", "\x1b[31m" + "x" * 300
        case inspect.ListType(item_type=item, min_length=low, max_length=high):
            assert high is not None
            yield "too long", [1] * (high + 1)
            if low:
                yield "empty", []
            for what, value in _wrong_values_of(item):
                yield f"an element {what}", [value]


def _wrong_values_of(kind: inspect.Type) -> Iterator[tuple[str, Any]]:
    if isinstance(kind, inspect.StrType):
        yield "number", 1
    else:
        yield "text", "1"
    yield "nested", [[1]]
    yield from _out_of_bounds(kind)


def _fields() -> Iterator[BadInput]:
    """Each field of each op, wrong in each way."""
    for op, (command, _) in OPS.items():
        info = inspect.type_info(command)
        assert isinstance(info, inspect.StructType)
        valid = VALID[op]
        for field in info.fields:
            name = field.encode_name
            if field.required:
                without = {other: value for other, value in valid.items() if other != name}
                yield BadInput(f"{op}: {name} missing", request(op, without), "bad-request")
                yield BadInput(
                    f"{op}: {name} named in capitals",
                    request(op, {**without, name.upper(): valid[name]}),
                    "bad-request",
                )
            for what, value in _wrong_values(field):
                yield BadInput(f"{op}: {name} {what}", request(op, {**valid, name: value}), "bad-request")


def _envelopes() -> Iterator[BadInput]:
    """The envelope, wrong in each way; and ops that there are not."""
    value: Any
    for what, value in (
        ("nil", None),
        ("zero", 0),
        ("negative", -1),
        ("too large", 2**63),
        ("a boolean", True),
        ("a float", 1.0),
        ("text", "1"),
        ("an array", [1]),
    ):
        for op in ("ping", "send"):  # a `send` is read in another way, and must be judged alike
            yield BadInput(f"{op}: id {what}", request(op, VALID[op], id=value), "bad-request", 0)
    yield BadInput("id missing", msgspec.msgpack.encode({"op": "ping"}), "bad-request", 0)
    yield BadInput("op missing", msgspec.msgpack.encode({"id": NUMBER}), "bad-request")
    for what, value in (("nil", None), ("a number", 1), ("binary", b"ping"), ("an array", ["ping"]), ("a map", {})):
        yield BadInput(f"op {what}", request(value, {}), "bad-request")
    for op in ("", "Ping", "PING", "ping ", "ping\0", "nonsense", "x" * 5_000, "\x1b]0;owned\x07", "__class__"):
        yield BadInput(f"op {op[:12]!r}", request(op, {}), "unknown-op")
    for what, value in (("nil", None), ("a number", 1), ("binary", b"s"), ("too long", "x" * 65)):
        for op in ("ping", "send"):
            yield BadInput(f"{op}: as {what}", request(op, VALID[op], **{"as": value}), "bad-request")


def _nested(levels: int) -> bytes:
    """A ping with a field that nests so many levels of arrays."""
    return _odd_field(b"\x91" * levels + b"\xc0")


def _odd_field(value: bytes, name: bytes = b"\xa1x") -> bytes:
    """A ping with one more field, in MessagePack as given."""
    return b"\x83\xa2op\xa4ping\xa2id" + bytes([NUMBER]) + name + value


def _frames() -> Iterator[BadInput]:
    """Frames that are no request: not a map, not MessagePack, or more of it than this protocol uses."""
    whole = request("send", VALID["send"])
    yield from (
        BadInput(f"truncated after {length} bytes", whole[:length], "bad-request", 0) for length in range(len(whole))
    )
    yield BadInput("a byte too many", whole + b"\0", "bad-request", 0)
    yield BadInput("two requests", whole + whole, "bad-request", 0)
    chance = random.Random(7)
    for length in (1, 2, 3, 8, 40, 300, 5_000):
        # Led by a byte that no MessagePack has, so that it cannot by chance be a map.
        yield BadInput(f"{length} random bytes", b"\xc1" + chance.randbytes(length - 1), "bad-request", 0)
    for what, value in (
        ("nil", None),
        ("a boolean", True),
        ("an integer", 1),
        ("a float", 1.0),
        ("text", "ping"),
        ("binary", b"ping"),
        ("an array", ["ping", 1]),
        ("an empty array", []),
        ("an empty map", {}),
    ):
        yield BadInput(f"the body {what}", msgspec.msgpack.encode(value), "bad-request", 0)
    unreadable = {
        "a fixed extension": b"\xd4\x05\x00",
        "an empty extension": b"\xc7\x00\x05",
        "an extension": b"\xc7\x03\x05abc",
        "an extension said to be huge": b"\xc9\xff\xff\xff\xff\x05",
        "a timestamp of 4 bytes": b"\xd6\xff\x00\x00\x00\x01",
        "a timestamp of 8 bytes": b"\xd7\xff" + bytes(8),
        "a timestamp of 12 bytes": b"\xc7\x0c\xff" + bytes(12),
        "an empty timestamp": b"\xc7\x00\xff",
        "text said to be huge": b"\xdb\xff\xff\xff\xff",
        "binary said to be huge": b"\xc6\xff\xff\xff\xff",
        "an array said to be huge": b"\xdd\xff\xff\xff\xff",
        "a map said to be huge": b"\xdf\xff\xff\xff\xff",
        "text that is no UTF-8": b"\xa2\xc3\x28",
        "text with a surrogate": b"\xa3\xed\xa0\x80",
        "the byte that is never used": b"\xc1",
    }
    for what, raw in unreadable.items():
        yield BadInput(f"a field with {what}", _odd_field(raw), "bad-request", 0)
        yield BadInput(f"the body {what}", raw, "bad-request", 0)
    keys = {
        "NaN": b"\xcb\x7f\xf8\0\0\0\0\0\0",
        "a float": b"\xcb\x3f\xf0\0\0\0\0\0\0",
        "an integer": b"\x01",
        "nil": b"\xc0",
        "a boolean": b"\xc3",
        "an array": b"\x90",
        "a map": b"\x80",
        "an extension": b"\xd4\x05\x00",
    }
    for what, raw in keys.items():
        yield BadInput(f"a key that is {what}", _odd_field(b"\x01", raw), "bad-request", 0)
        yield BadInput(f"an inner key that is {what}", _odd_field(b"\x81" + raw + b"\x01"), "bad-request", 0)
    yield BadInput("a key that is binary", _odd_field(b"\x01", b"\xc4\x01x"), "bad-request")
    yield BadInput("an inner key that is binary", _odd_field(b"\x81\xc4\x01x\x01"), "bad-request")
    yield BadInput("arrays nested one too deep", _nested(limits.NESTING), "bad-request")
    too_many = [0] * (limits.REQUEST_ELEMENTS + 1)
    yield BadInput("an array with one element too many", request("ping", {"x": too_many}), "bad-request", 0)
    yield BadInput("arrays nested 500 deep", _nested(500), "bad-request")
    yield BadInput("maps nested 500 deep", _odd_field(b"\x81\xa1x" * 500 + b"\xc0"), "bad-request")
    yield BadInput("arrays nested 60,000 deep", b"\x91" * 60_000, "bad-request", 0)
    yield BadInput("maps nested 20,000 deep", b"\x81\xa1x" * 20_000, "bad-request", 0)


_CONTROLS: Final = ("\0", "\x07", "\x1b[2J", "\r", "\x7f", "\x85", "\x9b31m")
_NOT_IN_LINES: Final = (*_CONTROLS, "\t", "\n", "\u2028", "\u2029", "\u202e", "\u2066", "\u200f", "\u061c")
_NO_NAMES: Final = (
    "x" * 33,
    " ana",
    "ana ",
    "an a",
    "@ana",
    "~ana",
    ".ana",
    "_ana",
    "-ana",
    "ana/luz",
    "a\0b",
    "a\x1b[31m",
    "a\u200bb",
    "a\u202eb",
    "a\ufe0f",
    "\u3164",
    "\u0301a",
    "a\u0301\u0302\u0303\u0304",
    "\U0001f980",
    "\ue000",
)


def _judged_by_rules() -> Iterator[BadInput]:
    """Well-formed requests that the rules refuse, whatever the circumstances."""

    def case(name: str, op: str, changed: dict[str, Any], code: str, login: Login) -> BadInput:
        return BadInput(f"{op}: {name}", request(op, {**VALID[op], **changed}), code, by="rules", login=login)

    for op in OPS:
        if op not in WITHOUT_LOGIN:
            yield case("before login", op, {}, "not-logged-in", "without")
        named = request(op, VALID[op], **{"as": "somebody"})
        yield BadInput(f"{op}: as, from no gateway", named, "forbidden", by="rules")
    for op in ("register", "login"):
        yield case("when logged in", op, {}, "already-logged-in", "with")
    yield case("a version of the future", "hello", {"versions": [2, 3]}, "unsupported-version", "either")
    yield case("version 0", "hello", {"versions": [0]}, "unsupported-version", "either")
    for text in _NOT_IN_LINES:
        yield case(f"client with {text!a}", "hello", {"client": f"a{text}b"}, "bad-text", "either")
        for op in ("store-get", "store-put"):
            yield case(f"key with {text!a}", op, {"key": f"a{text}b"}, "bad-text", "with")
        yield case(f"note with {text!a}", "status", {"note": f"a{text}b"}, "bad-text", "with")
        yield case(f"subject with {text!a}", "create", {"room": "den", "subject": f"a{text}b"}, "bad-text", "with")
        for field in ("first_names", "surnames"):
            yield case(f"{field} with {text!a}", "register", {field: f"a{text}b"}, "bad-profile", "without")
            yield case(f"{field} with {text!a}", "update-profile", {field: f"a{text}b"}, "bad-profile", "with")
        yield case(f"name with {text!a}", "key-add", {"name": f"a{text}b"}, "bad-text", "with")
    for scope in ("", "read", "read:", ":lobby", "all", "direct:x", "Direct", "\x1b[31m", "write:\0", "read:a:b"):
        code = "bad-name" if scope.startswith(("read:a", "write:")) else "bad-request"
        yield case(f"scope {scope!a}", "key-add", {"scopes": ["direct", scope]}, code, "with")
    yield case("no such key", "key-revoke", {}, "no-such-key", "with")
    for field in ("first_names", "surnames"):
        for empty in ("", " "):
            yield case(f"{field} {empty!r}", "register", {field: empty}, "bad-profile", "without")
            yield case(f"{field} {empty!r}", "update-profile", {field: empty}, "bad-profile", "with")
    for name in _NO_NAMES:
        yield case(f"login {name[:12]!a}", "register", {"login": name}, "bad-name", "without")
        yield case(f"room {name[:12]!a}", "create", {"room": name}, "bad-name", "with")
        yield case(f"room {name[:12]!a}", "join", {"room": name}, "no-such-room", "with")
        yield case(f"to {name[:12]!a}", "direct", {"to": name}, "no-such-user", "with")
    for password in ("", "1234567"):
        yield case(f"password {password!r}", "register", {"password": password}, "bad-password", "without")
        yield case(f"new {password!r}", "password", {"new": password}, "bad-password", "with")
    yield case("neither password nor token", "login", {"password": None}, "bad-request", "without")
    yield case("both password and token", "login", {"token": bytes(32)}, "bad-request", "without")
    empty_texts = ("", " ", "\n\t ", "\u200b", "\u2028")
    too_long = ("é" * (limits.TEXT_BYTES // 2 + 1), "\U0001f980" * (limits.TEXT_BYTES // 4 + 1))
    long_enough = [text for text in too_long if len(text) <= limits.TEXT_LENGTH]
    for text in (*empty_texts, *(f"a{control}b" for control in _CONTROLS), *long_enough):
        for op in ("send", "direct", "edit"):
            yield case(f"text {text[:12]!a}", op, {"text": text}, "bad-text", "with")
    for log in ("@", "@nobody", "~" + "0" * 11, "nowhere", "@\0", "lobby\0"):
        for op in ("history", "search", "edit", "retract", "react"):
            changed = {"log": log} if op != "search" else {"log": log, "sender": None}
            yield case(f"log {log!a}", op, changed, "no-such-log", "with")
    for op in ("edit", "retract", "react"):
        yield case("no message", op, {}, "no-such-message", "with")
    for hops in (limits.HOPS + 1, 2**63 - 1):
        for op in ("send", "direct"):
            yield case(f"{hops} hops", op, {"hops": hops}, "loop", "with")
    yield case("an answer to no message", "send", {"reply_to": 9_999_999}, "no-such-message", "with")
    for text in ("ok", "+1", " ", "\U0001f44d\U0001f44d", "\U0001f44d\x1b", "\u200d", "\U0001f44d\u202e"):
        yield case(f"emoji {text!a}", "react", {"emoji": text}, "bad-text", "with")
    for query in (" ", "-", '"', "-hola", '-"hola', "*", "()", "\0", "\u202e", "\U0001f980", "'", '"" -x'):
        yield case(f"query {query!a}", "search", {"query": query, "sender": None}, "bad-text", "with")
    yield case("a user who is not", "search", {"sender": "nobody"}, "no-such-user", "with")
    for op in (
        "join",
        "enter",
        "leave",
        "delete",
        "hide",
        "members",
        "invite",
        "remove",
        "moderate",
        "subject",
        "send",
    ):
        yield case("a room that is not", op, {"room": "nowhere"}, "no-such-room", "with")
    for op in ("mark", "typing"):
        for talk in ("@", "@nobody", "@@ana", "@\0"):
            yield case(f"talk {talk!a}", op, {"talk": talk}, "no-such-user", "with")
        for talk in ("nowhere", "~" + "0" * 11, "lobby\0"):
            yield case(f"talk {talk!a}", op, {"talk": talk}, "no-such-room", "with")
    for op in ("leave", "delete", "hide"):
        yield case("the default room", op, {}, "default-room", "with")
    for op in ("profile", "invite"):
        yield case("a user who is not", op, {"login": "nobody"}, "no-such-user", "with")
    for op in ("moderate", "subject"):
        yield case("another's room", op, {}, "forbidden", "with")
    yield case("a session that is not", "revoke", {}, "no-such-session", "with")


CASES: Final[tuple[BadInput, ...]] = (*_fields(), *_envelopes(), *_frames(), *_judged_by_rules())

DROPPED: Final[dict[str, tuple[bytes, ...]]] = {
    "an empty delimiter first": (b"", request("ping", {})),
    "a request in two frames": (request("ping", {})[:5], request("ping", {})[5:]),
    "an empty frame behind": (request("ping", {}), b""),
    "a hundred frames": (request("ping", {}),) * 100,
}
"""Messages that are dropped unanswered, by what is wrong."""

TOO_LARGE: Final = request("ping", {"x": bytes(limits.REQUEST_BYTES)})
"""A frame whose sender loses the connection."""

HARMLESS: Final[dict[str, bytes]] = {
    "an unknown field": request("ping", {"x": 1}),
    "an unknown field of every kind": request("ping", {"x": [None, True, 1, 1.5, "a", b"a", {"a": []}]}),
    "arrays nested as deep as may be": _nested(limits.NESTING - 1),
    "as many elements as may be": request("ping", {"x": [0] * limits.REQUEST_ELEMENTS}),
    "NaN where it is ignored": request("ping", {"x": float("nan")}),
    "a field twice": b"\x83\xa2op\xa4ping\xa2id\x01\xa2id" + bytes([NUMBER]),
    "numbers in wide forms": b"\x82\xa2op\xa4ping\xa2id\xcf" + NUMBER.to_bytes(8, "big"),
    "text in wide forms": b"\x82\xd9\x02op\xda\x00\x04ping\xdb\x00\x00\x00\x02id" + bytes([NUMBER]),
    "a map in its widest form": b"\xdf\x00\x00\x00\x02" + request("ping", {})[1:],
    "an empty as": request("ping", {}, **{"as": ""}),
}
"""Pings that are answered like any other."""
