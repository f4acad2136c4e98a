"""Connections without sockets: frames go from clients to a broker in memory and back, in order, a loop's turn later.

What a session does and is told is the same as on `client/link/connection.py`, and one contract holds for both
(`tests/contract/link_contract.py`). Time is the kit's: a session's timers are looked at when the clock was moved. Both
ends of a frame's way stand in one file, for each is half of what the other does. Must not know what frames mean.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import TypeVar

from broker.chat.effects import Connection
from broker.chat.settings import ChatSettings
from client.link.actions import Subscribe, Transmit, Unsubscribe
from client.link.session import Session
from client.link.transport import Deliver
from common import topics
from common.addresses import Address
from common.keys import KeyPair, user_id
from testkit.clock import Clock
from testkit.memory_broker import Broker

T = TypeVar("T")


class Network:
    """A broker, its connections, and the frames under way. Also the transport of whoever connects."""

    def __init__(self, settings: ChatSettings, clock: Clock) -> None:
        self._clock = clock
        self._under_way: deque[Callable[[], None]] = deque()
        self._pumping = False
        self._numbers = count(1)
        self._links: dict[bytes, MemoryLink] = {}
        self.broker = Broker(settings, clock, self)

    # For clients.

    def monotonic(self) -> float:
        """Seconds by the kit's clock."""
        return self._clock.seconds()

    def wall(self) -> float:
        """Seconds since 1970, by the kit's clock."""
        return self._clock.seconds()

    def connect(
        self, address: Address, keys: KeyPair, session: Session, deliver: Deliver, stepped: Callable[[], None]
    ) -> MemoryLink:
        """A connection to the broker in memory, whatever `address` says."""
        return MemoryLink(self, next(self._numbers), user_id(keys.public), session, deliver, stepped)

    def arrived(self, link: MemoryLink) -> None:
        """A connection was opened."""
        self._links[link.route] = link

    def left(self, link: MemoryLink) -> None:
        """A connection was closed."""
        self._links.pop(link.route, None)

    # For the broker.

    def reply(self, route: bytes, frame: bytes) -> None:
        """Take a reply to the connection of that route, if it is still there."""
        link = self._links.get(route)
        if link is not None:
            self.later(partial(link.replied, frame))

    def event(self, log: str, frame: bytes) -> None:
        """Take an event to every connection that was granted the log."""
        topic = topics.topic(log)
        for link in self._links.values():
            if topic in link.granted:
                self.later(partial(link.heard, link.connection, topic, frame))

    def cut(self, connection: Connection) -> None:
        """Shut a connection to the broadcast, once what was published before has arrived."""
        for link in self._links.values():
            if link.connection == connection:
                self.later(partial(link.cut, connection))

    # The frames under way.

    @property
    def quiet(self) -> bool:
        """Whether nothing is under way."""
        return not self._under_way

    def later(self, what: Callable[[], None]) -> None:
        """Have something happen after all that is under way."""
        self._under_way.append(what)
        if not self._pumping:
            self._pumping = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        """Let happen what was under way at the turn's beginning; what follows from it is for the next turn."""
        self._pumping = False
        for _ in range(len(self._under_way)):
            self._under_way.popleft()()

    # Time.

    def deadline(self) -> float:
        """When, in seconds of the clock, the first session that waits for anything wants to go on."""
        waiting = [link.session for link in self._links.values() if link.waits]
        return min((session.deadline() for session in waiting), default=math.inf)

    def tick(self) -> None:
        """The clock was moved: let every session know whose deadline has come."""
        for link in list(self._links.values()):
            link.tick()


class MemoryLink:
    """A session's connection, from `open` to `close`."""

    reached = True
    refused = False

    def __init__(
        self, network: Network, number: int, key: str, session: Session, deliver: Deliver, stepped: Callable[[], None]
    ) -> None:
        self.session = session
        self.route = number.to_bytes(5, "big")
        self.connection: Connection = (number, 0)
        """As the broadcast knows it; another one after each cut."""
        self.granted: set[bytes] = set()
        self._network = network
        self._key = key
        # Each from an address of its own: those who are not logged in share what one address may ask.
        self._address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        self._deliver = deliver
        self._stepped = stepped
        self._wanted: dict[bytes, None] = {}
        self._open = False

    @property
    def waits(self) -> bool:
        """Whether something that was asked or posted is not answered. The broker in memory answers at once: so what is
        not under way waits for its time."""
        return bool(len(self.session.outbox) or self.session.calls.under_way)

    def open(self) -> None:
        """Connect."""
        self._open = True
        self._loop = asyncio.get_running_loop()
        self._network.arrived(self)
        self._network.later(lambda: self._safely(self.session.commands_up))
        self._network.later(lambda: self._safely(self.session.broadcast_up))

    async def close(self) -> None:
        """Disconnect: what was sent still arrives, and nothing comes back."""
        if self._open:
            self._open = False
            self._network.left(self)
            self._network.later(partial(self._network.broker.lost, self.connection))

    def do(self, step: Callable[[float], T]) -> T:
        """Let the session take a step, and do what follows from it."""
        try:
            return step(self._network.monotonic())
        finally:
            self._act()

    def tick(self) -> None:
        """Let the session know the time, if it waits for it."""
        if self.session.deadline() <= self._network.monotonic():
            self._safely(self.session.tick)

    def replied(self, frame: bytes) -> None:
        """A reply arrives."""
        self._safely(lambda now: self.session.reply_received(frame, now))

    def heard(self, connection: Connection, topic: bytes, frame: bytes) -> None:
        """An event arrives, on the connection that it was sent on; what is not asked for any more is passed over."""
        if connection == self.connection and topic in self._wanted:
            self._safely(lambda now: self.session.event_received(frame, now))

    def cut(self, connection: Connection) -> None:
        """The broker shuts the connection to its broadcast; there is another one soon."""
        if connection != self.connection or not self._open:
            return
        self._network.broker.lost(connection)
        self.granted.clear()
        self.connection = (connection[0], connection[1] + 1)
        self._safely(self.session.broadcast_down)
        self._network.later(self._again)

    def _again(self) -> None:
        for topic in list(self._wanted):
            self._subscribe(topic)
        self._safely(self.session.broadcast_up)

    def _safely(self, step: Callable[[float], object]) -> None:
        """As on sockets: a fault must not end what carries the others."""
        if not self._open:
            return
        try:
            self.do(step)
        except Exception as error:
            self._report(error)

    def _report(self, error: Exception) -> None:
        self._loop.call_exception_handler({"message": "a fault in Tertulia's client", "exception": error})

    def _act(self) -> None:
        while actions := self.session.take():
            for action in actions:
                if isinstance(action, Transmit):
                    self._transmit(action.frame)
                elif isinstance(action, Subscribe):
                    self._wanted[action.topic] = None
                    self._subscribe(action.topic)
                elif isinstance(action, Unsubscribe):
                    self._unsubscribe(action.topic)
                else:
                    self._tell(partial(self._deliver, action))
        self._tell(self._stepped)

    def _tell(self, what: Callable[[], None]) -> None:
        try:
            what()
        except Exception as error:
            self._report(error)

    def _transmit(self, frame: bytes) -> None:
        if self._open:
            self._network.later(partial(self._network.broker.request, self.route, self._key, self._address, frame))

    def _subscribe(self, topic: bytes) -> None:
        connection, broker = self.connection, self._network.broker

        def arrive() -> None:
            if self._open and connection == self.connection and broker.may_hear(self._key, topic):
                self.granted.add(topic)
                broker.granted(self._key, topic, connection)

        if self._open:
            self._network.later(arrive)

    def _unsubscribe(self, topic: bytes) -> None:
        self._wanted.pop(topic, None)
        connection, broker = self.connection, self._network.broker

        def arrive() -> None:
            if connection == self.connection and topic in self.granted:
                self.granted.discard(topic)
                broker.unsubscribe(topic, connection)

        if self._open:
            self._network.later(arrive)
