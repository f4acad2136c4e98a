"""Stand-ups in writing: asks everybody on a room's list in private, and posts what they said.

    tertulia bot run standup.py

In the room: `!standup join`, `!standup leave`, `!standup at 9:30`, `!standup show`, `!standup now`. On weekdays at that
time everybody on the list is asked three questions, one after the other. After an hour, or as soon as all have
answered, the room gets the summary. Everything is kept in the bot's store, so a restart in the middle costs no answer.
"""

from __future__ import annotations

import logging
import os
import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal
from zoneinfo import ZoneInfo

import when

from client.bot import Bot, Context
from common.errors import ChatError

QUESTIONS = ("What have you done since last time?", "What will you do next?", "What is in your way?")
LABELS = ("Done", "Next", "In the way")
"""What the answers are called in the summary."""
ANSWER_S = 3_600
"""Seconds for all answers."""
PEOPLE = 40
SKIP = re.compile(r"[-–—.\s]*|none|nothing|no|skip", re.I)
"""What counts as no answer, so that a summary is short."""
TEXT_LENGTH = 1_000

log = logging.getLogger("standup")
bot = Bot("standup", start="resume")
teams: dict[int, Team] = {}
known = False


@dataclass
class Team:
    """A room's stand-up."""

    room: str
    id: int
    """The room's."""
    people: list[str] = field(default_factory=list)
    at: str = "09:30"
    due: int = 0
    """When the next one begins, in milliseconds UTC; 0 if nobody is on the list."""
    ends: int = 0
    """When the one that goes on ends; 0 if none does."""
    answers: dict[str, list[str]] = field(default_factory=dict)
    """Of the one that goes on, by login."""

    def missing(self) -> list[str]:
        """Who has not answered everything yet."""
        return [login for login in self.people if len(self.answers.get(login, [])) < len(QUESTIONS)]


@bot.command
async def standup(ctx: Context, do: Literal["join", "leave", "at", "show", "now"] = "show", time: str = "") -> None:
    """Take part in this room's stand-up: `!standup join`, `leave`, `at 9:30`, `show`, `now`."""
    await read(ctx)
    if ctx.room is None:
        await ctx.reply("Say that in the room whose stand-up it is.")
        return
    team = teams.setdefault(ctx.room.id, Team(ctx.room.name, ctx.room.id))
    login = ctx.author.login
    if do == "join" and login not in team.people:
        if len(team.people) >= PEOPLE:
            await ctx.reply(f"At most {PEOPLE} people.")
            return
        team.people.append(login)
    elif do == "leave" and login in team.people:
        team.people.remove(login)
        team.answers.pop(login, None)
    elif do == "at":
        try:
            team.at = f"{when.parse(f'at {time}', moment(ctx.now), zone()).due.astimezone(zone()):%H:%M}"
        except when.NotATime as error:
            await ctx.reply(str(error))
            return
    elif do == "now":
        if not team.people or team.ends:
            await ctx.reply("It goes on already." if team.ends else "Nobody is on the list: !standup join")
            return
        await begin(ctx, team)
        return
    team.due = next_due(team, ctx.now)
    await keep(ctx, team)
    await ctx.reply(f"On weekdays at {team.at}: {', '.join(team.people) or 'nobody yet (!standup join)'}")


@bot.every("10s")
async def tend(ctx: Context) -> None:
    """Begin what is due, end what is over."""
    await read(ctx)
    for team in list(teams.values()):
        if team.ends and (ctx.now >= team.ends or not team.missing()):
            await finish(ctx, team)
        elif not team.ends and team.due and ctx.now >= team.due:
            await begin(ctx, team)


async def begin(ctx: Context, team: Team) -> None:
    """Ask everybody the first question; `answered` goes on from there."""
    team.answers, team.ends = {}, ctx.now + ANSWER_S * 1000
    team.due = next_due(team, ctx.now)
    await keep(ctx, team)
    for login in team.people:
        try:
            await ctx.direct(f"Stand-up of {team.room}. {QUESTIONS[0]} (- for nothing)", to=login)
        except ChatError as error:
            log.warning("%s cannot be asked: %s", login, error)


@bot.on_message(direct=True)
async def answered(ctx: Context) -> None:
    """A private message of somebody who was asked is the answer; then they are asked the rest."""
    await read(ctx)
    login = ctx.author.login
    team = next((each for each in teams.values() if each.ends and login in each.missing()), None)
    if team is None:
        return
    text, given = ctx.message.text, team.answers.setdefault(login, [])
    for number, question in enumerate(QUESTIONS):
        if number:
            try:
                text = (await ctx.ask(question, timeout=max((team.ends - ctx.now) / 1000, 1))).text
            except TimeoutError:
                return
        if team.answers.get(login) is not given:
            await ctx.reply("That stand-up is over.")
            return
        # A bot that was killed here handles the first answer again: what it asks then is not asked twice, and what was
        # answered already it hears again, but has it.
        if number == len(given):
            given.append(text.strip()[:TEXT_LENGTH])
            await keep(ctx, team)
    await ctx.reply(f"Thank you. I tell {team.room} when all have answered.")
    if not team.missing():
        await finish(ctx, team)


async def finish(ctx: Context, team: Team) -> None:
    """Post the summary."""
    text = summary(team)
    team.answers, team.ends = {}, 0
    try:
        await ctx.send(text, room=team.room)
    except ChatError as error:
        log.error("%s cannot be told its summary: %s", team.room, error)
    await keep(ctx, team)


def summary(team: Team) -> str:
    """What everybody has said; short where there is nothing to say."""
    lines = ["📋 Stand-up"]
    for login in team.people:
        given = team.answers.get(login, [])
        said = [f"  {label}: {text}" for label, text in zip(LABELS, given, strict=False) if not SKIP.fullmatch(text)]
        lines += [f"{login}:" + ("" if said else " nothing to tell" if given else " no answer"), *said]
    return "\n".join(lines)


def next_due(team: Team, now: int) -> int:
    """When the next one begins; 0 if nobody is on the list."""
    if not team.people:
        return 0
    weekdays = when.Every(days=(0, 1, 2, 3, 4), at=team.at)
    return round(weekdays.after(moment(now), zone()).timestamp() * 1000)


def moment(ms: int) -> datetime:
    """Milliseconds UTC as a moment."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def zone() -> tzinfo:
    """The zone that hours are meant in: TERTULIA_ZONE, or that of this machine."""
    name = os.environ.get("TERTULIA_ZONE")
    return ZoneInfo(name) if name else datetime.now().astimezone().tzinfo or UTC


# What is kept: a key for each team.


async def read(ctx: Context) -> None:
    """Have all teams at hand, from the store."""
    global known
    if not known:
        for key in await ctx.store.keys("team:"):
            kept: dict[str, Any] = await ctx.store.get(key)
            teams.setdefault(kept["id"], Team(**kept))
        known = True


async def keep(ctx: Context, team: Team) -> None:
    """Remember a team as it is now."""
    await ctx.store.put(f"team:{team.id}", asdict(team))


if __name__ == "__main__":
    raise SystemExit(bot.run())
