"""Dice: what is thrown, what is refused, and what whoever asks for help is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import ModuleType

import pytest

from testkit import BotTest

like = re.compile


async def test_dice_are_thrown(example: Callable[[str], ModuleType], real: bool) -> None:
    async with BotTest(lambda: example("dice").bot, real=real) as t:
        await t.dialogue(
            "ana",
            [
                ("!roll", like(r"🎲 [1-6]$")),
                ("!roll 2 1", like(r"🎲 2 \(1 \+ 1\)")),
                ("!roll 3d1+2", like(r"🎲 5 \(1 \+ 1 \+ 1 \+ 2\)")),
                ("!roll d1-1", like(r"🎲 0 \(1 - 1\)")),
                ("nothing of the kind", None),
            ],
        )


@pytest.mark.parametrize("line", ["!roll 51d6", "!roll 0", "!roll 2 0", "!roll 1d1001", "!roll 1d6+9999"])
async def test_there_are_not_so_many_dice(example: Callable[[str], ModuleType], line: str) -> None:
    async with BotTest(lambda: example("dice").bot) as t:
        await t.dialogue("ana", [(line, like("I have 50 dice"))])


async def test_whoever_gets_it_wrong_is_told_how_to_do_it(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("dice").bot) as t:
        await t.dialogue(
            "ana",
            [
                ("!roll six", like("How many dice")),
                ("!roll 1 six", like("sides")),
                ("!help roll", like("3d6")),
                ("!rol", like("!roll")),
            ],
        )


async def test_one_of_several_is_chosen(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("dice").bot) as t:
        await t.dialogue(
            "ana", [('!pick "dark red" "dark red"', like("^dark red$")), ("!pick one", like("What is there"))]
        )


async def test_nobody_throws_without_end(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("dice").bot) as t:
        ana = await t.person("ana")
        for _ in range(5):
            await ana.say("!roll")
            assert "🎲" in (await ana.hears()).text
        await ana.say("!roll")
        assert "Wait" in (await ana.hears()).text
        await t.advance(seconds=11)
        await ana.say("!roll")
        assert "🎲" in (await ana.hears()).text
