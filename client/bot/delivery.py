"""How far each log was handled, and nonces that make it harmless to handle a message twice.

A bot that resumes keeps on the broker, for each log, up to where every handler has settled. One that is killed handles
a little again: what it posts then carries the nonces of before, which are made of what it answers and not by chance, so
the broker takes each for the one it has. Must not know what a handler does.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from common.limits import HOPS, NONCE_BYTES

TIME_BYTES: Final = 6
"""A nonce begins with the time, so that the broker's index grows at one end."""


@dataclass
class Cause:
    """What a handler's posts are due to: an entry of a log."""

    login: str
    """The bot's."""
    log: int
    """The room's id; 0 for the inbox."""
    seq: int
    time: int
    handler: str
    hops: int = 0
    """Of the message; what is posted because of it has one more."""
    _posts: int = field(default=0, init=False)

    def nonce(self) -> bytes:
        """The nonce of this handler's next post: the same one each time that it handles this entry."""
        words = (self.login, str(self.log), str(self.seq), str(self._posts), self.handler)
        self._posts += 1
        digest = hashlib.sha256("\0".join(words).encode()).digest()
        return (self.time % 2**48).to_bytes(TIME_BYTES, "big") + digest[: NONCE_BYTES - TIME_BYTES]

    @property
    def next_hops(self) -> int:
        """What a post due to this carries; beyond the limit the broker says what is wrong."""
        return min(self.hops, HOPS) + 1


def once(login: str, place: str, key: str, part: int) -> bytes:
    """The nonce of what is said once: a bot's, in one place (a room's id, or a person), by a name that its author gave.

    There is no time in it, for it is the same whenever it is tried.
    """
    digest = hashlib.sha256("\0".join((login, "once", place, str(part), key)).encode()).digest()
    return bytes(TIME_BYTES) + digest[: NONCE_BYTES - TIME_BYTES]


class Cursor:
    """Up to where a log was handled: everything up to `handled` has settled, whatever is still open above it."""

    def __init__(self, start: int) -> None:
        self.handled = start
        self.kept = start
        """What the broker was told last."""
        self._last = start
        self._open: dict[int, int] = {}
        """Entries begun and not settled, each with the one before it."""

    @property
    def begun(self) -> int:
        """The last entry that was taken up."""
        return self._last

    def begin(self, seq: int) -> None:
        """The next entry is being handled."""
        self._open[seq] = self._last
        self._last = seq

    def settle(self, seq: int) -> bool:
        """It was handled; says whether `handled` has moved."""
        self._open.pop(seq, None)
        before, self.handled = self.handled, next(iter(self._open.values()), self._last)
        return self.handled != before
