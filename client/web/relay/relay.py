"""The relay as the rest of the gateway sees it: sessions that come and go, and the sockets of their browsers.

The asyncio shell around `hub.py`: its length is that of the interface. Must not know pages, cookies nor push services.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import WSMsgType, web

from client.language import N_, translator
from client.link.calls import Outcome
from client.link.chat import ChatClient
from client.link.connection import Connection
from client.link.failures import NoAnswer
from client.web.relay import frames
from client.web.relay.asking import Asked
from client.web.relay.bounds import (
    ANSWER_S,
    DRAIN_S,
    ENTER_S,
    FRAME_BYTES,
    HELLO_S,
    SILENCE_S,
    SOCKETS,
    STALLED_S,
    TICK_S,
)
from client.web.relay.browsers import AGAIN, TOO_MANY, Browser, OwnOp, Shell
from client.web.relay.hub import Hub
from client.web.relay.outlets import SocketOutlet, relieve
from client.web.relay.sessions import Session
from client.web.relay.shared import SharedTransport
from common import limits, topics
from common import messages as m
from common.addresses import Address
from common.errors import ChatError, NotLoggedIn
from common.keys import KeyPair

Overheard = Callable[[str, m.AnyEvent], None]


class Relay:
    """One link to a broker, shared by the gateway's own session and by everybody who comes by browser.

    From `start` to `close`, in one event loop.
    """

    def __init__(
        self,
        address: str | Address,
        keys: KeyPair,
        *,
        client: str = "tertulia web",
        login: str | None = None,
    ) -> None:
        """`keys` are the gateway's, registered by the operator; with `login` the account that they must log in to.
        Raises `BadAddress` for an address without the broker's key."""
        self._hub = Hub(client, os.urandom)
        self._transport = SharedTransport(self._hub, self._hub.flush)
        self.chat = ChatClient(address, login, keys=keys, client=client, transport=self._transport)
        """The gateway's own session, over the same pair of sockets. `chat.login` is None if its key is nobody's."""
        self._hub.own = self._transport.session
        self.run = secrets.token_hex(8)
        """A new random value for each relay: a browser's cursors are good for the rings of one run."""
        self.overheard: list[Overheard] = self._hub.overheard
        """Called with the log's name and the event, once per event, after it was delivered; must not block or raise."""
        self.own_ops: dict[str, OwnOp] = {}
        """Operations that the gateway answers by itself: the session and the request's fields to the reply's fields.
        Refuse by raising `ChatError`."""
        self._browsers: dict[Browser, SocketOutlet] = {}
        self._overflowed: set[SocketOutlet] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ticking: asyncio.Task[None] | None = None
        self._draining = False

    @property
    def _link(self) -> Connection:
        assert self._transport.connection is not None
        return self._transport.connection

    async def start(self) -> None:
        """Connect. Raises `NoBroker`, and is closed then, and what `ChatClient.start` raises."""
        try:
            await self.chat.start()
        except BaseException:
            await self.chat.close(bye=False)
            raise
        self._ticking = asyncio.get_running_loop().create_task(self._tick(), name="tertulia relay")

    async def close(self) -> None:
        """Disconnect; the sockets should be drained before. What waits for the broker fails."""
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
        await self.chat.close()
        self._hub.commands_down(time.monotonic())

    # People.

    async def enter(self, label: str, command: m.Login | m.Register, address: str, client: str = "") -> m.LoggedIn:
        """Log a new label in; `client` is what it is called in the list of sessions.

        Raises why it was refused, or `NoAnswer` (`LinkLost`) without a broker.
        """
        hello = m.Hello(versions=[limits.PROTOCOL_VERSION], client=client[: limits.CLIENT_LENGTH])
        await self._ask(label, hello, address, ENTER_S)
        reply = await self._ask(label, command, address, ENTER_S)
        assert isinstance(reply, m.LoggedIn)
        return reply

    async def leave(self, label: str, *, reason: str = "logout") -> None:
        """Log a label out; then its sockets are told `ended` for that reason, and closed.

        Raises why the broker did not do it, or `NoAnswer` (`LinkLost`) without a broker: the session and its sockets
        go on then. If only the answer was lost, they are told `ended` once the broker has said so.
        """
        self._demand_broker()
        # Before the broker is asked, so that nothing is held any more when it takes the grants back.
        session = self._link.do(lambda now: self._hub.take_leave(label, reason, now))
        try:
            with suppress(NotLoggedIn):
                await self._ask(label, m.Logout(), "", ANSWER_S)
        except BaseException:
            if session is not None and not session.over:
                session.leaving = ""
                self._link.do(lambda now: self._hub.refresh(session, now))
            raise
        if session is not None:
            self._link.do(lambda now: self._hub.end(session, "logout"))

    def _demand_broker(self) -> None:
        if not self._hub.answering:
            raise NoAnswer(N_("The broker cannot be reached at the moment; try again in a little while."))

    async def _ask(self, label: str, command: m.Command, address: str, timeout: float) -> m.Reply:
        self._demand_broker()
        answer: asyncio.Future[m.Reply] = asyncio.get_running_loop().create_future()

        def done(outcome: Outcome, _asked: Asked, _now: float) -> None:
            if answer.done():
                return
            if isinstance(outcome, ChatError):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)

        self._link.do(lambda now: self._hub.asking.ask(label, command, address, now, timeout, done))
        return await answer

    def session(self, label: str) -> Session | None:
        """What is known of a label that has a socket or was adopted; None of any other."""
        return self._hub.sessions.get(label)

    def active(self, login: str) -> bool:
        """Whether a socket of that account is visible to its person."""
        sessions = self._hub.account(topics.inbox(login))
        return any(browser.visible for session in sessions for browser in session.sockets)

    async def elsewhere(self, label: str) -> bool:
        """Whether the account of an adopted label is present by a session that is none of this gateway's. Raises
        `NoAnswer` without a broker."""
        session = await self.adopt(label)
        if session is None or not session.state.online:
            return False
        here = [each for each in self._hub.account(session.inbox) if each.sockets or each.gone_at is not None]
        if not here:
            return True
        # To ask through one that is present makes nobody present who is not.
        listed = await self._ask(here[0].label, m.Sessions(), "", ANSWER_S)
        assert isinstance(listed, m.SessionList)
        return sum(view.online for view in listed.sessions) > len(here)

    async def adopt(self, label: str) -> Session | None:
        """Know a label without a socket, by a quiet `hello`, and go on hearing what it may hear, until `release`.

        None if it is logged out. Raises `NoAnswer` without a broker. An adopted session survives reconnects; once it
        is logged out, `session(label)` is None. To adopt it again only asks anew.
        """
        answer: asyncio.Future[Session | None] = asyncio.get_running_loop().create_future()

        def known(found: Session | ChatError | None, _welcome: m.Welcome | None, _now: float) -> None:
            if isinstance(found, Session):
                found.adopted = True
            if answer.done():
                return
            if isinstance(found, ChatError):
                answer.set_exception(found)
            else:
                answer.set_result(found)

        self._link.do(lambda now: self._hub.know(label, "", True, now, known))
        return await answer

    def release(self, label: str) -> None:
        """Take `adopt` back."""
        session = self._hub.sessions.get(label)
        if session is not None:
            session.adopted = False
            if not session.sockets and session.gone_at is None:
                self._link.do(lambda now: self._hub.forget(session))

    # Sockets.

    async def serve(self, request: web.Request, label: str, address: str, lang: str) -> web.WebSocketResponse:
        """Make a WebSocket of the request, and serve it until it ends: `return await relay.serve(...)`.

        `label` is empty without a cookie: such a socket is told `ended` and closed. `address` is the person's, in
        figures. Origin and bounds per address are judged before.
        """
        socket = web.WebSocketResponse(
            protocols=(frames.PROTOCOL,), max_msg_size=FRAME_BYTES, compress=False, timeout=DRAIN_S
        )
        await socket.prepare(request)
        transport = request.transport
        if transport is None:
            return socket
        outlet = SocketOutlet(transport, self._overflowed)
        shell = Shell(
            self.run,
            self.own_ops,
            lambda code, reason: self._spawn(_close(socket, outlet, code, reason)),
            self._spawn,
        )
        sentence = translator(lang).sentence
        browser = Browser(self._hub, label, address, outlet, sentence, shell, time.monotonic())
        self._browsers[browser] = outlet
        try:
            if self._draining:
                outlet.push(frames.notice("closing"), 1)
                browser.close(AGAIN, "closing")
            elif socket.ws_protocol is None:
                browser.close(1002, f"the subprotocol is {frames.PROTOCOL}")
            elif not label:
                browser.end("logged-out")
            elif len(self._browsers) > SOCKETS:
                browser.close(TOO_MANY, "too many sockets")
            await self._read(socket, browser)
        finally:
            del self._browsers[browser]
            outlet.closed = True
            self._overflowed.discard(outlet)
            if outlet.waiting:
                outlet.abort()
            self._link.do(browser.gone)
        return socket

    async def _read(self, socket: web.WebSocketResponse, browser: Browser) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                browser.close(1003, "text frames only")
                continue
            text: str = message.data
            self._link.do(lambda now, text=text: browser.received(text, now))  # type: ignore[misc]
            pause = browser.pause(time.monotonic())
            if pause:
                await asyncio.sleep(pause)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._link.do(self._hub.tick)
            now = asyncio.get_running_loop().time()
            for outlet in list(self._overflowed):
                outlet.recover()
                if outlet.overflowed_at is not None and now > outlet.overflowed_at + STALLED_S:
                    outlet.abort()
            relieve(self._browsers.values())
            self._end_silent(time.monotonic())

    def _end_silent(self, now: float) -> None:
        for browser in list(self._browsers):
            patience = SILENCE_S if browser.session is not None else HELLO_S
            if now > browser.heard_at + patience:
                browser.close(1001, "silent")

    async def drain(self) -> None:
        """Take no socket any more; tell those there are `closing`, and close them (1012). Takes `DRAIN_S` at most.

        Nobody says `bye`: their people come back to the next gateway in a moment.
        """
        self._draining = True
        for browser, outlet in list(self._browsers.items()):
            outlet.push(frames.notice("closing"), 1)
            browser.close(AGAIN, "closing")
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=2 * DRAIN_S)


async def _close(socket: web.WebSocketResponse, outlet: SocketOutlet, code: int, reason: str) -> None:
    """Say the last word, and cut off who does not take it."""
    outlet.closed = True
    try:
        async with asyncio.timeout(DRAIN_S):
            await socket.close(code=code, message=reason.encode())
    except TimeoutError:
        outlet.abort()
