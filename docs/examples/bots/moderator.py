"""Keeps order in rooms: floods, forbidden words, links of newcomers. Takes such messages back, warns, puts out.

    tertulia bot run moderator.py

The bot has to be a moderator of the room (`/moderator BOT`, by whoever made it), and its key needs `admin`. Its
rules are set by the room's moderators, in the room: `!rules`, `!words add X`, `!flood 6 10`, `!newcomer 24`,
`!strikes 3`, `!exempt add ana`, `!pardon ana`. Moderators are never judged, nor are programs. What counts as wrong is
in `moderation.py`.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Literal

from moderation import HOUR_MS, Rules, Watch

from client.bot import Bot, Context, Event, User
from common.errors import ChatError

WORDS = 200
NEWCOMERS = 300
"""People who came lately that are remembered of one room; of more, those who came first are no longer newcomers."""
WEEK_H = 24 * 7

log = logging.getLogger("moderator")
bot = Bot("moderator", start="resume")
watch = Watch()
rules: dict[int, Rules] = {}
joined: dict[int, dict[str, int]] = {}
"""When people came, by room and login: only those who came while the bot was there."""


@bot.on_message()
async def judge(ctx: Context) -> None:
    """Look at everything that is said in rooms."""
    message, author = ctx.message, ctx.author
    if ctx.room is None or author.bot or author.role in ("creator", "moderator"):
        return
    here = await rules_of(ctx)
    if author.login in here.exempt:
        return
    came = (await newcomers(ctx)).get(author.login)
    wrong = watch.judge(ctx.room.id, author.login, message.text, message.time, here, came)
    if not wrong:
        return
    strikes = watch.strike(ctx.room.id, author.login, message.time)
    log.info("%s in %s, strike %d: %s", author.login, ctx.room.name, strikes, wrong)
    try:
        await ctx.retract()
        if strikes >= here.strikes:
            await ctx.room.remove(author)
            await ctx.send(f"{author.login} was put out: {wrong}.")
        elif strikes == here.strikes - 1:
            await ctx.send(f"{author.mention}, {wrong}. Next time you are put out.")
        else:
            await ctx.send(f"{author.mention}, {wrong}.")
    except ChatError as error:
        log.error("cannot keep order in %s: %s", ctx.room.name, error)
        await ctx.send(f"I cannot keep order here: {error} (/moderator {bot.login}, and a key with admin)")


@bot.on_event("edit")
async def judge_edit(ctx: Context, event: Event) -> None:
    """What was harmless may be changed to something that is not."""
    if event.room is None or event.user.bot or event.user.role in ("creator", "moderator"):
        return
    here = await rules_of(ctx)
    came = (await newcomers(ctx)).get(event.user.login)
    only = Rules(words=here.words, messages=0, repeats=0, newcomer_hours=here.newcomer_hours)
    wrong = watch.judge(event.room.id, event.user.login, event.text, event.time, only, came)
    if wrong and event.user.login not in here.exempt:
        await ctx.retract(event.target)
        await ctx.send(f"{event.user.mention}, {wrong}.")


@bot.on_event("join")
async def came(ctx: Context, event: Event) -> None:
    """Remember who is new."""
    if event.room is None or event.user.bot:
        return
    here = await newcomers(ctx)
    here.setdefault(event.user.login, event.time)
    longest = event.time - WEEK_H * HOUR_MS
    recent = {login: time for login, time in here.items() if time > longest}
    joined[event.room.id] = dict(list(recent.items())[-NEWCOMERS:])
    await ctx.store.put(f"joined:{event.room.id}", joined[event.room.id])


@bot.command(name="rules")
async def show(ctx: Context) -> None:
    """Show the rules of this room."""
    if ctx.room is None:
        await ctx.reply("Each room has its own: ask there.")
        return
    here = await rules_of(ctx)
    flood = f"{here.messages} messages in {here.seconds} s" if here.messages else "no limit"
    links = f"after {here.newcomer_hours} h" if here.newcomer_hours else "at once"
    await ctx.reply(
        f"Flood: {flood}. Links: {links}. Words that are not said here: {len(here.words)}. "
        f"Put out at strike {here.strikes}. Exempt: {', '.join(here.exempt) or 'nobody'}."
    )


@bot.command(require="moderator")
async def words(ctx: Context, do: Literal["add", "remove", "list"] = "list", *several: str) -> None:
    """Change the words that are not said here: `!words add X Y`, `!words remove X`, `!words list` (in private)."""
    here = await rules_of(ctx)
    if do == "list":
        await ctx.direct(", ".join(here.words) or "No word is forbidden.")
        return
    given = [word.casefold() for word in several]
    kept = [word for word in here.words if word not in given] + (given if do == "add" else [])
    if len(kept) > WORDS:
        await ctx.reply(f"At most {WORDS} words.")
        return
    here.words = kept
    await keep(ctx, here)


@bot.command(require="moderator")
async def flood(ctx: Context, messages: int, seconds: int = 10) -> None:
    """Allow so many messages in so many seconds: `!flood 6 10`; `!flood 0` for any number."""
    if not (0 <= messages <= 50 and 1 <= seconds <= 600):
        await ctx.reply("0 to 50 messages in 1 to 600 seconds.")
        return
    here = await rules_of(ctx)
    here.messages, here.seconds = messages, seconds
    await keep(ctx, here)


@bot.command(require="moderator")
async def newcomer(ctx: Context, hours: int) -> None:
    """Let people post links after so many hours in the room: `!newcomer 24`; 0 for at once."""
    if not 0 <= hours <= WEEK_H:
        await ctx.reply(f"0 to {WEEK_H} hours.")
        return
    here = await rules_of(ctx)
    here.newcomer_hours = hours
    await keep(ctx, here)


@bot.command(require="moderator")
async def strikes(ctx: Context, number: int) -> None:
    """Put people out when they break the rules so often within an hour: `!strikes 3`."""
    if not 1 <= number <= 20:
        await ctx.reply("1 to 20.")
        return
    here = await rules_of(ctx)
    here.strikes = number
    await keep(ctx, here)


@bot.command(require="moderator")
async def exempt(ctx: Context, do: Literal["add", "remove"], who: User) -> None:
    """Leave somebody alone: `!exempt add ana`, `!exempt remove ana`."""
    here = await rules_of(ctx)
    here.exempt = [login for login in here.exempt if login != who.login] + ([who.login] if do == "add" else [])
    await keep(ctx, here)


@bot.command(require="moderator")
async def pardon(ctx: Context, who: User) -> None:
    """Forget somebody's strikes: `!pardon ana`."""
    assert ctx.room is not None
    had = watch.pardon(ctx.room.id, who.login)
    await ctx.reply(f"{who.login} begins anew." if had else f"{who.login} has no strikes.")


# What is kept: a key for the rules of each room, and one for who came there lately.


async def rules_of(ctx: Context) -> Rules:
    """The rules of this room."""
    assert ctx.room is not None, "commands that need a moderator are for rooms"
    if ctx.room.id not in rules:
        rules[ctx.room.id] = Rules(**await ctx.store.get(f"rules:{ctx.room.id}", {}))
    return rules[ctx.room.id]


async def keep(ctx: Context, here: Rules) -> None:
    """Remember the rules of this room, and say so."""
    assert ctx.room is not None
    await ctx.store.put(f"rules:{ctx.room.id}", asdict(here))
    await ctx.react("✅")


async def newcomers(ctx: Context) -> dict[str, int]:
    """When people came to this room."""
    assert ctx.room is not None
    if ctx.room.id not in joined:
        joined[ctx.room.id] = await ctx.store.get(f"joined:{ctx.room.id}", {})
    return joined[ctx.room.id]


if __name__ == "__main__":
    raise SystemExit(bot.run())
