"""Reminders: told when they are due, to whom they belong; late after an absence, never lost, and once."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from testkit import BotTest

like = re.compile


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERTULIA_ZONE", "Europe/Madrid")  # the kit's clock begins at 13:00 there, on a Monday


async def test_a_reminder_is_told_when_it_is_due(example: Callable[[str], ModuleType], real: bool) -> None:
    async with BotTest(lambda: example("reminders").bot, real=real) as t:
        ana = await t.person("ana")
        await ana.say("!remind me in 20m to take the cake out")
        assert (await ana.hears()).text == "Noted. 1. at 13:20: take the cake out"
        await t.advance(minutes=19)
        await ana.silence()
        await t.advance(minutes=1, seconds=10)
        assert (await ana.hears()).text == "⏰ @ana: take the cake out"
        await t.advance(minutes=5)
        await ana.silence()


async def test_a_reminder_for_all_comes_back(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("reminders").bot) as t:
        ana = await t.person("ana")
        await ana.say("!remind us every day at 14:00 to stretch")
        assert (await ana.hears()).text == "Noted. 1. at 14:00, every day at 14:00: stretch"
        for hours in (1, 24):
            await t.kill()
            await t.advance(hours=hours)
            await ana.silence()
            await t.start()
            await t.advance(seconds=10)
            assert (await ana.hears()).text == "⏰ stretch"


async def test_what_was_due_while_the_bot_was_away_is_told_late_and_once(
    example: Callable[[str], ModuleType], real: bool
) -> None:
    async with BotTest(lambda: example("reminders").bot, real=real) as t:
        ana = await t.person("ana")
        await ana.say("!remind me in 20m to go")
        await ana.say("!remind us every 10 minutes to drink")
        await ana.hears()
        await ana.hears()
        await t.kill()
        await t.advance(hours=1)
        await ana.silence()
        await t.start()
        await t.advance(seconds=10)
        assert {(await ana.hears()).text for _ in range(2)} == {
            "⏰ drink (late: this was due 50 minutes ago, and I was away)",
            "⏰ @ana: go (late: this was due 40 minutes ago, and I was away)",
        }
        await t.advance(seconds=30)
        await ana.silence()


@pytest.mark.parametrize("private", [False, True])
async def test_a_kill_between_telling_and_forgetting_tells_nothing_twice(
    example: Callable[[str], ModuleType], real: bool, private: bool
) -> None:
    loaded: list[ModuleType] = []

    def load() -> Any:
        loaded.append(example("reminders"))
        return loaded[-1].bot

    async def killed(*about: Any) -> None:
        raise RuntimeError("killed here")

    async with BotTest(load, real=real) as t:
        ana = await t.person("ana")
        await (ana.direct("remind me in 20m to go", t.bot_login) if private else ana.say("!remind me in 20m to go"))
        await ana.hears()
        loaded[-1].forget = killed  # type: ignore[attr-defined]
        await t.advance(minutes=20, seconds=10)
        assert (await ana.hears()).text == ("⏰ go" if private else "⏰ @ana: go")
        await t.restart()
        await t.advance(minutes=5)
        await ana.silence()


async def test_what_is_private_stays_private(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("reminders").bot) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        await ana.direct("remind me in 1m of the present", to=t.bot_login)
        assert "the present" in (await ana.hears()).text
        await bob.say("!reminders")
        assert "Nothing" in (await bob.hears()).text
        await ana.forget()
        await t.advance(minutes=1, seconds=10)
        assert (await ana.hears()).log == "@ana"
        await bob.silence()


async def test_reminders_are_listed_and_cancelled(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("reminders").bot) as t:
        await t.dialogue(
            "ana",
            [
                ("!reminders", like("Nothing")),
                ("!remind me in 2h to go", like("1. at 15:00")),
                ("!remind me tomorrow at 9 to call", like("2. tomorrow at 09:00")),
                ("!reminders", like(r"1\. at 15:00: go\n2\. tomorrow at 09:00: call")),
                ("!cancel 7", like("no reminder 7")),
                ("!cancel 1", like("Forgotten: go")),
                ("!reminders", like(r"^2\. tomorrow at 09:00: call$")),
                ("!remind me at 30:00", like("no hour")),
                ("!remind me", like("When")),
            ],
        )
        await t.dialogue("bob", [("!cancel 2", like("no reminder 2"))])
        ana = await t.person("ana")
        await ana.forget()
        await t.kill()
        await t.advance(hours=3)
        await t.start()
        await t.advance(seconds=10)
        await ana.silence()


async def test_a_zone_of_ones_own(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("reminders").bot) as t:
        await t.dialogue(
            "ana",
            [
                ("!zone", like("13:00")),
                ("!zone Atlantis", like("no zone")),
                ("!zone America/Bogota", like("07:00")),
                ("!remind me at 9 to go", like("at 09:00")),
            ],
        )
        ana = await t.person("ana")
        await ana.forget()
        await t.kill()
        await t.advance(hours=2)
        await t.start()
        await t.advance(seconds=10)
        assert (await ana.hears()).text == "⏰ @ana: go"


async def test_a_room_that_is_gone_costs_no_reminder(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("reminders").bot) as t:
        ana = await t.person("ana")
        await ana.create("den")
        await ana.invite(t.bot_login, "den")
        await ana.say("!remind me in 5m to go", room="den")
        await ana.hears("den")
        await ana.remove(t.bot_login, "den")
        await t.advance(minutes=6)
        assert (await ana.hears()).log == "@ana"


async def test_one_person_has_so_many_and_no_more(example: Callable[[str], ModuleType]) -> None:
    module = example("reminders")
    module.EACH = 2
    async with BotTest(module.bot) as t:
        await t.dialogue(
            "ana",
            [
                ("!remind me in 1h a", like("Noted")),
                ("!remind me in 1h b", like("Noted")),
                ("!remind me in 1h c", like("one too many")),
            ],
        )
