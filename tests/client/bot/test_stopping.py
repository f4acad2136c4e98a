"""How a bot ends: by one of its own handlers, and when handlers do not want to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from client.bot import Bot, Context, runs, serving
from testkit import BotTest


def ender(plain: bool) -> Callable[[], Bot]:
    """A bot that anybody may stop."""

    def make() -> Bot:
        bot = Bot("b", start="resume")

        async def leave(ctx: Context) -> None:
            await ctx.bot.stop()
            await ctx.reply("bye")

        def leave_by_a_thread(ctx: Any) -> None:
            ctx.bot.stop()
            ctx.reply("bye")

        bot.command("leave")(leave_by_a_thread if plain else leave)

        @bot.command
        async def hello(ctx: Context) -> None:
            await ctx.reply("hello")

        return bot

    return make


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("real", [False, True], ids=["memory", "real"])
async def test_a_handler_ends_the_bot_and_a_new_one_does_not_end_by_the_same_message(plain: bool, real: bool) -> None:
    async with BotTest(ender(plain), real=real) as t:
        ana = await t.person("ana")
        await ana.say("!leave")
        with pytest.raises(AssertionError, match="ended by itself"):
            while True:
                await t.settle()
        await t.kill()
        assert (await ana.hears()).text == "bye"
        await t.start()
        await t.dialogue(ana, [("!hello", "hello")])


async def test_handlers_that_catch_their_cancellation_hold_up_the_end_for_a_moment_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving, "DRAIN_S", 0.01)
    monkeypatch.setattr(runs, "CANCEL_S", 0.01)
    over, begun = asyncio.Event(), asyncio.Event()
    bot = Bot("b", start="resume")

    @bot.command
    async def stubborn(ctx: Context) -> None:
        begun.set()
        while not over.is_set():
            try:
                await over.wait()
            except asyncio.CancelledError:
                continue

    async with BotTest(bot) as t:
        ana = await t.person("ana")
        await ana.say("!stubborn")
        await begun.wait()
        await t.stop()
        assert not bot.serving
        over.set()


async def test_a_thread_that_never_returns_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "DRAIN_S", 0.01)
    over, begun = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    bot = Bot("b", start="resume")

    @bot.command
    def blocked(ctx: Any) -> None:
        loop.call_soon_threadsafe(begun.set)
        over.wait()

    async with BotTest(bot) as t:
        ana = await t.person("ana")
        await ana.say("!blocked")
        await begun.wait()
        await t.stop()
        assert not bot.serving
        over.set()
