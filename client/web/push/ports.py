"""What push asks of the relay, which knows sessions and hears what happens. Must not know how it does that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from common import messages as m


class Known(Protocol):
    """One session of the gateway's."""

    @property
    def label(self) -> str:
        """The broker's name for it (`as`)."""

    @property
    def login(self) -> str:
        """Whose it is."""

    @property
    def state(self) -> m.SessionState:
        """Where it stands."""

    def entitled(self, log: str, seq: int) -> bool:
        """Whether it may read that entry of that log."""


class Switchboard(Protocol):
    """The relay, as far as push needs it; `client.web.relay.relay.Relay` is one."""

    overheard: list[Callable[[str, m.AnyEvent], None]]
    own_ops: dict[str, Callable[[Any, dict[str, Any]], Awaitable[dict[str, Any]]]]

    def session(self, label: str) -> Known | None:
        """What is known of a label that has a socket or was adopted."""

    def active(self, login: str) -> bool:
        """Whether a socket of that account is visible to its person."""

    async def adopt(self, label: str) -> Known | None:
        """Ask the broker anew, quietly, and go on hearing the label; None if it is logged out. Raises `ChatError`."""

    def release(self, label: str) -> None:
        """Take `adopt` back."""

    async def elsewhere(self, label: str) -> bool:
        """Whether the account is present by a session that is none of this gateway's. Raises `ChatError`."""
