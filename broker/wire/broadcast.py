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

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import zmq

from broker.chat.effects import Connection
from broker.wire import frames, peers
from broker.wire.frames import Sender
from broker.wire.gate import Offence, Offended
from broker.wire.roll import Line, Roll, Standing
from broker.wire.sockets import Socket
from common import topics
from common.limits import GATEWAY_SUBSCRIPTIONS, STRANGER_SUBSCRIPTIONS, SUBSCRIPTIONS
from common.topics import LONGEST

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
    """Grants and publishes on the sockets that share the broadcast port; for the thread that owns them."""

    def __init__(
        self,
        sockets: Sequence[Socket],
        may_hear: MayHear,
        roll: Roll,
        offended: Offended,
        subscriptions: int = SUBSCRIPTIONS,
    ) -> None:
        """`subscriptions` is how many topics one connection may ask for and not give back."""
        self._stages = {socket: _Stage(socket, may_hear, roll, offended, subscriptions) for socket in sockets}
        self._where: dict[str, tuple[_Stage, ...]] = {}
        """By log: the stages on which somebody was granted it, and may hear it still."""

    @property
    def foreign(self) -> int:
        """Frames that were no subscription; each cost its sender the connection."""
        return sum(stage.foreign for stage in self._stages.values())

    @property
    def denied(self) -> int:
        """Subscriptions that were not granted."""
        return sum(stage.denied for stage in self._stages.values())

    def drain(self, ready: Container[object], limit: int) -> list[Change]:
        """Read up to `limit` frames of each socket that is `ready`, grant what may be granted, and say what changed.

        What follows from a change (markers, effects) is done by the caller afterwards, so that nothing but
        reading and granting happens in here.
        """
        changes: list[Change] = []
        for socket, stage in self._stages.items():
            if socket in ready:
                for change in stage.drain(limit):
                    if type(change) is Granted:
                        self._note(change.topic, stage)
                    changes.append(change)
        return changes

    def _note(self, topic: bytes, stage: _Stage) -> None:
        log = topic[:-1].decode()
        stages = self._where.get(log, ())
        if stage not in stages:
            self._where[log] = (*stages, stage)

    def publish(self, log: str, frame: bytes) -> None:
        """Send one event frame to whoever was granted `log`; never blocks, and drops for whoever lags."""
        for stage in self._where.get(log, ()):
            stage.send(frame)

    def forget(self, holders: Mapping[bytes, Iterable[Connection]]) -> None:
        """Publish from now on only where `holders` (by topic, those who were granted it) has somebody."""
        self._where = {}
        everybody: set[Connection] = set()
        for topic, connections in holders.items():
            everybody.update(connections)
            for stage in self._stages.values():
                if not stage.connections.isdisjoint(connections):
                    self._note(topic, stage)
        for stage in self._stages.values():
            stage.connections &= everybody


class _Stage:
    """One of the sockets."""

    def __init__(self, socket: Socket, may_hear: MayHear, roll: Roll, offended: Offended, subscriptions: int) -> None:
        self._socket = socket
        self._may_hear = may_hear
        self._roll = roll
        self._offended = offended
        self._subscriptions = subscriptions
        self._guarded = False
        self.connections: set[Connection] = set()
        """Those that were granted something here."""
        self.foreign = 0
        self.denied = 0
        self.send = socket.send

    def drain(self, limit: int) -> list[Change]:
        """Read up to `limit` frames, grant what may be granted, and say what changed, in order."""
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
        connection, address, key = self._sender(frame)
        # Nothing is granted to whoever is gone: their place in libzmq's memory may be somebody else's by now.
        granted = connection is not None and key is not None and not self._guarded and self._may_hear(key, topic)
        if granted:
            self._socket.setsockopt(zmq.SUBSCRIBE, topic)
        else:
            self.denied += 1
        if connection is None or key is None:
            return
        line = self._roll.line(connection, key, address)
        line.subscriptions += 1
        if len(topic) > LONGEST or line.subscriptions > self._most(line):
            # libzmq remembers what was denied, at a multiple of its size, as long as the connection stands.
            self._roll.cut(connection, key)
            self._offended(address, key, Offence.SUBSCRIPTIONS)
        elif granted:
            self.connections.add(connection)
            changes.append(Granted(key, topic, connection))

    def _most(self, line: Line) -> int:
        if line.subscriptions <= STRANGER_SUBSCRIPTIONS:
            return STRANGER_SUBSCRIPTIONS
        standing = self._roll.standing_of(line.key)
        if standing is Standing.GATEWAY:
            return GATEWAY_SUBSCRIPTIONS
        return self._subscriptions if standing is Standing.MEMBER else STRANGER_SUBSCRIPTIONS

    def _unsubscription(self, frame: zmq.Frame, topic: bytes, changes: list[Change]) -> None:
        connection, address, key = self._sender(frame)
        if key is None:
            if topics.is_beacon(topic):
                changes.append(BeaconLost(topic))
            return
        if not self._guarded:
            self._socket.setsockopt(zmq.UNSUBSCRIBE, topic)
        if connection is not None:
            line = self._roll.line(connection, key, address)
            line.subscriptions = max(0, line.subscriptions - 1)
            if self._guarded:
                # The answer could take a bystander's grant: let the client start afresh instead.
                peers.cut(connection)
            changes.append(Withdrawn(topic, connection))

    def _foreign(self, frame: zmq.Frame) -> None:
        self._guarded = True
        self.foreign += 1
        connection, address, key = self._sender(frame)
        if connection is not None:
            self._roll.cut(connection, key)
        if address:
            self._offended(address, key, Offence.FOREIGN_FRAME)

    def _sender(self, frame: zmq.Frame) -> Sender:
        """Who sent a frame; of what is left of a connection that was cut, nothing but the key."""
        key = frames.key(frame)
        if key is None:
            # From libzmq itself, for a connection that is gone: one for each topic that it had asked for.
            return Sender(None, "", None)
        connection = frames.connection(frame)
        if connection is None:
            return frames.sender(frame)
        if self._roll.was_cut(connection[0], key):
            return Sender(None, "", key)
        line = self._roll.known(connection, key)
        return Sender(connection, line.address, key) if line is not None else frames.sender(frame)
