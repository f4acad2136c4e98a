"""Wakes the reactor from other threads: results lie in queues, the bell only says that there are some.

Every thread that rings has a PUSH socket of its own, since a ZeroMQ socket belongs to one thread. Must not
know what there is to fetch.
"""

from __future__ import annotations

import threading

import zmq

from broker.wire.sockets import Context, Socket


class Bell:
    """`ring` from any thread makes `socket` readable in the thread that polls it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._endpoint = f"inproc://bell-{id(self)}"
        self.socket: Socket = context.socket(zmq.PULL)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind(self._endpoint)
        self._rung = False
        self._closed = False
        self._own = threading.local()
        self._ropes: list[Socket] = []

    def ring(self) -> None:
        """Wake the reactor. Put the result in its queue first; cheap if the bell rings already."""
        if self._rung or self._closed:
            return
        self._rung = True
        rope: Socket | None = getattr(self._own, "rope", None)
        try:
            if rope is None:
                rope = self._own.rope = self._context.socket(zmq.PUSH)
                rope.setsockopt(zmq.LINGER, 0)
                rope.connect(self._endpoint)
                self._ropes.append(rope)
            rope.send(b"", zmq.NOBLOCK)
        except zmq.ZMQError:
            # Full means that a ring is on its way; closed means that nobody listens any more.
            pass

    def hush(self) -> None:
        """Stop ringing; look at the queues after this, so that nothing that comes later is missed."""
        try:
            while True:
                self.socket.recv(zmq.NOBLOCK)
        except zmq.Again:
            self._rung = False

    def close(self) -> None:
        """Close all sockets; the threads that rang must have ended."""
        self._closed = True
        self.socket.close()
        for rope in self._ropes:
            rope.close()
