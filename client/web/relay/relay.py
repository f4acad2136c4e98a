"""The relay as the rest of the gateway sees it: sessions that come and go, and the sockets of their browsers.

Must not know HTTP's pages and cookies, nor push services.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from client.link.chat import ChatClient
from client.web.relay.sessions import Session
from common import messages as m
from common.addresses import Address
from common.keys import KeyPair

Overheard = Callable[[str, m.AnyEvent], None]
OwnOp = Callable[[Session, dict[str, Any]], Awaitable[dict[str, Any]]]


class Relay:
    """One link to a broker, shared by the gateway's own session and by everybody who comes by browser.

    From `start` to `close`, in one event loop.
    """

    chat: ChatClient
    """The gateway's own session, over the same pair of sockets. `chat.login` is None if its key is nobody's."""
    run: str
    """A new random value for each relay: a browser's cursors are good for the rings of one run."""
    overheard: list[Overheard]
    """Called with the log's name and the event, once per event, after it was delivered; must not block or raise."""
    own_ops: dict[str, OwnOp]
    """Operations that the gateway answers by itself: the session and the request's fields to the reply's fields.
    Refuse by raising `ChatError`."""

    def __init__(
        self,
        address: str | Address,
        keys: KeyPair,
        *,
        client: str = "tertulia web",
        login: str | None = None,
    ) -> None:
        """`keys` are the gateway's, registered by the operator; with `login` the account that they must log in to."""
        raise NotImplementedError

    async def start(self) -> None:
        """Connect. Raises `NoBroker`, and is closed then."""
        raise NotImplementedError

    async def close(self) -> None:
        """Disconnect; the sockets should be drained before."""
        raise NotImplementedError

    async def enter(self, label: str, command: m.Login | m.Register, address: str) -> m.LoggedIn:
        """Log a new label in. Raises why it was refused, or `NoAnswer` (`LinkLost`) without a broker."""
        raise NotImplementedError

    async def leave(self, label: str) -> None:
        """Log a label out; its sockets are told `ended` and closed. Without a broker it raises `NoAnswer`, and the
        sockets are closed all the same."""
        raise NotImplementedError

    async def serve(self, request: web.Request, label: str, address: str, lang: str) -> web.WebSocketResponse:
        """Make a WebSocket of the request, and serve it until it ends: `return await relay.serve(...)`.

        `label` is empty without a cookie: such a socket is told `ended` and closed. `address` is the person's, in
        figures. Origin and bounds per address are judged before.
        """
        raise NotImplementedError

    async def drain(self) -> None:
        """Take no socket any more; tell those there are `closing`, and close them (1012). Takes 2 s at most."""
        raise NotImplementedError

    def session(self, label: str) -> Session | None:
        """What is known of a label that has a socket or was adopted; None of any other."""
        raise NotImplementedError

    def active(self, login: str) -> bool:
        """Whether a socket of that account is visible to its person."""
        raise NotImplementedError

    async def adopt(self, label: str) -> Session | None:
        """Know a label without a socket, by a quiet `hello`, and go on hearing what it may hear, until `release`.

        None if it is logged out. Raises `NoAnswer` without a broker. An adopted session survives reconnects; once it
        is logged out, `session(label)` is None.
        """
        raise NotImplementedError

    def release(self, label: str) -> None:
        """Take `adopt` back."""
        raise NotImplementedError
