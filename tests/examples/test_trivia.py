"""Trivia: who has the point, hints and solutions at their time, and a game that outlives its bot."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from types import ModuleType

import pytest

from common import limits
from testkit import BotTest, Person

like = re.compile
Example = Callable[[str], ModuleType]


@pytest.fixture
def answers(example: Example) -> dict[str, str]:
    """The answer to each question."""
    return {question: answer for cards in example("trivia").QUESTIONS.values() for question, answer in cards}


def question(text: str, number: int, of: int) -> str:
    """What is asked by a message, or by its last line; it must be that number of so many."""
    found = re.search(rf"^Question {number} of {of}: (.+)$", text, re.M)
    assert found is not None, text
    return found[1]


async def started(person: Person, line: str, of: int, room: str = "lobby") -> str:
    """Start a game; the first question."""
    await person.forget()
    await person.say(line, room=room)
    return question((await person.hears(room)).text, 1, of)


async def test_the_first_to_say_it_has_the_point(example: Example, answers: dict[str, str], real: bool) -> None:
    async with BotTest(lambda: example("trivia").bot, real=real) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        asked = await started(ana, "!trivia start letters 2", 2)
        await bob.forget()
        await ana.say(f"not {answers[asked]}")
        await ana.silence()
        await bob.forget()
        said = await bob.say(f" {answers[asked].upper().replace('Á', 'a')}")
        change = await bob.sees("reaction")
        assert (change.target, change.emoji, change.on) == (said.seq, "🎉", True)
        told = await bob.hears()
        assert (told.text, told.reply_to) == (f"{answers[asked]}! A point for @bob, who has 1.", said.seq)
        asked = question((await bob.hears()).text, 2, 2)
        await ana.say(answers[asked])
        await bob.hears()
        assert (await bob.hears()).text == f"{answers[asked]}! A point for @ana, who has 1."
        assert (await bob.hears()).text == "That was the last one. ana 1, bob 1"
        await bob.forget()
        await t.dialogue(bob, [("!trivia scores", "ana 1, bob 1"), ("!trivia stop", "There is no game.")])


async def test_hints_and_solutions_come_at_their_time(example: Example, answers: dict[str, str], real: bool) -> None:
    async with BotTest(lambda: example("trivia").bot, real=real) as t:
        ana = await t.person("ana")
        answer = answers[await started(ana, "!trivia start science 2", 2)]
        await t.advance(seconds=19)
        await ana.silence()
        await t.advance(seconds=1)
        shown = (await ana.hears()).text.removeprefix("A hint: ")
        assert re.fullmatch(shown.replace("_", "."), answer)
        assert shown != answer
        await t.advance(seconds=19)
        await ana.silence()
        await t.advance(seconds=1)
        told = (await ana.hears()).text
        assert told.startswith(f"Nobody has said it: {answer}.\n")
        question(told, 2, 2)
        await t.advance(seconds=40)
        assert (await ana.hears()).text.startswith("A hint: ")
        assert (await ana.hears()).text.endswith("\nThat was the last one. Nobody has a point yet.")
        await t.advance(minutes=10)
        await ana.silence()


async def test_rooms_have_games_of_their_own(example: Example, answers: dict[str, str], real: bool) -> None:
    async with BotTest(lambda: example("trivia").bot, real=real) as t:
        ana = await t.person("ana")
        await t.room("ops", by=ana)
        here = await started(ana, "!trivia start geography", 5)
        await t.advance(seconds=10)
        there = await started(ana, "!trivia start science", 5, "ops")
        await ana.say(answers[there])
        await ana.silence()
        await t.advance(seconds=10)
        assert (await ana.hears()).log == "lobby"
        await ana.silence()
        await ana.say(answers[there], room="ops")
        assert (await ana.hears("ops")).text == f"{answers[there]}! A point for @ana, who has 1."
        await t.dialogue("bob", [("!trivia scores", "Nobody has a point yet.")])
        await ana.forget()
        await ana.say(answers[here])
        assert (await ana.hears("lobby")).text == f"{answers[here]}! A point for @ana, who has 1."


async def test_a_game_goes_on_after_a_restart(example: Example, answers: dict[str, str], real: bool) -> None:
    async with BotTest(lambda: example("trivia").bot, real=real) as t:
        ana = await t.person("ana")
        asked = await started(ana, "!trivia start geography 3", 3)
        await t.restart()
        await ana.say(answers[asked])
        assert (await ana.hears()).text == f"{answers[asked]}! A point for @ana, who has 1."
        asked = question((await ana.hears()).text, 2, 3)
        await ana.forget()
        await t.kill()
        await ana.say(answers[asked])
        await t.advance(minutes=1)
        await t.start()
        assert (await ana.hears()).text == f"{answers[asked]}! A point for @ana, who has 2.", "what was said meanwhile"
        asked = question((await ana.hears()).text, 3, 3)
        await t.restart()
        await t.advance(seconds=20)
        assert (await ana.hears()).text.startswith("A hint: ")
        await ana.forget()
        await t.restart()
        await t.dialogue(ana, [("!trivia scores", "ana 2")])


async def test_a_bot_that_is_killed_at_work_says_everything_once(
    example: Example, answers: dict[str, str], real: bool
) -> None:
    async with BotTest(lambda: example("trivia").bot, real=real) as t:
        ana = await t.person("ana")
        await ana.say("!trivia start science 5")
        await t.restart()
        for number in (1, 2, 3):
            asked = question((await ana.hears()).text, number, 5)
            await ana.say(answers[asked])
            await t.restart()
            await t.restart()
            assert (await ana.hears()).text == f"{answers[asked]}! A point for @ana, who has {number}."
            assert (await ana.sees("reaction")).emoji == "🎉"
        assert len(await ana.history()) == 1 + 3 + 4 + 3


async def test_programs_are_not_asked(example: Example, answers: dict[str, str], real: bool) -> None:
    async with BotTest(lambda: example("trivia").bot, real=real) as t:
        ana, robot = await t.person("ana"), await t.person("robot", bot=True)
        asked = await started(ana, "!trivia start letters", 5)
        await robot.say(answers[asked])
        await robot.say("!trivia stop")
        await t.settle()
        assert [(await ana.hears()).sender for _ in range(2)] == ["robot", "robot"]
        await ana.silence()


async def test_whoever_started_and_moderators_may_stop(example: Example) -> None:
    async with BotTest(lambda: example("trivia").bot) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        eva = await t.person("eva", moderator_of=["lobby"])
        for who in (ana, eva):
            await started(ana, "!trivia start", 5)
            await bob.forget()
            await t.dialogue(bob, [("!trivia stop", "That is for ana, who has started it, and for moderators.")])
            await who.forget()
            await t.dialogue(who, [("!trivia stop", "Stopped. Nobody has a point yet.")])
        await ana.forget()
        await t.advance(minutes=5)
        await ana.silence()


async def test_what_is_no_game_is_refused(example: Example) -> None:
    async with BotTest(lambda: example("trivia").bot) as t:
        await t.dialogue(
            "ana",
            [
                ("!trivia start cooking", like("the categories geography, science, letters")),
                ("!trivia start science many", like("a number of rounds, up to 50")),
                ("!trivia start 51", like("a number of rounds, up to 50")),
                ("!trivia stop now", like("stop stands alone")),
            ],
        )
        await t.dialogue("bob", [("!trivia begin", like("action must be one of start, stop, scores"))])
        await t.dialogue("bob", [("!trivia scores", like("played in a room"))], private=True)
        await t.dialogue("bob", [("!trivia start 50", like("^Question 1 of 16: "))])
        await t.dialogue("bob", [("!trivia start", like("a game already, which bob has started"))])


async def test_a_game_ends_where_the_bot_is_put_out(example: Example) -> None:
    async with BotTest(lambda: example("trivia").bot) as t:
        ana = await t.person("ana")
        await t.room("ops", by=ana)
        await started(ana, "!trivia start", 5, "ops")
        await ana.remove(t.bot_login, "ops")
        await t.advance(minutes=1)
        await ana.invite(t.bot_login, "ops")
        await t.settle()
        await ana.forget()
        await t.dialogue(ana, [("!trivia stop", "There is no game.")], "ops")


async def test_of_too_many_people_those_with_most_points_are_kept(example: Example, answers: dict[str, str]) -> None:
    module = example("trivia")
    module.KEPT = 2
    async with BotTest(module.bot) as t:
        ana, bob, eva = [await t.person(login) for login in ("ana", "bob", "eva")]
        asked = await started(ana, "!trivia start science 4", 4)
        for number, person in enumerate((ana, ana, bob, eva), 2):
            await person.forget()
            await person.say(answers[asked])
            await person.hears()
            said = (await person.hears()).text
            asked = question(said, number, 4) if number <= 4 else ""
        await ana.forget()
        await t.dialogue(ana, [("!trivia scores", "ana 2, eva 1")])


def test_the_points_of_all_who_are_kept_fit_into_one_value(example: Example) -> None:
    module = example("trivia")
    longest = "\U00010400" * (limits.NAME_LENGTH - 2)
    people = {f"{longest}{number:02}": 10**6 for number in range(module.KEPT)}
    cards = [list(card) for cards in module.QUESTIONS.values() for card in cards]
    game = module.Game(longest, cards, points=dict(list(people.items())[: len(cards)]))
    table = module.Table(longest, game, people, 10**9, "trivia", [["reply", module.ranking(people)]])
    written = json.dumps(asdict(table), ensure_ascii=False).encode()
    assert len(written) <= limits.STORE_VALUE_BYTES
