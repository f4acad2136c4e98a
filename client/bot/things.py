"""What a handler holds in its hands: messages, people, rooms, and what has happened.

Must not know how they are delivered.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal, get_args

from client.link.requests import Request
from common import messages as m
from common import names, topics

Role = Literal["creator", "moderator", "member", ""]
"""What somebody may do in the room; empty outside of one."""
RANKS: Final[tuple[str, ...]] = ("", "member", "moderator", "creator")
"""Roles, the least first."""
EventKind = Literal[
    "join",
    "leave",
    "online",
    "offline",
    "reaction",
    "edit",
    "retract",
    "topic",
    "invited",
    "joined",
    "left",
    "ready",
    "stopping",
]
EVENTS: Final[tuple[str, ...]] = get_args(EventKind)
LIFE: Final[tuple[EventKind, ...]] = ("ready", "stopping")
"""What nobody does."""
OWN: Final[tuple[EventKind, ...]] = ("joined", "left", *LIFE)
"""What happens to the bot itself; everything else that it does is no event for it."""
ROOMLESS: Final[tuple[EventKind, ...]] = ("invited", *LIFE)
"""What happens in no room."""
_MENTION: Final = re.compile(r"(?<![\w@])@(\w[\w.\-]*)")


@dataclass(frozen=True)
class User:
    """Somebody, as seen in one room. Two are equal if they are the same account."""

    login: str
    bot: bool = field(default=False, compare=False)
    """Whether it is known to be a program."""
    role: Role = field(default="", compare=False)
    """`creator`, `moderator` or `member` of the room; empty in private."""

    @property
    def mention(self) -> str:
        """`@login`, which they are told of."""
        return f"@{self.login}"

    def may(self, role: str) -> bool:
        """Whether they are at least that."""
        return RANKS.index(self.role) >= RANKS.index(role)


class Room:
    """A room that the bot is in."""

    waits = True
    """Whether a thread is given a stand-in whose methods block."""

    def __init__(self, view: m.RoomView, request: Request, say: Callable[[str, str], Awaitable[Message]]) -> None:
        self._view = view
        self._request = request
        self._say = say

    def __repr__(self) -> str:
        return f"Room({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Room) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def id(self) -> int:
        """A number that no other room has, nor one of the same name later."""
        return self._view.id

    @property
    def name(self) -> str:
        """Its name as its creator wrote it."""
        return self._view.name

    @property
    def subject(self) -> str:
        """Its topic line."""
        return self._view.subject

    def user(self, login: str, bot: bool = False) -> User:
        """Somebody in this room, with their role; whether they are in it is not asked."""
        key = names.key(login)
        if self._view.creator is not None and names.key(self._view.creator) == key:
            return User(login, bot, "creator")
        moderates = any(names.key(each) == key for each in self._view.moderators)
        return User(login, bot, "moderator" if moderates else "member")

    async def members(self) -> list[User]:
        """Everybody who is a member, by login. Raises what the broker refuses."""
        found: list[User] = []
        while True:
            after = found[-1].login if found else ""
            page = await self._request(m.Members(room=self.name, after=after))
            found += [self.user(member.login, member.bot) for member in page.members]
            if not page.more or not page.members:
                return found

    async def remove(self, login: str | User) -> None:
        """Put somebody out, if the bot may: it made the room or moderates it. Raises what the broker refuses."""
        await self._request(m.Remove(room=self.name, login=login.login if isinstance(login, User) else login))

    async def send(self, text: str) -> Message:
        """Say something there."""
        return await self._say(self.name, text)


@dataclass(frozen=True)
class Message:
    """Something that was said, in a room or in private."""

    waits: ClassVar[bool] = True

    seq: int
    """Its place in the log."""
    time: int
    """Milliseconds UTC by the broker's clock."""
    text: str
    author: User
    room: Room | None
    """None in private."""
    log: str
    """The room's name, or `@` and the bot's login for its inbox."""
    reply_to: int = 0
    """The `seq` of the message that this one answers; 0 for none."""
    hops: int = 0
    """0 if a person said it; else how many programs have answered one another up to here."""
    edited: int = 0
    """When the text was changed last, in milliseconds UTC; 0 if never."""

    @property
    def direct(self) -> bool:
        """Whether it is private."""
        return self.room is None

    def mentions(self, login: str) -> bool:
        """Whether it names somebody as `@login`, however that is written."""
        key = names.key(login)
        return any(names.key(written) == key for found in _MENTION.findall(self.text) for written in _written(found))


def _written(found: str) -> tuple[str, str]:
    """A name, and what it is if the punctuation at its end belongs to the sentence."""
    return found, found.rstrip(".-_")


@dataclass(frozen=True)
class Event:
    """Something that happened other than a message; `kind` says what, and which of the rest is filled in."""

    waits: ClassVar[bool] = True

    kind: EventKind
    time: int
    """Milliseconds UTC by the broker's clock."""
    user: User
    """Who did it."""
    room: Room | None
    """Where; None in private. For `invited`, None too: the bot may not be in it yet; so for `ready` and `stopping`."""
    seq: int = 0
    """`reaction`, `edit`, `retract`, `invited`: its place in the log; 0 for what no log keeps."""
    target: int = 0
    """`reaction`, `edit`, `retract`: the `seq` of the message."""
    emoji: str = ""
    """`reaction`."""
    on: bool = True
    """`reaction`: whether it was put there, or taken away."""
    text: str = ""
    """`edit`: the text as it is now; `topic`: the new topic line; `invited`: the room's name."""
    reason: str = ""
    """`leave`: `left`, `exit`, `gone`, `removed`, `disabled`; `left`: why the bot is no longer in the room."""


def message_of(entry: m.Message | m.DirectMessage, room: Room | None, log: str) -> Message:
    """A log's entry, as a handler sees it."""
    bot = entry.hops > 0
    author = User(entry.sender, bot) if room is None else room.user(entry.sender, bot)
    return Message(entry.seq, entry.time, entry.text, author, room, log, entry.reply_to, entry.hops, entry.edited)


def inbox_of(whom: User | str) -> str:
    """Where somebody is written to in private, with or without an `@` before the login."""
    return topics.inbox(whom.login if isinstance(whom, User) else whom.removeprefix(topics.INBOX))
