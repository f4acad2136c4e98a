"""The moderator at work: taken back, warned, put out; what moderators may set, and who is left alone."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from common.errors import NotMember
from testkit import BotTest


class Den:
    """A room with somebody who made it, somebody else in it, and the bot as its moderator."""

    def __init__(self, t: Any, ana: Any, bob: Any) -> None:
        self.t, self.ana, self.bob = t, ana, bob

    async def order(self, line: str) -> None:
        """Ana sets a rule."""
        await self.ana.say(line, room="den")
        assert (await self.ana.sees("reaction")).emoji == "✅"
        await self.bob.forget()

    async def texts(self) -> list[str]:
        """What is left of what Bob has said."""
        return [post.text for post in await self.ana.history("den") if post.sender == "bob"]


async def den(t: Any, moderates: bool = True) -> Den:
    ana = await t.person("ana")
    await ana.create("den")
    await ana.invite(t.bot_login, "den")
    bob = await t.person("bob")
    await bob.join("den")
    if moderates:
        await ana.appoint(t.bot_login, "den")
    await bob.forget()
    await ana.forget()
    return Den(t, ana, bob)


async def test_words_are_taken_back_and_whoever_goes_on_is_put_out(
    example: Callable[[str], ModuleType], real: bool
) -> None:
    async with BotTest(lambda: example("moderator").bot, real=real) as t:
        room = await den(t)
        await room.order("!words add fool")
        await room.bob.say("you FOOL", room="den")
        assert (await room.bob.hears("den")).text == '@bob, "fool" is not said here.'
        await room.bob.say("f00l!", room="den")
        assert (await room.bob.hears("den")).text == '@bob, "fool" is not said here. Next time you are put out.'
        await room.bob.say("a foolish word is fine", room="den")
        await room.bob.say("fool again", room="den")
        await room.ana.hears("den")
        await t.settle()
        assert await room.texts() == ["a foolish word is fine"]
        assert "bob" not in await room.ana.members("den")
        with pytest.raises(NotMember):
            await room.bob.say("what?", room="den")


async def test_a_flood_is_stopped(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("moderator").bot) as t:
        room = await den(t)
        await room.order("!flood 3 10")
        for number in range(4):
            await room.bob.say(f"message {number}", room="den")
        assert "more than 3 messages in 10 s" in (await room.bob.hears("den")).text
        await t.settle()
        assert await room.texts() == ["message 0", "message 1", "message 2"]
        await t.advance(seconds=11)
        await room.bob.forget()
        await room.bob.say("slower now", room="den")
        await room.bob.silence()


async def test_newcomers_post_no_links(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("moderator").bot) as t:
        room = await den(t)
        await room.bob.say("look: https://example.test/", room="den")
        assert "links are for those" in (await room.bob.hears("den")).text
        await t.advance(hours=25)
        await room.bob.forget()
        await room.bob.say("look now: https://example.test/", room="den")
        await room.bob.silence()


async def test_an_edit_is_looked_at_too(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("moderator").bot) as t:
        room = await den(t)
        await room.order("!words add fool")
        post = await room.bob.say("harmless", room="den")
        await room.bob.edit(post, "fool")
        assert '"fool" is not said here' in (await room.bob.hears("den")).text
        await t.settle()
        assert await room.texts() == []


async def test_moderators_and_the_exempt_are_left_alone(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("moderator").bot) as t:
        room = await den(t)
        await room.order("!words add fool")
        await room.ana.say("fool", room="den")
        await room.ana.silence()
        await room.bob.forget()
        await room.order("!exempt add bob")
        await room.bob.say("fool", room="den")
        await room.bob.silence()
        await room.order("!exempt remove bob")
        await room.bob.say("fool", room="den")
        assert "not said here" in (await room.bob.hears("den")).text


async def test_a_pardon_begins_anew(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("moderator").bot) as t:
        room = await den(t)
        await room.order("!words add fool")
        await room.order("!strikes 2")
        await room.bob.say("fool", room="den")
        assert "Next time" in (await room.bob.hears("den")).text
        await room.ana.forget()
        await room.ana.say("!pardon bob", room="den")
        assert "begins anew" in (await room.ana.hears("den")).text
        await room.bob.forget()
        await room.bob.say("fool", room="den")
        assert "Next time" in (await room.bob.hears("den")).text


async def test_only_moderators_set_rules(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("moderator").bot) as t:
        room = await den(t)
        for line in ("!words add x", "!flood 1", "!newcomer 0", "!strikes 1", "!exempt add bob", "!pardon bob"):
            await t.advance(seconds=30)
            await room.bob.say(line, room="den")
            assert "is only for" in (await room.bob.hears("den")).text
        await t.advance(seconds=30)
        await room.bob.say("!rules", room="den")
        assert (await room.bob.hears("den")).text == (
            "Flood: 6 messages in 10 s. Links: after 24 h. Words that are not said here: 0. "
            "Put out at strike 3. Exempt: nobody."
        )


async def test_wrong_settings_are_refused_and_right_ones_kept(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("moderator").bot) as t:
        room = await den(t)
        for line in ("!flood 99", "!flood 3 0", "!newcomer -1", "!strikes 0"):
            await room.ana.say(line, room="den")
            assert "✅" not in (await room.ana.hears("den")).text
        for line in ("!flood 0", "!newcomer 0", "!strikes 5", "!words add One two", "!words remove two"):
            await room.order(line)
        await t.restart()
        await room.ana.forget()
        await room.ana.say("!rules", room="den")
        assert (await room.ana.hears("den")).text == (
            "Flood: no limit. Links: at once. Words that are not said here: 1. Put out at strike 5. Exempt: nobody."
        )
        await room.ana.say("!words", room="den")
        assert (await room.ana.hears("@ana")).text == "one"


async def test_a_bot_that_is_no_moderator_says_so(example: Callable[[str], ModuleType]) -> None:
    async with BotTest(lambda: example("moderator").bot) as t:
        room = await den(t, moderates=False)
        await room.order("!words add fool")
        await room.bob.say("fool", room="den")
        assert "I cannot keep order here" in (await room.bob.hears("den")).text
