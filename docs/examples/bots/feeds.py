"""News: tells a room what appears in RSS and Atom feeds. `!feed add https://example.org/feed.xml`, `!feed list`.

    pip install feedparser
    tertulia bot run feeds.py

What a feed has when it is added is not told: only what appears from then on, and at most a handful at once. What was
told is remembered in the bot's store on the broker, so a restart repeats nothing and misses nothing that the feed still
has. Feeds on this machine's own network are refused unless TERTULIA_FEEDS_PRIVATE=1. Fetching is in `feed_reader.py`.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from dataclasses import asdict, dataclass, field
from typing import Literal

import feed_reader
from feed_reader import NoFeed

from client.bot import Bot, ChatError, Context

AT_ONCE = 5
"""Entries of one feed that a room is told at once; of more, how many there are."""
EACH_ROOM = 20
"""Feeds that one room may have."""
SIDE_BY_SIDE = 4
"""Feeds that are fetched at the same time."""
PATIENCE = 5
"""Failures in a row after which a feed is asked less and less often."""

log = logging.getLogger("feeds")
bot = Bot("feeds", start="resume")
private = os.environ.get("TERTULIA_FEEDS_PRIVATE") == "1"


@dataclass
class Feed:
    """A feed of one room, and how it stood when it was asked last."""

    url: str
    room: str
    by: str
    title: str = ""
    etag: str = ""
    modified: str = ""
    seen: list[str] = field(default_factory=list)
    failures: int = 0
    error: str = ""
    rounds: int = 0
    """Rounds that it is left alone, after many failures."""

    @property
    def key(self) -> str:
        """Where it is kept."""
        return f"feed:{hashlib.sha256(f'{self.room}|{self.url}'.encode()).hexdigest()[:16]}"


@bot.command(cooldown="5/60s per user")
async def feed(ctx: Context, do: Literal["add", "remove", "list"] = "list", url: str = "") -> None:
    """Be told of what a feed publishes: `!feed add URL`, `!feed remove URL`, `!feed list`."""
    if ctx.room is None:
        await ctx.reply("Ask for that in the room that is to be told.")
    elif do == "add":
        await add(ctx, ctx.room.name, url)
    elif do == "remove":
        await remove(ctx, ctx.room.name, url)
    else:
        lines = [
            f"{each.title}: {each.url}" + (f" ({each.error})" if each.error else "")
            for each in await feeds(ctx, ctx.room.name)
        ]
        await ctx.reply("\n".join(lines) or "No feeds yet. Try: !feed add https://example.org/feed.xml")


async def add(ctx: Context, room: str, url: str) -> None:
    """Begin with a feed: what it has now counts as told."""
    others = await feeds(ctx, room)
    if any(each.url == url for each in others):
        await ctx.reply("That one is here already.")
        return
    if len(others) >= EACH_ROOM:
        await ctx.reply(f"A room has at most {EACH_ROOM} feeds. See !feed list")
        return
    # Fetching takes a while: what else is said in the room is handled meanwhile.
    async with ctx.aside(), ctx.typing():
        try:
            found = await asyncio.to_thread(feed_reader.fetch, url, private=private)
        except NoFeed as error:
            await ctx.reply(f"I cannot read that: {error}.")
            return
    _, seen = feed_reader.news(found.entries, ())
    new = Feed(url, room, ctx.author.login, found.title, found.etag, found.modified, seen)
    await ctx.store.put(new.key, asdict(new))
    latest = f" The latest there: {found.entries[0].line()}" if found.entries else ""
    await ctx.reply(f"From now on I tell you what {found.title} publishes.{latest}")


async def remove(ctx: Context, room: str, url: str) -> None:
    """Stop with a feed: whoever asked for it may, and a moderator."""
    found = next((each for each in await feeds(ctx, room) if each.url == url), None)
    if found is None:
        await ctx.reply("There is no such feed here. See !feed list")
    elif found.by != ctx.author.login and ctx.author.role not in ("creator", "moderator"):
        await ctx.reply(f"{found.by} has asked for that one, or ask a moderator.")
    else:
        await ctx.store.delete(found.key)
        await ctx.reply(f"No more of {found.title}.")


@bot.every("5m")
async def look(ctx: Context) -> None:
    """Ask every feed what is new."""
    places = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(each: Feed) -> None:
        async with places:
            await ask(ctx, each)

    await asyncio.gather(*(one(each) for each in await feeds(ctx)))


async def ask(ctx: Context, each: Feed) -> None:
    """Ask one feed, and tell its room."""
    if each.rounds > 0:
        each.rounds -= 1
        await keep(ctx, each)
        return
    try:
        found = await asyncio.to_thread(feed_reader.fetch, each.url, each.etag, each.modified, private=private)
    except NoFeed as error:
        await failed(ctx, each, error)
        return
    if not found.changed and not each.error:
        return
    fresh, seen = feed_reader.news(found.entries, each.seen) if found.changed else ([], each.seen)
    each.failures, each.error = 0, ""
    try:
        await tell(ctx, each, fresh)
        each.seen, each.etag, each.modified = seen, found.etag, found.modified
        each.title = found.title or each.title
    except ChatError as error:
        # Nothing of it is remembered, so it is told in the next round, or when the bot is in the room again.
        each.error = f"could not tell {each.room}: {error}"
    await keep(ctx, each)


async def tell(ctx: Context, each: Feed, fresh: list[feed_reader.Entry]) -> None:
    """Tell the room what is new, the newest of it if it is much."""
    if len(fresh) > AT_ONCE:
        many = f"📰 {each.title}: {len(fresh)} new entries; the latest:"
        await ctx.send(many, room=each.room, once=f"{each.key} up to {fresh[-1].key}")
    for entry in fresh[-AT_ONCE:]:
        # Killed before it is noted as told, the bot tells it again, and the broker lets it be heard once.
        await ctx.send(f"📰 {each.title}: {entry.line()}", room=each.room, once=f"{each.key} {entry.key}")


async def failed(ctx: Context, each: Feed, error: NoFeed) -> None:
    """Note a failure; a feed that is gone for ever is given up, and its room told."""
    log.warning("%s: %s", each.url, error)
    each.failures += 1
    each.error = str(error)
    each.rounds = min(2 ** (each.failures - PATIENCE), 144) if each.failures > PATIENCE else 0
    if error.gone:
        await ctx.store.delete(each.key)
        await ctx.send(f"📰 {each.title} is no more: {error}. I no longer ask.", room=each.room)
    else:
        await keep(ctx, each)


async def keep(ctx: Context, each: Feed) -> None:
    """Remember how a feed stands, unless it was removed meanwhile."""
    if await ctx.store.get(each.key) is not None:
        await ctx.store.put(each.key, asdict(each))


async def feeds(ctx: Context, room: str = "") -> list[Feed]:
    """The feeds of a room, or of all rooms."""
    found = [Feed(**await ctx.store.get(key)) for key in await ctx.store.keys("feed:")]
    return [each for each in found if room in ("", each.room)]


if __name__ == "__main__":
    raise SystemExit(bot.run())
