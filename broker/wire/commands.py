"""The command socket: requests in, replies out.

Who asks is the `User-Id` of each frame and nothing else; the routing id is only where the reply goes, and is
never logged or shown. A reply that cannot be delivered at once is dropped: the client asks again. Must not
know what a request means.
"""

from __future__ import annotations

import logging
import math
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
from common.limits import FLOOD_REQUESTS

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

    def __init__(self, socket: Socket, roll: Roll, offended: Offended, flood_requests: int = FLOOD_REQUESTS) -> None:
        """`flood_requests` is how many requests between two calls of `review` cost a connection; 0 means never."""
        self._socket = socket
        self._roll = roll
        self._offended = offended
        self._flood_requests: float = flood_requests or math.inf
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
                self._foreign(route, frame)
                continue
            try:
                key: str = frame.get("User-Id")  # type: ignore[assignment]
                address: str = frame.get("Peer-Address")  # type: ignore[assignment]
            except zmq.ZMQError as error:
                if error.errno != EINVAL:
                    raise
                self._foreign(route, frame)  # unnamed: never a default
                continue
            line = lines.get(route)
            if line is None or line.key != key:
                line = self._first(route, key, frame)
            line.requests += 1
            if line.requests > line.most and self._flooded(line):
                continue
            try:
                request = decode(frame.bytes)
            except codec.RequestError as error:
                malformed(Origin(route, key, "", error.id, host(address)), error.cause)
                continue
            person = host(request.address) if request.address else ""
            handle(Origin(route, key, request.session, request.id, host(address), person), request)
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

    def review(self) -> None:
        """Begin to count requests anew, and doubt no connection any more for one that was cut; once a second."""
        self._roll.count_anew()
        for route in [route for route, line in self._lines.items() if line.connection is _GONE]:
            del self._lines[route]

    def forget_gone(self) -> None:
        """Forget the connections that stand no longer; the roll was pruned before."""
        self._lines = {route: line for route, line in self._lines.items() if line in self._roll}

    def _first(self, route: bytes, key: str, frame: zmq.Frame) -> Line:
        """The first request on a connection: note whose it is."""
        connection, address, _ = frames.sender(frame)
        if connection is None:
            return Line(_GONE, key, address)
        if self._roll.was_cut(connection[0], key):
            line = Line(_GONE, key, address)
            line.most = 0
        else:
            line = self._roll.line(connection, key, address)
            line.most = self._flood_requests
        self._lines[route] = line
        return line

    def _flooded(self, line: Line) -> bool:
        """Shut a connection for its requests, and drop unread what else came on it; False if it is a gateway's."""
        if line.most:
            if self._roll.standing_of(line.key) is Standing.GATEWAY:
                return False
            line.most = 0
            self._roll.cut(line.connection, line.key)
            self._offended(line.address, line.key, Offence.FLOOD)
        return True

    def _foreign(self, route: bytes, frame: zmq.Frame) -> None:
        """Several frames, no identity, a chosen route: no request. It is dropped, and counts as one all the same."""
        self.foreign += 1
        line = self._lines.get(route)
        key = frames.key(frame)
        if key is not None and (line is None or line.key != key):
            line = self._first(route, key, frame)
        if line is not None:
            line.requests += 1
            if line.requests > line.most:
                self._flooded(line)
        more = frame.more
        log.event("foreign-request", logging.WARNING, address=line.address if line else "", several=more)
        while more:
            more = self._socket.recv(_NOBLOCK, False).more
