"""Requests of the gateway's sessions under way, over the socket that they share with its own.

Unlike those of a client's own session they are neither repeated nor held back: whoever asked is a client itself, and
does that. So they fail soon without a broker. Their numbers lie above those of the own session's. Must not know what an
answer is for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from client.link.calls import Outcome
from client.link.failures import NoAnswer
from client.web.relay.bounds import ASKED, ASKED_BYTES
from common import codec
from common import messages as m
from common.errors import BadRequest, Busy, ChatError

FIRST: Final = 2**40
"""The first number: a client that makes a thousand requests a second gets there in thirty years."""


class Asked(NamedTuple):
    """One request under way."""

    command: m.Command
    done: Callable[[Outcome, Asked, float], None]
    sent: float
    ends: float
    size: int
    """Bytes of its frame."""


class Asking:
    """All of them, by number."""

    def __init__(self, transmit: Callable[[bytes], None]) -> None:
        self._transmit = transmit
        self._open: dict[int, Asked] = {}
        self._kinds: dict[int, type[m.Reply]] = {}
        self._last = FIRST
        self._size = 0

    def __len__(self) -> int:
        return len(self._open)

    def ask(
        self,
        label: str,
        command: m.Command,
        address: str,
        now: float,
        timeout: float,
        done: Callable[[Outcome, Asked, float], None],
    ) -> None:
        """Make a request for `label`; `done` gets its outcome once, with what was asked. Raises `BadText` or
        `BadRequest` for what cannot be sent, `Busy` if too many are under way."""
        if len(self._open) >= ASKED or self._size >= ASKED_BYTES:
            raise Busy
        number = self._last + 1
        frame = codec.encode_request(number, command, label, address)
        self._last = number
        self._open[number] = Asked(command, done, now, now + timeout, len(frame))
        self._size += len(frame)
        self._kinds[number] = m.OPS[command.op][1]
        self._transmit(frame)

    def received(self, frame: bytes, now: float) -> bool:
        """Take in a reply frame. Returns whether it answered one of these requests."""
        try:
            number, outcome = codec.decode_reply(frame, self._kinds)
        except BadRequest:
            return False
        return self._finish(number, outcome, now)

    def _finish(self, number: int, outcome: Outcome, now: float) -> bool:
        asked = self._open.pop(number, None)
        if asked is None:
            return False
        del self._kinds[number]
        self._size -= asked.size
        asked.done(outcome, asked, now)
        return True

    def fail(self, error: ChatError, now: float) -> None:
        """The answers to all of them are lost."""
        for number in list(self._open):
            self._finish(number, error, now)

    def tick(self, now: float) -> None:
        """Fail what is overdue."""
        for number in [number for number, asked in self._open.items() if now >= asked.ends]:
            self._finish(number, NoAnswer(), now)
