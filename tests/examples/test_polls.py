"""Polls: asked, voted in by reaction and by command, counted, closed; and as they were after the bot was killed."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

from testkit import BotTest

like = re.compile


async def asked(person: Any, line: str = '!poll "Lunch?" pizza sushi') -> Any:
    """Ask something; the bot's message."""
    await person.say(line)
    return await person.hears()


async def results(person: Any) -> list[str]:
    await person.forget()
    await person.say("!results")
    return (await person.hears()).text.splitlines()


async def test_votes_by_reaction_and_by_command_are_counted(example: Callable[[str], ModuleType], real: bool) -> None:
    async with BotTest(lambda: example("polls").bot, real=real) as t:
        ana, bob, eva = await t.person("ana"), await t.person("bob"), await t.person("eva")
        poll = await asked(ana)
        assert poll.text.splitlines()[:3] == ["📊 Lunch?", "1️⃣ pizza", "2️⃣ sushi"]
        assert {(await ana.sees("reaction")).emoji for _ in range(2)} == {"1️⃣", "2️⃣"}, "the bot shows how"
        await bob.react("2️⃣", poll)
        await ana.say("!vote 1")
        await eva.react("1️⃣", poll)
        assert await results(ana) == [
            "📊 Lunch?",
            "1️⃣ pizza: 2 (ana, eva)",
            "2️⃣ sushi: 1 (bob)",
            "React with a number, or say !vote 1. The last choice counts.",
            "Ahead: pizza",
        ]
        await eva.react("2️⃣", poll)
        assert "2️⃣ sushi: 2 (bob, eva)" in await results(ana)
        await bob.react("2️⃣", poll, on=False)
        assert (await results(ana))[-1] == "A tie: pizza, sushi"
        await ana.say("!close")
        closed = (await ana.hears()).text.splitlines()
        assert (closed[0], closed[-1]) == ("📊 Lunch? (closed)", "A tie: pizza, sushi")
        await bob.react("1️⃣", poll)
        assert (await results(ana))[1] == "1️⃣ pizza: 1 (ana)", "what is closed is closed"


async def test_a_poll_outlives_the_bot_and_votes_given_meanwhile_count(
    example: Callable[[str], ModuleType], real: bool
) -> None:
    async with BotTest(lambda: example("polls").bot, real=real) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        poll = await asked(ana)
        await bob.react("1️⃣", poll)
        await t.restart()
        await ana.react("1️⃣", poll)
        assert "1️⃣ pizza: 2 (bob, ana)" in await results(ana)
        assert sum("📊" in post.text for post in await ana.history()) == 2, "the question was put once"


async def test_what_is_no_poll_is_refused(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("polls").bot) as t:
        await t.dialogue(
            "ana",
            [
                ("!vote 1", like("No poll is open")),
                ("!results", like("no poll here yet")),
                ("!close", like("no open poll")),
                ('!poll "Lunch?" pizza', like("Between 2 and 10")),
                ('!poll "Lunch?" pizza PIZZA', like("different")),
                ('!poll "Lunch?" a b c d e f g h i j k', like("Between 2 and 10")),
            ],
        )
        ana = await t.person("ana")
        await asked(ana)
        await ana.forget()
        for line in ("!vote 3", "!vote 0"):
            await ana.say(line)
            assert "There are 2 choices" in (await ana.hears()).text
        await ana.direct('!poll "Lunch?" pizza sushi', to=t.bot_login)
        assert "Ask that in a room" in (await ana.hears()).text


async def test_only_whoever_asked_or_a_moderator_closes(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("polls").bot) as t:
        ana, bob, eva = await t.person("ana"), await t.person("bob"), await t.person("eva")
        await ana.create("den")
        for person in (bob, eva):
            await person.join("den")
        await ana.invite(t.bot_login, "den")
        await bob.say('!poll "Lunch?" pizza sushi', room="den")
        await bob.hears("den")
        await bob.forget()
        await eva.forget()
        await eva.say("!close", room="den")
        assert "no open poll here that you could close" in (await eva.hears("den")).text
        await ana.say("!close", room="den")
        assert (await eva.hears("den")).text == "!close"
        assert "(closed)" in (await eva.hears("den")).text


async def test_other_reactions_are_no_votes(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("polls").bot) as t:
        ana = await t.person("ana")
        poll = await asked(ana)
        other = await ana.say("a message")
        await ana.react("1️⃣", other)
        await ana.react("3️⃣", poll)
        await ana.react("👍", poll)
        assert (await results(ana))[-1] == "Nobody has voted yet."


async def test_the_oldest_polls_are_forgotten(example: Callable[[str], ModuleType]) -> None:
    module = example("polls")
    module.KEPT = 2
    async with BotTest(module.bot) as t:
        ana = await t.person("ana")
        first = await asked(ana, "!poll One? a b")
        for question in ("Two?", "Three?"):
            await ana.forget()
            await asked(ana, f"!poll {question} a b")
        await ana.forget()
        await ana.react("1️⃣", first)
        for question in ("Three?", "Two?"):
            await ana.forget()
            await ana.say("!close")
            assert question in (await ana.hears()).text
        await ana.say("!close")
        assert "no open poll" in (await ana.hears()).text
