"""Whose connection is which: learned from the frames that come on it, since ZAP does not tell descriptors.

Written by the reactor only; the watchman reads single entries. Must not know what a connection may do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container
from enum import Enum, auto

from broker.chat.effects import Connection
from broker.wire import peers


class Standing(Enum):
    """Who is behind a connection, as far as is known."""

    STRANGER = auto()
    """Nobody that is logged in."""
    MEMBER = auto()
    """A key that has a session."""
    GATEWAY = auto()
    """A key by which the operator lets many people in."""


class Line:
    """A connection that has sent a frame after its handshake."""

    __slots__ = ("address", "connection", "key", "most", "requests", "sent", "subscriptions")

    def __init__(self, connection: Connection, key: str, address: str) -> None:
        self.connection = connection
        self.key = key
        """The public key, Z85."""
        self.address = address
        """The peer's host, normalised."""
        self.requests = 0
        """Since they were counted anew."""
        self.most = math.inf
        """Requests until then; beyond, the connection is shut, and what else came on it is dropped: then it is 0."""
        self.sent = 0
        """Bytes of replies handed to libzmq."""
        self.subscriptions = 0
        """Asked for and not given back."""


class Roll:
    """Every connection that is known by its key."""

    def __init__(self, has_session: Callable[[str], bool], gateways: Container[str] = ()) -> None:
        """`has_session` tells whether a public key (Z85) has a session, on any thread."""
        self._has_session = has_session
        self._gateways = gateways
        self._lines: dict[Connection, Line] = {}
        self._cut: set[tuple[int, str]] = set()
        self._cut_before: set[tuple[int, str]] = set()

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, line: Line) -> bool:
        return self._lines.get(line.connection) is line

    def line(self, connection: Connection, key: str, address: str) -> Line:
        """The line of a connection, made if it is new."""
        line = self._lines.get(connection)
        if line is None or line.key != key:
            line = self._lines[connection] = Line(connection, key, address)
        return line

    def known(self, connection: Connection, key: str) -> Line | None:
        """The line of a connection, if it is known by that key."""
        line = self._lines.get(connection)
        return line if line is not None and line.key == key else None

    def key(self, connection: Connection) -> str | None:
        """Whose connection that is, as far as is known. For any thread."""
        line = self._lines.get(connection)
        return line.key if line else None

    def sent(self, connection: Connection) -> int:
        """Bytes of replies on that connection so far. For any thread."""
        line = self._lines.get(connection)
        return line.sent if line else 0

    def standing(self, connection: Connection) -> Standing:
        """Who is behind that connection. For any thread."""
        key = self.key(connection)
        return Standing.STRANGER if key is None else self.standing_of(key)

    def standing_of(self, key: str) -> Standing:
        """Who holds that key. For any thread."""
        if key in self._gateways:
            return Standing.GATEWAY
        return Standing.MEMBER if self._has_session(key) else Standing.STRANGER

    def count_anew(self) -> None:
        """Count every connection's requests from here on, and forget what was cut before the last call; once a second.

        No later, for the next connection of the same key likely has the same descriptor.
        """
        self._cut_before, self._cut = self._cut, set()
        for line in self._lines.values():
            line.requests = 0

    def cut(self, connection: Connection, key: str | None) -> None:
        """Shut a connection for what came on it, and remember that for a second or two: see `was_cut`."""
        peers.cut(connection)
        if key is not None:
            self._cut.add((connection[0], key))

    def was_cut(self, descriptor: int, key: str) -> bool:
        """Whether a frame of that key is what was left of a connection that was cut.

        What a flooder sent waits to be read while its connection is closed and somebody else's takes the descriptor:
        who is cut for a frame must not be whoever came next, and nobody is cut twice.
        """
        place = descriptor, key
        return place in self._cut or place in self._cut_before

    def prune(self) -> None:
        """Forget the connections that stand no longer."""
        for connection in [each for each in self._lines if not peers.stands(each)]:
            del self._lines[connection]
