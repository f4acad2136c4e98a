"""Bytes that nearly are a request, a reply, an event: valid frames changed in a seeded way, as many as are wanted.

The same seed gives the same bytes, so that whatever is found can be found again. Must not know who reads them.
"""

from __future__ import annotations

import random
from typing import Any, Final

import msgspec

from common import messages, topics
from tests.support import bad_input, samples

_SHORT: Final = 2_000
_RARELY: Final = 400
"""One in so many is made from a long frame: those are slow to copy, and differ little."""
_TELLING: Final = bytes((0, 1, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, *range(0xC0, 0xE0), 0xFF))
"""The bytes by which MessagePack tells types and lengths apart."""


def requests() -> list[bytes]:
    """Every operation well formed, half of the whole, and every frame that is known to be refused."""
    valid = [bad_input.request(op, body) for op, body in bad_input.VALID.items()]
    return [
        *valid * (len(bad_input.CASES) // len(valid)),
        *bad_input.HARMLESS.values(),
        *(case.frame for case in bad_input.CASES),
    ]


def replies() -> list[bytes]:
    """Replies of several kinds, each to the request number 77."""
    state = messages.SessionState(login="ana", operator=False, current="lobby", rooms=[samples.LOBBY], inbox=3)
    whole: list[Any] = [
        messages.LoggedIn(id=bad_input.NUMBER, session=state, token=bytes(32)),
        messages.Pong(id=bad_input.NUMBER, time=1, run="r", heads={"lobby": 4, "@ana": 3}),
        messages.Entries(id=bad_input.NUMBER, entries=_entries(), more=True),
        {"id": bad_input.NUMBER, "ok": False, "error": {"code": "busy", "message": "Wait.", "retry_after": 1.5}},
        {"id": bad_input.NUMBER, "ok": False, "error": {"code": "x" * 70, "message": "\x1b[2J", "retry_after": -1.0}},
    ]
    return [msgspec.msgpack.encode(each) for each in whole]


def _entries() -> list[messages.AnyEntry]:
    return [
        messages.Message(seq=4, prev=3, time=1, sender="ana", text="hola", nonce=bytes(16)),
        messages.Invited(seq=5, prev=4, time=1, sender="ana", room="cellar"),
    ]


def events() -> list[bytes]:
    """Events of several kinds, each with its topic."""
    live = messages.Live(log="lobby", id=1, head=4, run="r")
    roster = messages.Roster(time=1, changes=[messages.Change(login="ana", change="left", reason="gone")], online=0)
    of: dict[str, list[Any]] = {"lobby": [*_entries(), roster], "~" + "0" * 11: [live, messages.ClosingSoon(time=1)]}
    return [topics.topic(log) + msgspec.msgpack.encode(event) for log, each in of.items() for event in each]


class Mutator:
    """Makes changed frames out of valid ones."""

    def __init__(self, frames: list[bytes], seed: int) -> None:
        self._short = [frame for frame in frames if len(frame) <= _SHORT]
        self._all = frames
        self._chance = random.Random(seed)
        self._changes = (
            self._flip,
            self._replace,
            self._cut_out,
            self._repeat,
            self._insert,
            self._cut_off,
            self._join,
            self._lengthen,
        )

    def __call__(self) -> bytes:
        """The next one."""
        chance = self._chance.random
        frames = self._all if chance() * _RARELY < 1 else self._short
        data = bytearray(frames[int(chance() * len(frames))])
        for _ in range(1 + int(chance() * chance() * 4)):
            self._changes[int(chance() * len(self._changes))](data)
        return bytes(data)

    def _at(self, data: bytearray) -> int:
        return int(self._chance.random() * len(data))

    def _flip(self, data: bytearray) -> None:
        if data:
            data[self._at(data)] ^= 1 << int(self._chance.random() * 8)

    def _replace(self, data: bytearray) -> None:
        if data:
            data[self._at(data)] = _TELLING[int(self._chance.random() * len(_TELLING))]

    def _cut_out(self, data: bytearray) -> None:
        at = self._at(data)
        del data[at : at + 1 + int(self._chance.random() * 8)]

    def _repeat(self, data: bytearray) -> None:
        at = self._at(data)
        data[at:at] = data[at : at + 1 + int(self._chance.random() * 32)]

    def _insert(self, data: bytearray) -> None:
        at = self._at(data)
        data[at:at] = self._chance.randbytes(1 + int(self._chance.random() * 8))

    def _cut_off(self, data: bytearray) -> None:
        del data[self._at(data) :]

    def _join(self, data: bytearray) -> None:
        other = self._short[int(self._chance.random() * len(self._short))]
        data[self._at(data) :] = other[int(self._chance.random() * len(other)) :]

    def _lengthen(self, data: bytearray) -> None:
        """A length or a number that is far too large."""
        at = self._at(data)
        data[at : at + 1] = bytes([_TELLING[int(self._chance.random() * len(_TELLING))]]) + b"\xff" * 4
