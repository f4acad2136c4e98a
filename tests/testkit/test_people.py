"""What people say, do and hear in the kit, in memory and on a real broker."""

from __future__ import annotations

import asyncio
import re

import pytest

from client.bot import Bot, Context
from common.errors import Forbidden, NoSuchRoom, NotMember
from testkit import Change, Post
from tests.testkit.bots import doorman, parrot
from tests.testkit.conftest import Kit


async def test_what_is_said_is_heard(kit: Kit) -> None:
    async with kit(parrot()) as t:
        ana = await t.person("ana")
        said = await ana.say("!say hola")
        heard = await ana.hears()
        assert (said.text, said.sender, said.room, said.direct, said.hops) == ("!say hola", "ana", "lobby", False, 0)
        assert (heard.text, heard.sender, heard.room, heard.hops) == ("hola", "parrot", "lobby", 1)
        assert heard.seq > said.seq
        assert heard.time == t.now
        await ana.silence()


async def test_a_person_may_be_a_program(kit: Kit) -> None:
    heard: list[tuple[str, bool, int]] = []
    deaf = Bot("deaf")

    @deaf.on_message
    async def hear(ctx: Context) -> None:
        heard.append((ctx.message.text, ctx.author.bot, ctx.message.hops))

    @deaf.on_message(bots=True)
    async def hear_all(ctx: Context) -> None:
        await hear(ctx)

    async with kit(deaf) as t:
        ana, robot = await t.person("ana"), await t.person("robot", bot=True)
        said = await robot.say("beep")
        assert (said.hops, await ana.hears()) == (1, said)
        await robot.vanish()
        await t.back(robot)
        assert (await robot.direct("beep", to=ana)).hops == 1
        assert (await ana.hears("@ana")).sender == "robot"
        await ana.say("hola")
        await t.settle()
    assert heard == [("beep", True, 1), ("hola", False, 0), ("hola", False, 0)]


async def test_a_plain_handler_is_waited_for_in_its_thread(kit: Kit) -> None:
    async with kit(parrot()) as t:
        ana = await t.person("ana")
        await ana.say("!plainly hola")
        assert (await ana.hears()).text == "hola"


async def test_what_is_private_stays_so(kit: Kit) -> None:
    async with kit(parrot()) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        said = await ana.direct("say hola", to=t.bot_login)
        assert (said.log, said.to, said.direct, said.room) == ("@ana", "parrot", True, "")
        heard = await ana.hears("@ana")
        assert (heard.text, heard.to, heard.direct) == ("hola", "ana", True)
        await ana.direct("psst", to=bob, reply_to=None)
        assert (await bob.hears()).text == "psst"
        await ana.say("!whisper quiet")
        assert (await ana.hears("@ana")).text == "quiet"
        assert (await bob.hears()).text == "!whisper quiet"
        await bob.silence()


async def test_answers_name_what_they_answer(kit: Kit) -> None:
    async with kit(parrot()) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        question = await ana.say("why?")
        await bob.say("because", reply_to=question)
        assert (await ana.hears()).reply_to == question.seq
        private = await ana.direct("why?", to=bob)
        assert (await bob.hears("@bob")).text == "why?"
        await ana.direct("well?", to=bob, reply_to=private)
        assert (await bob.hears("@bob")).reply_to


async def test_changes_are_seen_and_heard_by_the_bot(kit: Kit) -> None:
    async with kit(parrot()) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        said = await ana.say("teh")
        await ana.edit(said, "the")
        assert await bob.sees("edit") == Change("edit", "ana", "lobby", said.seq, text="the")
        assert (await ana.hears()).text == "ana: edit"
        await bob.react("👍", said)
        assert await ana.sees() == Change("reaction", "bob", "lobby", said.seq, emoji="👍")
        await bob.react("👍", said, on=False)
        assert not (await ana.sees("reaction")).on
        await ana.retract(said)
        assert (await bob.sees("retract")).target == said.seq
        assert [(await ana.hears()).text for _ in range(3)] == ["bob: reaction", "bob: reaction", "ana: retract"]


async def test_what_the_bot_changes_is_no_silence(kit: Kit) -> None:
    async with kit(parrot()) as t:
        ana = await t.person("ana")
        await ana.say("!like")
        with pytest.raises(AssertionError, match="hears what nobody expected: reaction of parrot in lobby"):
            await ana.silence()
        assert (await ana.sees("reaction")).emoji == "❤️"
        await ana.silence()
        await ana.say("!mend")
        assert (await ana.hears()).text == "teh"
        assert (await ana.sees("edit")).text == "the"
        assert (await ana.sees("retract")).by == "parrot"
        await ana.silence()


async def test_nothing_to_hear_fails_at_once_with_what_was_said(kit: Kit) -> None:
    async with kit(parrot()) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        await ana.say("!say hola")
        assert (await bob.hears()).sender == "ana"
        with pytest.raises(AssertionError) as failure:
            await ana.hears("@ana")
        told = str(failure.value)
        assert "ana hears nothing in @ana; heard elsewhere: 'hola' of parrot in lobby." in told
        assert re.search(r"12:00:00  lobby         ana           !say hola\n.*lobby         parrot        hola", told)
        with pytest.raises(AssertionError, match="bob sees no edit or topic"):
            await bob.sees("edit", "topic")
        with pytest.raises(AssertionError, match="ana sees no change"):
            await ana.forget()
            await ana.sees()


async def test_silence_fails_with_what_broke_it_and_forget_passes_it_over(kit: Kit) -> None:
    async with kit(parrot()) as t:
        ana = await t.person("ana")
        await ana.say("!twice hola")
        with pytest.raises(AssertionError, match="'hola' of parrot in lobby, 'hola' of parrot in lobby"):
            await ana.silence()
        await ana.forget()
        await ana.silence()


async def test_within_waits_for_what_the_kit_does_not_see(kit: Kit) -> None:
    async with kit(parrot()) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        asyncio.get_running_loop().call_later(0.05, lambda: bob.chat.post("lobby", "late"))
        assert (await ana.hears(within=5)).text == "late"
        with pytest.raises(AssertionError, match="hears nothing"):
            await ana.hears(within=0.01)
        with pytest.raises(AssertionError, match="sees no edit"):
            await ana.sees("edit", within=0.01)


async def test_rooms_are_made_entered_left_and_described(kit: Kit) -> None:
    async with kit(parrot()) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        await ana.create("ops", kept=True, subject="deploys")
        await bob.join("ops")
        assert (await ana.sees("join")).by == "bob"
        await bob.say("hello", room="ops")
        assert (await ana.hears("ops")).text == "hello"
        assert [post.text for post in await ana.history("ops")] == ["hello"]
        assert await ana.members("ops") == ["ana", "bob"]
        await ana.set_subject("ops", "builds")
        assert (await bob.sees("topic")).text == "builds"
        await ana.remove(bob, "ops")
        with pytest.raises(NotMember):
            await bob.say("and I?", room="ops")
        await bob.join("ops")
        await bob.leave("ops")
        assert [(await ana.sees("leave")).text for _ in range(2)] == ["removed", "left"]
        assert await ana.members() == ["ana", "bob", "parrot"]


async def test_whoever_makes_a_private_room_invites(kit: Kit) -> None:
    async with kit(parrot()) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        await ana.create("den", private=True)
        with pytest.raises(NoSuchRoom):
            await bob.join("den")
        await ana.invite(bob, "den")
        assert (await bob.sees("invited")).text == "den"
        await bob.join("den")
        await ana.invite(t.bot_login, "den")
        await ana.say("!say hola", room="den")
        assert (await bob.hears("den")).text == "!say hola"


async def test_a_room_with_everybody_in_it(kit: Kit) -> None:
    async with kit(parrot()) as t:
        name = await t.room("ops", by="ana", kept=True, people=["bob"])
        ana = await t.person("ana")
        assert name == "ops"
        assert await ana.members("ops") == ["ana", "bob", "parrot"]
        await t.dialogue("bob", [("!say hola", "hola")], room="ops")
        await t.room("den", by=ana, private=True, people=[await t.person("bob")])
        assert await ana.members("den") == ["ana", "bob", "parrot"]
        await t.room("attic", by=ana, bot=False)
        assert await ana.members("attic") == ["ana"]


async def test_moderators_are_appointed_by_the_maker_or_the_operator(kit: Kit) -> None:
    async with kit(parrot()) as t:
        await t.room("ops", by="ana", kept=True)
        bob = await t.person("bob", rooms=["ops"])
        eva = await t.person("eva", moderator_of=["ops"])
        await eva.forget()
        await t.dialogue(eva, [("!hush", "hushed")], room="ops")
        await bob.forget()
        await t.dialogue(bob, [("!hush", re.compile("only"))], room="ops")
        await t.dialogue(bob, [("!hush", re.compile("only"))])
        await t.person("bob", moderator_of=["lobby"])
        await t.person("eva", moderator_of=["lobby"])
        await t.dialogue(bob, [("!hush", "hushed")])
        await t.dialogue(eva, [("!hush", "hushed")])
        ana = await t.person("ana")
        await ana.appoint(eva, "ops", on=False)
        await t.dialogue(eva, [("!hush", re.compile("only"))], room="ops")


async def test_a_person_is_made_once(kit: Kit) -> None:
    async with kit(parrot()) as t:
        ana = await t.person("ana")
        assert await t.person("Ana") is ana
        assert repr(ana) == "<Person ana>"
        chief = await t.person("chief", operator=True)
        await t.room("ops", by=ana, kept=True)
        await chief.join("ops")
        await chief.remove(ana, "ops")


async def test_somebody_quits_and_comes_back(kit: Kit) -> None:
    async with kit(doorman()) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        await ana.forget()
        await bob.quit()
        assert (await ana.sees("leave")).by == "bob"
        assert (await ana.hears()).text == "leave bob"
        with pytest.raises(AssertionError, match="bob is not here"):
            await bob.say("boo")
        assert await t.back("bob") is bob
        assert (await ana.hears()).text == "join bob"
        await bob.say("here I am")
        assert (await ana.hears()).text == "here I am"


async def test_somebody_vanishes_and_hears_afterwards_what_was_said(kit: Kit) -> None:
    async with kit(parrot()) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        await bob.vanish()
        await ana.say("where is bob?")
        await t.back(bob)
        assert [post.text for post in await bob.history()] == ["where is bob?"]
        await ana.say("there!")
        heard = await bob.hears()
        assert heard.text in ("where is bob?", "there!")


async def test_the_operator_may_what_others_may_not(kit: Kit) -> None:
    async with kit(parrot()) as t:
        await t.room("ops", by="ana", kept=True)
        bob = await t.person("bob", rooms=["ops"])
        with pytest.raises(Forbidden):
            await bob.set_subject("ops", "mine")


def test_a_post_and_its_place() -> None:
    assert Post("hola", "ana", "@bob", 1, 2, to="bob").direct
    assert Post("hola", "ana", "lobby", 1, 2).room == "lobby"
