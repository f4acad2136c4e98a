"""The kit has the broker's rules: scopes, limits, membership, hops, what is kept; in memory as on sockets."""

from __future__ import annotations

from typing import Any

import pytest

from broker.chat.settings import ChatSettings
from client.bot import Bot, Context
from common import limits
from common import messages as m
from common.errors import BadText, Forbidden, Loop, NameTaken, NoSuchMessage, NoSuchUser, NotMember, TooMany
from common.limits import Rate
from tests.testkit.bots import parrot
from tests.testkit.conftest import Kit


async def test_a_bot_hears_and_says_what_its_scopes_allow(kit: Kit) -> None:
    heard: list[str] = []
    bot = Bot("eaves")

    @bot.on_message
    async def listen(ctx: Context) -> None:
        heard.append(ctx.message.text)

    async with kit(bot, scopes=["read:lobby", "write:ops"]) as t:
        await t.room("ops", by="ana", kept=True, people=["bob"])
        ana, bob = await t.person("ana"), await t.person("bob")
        await ana.say("in the lobby")
        await ana.say("in ops", room="ops")
        await ana.direct("privately", to=t.bot_login)
        await t.settle()
        assert heard == ["in the lobby"]
        assert set(t.chat.rooms) == {"lobby", "ops"}
        await t.chat.post("ops", "I may say it")
        await bob.forget()
        with pytest.raises(Forbidden, match="write:lobby"):
            await t.chat.post("lobby", "I may not")
        with pytest.raises(Forbidden, match="read:ops"):
            await t.chat.request(m.History(log="ops"))
        with pytest.raises(Forbidden, match="direct"):
            await t.chat.direct("ana", "nor this")
        with pytest.raises(Forbidden, match="create"):
            await t.chat.create("den")
        await t.chat.request(m.Ping())
        await bob.silence()


async def test_a_bot_is_let_into_a_room_only_by_its_scopes(kit: Kit) -> None:
    async with kit(parrot(), scopes=["read:lobby", "write:lobby"]) as t:
        with pytest.raises(Forbidden, match="attic"):
            await t.room("attic", by="ana")
        await t.dialogue("ana", [("!say hola", "hola")])


async def test_whoever_is_told_to_wait_waits_and_the_clock_goes_on_by_that(kit: Kit) -> None:
    async with kit(parrot(), settings=ChatSettings(posts=Rate(10, 5))) as t:
        ana = await t.person("ana")
        begun = t.now
        for number in range(10):
            await ana.say(f"{number}")
        assert [post.text for post in await ana.history()] == [f"{number}" for number in range(10)]
        assert t.now - begun < 2_000


async def test_in_memory_the_wait_is_the_clocks() -> None:
    from testkit import BotTest

    async with BotTest(parrot(), settings=ChatSettings(posts=Rate(0.5, 2))) as t:
        ana = await t.person("ana")
        begun = t.now
        for number in range(5):
            await ana.say(f"{number}")
        assert 6_000 <= t.now - begun <= 12_000, "three of five have waited for two seconds each, and somewhat longer"


async def test_refusals_are_the_brokers(kit: Kit) -> None:
    async with kit(parrot()) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        await ana.create("ops")
        with pytest.raises(NotMember):
            await bob.say("let me in", room="ops")
        with pytest.raises(NameTaken):
            await bob.create("OPS")
        with pytest.raises(NoSuchUser):
            await ana.direct("hello?", to="nobody")
        with pytest.raises(BadText):
            await ana.say(" \n ")
        said = await ana.say("mine")
        with pytest.raises(Forbidden):
            await bob.edit(said, "mine")
        await ana.retract(said)
        with pytest.raises(NoSuchMessage):
            await ana.edit(said, "mine again")


async def test_programs_that_answer_one_another_are_stopped(kit: Kit) -> None:
    refused: list[Exception] = []
    bot = Bot("echo", bots=True)

    @bot.on_message
    async def echo(ctx: Context) -> None:
        try:
            await ctx.send(ctx.message.text)
        except Loop as error:
            refused.append(error)

    async with kit(bot) as t:
        ana = await t.person("ana")
        await ana.request(m.Send(room="lobby", text="ping", nonce=bytes(16), hops=limits.HOPS))
        await ana.silence()
        assert len(refused) == 1
        await ana.request(m.Send(room="lobby", text="pong", nonce=bytes(15) + b"1", hops=limits.HOPS - 1))
        assert (await ana.hears()).hops == limits.HOPS


async def test_what_a_bot_keeps_outlives_it_and_has_a_quota(kit: Kit) -> None:
    bot = Bot("clerk")

    @bot.command
    async def keep(ctx: Context, key: str, value: str) -> None:
        await ctx.store.put(key, value)

    @bot.command
    async def look(ctx: Context, key: str) -> None:
        await ctx.reply(str(await ctx.store.get(key, "nothing")))

    async with kit(bot) as t:
        await t.dialogue("ana", [("!look a", "nothing"), ("!keep a 1", None), ("!look a", "1")])
        await t.restart()
        await t.dialogue("ana", [("!look a", "1")])
        value: Any = bytes(limits.STORE_VALUE_BYTES)
        with pytest.raises(TooMany):
            for number in range(limits.STORE_BYTES // limits.STORE_VALUE_BYTES + 1):
                await t.chat.request(m.StorePut(key=f"{number}", value=value))
