"""A client that is made only when it is started, so that the screen is painted before the sockets' library is loaded.

Until then it shows what there is to show of a client that is connecting. Must not know how the real one is made.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

from client.link.clock import Clock
from client.link.updates import LinkState
from client.tui.commands.ports import Chat


class _Connecting:
    """What is to be seen of a client that is not there yet."""

    link = LinkState.CONNECTING
    round_trip_ms = None
    login = None
    state = None
    token = None

    def __init__(self) -> None:
        self.link_since = time.monotonic()
        self.clock = Clock(time.monotonic, time.time)

    async def close(self) -> None:
        """There is nothing to close."""


class _Late:
    def __init__(self, make: Callable[[], Awaitable[Chat]]) -> None:
        self._make = make
        self._chat: Chat | _Connecting = _Connecting()

    async def start(self) -> None:
        self._chat = await self._make()
        await self._chat.start()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chat, name)


def late(make: Callable[[], Awaitable[Chat]]) -> Chat:
    """A client that `make` makes, at its `start`."""
    return cast(Chat, _Late(make))
