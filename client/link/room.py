"""A room that this account is in, and a post on its way: what a program holds in its hands.

Must not know sockets or the session; everything goes through the client that made it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from typing import Protocol, cast, get_args

from client.link import requests
from client.link.requests import Request
from client.link.streams import ENTRY_KINDS, Kinds, LogStream
from common import limits
from common import messages as m
from common.errors import ChatError

RoomEntry = m.Message | m.Edited | m.Retracted | m.Reacted
ROOM_ENTRIES: tuple[type[RoomEntry], ...] = get_args(RoomEntry)
INBOX_ENTRIES = (m.DirectMessage, m.Invited)
SEND_S = 30.0
"""Seconds that `Room.send` waits for the broker, offline included."""


class Pending:
    """A post on its way: `nonce` tells it among messages, awaiting it gives `Sent` or raises the refusal."""

    def __init__(self, nonce: bytes, text: str) -> None:
        self.nonce = nonce
        self.text = text
        self._done: asyncio.Future[m.Sent] = asyncio.get_running_loop().create_future()

    @property
    def outcome(self) -> m.Sent | ChatError | None:
        """What became of it; None as long as that is open."""
        if not self._done.done():
            return None
        return cast("ChatError | None", self._done.exception()) or self._done.result()

    def settle(self, outcome: m.Sent | ChatError) -> None:
        """For the client: this is what became of it."""
        if self._done.done():
            return
        if isinstance(outcome, ChatError):
            self._done.set_exception(outcome)
            self._done.exception()  # Whoever does not await a post has chosen not to know.
        else:
            self._done.set_result(outcome)

    def __await__(self) -> Generator[None, None, m.Sent]:
        return asyncio.shield(self._done).__await__()


class Host(Protocol):
    """What a room needs of its client."""

    @property
    def request(self) -> Request:
        """Make a request."""

    def post(self, log: str, text: str, *, reply_to: int | None = None) -> Pending:
        """Put a message on its way."""

    def edit(self, log: str, seq: int, text: str) -> Pending:
        """Say something else in the place of a message."""

    def retract(self, log: str, seq: int) -> Pending:
        """Take a message back."""

    def react(self, log: str, seq: int, emoji: str, on: bool = True) -> Pending:
        """Put an emoji to a message, or take it away."""

    async def search(
        self, query: str, *, log: str | None = None, sender: str | None = None, before: int | None = None, limit: int
    ) -> m.Found:
        """Find messages by their words."""

    async def deliver(self, pending: Pending, timeout: float) -> m.Sent:
        """Wait for a post; take it back if that takes too long."""

    async def leave(self, name: str) -> None:
        """Leave a room."""

    def stream(self, log: str, after: int, kinds: Kinds = ENTRY_KINDS) -> LogStream[m.AnyEntry]:
        """Follow a log from a place on."""


class Changing:
    """What is done to the messages of a log, by their `seq`, once the broker has it on disk.

    Each waits and raises as `Room.send` does.
    """

    def __init__(self, host: Host, log: str) -> None:
        self._host = host
        self._log = log

    async def edit(self, seq: int, text: str, *, timeout: float = SEND_S) -> m.Sent:
        """Say something else in the place of a message of one's own."""
        return await self._host.deliver(self._host.edit(self._log, seq, text), timeout)

    async def retract(self, seq: int, *, timeout: float = SEND_S) -> m.Sent:
        """Take a message back: one's own, or anybody's in a room in which one keeps order."""
        return await self._host.deliver(self._host.retract(self._log, seq), timeout)

    async def react(self, seq: int, emoji: str, on: bool = True, *, timeout: float = SEND_S) -> m.Sent:
        """Put an emoji to a message, or take it away."""
        return await self._host.deliver(self._host.react(self._log, seq, emoji, on), timeout)

    async def search(
        self,
        query: str,
        *,
        sender: str | None = None,
        before: int | None = None,
        limit: int = limits.SEARCH_PAGE,
    ) -> m.Found:
        """Find messages here by their words, newest first; those before the message `before`."""
        return await self._host.search(query, log=self._log, sender=sender, before=before, limit=limit)


class Room(Changing):
    """A room that this account is in, as long as it is.

    `async for message in room` gives every message from joining on: gap-free, in order, once, each to one reader.
    It ends when the room is left or deleted. `messages` makes a reader of its own, `entries` one that gets what changes
    messages, too.
    """

    def __init__(self, host: Host, view: m.RoomView) -> None:
        super().__init__(host, view.name)
        self.view = view
        """The room as the broker described it last; `online`, `subject` and `moderators` follow its events."""
        self.start = view.head
        """The `seq` after which messages arrive; what is older is in the history."""
        self.left: str | None = None
        """Why the room is no longer ours, once that is so."""
        self._messages = host.stream(view.name, view.head, (m.Message,))

    def __repr__(self) -> str:
        return f"<Room {self.name!r}{f', {self.left}' if self.left else ''}>"

    @property
    def name(self) -> str:
        """The name as its creator wrote it; also the name of the room's log."""
        return self.view.name

    @property
    def subject(self) -> str:
        """The topic line."""
        return self.view.subject

    @property
    def moderators(self) -> list[str]:
        """Who keeps order here besides whoever made the room, by login."""
        return list(self.view.moderators)

    async def moderate(self, login: str, on: bool = True) -> None:
        """Have somebody keep order in a room that one has made, or no longer. Raises the refusal."""
        await self._host.request(m.Moderate(room=self.name, login=login, on=on))

    async def remove(self, login: str) -> None:
        """Put somebody out of a room in which one keeps order. Raises the refusal."""
        await self._host.request(m.Remove(room=self.name, login=login))

    async def send(self, text: str, *, reply_to: int | None = None, timeout: float = SEND_S) -> m.Sent:
        """Say something, perhaps in answer to the message `reply_to`; returns once the broker has it on disk.

        Cuts, restarts and `busy` are waited out, and the message appears once all the same. Raises the refusal,
        or `NoAnswer` after `timeout` seconds; its sentence says whether the message may still have gone out.
        """
        return await self._host.deliver(self.post(text, reply_to=reply_to), timeout)

    def post(self, text: str, *, reply_to: int | None = None) -> Pending:
        """Say something without waiting, offline too. Raises `TooMany` if too many posts wait already."""
        return self._host.post(self.name, text, reply_to=reply_to)

    def __aiter__(self) -> AsyncIterator[m.Message]:
        return cast("LogStream[m.Message]", self._messages)

    def messages(self, after: int | None = None) -> LogStream[m.Message]:
        """A further reader of this room, from after the message `after` on (from joining on, without it)."""
        stream = self._host.stream(self.name, self.start if after is None else after, (m.Message,))
        return cast("LogStream[m.Message]", stream)

    def entries(self, after: int | None = None) -> LogStream[RoomEntry]:
        """As `messages`, and with the edits, retractions and reactions where they stand in the log."""
        stream = self._host.stream(self.name, self.start if after is None else after)
        return cast("LogStream[RoomEntry]", stream)

    async def history(
        self, before: int | None = None, after: int | None = None, limit: int = limits.HISTORY_PAGE
    ) -> list[m.Message]:
        """Up to `limit` messages with `after` < seq < `before`, oldest first: the newest, or from `after` on."""
        return await requests.history(self._host.request, self.name, before, after, limit, (m.Message,))

    async def whole_history(
        self, before: int | None = None, after: int | None = None, limit: int = limits.HISTORY_PAGE
    ) -> list[RoomEntry]:
        """As `history`, and with the edits, retractions and reactions where they stand in the log."""
        return await requests.history(self._host.request, self.name, before, after, limit, ROOM_ENTRIES)

    async def members(self) -> list[m.MemberView]:
        """Everybody who is a member, by login."""
        found: list[m.MemberView] = []
        while True:
            after = found[-1].login if found else ""
            page = await self._host.request(m.Members(room=self.name, after=after))
            found += page.members
            if not page.more or not page.members:
                return found

    async def leave(self) -> None:
        """Stop being a member."""
        await self._host.leave(self.name)


class Inbox(Changing):
    """Private messages to and from this account, and invitations; read like a room, from the login on."""

    def __init__(self, host: Host, log: str, head: int) -> None:
        super().__init__(host, log)
        self.log = log
        """`@login`, the name of the log."""
        self.start = head
        """The `seq` after which entries arrive; what is older is in the history."""
        self._entries = host.stream(log, head, INBOX_ENTRIES)

    def __aiter__(self) -> AsyncIterator[m.DirectMessage | m.Invited]:
        return cast("LogStream[m.DirectMessage | m.Invited]", self._entries)

    def entries(self, after: int | None = None) -> LogStream[m.DirectMessage | m.Invited]:
        """A further reader, from after the entry `after` on (from the login on, without it)."""
        stream = self._host.stream(self.log, self.start if after is None else after, INBOX_ENTRIES)
        return cast("LogStream[m.DirectMessage | m.Invited]", stream)

    async def history(
        self, before: int | None = None, after: int | None = None, limit: int = limits.HISTORY_PAGE
    ) -> list[m.DirectMessage | m.Invited]:
        """Up to `limit` entries with `after` < seq < `before`, oldest first: the newest, or from `after` on."""
        return await requests.history(self._host.request, self.log, before, after, limit, INBOX_ENTRIES)
