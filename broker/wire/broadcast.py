"""The broadcast socket: subscriptions are granted from memory, events go out to whom they were granted.

What libzmq forces here (XPUB in manual mode):

* A grant belongs to the subscription that was read last. Between `recv` and `setsockopt(SUBSCRIBE)` nothing may be
  done on the socket, or the grant may go elsewhere or nowhere.
* A frame that is no subscription puts libzmq's idea of "last" out of step. Its connection is shut, and
  nothing is granted until the socket has been read empty; clients ask again until they see `live`.
* An unsubscription takes effect only once it is answered. One without a `User-Id` tells of a lost connection.

Must not know why somebody may hear a topic.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, NamedTuple

import zmq

from broker import log
from broker.chat.effects import Connection
from broker.wire import peers
from broker.wire.sockets import Socket
from common import topics

_NOBLOCK: Final = int(zmq.NOBLOCK)


class Granted(NamedTuple):
    """A subscription now in force."""

    key: str
    topic: bytes
    connection: Connection


class Withdrawn(NamedTuple):
    """A subscription taken back by its client."""

    topic: bytes
    connection: Connection


class BeaconLost(NamedTuple):
    """A connection that had asked for this beacon is gone: perhaps its holder's, perhaps a guesser's."""

    topic: bytes


Change = Granted | Withdrawn | BeaconLost
MayHear = Callable[[str, bytes], bool]


class Broadcast:
    """Grants and publishes on the XPUB; for the thread that owns it."""

    def __init__(self, socket: Socket, may_hear: MayHear) -> None:
        self._socket = socket
        self._may_hear = may_hear
        self._guarded = False
        self.foreign = 0
        """Frames that were no subscription; each cost its sender the connection."""
        self.denied = 0
        self.publish = socket.send
        """Send one event frame to whoever it was granted to; never blocks, and drops for whoever lags."""

    def drain(self, limit: int) -> list[Change]:
        """Read up to `limit` frames, grant what may be granted, and say what changed, in order.

        What follows from a change (markers, effects) is done by the caller afterwards, so that nothing but
        reading and granting happens in here.
        """
        changes: list[Change] = []
        for _ in range(limit):
            try:
                frame: zmq.Frame = self._socket.recv(_NOBLOCK, False)
            except zmq.Again:
                self._guarded = False
                break
            body = frame.bytes
            if frame.more or body[:1] not in (b"\0", b"\1"):
                self._foreign(frame)
            elif body[0]:
                self._subscription(frame, body[1:], changes)
            else:
                self._unsubscription(frame, body[1:], changes)
        return changes

    def _subscription(self, frame: zmq.Frame, topic: bytes, changes: list[Change]) -> None:
        if self._guarded:
            return
        key = _key(frame)
        if key is None or not self._may_hear(key, topic):
            self.denied += 1
            return
        self._socket.setsockopt(zmq.SUBSCRIBE, topic)
        connection = _connection(frame)
        if connection is not None:
            changes.append(Granted(key, topic, connection))

    def _unsubscription(self, frame: zmq.Frame, topic: bytes, changes: list[Change]) -> None:
        if _key(frame) is None:
            if topics.is_beacon(topic):
                changes.append(BeaconLost(topic))
            return
        if not self._guarded:
            self._socket.setsockopt(zmq.UNSUBSCRIBE, topic)
        connection = _connection(frame)
        if connection is not None:
            if self._guarded:
                # The answer could take a bystander's grant: let the client start afresh instead.
                peers.cut(connection)
            changes.append(Withdrawn(topic, connection))

    def _foreign(self, frame: zmq.Frame) -> None:
        self._guarded = True
        self.foreign += 1
        connection = _connection(frame)
        if connection is not None:
            peers.cut(connection)
        log.event("foreign-frame", logging.WARNING, key=_key(frame))


def _key(frame: zmq.Frame) -> str | None:
    """The connection's name, None if the frame tells of a connection that is gone."""
    try:
        return str(frame.get("User-Id"))
    except zmq.ZMQError:
        return None


def _connection(frame: zmq.Frame) -> Connection | None:
    try:
        return peers.identify(int(frame.get(zmq.SRCFD)))
    except zmq.ZMQError:
        return None
