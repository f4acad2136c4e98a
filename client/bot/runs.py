"""Handlers at work: each in a task of its own, and whatever it raises is logged, told, and ends there.

Must not know what a handler is called for.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import secrets
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from client.bot import manual, sentences
from client.bot.context import Context, Typing
from client.bot.desk import Desk
from client.bot.errors import BadArguments, BadHandler, Unanswered
from client.bot.functions import awaited, named
from client.bot.listeners import Command, Handler, Listener
from client.bot.turns import Turn
from client.link.failures import ClientClosed, SessionOver
from client.log import event
from common.errors import Loop, NoSuchLog, NoSuchRoom, NotLoggedIn, NotMember

if TYPE_CHECKING:
    from client.bot.bot import Bot

WORKING_MS: Final = 1_000
"""Milliseconds after which people see that a command is still at work."""
CANCEL_S: Final = 1.0
"""Seconds that a handler has to end in once it was cancelled; whoever runs the bot has to end what is left."""
SILENT: Final = (ClientClosed, Loop, NoSuchLog, NoSuchRoom, NotLoggedIn, NotMember, SessionOver)
"""Failures that nobody can, or should, be told of: the bot or the room is gone, or programs answer one another."""

Work = Callable[[], Awaitable[None]]
_AT_WORK: Final = ContextVar[bool]("at work", default=False)
"""Whether this is done by a handler, or by what it has begun."""
log = logging.getLogger("tertulia.bot")


@dataclass(eq=False)
class Run:
    """A handler at work."""

    task: asyncio.Task[None]
    turn: Turn


class Runs:
    """All handlers at work."""

    def __init__(self, bot: Bot, desk: Desk) -> None:
        self._bot = bot
        self._desk = desk
        self._runs: set[Run] = set()

    async def call(self, handler: Handler, ctx: Context, *args: Any, **words: Any) -> None:
        """Call a handler, in a thread if it is a plain one."""
        await self._called(handler.function, ctx, *args, **words)

    async def _called(self, function: Callable[..., Any], *args: Any, **words: Any) -> None:
        if awaited(function):
            await function(*args, **words)
            return
        result = await self._desk.threads.run(function, *args, **words)
        if inspect.iscoroutine(result):
            result.close()
            raise BadHandler(
                f"{named(function)} returns what nobody awaits: make it async, or wrap by functools.wraps."
            )

    def start(self, handler: Handler | None, ctx: Context, turn: Turn, work: Work, shown: bool = False) -> Run:
        """Begin; with `shown` people see that it is at work if it takes long."""

        async def run() -> None:
            _AT_WORK.set(True)
            typing = Typing(self._desk, ctx.talk, turn) if shown else None
            if typing is not None:
                typing.begin(WORKING_MS)
            try:
                await self._guarded(handler, ctx, work)
                if typing is not None:
                    await typing.end()
            finally:
                if typing is not None:
                    typing.drop()
                turn.rest()

        made = Run(asyncio.create_task(run()), turn)
        self._runs.add(made)
        made.task.add_done_callback(lambda _: self._runs.discard(made))
        return made

    async def _guarded(self, handler: Handler | None, ctx: Context, work: Work) -> None:
        """Do the work; whatever it raises is logged and told, and ends here."""
        name = handler.name if handler else "help"
        try:
            await work()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            event(log, "handler-cancelled-itself", logging.ERROR, bot=self._desk.login, handler=name)
        except (KeyboardInterrupt, GeneratorExit):
            raise  # of the process, and of a coroutine that is closed
        except BaseException as error:  # sys.exit(), too, as argparse calls it
            try:
                await self._failed(handler, name, ctx, error)
            except Exception:
                event(log, "failure-not-told", logging.ERROR, bot=self._desk.login, handler=name)

    async def _failed(self, handler: Handler | None, name: str, ctx: Context, error: BaseException) -> None:
        if isinstance(error, BadArguments) and isinstance(handler, Command):
            await ctx.reply(sentences.usage(str(error), manual.usage(handler, self._bot.prefix)))
        elif isinstance(error, BadArguments) and isinstance(handler, Listener):
            await ctx.reply(str(error))
        elif isinstance(error, Unanswered):
            if not error.quiet:
                await ctx.reply(sentences.no_answer())
        elif isinstance(error, SILENT):
            event(log, "handler-ended", bot=self._desk.login, handler=name, reason=error)
        elif self._bot.error_handler is not None:
            await self._called(self._bot.error_handler, ctx, error)
        else:
            number = secrets.token_hex(2)
            event(log, "handler-failed", logging.ERROR, bot=self._desk.login, handler=name, id=number)
            if handler is None or handler.called_for:
                await ctx.reply(sentences.failed(error, number))

    @staticmethod
    async def settle(runs: list[Run], settled: Callable[[], None]) -> None:
        """Have `settled` called once all have ended; returns once all have, or wait for somebody's answer."""
        left = len(runs)

        def done(task: asyncio.Task[None]) -> None:
            nonlocal left
            left -= not task.cancelled()  # One that was stopped is to be done again.
            if left == 0:
                settled()

        if not runs:
            settled()
        for run in runs:
            run.task.add_done_callback(done)
        for run in runs:
            await run.turn.free.wait()

    @staticmethod
    def within() -> bool:
        """Whether whoever asks is one of the handlers, and must not be waited for by itself."""
        return _AT_WORK.get()

    @property
    def busy(self) -> bool:
        """Whether any handler does something else than to wait for an answer."""
        return any(not run.turn.resting.is_set() for run in self._runs)

    async def idle(self) -> None:
        """Wait until those that are at work now are not."""
        for run in list(self._runs):
            await run.turn.resting.wait()

    async def finish(self, grace_s: float) -> None:
        """Give the handlers at work a moment, and stop those that are left."""
        working = [asyncio.create_task(run.turn.resting.wait()) for run in self._runs]
        if working:
            _done, late = await asyncio.wait(working, timeout=grace_s)
            for each in late:
                each.cancel()
        self.cancel()
        left = [run.task for run in self._runs]
        if left:
            await asyncio.wait(left, timeout=CANCEL_S)
        if stubborn := sum(not task.done() for task in left):
            event(log, "handlers-do-not-end", logging.WARNING, bot=self._desk.login, count=stubborn)

    def cancel(self) -> None:
        """Stop them all; what they were called for is not settled."""
        for run in list(self._runs):
            run.task.cancel()
