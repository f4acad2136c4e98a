"""The clock, and the life of the bot: started, killed, stopped, broken."""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import UTC, datetime, timedelta

import pytest

from broker.chat.bots import RevokeBot
from client.bot import Bot, Context
from client.link.failures import SessionOver
from common.errors import NoSuchUser
from testkit import BotTest
from testkit.clock import START, Clock
from tests.testkit.bots import Broken, cuckoo, parrot, sleeper
from tests.testkit.conftest import Kit


async def test_time_stands_still_until_it_is_moved(kit: Kit) -> None:
    async with kit(parrot(), now=datetime(2030, 5, 6, 7, 8, tzinfo=UTC)) as t:
        ana = await t.person("ana")
        begun = t.now
        assert datetime.fromtimestamp(begun / 1000, UTC) == datetime(2030, 5, 6, 7, 8, tzinfo=UTC)
        assert (await ana.say("one")).time == begun
        await t.advance(minutes=1, seconds=1.5)
        assert (await ana.say("two")).time == t.now == begun + 61_500
        await t.advance(timedelta(days=1))
        assert (await ana.say("three")).time == t.now == begun + 61_500 + 86_400_000


async def test_what_is_due_happens_at_its_time_and_in_order(kit: Kit) -> None:
    async with kit(cuckoo()) as t:
        ana = await t.person("ana", rooms=["kitchen"])
        await t.advance(minutes=3, seconds=59)
        ticks = [await ana.hears("kitchen") for _ in range(3)]
        assert [(tick.text, tick.time - t.now) for tick in ticks] == [
            ("tick 1", -179_000),
            ("tick 2", -119_000),
            ("tick 3", -59_000),
        ]
        await ana.silence()
        await t.advance(hours=1)
        assert (await ana.hears("lobby")).text == "cuckoo 13"
        assert [(await ana.hears("kitchen")).text for _ in range(60)][-1] == "tick 3"
        await ana.silence()


async def test_a_handler_that_is_killed_has_not_failed(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody is to look for a mistake in it: it ended because the bot did."""
    bot, begun = Bot("clerk"), asyncio.Event()

    @bot.command
    async def work(ctx: Context) -> None:
        begun.set()
        while True:
            await ctx.store.put("done", True)

    async with kit(bot) as t:
        await (await t.person("ana")).say("!work")
        await t.wait(begun.is_set, 10)
        await t.kill()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_nobody_is_lost_when_days_pass(kit: Kit) -> None:
    async with kit(parrot()) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        await t.room("attic", by=ana)
        await bob.forget()
        await t.advance(days=40)
        assert {*await bob.members("lobby")} == {"ana", "bob", "parrot"}
        await t.dialogue(ana, [("!say hola", "hola")], room="attic")
        with pytest.raises(AssertionError, match="sees no offline or leave"):
            await bob.sees("offline", "leave")


async def test_a_question_is_given_up_when_its_time_is_over(kit: Kit) -> None:
    async with kit(parrot()) as t:
        ana = await t.person("ana")
        await t.dialogue(ana, [("!ask", "What?"), ("this", "this"), ("!ask", "What?")])
        await t.advance(seconds=59)
        await ana.silence()
        await t.advance(seconds=1)
        assert (await ana.hears()).reply_to
        await t.dialogue(ana, [("that", None)])


async def test_the_clock_wakes_whoever_is_due() -> None:
    clock = Clock()
    assert clock.now() == round(START.timestamp() * 1000)
    assert clock.next() is None
    await clock.sleep_until(clock.now())
    first = asyncio.create_task(clock.sleep_until(clock.now() + 10))
    second = asyncio.create_task(clock.sleep_until(clock.now() + 5))
    await asyncio.sleep(0)
    assert clock.next() == clock.now() + 5
    second.cancel()
    await asyncio.sleep(0)
    clock.move(clock.now() + 7)
    assert not first.done()
    assert clock.next() == clock.now() + 3
    clock.move(clock.now() - 100)
    assert clock.next() == clock.now() + 3, "never earlier than it is"
    clock.move(clock.now() + 3)
    await first


async def test_a_bot_that_waits_for_what_is_past_without_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Restless:
        name = "restless"

        async def serve(self, chat: object, *, clock: Clock, ready: object) -> None:
            ready()  # type: ignore[operator]
            while True:
                await clock.sleep_until(clock.now() + 1)

        async def idle(self) -> None:
            pass

    monkeypatch.setattr("testkit.kit.WAKES", 20)
    async with BotTest(Restless()) as t:
        await t.advance(seconds=0.019)
        with pytest.raises(AssertionError, match="woke 20 times, and there is no end of it"):
            await t.advance(seconds=1)


async def test_a_live_bot_does_not_answer_what_it_missed(kit: Kit) -> None:
    async with kit(parrot) as t:
        ana = await t.person("ana")
        await t.kill()
        await ana.say("!say hola")
        await ana.silence()
        await t.start()
        await ana.silence()
        await t.dialogue(ana, [("!say adios", "adios")])


async def test_a_resuming_bot_answers_what_it_missed_and_nothing_twice(kit: Kit) -> None:
    async with kit(lambda: parrot("resume"), rooms=["ops"]) as t:
        ana = await t.person("ana", rooms=["ops"])
        await t.dialogue(ana, [("!twice hola", ["hola", "hola"])], room="ops")
        first = t.bot
        await t.restart()
        assert t.bot is not first
        await ana.silence()
        await t.kill()
        await ana.say("!say adios", room="ops")
        await t.start()
        assert (await ana.hears()).text == "adios"
        await t.restart()
        await ana.silence()
        await t.stop()
        await ana.say("!say otra vez", room="ops")
        with pytest.raises(AssertionError, match="The bot does not run"):
            _ = t.chat
        with pytest.raises(AssertionError, match="The bot does not run"):
            await t.stop()
        await t.start()
        assert (await ana.hears()).text == "otra vez"
        await ana.silence()


async def test_a_killed_bot_says_nothing_more(kit: Kit) -> None:
    said = asyncio.Event()
    bot = Bot("slow", start="resume")

    @bot.command
    async def slow(ctx: Context) -> None:
        await ctx.send("one")
        if not said.is_set():
            said.set()
            await asyncio.Event().wait()
        await ctx.send("two")

    async with kit(bot, rooms=["ops"]) as t:
        ana = await t.person("ana", rooms=["ops"])
        await ana.say("!slow", room="ops")
        assert (await ana.hears()).text == "one"
        await t.kill()
        await ana.silence()
        await t.start()
        assert (await ana.hears()).text == "two", "what it had said it does not say again"
        await ana.silence()


async def test_stop_lets_a_handler_finish(kit: Kit) -> None:
    go_on = asyncio.Event()
    bot = Bot("slow")

    @bot.command
    async def slow(ctx: Context) -> None:
        await go_on.wait()
        await ctx.send("done")

    async with kit(bot) as t:
        ana = await t.person("ana")
        await ana.say("!slow")
        asyncio.get_running_loop().call_later(0.05, go_on.set)
        await t.stop()
        assert (await ana.hears()).text == "done"


async def test_a_bot_that_ends_by_itself_fails_the_test(kit: Kit) -> None:
    async with kit(Broken()) as t:
        ana = await t.person("ana")
        await ana.say("hello")
        with pytest.raises(AssertionError, match=r"The bot ended by itself.\n.*\n.*hello") as failure:
            await ana.silence()
        assert isinstance(failure.value.__cause__, ValueError)
        await t.kill()
    with pytest.raises(AssertionError, match="ended by itself") as failure:
        async with kit(Broken()) as t:
            ana = await t.person("ana")
            await ana.say("hello")
            await t.wait(lambda: t._stage.ended() is not None, 5)
    assert isinstance(failure.value.__cause__, ValueError)


async def test_a_bot_whose_key_is_revoked_ends(kit: Kit) -> None:
    async with kit(parrot()) as t:
        ana = await t.person("ana")
        t.operate(RevokeBot(login=t.bot_login))
        await t.wait(lambda: t.chat.login is None)
        await ana.say("!say hola")
        with pytest.raises(AssertionError, match="ended by itself") as failure:
            await ana.silence()
        assert isinstance(failure.value.__cause__, SessionOver)
        with pytest.raises(NoSuchUser):
            t.operate(RevokeBot(login="nobody"))
        await t.kill()


async def test_a_bot_that_does_not_start_fails_the_test(kit: Kit) -> None:
    with pytest.raises(AssertionError, match="ended by itself") as failure:
        async with kit(Broken(ready=False)):
            raise RuntimeError("not reached")
    assert isinstance(failure.value.__cause__, ValueError)
    with pytest.raises(AssertionError, match=r"not ready within 0.2 s"):
        async with kit(Broken(ready=False, ends=False), timeout=0.2):
            raise RuntimeError("not reached")


async def test_a_bot_that_is_never_done_fails_the_test(kit: Kit) -> None:
    async with kit(sleeper(), timeout=0.2) as t:
        ana = await t.person("ana")
        await ana.say("!sleep")
        with pytest.raises(AssertionError, match=r"After 0.2 s the bot is still at work"):
            await ana.silence()


async def test_what_the_test_itself_raises_is_not_hidden(kit: Kit) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with kit(Broken()) as t:
            ana = await t.person("ana")
            await ana.say("hello")
            await t.wait(lambda: t._stage.ended() is not None, 5)
            raise KeyError("mine")


async def test_dialogues(kit: Kit) -> None:
    async with kit(parrot()) as t:
        lines = [
            ("!say hola", "hola"),
            ("!say 123", re.compile(r"\d+")),
            ("!twice a", ["a", re.compile("a")]),
            ("hm", None),
        ]
        await t.dialogue("ana", lines)
        ana = await t.person("ana")
        await t.dialogue(ana, [("say hola", "hola"), ("!say adios", "adios")], private=True)
        with pytest.raises(AssertionError, match=r"Line 2, '!say b': expected 'c', heard 'b'\.\nWhat was said"):
            await t.dialogue(ana, [("!say a", "a"), ("!say b", "c")])
        with pytest.raises(AssertionError, match=r"Line 1, '!say b': expected something like 'c', heard 'b'"):
            await t.dialogue(ana, [("!say b", re.compile("c"))])
        with pytest.raises(AssertionError, match=r"Line 1, 'hm': expected 'hm'\. ana hears nothing"):
            await t.dialogue(ana, [("hm", "hm")])
        with pytest.raises(AssertionError, match=r"Line 1, '!twice a': ana hears what nobody expected: 'a' of parrot"):
            await t.dialogue(ana, [("!twice a", "a")])
        with pytest.raises(AssertionError, match=r"Line 1, '!say a': ana hears what nobody expected"):
            await t.dialogue(ana, [("!say a", None)])
