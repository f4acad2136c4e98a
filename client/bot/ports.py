"""What a bot needs of its connection: the part of `ChatClient` that it uses, so that a test can stand in for it.

Must not know how any of it is done.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import Any, Protocol

from client.bot.clock import Now
from client.link.requests import Request
from client.link.updates import Update
from common import messages as m


class Entries(Protocol):
    """A log's entries from a place on, as `LogStream` gives them."""

    @property
    def replayed(self) -> int:
        """The `seq` of the last entry known that was fetched afterwards."""

    @property
    def newest(self) -> int:
        """The `seq` of the last entry there is."""

    def __aiter__(self) -> AsyncIterator[m.AnyEntry]:
        """Each, in order, once."""


class Updates(Protocol):
    """What happens, as `UpdateStream` gives it."""

    @property
    def waiting(self) -> int:
        """How many were not given out yet."""

    def __aiter__(self) -> AsyncIterator[Update]:
        """Each, in order, once."""


class Joined(Protocol):
    """A room that the bot is in."""

    view: m.RoomView

    @property
    def start(self) -> int:
        """The `seq` after which entries arrive."""


class Received(Protocol):
    """The bot's inbox."""

    @property
    def start(self) -> int:
        """The `seq` after which entries arrive."""


class Chat(Protocol):
    """A connection that is logged in."""

    @property
    def login(self) -> str | None:
        """Who the bot is."""

    @property
    def state(self) -> m.SessionState | None:
        """Its rooms and talks."""

    @property
    def rooms(self) -> Mapping[str, Joined]:
        """The rooms it is in, by name."""

    @property
    def inbox(self) -> Received:
        """Its inbox."""

    @property
    def clock(self) -> Now:
        """The broker's time."""

    @property
    def request(self) -> Request:
        """Make a request."""

    @property
    def ended(self) -> str | None:
        """Why the session ended."""

    def room(self, name: str) -> Joined | None:
        """The joined room of that name."""

    def updates(self) -> Updates:
        """What happens from now on."""

    def stream(self, log: str, after: int) -> Entries:
        """Follow a log."""

    async def join(self, name: str) -> Any:
        """Become a member of a room."""

    async def leave(self, name: str) -> None:
        """Stop being one."""

    async def mark(self, talk: str, read: int | None = None, notify: m.Notify | None = None) -> None:
        """Note how far a log was handled."""

    async def typing(self, talk: str, on: bool = True) -> None:
        """Let others see that something is being written."""

    def post(
        self, log: str, text: str, *, reply_to: int | None = None, nonce: bytes | None = None, hops: int = 0
    ) -> Awaitable[m.Sent]:
        """Say something in a room, or to `@login`."""

    def edit(self, log: str, seq: int, text: str, *, nonce: bytes | None = None) -> Awaitable[m.Sent]:
        """Say something else in the place of a message."""

    def retract(self, log: str, seq: int, *, nonce: bytes | None = None) -> Awaitable[m.Sent]:
        """Take a message back."""

    def react(
        self, log: str, seq: int, emoji: str, on: bool = True, *, nonce: bytes | None = None
    ) -> Awaitable[m.Sent]:
        """Put an emoji to a message, or take it away."""
