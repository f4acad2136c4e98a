"""The bridge at work: a room in memory or on a real broker, a real ngircd, and a real client on the other side."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from testkit import BotTest
from tests.examples.ircd import CHANNEL, Ircd, IrcPerson

pytest.importorskip("irc")

SOON_S = 20.0


@pytest.fixture
def ircd(tmp_path: Path) -> Iterator[Ircd]:
    server = Ircd(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def load(
    example: Callable[[str], ModuleType], ircd: Ircd, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., ModuleType]:
    """The bridge, with these variables set."""

    def load(**more: str) -> ModuleType:
        variables = {"SERVER": f"127.0.0.1:{ircd.port}", "CHANNEL": CHANNEL, "NICK": "bridge", "PACE": "0.01", **more}
        for name, value in variables.items():
            monkeypatch.setenv(f"TERTULIA_IRC_{name}", value)
        return example("irc_bridge/irc_bridge")

    return load


@asynccontextmanager
async def bridged(module: ModuleType, ircd: Ircd, real: bool = False) -> AsyncIterator[tuple[Any, IrcPerson]]:
    """The bot on a broker, Zoe in the channel, and the bridge between them."""
    zoe = await IrcPerson.arrive(ircd.port, "zoe")
    async with BotTest(module.bot, real=real) as t:
        await t.advance(seconds=2)
        await zoe.hears(r"bridge\S* JOIN")
        try:
            yield t, zoe
        finally:
            for task in module.tasks:
                task.cancel()
            await asyncio.gather(*module.tasks, return_exceptions=True)
            await zoe.leave()


async def heard(person: Any) -> str:
    return str((await person.hears(within=SOON_S)).text)


async def test_both_sides_hear_each_other_with_names(load: Callable[..., ModuleType], ircd: Ircd, real: bool) -> None:
    async with bridged(load(), ircd, real) as (t, zoe):
        ana = await t.person("ana")
        await ana.say("hola, ¿qué tal?")
        assert await zoe.hears_text("hola") == "<ana> hola, ¿qué tal?"
        zoe.say("bien, \x02gracias\x02 \x0304ana\x03")
        assert await heard(ana) == "<zoe> bien, gracias ana"
        await ana.say("_ana waves_")
        assert await zoe.hears_text("waves") == "* ana waves"
        zoe.say("\x01ACTION waves back\x01")
        assert await heard(ana) == "_zoe waves back_"
        await ana.silence()


async def test_edits_and_what_is_taken_back_are_told(load: Callable[..., ModuleType], ircd: Ircd) -> None:
    async with bridged(load(), ircd) as (t, zoe):
        ana = await t.person("ana")
        post = await ana.say("helo")
        assert await zoe.hears_text("helo") == "<ana> helo"
        await ana.edit(post, "hello")
        assert await zoe.hears_text("hello") == '<ana> (corrected) hello (instead of "helo")'
        await ana.retract(post)
        assert await zoe.hears_text("took back") == '* ana took back: "hello"'


async def test_an_answer_says_whom_it_answers(load: Callable[..., ModuleType], ircd: Ircd) -> None:
    async with bridged(load(), ircd) as (t, zoe):
        ana, bob = await t.person("ana"), await t.person("bob")
        question = await ana.say("tea?")
        await bob.say("yes", reply_to=question)
        assert await zoe.texts_until("<bob> ana: yes") == ["<ana> tea?", "<bob> ana: yes"]


async def test_long_and_many_lines_arrive_whole(load: Callable[..., ModuleType], ircd: Ircd) -> None:
    async with bridged(load(), ircd) as (t, zoe):
        ana = await t.person("ana")
        text = " ".join(f"ñandú{n}" for n in range(150))
        await ana.say(text)
        await ana.say("first\n\nsecond\nend")
        got = await zoe.texts_until("<ana> end")
        assert got[-3:] == ["<ana> first", "<ana> second", "<ana> end"]
        assert all(line.startswith("<ana> ") for line in got)
        assert " ".join(line.removeprefix("<ana> ") for line in got[:-3]) == text
        assert len(got) > 5


async def test_nothing_goes_round_in_circles(load: Callable[..., ModuleType], ircd: Ircd) -> None:
    """What came from IRC does not go back, commands in it are no commands, notices are not carried."""
    async with bridged(load(), ircd) as (t, zoe):
        ana = await t.person("ana")
        zoe.say("!irc", "first")
        assert [await heard(ana), await heard(ana)] == ["<zoe> !irc", "<zoe> first"]
        zoe.send(f"NOTICE {CHANNEL} :I am a program")
        zoe.say("second")
        assert await heard(ana) == "<zoe> second"
        await ana.silence()
        await ana.say("the end")
        assert await zoe.texts_until("<ana> the end") == ["<ana> the end"]


async def test_programs_of_the_room_speak_in_notices(load: Callable[..., ModuleType], ircd: Ircd) -> None:
    async with bridged(load(), ircd) as (t, zoe):
        ana = await t.person("ana")
        await ana.say("!irc")
        assert await heard(ana) == f"In {CHANNEL} on 127.0.0.1 as bridge, with zoe."
        dice = await t.person("dice")
        await dice.chat.post("lobby", "🎲 4", hops=1)
        assert await zoe.hears_text("4", "NOTICE") == "<dice> 🎲 4"


async def test_whoever_is_on_irc_can_ask_who_is_in_the_room(load: Callable[..., ModuleType], ircd: Ircd) -> None:
    async with bridged(load(), ircd) as (t, zoe):
        await t.person("ana")
        zoe.send("PRIVMSG bridge :names")
        assert "ana" in await zoe.hears_text("In lobby", "NOTICE")
        zoe.send("PRIVMSG bridge :hello?")
        assert "Say: names" in await zoe.hears_text("carry", "NOTICE")


async def test_comings_and_goings_are_told_if_asked_for(load: Callable[..., ModuleType], ircd: Ircd) -> None:
    async with bridged(load(PRESENCE="1"), ircd) as (t, zoe):
        ana = await t.person("ana")
        assert await zoe.hears_text("ana", "NOTICE") == "* ana has joined lobby"
        zoe.send("NICK zoe2")
        assert await heard(ana) == "_zoe is now zoe2_"
        yan = await IrcPerson.arrive(ircd.port, "yan")
        assert await heard(ana) == f"_yan has joined {CHANNEL}_"
        await yan.leave()
        assert await heard(ana) == f"_yan has left {CHANNEL}_"


async def test_comings_and_goings_are_not_told_otherwise(load: Callable[..., ModuleType], ircd: Ircd) -> None:
    async with bridged(load(), ircd) as (t, zoe):
        ana = await t.person("ana")
        yan = await IrcPerson.arrive(ircd.port, "yan")
        yan.say("hi")
        assert await heard(ana) == "<yan> hi"
        await ana.say("hola")
        assert await zoe.texts_until("<ana> hola") == ["hi", "<ana> hola"]
        await yan.leave()


async def test_what_is_said_while_irc_is_away_goes_out_in_order_when_it_is_back(
    load: Callable[..., ModuleType], ircd: Ircd
) -> None:
    module = load()
    async with bridged(module, ircd) as (t, zoe):
        ana = await t.person("ana")
        await ana.say("before")
        await zoe.hears_text("before")
        there = module.link.settings
        module.link.settings = dataclasses.replace(there, port=1)  # so that somebody is there before the bridge
        ircd.stop()
        for number in range(3):
            await ana.say(f"meanwhile {number}")
        await ana.direct("!irc", to=t.bot_login)
        assert "Not in" in await heard(ana)
        ircd.start()
        again = await IrcPerson.arrive(ircd.port, "yan")
        module.link.settings = there
        assert await again.texts_until("<ana> meanwhile 2") == [f"<ana> meanwhile {n}" for n in range(3)]
        await again.leave()


async def test_a_room_that_says_too_much_at_once_is_told_of_what_is_lost(load: Callable[..., ModuleType]) -> None:
    module = load()
    module.WAITING = 2
    for number in range(5):
        module.hear(module.Heard("said", "zoe", f"line {number}"))
    assert (module.lost, module.waiting.qsize()) == (3, 2)
    assert module.waiting.get_nowait().text == "line 3"


@pytest.mark.parametrize("missing", [{"SERVER": ""}, {"SERVER": "host"}, {"CHANNEL": ""}, {"CHANNEL": "circle"}])
def test_what_is_not_set_is_asked_for(load: Callable[..., ModuleType], missing: dict[str, str]) -> None:
    with pytest.raises(SystemExit, match="Set TERTULIA_IRC_SERVER"):
        load(**missing)
