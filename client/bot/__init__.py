"""The SDK for bots: `Bot` with its decorators, and what handlers are given. `docs/BOTS.md` is its page.

Must not know the terminal, nor how the broker works.
"""

from __future__ import annotations

from client.bot.bot import Bot
from client.bot.clock import Clock
from client.bot.context import Context
from client.bot.errors import BadArguments, BadHandler, Unanswered
from client.bot.store import Store
from client.bot.things import Event, Message, Room, User
from client.link.failures import NoAnswer, SessionOver
from common.errors import ChatError, Forbidden, Loop, NoSuchRoom, NoSuchUser, NotMember, TooMany

__all__ = [
    "BadArguments",
    "BadHandler",
    "Bot",
    "ChatError",
    "Clock",
    "Context",
    "Event",
    "Forbidden",
    "Loop",
    "Message",
    "NoAnswer",
    "NoSuchRoom",
    "NoSuchUser",
    "NotMember",
    "Room",
    "SessionOver",
    "Store",
    "TooMany",
    "Unanswered",
    "User",
]
