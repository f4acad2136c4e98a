"""`BotTest`: a bot under test, with people, rooms and a clock around it.

In memory unless told otherwise: the broker's own rules, the codec, the client's session and `ChatClient`, and no
sockets, threads or files. On a real broker the same tests are the same. Nothing sleeps for luck: the kit waits until
all is done that follows from what was said, and real time only bounds how long that may take. Must not know how a bot
finds its handlers, nor what carries frames. It is long because all that a test does about the bot stands here together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self

from broker.chat.bots import AddBot
from broker.chat.operators import AddUser
from broker.chat.settings import ChatSettings
from client.link.chat import ChatClient
from common import names, scopes
from common.errors import BadName
from common.keys import KeyPair
from common.messages import Command, Reply
from testkit import dialogue
from testkit.clock import START, Clock
from testkit.person import Person
from testkit.servers import InMemory, Loopback
from testkit.stage import Program, Stage
from testkit.transcript import Transcript

SCOPES: Final = tuple(each for each in scopes.ALL if each != scopes.ACCOUNT)
"""What a bot's key may be used for, unless a test says less: all that a bot can have."""
TIMEOUT_S: Final = 10.0
"""Real seconds that anything may take: a bot that is still at work then fails the test."""
WAKES: Final = 100_000
"""Times that one `advance` wakes somebody at the most: more is a loop that waits for a time that is past."""
STEWARD: Final = "steward"
"""The operator's account, which makes rooms before the bot is there, and appoints who moderates the default room."""


class BotTest:
    """`async with BotTest(bot) as t`: the bot runs inside, and is gone afterwards."""

    def __init__(
        self,
        bot: Any,
        *,
        real: bool = False,
        scopes: Iterable[str] = SCOPES,
        login: str = "",
        rooms: Iterable[str] = (),
        now: datetime = START,
        timeout: float = TIMEOUT_S,
        settings: ChatSettings | None = None,
    ) -> None:
        """`bot` is one, or a function that makes one, which is called at each start.

        With `real` there is a broker on loopback. `scopes` are those of the bot's key, `login` is its account (the
        bot's name unless given). The bot is in `rooms` when it starts; they are made before, as are those that it joins
        by itself. `now` is what the clock shows, `timeout` bounds every wait in real seconds, `settings` are those of
        the rules.
        """
        self._make: Callable[[], Program] = (lambda: bot) if hasattr(bot, "serve") else bot
        self.bot: Any = self._make()
        """The bot; after `restart` a new one, if there is a function that makes it."""
        self.bot_login = login or _login(self.bot)
        """The bot's account."""
        self.clock = Clock(now)
        """What the rules and the bot take for the time."""
        self._scopes = list(scopes)
        self._given = tuple(rooms)
        self._rooms = (*self._given, *getattr(self.bot, "rooms", ()))
        rules = settings or ChatSettings()
        self._server = Loopback(rules, self.clock) if real else InMemory(rules, self.clock)
        self._stage = Stage(self._server, self.clock, timeout, rules.default_room)
        self._people: dict[str, Person] = {}
        self._keys: dict[str, KeyPair] = {}
        """Of each person by the key of their login, and of the bot."""
        self._makers: dict[str, Person] = {}
        """Who made which room, by its key."""

    # Life.

    async def __aenter__(self) -> Self:
        try:
            self._server.open()
            self._keys[""] = self._add_key(self.bot_login, self._scopes)
            await self._prepare()
            await self._start(self._given)
        except BaseException:
            with suppress(Exception):
                await self._stage.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ended = self._stage.ended() if error is None else None
        await self._stage.close()
        if ended is not None:
            raise ended

    def _add_key(self, login: str, scopes: Iterable[str]) -> KeyPair:
        keys = self._server.keys()
        self._server.operate(AddBot(login=login, key=keys.public, key_name="test kit", scopes=list(scopes)))
        return keys

    async def _prepare(self) -> None:
        """Make the rooms that are to be there before the bot."""
        rooms = {names.key(room): room for room in self._rooms}
        rooms.pop(names.key(self.default_room), None)
        if rooms:
            steward = await self._arrive(STEWARD, operator=True)
            for room in rooms.values():
                await steward.create(room, kept=True)
            await steward.quit()

    async def _start(self, rooms: Iterable[str] = ()) -> None:
        await self._stage.start(self.bot, self._keys[""], self.bot_login, rooms)

    async def restart(self) -> None:
        """Kill the bot, which finishes and keeps nothing any more, and start it anew."""
        await self.kill()
        await self.start()

    async def kill(self) -> None:
        """Kill the bot, and leave it so until `start`: what is said meanwhile it may have to catch up with."""
        await self._stage.sent()
        await self._stage.kill()

    async def stop(self) -> None:
        """Stop the bot politely: it finishes what it is at, keeps how far it came, and says goodbye."""
        await self._stage.stop()

    async def start(self) -> None:
        """Start the bot again after `kill` or `stop`."""
        self.bot = self._make()
        await self._start()

    # What there is to see.

    @property
    def default_room(self) -> str:
        """Where everybody begins."""
        return self._stage.default_room

    @property
    def transcript(self) -> Transcript:
        """What was said so far; `str` of it is for people."""
        return self._stage.transcript

    @property
    def chat(self) -> ChatClient:
        """The bot's `ChatClient`."""
        if self._stage.bot is None:
            raise self._stage.failure("The bot does not run.")
        return self._stage.bot.chat

    def operate(self, command: Command) -> Reply:
        """Do one of the operator's commands (`broker.chat.operators`, `broker.chat.bots`). Raises the refusal."""
        return self._server.operate(command)

    # People and rooms.

    async def person(
        self,
        login: str,
        *,
        rooms: Iterable[str] = (),
        moderator_of: Iterable[str] = (),
        operator: bool = False,
        bot: bool = False,
    ) -> Person:
        """Somebody with an account who is in the default room, and in `rooms`; made if they are not there yet.

        In each of `moderator_of` they keep order, by the hand of whoever made it, or in the default room of the
        operator, who comes for a moment. What was said before they came they do not hear. With `bot` it is a program
        with a key, as the bot is, though the test has it speak.
        """
        person = self._people.get(names.key(login))
        if person is None:
            person = await (self._arrive_by_key(login) if bot else self._arrive(login, operator=operator))
        moderated = tuple(moderator_of)
        for room in (*rooms, *moderated):
            await person.join(room)
        for room in moderated:
            await self._appoint(person, room)
        return person

    async def _arrive(self, login: str, operator: bool) -> Person:
        account = AddUser(
            login=login,
            password=f"password of {login}",
            first_names=login,
            surnames="Somebody",
            age=30,
            gender="undisclosed",
            operator=operator,
        )
        self._server.operate(account)
        person = self._people[names.key(login)] = Person(self._stage, login)
        self._keys[names.key(login)] = self._server.keys()
        await self._come(person, login=login, password=account.password)
        return person

    async def _arrive_by_key(self, login: str) -> Person:
        self._keys[names.key(login)] = self._add_key(login, SCOPES)
        person = self._people[names.key(login)] = Person(self._stage, login, bot=True)
        await self._come(person)
        return person

    async def back(self, person: Person | str) -> Person:
        """Have somebody come back who has vanished, or quit, with the device that they had."""
        found = person if isinstance(person, Person) else self._people[names.key(person)]
        await self._come(found)
        return found

    async def _come(self, person: Person, **credentials: Any) -> None:
        client = self._stage.connected(self._keys[names.key(person.login)], person.take, **credentials)
        person.arrive(client)
        await self._stage.do(client.chat.start())

    async def _appoint(self, person: Person, room: str) -> None:
        maker = self._makers.get(names.key(room))
        if maker is not None:
            await maker.appoint(person, room)
            return
        known = self._people.get(names.key(STEWARD))
        steward = await (self._arrive(STEWARD, operator=True) if known is None else self.back(known))
        await steward.join(room)
        await steward.appoint(person, room)
        await steward.quit()

    async def room(
        self,
        name: str,
        *,
        by: Person | str,
        kept: bool = False,
        private: bool = False,
        subject: str = "",
        people: Iterable[Person | str] = (),
        bot: bool = True,
    ) -> str:
        """A new room that somebody makes; `people` are in it, and the bot unless told otherwise. Returns its name.

        Raises `Forbidden` if the bot's scopes do not let it in.
        """
        maker = by if isinstance(by, Person) else await self.person(by)
        await maker.create(name, kept=kept, private=private, subject=subject)
        self._makers[names.key(name)] = maker
        for each in people:
            guest = each if isinstance(each, Person) else await self.person(each)
            if private:
                await maker.invite(guest, name)
            await guest.join(name)
        if bot and self._stage.bot is not None:
            if private:
                await maker.invite(self.bot_login, name)
                await self._stage.settle()
            if self.chat.room(name) is None:
                await self._stage.do(self.chat.join(name))
        await self._stage.settle()
        return name

    # Time.

    @property
    def now(self) -> int:
        """What the clock shows, in milliseconds UTC."""
        return self.clock.now()

    async def settle(self) -> None:
        """Wait until all is done that follows from what was said and done so far."""
        await self._stage.settle()

    async def wait(self, until: Callable[[], bool], seconds: float = TIMEOUT_S) -> None:
        """Wait so many real seconds at the most until `until` says so: for what happens beyond the chat."""
        await self._stage.wait(until, seconds)

    async def advance(
        self,
        span: timedelta = timedelta(),
        *,
        seconds: float = 0,
        minutes: float = 0,
        hours: float = 0,
        days: float = 0,
    ) -> None:
        """Let so much time pass. Whatever the bot waits for in it happens, each at its time and one after the other."""
        await self.settle()
        begun = self.clock.now()
        whole = span + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        target = begun + whole // timedelta(milliseconds=1)
        stops = [begun + 1000 * each for each in self._server.stops()]
        for _ in range(WAKES):
            coming = [each for each in (self.clock.next(), *stops) if each and self.clock.now() < each <= target]
            self.clock.move(min(coming, default=target))
            await self._server.moved()
            await self.settle()
            if not coming:
                return
        raise self._stage.failure(f"The bot woke {WAKES} times, and there is no end of it.")

    # Dialogues.

    async def dialogue(
        self,
        person: Person | str,
        lines: Iterable[tuple[str, dialogue.Expected]],
        room: str = "",
        *,
        private: bool = False,
    ) -> None:
        """Say each line, and compare what is heard: a text, a pattern that is searched for, several of them, or None.

        None is for silence; nothing more may be heard than what is expected. In private the bot is told, not a room.
        Fails with the line and what was heard instead.
        """
        speaker = person if isinstance(person, Person) else await self.person(person)
        if private:
            await dialogue.hold(speaker, lambda text: speaker.direct(text, self.bot_login), lines)
        else:
            await dialogue.hold(speaker, lambda text: speaker.say(text, room), lines)


def _login(bot: Any) -> str:
    """The account of a bot of that name, or `bot`."""
    try:
        return names.parse(getattr(bot, "name", "") or "bot")
    except BadName:
        return "bot"
