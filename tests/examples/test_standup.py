"""Stand-ups: asked in private, one question after the other; summed up in the room, also after the bot was killed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest

from testkit import BotTest

like = re.compile


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERTULIA_ZONE", "UTC")  # the kit's clock begins at noon of a Monday


async def joined(t: Any, *logins: str) -> list[Any]:
    """People on the list of the lobby."""
    people = [await t.person(login) for login in logins]
    for person in people:
        await person.say("!standup join")
        await person.hears()
    for person in people:
        await person.forget()
    return people


async def answers(person: Any, bot: str, *texts: str) -> None:
    """Answer what was asked, question by question."""
    for text in texts:
        assert (await person.hears(f"@{person.login}")).text.rstrip(")").endswith(("?", "nothing"))
        await person.direct(text, to=bot)


async def test_everybody_is_asked_and_the_room_gets_the_summary(
    example: Callable[[str], ModuleType], real: bool
) -> None:
    async with BotTest(lambda: example("standup").bot, real=real) as t:
        ana, bob = await joined(t, "ana", "bob")
        await ana.say("!standup at 12:30")
        assert (await ana.hears()).text == "On weekdays at 12:30: ana, bob"
        await bob.forget()
        await t.advance(minutes=30, seconds=10)
        await answers(ana, t.bot_login, "the plan", "the work", "-")
        assert "Thank you" in (await ana.hears("@ana")).text
        await answers(bob, t.bot_login, "nothing", "everything", "the weather")
        assert (await ana.hears("lobby")).text == (
            "📋 Stand-up\nana:\n  Done: the plan\n  Next: the work\nbob:\n  Next: everything\n  In the way: the weather"
        )
        await t.advance(minutes=30)
        await ana.silence()


async def test_whoever_does_not_answer_holds_up_nobody(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("standup").bot) as t:
        ana, bob = await joined(t, "ana", "bob")
        await ana.say("!standup now")
        await answers(ana, t.bot_login, "the plan")
        await ana.forget()
        await bob.forget()
        await t.advance(hours=1, seconds=10)
        assert (await ana.hears("lobby")).text == "📋 Stand-up\nana:\n  Done: the plan\nbob: no answer"
        await bob.forget()
        await bob.direct("too late", to=t.bot_login)
        await bob.silence()


async def test_a_bot_that_was_killed_in_the_middle_goes_on(example: Callable[[str], ModuleType], real: bool) -> None:
    async with BotTest(lambda: example("standup").bot, real=real) as t:
        (ana,) = await joined(t, "ana")
        await ana.say("!standup now")
        await answers(ana, t.bot_login, "the plan", "the work")
        assert "in your way" in (await ana.hears("@ana")).text
        await t.restart()
        await ana.silence()
        await ana.direct("nobody", to=t.bot_login)
        assert "Thank you" in (await ana.hears("@ana")).text
        assert (await ana.hears("lobby")).text == (
            "📋 Stand-up\nana:\n  Done: the plan\n  Next: the work\n  In the way: nobody"
        )


async def test_the_list(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("standup").bot) as t:
        await t.dialogue(
            "ana",
            [
                ("!standup", like("nobody yet")),
                ("!standup now", like("Nobody is on the list")),
                ("!standup join", like("ana")),
                ("!standup at 25:00", like("no hour")),
                ("!standup at 8:05", like("On weekdays at 08:05: ana")),
                ("!standup leave", like("nobody yet")),
                ("!standup dance", like("join")),
            ],
        )
        ana = await t.person("ana")
        await ana.direct("!standup join", to=t.bot_login)
        assert "in the room" in (await ana.hears()).text


async def test_nobody_is_asked_at_the_weekend(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("standup").bot, now=datetime(2024, 1, 5, 12, tzinfo=UTC)) as t:
        (ana,) = await joined(t, "ana")  # on Friday afternoon
        for _ in ("Saturday", "Sunday"):
            await t.kill()
            await t.advance(hours=24)
            await t.start()
            await t.advance(seconds=10)
            await ana.silence()
        await t.kill()
        await t.advance(hours=21, minutes=30)
        await t.start()
        await t.advance(seconds=10)
        assert "What have you done" in (await ana.hears("@ana")).text, "at half past nine on Monday"
