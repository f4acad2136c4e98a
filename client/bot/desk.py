"""What all handlers of a bot share while it runs: the connection, the clock, and whatever goes through either.

Must not know which handler asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from client.bot import delivery
from client.bot.clock import Clock
from client.bot.delivery import Cause
from client.bot.pacing import Pacing, parts
from client.bot.ports import Chat
from client.bot.questions import Questions
from client.bot.store import Store
from client.bot.things import Message, Room, User
from client.bot.threads import Threads
from common import messages as m
from common import names, topics
from common.errors import BadName, NoSuchUser, NotLoggedIn, NotMember


@dataclass
class Desk:
    """One bot's connection, and what goes through it."""

    chat: Chat
    clock: Clock
    login: str
    pacing: Pacing = field(default_factory=Pacing)
    threads: Threads = field(default_factory=Threads)

    def __post_init__(self) -> None:
        self.questions = Questions(self.clock)
        self.store = Store(self.chat.request)
        self.inbox = topics.inbox(self.login)
        self._under_way: dict[bytes, asyncio.Event] = {}
        """Posts whose nonce was given, each with what tells that it is answered."""

    def is_me(self, login: str) -> bool:
        """Whether that is the bot itself."""
        return login == self.login or names.key(login) == names.key(self.login)

    def room(self, name: str, cause: Cause | None) -> Room:
        """A room; what is said by it is due to `cause`. Raises `NotMember`."""
        known = self.chat.room(name)
        if known is None:
            raise NotMember(f"The bot is not in {name}.")
        return self.room_of(known.view, cause)

    def room_of(self, view: m.RoomView, cause: Cause | None) -> Room:
        """The room of that view."""

        async def say(log: str, text: str) -> Message:
            return await self.say(log, text, cause)

        return Room(view, self.chat.request, say)

    async def say(
        self, log: str, text: str, cause: Cause | None, reply_to: int | None = None, once: str = ""
    ) -> Message:
        """Say something in a room, or to `@login`; returns the last message that it took. Raises the refusal.

        `once` names what is said once in that place, however often it is tried.
        """
        hops = cause.next_hops if cause else 0
        said = parts(text)
        # All at once, so that the order of calls decides.
        nonces: list[bytes | None]
        if once:
            place = self._place(log)
            nonces = [delivery.once(self.login, place, once, at) for at in range(len(said))]
        else:
            nonces = [cause.nonce() if cause else None for _ in said]
        for part, nonce in zip(said, nonces, strict=True):
            sent = await self._post(partial(self.chat.post, log, part, reply_to=reply_to, hops=hops), nonce)
        private = log.startswith(topics.INBOX)
        room = None if private else self.room(log, cause)
        author = User(self.login, True) if room is None else room.user(self.login, True)
        return Message(
            sent.seq, sent.time, part, author, room, self.inbox if private else log, reply_to or 0, hops or 1
        )

    async def change(self, cause: Cause | None, send: Callable[[bytes | None], Awaitable[m.Sent]]) -> m.Sent:
        """Post what `send` makes of a nonce; the nonce is taken at once, so that the order of calls decides."""
        return await self._post(lambda *, nonce: send(nonce), cause.nonce() if cause else None)

    async def _post(self, send: Callable[..., Awaitable[m.Sent]], nonce: bytes | None) -> m.Sent:
        """Post under a nonce; if one like it is under way, after that, so that the link never has two of them."""

        async def post() -> m.Sent:
            return await send(nonce=nonce)

        if nonce is None:
            return await self.pacing.post(post)
        while (before := self._under_way.get(nonce)) is not None:
            await before.wait()
        answered = self._under_way[nonce] = asyncio.Event()
        try:
            return await self.pacing.post(post)
        finally:
            del self._under_way[nonce]
            answered.set()

    def _place(self, log: str) -> str:
        """What a log is for ever: a room's number, for its name may be another room's later; or the person."""
        known = self.chat.room(log)
        return names.key(log) if known is None else str(known.view.id)

    async def find_user(self, login: str) -> User | None:
        """Somebody who has an account; None if there is none."""
        try:
            found = await self.chat.request(m.Profile(login=names.parse(login)))
        except (NoSuchUser, BadName):
            return None
        return User(found.login, found.bot)

    def find_room(self, name: str) -> Room | None:
        """A room that the bot is in; None if it is in none of that name."""
        known = self.chat.room(name)
        return None if known is None else self.room_of(known.view, None)


def login_of(chat: Chat) -> str:
    """Who is logged in. Raises `NotLoggedIn`."""
    if chat.login is None:
        raise NotLoggedIn("The bot is not logged in: give it a key file (TERTULIA_BOT_KEY), or a login and a password.")
    return chat.login
