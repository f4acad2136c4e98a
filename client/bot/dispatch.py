"""Which handlers an entry of a log, or something else that has happened, is for.

A command is looked for first, then an open question, then every listener that fits; listeners hear commands, too. All
that an entry is for run side by side; the next one of that conversation begins when they have ended, or wait for
somebody's answer. Must not know how entries arrive, nor how a handler runs. Its length is that of the order in which
all is decided.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from client.bot import calls, manual, sentences
from client.bot.context import Context
from client.bot.cooldowns import Uses, overridden
from client.bot.delivery import Cause
from client.bot.desk import Desk
from client.bot.listeners import Command, EventListener, Listener, Timer
from client.bot.runs import Run, Runs
from client.bot.things import LIFE, Event, EventKind, Message, Room, User, message_of
from client.bot.turns import Turn
from common import messages as m
from common import names

if TYPE_CHECKING:
    from client.bot.bot import Bot

HELP: Final = "help"
"""The command that every bot has unless it is told not to, or has one of that name."""


@dataclass
class Heard:
    """A message, and what it takes to handle it."""

    message: Message
    log: int
    replayed: bool
    view: m.RoomView | None
    entry: m.Message | m.DirectMessage


class Dispatch:
    """The handlers of a bot at work."""

    def __init__(self, bot: Bot, desk: Desk, runs: Runs) -> None:
        self._bot = bot
        self._desk = desk
        self._runs = runs
        self._listeners = bot.listeners
        self._uses: dict[str, Uses] = {}
        for command in self._listeners.commands:
            cooldown = overridden(command.title, command.cooldown, os.environ)
            if cooldown is not None:
                self._uses[command.title] = Uses(cooldown)

    # Messages.

    async def message(
        self,
        place: str,
        view: m.RoomView | None,
        entry: m.Message | m.DirectMessage,
        replayed: bool,
        settled: Callable[[], None],
    ) -> None:
        """Handle a message of a log; returns when the next one may begin. `settled` is called once all is done."""
        room = None if view is None else self._desk.room_of(view, None)
        heard = Heard(message_of(entry, room, place), view.id if view else 0, replayed, view, entry)
        runs = [] if self._unheard(entry) else self._begin(heard)
        if isinstance(runs, Turn):
            settled()
            await runs.free.wait()
            return
        await self._runs.settle(runs, settled)

    def _unheard(self, entry: m.Message | m.DirectMessage) -> bool:
        return entry.retracted or self._desk.is_me(entry.sender)

    def _begin(self, heard: Heard) -> list[Run] | Turn:
        """Start what the message is for; or the turn of whoever has asked for it."""
        message, room = heard.message, heard.message.room
        where = room.name if room else None
        heeded = self._bot.bots or not message.hops
        call = calls.parse(message, self._bot.prefix, self._desk.login) if heeded else None
        command = self._listeners.command(call.word, where) if call else None
        if call is not None and command is None and self._bot.help and names.key(call.word) == HELP:
            return [self._help(heard, call, where)]
        if heeded and (command is None or (call is not None and not call.prefixed)):
            asking = self._desk.questions.take((message.log, names.key(message.author.login)), message)
            if asking is not None:
                return asking
        runs = []
        if call is not None and command is not None:
            runs.append(self._command(heard, command, call.line))
        for listener in self._listeners.messages:
            programs = self._bot.bots if listener.bots is None else listener.bots
            if message.hops and not programs:
                continue
            found = listener.hears(message, self._desk.login)
            if found:
                groups = {} if found is True else found.groupdict()
                runs.append(self._listener(heard, listener, groups))
        if call is not None and command is None and not (runs and not call.prefixed):
            runs += self._unknown(heard, call, where)
        return runs

    def _context(self, heard: Heard, handler: str, turn: Turn) -> Context:
        entry = heard.entry
        cause = Cause(self._desk.login, heard.log, entry.seq, entry.time, handler, entry.hops)
        room = None if heard.view is None else self._desk.room_of(heard.view, cause)
        message = dataclasses.replace(heard.message, room=room)
        return Context(
            self._bot,
            self._desk,
            turn,
            cause=cause,
            room=room,
            author=message.author,
            message=message,
            replayed=heard.replayed,
        )

    def _command(self, heard: Heard, command: Command, line: str) -> Run:
        turn = Turn()
        ctx = self._context(heard, command.name, turn)
        refusal = self._refused(heard, command)

        async def work() -> None:
            if refusal is not None:
                if refusal:
                    await ctx.reply(refusal)
                return
            args, named = await command.signature.read(line, self._desk)
            await self._runs.call(command, ctx, *args, **named)

        return self._runs.start(command, ctx, turn, work, shown=refusal is None)

    def _refused(self, heard: Heard, command: Command) -> str | None:
        """Why somebody may not use a command now, empty if they know; None, and the use counted, if they may."""
        author, name = heard.message.author, self._bot.prefix + command.title
        if not command.allows(author):
            return sentences.only_for(name, command.require, heard.message.direct)
        uses = self._uses.get(command.title)
        if uses is None:
            return None
        at = heard.message.time if heard.replayed else self._desk.clock.now()
        user = names.key(author.login)
        wait = uses.take(user, user if heard.message.direct else heard.message.log, at)
        if wait is None:
            return None
        return sentences.wait(name, wait) if wait else ""

    def _listener(self, heard: Heard, listener: Listener, groups: dict[str, str | None]) -> Run:
        turn = Turn()
        ctx = self._context(heard, listener.name, turn)

        async def work() -> None:
            named = await listener.signature.read_named(groups, self._desk)
            await self._runs.call(listener, ctx, **named)

        return self._runs.start(listener, ctx, turn, work, shown=listener.mention or bool(listener.direct))

    def _help(self, heard: Heard, call: calls.Call, where: str | None) -> Run:
        prefix, stranger = self._bot.prefix, False
        commands = [command for command in self._listeners.commands if command.is_for(where)]
        word = call.line.strip().removeprefix(prefix)
        command = self._listeners.command(word, where) if word else None
        if command is not None:
            uses = self._uses.get(command.title)
            said = manual.page(command, prefix, str(uses.cooldown) if uses else "")
        elif word:
            stranger = not call.meant
            said = sentences.unknown(word, manual.near(word, self._listeners.names_for(where)), prefix, True)
        else:
            said = manual.overview(commands, prefix)
        turn = Turn()
        ctx = self._context(heard, HELP, turn)

        async def work() -> None:
            if not stranger or await self._alone(ctx.room):
                await ctx.reply(said)

        return self._runs.start(None, ctx, turn, work)

    def _unknown(self, heard: Heard, call: calls.Call, where: str | None) -> list[Run]:
        """Say of a command that there is none, if it was said to this bot, or is near one of its own."""
        suggestion = manual.near(call.word, self._listeners.names_for(where))
        if suggestion is None and not (call.meant and self._listeners.commands):
            return []
        said = sentences.unknown(call.word, suggestion, self._bot.prefix, self._bot.help)
        turn = Turn()
        ctx = self._context(heard, "unknown", turn)

        async def work() -> None:
            if call.meant or await self._alone(ctx.room):
                await ctx.reply(said)

        return [self._runs.start(None, ctx, turn, work)]

    async def _alone(self, room: Room | None) -> bool:
        """Whether no other program is there whose command it may have been."""
        members = [] if room is None else await room.members()
        return not any(member.bot and not self._desk.is_me(member.login) for member in members)

    # Events and timers.

    async def event(
        self,
        event: Event,
        listeners: list[EventListener],
        view: m.RoomView | None,
        replayed: bool = False,
        settled: Callable[[], None] = lambda: None,
    ) -> None:
        """Handle something else that has happened, by those that hear it; as `message`."""
        runs = [self._event(listener, event, view, replayed) for listener in listeners]
        await self._runs.settle(runs, settled)

    def life(self, kind: EventKind) -> None:
        """Tell the handlers that the bot is ready, or about to stop."""
        event = Event(kind, self._desk.clock.now(), User(self._desk.login, True), None)
        for listener in self._listeners.events:
            if listener.hears(event):
                self._event(listener, event, None, False)

    def _event(self, listener: EventListener, event: Event, view: m.RoomView | None, replayed: bool) -> Run:
        turn = Turn()
        cause = None
        if event.seq:
            cause = Cause(self._desk.login, view.id if view else 0, event.seq, event.time, listener.name)
        room = None if view is None else self._desk.room_of(view, cause)
        author = None if event.kind in LIFE else event.user
        ctx = Context(
            self._bot, self._desk, turn, cause=cause, room=room, author=author, event=event, replayed=replayed
        )
        given = dataclasses.replace(event, room=room)
        return self._runs.start(listener, ctx, turn, lambda: self._runs.call(listener, ctx, given))

    def timer(self, timer: Timer, room: Room | None) -> Run:
        """Run what is due."""
        turn = Turn()
        ctx = Context(self._bot, self._desk, turn, room=room)
        return self._runs.start(timer, ctx, turn, lambda: self._runs.call(timer, ctx))
