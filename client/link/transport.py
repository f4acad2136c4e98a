"""What a line stands on: where its connection comes from, and what its clocks show.

`connection.py` has the one over sockets; a test kit has one without. Must not know sockets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from client.link.actions import Answered
from client.link.session import Session
from client.link.updates import Update
from common.addresses import Address
from common.keys import KeyPair

T = TypeVar("T")
Deliver = Callable[[Answered | Update], None]
"""Takes what the session has for the application."""


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
