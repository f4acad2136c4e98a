"""Messages that are changed or taken back while they wait for their turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from client.bot import Bot, Context
from client.link.updates import Arrived
from common import messages as m
from testkit import BotTest
from testkit.seen import Post


@pytest.fixture(params=[False, True], ids=["memory", "real"])
def real(request: pytest.FixtureRequest) -> bool:
    """Whether there are sockets."""
    return bool(request.param)


def slow(gate: asyncio.Event) -> Callable[[], Bot]:
    """A bot with a command that waits for `gate`, and one that says what it is told."""

    def make() -> Bot:
        bot = Bot("b", start="resume")

        @bot.command
        async def hold(ctx: Context) -> None:
            await gate.wait()

        @bot.command
        async def say(ctx: Context, *, text: str) -> None:
            assert ctx.message.edited or text != "new"
            await ctx.send(text)

        return bot

    return make


async def last_change(t: BotTest, count: int) -> None:
    """Return once the bot was told of so many changes of messages."""
    async for update in t.chat.updates():
        if isinstance(update, Arrived) and isinstance(update.entry, (m.Edited, m.Retracted)):
            count -= 1
        if count == 0:
            break
    await asyncio.sleep(0)  # The bot, which was told by the same call, takes it up.


@pytest.mark.parametrize("private", [False, True])
async def test_what_waits_is_handled_as_it_is_when_its_turn_comes(real: bool, private: bool) -> None:
    gate = asyncio.Event()
    async with BotTest(slow(gate), real=real) as t:
        ana = await t.person("ana")

        async def say(text: str) -> Post:
            return await (ana.direct(text, t.bot_login) if private else ana.say(text))

        told = asyncio.create_task(last_change(t, 4))
        await say("!hold")
        secret, corrected = await say("!say secret"), await say("!say old")
        both = await say("!say older")
        await ana.retract(secret)
        await ana.edit(corrected, "!say new")
        await ana.edit(both, "!say secret, too")
        await ana.retract(both)
        await told
        gate.set()
        assert (await ana.hears()).text == "new"
        await ana.silence()


async def test_so_is_what_waits_beyond_the_lane() -> None:
    gate = asyncio.Event()
    async with BotTest(slow(gate)) as t:
        ana = await t.person("ana")
        told = asyncio.create_task(last_change(t, 3))
        await ana.say("!hold")
        said = [await ana.say(f"!say {each}") for each in range(100)]
        await ana.retract(said[1])
        await ana.retract(said[98])
        await ana.edit(said[99], "!say new")
        await told
        gate.set()
        heard = [(await ana.hears()).text for _ in range(98)]
        assert heard == ["0", *map(str, range(2, 98)), "new"]
        await ana.silence()


async def test_a_bot_that_resumes_does_not_answer_what_was_taken_back(real: bool) -> None:
    async with BotTest(slow(asyncio.Event()), real=real) as t:
        ana = await t.person("ana")
        await t.stop()
        secret, corrected = await ana.say("!say secret"), await ana.say("!say old")
        await ana.retract(secret)
        await ana.edit(corrected, "!say new")
        await t.start()
        assert (await ana.hears()).text == "new"
        await ana.silence()
