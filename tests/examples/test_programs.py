"""Each example as its own process on a real broker: it arrives, answers, and ends when it is told to."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.app import EmbeddedBroker
from tests.examples.program import BOTS, Program, guest, hears, key_file

CASES = {
    "dice": ("!roll 2 1", "🎲 2"),
    "polls": ('!poll "Lunch?" pizza sushi', "📊 Lunch?"),
    "reminders": ("!remind me in 2h to go", "Noted. 1."),
    "feeds": ("!feed list", "No feeds yet"),
    "moderator": ("!rules", "Flood: 6 messages"),
    "trivia": ("!trivia scores", "Nobody has a point yet."),
    "standup": ("!standup", "nobody yet"),
}
"""What is said to each, and what it answers."""


def test_every_example_is_tried() -> None:
    found = {path.stem for path in BOTS.rglob("*.py") if "bot = Bot(" in path.read_text(encoding="utf-8")}
    assert found - {"irc_bridge"} == set(CASES)


@pytest.mark.parametrize("name", CASES)
async def test_it_answers_and_ends_when_it_is_told_to(name: str, tmp_path: Path) -> None:
    if name == "feeds":
        pytest.importorskip("feedparser")
    said, answer = CASES[name]
    with EmbeddedBroker() as broker:
        key = key_file(broker, tmp_path / "bot.key", name)
        ana = await guest(broker, "ana")
        lobby = ana.rooms[ana.default_room]
        async with Program(name, key, tmp_path) as program:
            await program.prints(f"event=serving bot={name}")
            sent = await lobby.send(said)
            found = await hears(lobby, sent.seq, program, answer)
            assert (found.sender, found.hops) == (name, 1)
            assert await program.stop() == 0
        await ana.close()
        assert "Traceback" not in program.log


async def test_a_reminder_outlives_the_kill_of_its_bot(tmp_path: Path) -> None:
    with EmbeddedBroker() as broker:
        key = key_file(broker, tmp_path / "bot.key", "reminders")
        ana = await guest(broker, "ana")
        lobby = ana.rooms[ana.default_room]
        async with Program("reminders", key, tmp_path) as program:
            await program.prints("event=serving bot=reminders")
            sent = await lobby.send("!remind me in 1s to go")
            await hears(lobby, sent.seq, program, "Noted. 1.")
            await program.kill()
            await program.start()
            told = await hears(lobby, sent.seq, program, "⏰ @ana: go")
            await program.stop()
        texts = [message.text for message in await lobby.history()]
        assert sum("Noted" in text for text in texts) == 1
        assert sum("⏰" in text for text in texts) == 1
        assert told.sender == "reminders"
        await ana.close()


async def test_two_of_them_in_one_room_do_not_correct_each_other(tmp_path: Path) -> None:
    with EmbeddedBroker() as broker:
        ana = await guest(broker, "ana")
        lobby = ana.rooms[ana.default_room]
        dice = Program("dice", key_file(broker, tmp_path / "dice.key", "dice"), tmp_path)
        polls = Program("polls", key_file(broker, tmp_path / "polls.key", "polls"), tmp_path)
        async with dice, polls:
            await dice.prints("event=serving bot=dice")
            await polls.prints("event=serving bot=polls")
            first = await lobby.send("!roll 2 1")
            await hears(lobby, first.seq, dice, "🎲 2")
            await lobby.send('!poll "Lunch?" pizza sushi')
            await hears(lobby, first.seq, polls, "📊 Lunch?")
            await lobby.send("!help roll")
            await hears(lobby, first.seq, dice, "Throw dice")
            await lobby.send("!help")  # both have handled all before that when they answer this
            await hears(lobby, first.seq, dice, "!pick [choices…]")
            await hears(lobby, first.seq, polls, "!poll <question>")
            await lobby.send("@polls rol")
            await hears(lobby, first.seq, polls, "I do not know 'rol'")
        assert [message.text for message in await lobby.history() if "no command" in message.text] == []
        await ana.close()
