"""What a bot does that nobody called for: when it starts and stops, from code of its own, once, and of programs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from broker.chat.bots import AddBot
from client.bot import BadHandler, Bot, ChatError, Context, Event, NotMember
from client.bot.delivery import Cause
from client.bot.desk import Desk
from common import messages as m
from testkit import BotTest
from testkit.clock import Clock

LOBBY = "lobby"


@pytest.fixture(params=[False, True], ids=["memory", "real"])
def real(request: pytest.FixtureRequest) -> bool:
    """Whether there are sockets."""
    return bool(request.param)


def waker(told: list[str]) -> Callable[[], Bot]:
    """A bot that says when it starts and stops."""

    def make() -> Bot:
        bot = Bot("b", start="resume")

        @bot.on_event("ready", "stopping")
        async def life(ctx: Context, event: Event) -> None:
            assert ctx.room is None
            assert event.user.login == ctx.bot.login
            with pytest.raises(BadHandler, match="say where"):
                await ctx.send("where?")
            told.append(event.kind)
            await ctx.bot.send(LOBBY, event.kind)

        @bot.on_event("ready")
        def plainly(ctx: Any, event: Event) -> None:
            ctx.bot.direct("ana", "from a thread")

        return bot

    return make


async def test_a_bot_is_told_once_that_it_is_ready_and_that_it_stops(real: bool) -> None:
    told: list[str] = []
    async with BotTest(waker(told), real=real) as t:
        ana = await t.person("ana")
        await t.stop()
        assert told == ["ready", "stopping"]
        assert (await ana.hears()).text == "stopping"
        await t.start()
        assert {(await ana.hears()).text for _ in range(2)} == {"ready", "from a thread"}
        await t.kill()
        await t.start()
        assert told == ["ready", "stopping", "ready", "ready"]


def test_what_happens_in_no_room_is_for_no_room() -> None:
    with pytest.raises(BadHandler, match="no room"):
        Bot().on_event("join", "ready", rooms=["dev"])(lambda ctx, event: None)


async def test_a_bot_posts_from_code_of_its_own(real: bool) -> None:
    bot = Bot("b")
    with pytest.raises(RuntimeError, match="does not run"):
        await bot.send(LOBBY, "too early")
    async with BotTest(bot, real=real) as t:
        ana = await t.person("ana")
        said = await bot.send("LOBBY", "in a room")
        assert (said.author.login, said.room.name if said.room else "") == ("b", LOBBY)
        await bot.direct("@ana", "to a person")
        room = bot.room("Lobby")
        assert room is not None
        await room.send("by a room")
        assert [(await ana.hears(log)).text for log in (LOBBY, LOBBY, "@ana")] == [
            "in a room",
            "by a room",
            "to a person",
        ]
        assert bot.room("nowhere") is None
        with pytest.raises(ChatError):
            await bot.send("nowhere", "?")


async def test_what_has_a_name_is_said_once_in_each_place(real: bool) -> None:
    async with BotTest(lambda: Bot("b"), real=real) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        await t.room("dev", by=ana, kept=True)
        first = await t.bot.send(LOBBY, "one", once="k")
        at_once = await asyncio.gather(*(t.bot.send("dev", f"at once {n}", once="k") for n in range(5)))
        assert len({message.seq for message in at_once}) == 1
        await t.restart()
        again = await t.bot.send(LOBBY, "another text", once="k")
        assert (again.seq, again.time) == (first.seq, first.time)
        for _ in range(2):
            await t.bot.direct(ana.login, "private", once="k")
            await t.bot.direct("BOB", "private", once="k")
            await t.bot.send(LOBBY, "two", once="l")
        await t.settle()
        assert [(await ana.hears()).text for _ in range(4)] == ["one", "at once 0", "private", "two"]
        assert [(await bob.hears()).text for _ in range(3)] == ["one", "private", "two"]
        await ana.silence()
        await bob.silence()


async def test_a_room_of_the_same_name_is_another_place() -> None:
    async with BotTest(Bot("b")) as t:
        ana = await t.person("ana")
        await t.room("dev", by=ana)
        await t.bot.send("dev", "one", once="k")
        await ana.request(m.Delete(room="dev"))
        await t.settle()
        with pytest.raises((NotMember, ChatError)):
            await t.bot.send("dev", "nowhere", once="k")
        await t.room("dev", by=ana)
        await t.bot.send("dev", "two", once="k")
        assert [(await ana.hears()).text for _ in range(2)] == ["one", "two"]


async def test_a_long_text_is_said_once_in_all_its_parts() -> None:
    async with BotTest(lambda: Bot("b")) as t:
        ana = await t.person("ana")
        text = "x" * 20_000
        for _ in range(2):
            await t.bot.send(LOBBY, text, once="long")
            await t.restart()
        parts = [post.text for post in await ana.history()]
        assert "".join(parts) == text


class Slow:
    """A connection that answers each post after as many turns of the loop as it is told, whatever was asked first."""

    clock = request = None

    def __init__(self, turns: dict[str, int]) -> None:
        self.turns = turns
        self.nonces: dict[str, list[bytes | None]] = {}

    async def post(self, log: str, text: str, *, nonce: bytes | None = None, **_more: object) -> m.Sent:
        """Note the nonce and answer."""
        self.nonces.setdefault(text[0], []).append(nonce)
        for _ in range(self.turns[text[0]]):
            await asyncio.sleep(0)
        return m.Sent(seq=1, time=1)


async def test_parts_of_texts_that_are_said_at_once_have_the_nonces_of_their_calls() -> None:
    """So that a bot which is killed between them and does the same again doubles nothing."""

    async def said(turns: dict[str, int]) -> dict[str, list[bytes | None]]:
        chat: Any = Slow(turns)
        desk, cause = Desk(chat, Clock(), "b"), Cause("b", 1, 2, 3, "handler")
        await asyncio.gather(*(desk.say("@ana", letter * 20_000, cause) for letter in "ab"))
        return chat.nonces

    assert await said({"a": 1, "b": 9}) == await said({"a": 9, "b": 1})


async def test_a_handler_hears_what_programs_do_if_it_asks_for_it(real: bool) -> None:
    heard: list[str] = []

    def make() -> Bot:
        bot = Bot("b")

        @bot.on_event("join")
        async def people(ctx: Context, event: Event) -> None:
            heard.append(f"people {event.user.login}")

        @bot.on_event("join", bots=True)
        async def everybody(ctx: Context, event: Event) -> None:
            heard.append(f"everybody {event.user.login}")

        return bot

    async with BotTest(make, real=real) as t:
        ana = await t.person("ana")
        keys = t._server.keys()
        t.operate(AddBot(login="other", key=keys.public, key_name="k", scopes=["read:*"]))
        other = t._stage.connected(keys)
        await t._stage.do(other.chat.start())
        await t._stage.do(other.chat.join(LOBBY))
        await t.settle()
        assert sorted(heard) == ["everybody ana", "everybody other", "people ana"]
        await ana.silence()
