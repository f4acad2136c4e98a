"""A raw client for tests of the broker's wire: DEALER and SUB with one key pair, no client library.

What it sends and receives is `common.codec`'s typed messages, or bytes where a test needs bytes.
"""

from __future__ import annotations

import os
import time
from typing import Any, Self

import zmq
from zmq.utils import z85

from common import codec, messages, topics
from common.addresses import Address
from common.errors import ChatError
from common.keys import KeyPair, generate
from common.messages import OPS, Command
from tests.support.patience import PATIENCE_MS


class RawClient:
    """One client process's two sockets, used from the test's thread."""

    def __init__(self, address: Address, keys: KeyPair | None = None) -> None:
        self.address = address
        self.keys = keys or generate()
        self.context = zmq.Context()
        self.dealer = self._socket(zmq.DEALER)
        self.sub = self._socket(zmq.SUB)
        self.dealer.connect(address.commands)
        self.sub.connect(address.broadcast)
        self.number = 0
        self.beacon = ""

    def _socket(self, kind: int) -> Any:
        made = self.context.socket(kind)
        made.setsockopt(zmq.RCVHWM, 0)
        made.setsockopt(zmq.SNDHWM, 0)
        made.setsockopt(zmq.LINGER, 0)
        made.setsockopt(zmq.IPV6, 1)
        made.setsockopt(zmq.RECONNECT_IVL, 50)
        assert self.address.key is not None
        made.setsockopt(zmq.CURVE_SERVERKEY, z85.encode(self.address.key))
        made.setsockopt(zmq.CURVE_PUBLICKEY, z85.encode(self.keys.public))
        made.setsockopt(zmq.CURVE_SECRETKEY, z85.encode(self.keys.secret))
        return made

    @property
    def key(self) -> str:
        """The public key as the broker names it."""
        return z85.encode(self.keys.public).decode()

    def send(self, command: Command, session: str = "") -> int:
        """Send a request without waiting; its number."""
        self.number += 1
        self.dealer.send(codec.encode_request(self.number, command, session))
        return self.number

    def receive(self, *open_requests: tuple[int, type[messages.Reply]]) -> tuple[int, Any]:
        """The next reply: its number, and the reply or the error."""
        assert self.dealer.poll(PATIENCE_MS), "no reply"
        return codec.decode_reply(self.dealer.recv(), dict(open_requests))

    def try_ask(self, command: Command, session: str = "") -> Any:
        """Send a request and wait for its reply, or the error, as a value."""
        number = self.send(command, session)
        got, reply = self.receive((number, OPS[command.op][1]))
        assert got == number
        return reply

    def ask(self, command: Command, session: str = "") -> Any:
        """Send a request and wait for its reply. Raises the error."""
        reply = self.try_ask(command, session)
        if isinstance(reply, ChatError):
            raise reply
        return reply

    def hello(self) -> messages.Welcome:
        """Say hello and hold the beacon."""
        welcome: messages.Welcome = self.ask(messages.Hello(versions=[1], client="raw"))
        self.beacon = welcome.beacon
        self.subscribe(welcome.beacon)
        self.event(messages.Live, welcome.beacon)
        return welcome

    def register(self, login: str) -> messages.LoggedIn:
        """Say hello and make an account."""
        self.hello()
        command = messages.Register(
            login=login, password="correct horse", first_names="A", surnames="B", age=30, gender="other"
        )
        return self.ask(command)  # type: ignore[no-any-return]

    def enter(self, *rooms: str) -> None:
        """Subscribe to rooms and wait for their markers."""
        for room in rooms:
            self.subscribe(room)
            self.marker(room)

    def marker(self, log: str) -> messages.Live:
        """Wait for the marker of a log."""
        while True:
            live: messages.Live = self.event(messages.Live)
            if live.log == log:
                return live

    def subscribe(self, log: str) -> None:
        self.sub.setsockopt(zmq.SUBSCRIBE, topics.topic(log))

    def unsubscribe(self, log: str) -> None:
        self.sub.setsockopt(zmq.UNSUBSCRIBE, topics.topic(log))

    def say(self, room: str, text: str) -> messages.Sent:
        return self.ask(messages.Send(room=room, text=text, nonce=os.urandom(16)))  # type: ignore[no-any-return]

    def event(self, kind: type[Any], log: str | None = None) -> Any:
        """The next event of that kind (and log); others are passed over."""
        deadline = time.monotonic() + PATIENCE_MS / 1_000
        while (left := deadline - time.monotonic()) > 0:
            if not self.sub.poll(int(left * 1_000) + 1):
                break
            frame = codec.decode_event(self.sub.recv())
            if isinstance(frame.event, kind) and log in (None, frame.log):
                return frame.event
        raise AssertionError(f"no {kind.__name__} on {log or 'any log'}")

    def close(self) -> None:
        """Vanish, as a killed process does."""
        self.context.destroy(linger=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
