"""A bot that resumes: killed wherever it is, it answers everything once, in order; and what a live one leaves alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from client.bot import Bot, Context
from common import messages as m
from testkit import BotTest

LOBBY = "lobby"


@pytest.fixture(params=[False, True], ids=["memory", "real"])
def real(request: pytest.FixtureRequest) -> bool:
    """Whether there are sockets."""
    return bool(request.param)


def echo(start: Any = "resume") -> Callable[[], Bot]:
    """A bot that answers each number, by a command, a listener, and in two posts."""

    def make() -> Bot:
        bot = Bot("echo", start=start)

        @bot.command
        async def say(ctx: Context, n: int) -> None:
            await ctx.reply(f"first {n}")
            await asyncio.sleep(0)
            await ctx.reply(f"second {n} {'late' if ctx.replayed else 'live'}")

        @bot.on_message(r"^!say (?P<n>\d+)")
        async def count(ctx: Context, n: int) -> None:
            await ctx.react("👍")
            await ctx.send(f"heard {n}")

        return bot

    return make


async def test_what_was_said_while_the_bot_was_away_is_answered(real: bool) -> None:
    async with BotTest(echo(), real=real) as t:
        ana = await t.person("ana")
        await ana.say("!say 1")
        await t.settle()
        await t.stop()
        await ana.say("!say 2")
        await ana.direct("say 3", t.bot_login)
        await ana.forget()
        await t.start()
        await t.settle()
        texts = [post.text for post in await ana.history() if post.sender != "ana"]
        assert sorted(texts) == sorted(["first 1", "second 1 live", "heard 1", "first 2", "second 2 late", "heard 2"])
        assert (await ana.hears("@ana")).text == "first 3"
        assert (await ana.hears("@ana")).text == "second 3 late"


@pytest.mark.parametrize("politely", [True, False])
async def test_where_a_bot_goes_on_however_it_ended_and_however_long_it_was_away(real: bool, politely: bool) -> None:
    """In the default room, in private and where rooms are kept; elsewhere it is no member any more."""

    def make() -> Bot:
        bot = Bot("b", start="resume")

        @bot.command
        async def say(ctx: Context, *, text: str) -> None:
            await ctx.reply(text)

        return bot

    async with BotTest(make, real=real) as t:
        ana = await t.person("ana")
        await t.room("kept", by=ana, kept=True)
        await t.room("passing", by=ana)
        await (t.stop() if politely else t.kill())
        for room in (LOBBY, "kept", "passing"):
            await ana.say("!say more", room)
        await ana.direct("say more", t.bot_login)
        if not real:
            await t.advance(hours=5)
        await t.start()
        left = politely or not real  # a real broker's grace has not passed
        rooms = [LOBBY, "kept", *([] if left else ["passing"])]
        assert {(await ana.hears()).log for _ in (*rooms, "@ana")} == {*rooms, "@ana"}
        assert sorted(t.chat.rooms) == sorted(rooms)
        await ana.silence()


async def test_a_live_bot_answers_nothing_of_before(real: bool) -> None:
    async with BotTest(echo("live"), real=real) as t:
        ana = await t.person("ana")
        await t.stop()
        await ana.say("!say 1")
        await ana.direct("say 2", t.bot_login)
        await t.start()
        await ana.silence()
        await ana.say("!say 3")
        assert (await ana.hears()).text in ("first 3", "heard 3")


async def test_a_bot_that_was_live_in_between_does_not_answer_what_it_heard_then() -> None:
    modes = iter(["resume", "live", "resume", "resume"])
    async with BotTest(lambda: echo(next(modes))()) as t:
        ana = await t.person("ana")
        await ana.say("!say 1")
        await t.settle()
        await t.stop()
        await ana.say("!say 2")
        await t.start()
        await ana.say("!say 3")
        await t.settle()
        await t.stop()
        await t.start()
        await t.settle()
        await t.stop()
        await ana.say("!say 4")
        await t.start()
        await t.settle()
        answered = {post.text.split()[1] for post in await ana.history() if post.sender != "ana"}
        assert answered == {"1", "3", "4"}


async def test_the_first_start_answers_nothing_of_before() -> None:
    async with BotTest(echo()) as t:
        ana = await t.person("ana")
        await t.room("dev", by=ana, bot=False)
        await ana.say("!say 1", "dev")
        await t.chat.join("dev")
        await t.settle()
        assert [post.text for post in await ana.history("dev")] == ["!say 1"]


async def test_a_question_is_put_once_and_answered_after_a_kill(real: bool) -> None:
    def make() -> Bot:
        bot = Bot("quiz", start="resume")

        @bot.command
        async def quiz(ctx: Context) -> None:
            answer = await ctx.ask("2 + 2?")
            await ctx.reply(f"you said {answer.text}")

        return bot

    async with BotTest(make, real=real) as t:
        ana = await t.person("ana")
        await t.dialogue(ana, [("!quiz", "2 + 2?")], LOBBY)
        await t.restart()
        await t.dialogue(ana, [("4", "you said 4")], LOBBY)
        await t.stop()
        await t.start()
        await t.dialogue(ana, [("5", None)], LOBBY)


async def test_nothing_wedges_a_cursor(real: bool) -> None:
    """A message that is taken back while it waits, a room that is gone midway, and one that the bot is put out of."""
    gate = asyncio.Event()

    def make() -> Bot:
        bot = Bot("echo", start="resume")

        @bot.command
        async def hold(ctx: Context) -> None:
            await gate.wait()
            await ctx.reply("held")

        @bot.command
        async def say(ctx: Context, n: int) -> None:
            await ctx.reply(f"said {n}")

        @bot.command
        async def ask(ctx: Context) -> None:
            await ctx.ask("well?")

        return bot

    async with BotTest(make, real=real, timeout=20) as t:
        ana = await t.person("ana")
        for name in ("gone", "away"):
            await t.room(name, by=ana, kept=True)
            await ana.say("!ask", name)
        await t.settle()
        for name in ("gone", "away"):
            await ana.say("!hold", name)
        held = await ana.say("!hold")
        taken_back = await ana.say("!say 1")
        await ana.say("!say 2")
        await ana.retract(taken_back)
        await ana.retract(held)
        await ana.request(m.Delete(room="gone"))
        await ana.remove(t.bot_login, "away")
        gate.set()
        await t.settle()
        assert "said 2" in [post.text for post in await ana.history()]
        await t.advance(seconds=2)
        await t.settle()
        state = t.chat.state
        assert state is not None
        (lobby,) = [room for room in state.rooms if room.name == LOBBY]
        before = len(await ana.history())
        assert lobby.read >= taken_back.seq
        await t.restart()
        await t.settle()
        assert len(await ana.history()) == before


STEP = st.tuples(st.sampled_from(["lobby", "dev", "@"]), st.integers(0, 60), st.booleans(), st.integers(0, 3))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEP, min_size=1, max_size=8))
def test_killed_anywhere_it_answers_everything_once_and_in_order(steps: list[tuple[str, int, bool, int]]) -> None:
    """Each step says something, lets the loop turn so often, and perhaps kills the bot there, with the clock moved."""

    async def scenario() -> None:
        async with BotTest(echo()) as t:
            ana = await t.person("ana")
            await t.room("dev", by=ana, kept=True)
            said: dict[str, list[int]] = {"lobby": [], "dev": [], "@": []}
            for number, (where, turns, kill, seconds) in enumerate(steps):
                said[where].append(number)
                if where == "@":
                    await ana.direct(f"!say {number}", t.bot_login)
                else:
                    await ana.say(f"!say {number}", where)
                for _ in range(turns):
                    await asyncio.sleep(0)
                if kill:
                    await t.kill() if turns % 2 else await t._stage.kill()
                    await t.start()
                t.clock.move(t.clock.now() + 1000 * seconds)
            await t.settle()
            for where, numbers in said.items():
                posts = await ana.history("@ana" if where == "@" else where)
                answers = [
                    post.text.removesuffix(" live").removesuffix(" late") for post in posts if post.sender != "ana"
                ]
                for kind in ("first", "second", "heard"):
                    of_kind = [text for text in answers if text.startswith(kind)]
                    assert of_kind == [f"{kind} {number}" for number in numbers]

    asyncio.run(scenario())


async def test_stopped_it_lets_handlers_finish_and_asks_again_afterwards(real: bool) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    def make() -> Bot:
        bot = Bot("echo", start="resume")

        @bot.command
        async def hold(ctx: Context) -> None:
            async with ctx.aside():
                begun.set()
                await gate.wait()
            await ctx.reply("held")

        @bot.command
        async def ask(ctx: Context) -> None:
            answer = await ctx.ask("well?")
            await ctx.reply(f"you said {answer.text}")

        return bot

    async with BotTest(make, real=real, timeout=20) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        await t.dialogue(ana, [("!ask", "well?")], LOBBY)
        await bob.say("!hold")
        await begun.wait()
        stopping = asyncio.create_task(t.stop())
        await asyncio.sleep(0)
        gate.set()
        await stopping
        assert [post.text for post in await bob.history()] == ["!ask", "well?", "!hold", "held"]
        await ana.say("fine")
        await t.start()
        await t.settle()
        texts = [post.text for post in await ana.history()]
        assert texts == ["!ask", "well?", "!hold", "held", "fine", "you said fine"]
