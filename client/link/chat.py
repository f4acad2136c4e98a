"""`ChatClient`: a broker in one object, for programs and user interfaces.

It keeps the rooms, the inbox and what there is to look at up to date with the updates of its line, and names the
common requests. Must not know sockets, nor how anything is shown. All of it belongs to one event loop. Its length
is that of the interface: most methods are a line and a docstring.
"""

from __future__ import annotations

import asyncio
import os
import time
import weakref
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, cast

from client.link.failures import KeyUnknown, LinkLost, NoAnswer, NoBroker, SessionOver, pause
from client.link.line import Line
from client.link.requests import Request
from client.link.room import Inbox, Pending, Room
from client.link.streams import ENTRY_KINDS, Kinds, LogStream, UpdateStream
from client.link.transport import Transport
from client.link.updates import (
    Arrived,
    LinkChanged,
    LinkState,
    RoomJoined,
    RoomLeft,
    SessionEnded,
    StateChanged,
    Update,
)
from common import addresses, limits, names, topics
from common import messages as m
from common.addresses import Address, BadAddress
from common.errors import Busy, ChatError, Closing, RateLimited
from common.keys import KeyPair, generate

CONNECT_S = 5.0
"""Seconds that `start` waits for the broker's first answer."""
LOGIN_S = 60.0
"""Seconds that a login may take: passwords are hashed one after the other."""
PAGE_PAUSE_S = 1.0
"""Seconds until a page for a reader is asked for again if the refusal names none."""
FAREWELL_S = 2.0
"""Seconds that `close` gives to posts still on their way, and to the farewell."""


class ChatClient:
    """A client of one broker, from `start` to `close`, or as `async with`.

    Give `login` with `password`, `token` or registered `keys`, or `register`, to be logged in by `start`; or do it
    later. With `keys` of its own a program keeps its session over restarts; else it ends with `close`.
    """

    def __init__(
        self,
        address: str | Address,
        login: str | None = None,
        password: str | None = None,
        *,
        token: bytes | None = None,
        register: m.Register | None = None,
        keys: KeyPair | None = None,
        client: str = "tertulia",
        remember: bool = False,
        timeout: float = CONNECT_S,
        patient: bool = True,
        transport: Transport | None = None,
    ) -> None:
        """`timeout`, in seconds, is for the first answer. A login that is tried too often waits as long as the broker
        says, as a program wants it; without `patient` it is refused, so that a person can be told. Without `transport`
        it goes over the network. Raises `BadAddress` for an address without the broker's key."""
        self.address = addresses.parse(address) if isinstance(address, str) else address
        if self.address.key is None:
            raise BadAddress(f"{self.address}: the broker's key is missing; its operator knows the whole address.")
        self._credentials = (login, password, token, register, remember)
        self._transient = keys is None
        self._timeout = timeout
        self._patient = patient
        self._line = Line(self.address, keys or generate(), client, self._apply, transport)
        self._session = self._line.session
        self._readers: dict[str, weakref.WeakSet[LogStream[Any]]] = {}
        self._newest: dict[str, int] = {}
        self._inbox: Inbox | None = None
        self.clock = self._line.clock
        """The broker's time: `clock.now()`, `clock.offset_ms`."""
        self.rooms: dict[str, Room] = {}
        """The rooms one is in, by name."""
        self.link_since = time.monotonic()
        """When `link` became what it is, in seconds of `time.monotonic`."""
        self.token: bytes | None = None
        """The remember-me token received last; it replaces the one that was used."""
        self._closing = False
        self.ended: str | None = None
        """Why the session ended, if it did: the reason of `SessionEnded`."""
        self.request: Request = cast(Request, self._line.request)
        """Make any request: `await chat.request(messages.Users())`. Raises what it is refused with, or `NoAnswer`."""

    # Life.

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close(bye=False)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Connect, greet, and log in if credentials were given.

        Raises `NoBroker`, and is closed then: make another to try again. Raises why the login was refused (`KeyUnknown`
        of keys alone); the connection stays, for `log_in` or `close`.
        """
        await self._line.start(self._timeout)
        login, password, token, register, remember = self._credentials
        if register is not None and self.login is None:
            await self.register(register)
        elif login is not None and (self.login is None or names.key(self.login) != names.key(login)):
            if password is None and token is None:
                raise KeyUnknown
            await self.log_in(login, password, token, remember)

    async def close(self, bye: bool = True) -> None:
        """Disconnect; everything that waits on this client ends.

        With `bye` posts still get a moment to go out, and the broker is told, so that one leaves at once and not
        after the grace that a lost connection has. A session whose keys end with this object is logged out.
        """
        self._closing = True
        try:
            if bye and not self._line.closed and self.login is not None and self._session.heartbeat.answering:
                await self._line.finish(m.Logout() if self._transient else m.Bye(), FAREWELL_S)
        finally:
            # Whoever has no patience for the farewell leaves no sockets behind either.
            await self._line.close()
            self._end(None, "closed")

    # What there is to see.

    @property
    def state(self) -> m.SessionState | None:
        """Login, current room and rooms; None when logged out."""
        return self._session.rooms.state

    @property
    def login(self) -> str | None:
        """The account of this session as it was registered; None when logged out."""
        return self._session.rooms.login

    @property
    def current(self) -> Room | None:
        """The room this session is in, for commands that know one room."""
        return self.rooms.get(self._session.rooms.current)

    @property
    def welcome(self) -> m.Welcome:
        """The broker's latest greeting: its name, its default room, whether it takes registrations."""
        welcome = self._session.heartbeat.welcome
        if welcome is None:
            raise NoBroker
        return welcome

    @property
    def default_room(self) -> str:
        """The name of the room where everybody begins."""
        return self.welcome.default_room

    @property
    def link(self) -> LinkState:
        """How things stand with the broker."""
        return self._session.link

    @property
    def round_trip_ms(self) -> float | None:
        """Milliseconds that the latest heartbeat took; None before the first."""
        return self.clock.round_trip_ms

    @property
    def inbox(self) -> Inbox:
        """Private messages and invitations. Raises `SessionOver` when logged out."""
        if self._inbox is None:
            raise SessionOver
        return self._inbox

    def room(self, name: str) -> Room | None:
        """The joined room of that name, however it is written."""
        known = self._session.rooms.find(name)
        return None if known is None else self.rooms.get(known)

    def updates(self) -> UpdateStream:
        """Everything that happens from now on, for a user interface; see `UpdateStream` for one that lags."""
        return self._line.updates()

    async def wait_live(self) -> None:
        """Wait until the broker answers and all that was missed has arrived."""
        await self._line.until(lambda: self.link is LinkState.LIVE)

    # What one can do.

    async def log_in(
        self, login: str, password: str | None = None, token: bytes | None = None, remember: bool = False
    ) -> m.LoggedIn:
        """Bind this session to an account, by password or by token; `remember` asks for a token for the next time."""
        return await self._bind(m.Login(login=login, password=password, token=token, remember=remember))

    async def register(self, account: m.Register) -> m.LoggedIn:
        """Make an account, and log in to it."""
        return await self._bind(account)

    async def _bind(self, command: m.Login | m.Register) -> m.LoggedIn:
        try:
            reply = await self._login(command)
        except LinkLost:
            # The greeting on the new connection says whether it was carried out.
            try:
                async with asyncio.timeout(self._timeout):
                    await self._line.until(lambda: self._session.heartbeat.answering)
            except TimeoutError:
                raise NoAnswer from None
            state = self.state
            if state is not None and names.key(state.login) == names.key(command.login):
                return m.LoggedIn(session=state)
            reply = await self._login(command)
        self.token = reply.token or self.token
        self.ended = None
        return reply

    async def _login(self, command: m.Login | m.Register) -> m.LoggedIn:
        return cast(m.LoggedIn, await self._line.request(command, timeout=LOGIN_S, patient=self._patient))

    async def log_out(self, token: bytes | None = None) -> None:
        """Unbind this session, and have the broker forget the remember-me token `token`."""
        await self.request(m.Logout(token=token))

    async def join(self, name: str) -> Room:
        """Become a member of a room, besides those one is in."""
        return self._joined(await self.request(m.Join(room=name)))

    async def enter(self, name: str) -> Room:
        """Go into a room and leave the one this session was in."""
        return self._joined(await self.request(m.Enter(room=name)))

    async def create(
        self, name: str, *, kept: bool = False, private: bool = False, open: bool = False, subject: str = ""
    ) -> Room:
        """Make a room and join it."""
        command = m.Create(room=name, kept=kept, private=private, open=open, subject=subject)
        return self._joined(await self.request(command))

    def _joined(self, reply: m.RoomReply) -> Room:
        room = self.rooms.get(reply.room.name)
        if room is None:
            raise NoAnswer(f"{reply.room.name} was joined, and left again meanwhile.")
        return room

    async def leave(self, name: str) -> None:
        """Stop being a member of a room."""
        await self.request(m.Leave(room=name))

    def post(
        self, log: str | Room, text: str, *, reply_to: int | None = None, nonce: bytes | None = None, hops: int = 0
    ) -> Pending:
        """Say something in a room (or to `@login`, privately) without waiting, offline too. Raises `TooMany`.

        `reply_to` is the `seq` of the message that this one answers, in the room or in one's own inbox. With a
        `nonce` of its own a program that is started again can say the same once more without saying it twice. `hops`,
        of a program, is one more than in the message that this is due to.
        """
        name = log.name if isinstance(log, Room) else log
        if name.startswith(topics.INBOX):
            to = name.removeprefix(topics.INBOX)
            return self.direct(to, text, reply_to=reply_to, nonce=nonce, hops=hops)
        send = m.Send(room=name, text=text, nonce=self._nonce(nonce), reply_to=reply_to, hops=hops or None)
        return self._line.post(send)

    def direct(
        self, to: str, text: str, *, reply_to: int | None = None, nonce: bytes | None = None, hops: int = 0
    ) -> Pending:
        """Say something to one person, as `post` does."""
        send = m.Direct(to=to, text=text, nonce=self._nonce(nonce), reply_to=reply_to, hops=hops or None)
        return self._line.post(send)

    def edit(self, log: str, seq: int, text: str, *, nonce: bytes | None = None) -> Pending:
        """Say something else in the place of one's message `seq` in a room, or in one's inbox; as `post` does."""
        return self._line.post(m.Edit(log=log, seq=seq, text=text, nonce=self._nonce(nonce)))

    def retract(self, log: str, seq: int, *, nonce: bytes | None = None) -> Pending:
        """Take back the message `seq` of a room, or of one's inbox; as `post` does."""
        return self._line.post(m.Retract(log=log, seq=seq, nonce=self._nonce(nonce)))

    def react(self, log: str, seq: int, emoji: str, on: bool = True, *, nonce: bytes | None = None) -> Pending:
        """Put an emoji to the message `seq` of a room, or of one's inbox, or take it away; as `post` does."""
        return self._line.post(m.React(log=log, seq=seq, emoji=emoji, on=on, nonce=self._nonce(nonce)))

    def _nonce(self, given: bytes | None) -> bytes:
        return self._session.nonce() if given is None else given

    async def mark(self, talk: str, read: int | None = None, notify: m.Notify | None = None) -> None:
        """Note how far a conversation (a room's name, or `@login`) was read, or what of it is to be told.

        For all sessions of the account: each gets `TalkMarked`. Call it once somebody has stopped reading, not for
        every message; `read` is a `seq` of the room, or of one's own inbox.
        """
        await self.request(m.Mark(talk=talk, read=read, notify=notify))

    async def typing(self, talk: str, on: bool = True) -> None:
        """Let a room, or `@login`, see that one is writing; every few seconds, as long as it is so. A notice that
        cannot be given now is given up: nobody misses it."""
        if self.link is LinkState.LIVE:
            with suppress(ChatError):
                await self._line.request(m.Typing(talk=talk, on=on), timeout=limits.TYPING_S, patient=False)

    async def set_status(self, status: m.Status, note: str = "") -> None:
        """Say whether one may be disturbed, with a few words; the rooms are told."""
        await self.request(m.SetStatus(status=status, note=note))

    async def deliver(self, pending: Pending, timeout: float) -> m.Sent:
        """Wait for a post; one that has not gone out by then is taken back. Raises the refusal, or `NoAnswer`."""
        return await self._line.arrival(pending, timeout)

    async def search(
        self,
        query: str,
        *,
        log: str | None = None,
        sender: str | None = None,
        before: int | None = None,
        limit: int = limits.SEARCH_PAGE,
    ) -> m.Found:
        """Find messages by their words in all that one may read, newest first, or only in one log, or of one person.

        `before` is the `seq` of the last hit of the page before.
        """
        return await self.request(m.Search(query=query, log=log, sender=sender, before=before, limit=limit))

    def stream(self, log: str, after: int, kinds: Kinds = ENTRY_KINDS) -> LogStream[Any]:
        """Read a log, of a joined room or of the inbox, from after the entry `after` on, and follow it."""

        async def page(after: int) -> m.Entries:
            while True:
                try:
                    return await self.request(m.History(log=log, after=after))
                except (NoAnswer, Busy, RateLimited, Closing) as error:
                    if self._line.closed or log not in self._readers:
                        raise
                    await asyncio.sleep(pause(error, PAGE_PAUSE_S, os.urandom))

        stream: LogStream[Any] = LogStream(page, after, max(after, self._newest.get(log, after)), kinds)
        self._readers.setdefault(log, weakref.WeakSet()).add(stream)
        return stream

    # What follows from updates.

    def _apply(self, update: Update) -> None:
        if isinstance(update, Arrived):
            self._newest[update.log] = update.entry.seq
            for reader in list(self._readers.get(update.log, ())):
                reader.feed(update.entry, update.replayed)
        elif isinstance(update, LinkChanged):
            self.link_since = time.monotonic()
        elif isinstance(update, RoomJoined):
            self._newest[update.view.name] = update.view.head
            self.rooms[update.view.name] = Room(self, update.view)
        elif isinstance(update, RoomLeft):
            self._forget(update.name, update.reason, None)
        elif isinstance(update, StateChanged) and update.state is not None:
            self._refresh(update.state)
        elif isinstance(update, SessionEnded):
            self.ended = update.reason
            self._end(None if self._closing else SessionOver(), update.reason)

    def _refresh(self, state: m.SessionState) -> None:
        for view in state.rooms:
            if view.name in self.rooms:
                self.rooms[view.name].view = view
        log = topics.inbox(state.login)
        if self._inbox is None:
            self._newest[log] = state.inbox
            self._inbox = Inbox(self, log, state.inbox)

    def _forget(self, log: str, reason: str, failure: Exception | None) -> None:
        room = self.rooms.pop(log, None)
        if room is not None:
            room.left = reason
        self._newest.pop(log, None)
        for reader in self._readers.pop(log, ()):
            reader.close(failure)

    def _end(self, failure: Exception | None, reason: str) -> None:
        for log in {*self._readers, *self.rooms}:
            self._forget(log, reason, failure)
        self._inbox = None
