"""One pair of sockets for two: the gateway's own session, and all those of its people.

The own session is a client's as everywhere; to it this is the transport. What comes is given to whom it is for, and
each topic is held once on the wire, whether one wants it or both: libzmq counts, and only the last one who gives it
back gives it back. Whoever wants what the other holds already makes it be asked for again, since they wait for its
marker. Must not know what frames mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from client.link.actions import Action, Subscribe, Unsubscribe
from client.link.connection import Connection
from client.link.line import Network
from client.link.session import Session
from client.link.transport import Deliver
from common import topics
from common.addresses import Address
from common.keys import KeyPair


class Other(Protocol):
    """What shares the sockets with the own session."""

    def take(self) -> list[Action]:
        """What is to be done now: frames to transmit, topics to hear or no longer."""

    def reply_received(self, frame: bytes, now: float) -> bool:
        """A frame came on the command socket. Returns whether it was for this one."""

    def event_received(self, frame: bytes, now: float) -> None:
        """A frame came on the broadcast socket."""

    def broadcast_up(self, now: float) -> None:
        """The broadcast socket is connected; libzmq has sent all subscriptions."""

    def broadcast_down(self, now: float) -> None:
        """The broadcast socket has lost its connection."""

    def commands_down(self, now: float) -> None:
        """The command socket has lost its connection."""

    def stepped(self, now: float) -> None:
        """The own session may have changed: whether the broker answers, and what it said."""


class Both:
    """The two as one, as a connection drives it."""

    def __init__(self, own: Session, other: Other) -> None:
        self._own = own
        self._other = other
        self._held: dict[bytes, set[object]] = {}

    def take(self) -> list[Action]:
        """What both want done, in order."""
        actions: list[Action] = []
        for who in (self._own, self._other):
            for action in who.take():
                if isinstance(action, Subscribe):
                    self._subscribe(who, action, actions)
                elif isinstance(action, Unsubscribe):
                    self._unsubscribe(who, action, actions)
                else:
                    actions.append(action)
        return actions

    def _subscribe(self, who: object, action: Subscribe, actions: list[Action]) -> None:
        holders = self._held.setdefault(action.topic, set())
        if holders:
            actions.append(Unsubscribe(action.topic))
        holders.add(who)
        actions.append(action)

    def _unsubscribe(self, who: object, action: Unsubscribe, actions: list[Action]) -> None:
        holders = self._held.get(action.topic, set())
        holders.discard(who)
        if not holders:
            self._held.pop(action.topic, None)
            actions.append(action)

    def deadline(self) -> float:
        """When to call `tick` next; the other one's time is kept elsewhere."""
        return self._own.deadline()

    def tick(self, now: float) -> None:
        """Let time pass."""
        self._own.tick(now)
        self._other.stepped(now)

    def commands_up(self, now: float) -> None:
        """The command socket is connected."""
        self._own.commands_up(now)
        self._other.stepped(now)

    def commands_down(self, now: float) -> None:
        """The command socket has lost its connection."""
        self._own.commands_down(now)
        # First that there is no broker: whoever is told that an answer is lost may ask again at once.
        self._other.stepped(now)
        self._other.commands_down(now)

    def broadcast_up(self, now: float) -> None:
        """The broadcast socket is connected."""
        self._own.broadcast_up(now)
        self._other.broadcast_up(now)

    def broadcast_down(self, now: float) -> None:
        """The broadcast socket has lost its connection."""
        self._own.broadcast_down(now)
        self._other.broadcast_down(now)

    def reply_received(self, frame: bytes, now: float) -> None:
        """A frame came on the command socket."""
        if not self._other.reply_received(frame, now):
            self._own.reply_received(frame, now)
            self._other.stepped(now)

    def event_received(self, frame: bytes, now: float) -> None:
        """A frame came on the broadcast socket."""
        self._other.event_received(frame, now)
        if self._own in self._held.get(frame[: frame.find(topics.END) + 1], ()):
            self._own.event_received(frame, now)


class SharedTransport(Network):
    """The own session's transport: a connection that carries others, too."""

    def __init__(self, other: Other, flush: Callable[[], None]) -> None:
        """`flush` is called when a turn's frames were read, and all that follows from them is done."""
        self._other = other
        self._flush = flush
        self.session: Session | None = None
        """The own session, once there is a connection for it."""
        self.connection: Connection | None = None

    def connect(
        self, address: Address, keys: KeyPair, session: Session, deliver: Deliver, stepped: Callable[[], None]
    ) -> Connection:
        """A connection for `session` and the others, not opened yet."""

        def both_stepped() -> None:
            stepped()
            self._flush()

        self.session = session
        self.connection = Connection(address, keys, Both(session, self._other), deliver, both_stepped)
        return self.connection
