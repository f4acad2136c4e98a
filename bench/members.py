"""Clients cut down to the wire, so that a driver on the same machine costs as little as it can.

Each has its own key pair, DEALER and SUB, as every real client has. Must not be used as a model of a client:
nothing is asked again, and no gap is filled.
"""

from __future__ import annotations

import os
import time
from itertools import count

import msgpack
import zmq
from zmq.utils import z85

from common import codec, keys, messages, topics
from common.addresses import Address
from common.errors import ChatError

ROOM = "lobby"


class Member:
    """A logged-in client, present in the lobby."""

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        address: Address,
        login: str,
        ears: bool = True,
        registered: keys.KeyPair | None = None,
    ) -> None:
        """With `registered`, a key that logs in to the account of `login` by itself."""
        self.login = login
        self.by_key = registered is not None
        self._numbers = count(1)
        assert address.key is not None
        pair = registered or keys.generate()
        self.dealer = self._socket(context, zmq.DEALER, pair, address.key)
        self.dealer.connect(address.commands)
        self.sub = self._socket(context, zmq.SUB, pair, address.key)
        self.sub.connect(address.broadcast)
        self.register()
        if ears:
            self.listen()

    @staticmethod
    def _socket(
        context: zmq.Context[zmq.Socket[bytes]], kind: int, pair: keys.KeyPair, server: bytes
    ) -> zmq.Socket[bytes]:
        socket = context.socket(kind)
        socket.setsockopt(zmq.CURVE_PUBLICKEY, z85.encode(pair.public))
        socket.setsockopt(zmq.CURVE_SECRETKEY, z85.encode(pair.secret))
        socket.setsockopt(zmq.CURVE_SERVERKEY, z85.encode(server))
        socket.setsockopt(zmq.RCVHWM, 0)
        socket.setsockopt(zmq.SNDHWM, 0)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RECONNECT_IVL, 100)
        return socket

    def ask(self, command: messages.Command) -> messages.Reply:
        """Send a request and wait for its reply."""
        number = next(self._numbers)
        self.dealer.send(codec.encode_request(number, command))
        if not self.dealer.poll(30_000):
            raise TimeoutError(command.op)
        _, reply = codec.decode_reply(self.dealer.recv(), {number: messages.OPS[command.op][1]})
        if isinstance(reply, ChatError):
            raise reply
        return reply

    def register(self) -> None:
        """Say hello, and make the account."""
        welcome = self.ask(messages.Hello(versions=[1], client="bench"))
        assert isinstance(welcome, messages.Welcome)
        self.beacon = welcome.beacon
        if welcome.session is not None:
            return
        self.ask(
            messages.Register(
                login=self.login,
                password="correct horse",
                first_names="Bench",
                surnames="Mark",
                age=1,
                gender="undisclosed",
            )
        )

    def listen(self) -> None:
        """Subscribe, and wait for the marker that says the lobby is heard."""
        for log in (self.beacon, ROOM) if self.by_key else (self.beacon, topics.inbox(self.login), ROOM):
            self.sub.setsockopt(zmq.SUBSCRIBE, topics.topic(log))
        marker = topics.topic(self.beacon)
        while True:
            if not self.sub.poll(30_000):
                raise TimeoutError("no marker")
            frame = self.sub.recv()
            if frame.startswith(marker) and codec.decode_event(frame).event.log == ROOM:  # type: ignore[union-attr]
                return

    def deaf(self) -> None:
        """Hear nothing more of the lobby."""
        self.sub.setsockopt(zmq.UNSUBSCRIBE, topics.topic(ROOM))


def send_frame(number: int, text: str, room: str = ROOM) -> bytes:
    """A request to say `text` in a room, packed as cheaply as can be."""
    packed: bytes = msgpack.packb(
        {
            "op": "send",
            "id": number,
            "room": room,
            "text": text,
            "nonce": time.time_ns().to_bytes(8, "big") + os.urandom(8),
        }
    )
    return packed


def logins(prefix: str, number: int) -> list[str]:
    """Names that do not look alike."""
    return [prefix + "".join("bcdfghjkpq"[int(digit)] for digit in f"{index:04}") for index in range(number)]
