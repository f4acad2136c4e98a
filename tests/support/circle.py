"""The rules with everything around them in one thread: a circle of clients on an in-memory broadcast socket.

Effects are carried out as a broker would, at once; commits may be held back, or made to fail. Each client has
connections that hear what they were granted, until they are cut.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from broker.chat import ports
from broker.chat.chat import Chat
from broker.chat.effects import (
    Answer,
    Append,
    Ask,
    Commit,
    Connection,
    Cut,
    Effect,
    Now,
    Origin,
    Publish,
    Refuse,
    Settle,
    Stamp,
)
from broker.chat.settings import ChatSettings
from common import codec, messages, topics
from common.errors import Busy, ChatError, StorageFailed
from common.limits import HEARTBEAT_S
from testkit.memory_store import MemoryStore

START = 1_700_000_000_000


@dataclass
class Ear:
    """A connection to the broadcast socket."""

    key: str
    connection: Connection
    topics: set[str] = field(default_factory=set)
    heard: list[tuple[str, messages.Event]] = field(default_factory=list)
    open: bool = True

    def of(self, kind: type[messages.Event]) -> list[Any]:
        """What was heard of one kind."""
        return [event for _, event in self.heard if type(event) is kind]

    def take(self) -> list[tuple[str, messages.Event]]:
        """What was heard since the last call."""
        heard, self.heard = self.heard, []
        return heard


class Circle:
    """A broker's rules and the clients around them, in one thread."""

    def __init__(self, store: ports.Store | None = None, settings: ChatSettings | None = None) -> None:
        self.store = store or MemoryStore()
        self.settings = settings or ChatSettings()
        self.now = Now(START, 1000.0)
        self.replies: dict[int, messages.Reply | ChatError] = {}
        self.ears: dict[Connection, Ear] = {}
        self.stamps: list[Stamp] = []
        self.published: list[tuple[str, messages.Event]] = []
        self.held: list[Commit | Append] | None = None
        self.behind: list[Settle] = []
        """What waits until nothing is held back."""
        self.failing = False
        self.busy = False
        """Whether all workers have too much to do."""
        self.answers: list[Callable[[], None]] | None = None
        self.hung: set[str] = set()
        """Keys whose clients do nothing any more, though they are connected."""
        self._next_heartbeat = 0.0
        self._ids = count(1)
        self._numbers = count(1)
        self._random = count(1)
        self.start()

    def start(self) -> None:
        """Start the rules over what the store holds, as a broker does; every connection is gone."""
        self.ears.clear()
        self.chat = Chat(
            self.settings, self.store.load(), self.now, self._bytes, b"s" * 32, f"run{next(self._numbers)}"
        )
        self.carry_out(self.chat.started)

    def _bytes(self, length: int) -> bytes:
        return next(self._random).to_bytes(length, "big")

    def later(self, seconds: float) -> None:
        """Let time pass, ticking as a broker does; whoever is connected, and not in `hung`, sends heartbeats."""
        end = self.now.mono + seconds
        while self.now.mono < end:
            if self.now.mono >= self._next_heartbeat:
                self._next_heartbeat = self.now.mono + HEARTBEAT_S
                for key in {ear.key for ear in self.ears.values()} - self.hung:
                    self.ask(key, messages.Ping())
            step = min(0.1, end - self.now.mono)
            self.now = Now(self.now.time + round(step * 1000), self.now.mono + step)
            self.carry_out(self.chat.tick(self.now))
            self.flush()

    # Requests

    def ask(
        self, key: str, command: messages.Command, session: str = "", address: str = "10.0.0.1", person: str = ""
    ) -> Any:
        """Send a request, as `session` and from `person` if it is a gateway's; the reply, or the error as a value, or
        None as long as a commit is held back."""
        number = next(self._ids)
        request = codec.decode_request(codec.encode_request(number, command, session, person))
        route = b"\0" + key.encode()[:4].ljust(4, b"-")
        origin = Origin(route, key, request.session, number, address, request.address)
        self.carry_out(self.chat.request(origin, request, self.now))
        self.flush()
        return self.replies.pop(number, None)

    def operate(self, command: messages.Command) -> Any:
        """Send a request on the operator's socket."""
        number = next(self._ids)
        origin = Origin(b"\0oper", "", "", number, "operator")
        self.carry_out(self.chat.operate(origin, codec.Request(number, "", command), self.now))
        self.flush()
        return self.replies.pop(number, None)

    def register(self, login: str, key: str = "", **fields: Any) -> Any:
        """Make an account on the connection `key` (the login itself unless given)."""
        defaults: dict[str, Any] = dict(  # noqa: C408
            password=f"password of {login}", first_names="First", surnames="Last", age=30, gender="other"
        )
        return self.ask(key or login, messages.Register(login=login, **{**defaults, **fields}))

    def log_in(self, login: str, key: str, **fields: Any) -> Any:
        """Log `key` in, by password unless a token is given."""
        if "token" not in fields:
            fields.setdefault("password", f"password of {login}")
        return self.ask(key, messages.Login(login=login, **fields))

    def say(self, key: str, room: str, text: str, nonce: int | None = None) -> Any:
        """Send a message to a room."""
        number = nonce if nonce is not None else next(self._numbers) + 10**6
        return self.ask(key, messages.Send(room=room, text=text, nonce=number.to_bytes(16, "big")))

    def direct(self, key: str, to: str, text: str, nonce: int | None = None) -> Any:
        """Send a private message."""
        number = nonce if nonce is not None else next(self._numbers) + 10**6
        return self.ask(key, messages.Direct(to=to, text=text, nonce=number.to_bytes(16, "big")))

    # The broadcast socket

    def listen(self, key: str, *logs: str, beacon: bool = True) -> Ear:
        """Open a connection and subscribe to `logs`, and to the key's own beacon."""
        number = next(self._numbers)
        ear = Ear(key, (number, number))
        self.ears[ear.connection] = ear
        if beacon:
            assert self.subscribe(ear, self.beacon(key))
        for log in logs:
            self.subscribe(ear, log)
        return ear

    def beacon(self, key: str) -> str:
        """The name of the key's beacon, as `hello` tells it."""
        welcome = self.ask(key, messages.Hello(versions=[1], client="circle"))
        assert isinstance(welcome, messages.Welcome)
        return welcome.beacon

    def subscribe(self, ear: Ear, log: str) -> bool:
        """Ask for a topic; whether it was granted."""
        if not self.chat.may_hear(ear.key, topics.topic(log)):
            return False
        ear.topics.add(log)
        self.carry_out(self.chat.subscribed(ear.key, topics.topic(log), ear.connection, self.now))
        self.flush()
        return True

    def unsubscribe(self, ear: Ear, log: str) -> None:
        """Give a topic up."""
        ear.topics.discard(log)
        self.carry_out(self.chat.unsubscribed(topics.topic(log), ear.connection, self.now))
        self.flush()

    def hang_up(self, ear: Ear) -> None:
        """Lose a connection."""
        if self.ears.pop(ear.connection, None):
            ear.open = False
            self.carry_out(self.chat.connection_lost(ear.connection, self.now))
            self.flush()

    # Effects

    def flush(self) -> None:
        self.carry_out(self.chat.flush(self.now))

    def carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Answer():
                    self.replies[effect.origin.id] = effect.reply
                case Refuse():
                    self.replies[effect.origin.id] = effect.error
                case Publish():
                    self._publish(effect)
                case Cut():
                    ear = self.ears.get(effect.connection)
                    if ear:
                        self.hang_up(ear)
                case Ask():
                    self._ask(effect)
                case Stamp():
                    self.stamps.append(effect)
                case Settle():
                    if self.held:
                        self.behind.append(effect)
                    else:
                        self.carry_out(effect.then(self.now))
                case Commit() | Append():
                    if self.held is not None:
                        self.held.append(effect)
                    else:
                        self._commit([effect])

    def _publish(self, effect: Publish) -> None:
        log, event = codec.decode_event(codec.encode_event(effect.log, effect.event))
        self.published.append((log, event))
        for ear in self.ears.values():
            if log in ear.topics:
                ear.heard.append((log, event))

    def _ask(self, ask: Ask) -> None:
        if self.busy:
            if ask.unasked is not None:
                ask.unasked()
            self.replies[ask.origin.id] = Busy()
            return
        result = self._look_up(ask.query)
        if self.answers is not None:
            self.answers.append(lambda: self.carry_out(ask.then(result, self.now)))
        else:
            self.carry_out(ask.then(result, self.now))

    def _look_up(self, query: ports.Query) -> object:
        match query:
            case ports.HashPassword():
                return _hashed(query.password)
            case ports.CheckPassword():
                stored = self.store.password(query.account) if query.account is not None else None
                if stored == "old " + query.password:
                    return _hashed(query.password)
                return stored == _hashed(query.password)
            case ports.CheckToken():
                known = query.account is not None
                return known and self.store.has_token(query.account or 0, query.digest, query.oldest)
            case ports.ReadLog():
                return self.store.read_log(query)
            case ports.ReadMessage():
                return self.store.read_message(query)
            case ports.ReadStored():
                return self.store.read_stored(query)
            case ports.FindMessages():
                return self.store.find_messages(query)

    def _commit(self, jobs: list[Commit | Append]) -> None:
        if self.failing:
            for job in reversed(jobs):
                if isinstance(job, Commit) and job.undo:
                    job.undo()
            for job in jobs:
                if job.origin:
                    self.replies[job.origin.id] = StorageFailed()
            return
        for job in jobs:
            if isinstance(job, Append):
                (places,) = self.store.commit([job.entries])
                self.carry_out(self.chat.appended(job, places, self.now))
            else:
                self.carry_out(job.then(self.store.commit(job.writes), self.now))

    @contextmanager
    def holding(self, *, fail: bool = False) -> Iterator[Callable[[], None]]:
        """Hold commits back until the block ends (or `release()` is called); then do them, or let them fail."""
        self.held = []

        def release() -> None:
            jobs, self.held = self.held or [], None
            self.failing = fail
            self._commit(jobs)
            self.failing = False
            behind, self.behind = self.behind, []
            for settle in behind:
                self.carry_out(settle.then(self.now))
            self.flush()

        yield release
        release()

    @contextmanager
    def pondering(self) -> Iterator[None]:
        """Look at once at what the rules ask, and tell them only when the block ends."""
        self.answers = []
        yield
        answers, self.answers = self.answers, None
        for answer in answers:
            answer()
        self.flush()


def _hashed(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
