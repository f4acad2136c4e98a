"""What the terminal client needs: of the headless client below it, and of the surface that runs its commands.

`Chat` is the part of `client.link.chat.ChatClient` that is used here, so that tests can stand in for it.
`Desk` is what a command may touch; the full screen and `--plain` are one each. Must not know either.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from typing import Any, Protocol

from client.link.requests import Request
from client.link.updates import LinkState, Update
from client.tui.state import Model
from common.messages import Sent, SessionState


class Sending(Protocol):
    """A message under way; awaiting it gives its place in the log, or raises `ChatError`."""

    @property
    def nonce(self) -> bytes: ...

    def __await__(self) -> Generator[None, None, Sent]: ...


class Clock(Protocol):
    """The broker's clock, as this process reckons it."""

    @property
    def offset_ms(self) -> float: ...

    def now(self) -> int: ...


class Chat(Protocol):
    """A logged-in client, or one that is about to be."""

    @property
    def login(self) -> str | None: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def link(self) -> LinkState: ...

    @property
    def link_since(self) -> float: ...

    @property
    def round_trip_ms(self) -> float | None: ...

    @property
    def state(self) -> SessionState | None: ...

    @property
    def token(self) -> bytes | None: ...

    @property
    def request(self) -> Request: ...

    @property
    def default_room(self) -> str: ...

    def post(self, log: str, text: str) -> Sending: ...

    def direct(self, to: str, text: str) -> Sending: ...

    async def join(self, name: str) -> Any: ...

    async def enter(self, name: str) -> Any: ...

    async def leave(self, name: str) -> Any: ...

    async def create(self, name: str, *, kept: bool = False, private: bool = False, open: bool = False) -> Any: ...

    async def log_out(self, token: bytes | None = None) -> None: ...

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def updates(self) -> AsyncIterator[Update]: ...


class Desk(Protocol):
    """The surface at which a person, or a script, sits."""

    chat: Chat
    model: Model

    def tell(self, *lines: str) -> None:
        """Show the answer to a command."""

    def complain(self, *lines: str) -> None:
        """Show that something was refused, and why."""

    def show(self, log: str) -> None:
        """Turn to a conversation."""

    def say(self, log: str, text: str) -> bool:
        """Send a message to a room, or to `@login`. Returns whether it is on its way; if not, it was said why."""

    def clear(self) -> None:
        """Empty the view of the current conversation."""

    async def older(self, count: int) -> None:
        """Bring in about `count` older messages of the current conversation."""

    async def secret(self, prompt: str) -> str | None:
        """Ask for something that is not shown; None if the person thinks better of it."""

    def quit(self) -> None:
        """End, once what was sent is acknowledged."""

    async def forget(self) -> None:
        """End the session for good, and whatever keeps this machine logged in."""


Action = Callable[[Desk, Mapping[str, str], frozenset[str]], Awaitable[None]]
"""What a command does, given its arguments and its flags. Raises `ChatError` where the broker refuses."""
