"""Which handlers an entry of a log is for, and running each so that a failing one harms nothing else.

A command is looked for first, then an open question, then every listener that fits; listeners hear commands, too. All
that an entry is for run side by side; the next one of that conversation begins when they have ended, or wait for
somebody's answer. Must not know how entries arrive. The length is that of the order in which all is decided, in one
module so that it can be read in one go.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from client.bot import calls, manual
from client.bot.context import Context, Typing
from client.bot.cooldowns import Cooldown, Uses, overridden
from client.bot.delivery import Cause
from client.bot.desk import Desk
from client.bot.errors import BadArguments, Unanswered
from client.bot.listeners import Command, EventListener, Handler, Listener, Timer
from client.bot.spans import spoken
from client.bot.things import Event, Message, Room, message_of
from client.language import _, sentence
from client.link.failures import SessionOver
from common import messages as m
from common import names
from common.errors import ChatError, Loop, NoSuchLog, NoSuchRoom, NotLoggedIn, NotMember

if TYPE_CHECKING:
    from client.bot.bot import Bot

WORKING_MS: Final = 1_000
"""Milliseconds after which people see that a command is still at work."""
HELP: Final = "help"
"""The command that every bot has unless it is told not to, or has one of that name."""
SILENT: Final = (Loop, NoSuchLog, NoSuchRoom, NotLoggedIn, NotMember, SessionOver)
"""Failures that nobody can, or should, be told of: the room is gone, or programs answer one another."""

log = logging.getLogger("tertulia.bot")


@dataclass(eq=False)
class Run:
    """A handler at work."""

    task: asyncio.Task[None]
    idle: asyncio.Event
    """Set when it has ended, and as long as it waits for somebody's answer."""


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

    def __init__(self, bot: Bot, desk: Desk) -> None:
        self._bot = bot
        self._desk = desk
        self._listeners = bot.listeners
        self._runs: set[Run] = set()
        self._uses: dict[str, Uses] = {}
        for command in self._listeners.commands:
            cooldown = Cooldown.parse(overridden(command.title, command.cooldown, os.environ))
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
        if isinstance(runs, asyncio.Event):
            settled()
            await runs.wait()
            return
        await self._wait(runs, settled)

    def _unheard(self, entry: m.Message | m.DirectMessage) -> bool:
        return entry.retracted or self._desk.is_me(entry.sender)

    def _begin(self, heard: Heard) -> list[Run] | asyncio.Event:
        """Start what the message is for; or the event that tells that the question it answers was dealt with."""
        message, room = heard.message, heard.message.room
        where = room.name if room else None
        heeded = self._bot.bots or not message.hops
        call = calls.parse(message, self._bot.prefix, self._desk.login) if heeded else None
        command = self._listeners.command(call.word, where) if call else None
        if call is not None and command is None and self._bot.help and names.key(call.word) == HELP:
            return [self._help(heard, call.line, where)]
        if heeded and (command is None or (call is not None and not call.prefixed)):
            idle = self._desk.questions.take((message.log, names.key(message.author.login)), message)
            if idle is not None:
                return idle
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

    def _context(self, heard: Heard, handler: str, idle: asyncio.Event) -> Context:
        entry = heard.entry
        cause = Cause(self._desk.login, heard.log, entry.seq, entry.time, handler, entry.hops)
        room = None if heard.view is None else self._desk.room_of(heard.view, cause)
        message = dataclasses.replace(heard.message, room=room)
        return Context(
            self._bot,
            self._desk,
            idle,
            cause=cause,
            room=room,
            author=message.author,
            message=message,
            replayed=heard.replayed,
        )

    def _command(self, heard: Heard, command: Command, line: str) -> Run:
        idle = asyncio.Event()
        ctx = self._context(heard, command.name, idle)
        refusal = self._refused(heard, command)

        async def work() -> None:
            if refusal is not None:
                if refusal:
                    await ctx.reply(refusal)
                return
            args, named = await command.signature.read(line, self._desk)
            await self._call(command, ctx, *args, **named)

        return self._start(command, ctx, idle, work, shown=refusal is None)

    def _refused(self, heard: Heard, command: Command) -> str | None:
        """Why somebody may not use a command now, empty if they know; None, and the use counted, if they may."""
        author = heard.message.author
        if not command.allows(author):
            if heard.message.direct:
                return _("{command} is for those who moderate a room: say it there.").format(
                    command=self._bot.prefix + command.title
                )
            return _("{command} is only for: {role}").format(
                command=self._bot.prefix + command.title, role=_(command.require)
            )
        uses = self._uses.get(command.title)
        if uses is None:
            return None
        at = heard.message.time if heard.replayed else self._desk.clock.now()
        wait = uses.take(names.key(author.login), heard.message.log, at)
        if wait is None:
            return None
        said = _("Wait {time} before the next {command}.")
        return said.format(time=spoken(wait), command=self._bot.prefix + command.title) if wait else ""

    def _listener(self, heard: Heard, listener: Listener, groups: dict[str, str | None]) -> Run:
        idle = asyncio.Event()
        ctx = self._context(heard, listener.name, idle)

        async def work() -> None:
            named = await listener.signature.read_named(groups, self._desk)
            await self._call(listener, ctx, **named)

        return self._start(listener, ctx, idle, work, shown=listener.mention or bool(listener.direct))

    def _help(self, heard: Heard, line: str, where: str | None) -> Run:
        prefix = self._bot.prefix
        commands = [command for command in self._listeners.commands if command.is_for(where)]
        word = line.strip().removeprefix(prefix)
        command = self._listeners.command(word, where) if word else None
        if command is not None:
            uses = self._uses.get(command.title)
            said = manual.page(command, prefix, str(uses.cooldown) if uses else "")
        elif word:
            said = manual.unknown(word, manual.near(word, self._listeners.names_for(where)), prefix, True)
        else:
            said = manual.overview(commands, prefix)
        idle = asyncio.Event()
        ctx = self._context(heard, HELP, idle)

        async def work() -> None:
            await ctx.reply(said)

        return self._start(None, ctx, idle, work)

    def _unknown(self, heard: Heard, call: calls.Call, where: str | None) -> list[Run]:
        """Say of a command that there is none, if it was said to this bot, or is near one of its own."""
        suggestion = manual.near(call.word, self._listeners.names_for(where))
        if suggestion is None and not (call.meant and self._listeners.commands):
            return []
        said = manual.unknown(call.word, suggestion, self._bot.prefix, self._bot.help)
        idle = asyncio.Event()
        ctx = self._context(heard, "unknown", idle)

        async def work() -> None:
            await ctx.reply(said)

        return [self._start(None, ctx, idle, work)]

    # Events and timers.

    async def event(
        self, event: Event, view: m.RoomView | None, replayed: bool = False, settled: Callable[[], None] = lambda: None
    ) -> None:
        """Handle something else that has happened; as `message`."""
        runs = []
        for listener in self._listeners.events:
            if listener.hears(event):
                runs.append(self._event(listener, event, view, replayed))
        await self._wait(runs, settled)

    def _event(self, listener: EventListener, event: Event, view: m.RoomView | None, replayed: bool) -> Run:
        idle = asyncio.Event()
        cause = None
        if event.seq:
            cause = Cause(self._desk.login, view.id if view else 0, event.seq, event.time, listener.name)
        room = None if view is None else self._desk.room_of(view, cause)
        ctx = Context(
            self._bot, self._desk, idle, cause=cause, room=room, author=event.user, event=event, replayed=replayed
        )
        given = dataclasses.replace(event, room=room)
        return self._start(listener, ctx, idle, lambda: self._call(listener, ctx, given))

    def timer(self, timer: Timer, room: Room | None) -> Run:
        """Run what is due."""
        idle = asyncio.Event()
        ctx = Context(self._bot, self._desk, idle, room=room)
        return self._start(timer, ctx, idle, lambda: self._call(timer, ctx))

    # Running.

    async def _call(self, handler: Handler, ctx: Context, *args: Any, **named: Any) -> None:
        if handler.plain:
            await self._desk.threads.run(handler.function, ctx, *args, **named)
        else:
            await handler.function(ctx, *args, **named)

    def _start(
        self,
        handler: Handler | None,
        ctx: Context,
        idle: asyncio.Event,
        work: Callable[[], Awaitable[None]],
        shown: bool = False,
    ) -> Run:
        async def run() -> None:
            typing = Typing(self._desk, ctx.talk, idle) if shown else None
            if typing is not None:
                typing.begin(WORKING_MS)
            try:
                await self._guarded(handler, ctx, work)
                if typing is not None:
                    await typing.end()
            finally:
                if typing is not None:
                    typing.drop()
                idle.set()

        made = Run(asyncio.create_task(run()), idle)
        self._runs.add(made)
        made.task.add_done_callback(lambda _: self._runs.discard(made))
        return made

    async def _guarded(self, handler: Handler | None, ctx: Context, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work; whatever it raises is logged and told, and ends here."""
        try:
            await work()
        except Exception as error:
            try:
                await self._failed(handler, ctx, error)
            except Exception as further:
                log.error("What went wrong could not be told: %s", further, exc_info=further)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            log.error("A handler cancelled itself: %s", handler and handler.name, exc_info=error)

    async def _failed(self, handler: Handler | None, ctx: Context, error: Exception) -> None:
        if isinstance(error, BadArguments) and isinstance(handler, Command):
            said = _("{fault} Usage: {usage}").format(fault=error, usage=manual.usage(handler, self._bot.prefix))
            await ctx.reply(said)
        elif isinstance(error, BadArguments) and isinstance(handler, Listener):
            await ctx.reply(str(error))
        elif isinstance(error, Unanswered):
            if not error.quiet:
                await ctx.reply(_("No answer came, so I leave it."))
        elif isinstance(error, SILENT):
            log.info("%s ends: %s", handler and handler.name, error)
        elif self._bot.error_handler is not None:
            function = self._bot.error_handler
            if asyncio.iscoroutinefunction(function):
                await function(ctx, error)
            else:
                await self._desk.threads.run(function, ctx, error)
        else:
            await self._told(handler, ctx, error)

    async def _told(self, handler: Handler | None, ctx: Context, error: Exception) -> None:
        number = secrets.token_hex(2)
        log.error("Error %s in %s: %s", number, handler and handler.name, error, exc_info=error)
        meant = (
            handler is None or isinstance(handler, Command) or (isinstance(handler, Listener) and handler.called_for)
        )
        if not meant:
            return
        if isinstance(error, ChatError):
            said = _("That did not work: {sentence} (error {number})").format(sentence=sentence(error), number=number)
        else:
            said = _("Something went wrong (error {number}).").format(number=number)
        await ctx.reply(said)

    async def _wait(self, runs: list[Run], settled: Callable[[], None]) -> None:
        left = len(runs)

        def done(task: asyncio.Task[None]) -> None:
            nonlocal left
            left -= not task.cancelled()  # One that was stopped is to be handled again.
            if left == 0:
                settled()

        if not runs:
            settled()
        for run in runs:
            run.task.add_done_callback(done)
        for run in runs:
            await run.idle.wait()

    @property
    def busy(self) -> bool:
        """Whether any handler does something else than to wait for an answer."""
        return any(not run.idle.is_set() for run in self._runs)

    async def idle(self) -> None:
        """Wait until none is."""
        while busy := [run for run in self._runs if not run.idle.is_set()]:
            await asyncio.wait([asyncio.ensure_future(run.idle.wait()) for run in busy])

    async def finish(self, grace_s: float) -> None:
        """Give the handlers at work a moment, and stop those that are left."""
        working = [run.task for run in self._runs if not run.idle.is_set()]
        if working:
            await asyncio.wait(working, timeout=grace_s)
        self.cancel()
        left = [run.task for run in self._runs]
        if left:
            await asyncio.wait(left)

    def cancel(self) -> None:
        """Stop them all; what they were called for is not settled."""
        for run in list(self._runs):
            run.task.cancel()
