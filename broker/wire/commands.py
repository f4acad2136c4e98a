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
from broker.chat.effects import Connection, Origin
from broker.wire import frames, peers
from broker.wire.gate import Offence, Offended
from broker.wire.roll import Line, Roll, Standing
from broker.wire.sockets import Socket
from common import codec
from common.errors import ChatError

# Plain integers: an enum's `|` costs more than the call that it is for.
_NOBLOCK: Final = int(zmq.NOBLOCK)
_MORE: Final = int(zmq.NOBLOCK) | int(zmq.SNDMORE)
_ROUTE: Final = 5
"""A routing id made by libzmq: a NUL and four bytes. Others were chosen by a peer."""

_GONE: Final[Connection] = (-1, -1)
"""Of a request whose connection went before it was read."""

Handler = Callable[[Origin, codec.Request], None]
Malformed = Callable[[Origin, ChatError], None]


class Commands:
    """Receives and answers on the ROUTER; for the thread that owns it."""

    def __init__(self, socket: Socket, roll: Roll, offended: Offended) -> None:
        self._socket = socket
        self._roll = roll
        self._offended = offended
        self._lines: dict[bytes, Line] = {}
        """By routing id."""
        self.foreign = 0
        """Messages dropped because they were no request at all: several frames, no identity, a chosen route."""
        self.undelivered = 0
        """Replies dropped because their client is gone or does not read."""

    def drain(self, limit: int, handle: Handler, malformed: Malformed) -> int:
        """Read up to `limit` requests and hand each on; how many there were."""
        recv, host, decode, lines = self._socket.recv, peers.host, codec.decode_request, self._lines
        for count in range(limit):
            try:
                route = recv(_NOBLOCK)
            except zmq.Again:
                return count
            # Only the body is read as a frame object, which costs five times as much: it has the metadata.
            frame: zmq.Frame = recv(_NOBLOCK, False)
            if frame.more or len(route) != _ROUTE or route[0]:
                self._foreign(frame)
                continue
            try:
                key: str = frame.get("User-Id")  # type: ignore[assignment]
                address: str = frame.get("Peer-Address")  # type: ignore[assignment]
            except zmq.ZMQError as error:
                if error.errno != EINVAL:
                    raise
                self._foreign(frame)  # unnamed: never a default
                continue
            line = lines.get(route)
            if line is None or line.key != key:
                line = self._first(route, key, frame)
            line.requests += 1
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
            line = self._lines.get(route)
            if line is not None:
                line.sent += len(body)
        except zmq.ZMQError as error:
            if error.errno != EAGAIN and error.errno != EHOSTUNREACH:
                raise
            self.undelivered += 1

    def review(self, most: int) -> None:
        """Shut the connections on which more than `most` requests came since the last call; once a second."""
        for line in self._roll.flooding(most):
            if self._roll.standing_of(line.key) is not Standing.GATEWAY:
                peers.cut(line.connection)
                self._offended(line.address, line.key, Offence.FLOOD)

    def forget_gone(self) -> None:
        """Forget the connections that stand no longer; the roll was pruned before."""
        self._lines = {route: line for route, line in self._lines.items() if line in self._roll}

    def _first(self, route: bytes, key: str, frame: zmq.Frame) -> Line:
        """The first request on a connection: note whose it is."""
        sender = frames.sender(frame)
        if sender.connection is None:
            return Line(_GONE, key, sender.address)
        line = self._lines[route] = self._roll.line(sender.connection, key, sender.address)
        return line

    def _foreign(self, frame: zmq.Frame) -> None:
        """Several frames, no identity, a chosen route: no request. It is dropped, and counts as one all the same."""
        self.foreign += 1
        sender = frames.sender(frame)
        if sender.connection is not None and sender.key is not None:
            self._roll.line(sender.connection, sender.key, sender.address).requests += 1
        log.event("foreign-request", logging.WARNING, address=sender.address, frames="several" if frame.more else "one")
        more = frame.more
        while more:
            more = self._socket.recv(_NOBLOCK, False).more
