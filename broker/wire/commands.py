"""The command socket: requests in, replies out.

Who asks is the `User-Id` of each frame and nothing else; the routing id is only where the reply goes, and is
never logged or shown. A reply that cannot be delivered at once is dropped: the client asks again. Must not
know what a request means.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from errno import EAGAIN, EHOSTUNREACH, EINVAL
from typing import Final

import zmq

from broker import log
from broker.chat.effects import Origin
from broker.wire import peers
from broker.wire.sockets import Socket
from common import codec
from common.errors import ChatError

# Plain integers: an enum's `|` costs more than the call that it is for.
_NOBLOCK: Final = int(zmq.NOBLOCK)
_MORE: Final = int(zmq.NOBLOCK) | int(zmq.SNDMORE)
_ROUTE: Final = 5
"""A routing id made by libzmq: a NUL and four bytes. Others were chosen by a peer."""

Handler = Callable[[Origin, codec.Request], None]
Malformed = Callable[[Origin, ChatError], None]


class Commands:
    """Receives and answers on the ROUTER; for the thread that owns it."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self.foreign = 0
        """Messages dropped because they were no request at all: several frames, no identity, a chosen route."""
        self.undelivered = 0
        """Replies dropped because their client is gone or does not read."""

    def drain(self, limit: int, handle: Handler, malformed: Malformed) -> int:
        """Read up to `limit` requests and hand each on; how many there were."""
        recv, host, decode = self._socket.recv, peers.host, codec.decode_request
        for count in range(limit):
            try:
                route = recv(_NOBLOCK)
            except zmq.Again:
                return count
            # Only the body is read as a frame object, which costs five times as much: it has the metadata.
            frame: zmq.Frame = recv(_NOBLOCK, False)
            if frame.more or len(route) != _ROUTE or route[0]:
                self._skip(frame.more)
                continue
            try:
                key: str = frame.get("User-Id")  # type: ignore[assignment]
                address: str = frame.get("Peer-Address")  # type: ignore[assignment]
            except zmq.ZMQError as error:
                if error.errno != EINVAL:
                    raise
                self._skip(False)  # unnamed: never a default
                continue
            try:
                request = decode(frame.bytes)
            except codec.RequestError as error:
                malformed(Origin(route, key, "", error.id, host(address)), error.cause)
                continue
            handle(Origin(route, key, request.session, request.id, host(address)), request)
        return limit

    def send(self, route: bytes, body: bytes) -> None:
        """Send a reply, or drop it if its client is gone or lags."""
        send = self._socket.send
        try:
            # The first frame settles whether it can be delivered; if it cannot, there is no second one.
            send(route, _MORE)
            send(body, _NOBLOCK)
        except zmq.ZMQError as error:
            if error.errno != EAGAIN and error.errno != EHOSTUNREACH:
                raise
            self.undelivered += 1

    def _skip(self, more: bool) -> None:
        self.foreign += 1
        log.event("foreign-request", logging.WARNING, frames="several" if more else "unnamed")
        while more:
            self._socket.recv(_NOBLOCK)
            more = bool(self._socket.getsockopt(zmq.RCVMORE))
