"""One person at a real `ChatClient`: comes in, joins rooms, reads them, talks, and writes it all down.

Longer than most modules because all that somebody does shares what they know. Must not know which faults there are, nor
what others do: whatever happens to it, it goes on.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable
from typing import Final

from client import ChatClient
from client.link.calls import RESEND_S
from client.link.failures import NoAnswer, NoBroker
from client.link.room import Pending, Room
from client.link.updates import LinkState
from common import messages as m
from common import topics
from common.errors import ChatError, NameTaken, NoSuchRoom, NotMember, StorageFailed, TooMany
from common.keys import KeyPair, generate
from tests.faults import history as h
from tests.faults.people_plan import Person, Plan

PASSWORD: Final = "correct horse"
CONNECT_S: Final = 60.0
AGAIN_S: Final = 0.3
SETTLE_S: Final = 60.0
"""Seconds that everybody has, once all is at peace, to be given what they lack, and to hear what became of a post."""
ASKS: Final = 0.05
"""How often somebody looks at the history after having said something."""


class Actor:
    """One person at their client."""

    def __init__(self, person: Person, plan: Plan, recorder: h.Recorder, positions: dict[tuple[str, str], int]) -> None:
        self.person = person
        self.plan = plan
        self._recorder = recorder
        self.random = random.Random(f"{plan.seed} {plan.incarnation} {person.login}")
        self._said = 0
        self.positions = {log: seq for (login, log), seq in positions.items() if login == person.login}
        self._unsure: set[str] = set()
        """Rooms of which nobody can say whether joining them was carried out."""
        self._open: list[tuple[str, Pending]] = []
        """Posts that were waited for in vain."""
        self._given = asyncio.Event()
        """Set with each message that is given out."""
        self.quiet = False
        self.reading: asyncio.Task[None] | None = None
        """What goes on when a guest is still there in the end."""
        self.chat = ChatClient(plan.address, keys=self._keys())

    def _keys(self) -> KeyPair:
        file = self.plan.directory / f"{self.person.login}.key"
        if not file.exists():
            keys = generate()
            file.write_text(json.dumps([keys.public.hex(), keys.secret.hex()]))
        public, secret = map(bytes.fromhex, json.loads(file.read_text()))
        return KeyPair(public, secret)

    def note(self, kind: Callable[..., h.AnyRecord], *fields: object) -> None:
        """Write down what happens now."""
        self._recorder.add(kind(h.now(), self.person.login, *fields))

    async def rest(self, mean: float) -> None:
        await asyncio.sleep(min(self.random.expovariate(1 / mean), 4 * mean))

    # Coming in.

    async def come(self) -> None:
        """Connect and be logged in, however often that takes."""
        self.note(h.Started)
        while True:
            try:
                await self.chat.start()
                break
            except NoBroker:
                self.chat = ChatClient(self.plan.address, keys=self._keys(), timeout=CONNECT_S)
        while self.chat.login is None:
            try:
                await self._log_in()
            except ChatError as error:
                await asyncio.sleep(error.retry_after or AGAIN_S)

    async def _log_in(self) -> None:
        who = self.person.login
        account = m.Register(login=who, password=PASSWORD, first_names=who, surnames="X", age=30, gender="undisclosed")
        try:
            await self.chat.register(account)
        except NameTaken:
            await self.chat.log_in(who, PASSWORD)

    async def enter(self, log: str) -> Room | None:
        """Be a member of a room; None if that was refused or is not known."""
        room = self.chat.room(log)
        if room is not None:
            if log in self._unsure:
                self.note(h.Joined, log)
                self._unsure.discard(log)
            return room
        self.note(h.Joining, log)
        self._unsure.add(log)
        asked = time.monotonic()
        try:
            room = await self._join(log)
        except ChatError as error:
            certain = isinstance(error, NoSuchRoom | StorageFailed) and self._sent_once(asked)
            self.note(h.NotJoined, log, error.code, certain)
            if certain:
                self._unsure.discard(log)
            return None
        self._unsure.discard(log)
        self.note(h.Joined, log)
        return room

    def _sent_once(self, asked: float) -> bool:
        """Whether a request was not repeated: what is said of one of two does not hold for the other."""
        return time.monotonic() < asked + RESEND_S and self.chat.link is LinkState.LIVE and self.chat.link_since < asked

    async def _join(self, log: str) -> Room:
        try:
            return await self.chat.join(log)
        except NoSuchRoom:
            if log not in [*self.person.makes, self.person.hosts]:
                raise
            return await self.chat.create(log, kept=True, private=log == self.person.hosts)

    # Reading.

    async def follow(self, room: Room) -> None:
        """Read a room until it is not ours any more."""
        log = room.name
        after = max(self.positions.get(log, room.start), room.view.since)
        self.positions[log] = after
        self.note(h.Following, log, after, room.view.since, room.view.private)
        async for message in room.messages(after):
            self.note(h.Delivered, log, message.seq, message.sender, message.nonce, message.text)
            self.given(log, message.seq)
        while room.left is None and self.chat.room(log) is room:
            # History was refused; the client is yet to hear why.
            await self.rest(AGAIN_S)
        del self.positions[log]
        self.note(h.Ended, log, room.left or "")

    def given(self, log: str, seq: int) -> None:
        """Of this log, has everything up to there."""
        self.positions[log] = seq
        self._given.set()

    async def hear(self, log: str, inside: Callable[[], None]) -> None:
        """Be in a room always, and read it."""
        while True:
            room = await self.enter(log)
            if room is None:
                await self.rest(AGAIN_S)
            else:
                inside()
                await self.follow(room)

    async def ask(self, log: str) -> None:
        """Read a page of history: the newest, or what came after some place."""
        room = self.chat.room(log)
        own = log == topics.inbox(self.person.login)
        if log not in self.positions or (room is None and not own):
            return
        after = None if self.random.random() < 0.5 else max(0, self.positions[log] - self.random.randint(0, 50))
        self.note(h.Asking, log)
        try:
            page = await self.chat.request(m.History(log=log, after=after, limit=self.random.choice((5, 50, 200))))
        except ChatError:
            return
        if own and page.more:
            return  # what else is in an inbox may have taken up the page
        if self.chat.room(log) is room and log in self.positions:
            rows = [(entry.seq, entry.text) for entry in page.entries if not isinstance(entry, m.Invited)]
            self.note(h.Answered, log, after, rows, page.more)

    # Talking.

    async def talk(self, log: str) -> None:
        """Say one thing or several in a row, again and again."""
        while not self.quiet:
            await self.rest(self.plan.pause_s)
            if self.chat.room(log) is not None:
                await self.say(log, self.random.choice((1, 1, 1, 2, 4)))

    async def say(self, log: str, times: int) -> None:
        """Say some things without waiting in between, then wait for what becomes of them."""
        stranger = self.chat.room(log) is None and log not in self._unsure and log not in self.positions
        asked = time.monotonic()
        posts = [self._post(log) for _ in range(times)]
        for post in posts:
            if post is not None:
                await self._outcome(log, post, stranger, asked)
        if self.random.random() < ASKS:
            await self.ask(log)

    def _post(self, log: str) -> Pending | None:
        self._said += 1
        filler = "ñ" * self.random.randint(1, 30)
        text = f"{self.person.login}.{self.plan.incarnation}.{self._said} {filler}"
        self.note(h.Sending, log, text)
        try:
            return self.chat.post(log, text)
        except TooMany as error:
            self.note(h.Failed, log, text, error.code, True)
            return None

    async def _outcome(self, log: str, post: Pending, stranger: bool, asked: float) -> None:
        try:
            sent = await self.chat.deliver(post, self.random.choice((1.0, 3.0, 30.0, 30.0, 30.0)))
        except ChatError as error:
            undone = isinstance(error, NoAnswer) and "not sent" in error.message
            # Whoever was a member when they said it may be refused now, and have been heard before a cut.
            undone = undone or (stranger and isinstance(error, NotMember | NoSuchRoom) and self._sent_once(asked))
            self.note(h.Failed, log, post.text, error.code, undone or isinstance(error, StorageFailed))
            if post.outcome is None:
                self._open.append((log, post))
        else:
            self.note(h.Acknowledged, log, post.text, post.nonce, sent.seq)

    async def finish(self) -> None:
        """Wait, though not for ever, for what becomes of the posts that were not waited for to the end."""
        await asyncio.gather(*(self._learn(log, post) for log, post in self._open))

    async def _learn(self, log: str, post: Pending) -> None:
        try:
            async with asyncio.timeout(SETTLE_S):
                sent = await post
        except (ChatError, TimeoutError):
            return
        self.note(h.Acknowledged, log, post.text, post.nonce, sent.seq)

    # The end.

    async def settle(self) -> None:
        """Wait, though not for ever, until all has arrived; then it must have."""
        staying = self.reading is not None and not self.reading.done()
        logs = [*self.person.hears, topics.inbox(self.person.login), *([self.person.visits] if staying else [])]
        try:
            async with asyncio.timeout(SETTLE_S):
                heads = await self._heads()
                while any(self.positions.get(log, -1) < heads.get(log, 0) for log in logs):
                    self._given.clear()
                    await self._given.wait()
        except TimeoutError:
            pass
        for log in logs:
            self.note(h.Settled, log)

    async def _heads(self) -> dict[str, int]:
        while True:
            try:
                return (await self.chat.request(m.Ping())).heads
            except ChatError:
                await asyncio.sleep(AGAIN_S)
