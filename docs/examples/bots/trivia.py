"""Trivia: `!trivia start geography 3`, and whoever says the answer first has the point.

    tertulia bot run trivia.py

Each room has its game and its points. A hint comes after 20 seconds, the solution after 40. Case and accents do not
matter. `!trivia scores` shows the points; `!trivia stop` is for whoever has started, and for moderators.

A room is one value in the store, written before anything is said, with what is to be said: a bot that was killed in
between goes on, and a message that it handles again is answered with the same again, which the broker takes once.
"""

from __future__ import annotations

import asyncio
import random
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from typing import Literal

from client.bot import BadArguments, Bot, Context, Event
from common.errors import NoSuchRoom, NotMember

HINT_MS = 20_000
SOLUTION_MS = 40_000
"""Milliseconds after the question."""
ROUNDS = 5
"""Questions of a game for which nobody says how many."""
KEPT = 80
"""People of a room whose points are kept, those with the most: so many fit into one value, whatever they are called."""
SHOWN = 10
"""People in a list of points, at the most."""

QUESTIONS = {
    "geography": [
        ("What is the capital of Peru?", "Lima"),
        ("What is the capital of Colombia?", "Bogotá"),
        ("Which river runs through Seville?", "Guadalquivir"),
        ("Which is the largest ocean?", "Pacific"),
        ("On which continent is Chad?", "Africa"),
        ("What is the capital of Canada?", "Ottawa"),
    ],
    "science": [
        ("Which element has the symbol Fe?", "iron"),
        ("Which planet is the nearest to the sun?", "Mercury"),
        ("What do bees make?", "honey"),
        ("How many legs has a spider?", "8"),
        ("Which gas do plants take in?", "carbon dioxide"),
    ],
    "letters": [
        ("Who wrote Don Quixote?", "Cervantes"),
        ("Who wrote One Hundred Years of Solitude?", "García Márquez"),
        ("Who wrote Hamlet?", "Shakespeare"),
        ("Who leads Dante through Hell?", "Virgil"),
        ("Which whale does Ahab hunt?", "Moby Dick"),
    ],
}
"""Questions and answers by category."""

bot = Bot("trivia", start="resume")
tables: dict[int, Table] = {}
"""The rooms by their `id`, as the store has them; read from there when they are first needed."""
locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
"""The timer runs beside the messages: a room changes for one of them at a time."""
known = False
"""Whether all rooms were read."""


@dataclass
class Game:
    """Questions that are put to a room, one after the other."""

    by: str
    """Who has started it."""
    questions: list[list[str]]
    """Each with its answer."""
    number: int = 0
    """Of the question that is open, from 1 on."""
    asked: int = 0
    """When it was put, in milliseconds UTC."""
    hinted: bool = False
    points: dict[str, int] = field(default_factory=dict)

    @property
    def answer(self) -> str:
        """What would be right."""
        return self.questions[self.number - 1][1]


@dataclass
class Table:
    """A room."""

    name: str
    game: Game | None = None
    points: dict[str, int] = field(default_factory=dict)
    """Of all games, by login."""
    seq: int = 0
    """The last message that changed anything: one before it was handled, however often it comes."""
    handler: str = ""
    says: list[list[str]] = field(default_factory=list)
    """Who handled it, and what that handler does for it: the method of its context, and the text."""

    def next(self, now: int) -> str:
        """Put the next question, or end the game; what is to be said."""
        game = self.game
        assert game is not None
        if game.number == len(game.questions):
            self.game = None
            return f"That was the last one. {ranking(game.points)}"
        game.number, game.asked, game.hinted = game.number + 1, now, False
        return f"Question {game.number} of {len(game.questions)}: {game.questions[game.number - 1][0]}"


@bot.command(cooldown="5/10s per user")
async def trivia(ctx: Context, action: Literal["start", "stop", "scores"], *words: str) -> None:
    """A quiz for the room: start [category] [rounds], stop, or scores.

    Example: !trivia start geography 3
    """
    if ctx.room is None:
        raise BadArguments("That is played in a room.")
    if words and action != "start":
        raise BadArguments(f"{action} stands alone.")
    cards = chosen(list(words)) if action == "start" else []

    def change(table: Table) -> list[list[str]]:
        game = table.game
        if action == "scores":
            return [["reply", ranking(table.points)]]
        if action == "start":
            if game is not None:
                return [["reply", f"There is a game already, which {game.by} has started."]]
            table.game = Game(ctx.author.login, cards)
            return [["send", table.next(ctx.now)]]
        if game is None:
            return [["reply", "There is no game."]]
        if ctx.author.login != game.by and not ctx.author.may("moderator"):
            return [["reply", f"That is for {game.by}, who has started it, and for moderators."]]
        table.game = None
        return [["reply", f"Stopped. {ranking(game.points)}"]]

    await once(ctx, "trivia", change)


@bot.on_message(direct=False)
async def guess(ctx: Context) -> None:
    """The first who says the answer has the point."""

    def change(table: Table) -> list[list[str]]:
        game, login = table.game, ctx.author.login
        if game is None or plain(ctx.message.text) != plain(game.answer):
            return []
        answer = game.answer
        for points in (game.points, table.points):
            points[login] = points.get(login, 0) + 1
        if len(table.points) > KEPT:
            del table.points[min((each for each in table.points if each != login), key=lambda each: table.points[each])]
        right = f"{answer}! A point for {ctx.author.mention}, who has {table.points[login]}."
        return [["react", "🎉"], ["reply", right], ["send", table.next(ctx.now)]]

    await once(ctx, "guess", change)


@bot.every("1s")
async def late(ctx: Context) -> None:
    """Hints and solutions, each at its time: the bot has no timer for once, so it looks each second."""
    await read(ctx)
    for id in list(tables):
        async with locks[id]:
            table = deepcopy(tables[id])
            said = overdue(table, ctx.now)
            if not said:
                continue
            try:
                # No message is the cause of it, so if the bot is killed here, it is said again: rather that than never.
                await ctx.send(said, room=table.name)
            except (NoSuchRoom, NotMember):
                table.game = None
            await keep(ctx, id, table)


def overdue(table: Table, now: int) -> str:
    """What is to be said because nobody has found the answer for so long; mostly nothing."""
    game = table.game
    if game is None:
        return ""
    if now >= game.asked + SOLUTION_MS:
        answer = game.answer
        return f"Nobody has said it: {answer}.\n{table.next(now)}"
    if now >= game.asked + HINT_MS and not game.hinted:
        game.hinted = True
        return f"A hint: {hint(game.answer)}"
    return ""


@bot.on_event("left")
async def away(ctx: Context, event: Event) -> None:
    """Where the bot no longer is nobody plays."""
    assert event.room is not None
    await read(ctx)
    async with locks[event.room.id]:
        if event.room.id in tables:
            table = deepcopy(tables[event.room.id])
            table.game = None
            await keep(ctx, event.room.id, table)


def chosen(words: list[str]) -> list[list[str]]:
    """The questions for `[category] [rounds]`. Raises `BadArguments`."""
    category = words.pop(0).lower() if words and not words[0].isdigit() else ""
    if category and category not in QUESTIONS:
        raise BadArguments(f"There are the categories {', '.join(QUESTIONS)}.")
    rounds = words.pop(0) if words else str(ROUNDS)
    if words or not rounds.isdecimal() or not 1 <= int(rounds) <= 50:
        raise BadArguments("After start come a category and a number of rounds, up to 50; or one of them, or neither.")
    cards = [list(card) for name, cards in QUESTIONS.items() for card in cards if category in ("", name)]
    return random.sample(cards, min(int(rounds), len(cards)))


def plain(text: str) -> str:
    """A text without accents, case, and spaces that say nothing."""
    letters = unicodedata.normalize("NFKD", text)
    return " ".join("".join(each for each in letters if not unicodedata.combining(each)).casefold().split())


def hint(answer: str) -> str:
    """Each word's first letter and its length; of a single letter no more than that it is one."""
    return " ".join(word[0] + "_" * (len(word) - 1) if len(word) > 1 else "_" for word in answer.split())


def ranking(points: dict[str, int]) -> str:
    """Who has how much, the best first."""
    best = sorted(points.items(), key=lambda each: (-each[1], each[0]))[:SHOWN]
    return ", ".join(f"{login} {number}" for login, number in best) if best else "Nobody has a point yet."


# What is kept: a key for each room, by its number, for another room may have the name one day.


async def once(ctx: Context, handler: str, change: Callable[[Table], list[list[str]]]) -> None:
    """Change the room for this message, keep that, and say what `change` gives; nothing if it gives nothing."""
    assert ctx.room is not None
    id, seq = ctx.room.id, ctx.message.seq
    await read(ctx)
    async with locks[id]:
        table = deepcopy(tables.get(id) or Table(ctx.room.name))
        if seq > table.seq:
            says = change(table)
            if not says:
                return
            table.seq, table.handler, table.says = seq, handler, says
            await keep(ctx, id, table)
        elif (seq, handler) != (table.seq, table.handler):
            return
        for method, text in table.says:
            await getattr(ctx, method)(text)


async def read(ctx: Context) -> None:
    """Have all rooms at hand, from the store."""
    global known
    if not known:
        for key in await ctx.store.keys("room:"):
            kept = await ctx.store.get(key)
            kept["game"] = Game(**kept["game"]) if kept["game"] else None
            tables.setdefault(int(key.removeprefix("room:")), Table(**kept))
        known = True


async def keep(ctx: Context, id: int, table: Table) -> None:
    """Remember a room as it is now: in the store first, for only that survives."""
    await ctx.store.put(f"room:{id}", asdict(table))
    tables[id] = table


if __name__ == "__main__":
    raise SystemExit(bot.run())
