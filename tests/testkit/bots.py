"""Bots to try the kit with."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from client.bot import Bot, Context, Message


def parrot(start: Literal["live", "resume"] = "live", **options: Any) -> Bot:
    """Says what it is told, in several ways."""
    bot = Bot("parrot", start=start, **options)

    @bot.command
    async def say(ctx: Context, *, text: str) -> None:
        """Say it."""
        await ctx.send(text)

    @bot.command
    def plainly(ctx: Any, *, text: str) -> None:
        """Say it from a thread."""
        ctx.send(text)

    @bot.command
    async def twice(ctx: Context, *, text: str) -> None:
        """Say it and say it."""
        await ctx.send(text)
        await ctx.send(text)

    @bot.command
    async def whisper(ctx: Context, *, text: str) -> None:
        """Say it privately."""
        await ctx.direct(text)

    @bot.command
    async def ask(ctx: Context) -> None:
        """Ask what to say."""
        answer: Message = await ctx.ask("What?", timeout=60)
        await ctx.reply(answer.text)

    @bot.command
    async def mend(ctx: Context) -> None:
        """Say something, then something else, then nothing."""
        said = await ctx.send("teh")
        await ctx.edit(said, "the")
        await ctx.retract(said)

    @bot.command
    async def like(ctx: Context) -> None:
        """Put a heart to it."""
        await ctx.react("❤️")

    @bot.command(require="moderator")
    async def hush(ctx: Context) -> None:
        """Only moderators may."""
        await ctx.reply("hushed")

    @bot.on_event("reaction", "edit", "retract")
    async def changed(ctx: Context, event: Any) -> None:
        await ctx.send(f"{event.user.login}: {event.kind}")

    return bot


def cuckoo() -> Bot:
    """Calls every hour, and every minute in the kitchen."""
    bot = Bot("cuckoo", rooms=("kitchen",))

    @bot.every("1h", rooms=["lobby"])
    async def hour(ctx: Context) -> None:
        await ctx.send(f"cuckoo {ctx.now // 3_600_000 % 24}")

    @bot.every("1m", rooms=["kitchen"])
    async def minute(ctx: Context) -> None:
        await ctx.send(f"tick {ctx.now // 60_000 % 60}")

    return bot


def doorman() -> Bot:
    """Says who comes and goes."""
    bot = Bot("doorman")

    @bot.on_event("join", "leave")
    async def moved(ctx: Context, event: Any) -> None:
        await ctx.send(f"{event.kind} {event.user.login}")

    return bot


class Broken:
    """Ends by itself, when it is spoken to or at once."""

    name = "broken"

    def __init__(self, ready: bool = True, ends: bool = True) -> None:
        self._ready = ready
        self._ends = ends

    async def serve(self, chat: Any, *, clock: Any, ready: Any) -> None:
        updates = chat.updates()
        if self._ready:
            ready()
        elif self._ends:
            raise ValueError("no such file")
        async for update in updates:
            if self._ends and "Message(" in repr(update):
                raise ValueError("it broke")

    async def idle(self) -> None:
        """Always."""

    async def stop(self) -> None:
        """Never."""


def sleeper() -> Bot:
    """Never has done."""
    bot = Bot("sleeper")

    @bot.command
    async def sleep(ctx: Context) -> None:
        await asyncio.Event().wait()

    return bot
