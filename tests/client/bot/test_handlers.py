"""What handlers are called for and what they can do: in memory by the broker's own rules, and on a real broker."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from typing import Any

import pytest

from broker.chat.settings import ChatSettings
from client.bot import BadHandler, Bot, Context, Event, Message
from client.bot.context import TYPING_AGAIN_MS
from client.link.updates import WritesNow
from common import limits
from common import messages as m
from common.errors import NotMember, TooMany
from common.limits import Rate
from testkit import BotTest

LOBBY = "lobby"


@pytest.fixture(params=[False, True], ids=["memory", "real"])
def real(request: pytest.FixtureRequest) -> bool:
    """Whether there are sockets."""
    return bool(request.param)


def roller(**options: Any) -> Bot:
    """A bot with one command and one listener."""
    bot = Bot("dice", **options)

    @bot.command(aliases=["r"], cooldown="2/10s per user")
    async def roll(ctx: Context, n: int = 1, sides: int = 6) -> None:
        """Roll dice.

        Example: !roll 2 6
        """
        await ctx.reply(f"{n} of {sides}")

    @bot.on_message(r"(?i)good (?P<part>morning|night)(?: x(?P<times>\d+))?")
    async def greet(ctx: Context, part: str, times: int = 1) -> None:
        await ctx.send(f"{part} {times}")

    return bot


async def test_a_command_and_all_that_can_be_wrong_with_it(real: bool) -> None:
    async with BotTest(roller(), real=real) as t:
        await t.dialogue(
            "ana",
            [
                ("!roll 2 20", "2 of 20"),
                ("@dice r 3", "3 of 6"),
                ("!ROLL", "Wait 10 s before the next !roll."),
                ("!roll", None),
                ("roll 2", None),
                ("good morning", "morning 1"),
                ("GOOD night x3", "night 3"),
            ],
            LOBBY,
        )
        await t.dialogue("bob", [("!roll x", "n must be a number, not 'x'. Usage: !roll [n] [sides]")], LOBBY)
        await t.advance(seconds=10)
        await t.dialogue("ana", [("!rol 1", "There is no command !rol; did you mean !roll?"), ("!hello", None)], LOBBY)
        await t.dialogue(
            "ana", [("roll 4", "4 of 6"), ("hm", "I do not know 'hm'; !help says what I do.")], private=True
        )


async def test_help_is_made_from_the_commands() -> None:
    async with BotTest(roller()) as t:
        await t.dialogue(
            "ana",
            [
                ("!help", "!roll [n] [sides] · Roll dice.\n!help COMMAND says more."),
                (
                    "!help r",
                    "!roll [n] [sides]\nRoll dice.\nFor instance: !roll 2 6\nAlso: !r\nAt most 2/10s per user",
                ),
                ("@dice help rool", "There is no command !rool; did you mean !roll?"),
            ],
            LOBBY,
        )
    async with BotTest(roller(help=False)) as t:
        await t.dialogue("ana", [("!help", None)], LOBBY)


async def test_the_bot_speaks_the_language_of_its_process(spanish: None) -> None:
    async with BotTest(roller()) as t:
        await t.dialogue("ana", [("!roll x", "n tiene que ser un número, no 'x'. Uso: !roll [n] [sides]")], LOBBY)


async def test_an_operator_overrides_a_cooldown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERTULIA_BOT_COOLDOWN_ROLL", "1/5s per user")
    async with BotTest(roller()) as t:
        await t.dialogue("ana", [("!roll", "1 of 6"), ("!roll", "Wait 5 s before the next !roll.")], LOBBY)


def test_decorators_give_the_function_back() -> None:
    bot = Bot()

    async def handler(ctx: Context, *rest: str) -> None: ...
    async def listener(ctx: Context) -> None: ...
    async def happening(ctx: Context, event: Event) -> None: ...

    assert bot.command(handler) is handler
    assert bot.command("other", help="…", require="moderator")(handler) is handler
    assert bot.on_message(listener) is listener
    assert bot.on_message(mention=True)(listener) is listener
    assert bot.on_event("join")(happening) is happening
    assert bot.every("5m", rooms=["lobby"])(listener) is listener
    assert bot.on_error(happening) is happening


async def wants_event(ctx: Context, event: Event) -> None: ...
async def plain(ctx: Context) -> None: ...
async def named(ctx: Context, env: str) -> None: ...


@pytest.mark.parametrize(
    ("decorate", "said"),
    [
        (lambda bot: bot.command("two words")(plain), "is no name for a command"),
        (lambda bot: [bot.command(plain), bot.command("plain")(named)], "There are two commands 'plain'"),
        (lambda bot: bot.command(require="boss")(plain), "expected 'moderator'"),
        (lambda bot: bot.command(rooms="lobby")(plain), "expected names in a tuple or list"),
        (lambda bot: bot.command(cooldown="often")(plain), "is no cooldown"),
        (lambda bot: bot.on_message("(")(plain), "is no regular expression"),
        (lambda bot: bot.on_message("x")(named), "named groups of the pattern"),
        (lambda bot: bot.on_message("(?P<other>x)(?P<env>y)")(named), "named groups of the pattern"),
        (lambda bot: bot.on_event("arrival")(wants_event), "'arrival' is no event"),
        (lambda bot: bot.on_event()(wants_event), "name an event"),
        (lambda bot: bot.on_event("join")(plain), "def plain(ctx, event, …)"),
        (lambda bot: bot.every("soon")(plain), "is no span of time"),
        (lambda bot: Bot(start="later"), "expected 'live' or 'resume'"),
        (lambda bot: Bot(rooms="lobby"), "expected names in a tuple or list"),
    ],
)
def test_what_cannot_work_is_refused_where_it_is_written(decorate: Any, said: str) -> None:
    with pytest.raises(BadHandler) as refused:
        decorate(Bot())
    assert said in str(refused.value)


async def test_listeners_take_nothing_from_each_other_nor_from_commands(real: bool) -> None:
    bot, heard = Bot("dice"), []

    @bot.on_message
    async def everything(ctx: Context) -> None:
        heard.append(("everything", ctx.message.text))

    @bot.on_message
    async def everything_again(ctx: Context) -> None:
        heard.append(("again", ctx.message.text))

    @bot.on_message(mention=True)
    async def mentioned(ctx: Context) -> None:
        heard.append(("mention", ctx.message.text))

    @bot.on_message(direct=True)
    async def private(ctx: Context) -> None:
        heard.append(("direct", ctx.message.text))

    @bot.on_message(rooms=["dev"])
    async def elsewhere(ctx: Context) -> None:
        heard.append(("dev", ctx.message.text))

    @bot.command
    async def go(ctx: Context) -> None:
        heard.append(("command", ctx.message.text))

    async with BotTest(bot, real=real) as t:
        ana = await t.person("ana")
        await ana.say("!go")
        await t.settle()
        assert sorted(heard) == [("again", "!go"), ("command", "!go"), ("everything", "!go")]
        heard.clear()
        await ana.say("hello @DICE!")
        await t.settle()
        assert {name for name, _ in heard} == {"everything", "again", "mention"}
        heard.clear()
        await ana.direct("psst", t.bot_login)
        await t.settle()
        assert {name for name, _ in heard} == {"everything", "again", "mention", "direct"}


async def test_roles(real: bool) -> None:
    bot = Bot("dice", rooms=["dev"])

    @bot.command(require="moderator")
    async def clear(ctx: Context) -> None:
        await ctx.reply(f"cleared for a {ctx.author.role}")

    @bot.on_message("secret", require="creator")
    async def secret(ctx: Context) -> None:
        await ctx.reply("yes?")

    async with BotTest(bot, real=real) as t:
        await t.person("mona", moderator_of=["dev"])
        await t.person("ana", rooms=["dev"])
        await t.dialogue("mona", [("!clear", "cleared for a moderator"), ("secret", None)], "dev")
        await t.dialogue("ana", [("!clear", "!clear is only for moderators.")], "dev")
        refusal = "!clear is only for moderators. Say it in the room."
        await t.dialogue("mona", [("clear", refusal)], private=True)


async def test_what_a_context_does(real: bool) -> None:
    bot = Bot("dice")
    made: list[Message] = []

    @bot.command
    async def act(ctx: Context) -> None:
        made.append(await ctx.reply("first"))
        await ctx.react("👍")
        await ctx.edit(made[0], "second")
        await ctx.direct("psst")
        await ctx.send("to bob", "@bob")
        await ctx.retract(await ctx.send("gone"))
        assert ctx.room is not None
        assert [user.login for user in await ctx.room.members()] == ["ana", "bob", "dice"]
        assert [user.bot for user in await ctx.room.members()] == [False, False, True]
        await ctx.room.send("last")

    async with BotTest(bot, real=real) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        said = await ana.say("!act")
        await t.settle()
        texts = [post.text for post in await ana.history()]
        assert texts == ["!act", "second", "last"]
        assert (made[0].reply_to, made[0].author.login, made[0].hops) == (said.seq, "dice", 1)
        assert (await ana.sees("reaction")).target == said.seq
        heard = {(await ana.hears(log)).text for log in ("@ana",)}
        assert heard == {"psst"}
        assert (await bob.hears("@bob")).text == "to bob"


async def test_a_plain_def_runs_in_a_thread_and_does_all_the_same(real: bool) -> None:
    bot = Bot("dice")

    @bot.command
    def act(ctx: Any, *, text: str) -> None:
        first = ctx.reply(f"you said {text} in {ctx.room.name}")
        with ctx.typing():
            ctx.edit(first, str([user.login for user in ctx.room.members()]))
        ctx.store.put("last", text)
        answer = ctx.ask("sure?")
        ctx.reply(f"{answer.text}, {answer.author.login}: {ctx.store.get('last')}")

    @bot.on_event("reaction")
    def reacted(ctx: Any, event: Event) -> None:
        event.room.send(event.emoji)

    async with BotTest(bot, real=real) as t:
        ana = await t.person("ana")
        said = await ana.say("!act now")
        assert (await ana.hears()).text == "you said now in lobby"
        assert (await ana.hears()).text == "sure?"
        await ana.say("yes")
        assert (await ana.hears()).text == "yes, ana: now"
        await ana.react("👍", said)
        assert (await ana.hears()).text == "👍"
        assert (await ana.history())[1].text == "['ana', 'dice']"


async def test_a_failing_handler_tells_a_number_that_is_in_the_log_and_stops_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bot = roller()

    @bot.command
    async def broken(ctx: Context) -> None:
        raise ZeroDivisionError("secret detail")

    @bot.command
    def broken_thread(ctx: Context) -> None:
        raise StopIteration

    @bot.command
    async def cancels(ctx: Context) -> None:
        raise asyncio.CancelledError

    @bot.command
    async def refused(ctx: Context) -> None:
        await ctx.room.remove("nobody")  # type: ignore[union-attr]

    @bot.on_message("quietly")
    async def never(ctx: Context) -> None:
        raise NotMember

    @bot.every(60)
    async def timer(ctx: Context) -> None:
        raise ValueError

    async with BotTest(bot) as t:
        ana = await t.person("ana")
        for command in ("!broken", "!broken_thread"):
            await ana.say(command)
            found = re.fullmatch(r"Something went wrong \(error ([0-9a-f]{4})\)\.", (await ana.hears()).text)
            assert found is not None
            record = next(each for each in caplog.records if getattr(each, "fields", {}).get("id") == found[1])
            assert record.levelno == logging.ERROR
            assert record.exc_info is not None
        await t.dialogue("ana", [("!refused", re.compile(r"That did not work: .+ \(error [0-9a-f]{4}\)"))], LOBBY)
        await t.dialogue("ana", [("quietly", None), ("!cancels", None)], LOBBY)
        await t.advance(minutes=2)
        await t.dialogue("ana", [("!roll 2", "2 of 6")], LOBBY)
        assert not any("secret detail" in post.text for post in await ana.history())


async def test_an_author_may_handle_errors() -> None:
    bot = Bot("dice")

    @bot.command
    async def broken(ctx: Context) -> None:
        raise ZeroDivisionError

    @bot.on_error
    def sorry(ctx: Any, error: Exception) -> None:
        ctx.reply(f"oh, {type(error).__name__}")

    async with BotTest(bot) as t:
        await t.dialogue("ana", [("!broken", "oh, ZeroDivisionError")], LOBBY)


async def test_questions(real: bool) -> None:
    bot = roller()
    listened = []

    @bot.command
    async def quiz(ctx: Context) -> None:
        answer = await ctx.ask("2 + 2?", timeout=30)
        await ctx.reply("right" if answer.text == "4" else f"no, not {answer.text}")

    @bot.on_message
    async def listen(ctx: Context) -> None:
        listened.append(ctx.message.text)

    async with BotTest(bot, real=real) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        await t.dialogue(ana, [("!quiz", "2 + 2?")], LOBBY)
        await t.dialogue(bob, [("5", None), ("!roll", "1 of 6")], LOBBY)
        await ana.forget()
        await t.dialogue(ana, [("!roll", "1 of 6"), ("4", "right"), ("4", None)], LOBBY)
        assert listened == ["!quiz", "5", "!roll", "!roll", "4"], "the answer was for the question alone"
        await t.dialogue(ana, [("!quiz", "2 + 2?")], LOBBY)
        await t.dialogue(ana, [("!quiz", "2 + 2?"), ("7", "no, not 7")], LOBBY)
        await t.dialogue(ana, [("quiz", "2 + 2?"), ("roll", "no, not roll")], private=True)
        await t.dialogue(ana, [("!quiz", "2 + 2?")], LOBBY)
        await t.advance(seconds=31)
        assert (await ana.hears()).text == "No answer came, so I leave it."
        await t.dialogue(ana, [("4", None)], LOBBY)


async def test_two_questions_of_one_handler_at_once_leave_the_newer_one_open() -> None:
    bot = Bot("quiz")

    @bot.command
    async def both(ctx: Context) -> None:
        async def ask(question: str) -> str:
            try:
                return (await ctx.ask(question)).text
            except TimeoutError:
                return "nothing"

        await ctx.reply(str(await asyncio.gather(ask("a?"), ask("b?"))))

    async with BotTest(bot) as t:
        ana = await t.person("ana")
        await t.dialogue(ana, [("!both", ["a?", "b?"]), ("yes", "['nothing', 'yes']")], LOBBY)


async def test_one_room_keeps_its_order_and_the_others_go_on(real: bool) -> None:
    bot = Bot("dice", rooms=["dev"])
    gate, others, loop, order = asyncio.Event(), asyncio.Event(), asyncio.get_running_loop(), []

    @bot.command
    async def slow(ctx: Context, n: int) -> None:
        order.append(f"begin {n}")
        await gate.wait()
        order.append(f"end {n}")

    @bot.command
    def quick(ctx: Any, n: int) -> None:
        order.append(f"{ctx.room.name if ctx.room else ctx.author.login} {n}")
        if len(order) == 3:
            loop.call_soon_threadsafe(others.set)

    async with BotTest(bot, real=real, timeout=20) as t:
        ana, bob = await t.person("ana", rooms=["dev"]), await t.person("bob")
        await ana.say("!slow 1")
        await ana.say("!quick 2")
        await ana.say("!quick 3")
        await ana.say("!quick 1", "dev")
        await bob.direct("quick 1", t.bot_login)
        await others.wait()
        assert order[0] == "begin 1"
        assert sorted(order[1:]) == ["bob 1", "dev 1"]
        gate.set()
        await t.settle()
        assert order[3:] == ["end 1", "lobby 2", "lobby 3"]


async def test_aside_lets_the_room_go_on() -> None:
    bot, gate, order = Bot("dice"), asyncio.Event(), []

    @bot.command
    async def long(ctx: Context) -> None:
        async with ctx.aside():
            await gate.wait()
        order.append("long")

    @bot.command
    async def short(ctx: Context) -> None:
        order.append("short")
        gate.set()

    async with BotTest(bot) as t:
        ana = await t.person("ana")
        await ana.say("!long")
        await ana.say("!short")
        await t.settle()
        assert order == ["short", "long"]


async def test_events(real: bool) -> None:
    bot, seen = Bot("dice"), []

    @bot.on_event("join", "leave", "topic", "reaction", "edit", "retract", "invited", "joined", "left")
    async def note(ctx: Context, event: Event) -> None:
        seen.append((event.kind, ctx.author.login, event.room.name if event.room else "", event.text or event.emoji))

    async with BotTest(bot, real=real) as t:
        ana = await t.person("ana")
        await t.settle()
        assert seen == [("join", "ana", "lobby", "")]
        seen.clear()
        await t.room("dev", by=ana, people=["bob"])
        bob = await t.person("bob")
        said = await ana.say("hello", "dev")
        await ana.edit(said, "hello!")
        await bob.react("👍", said)
        await ana.retract(said)
        await ana.set_subject("dev", "work")
        await bob.leave("dev")
        await t.settle()
        assert {
            ("joined", "dice", "dev", ""),
            ("edit", "ana", "dev", "hello!"),
            ("reaction", "bob", "dev", "👍"),
            ("retract", "ana", "dev", ""),
            ("topic", "ana", "dev", "work"),
            ("leave", "bob", "dev", ""),
        } <= set(seen)
        kinds = [kind for kind, *_ in seen if kind in ("edit", "reaction", "retract")]
        assert kinds == ["edit", "reaction", "retract"]
        seen.clear()
        await t.room("secret", by=ana, private=True)
        assert t.chat.room("secret") is not None, "a bot without rooms of its own goes where it is invited"
        await ana.remove(t.bot_login, "secret")
        await t.settle()
        assert [each for each in seen if each[0] in ("invited", "left")] == [
            ("invited", "ana", "", "secret"),
            ("left", "dice", "secret", ""),
        ]


async def test_a_bot_that_was_told_where_to_be_stays_there() -> None:
    async with BotTest(Bot("dice", rooms=["dev"])) as t:
        ana = await t.person("ana", rooms=["dev"])
        await ana.create("secret", private=True)
        await ana.invite(t.bot_login, "secret")
        await t.settle()
        assert t.chat.room("secret") is None
        assert t.chat.room("dev") is not None


async def test_timers(real: bool) -> None:
    bot, ticks = Bot("dice", rooms=["dev"]), []

    @bot.every("5m", rooms=["dev", "nowhere"])
    async def beat(ctx: Context) -> None:
        await ctx.send(f"beat at {ctx.now % 3_600_000 // 60_000}")

    @bot.every("cron: */20 * * * *")
    def by_the_clock(ctx: Any) -> None:
        assert ctx.room is None
        ticks.append(ctx.now % 3_600_000 // 60_000)

    async with BotTest(bot, real=real) as t:
        ana = await t.person("ana", rooms=["dev"])
        await t.advance(minutes=12)
        assert [(await ana.hears("dev")).text for _ in range(2)] == ["beat at 5", "beat at 10"]
        await t.advance(minutes=30)
        assert ticks == [20, 40]


async def test_a_timer_at_work_is_not_begun_again_and_catches_up_with_nothing() -> None:
    bot, gate, begun = Bot("dice"), asyncio.Event(), []

    @bot.every(60)
    async def slow(ctx: Context) -> None:
        begun.append(ctx.now)
        await gate.wait()

    async with BotTest(bot, timeout=20) as t:
        serving = t.clock
        start = serving.now()
        serving.move(start + 60_000)
        await asyncio.sleep(0.01)
        serving.move(start + 600_000)
        await asyncio.sleep(0.01)
        assert begun == [start + 60_000]
        gate.set()
        await t.advance(minutes=1)
        assert begun == [start + 60_000, start + 660_000]


async def test_the_store(real: bool) -> None:
    bot = Bot("dice", start="resume")

    @bot.command
    async def keep(ctx: Context, key: str, *, text: str) -> None:
        await ctx.store.put(key, {"text": text, "by": ctx.author.login})
        found = await ctx.store.get(key)
        await ctx.reply(f"{found} {await ctx.store.keys()} {await ctx.bot.store.get('none', 7)}")

    @bot.command
    async def drop(ctx: Context, key: str) -> None:
        await ctx.store.delete(key)
        await ctx.store.delete(key)
        await ctx.reply(f"{await ctx.store.get(key)}")

    @bot.command
    async def flood(ctx: Context) -> None:
        with pytest.raises(TooMany, match="under one key"):
            await ctx.store.put("big", "x" * limits.STORE_VALUE_BYTES)
        with pytest.raises(TypeError):
            await ctx.store.put("set", {1, 2})
        await ctx.reply("as it should be")

    async with BotTest(bot, real=real) as t:
        expected = "{'text': 'ñandú', 'by': 'ana'} ['bird'] 7"
        await t.dialogue("ana", [("!keep bird ñandú", expected), ("!flood", "as it should be")], LOBBY)
        await t.restart()
        await t.dialogue("ana", [("!drop bird", "None")], LOBBY)


async def test_programs_do_not_answer_one_another_for_ever(real: bool) -> None:
    """A bot that hears programs, and one account that is a bot and repeats what it hears: the broker ends it."""
    bot, hops = Bot("dice", bots=True), []

    @bot.on_message("ping")
    async def again(ctx: Context) -> None:
        hops.append(ctx.message.hops)
        await ctx.reply("ping")

    deaf, heard = Bot("dice"), []

    @deaf.on_message
    async def hear(ctx: Context) -> None:
        heard.append(ctx.message.text)

    for each in (bot, deaf):
        async with BotTest(each, real=real) as t:
            ana = await t.person("ana")
            # What another program would say: people's clients may declare hops, too.
            for count in range(limits.HOPS + 1):
                await ana.request(m.Send(room=LOBBY, text="ping", nonce=os.urandom(16), hops=count))
                await t.settle()
    assert hops == list(range(limits.HOPS + 1)), "the last one is heard, and the answer to it refused"
    assert heard == ["ping"], "what a program said is not heard unless it is asked for"


async def test_a_long_answer_becomes_several_messages(real: bool) -> None:
    bot = Bot("dice")

    @bot.command
    async def read(ctx: Context) -> None:
        await ctx.reply("\n".join(f"{number} " + "x" * 90 for number in range(200)))

    async with BotTest(bot, real=real) as t:
        ana = await t.person("ana")
        await ana.say("!read")
        parts = [(await ana.hears()).text for _ in range(3)]
        assert "\n".join(parts).count("\n") == 199


async def test_people_see_that_a_long_command_is_at_work(real: bool) -> None:
    bot, begun, gate = Bot("dice"), asyncio.Event(), asyncio.Event()

    @bot.command
    async def long(ctx: Context) -> None:
        begun.set()
        await gate.wait()
        await ctx.reply("done")

    async with BotTest(bot, real=real, timeout=20) as t:
        ana = await t.person("ana")
        updates = ana.chat.updates()

        async def notice() -> WritesNow:
            async with asyncio.timeout(20):
                return await anext(each async for each in updates if isinstance(each, WritesNow))

        await ana.say("!long")
        await begun.wait()
        await asyncio.sleep(0)
        start = t.clock.now()
        t.clock.move(start + 999)
        for later in (1_000, 1_000 + TYPING_AGAIN_MS):
            t.clock.move(start + later)
            assert await notice() == WritesNow(LOBBY, "dice", True)
        gate.set()
        assert (await ana.hears()).text == "done"
        assert await notice() == WritesNow(LOBBY, "dice", False)


async def test_a_flood_is_slow_and_keeps_its_order(real: bool) -> None:
    bot, count = Bot("dice"), 300

    @bot.command
    async def flood(ctx: Context) -> None:
        await asyncio.gather(*(ctx.send(str(number)) for number in range(count)))

    settings = ChatSettings(bot_posts=Rate(200, 50))
    async with BotTest(bot, real=real, settings=settings, timeout=30) as t:
        ana = await t.person("ana")
        await ana.say("!flood")
        assert [(await ana.hears()).text for _ in range(count)] == [str(number) for number in range(count)]


async def test_a_cooldown_for_each_room_is_for_each_person_in_private() -> None:
    bot = Bot("dice")

    @bot.command(cooldown="1/1m per room")
    async def go(ctx: Context) -> None:
        await ctx.reply("gone")

    async with BotTest(bot) as t:
        await t.dialogue("ana", [("go", "gone"), ("go", "Wait 60 s before the next !go.")], private=True)
        await t.dialogue("bob", [("go", "gone")], private=True)


async def test_a_bot_is_where_its_key_lets_it(real: bool) -> None:
    narrow = ["read:dev", "write:dev"]
    async with BotTest(roller(), real=real, scopes=narrow, rooms=["dev"]) as t:
        await t.person("ana", rooms=["dev"])
        await t.dialogue("ana", [("!roll 2", "2 of 6")], "dev")
        await t.dialogue("ana", [("!roll 2", None)], LOBBY)
        await t.dialogue("ana", [("roll 2", None)], private=True)
        assert list(t.chat.rooms) == ["dev"]
