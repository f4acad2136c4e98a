"""Counts the frames of a WebSocket that are no requests, before anybody works on them.

A ping of six bytes costs a thousand times what it costs to send, and is answered without the relay's knowing; so is a
frame without content. Whoever sends many is cut off. Must not know what is in a frame.

Source: RFC 6455, section 5.2 (the frame's header).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from client.web.edge import bounds

_CONTROL: Final = 0x08
_MASKED: Final = 0x80


class Counted:
    """What reads a WebSocket's bytes, behind the count."""

    def __init__(self, parser: Any, clock: Callable[[], float], cut: Callable[[], None]) -> None:
        """`parser` is given what comes, as long as that is not too much; `cut` ends the connection."""
        self._parser = parser
        self._clock = clock
        self._cut = cut
        self._left = float(bounds.TRIFLES.burst)
        self._counted = clock()
        self._head = bytearray()
        self._head_bytes = 2
        self._skip = 0
        self._over = False

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take what came."""
        self._over = self._over or self._too_many(data)
        if self._over:
            self._cut()
            return True, b""
        fed: tuple[bool, bytes] = self._parser.feed_data(data)
        return fed

    def feed_eof(self) -> None:
        """Nothing more comes."""
        self._parser.feed_eof()

    def _too_many(self, data: bytes) -> bool:
        at = 0
        while at < len(data):
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
                at += step
                continue
            more = data[at : at + self._head_bytes - len(self._head)]
            self._head += more
            at += len(more)
            if len(self._head) < self._head_bytes:
                break
            size = self._head[1] & 0x7F
            if self._head_bytes == 2 and size >= 126:
                self._head_bytes = 4 if size == 126 else 10
                continue
            if self._head_bytes > 2:
                size = int.from_bytes(self._head[2:])
            if (self._head[0] & _CONTROL or size < bounds.FRAME_BYTES) and not self._allowed():
                return True
            self._skip = size + (4 if self._head[1] & _MASKED else 0)
            self._head.clear()
            self._head_bytes = 2
        return False

    def _allowed(self) -> bool:
        now = self._clock()
        self._left = min(bounds.TRIFLES.burst, self._left + (now - self._counted) * bounds.TRIFLES.per_s) - 1
        self._counted = now
        return self._left >= 0
