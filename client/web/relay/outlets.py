"""The way out to one browser: whole frames onto its transport, bounded.

Frames are finished bytes, the same for all who get them, and go straight to the transport of the connection, which is
aiohttp's public `Request.transport`. That is allowed beside aiohttp's own writer, since a server's frames are not
masked, nothing is compressed, and each write is of whole frames; it saves a coroutine and a copy for each frame and
socket. What the peer does not read is kept by the transport; how much that is decides here. Must not know what frames
mean.

Sources: RFC 6455; https://docs.python.org/3/library/asyncio-protocol.html#asyncio.WriteTransport
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from client.web.relay import frames
from client.web.relay.bounds import QUEUE_BYTES, QUEUE_FRAMES, QUEUES_BYTES

_GAP = frames.notice("gap")


class SocketOutlet:
    """Takes frames for one WebSocket, and drops all of them once its peer does not read."""

    __slots__ = ("_count", "_overflowed", "_transport", "closed", "overflowed_at")

    def __init__(self, transport: asyncio.Transport, overflowed: set[SocketOutlet]) -> None:
        """Adds itself to `overflowed` while it drops; whoever looks through that calls `recover`."""
        self._transport = transport
        self._overflowed = overflowed
        self._count = 0
        self.closed = False
        """Whether nothing may be written any more: a closing frame is the last one."""
        self.overflowed_at: float | None = None
        """Since when it drops what comes."""

    @property
    def waiting(self) -> int:
        """Bytes that the peer has not taken."""
        return self._transport.get_write_buffer_size()

    def push(self, frames: bytes, count: int) -> None:
        """Take `count` frames; never blocks."""
        transport = self._transport
        if self.closed or self.overflowed_at is not None or transport.is_closing():
            return
        waiting = transport.get_write_buffer_size()
        if waiting:
            self._count += count
            if self._count > QUEUE_FRAMES or waiting + len(frames) > QUEUE_BYTES:
                self.overflowed_at = asyncio.get_running_loop().time()
                self._overflowed.add(self)
                return
        else:
            self._count = count
        transport.write(frames)

    def recover(self) -> None:
        """See whether the peer has read all that it was given; then it is told that there was more."""
        if self.closed or self._transport.is_closing():
            self._overflowed.discard(self)
        elif not self._transport.get_write_buffer_size():
            self._overflowed.discard(self)
            self.overflowed_at = None
            self.push(_GAP, 1)

    def abort(self) -> None:
        """Cut the connection off."""
        self.closed = True
        self._overflowed.discard(self)
        self._transport.abort()


def relieve(outlets: Iterable[SocketOutlet], most: int = QUEUES_BYTES) -> None:
    """Cut off the fullest if more than `most` bytes wait for all of them together."""
    waiting = [(outlet.waiting, outlet) for outlet in outlets]
    total = sum(size for size, _outlet in waiting)
    if total <= most:
        return
    for size, outlet in sorted(waiting, key=lambda each: -each[0]):
        outlet.abort()
        total -= size
        if total <= most:
            return
