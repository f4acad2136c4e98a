"""`Context`: what a handler is given, and how it acts on what it was called for.

Must not know how handlers are found, or run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from client.bot.delivery import Cause
from client.bot.desk import Desk
from client.bot.errors import BadHandler
from client.bot.store import Store
from client.bot.things import Event, Message, Room, User, inbox_of
from client.bot.turns import Turn
from common import limits, names, topics
from common.errors import ChatError

if TYPE_CHECKING:
    from client.bot.bot import Bot

ASK_S: Final = 60.0
"""Seconds that `ask` waits for an answer unless told otherwise."""
TYPING_AGAIN_MS: Final = round(limits.TYPING_S * 1000 * 2 / 3)
"""Milliseconds after which the notice is given again, before it is forgotten."""


class Context:
    """What a handler was called for, and what it can do about it."""

    waits = True
    """Whether a thread is given a stand-in whose methods block."""

    def __init__(
        self,
        bot: Bot,
        desk: Desk,
        turn: Turn,
        *,
        cause: Cause | None = None,
        room: Room | None = None,
        author: User | None = None,
        message: Message | None = None,
        event: Event | None = None,
        replayed: bool = False,
    ) -> None:
        self.bot = bot
        """The bot."""
        self.room = room
        """The room; None in private, and in a timer without rooms."""
        self._author = author
        self._message = message
        self._event = event
        self.replayed = replayed
        """Whether it was said while the bot was away: before it started, or while the connection was cut."""
        self._desk = desk
        self._turn = turn
        self._cause = cause

    @property
    def author(self) -> User:
        """Who said it, or did it. Raises `BadHandler` in a timer, `ready` and `stopping`, which nobody called."""
        if self._author is None:
            raise BadHandler("Nobody has called this: there is no ctx.author; say where: ctx.send(text, room='…').")
        return self._author

    @property
    def message(self) -> Message:
        """The message. Raises `BadHandler` in a timer and in most events, which have none."""
        if self._message is None:
            raise BadHandler("There is no ctx.message here; of an event, look at event.target.")
        return self._message

    @property
    def now(self) -> int:
        """Milliseconds UTC by the broker's clock."""
        return self._desk.clock.now()

    @property
    def store(self) -> Store:
        """What the bot keeps on the broker."""
        return self._desk.store

    @property
    def talk(self) -> str:
        """Where it was said: the room, or `@login` of whoever said it in private."""
        return self.room.name if self.room is not None else topics.inbox(self.author.login)

    @property
    def _log(self) -> str:
        return self.room.name if self.room is not None else self._desk.inbox

    async def reply(self, text: str, *, once: str = "") -> Message:
        """Answer where it was said, as an answer to that message; `once` as in `send`. Raises what the broker refuses.

        A text that is too long becomes several messages; the last one is returned.
        """
        target = None if self._message is None else self._message.seq
        return await self._desk.say(self.talk, text, self._cause, target, once)

    async def send(self, text: str, room: Room | str | None = None, *, once: str = "") -> Message:
        """Say something there, or in another room that the bot is in, or in `@login`'s inbox.

        What has a name in `once` is said once in that place, however often it is tried and whatever ends the bot in
        between; then the message of the first time is returned, with its `seq` and `time`.
        """
        log = self.talk if room is None else room.name if isinstance(room, Room) else room
        return await self._desk.say(log, text, self._cause, once=once)

    async def direct(self, text: str, to: User | str | None = None, *, once: str = "") -> Message:
        """Say something to one person, privately: to whoever it is about unless `to` says to whom; `once` as in
        `send`."""
        return await self._desk.say(inbox_of(self.author if to is None else to), text, self._cause, once=once)

    async def react(self, emoji: str, message: Message | int | None = None, on: bool = True) -> None:
        """Put an emoji to the message, or take it away; to another one if it is given, or its `seq` here."""
        log, seq = self._place(message)
        await self._desk.change(self._cause, lambda nonce: self._desk.chat.react(log, seq, emoji, on, nonce=nonce))

    async def edit(self, message: Message | int, text: str) -> None:
        """Say something else in the place of a message of the bot's own, as `reply` and `send` return them."""
        log, seq = self._place(message)
        await self._desk.change(self._cause, lambda nonce: self._desk.chat.edit(log, seq, text, nonce=nonce))

    async def retract(self, message: Message | int | None = None) -> None:
        """Take a message back: the bot's own, or in a room that it made or moderates anybody's; without one, the one
        that the handler was called for."""
        log, seq = self._place(message)
        await self._desk.change(self._cause, lambda nonce: self._desk.chat.retract(log, seq, nonce=nonce))

    def _place(self, message: Message | int | None) -> tuple[str, int]:
        if isinstance(message, int):
            return self._log, message
        if message is None and self._message is None and self._event is not None and self._event.target:
            return self._log, self._event.target
        which = message or self.message
        return which.log, which.seq

    def typing(self) -> Typing:
        """`async with ctx.typing():` lets people see that the bot writes, as long as it lasts; `await ctx.typing()`
        does so for some seconds."""
        return Typing(self._desk, self.talk)

    async def ask(self, question: str, timeout: float = ASK_S) -> Message:
        """Put a question, and return the next message of the same person in the same place.

        No listener hears that message. Commands are still commands, and the question stays open. Raises `Unanswered`,
        a `TimeoutError`, after `timeout` seconds: if the handler lets it pass, the person is told. A person has one
        question open in a place; a newer one ends it.
        """
        asked = await self.reply(question)
        whom = (self._log, names.key(self.author.login))
        return await self._desk.questions.wait(whom, asked.seq, timeout, self._turn)

    def aside(self) -> Aside:
        """`async with ctx.aside():` lets the next messages of the room be handled while this handler does what takes
        long. Without, they wait for it."""
        return Aside(self._turn, self.typing())


class Aside:
    """The room goes on meanwhile, and sees that the bot is at work."""

    waits = True

    def __init__(self, turn: Turn, typing: Typing) -> None:
        self._turn = turn
        self._typing = typing

    async def __aenter__(self) -> None:
        self._turn.give()
        self._typing.begin()

    async def __aexit__(self, *error: object) -> None:
        self._turn.take()
        await self._typing.end()


class Typing:
    """The notice that the bot writes."""

    waits = True

    def __init__(self, desk: Desk, talk: str, turn: Turn | None = None) -> None:
        """Nothing is shown while `turn` rests: somebody is asked."""
        self._desk = desk
        self._talk = talk
        self._turn = turn
        self._shown = False
        self._task: asyncio.Task[None] | None = None

    def __await__(self) -> Generator[None, None, None]:
        return self._tell(True).__await__()

    async def __aenter__(self) -> None:
        self.begin()

    async def __aexit__(self, *error: object) -> None:
        await self.end()

    def begin(self, after_ms: int = 0) -> None:
        """Show it, from `after_ms` milliseconds on."""
        self._shown = False
        self._task = asyncio.create_task(self._keep(after_ms))

    async def _keep(self, after_ms: int) -> None:
        due = self._desk.clock.now() + after_ms
        while True:
            await self._desk.clock.sleep_until(due)
            if self._turn is None or not self._turn.resting.is_set():
                self._shown = True
                await self._tell(True)
            due += TYPING_AGAIN_MS

    async def end(self) -> None:
        """Take it away, if it was shown."""
        self.drop()
        if self._shown:
            await self._tell(False)

    def drop(self) -> None:
        """Give no further notice; the last one is forgotten by itself."""
        if self._task is not None:
            self._task.cancel()

    async def _tell(self, on: bool) -> None:
        with suppress(ChatError):
            await self._desk.chat.typing(self._talk, on)
