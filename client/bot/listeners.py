"""Which handler is called for what: what the decorators have written down, in the order of the bot's file.

Decorators give the function back as it was. Nothing here takes the place of anything else: every handler that fits is
called. Must not know how a handler is called.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, cast, get_args

from client.bot.arguments import Signature
from client.bot.cooldowns import Cooldown
from client.bot.errors import BadHandler
from client.bot.functions import Function, named, qualified
from client.bot.schedule import Schedule
from client.bot.things import EVENTS, RANKS, ROOMLESS, Event, EventKind, Message, Role, User
from common import names

_NAME: Final = re.compile(r"[^\s@]+")
LAMBDA: Final = "<lambda>"


def _rooms(rooms: Iterable[str]) -> frozenset[str]:
    if isinstance(rooms, str):
        raise BadHandler(f"rooms={rooms!r}: expected names in a tuple or list: rooms=({rooms!r},)")
    try:
        return frozenset(map(names.key, rooms))
    except TypeError:
        raise BadHandler(f"rooms={rooms!r}: expected names in a tuple or list.") from None


def _role(require: str) -> Role:
    if require not in get_args(Role):
        raise BadHandler(f"require={require!r}: expected 'moderator', 'creator' or 'member'.")
    return cast(Role, require)


@dataclass
class Handler:
    """What all have in common."""

    function: Function
    rooms: frozenset[str] = frozenset()
    """Keys of the rooms that it is for; empty for everywhere."""
    require: Role = ""
    name: str = field(init=False)
    """What tells it from the others in the nonces of its posts, and in the log."""

    def __post_init__(self) -> None:
        self.name = f"{type(self).__name__} {qualified(self.function)}"

    @property
    def called_for(self) -> bool:
        """Whether whoever is heard by it meant the bot, and is to be told what goes wrong."""
        return False

    def is_for(self, room: str | None) -> bool:
        """Whether it is for that room; None for what is private."""
        return not self.rooms or (room is not None and names.key(room) in self.rooms)

    def allows(self, user: User) -> bool:
        """Whether somebody may use it."""
        return RANKS.index(user.role) >= RANKS.index(self.require)


@dataclass
class Command(Handler):
    """`@bot.command`."""

    title: str = ""
    aliases: tuple[str, ...] = ()
    help: str = ""
    cooldown: str = ""
    signature: Signature = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.title = self.title or named(self.function)
        for name in (self.title, *self.aliases):
            if name == LAMBDA:
                raise BadHandler("A lambda has no name: write bot.command('name')(lambda ctx: …).")
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise BadHandler(f"{name!r} is no name for a command: it is one word without '@'.")
        Cooldown.parse(self.cooldown)
        self.help = inspect.cleandoc(self.help or self.function.__doc__ or "")

    @property
    def called_for(self) -> bool:
        """As in `Handler`."""
        return True

    @property
    def summary(self) -> str:
        """The first line of its help."""
        return self.help.partition("\n")[0]


@dataclass
class Listener(Handler):
    """`@bot.on_message`."""

    match: re.Pattern[str] | None = None
    mention: bool = False
    direct: bool | None = None
    bots: bool | None = None
    signature: Signature = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        groups = set(self.match.groupindex) if self.match else set()
        missing = [each.name for each in self.signature.parameters if each.name not in groups and each.required]
        unknown = groups - {each.name for each in self.signature.parameters}
        if missing or unknown:
            raise BadHandler(
                f"{named(self.function)}: its parameters after the context are the named groups of the pattern, "
                f"(?P<name>…); {', '.join(sorted(unknown) or missing)} does not fit."
            )

    @property
    def called_for(self) -> bool:
        """As in `Handler`."""
        return self.mention or bool(self.direct) or self.match is not None

    def hears(self, message: Message, login: str) -> re.Match[str] | bool:
        """Whether it is for this message, or how its pattern matches."""
        if not self.is_for(message.room.name if message.room else None):
            return False
        if self.direct is not None and self.direct != message.direct:
            return False
        if self.mention and not (message.direct or message.mentions(login)):
            return False
        if not self.allows(message.author):
            return False
        return True if self.match is None else self.match.search(message.text) or False


@dataclass
class EventListener(Handler):
    """`@bot.on_event`."""

    kinds: frozenset[EventKind] = frozenset()
    bots: bool | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        wrong = sorted(map(str, set(self.kinds) - set(EVENTS)))
        if wrong or not self.kinds:
            found = f"{wrong[0]!r} is no event" if wrong else "name an event at least"
            raise BadHandler(f"{named(self.function)}: {found}; expected some of {', '.join(EVENTS)}.")
        nowhere = sorted(self.kinds & set(ROOMLESS))
        if self.rooms and nowhere:
            raise BadHandler(f"{named(self.function)}: {nowhere[0]!r} happens in no room; leave rooms= out.")
        Signature(self.function, 2)

    def hears(self, event: Event) -> bool:
        """Whether it is for this event."""
        return event.kind in self.kinds and self.is_for(event.room.name if event.room else None)


@dataclass
class Timer(Handler):
    """`@bot.every`."""

    names: tuple[str, ...] = ()
    """The rooms that it is called for, as they are written; without any it is called once, for none."""
    schedule: Schedule = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        Signature(self.function, 1)


class Listeners:
    """All handlers of a bot."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.messages: list[Listener] = []
        self.events: list[EventListener] = []
        self.timers: list[Timer] = []
        self._by_name: dict[str, Command] = {}

    def add(self, handler: Handler) -> None:
        """A further one. Raises `BadHandler` if a command of that name is there already."""
        if isinstance(handler, Command):
            for name in (handler.title, *handler.aliases):
                known = self._by_name.get(names.key(name))
                if known is not None:
                    raise BadHandler(f"There are two commands {name!r}: {known.name} and {handler.name}.")
            self._by_name.update({names.key(name): handler for name in (handler.title, *handler.aliases)})
            self.commands.append(handler)
        elif isinstance(handler, Listener):
            self.messages.append(handler)
        elif isinstance(handler, EventListener):
            self.events.append(handler)
        elif isinstance(handler, Timer):
            self.timers.append(handler)
        self._tell_apart(handler)

    def _tell_apart(self, handler: Handler) -> None:
        """Two handlers of one name must not make the same nonces."""
        every: list[Handler] = [*self.commands, *self.messages, *self.events, *self.timers]
        same = sum(each is not handler and each.name.partition("#")[0] == handler.name for each in every)
        if same:
            handler.name = f"{handler.name}#{same + 1}"

    def command(self, name: str, room: str | None) -> Command | None:
        """The command of that name or alias, where it is for that room (None for what is private)."""
        found = self._by_name.get(names.key(name))
        return found if found is not None and found.is_for(room) else None

    def names_for(self, room: str | None) -> list[str]:
        """The names and aliases of the commands there."""
        return [name for name, command in self._by_name.items() if command.is_for(room)]
