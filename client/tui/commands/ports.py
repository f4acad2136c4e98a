"""What the terminal client needs: of the headless client below it, and of the surface that runs its commands.

`Chat` is the part of `client.link.chat.ChatClient` that is used here, so that tests can stand in for it.
`Desk` is what a command may touch; the full screen and `--plain` are one each. Must not know either.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping, Sequence
from typing import Any, Protocol

from client.link.requests import Request
from client.link.updates import LinkState, Update
from client.tui.model.records import Record
from client.tui.model.state import Model
from client.tui.text.links import Numbers
from common.addresses import Address
from common.messages import Hit, Sent, SessionState


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
    def address(self) -> Address: ...

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

    def post(self, log: str, text: str, *, reply_to: int | None = None) -> Sending: ...

    def direct(self, to: str, text: str, *, reply_to: int | None = None) -> Sending: ...

    def edit(self, log: str, seq: int, text: str) -> Sending: ...

    def retract(self, log: str, seq: int) -> Sending: ...

    def react(self, log: str, seq: int, emoji: str, on: bool = True) -> Sending: ...

    async def join(self, name: str) -> Any: ...

    async def enter(self, name: str) -> Any: ...

    async def leave(self, name: str) -> Any: ...

    async def create(self, name: str, *, kept: bool = False, private: bool = False, open: bool = False) -> Any: ...

    async def log_out(self, token: bytes | None = None) -> None: ...

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def updates(self) -> AsyncIterator[Update]: ...


class Hits(Protocol):
    """What a search found, page by page."""

    @property
    def hits(self) -> Sequence[Hit]:
        """What was read of it so far, the newest first."""

    @property
    def more(self) -> bool:
        """Whether there are older ones."""

    async def read_more(self) -> None:
        """Read the next page. Raises `ChatError`."""


class Surface(Protocol):
    """What a full screen can do beside, for the commands that need one."""

    def compose(self, text: str, *, editing: Record | None = None, answering: Record | None = None) -> None:
        """Put a text into the line, to be sent in the place of a message, or in answer to one."""

    def present(self, title: str, lines: Sequence[str]) -> None:
        """Lay a sheet of text over the messages, until it is put away."""

    def choose(self, title: str, hits: Hits) -> None:
        """Lay what was found over the messages, to pick one and go there."""

    def look_at(self, record: Record) -> None:
        """Bring a message of the current conversation into view, and select it."""

    def select(self) -> None:
        """Go from message to message by keys."""

    def switch(self, text: str = "") -> None:
        """Let the person pick a conversation by some letters of its name."""

    def copy(self, text: str) -> None:
        """Put a text on the terminal's clipboard."""

    def toggle_comings(self) -> None:
        """Show everybody's coming and going, or only that of who has spoken lately."""

    def explain_keys(self) -> None:
        """Show the keys."""

    async def edit_elsewhere(self) -> None:
        """Write the line in the person's own editor."""


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

    def say(self, log: str, text: str, reply_to: int = 0) -> bool:
        """Send a message to a room, or to `@login`, perhaps in answer to the one at a `seq`.

        Returns whether it is on its way; if not, it was said why.
        """

    def sent(self, sending: Sending) -> None:
        """Something is on its way."""

    async def settled(self) -> bool:
        """Whether nothing of one's own is on its way in the current conversation. Where lines come from a script, which
        cannot look and try again, this waits for it."""

    def changed(self) -> None:
        """Something to show has changed."""

    @property
    def links(self) -> Numbers:
        """The links of the current conversation, by the number that stands beside each."""

    @property
    def screen(self) -> Surface | None:
        """What only a full screen can do; None where there is none."""

    def clear(self) -> None:
        """Empty the view of the current conversation."""

    async def around(self, record: int) -> Record:
        """Read the message at that `seq` of the current conversation, with what stands around it."""

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
