"""A broker in memory: the rules, a store and the frames of the wire, without sockets, threads or a disk.

Whatever the rules ask for is done at once, in order, as `broker.wire` does it on a network. Must not know who is
connected, nor when a frame arrives: `memory.py` carries them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Final, Protocol

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
)
from broker.chat.operators import OPERATOR_OPS
from broker.chat.settings import ChatSettings
from broker.wire.passwords import Passwords
from broker.wire.workers import answer
from common import codec
from common.errors import ChatError, Internal
from common.messages import Command, Reply
from testkit.clock import Clock
from testkit.memory_store import MemoryStore

OPERATOR: Final = "operator"
"""The key of the operator's requests; no public key is that short."""


class Peers(Protocol):
    """Whoever is connected."""

    def reply(self, route: bytes, frame: bytes) -> None:
        """Take a reply to the connection of that route."""

    def event(self, log: str, frame: bytes) -> None:
        """Take an event to every connection that was granted the log."""

    def cut(self, connection: Connection) -> None:
        """Shut a connection to the broadcast."""


class Broker:
    """The rules, and whatever carries out what they ask for."""

    def __init__(self, settings: ChatSettings, clock: Clock, peers: Peers) -> None:
        self._clock = clock
        self._peers = peers
        self._store = MemoryStore()
        self._passwords = _CheapPasswords(b"", 4)
        self._desk: Reply | ChatError | None = None
        """What the operator was answered."""
        self.faults: list[Exception] = []
        """What the rules should not have raised."""
        self.chat = Chat(settings, self._store.load(), self.now(), os.urandom, os.urandom(32), os.urandom(8).hex())
        self._carry_out(self.chat.started)

    def now(self) -> Now:
        """The moment, as the rules are told it."""
        return Now(self._clock.now(), self._clock.seconds())

    def request(self, route: bytes, key: str, address: str, frame: bytes) -> None:
        """A frame came on the connection of that route."""
        try:
            request = codec.decode_request(frame)
        except codec.RequestError as error:
            self._peers.reply(route, codec.encode_error(error.id, error.cause))
            return
        origin = Origin(route, key, request.session, request.id, address, request.address)
        self._perform(origin, self.chat.request, origin, request, self.now())

    def operate(self, command: Command) -> Reply:
        """Do one of the operator's commands. Raises the `ChatError` with which it was refused."""
        try:
            request = codec.decode_request(codec.encode_request(1, command), OPERATOR_OPS)
        except codec.RequestError as error:
            raise error.cause from None
        origin = Origin(b"", OPERATOR, "", 1, OPERATOR)
        self._desk = None
        self._perform(origin, self.chat.operate, origin, request, self.now())
        if isinstance(self._desk, ChatError):
            raise self._desk
        assert self._desk is not None
        return self._desk

    def may_hear(self, key: str, topic: bytes) -> bool:
        """Whether a subscription is to be granted; `granted` follows then."""
        return self.chat.may_hear(key, topic)

    def granted(self, key: str, topic: bytes, connection: Connection) -> None:
        """A subscription is in force."""
        self._perform(None, self.chat.subscribed, key, topic, connection, self.now())

    def unsubscribe(self, topic: bytes, connection: Connection) -> None:
        """A connection gave a topic up."""
        self._perform(None, self.chat.unsubscribed, topic, connection, self.now())

    def lost(self, connection: Connection) -> None:
        """A connection is gone."""
        self._perform(None, self.chat.connection_lost, connection, self.now())

    def tick(self) -> None:
        """Time has passed."""
        self._perform(None, self.chat.tick, self.now())

    def _perform(self, origin: Origin | None, produce: Callable[..., list[Effect]], *given: object) -> None:
        """Call the rules and do what they ask for; then tell who came and went."""
        try:
            self._carry_out(produce(*given))
            self._carry_out(self.chat.flush(self.now()))
        except Exception as error:
            # As at a broker: a fault in one request is told, and ends nothing.
            self.faults.append(error)
            if origin is not None:
                self._refuse(origin, Internal())

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Answer(origin, reply):
                    self._answer(origin, reply)
                case Refuse(origin, error):
                    self._refuse(origin, error)
                case Publish(log, event):
                    self._peers.event(log, codec.encode_event(log, event))
                case Append():
                    (places,) = self._store.commit([effect.entries])
                    self._carry_out(self.chat.appended(effect, places, self.now()))
                case Commit(writes, then):
                    self._carry_out(then(self._store.commit(writes), self.now()))
                case Ask(_, query, then):
                    self._carry_out(then(answer(query, self._store, self._passwords), self.now()))
                case Settle(_, then):
                    self._carry_out(then(self.now()))
                case Cut(connection):
                    self._peers.cut(connection)
                # A line of the log has no reader here.

    def _answer(self, origin: Origin, reply: Reply) -> None:
        if origin.key == OPERATOR:
            self._desk = reply
            return
        reply.id = origin.id
        self._peers.reply(origin.route, codec.encode_reply(reply, origin.session))

    def _refuse(self, origin: Origin, error: ChatError) -> None:
        if origin.key == OPERATOR:
            self._desk = error
        else:
            self._peers.reply(origin.route, codec.encode_error(origin.id, error, origin.session))


class _CheapPasswords(Passwords):
    """Passwords that are nobody's: nothing is to be gained by making their hashes slow."""

    def hash(self, password: str) -> str:
        return hashlib.sha256(password.encode()).hexdigest()

    def check(self, password: str, tagged: str | None) -> bool:
        return tagged == self.hash(password)

    def outdated(self, tagged: str) -> bool:
        return False
