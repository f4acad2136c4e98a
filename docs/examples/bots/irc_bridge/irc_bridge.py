"""A bridge between a room and an IRC channel: what is said in one is said in the other, with the name of who said it.

    pip install irc
    TERTULIA_IRC_SERVER=irc.example.net:6697 TERTULIA_IRC_TLS=1 TERTULIA_IRC_CHANNEL='#circle' \\
    TERTULIA_IRC_ROOM=circle tertulia bot run irc_bridge/irc_bridge.py

Further: TERTULIA_IRC_NICK, TERTULIA_IRC_PASSWORD (of the server), TERTULIA_IRC_KEY (of the channel), and
TERTULIA_IRC_PACE, the seconds between two lines where there are many (1.2).

To IRC go messages, edits (`(corrected)`), messages that were taken back, and what people do (`/me`). What programs say
goes as notices, which no program answers, so that two bridges do not talk to each other for ever. From IRC come
messages and actions; notices do not. With TERTULIA_IRC_PRESENCE=1 comings and goings are told, too.

The bot resumes: what is said in the room while IRC or the bridge is away waits on the broker, and goes out in order
when both are back. Up to where it went out is kept in the bot's store, so it is not said again. IRC itself keeps
nothing: what is said there while the bridge is away is not heard. `!irc`, in private, says how things stand;
`/msg BRIDGE names` on IRC says who is in the room.

`irc_link.py` is the connection, `irc_text.py` the texts.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import OrderedDict

import irc_text
from irc_link import Heard, IrcLink, IrcSettings

from client.bot import Bot, ChatError, Context, Event, Message, NoAnswer
from common.errors import BadText

KEPT = 500
"""Messages that are remembered, so that it can be told what was corrected or taken back."""
WAITING = 1_000
"""Lines from IRC that may wait for the broker; beyond, the oldest are lost, and it is told how many."""
AGAIN_S = 2.0
"""Seconds until the broker is asked again when it does not answer."""

log = logging.getLogger("irc_bridge")


def settings_from(environment: dict[str, str]) -> IrcSettings:
    """Where the channel is. Raises `SystemExit` saying which variable is missing."""
    server, channel = environment.get("TERTULIA_IRC_SERVER", ""), environment.get("TERTULIA_IRC_CHANNEL", "")
    host, _, port = server.rpartition(":")
    if not host or not port.isdigit() or channel[:1] not in "#&" or not channel:
        raise SystemExit("Set TERTULIA_IRC_SERVER=host:port and TERTULIA_IRC_CHANNEL='#channel'; see the first lines.")
    return IrcSettings(
        host.strip("[]"),
        int(port),
        channel,
        nick=environment.get("TERTULIA_IRC_NICK", "tertulia"),
        password=environment.get("TERTULIA_IRC_PASSWORD", ""),
        key=environment.get("TERTULIA_IRC_KEY", ""),
        tls=environment.get("TERTULIA_IRC_TLS") == "1",
        pace=float(environment.get("TERTULIA_IRC_PACE", "1.2")),
    )


ROOM = os.environ.get("TERTULIA_IRC_ROOM", "lobby")
PRESENCE = os.environ.get("TERTULIA_IRC_PRESENCE") == "1"
settings = settings_from(dict(os.environ))
bot = Bot("irc bridge", start="resume", bots=True, rooms=(ROOM,))

waiting: asyncio.Queue[Heard] = asyncio.Queue()
lost = 0
tasks: list[asyncio.Task[None]] = []
said: OrderedDict[int, tuple[str, str]] = OrderedDict()
"""Who said what, by the message's `seq`: the last ones."""
sent = -1
"""Up to which `seq` of the room all went out; -1 before the store was asked."""


def hear(heard: Heard) -> None:
    """Something happened on IRC."""
    global lost
    if waiting.qsize() >= WAITING:
        waiting.get_nowait()
        lost += 1
    waiting.put_nowait(heard)


link = IrcLink(settings, hear)


@bot.on_event("ready")
async def begin(ctx: Context, event: Event) -> None:
    """Have both directions run as long as the bot does."""
    end_tasks()
    tasks[:] = [asyncio.create_task(link.run()), asyncio.create_task(carry_in())]


@bot.on_event("stopping")
async def end(ctx: Context, event: Event) -> None:
    """Leave the channel."""
    end_tasks()


def end_tasks() -> None:
    """End both directions, if they run."""
    for task in tasks:
        task.cancel()


# From the room to IRC. A handler returns when IRC has its lines, and only then is the message counted as handled.


@bot.on_message(rooms=(ROOM,))
async def message(ctx: Context) -> None:
    """Somebody said something in the room."""
    here = ctx.message
    said[here.seq] = (here.author.login, here.text)
    while len(said) > KEPT:
        said.popitem(last=False)
    await carry_out(ctx, here.seq, here.author.login, outgoing(here), notice=here.hops > 0)


def outgoing(here: Message) -> tuple[str, str]:
    """What stands before each line of a message, and the message: `<ana> hola`, `* ana waves`, `<bob> ana: yes`."""
    login = here.author.login
    if does := irc_text.action(here.text, login):
        return f"* {login} ", does
    answered = said.get(here.reply_to)
    named = f"{answered[0]}: " if answered and answered[0] != login else ""
    return f"<{login}> ", named + here.text


@bot.on_event("edit", rooms=(ROOM,))
async def edited(ctx: Context, event: Event) -> None:
    """Somebody corrected what they said: on IRC that is said once more."""
    login, before = said.get(event.target, (event.user.login, ""))
    said[event.target] = (login, event.text)
    what = f' (instead of "{irc_text.short(before)}")' if before else ""
    await carry_out(ctx, event.seq, login, (f"<{login}> (corrected) ", f"{event.text}{what}"))


@bot.on_event("retract", rooms=(ROOM,))
async def retracted(ctx: Context, event: Event) -> None:
    """Somebody took back what they said, or a moderator did: IRC has it for good, but is told."""
    login, before = said.pop(event.target, ("", ""))
    what = f': "{irc_text.short(before)}"' if before else " something that was said before"
    whose = f" what {login} said" if login and login != event.user.login else ""
    await carry_out(ctx, event.seq, event.user.login, (f"* {event.user.login} took back", f"{whose}{what}"))


@bot.on_event("join", "leave", rooms=(ROOM,))
async def came_or_went(ctx: Context, event: Event) -> None:
    """Somebody came into the room, or left it."""
    if PRESENCE and not link.trouble:
        does = "has joined" if event.kind == "join" else "has left"
        await link.say([irc_text.clean(f"* {event.user.login} {does} {ROOM}")], notice=True)


async def carry_out(ctx: Context, seq: int, login: str, what: tuple[str, str], *, notice: bool = False) -> None:
    """Say something on IRC, once: what went out before the bridge was stopped does not go out again."""
    global sent
    if sent < 0:
        sent = await ctx.store.get(f"sent:{ROOM}", 0)
    if seq <= sent:
        return
    prefix, text = what
    budget = irc_text.room_left(settings.nick + "12", settings.channel, "NOTICE" if notice else "PRIVMSG")
    if lines := irc_text.lines(text, prefix, budget):
        await link.say(lines, notice=notice)
    sent = seq
    await ctx.store.put(f"sent:{ROOM}", seq)


# From IRC to the room.


async def carry_in() -> None:
    """Say in the room what happens on IRC, one thing after the other."""
    global lost
    while True:
        heard = await waiting.get()
        if heard.kind == "asked":
            await answer(heard)
            continue
        if lost:
            await say(f"({lost} lines from {settings.channel} are lost: the room could not be reached.)")
            lost = 0
        if text := incoming(heard):
            await say(text)


def incoming(heard: Heard) -> str:
    """What the room is told of something on IRC; empty if nothing."""
    nick, text = irc_text.name(heard.nick), irc_text.harmless(heard.text)
    match heard.kind:
        case "said" if text:
            return f"<{nick}> {text}"
        case "did" if text:
            return f"_{nick} {text}_"
        case "joined" | "left" if PRESENCE:
            return f"_{nick} has {heard.kind} {settings.channel}_"
        case "renamed" if PRESENCE:
            return f"_{nick} is now {irc_text.name(heard.text)}_"
    return ""


async def say(text: str) -> None:
    """Say something in the room; waits for a broker that does not answer."""
    while True:
        try:
            await bot.send(ROOM, text)
            return
        except (BadText, NoAnswer) as error:
            # If it may have gone out, it is not said again: the room must not hear it twice.
            log.warning("a line from %s is lost: %s", settings.channel, error)
            return
        except ChatError as error:
            log.error("%s cannot be told: %s", ROOM, error)
            await asyncio.sleep(AGAIN_S)


async def answer(heard: Heard) -> None:
    """Somebody on IRC talks to the bridge itself."""
    room = bot.room(ROOM)
    if heard.text.strip().lower() == "names" and room is not None:
        try:
            logins = " ".join(member.login for member in await room.members())
        except ChatError as error:
            link.answer(heard.nick, f"I cannot tell now: {error}")
            return
        for line in irc_text.lines(logins, f"In {ROOM}: ", irc_text.room_left(link.nick, heard.nick, "NOTICE"), 3):
            link.answer(heard.nick, line)
    else:
        link.answer(heard.nick, f"I carry {settings.channel} to a room of Tertulia. Say: names")


@bot.command
async def irc(ctx: Context) -> None:
    """Show how things stand with IRC, and who is there."""
    where = f"{settings.channel} on {settings.host}"
    if link.trouble:
        await ctx.reply(f"Not in {where}: {irc_text.harmless(link.trouble)}. What is said in {ROOM} goes out later.")
    else:
        names = ", ".join(sorted(map(irc_text.name, link.names), key=str.casefold)) or "nobody"
        await ctx.reply(f"In {where} as {irc_text.name(link.nick)}, with {names}.")


if __name__ == "__main__":
    raise SystemExit(bot.run())
