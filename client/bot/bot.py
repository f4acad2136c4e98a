"""`Bot`: what an author writes handlers with, and runs.

    bot = Bot()

    @bot.command
    async def hello(ctx):
        await ctx.reply(f"Hello, {ctx.author.mention}")

    bot.run()

Must not know how handlers are found and run. Its length is that of the interface: most methods are a docstring.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, Literal, TypeVar, cast, get_args, overload

from client.bot import schedule
from client.bot.arguments import Signature
from client.bot.clock import Clock
from client.bot.errors import BadHandler
from client.bot.functions import Function, check, named
from client.bot.listeners import Command, EventListener, Listener, Listeners, Timer, _role, _rooms
from client.bot.ports import Chat
from client.bot.serving import Serving
from client.bot.store import Store
from client.bot.things import EventKind, Message, Room, User, inbox_of

Start = Literal["live", "resume"]
F = TypeVar("F", bound=Callable[..., Any])


class Bot:
    """A program in the chat. Decorate its handlers, then `run` it."""

    waits = True
    """Whether a thread is given a stand-in whose methods block."""

    def __init__(
        self,
        name: str = "",
        *,
        prefix: str = "!",
        start: Start = "live",
        bots: bool = False,
        rooms: Iterable[str] = (),
        help: bool = True,
    ) -> None:
        """`name` is for logs. Commands begin with `prefix`. With `start="live"` the bot handles what is said while it
        runs; with `"resume"` it goes on where it was, also after it was killed. With `bots` it hears other programs.
        It joins `rooms` when it starts; without, it is where it is, and goes where it is invited. `help` answers
        `!help`. Raises `BadHandler`.
        """
        if start not in get_args(Start):
            raise BadHandler(f"start={start!r}: expected 'live' or 'resume'.")
        if not isinstance(prefix, str) or any(map(str.isspace, prefix)):
            raise BadHandler(f"prefix={prefix!r}: expected a text without spaces, such as '!'.")
        _rooms(rooms)
        self.name = name
        self.prefix = prefix
        self.start: Start = start
        self.bots = bots
        self.rooms = tuple(rooms)
        self.help = help
        self.listeners = Listeners()
        self.error_handler: Function | None = None
        self._serving: Serving | None = None

    # Decorators.

    @overload
    def command(self, name: F) -> F: ...
    @overload
    def command(
        self,
        name: str | None = None,
        *,
        help: str = "",
        aliases: Iterable[str] = (),
        cooldown: str = "",
        require: str = "",
        rooms: Iterable[str] = (),
    ) -> Callable[[F], F]: ...
    def command(
        self,
        name: Any = None,
        *,
        help: str = "",
        aliases: Iterable[str] = (),
        cooldown: str = "",
        require: str = "",
        rooms: Iterable[str] = (),
    ) -> Any:
        """`!name` calls the function with what follows, read by its annotations.

        The name is the function's unless it is given; the help is its docstring. `cooldown` is `3/10s per user` (or
        per room, per bot). `require` is `member`, `moderator` or `creator`. Raises `BadHandler`.
        """
        if callable(name):
            return self._command(name, "", help, (), cooldown, require, (), _locals())
        local = _locals()
        title = name or ""
        others, where = tuple(aliases), tuple(rooms) if not isinstance(rooms, str) else rooms
        return lambda function: self._command(function, title, help, others, cooldown, require, where, local)

    def _command(
        self,
        function: F,
        title: str,
        help: str,
        aliases: tuple[str, ...],
        cooldown: str,
        require: str,
        rooms: Iterable[str],
        local: dict[str, Any],
    ) -> F:
        check(function, "command")
        signature = Signature(function, 1, local)
        for word in (title, *aliases):
            if self.prefix and str(word).startswith(self.prefix):
                raise BadHandler(f"{word!r}: leave the prefix {self.prefix!r} out of a command's name.")
        self.listeners.add(
            Command(function, _rooms(rooms), _role(require), title, aliases, help, cooldown, signature=signature)
        )
        return function

    @overload
    def on_message(self, match: F) -> F: ...
    @overload
    def on_message(
        self,
        match: str | re.Pattern[str] | None = None,
        *,
        mention: bool = False,
        direct: bool | None = None,
        rooms: Iterable[str] = (),
        require: str = "",
        bots: bool | None = None,
    ) -> Callable[[F], F]: ...
    def on_message(
        self,
        match: Any = None,
        *,
        mention: bool = False,
        direct: bool | None = None,
        rooms: Iterable[str] = (),
        require: str = "",
        bots: bool | None = None,
    ) -> Any:
        """The function is called for every message that fits; it takes nothing from other handlers.

        `match` is a regular expression that is searched for; its named groups become arguments. `mention`: only what
        names the bot, or is private. `direct`: only what is private, or only what is not. Raises `BadHandler`.
        """
        local = _locals()

        def decorate(function: F, pattern: Any = match) -> F:
            check(function, "on_message")
            signature = Signature(function, 1, local)
            try:
                compiled = re.compile(pattern) if pattern is not None else None
                if compiled is not None:
                    compiled.search("")
            except (re.error, TypeError) as error:
                raise BadHandler(f"{named(function)}: {pattern!r} is no regular expression: {error}.") from None
            self.listeners.add(
                Listener(function, _rooms(rooms), _role(require), compiled, mention, direct, bots, signature=signature)
            )
            return function

        if callable(match):
            return decorate(cast(Any, match), None)
        return decorate

    def on_event(self, *kinds: EventKind, rooms: Iterable[str] = (), bots: bool | None = None) -> Callable[[F], F]:
        """The function is called with the context and the event, for each event of these kinds.

        With `bots` also for what programs do, whatever the bot's own `bots` is. Raises `BadHandler`.
        """
        if any(map(callable, kinds)):
            raise BadHandler(f"{named(cast(Any, kinds[0]))}: name the events: @bot.on_event('join').")

        def decorate(function: F) -> F:
            check(function, "on_event")
            self.listeners.add(EventListener(function, _rooms(rooms), "", frozenset(kinds), bots))
            return function

        return decorate

    def every(self, when: str | float | timedelta, *, rooms: Iterable[str] = ()) -> Callable[[F], F]:
        """The function is called again and again: each `5m`, or 300 seconds, or by `cron: */5 9-17 * * mon-fri`.

        For each of `rooms` in which the bot is; without any once, with no room. Raises `BadHandler`.
        """
        if callable(when):
            raise BadHandler(f"{named(when)}: say how often: @bot.every('5m').")
        due = schedule.parse(when)

        def decorate(function: F) -> F:
            check(function, "every")
            keys = _rooms(rooms)
            self.listeners.add(Timer(function, keys, "", tuple(rooms), schedule=due))
            return function

        return decorate

    def on_error(self, function: F) -> F:
        """The function is called with the context and the exception in the place of what is done by default."""
        check(function, "on_error")
        self.error_handler = function
        return function

    # Running.

    async def serve(
        self,
        chat: Chat,
        *,
        clock: Clock | None = None,
        ready: Callable[[], None] | None = None,
        rooms: Iterable[str] | None = None,
    ) -> None:
        """Run on a connection that is started and logged in, until it is closed, `stop` is called or this is cancelled.

        `ready` is called once the bot hears its rooms. Cancelled, it ends at once, as if it were killed. Raises
        `SessionOver` if the session ends, `NotLoggedIn`, and `RuntimeError` if the bot runs already.
        """
        if self._serving is not None:
            raise RuntimeError("This bot runs already; make another one.")
        self._serving = Serving(self, chat, clock, self.rooms if rooms is None else tuple(rooms))
        try:
            await self._serving.run(ready)
        finally:
            self._serving = None

    async def stop(self) -> None:
        """Begin nothing any more, let what is at work finish, and keep how far the bot came. `serve` returns then.

        In a handler this returns at once, for that handler is at work.
        """
        if self._serving is not None:
            await self._serving.stop()

    def run(
        self,
        rooms: Iterable[str] | None = None,
        *,
        address: str | None = None,
        key: str | None = None,
        login: str | None = None,
        password: str | None = None,
    ) -> int:
        """Connect, and run until the process is told to end; returns its exit status, as `running.py` has it."""
        from client.bot.running import run

        return run(self, rooms, address=address, key=key, login=login, password=password)

    # While it runs.

    @property
    def serving(self) -> bool:
        """Whether it runs."""
        return self._serving is not None

    @property
    def login(self) -> str:
        """Who the bot is. Raises `RuntimeError` if it does not run."""
        return self._at_work.desk.login

    @property
    def store(self) -> Store:
        """What the bot keeps on the broker. Raises `RuntimeError` if it does not run."""
        return self._at_work.desk.store

    def room(self, name: str) -> Room | None:
        """A room that the bot is in; None if it is in none of that name. Raises `RuntimeError` if it does not run."""
        return self._at_work.desk.find_room(name)

    async def send(self, room: Room | str, text: str, *, once: str = "") -> Message:
        """Say something in a room, or to `"@login"`, from code beside the handlers; `once` as in `Context.send`.

        Raises what the broker refuses, and `RuntimeError` if the bot does not run.
        """
        return await self._at_work.desk.say(room.name if isinstance(room, Room) else room, text, None, once=once)

    async def direct(self, login: User | str, text: str, *, once: str = "") -> Message:
        """Say something to one person, privately; as `send`."""
        return await self._at_work.desk.say(inbox_of(login), text, None, once=once)

    @property
    def _at_work(self) -> Serving:
        if self._serving is None:
            raise RuntimeError("The bot does not run.")
        return self._serving

    async def handled(self, log: str, seq: int) -> None:
        """Wait until everything in a log (a room's name, or `@` and the bot's login) up to `seq` was handled."""
        await self._at_work.handled(log, seq)

    async def idle(self) -> None:
        """Wait until no handler does anything but wait for somebody's answer, and nothing waits for one."""
        await self._at_work.idle()


def _locals() -> dict[str, Any]:
    """The names where a handler is decorated, for annotations that were left as text."""
    frame: Any = inspect.currentframe()
    caller = frame.f_back.f_back if frame and frame.f_back else None
    return {} if caller is None or caller.f_globals is vars(sys.modules[__name__]) else dict(caller.f_locals)
