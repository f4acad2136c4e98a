"""What a line stands on: where its connection comes from, and what its clocks show.

`connection.py` has the one over sockets; a test kit has one without. Must not know sockets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from client.link.actions import Action, Answered
from client.link.session import Session
from client.link.updates import Update
from common.addresses import Address
from common.keys import KeyPair

T = TypeVar("T")
Deliver = Callable[[Answered | Update], None]
"""Takes what the session has for the application."""


class Driven(Protocol):
    """What a connection drives: a session, or several that share its sockets. `now` is seconds that never jump."""

    def take(self) -> list[Action]:
        """What is to be done now, in order; each is given out once."""

    def deadline(self) -> float:
        """When to call `tick` next, if nothing happens before; infinity for never."""

    def tick(self, now: float) -> None:
        """Let time pass."""

    def commands_up(self, now: float) -> None:
        """The command socket is connected."""

    def commands_down(self, now: float) -> None:
        """The command socket has lost its connection."""

    def broadcast_up(self, now: float) -> None:
        """The broadcast socket is connected; libzmq has sent all subscriptions."""

    def broadcast_down(self, now: float) -> None:
        """The broadcast socket has lost its connection."""

    def reply_received(self, frame: bytes, now: float) -> None:
        """A frame came on the command socket."""

    def event_received(self, frame: bytes, now: float) -> None:
        """A frame came on the broadcast socket."""


class Link(Protocol):
    """A session's way to its broker, from `open` to `close`, in one event loop.

    It tells the session when it is connected and when no more, hands it every frame, calls `tick` when its deadline has
    come, and does what the session wants after each of these.
    """

    @property
    def reached(self) -> bool:
        """Whether anything took a connection at the address."""

    @property
    def refused(self) -> bool:
        """Whether that did not get through the handshake."""

    def open(self) -> None:
        """Begin to connect."""

    async def close(self) -> None:
        """Disconnect. Closing twice is closing."""

    def do(self, step: Callable[[float], T]) -> T:
        """Let the session take a step, given the time, and do what follows from it. Raises what the step raises."""


class Transport(Protocol):
    """Makes connections, and has the clocks by which they live."""

    def monotonic(self) -> float:
        """Seconds by a clock that never jumps."""

    def wall(self) -> float:
        """Seconds since 1970, by the clock on the wall."""

    def connect(
        self, address: Address, keys: KeyPair, session: Session, deliver: Deliver, stepped: Callable[[], None]
    ) -> Link:
        """A connection for `session`, not opened yet; `stepped` is called after each step that the session took."""
