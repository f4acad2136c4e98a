"""Reminders: `!remind me in 20m to take the cake out`, `!remind us every monday 9:00 to plan`.

    tertulia bot run reminders.py

Each is kept in the bot's store on the broker until it was told, so none is lost when the bot, the broker or the machine
stops; what came due meanwhile is told late, and says so. Hours are those of this machine, or of the zone that somebody
names with `!zone Europe/Madrid`. The phrases are in `when.py`.
"""

from __future__ import annotations

import logging
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import when

from client.bot import Bot, ChatError, Context, NoAnswer

EACH = 50
"""Reminders that one person may have."""
ALL = 800
"""Reminders together: the store has room for so many."""
LATE = timedelta(minutes=2)
"""A reminder that is later than this says so."""
TEXT_LENGTH = 500

log = logging.getLogger("reminders")
bot = Bot("reminders", start="resume")
book: dict[int, Reminder] = {}
"""All reminders by their number, as the store has them; read from there at the start."""
known = False
"""Whether `book` was read."""


@dataclass
class Reminder:
    """What is to be told, to whom, when."""

    number: int
    by: str
    room: str
    """Where; empty for a private message."""
    all: bool
    """Whether it is for the whole room, and not only for whoever asked."""
    text: str
    due: int
    """Milliseconds UTC."""
    every: dict[str, Any] | None
    """When it comes back, as `when.Every` has it."""
    asked: str
    """The message that asked for it, so that it counts once, however often a bot that resumes reads it."""

    def told(self, now: datetime) -> str:
        """What is said when it is due."""
        who = "" if self.all or not self.room else f"@{self.by}: "
        late = now - moment(self.due)
        note = f" (late: this was due {said_late(late)} ago, and I was away)" if late > LATE else ""
        return f"⏰ {who}{self.text}{note}"

    def line(self, now: datetime, zone: tzinfo) -> str:
        """What it is in a list."""
        back = f", {when.said_every(when.Every(**self.every))}" if self.every else ""
        return f"{self.number}. {when.said(moment(self.due), now, zone)}{back}: {self.text}"


@bot.command(cooldown="10/60s per user")
async def remind(ctx: Context, *, text: str) -> None:
    """Be reminded: `!remind me in 20m to call`, `at 18:30`, `tomorrow at 9`, `every monday 9:00`; `us` is the room."""
    await read(ctx)
    who, _, rest = text.strip().partition(" ")
    if who.lower() not in ("me", "us"):
        who, rest = "me", text
    zone, now = await zone_of(ctx), moment(ctx.now)
    try:
        phrase = when.find(rest, now, zone)
    except when.NotATime as error:
        await ctx.reply(str(error))
        return
    what = phrase.rest.strip() or "You asked to be reminded now."
    asked = f"{ctx.message.log}:{ctx.message.seq}" if ctx.message else ""
    new = next((each for each in book.values() if each.asked == asked), None)
    if new is None:
        if len(book) >= ALL or sum(each.by == ctx.author.login for each in book.values()) >= EACH:
            await ctx.reply(f"That is one too many: {EACH} for each. See !reminders, and !cancel what is over.")
            return
        number = next(number for number in range(1, ALL + 1) if number not in book)
        room = ctx.room.name if ctx.room else ""
        due, every = round(phrase.due.timestamp() * 1000), asdict(phrase.every) if phrase.every else None
        all_ = who.lower() == "us" and bool(room)
        new = Reminder(number, ctx.author.login, room, all_, what[:TEXT_LENGTH], due, every, asked)
        await keep(ctx, new)
    await ctx.reply(f"Noted. {new.line(now, zone)}")


@bot.command
async def reminders(ctx: Context) -> None:
    """List what you have asked for here; in private, everywhere."""
    await read(ctx)
    zone, now = await zone_of(ctx), moment(ctx.now)
    mine = [each for each in book.values() if each.by == ctx.author.login or (each.all and ctx.room)]
    if ctx.room is not None:
        mine = [each for each in mine if each.room == ctx.room.name]
    lines = [each.line(now, zone) for each in sorted(mine, key=lambda each: each.due)]
    await ctx.reply("\n".join(lines) or "Nothing. Try: !remind me in 20m to call")


@bot.command
async def cancel(ctx: Context, number: int) -> None:
    """Forget a reminder: `!cancel 3`. A moderator may do so with those of the whole room."""
    await read(ctx)
    found = book.get(number)
    moderates = ctx.room is not None and ctx.author.role in ("creator", "moderator")
    here = found is not None and ctx.room is not None and found.room == ctx.room.name
    if found is None or not (found.by == ctx.author.login or (found.all and here and moderates)):
        await ctx.reply(f"You have no reminder {number}. See !reminders")
        return
    await forget(ctx, found)
    await ctx.reply(f"Forgotten: {found.text}")


@bot.command
async def zone(ctx: Context, name: str = "") -> None:
    """Say in which time zone you live: `!zone Europe/Madrid`."""
    if name and name not in available_timezones():
        await ctx.reply(f'I know no zone "{name}". Zones are named like Europe/Madrid or America/Bogota.')
        return
    if name:
        await ctx.store.put(f"zone:{ctx.author.login}", name)
    here = moment(ctx.now).astimezone(await zone_of(ctx))
    await ctx.reply(f"Your clock says {here:%H:%M} ({here:%Z}).")


@bot.every("10s")
async def tell(ctx: Context) -> None:
    """Tell what is due; what could not be told now stays, and is tried again."""
    await read(ctx)
    now = moment(ctx.now)
    for each in sorted(book.values(), key=lambda each: each.due):
        if each.due > ctx.now or book.get(each.number) is not each:
            continue
        try:
            await say(ctx, each, each.told(now))  # only then forgotten; killed in between, it is not heard twice
        except NoAnswer:
            return
        except ChatError as error:
            log.error("reminder %d can be told to nobody: %s", each.number, error)
        if each.every is None:
            await forget(ctx, each)
        else:
            # What was missed while the bot was away is told once, not as often as it was missed.
            each.due = next_due(each, now, await zone_of(ctx, each.by))
            await keep(ctx, each)


async def say(ctx: Context, each: Reminder, text: str) -> None:
    """Tell it where it belongs, or in private if the bot is no longer in that room."""
    once = f"{each.asked} {each.due}"
    if each.room:
        try:
            await ctx.send(text, room=each.room, once=once)
            return
        except NoAnswer:
            raise
        except ChatError as error:
            log.warning("reminder %d cannot be told in %s: %s", each.number, each.room, error)
    await ctx.direct(text, to=each.by, once=once)


def next_due(each: Reminder, now: datetime, zone: tzinfo) -> int:
    """When it comes back, after now."""
    every, turn = when.Every(**(each.every or {})), moment(each.due)
    if every.seconds:
        turns = max(0, (now - turn) // timedelta(seconds=every.seconds)) + 1
        turn += turns * timedelta(seconds=every.seconds)
    else:
        turn = every.after(max(now, turn), zone)
    return round(turn.timestamp() * 1000)


def moment(ms: int) -> datetime:
    """Milliseconds UTC as a moment."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def said_late(late: timedelta) -> str:
    """So much, in the largest unit that fits."""
    seconds = int(late.total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}{'s' if seconds >= 2 * size else ''}"
    return f"{seconds} seconds"


# What is kept: a key for each reminder, and one for the zone of each person who has named one.


async def zone_of(ctx: Context, login: str = "") -> tzinfo:
    """The zone of a person (of whoever asks, without one), or that of this machine."""
    name = await ctx.store.get(f"zone:{login or ctx.author.login}") or os.environ.get("TERTULIA_ZONE")
    return ZoneInfo(name) if name else datetime.now().astimezone().tzinfo or UTC


async def read(ctx: Context) -> None:
    """Have all reminders at hand, from the store."""
    global known
    if not known:
        for key in await ctx.store.keys("reminder:"):
            kept = Reminder(**await ctx.store.get(key))
            book[kept.number] = kept
        known = True


async def keep(ctx: Context, each: Reminder) -> None:
    """Remember a reminder: in the store first, for only that survives."""
    await ctx.store.put(f"reminder:{each.number:04}", asdict(each))
    book[each.number] = each


async def forget(ctx: Context, each: Reminder) -> None:
    """Forget a reminder."""
    await ctx.store.delete(f"reminder:{each.number:04}")
    book.pop(each.number, None)


if __name__ == "__main__":
    raise SystemExit(bot.run())
