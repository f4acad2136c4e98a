"""Polls: `!poll "Lunch?" pizza sushi soup`, votes by reaction or by `!vote 2`, `!results`, `!close`.

    tertulia bot run polls.py

Votes are kept in the bot's store on the broker, and the bot resumes: what is voted while it is away counts. Whoever
votes again changes their mind. A poll is closed by whoever asked it, or by a moderator.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from client.bot import Bot, Context, Event

SIGNS = ("1️⃣", "2️⃣", "3️⃣", "4️⃣", "5️⃣", "6️⃣", "7️⃣", "8️⃣", "9️⃣", "🔟")
"""One sign for each choice, which is also the reaction that votes for it."""
OPTION_LENGTH = 100
KEPT = 20
"""Polls of one room that are remembered; of more, those asked first are forgotten."""

bot = Bot("polls", start="resume")


@dataclass
class Poll:
    """A question, and who has chosen what."""

    message: int
    """The `seq` of the bot's message that asks it."""
    by: str
    question: str
    options: list[str]
    votes: dict[str, int] = field(default_factory=dict)
    """The number of the choice, by login."""
    open: bool = True

    def text(self) -> str:
        """The question and its choices, each with its votes."""
        lines = [f"📊 {self.question}" if self.open else f"📊 {self.question} (closed)"]
        for number, option in enumerate(self.options):
            voters = [login for login, choice in self.votes.items() if choice == number]
            lines.append(f"{SIGNS[number]} {option}" + (f": {len(voters)} ({', '.join(voters)})" if voters else ""))
        if self.open:
            lines.append("React with a number, or say !vote 1. The last choice counts.")
        return "\n".join(lines)


@bot.command
async def poll(ctx: Context, question: str, *options: str) -> None:
    """Ask the room: `!poll "Lunch?" pizza sushi "soup of the day"`."""
    if ctx.room is None:
        await ctx.reply("Ask that in a room: here are only the two of us.")
    elif not 2 <= len(options) <= len(SIGNS) or len({option.casefold() for option in options}) < len(options):
        await ctx.reply(f'Between 2 and {len(SIGNS)} different choices, please: !poll "Lunch?" pizza sushi')
    else:
        new = Poll(0, ctx.author.login, question, [option[:OPTION_LENGTH] for option in options])
        asked = await ctx.send(new.text())
        new.message = asked.seq
        await keep(ctx, new)
        for sign in SIGNS[: len(options)]:
            await ctx.react(sign, asked)
        for forgotten in (await messages_of_polls(ctx))[:-KEPT]:
            await ctx.store.delete(key(ctx, forgotten))


@bot.command
async def vote(ctx: Context, choice: int) -> None:
    """Vote in the newest poll that is open: `!vote 2`."""
    found = await newest(ctx)
    if found is None:
        await ctx.reply("No poll is open here. Ask something: !poll")
    elif not 1 <= choice <= len(found.options):
        await ctx.reply(f"There are {len(found.options)} choices: !vote 1 to !vote {len(found.options)}")
    else:
        found.votes[ctx.author.login] = choice - 1
        await keep(ctx, found)
        await ctx.react("✅")


@bot.on_event("reaction")
async def reacted(ctx: Context, event: Event) -> None:
    """A reaction with a number, under a poll that is open, is a vote."""
    if event.emoji not in SIGNS or event.room is None:
        return
    found = await get(ctx, event.target)
    choice = SIGNS.index(event.emoji)
    if found is None or not found.open or choice >= len(found.options):
        return
    if event.on:
        found.votes[event.user.login] = choice
    elif found.votes.get(event.user.login) == choice:
        del found.votes[event.user.login]
    await keep(ctx, found)


@bot.command
async def results(ctx: Context) -> None:
    """Show how the newest poll stands."""
    found = await newest(ctx, closed=True)
    await ctx.reply("There was no poll here yet. Ask something: !poll" if found is None else summary(found))


@bot.command
async def close(ctx: Context) -> None:
    """End the newest poll that you have asked; a moderator ends anybody's."""
    moderates = ctx.author.role in ("creator", "moderator")
    found = await newest(ctx, by=None if moderates else ctx.author.login)
    if found is None:
        await ctx.reply("There is no open poll here that you could close.")
        return
    found.open = False
    await keep(ctx, found)
    await ctx.send(summary(found))


def summary(found: Poll) -> str:
    """How a poll stands, and who leads."""
    counts = [list(found.votes.values()).count(number) for number in range(len(found.options))]
    best = [option for option, count in zip(found.options, counts, strict=True) if count == max(counts)]
    if not found.votes:
        leads = "Nobody has voted" + (" yet." if found.open else ".")
    elif len(best) > 1:
        leads = "A tie: " + ", ".join(best)
    else:
        leads = f"{'Ahead' if found.open else 'Chosen'}: {best[0]}"
    return f"{found.text()}\n{leads}"


# What is kept: a key for each poll, by the number of its room and the `seq` of its message.


def key(ctx: Context, message: int) -> str:
    """Where a poll of this room is kept."""
    assert ctx.room is not None
    return f"poll:{ctx.room.id}:{message}"


async def messages_of_polls(ctx: Context) -> list[int]:
    """The polls of this room, oldest first, by their messages."""
    if ctx.room is None:
        return []
    return sorted(int(name.rsplit(":", 1)[1]) for name in await ctx.store.keys(f"poll:{ctx.room.id}:"))


async def get(ctx: Context, message: int) -> Poll | None:
    """The poll that a message asks, if it is one."""
    kept: dict[str, Any] | None = await ctx.store.get(key(ctx, message))
    return None if kept is None else Poll(**kept)


async def keep(ctx: Context, found: Poll) -> None:
    """Remember a poll as it is now."""
    await ctx.store.put(key(ctx, found.message), asdict(found))


async def newest(ctx: Context, *, closed: bool = False, by: str | None = None) -> Poll | None:
    """The newest poll of this room that is open (or `closed`, too), and asked by `by` if that is given."""
    for message in reversed(await messages_of_polls(ctx)):
        found = await get(ctx, message)
        if found is not None and (found.open or closed) and by in (None, found.by):
            return found
    return None


if __name__ == "__main__":
    raise SystemExit(bot.run())
