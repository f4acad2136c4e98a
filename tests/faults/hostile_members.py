"""Hostile peers that are logged in: they flood, ask for too much, or never read. `hostile` runs them.

Each calls `ready` once it is at work, goes on until `stopped` says so, and returns what it counted. Must not know what
the broker does about it.
"""

from __future__ import annotations

import secrets
import select
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import zmq

from common import codec, messages, topics
from common.addresses import Address
from common.errors import Busy, RateLimited
from tests.faults import zmtp
from tests.faults.zmtp import Violation
from tests.faults.zmtp_peer import BROADCAST, Peer
from tests.support.loopback import RawClient

ROOM: Final = "lobby"
TOPICS: Final = 10_000
PAUSE_S: Final = 0.05
"""After a connection that was refused: as soon as a peer in a hurry would try again."""
PATIENCE_S: Final = 0.5
"""For the answer to a handshake: there is none for whoever is banned."""
BEFORE_LOOK: Final = 64
"""What is done between two looks at whether to stop."""

Ready = Callable[[], None]
Stopped = Callable[[], bool]


@dataclass(frozen=True)
class SeenFrom(Address):
    """A broker's address, for libzmq's sockets that connect from a certain address of this machine."""

    source: str = ""

    def _endpoint(self, above: int) -> str:
        return f"tcp://{self.source}:0;{self.host}:{self.port + above}"


def _source() -> str:
    """An address of this peer's own: the one that another had before may be kept out by now."""
    return f"127.10.{secrets.randbelow(250)}.{1 + secrets.randbelow(250)}"


def _member(address: Address, source: str) -> RawClient:
    client = RawClient(SeenFrom(address.host, address.port, address.key, source))
    client.hello()
    who = messages.Register(
        login=f"hostile-{secrets.token_hex(6)}",
        password="correct horse",
        first_names="A",
        surnames="B",
        age=30,
        gender="other",
    )
    while isinstance(refused := client.try_ask(who), Busy | RateLimited):
        time.sleep(refused.retry_after or PAUSE_S)
    client.enter(ROOM)
    return client


def _codes(client: RawClient, counted: Counter[str]) -> None:
    """Count the answers that have come: by error code, or as `granted`."""
    try:
        while True:
            body = client.dealer.recv(zmq.NOBLOCK)
            start = body.find(b"\xa4code")
            code = "granted" if start < 0 else body[start + 6 : start + 6 + (body[start + 5] & 31)].decode()
            counted[code] += 1
    except zmq.Again:
        pass


def _drain(client: RawClient) -> None:
    try:
        while True:
            client.sub.recv(zmq.NOBLOCK)
    except zmq.Again:
        pass


def _requests(
    address: Address, ready: Ready, stopped: Stopped, source: str, made: Callable[[int], bytes]
) -> Counter[str]:
    counted: Counter[str] = Counter()
    with _member(address, source) as client:
        # Beyond what waits for a connection that is not there, it waits itself: else it would flood its own memory.
        client.dealer.setsockopt(zmq.SNDHWM, 1_000)
        ready()
        number = 1_000
        while not stopped():
            for _ in range(BEFORE_LOOK):
                number += 1
                try:
                    client.dealer.send(made(number), zmq.NOBLOCK)
                    counted["sent"] += 1
                except zmq.Again:
                    client.dealer.poll(10, zmq.POLLOUT)
            _codes(client, counted)
            _drain(client)
    return counted


def flooder(address: Address, ready: Ready, stopped: Stopped) -> Counter[str]:
    """Posts."""

    def post(number: int) -> bytes:
        return codec.encode_request(number, messages.Send(room=ROOM, text="flood " * 20, nonce=secrets.token_bytes(16)))

    return _requests(address, ready, stopped, _source(), post)


def asker(address: Address, ready: Ready, stopped: Stopped) -> Counter[str]:
    """Requests of every other kind, the costly ones among them."""
    commands: tuple[messages.Command, ...] = (
        messages.History(log=ROOM, limit=200),
        messages.Users(),
        messages.Rooms(),
        messages.Members(room=ROOM),
        messages.Hello(versions=[1]),
        messages.Ping(),
        messages.Sessions(),
        messages.Profile(),
        messages.Create(room="x" * 32),
        messages.UpdateProfile(age=40),
        messages.Password(old="not the password", new="correct horse"),
        messages.Join(room="nowhere"),
    )
    return _requests(
        address,
        ready,
        stopped,
        _source(),
        lambda number: codec.encode_request(number, commands[number % len(commands)]),
    )


def subscriber(address: Address, ready: Ready, stopped: Stopped, count: int = TOPICS) -> Counter[str]:
    """10,000 topics on one connection; libzmq asks for them all again whenever it has to connect anew."""
    with _member(address, _source()) as client:
        for number in range(count):
            client.sub.setsockopt(zmq.SUBSCRIBE, f"a-topic-of-my-own-{number:06d}\0".encode())
        ready()
        while not stopped():
            client.sub.poll(10)
            _drain(client)
            client.send(messages.Ping())
    return Counter(topics=count)


def stopped_reader(address: Address, ready: Ready, stopped: Stopped) -> Counter[str]:
    """Subscribes to the room and the beacon, and reads nothing from then on."""
    counted: Counter[str] = Counter()
    source = _source()
    with _member(address, source) as client:
        ready()
        while not stopped():
            try:
                with Peer(address, BROADCAST, keys=client.keys, source=source, patience=PATIENCE_S) as peer:
                    peer.handshake(b"SUB")
                    counted["connections"] += 1
                    for log in (client.beacon, ROOM):
                        peer.message(zmtp.subscription(topics.topic(log)))
                    while not stopped() and not _ended(peer):
                        client.send(messages.Ping())
                        _drain(client)
                        time.sleep(PAUSE_S)
            except (OSError, Violation):
                time.sleep(PAUSE_S)
    return counted


def _ended(peer: Peer) -> bool:
    """Whether the broker has hung up, told without reading what it sent."""
    poll = select.poll()
    poll.register(peer.socket, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))
