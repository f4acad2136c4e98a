"""Texts that attack whoever shows them, and every place of the protocol where a text can stand.

The places are found by walking the messages themselves, so that a new field is attacked as soon as it exists. Must not
know what a broker or a client does with a text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from msgspec import inspect

from common.messages import OPS

MEBIBYTE: Final = 2**20

ATTACKS: Final[dict[str, str]] = {
    "clear the screen": "\x1b[2J\x1b[H",
    "set the title": "\x1b]0;owned\x07",
    "write the clipboard": "\x1b]52;c;cm0gLXJm\x1b\\",
    "a false link": "\x1b]8;;http://evil\x1b\\bank\x1b]8;;\x1b\\",
    "a device's string": "\x1bP$q\x1b\\",
    "eight-bit escapes": "\x9b2J\x90q\x9c",
    "overwrite the line": "ana\rroot: pay me",
    "rub out": "back\x08\x08\x08\x7f",
    "bell": "a\x07b",
    "NUL": "a\0b",
    "NUL and another topic": "lobby\0lobby",
    "another line": "a\nroot: pay me",
    "a tab": "a\tb",
    "next line": "a\x85b",
    "other line ends": "a\u2028b\u2029c\x0b\x0c",
    "from right to left": "user\u202etxt.exe",
    "isolates": "\u2066a\u2067b\u2068c",
    "marks of direction": "\u200ea\u200fb\u061cc",
    "nothing but zero width": "\u200b\u200c\u200d\ufeff" * 8,
    "a flood of zero width": "a" + "\u200b" * 7_000,
    "a tower": "z" + "\u0301" * 90,
    "a tower of 7,000": "z" + "\u0301" * 7_000,
    "tags": "a\U000e0041\U000e007f",
    "private use": "a\ue000\U0010fffd",
    "no characters at all": "a\ufffe\uffff\U0010ffff",
    "selectors": "a\ufe0f\U000e0100",
    "fillers": "\u3164\u115f\uffa0",
    "longest": "x" * 60_000,
    "markup": "<script>alert(1)</script>",
    "a format": "%s%n{0}{__class__}",
    "a path": "../../etc/passwd",
    "a query": "'; drop table accounts; --",
}
"""Valid Unicode, each; what UTF-8 cannot hold is in `NOT_UTF8`."""

NOT_UTF8: Final[dict[str, bytes]] = {
    "a lone surrogate": b"a\xed\xb2\x80b",
    "both halves": b"\xed\xa0\xbd\xed\xb8\x80",
    "cut off": b"a\xf0\x9f\x98",
    "too long a form": b"\xc0\x80",
    "beyond Unicode": b"\xf5\x80\x80\x80",
    "eight bits": b"a\x9b2J",
}
"""Bytes that stand where a text is said to be."""


class Place(NamedTuple):
    """A field of an operation that holds text."""

    op: str
    field: str


def places() -> Iterator[Place]:
    """Every field with a text in it, of every operation, and the two of the envelope."""
    for op, (command, _) in OPS.items():
        info = inspect.type_info(command)
        assert isinstance(info, inspect.StructType)
        for field in info.fields:
            if holds_text(field.type):
                yield Place(op, field.encode_name)
        yield Place(op, "as")
    yield Place("ping", "op")


def holds_text(kind: inspect.Type) -> bool:
    """Whether a text can stand somewhere in a value of that type."""
    match kind:
        case inspect.StrType() | inspect.AnyType() | inspect.RawType():
            return True
        case inspect.LiteralType(values=values):
            return any(isinstance(value, str) for value in values)
        case inspect.UnionType(types=types):
            return any(map(holds_text, types))
        case inspect.ListType(item_type=item):
            return holds_text(item)
        case inspect.DictType(key_type=key, value_type=value):
            return holds_text(key) or holds_text(value)
        case inspect.StructType(fields=fields):
            return any(holds_text(field.type) for field in fields)
    return False


def harm(text: str, *, lines: bool = False) -> set[str]:
    """The characters in a text that a terminal may obey; with `lines`, line feeds are none."""
    directional = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
    controls = {character for character in text if unicodedata.category(character) in ("Cc", "Cs")}
    return (controls | directional & set(text)) - ({"\n"} if lines else set())


def strings(value: Any) -> Iterator[str]:
    """Every text in what a decoder returned."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from strings(key)
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
