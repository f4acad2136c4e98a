"""Hostile peers that nobody knows: they say nothing, or what no client says. `hostile` runs them.

Each calls `ready` once it is at work, goes on until `stopped` says so, and returns what it counted. Must not know what
the broker does about it.
"""

from __future__ import annotations

import secrets
import select
import socket
from collections import Counter
from collections.abc import Callable
from typing import Final

from common import codec, messages, topics
from common.addresses import Address
from tests.faults import zmtp
from tests.faults.hostile_members import PATIENCE_S, PAUSE_S, ROOM, Ready, Stopped
from tests.faults.zmtp import Violation
from tests.faults.zmtp_peer import BROADCAST, Peer, abandon, connected

MUTE: Final = 2_000
MUTE_ADDRESSES: Final = 50
"""So few of the mute share an address that none has more than a crowd behind a router may have."""
MEBIBYTE: Final = 2**20


def mute(address: Address, ready: Ready, stopped: Stopped, count: int = MUTE) -> Counter[str]:
    """Connections that never speak."""
    counted: Counter[str] = Counter()
    poll = select.epoll()
    held: dict[int, socket.socket] = {}
    try:
        while not stopped():
            for _ in range(min(200, count - len(held))):
                source = f"127.11.0.{1 + counted['connections'] % MUTE_ADDRESSES}"
                try:
                    made = connected(address, counted["connections"] % 3, source)
                except OSError:
                    counted["refused"] += 1
                    break
                counted["connections"] += 1
                held[made.fileno()] = made
                poll.register(made, select.EPOLLRDHUP)
            if len(held) >= count and not counted["full"]:
                counted["full"] = 1
                ready()
            for descriptor, _ in poll.poll(PAUSE_S):
                counted["shut"] += 1
                abandon(held.pop(descriptor))
    finally:
        for connection in held.values():
            abandon(connection)
        poll.close()
    return counted


def _again(ready: Ready, stopped: Stopped, converse: Callable[[int, str, Counter[str]], None]) -> Counter[str]:
    """One connection after the other, each from the next of many addresses."""
    counted: Counter[str] = Counter()
    ready()
    while not stopped():
        counted["connections"] += 1
        number = counted["connections"]
        try:
            converse(number, f"127.12.{number // 250 % 250}.{1 + number % 250}", counted)
        except (OSError, Violation):
            counted["hung up"] += 1
    return counted


def names(address: Address, ready: Ready, stopped: Stopped) -> Counter[str]:
    """Names of a mebibyte: of rooms, of topics, of mechanisms, of properties."""

    def converse(number: int, source: str, counted: Counter[str]) -> None:
        long = b"n" * MEBIBYTE
        with Peer(address, number % 2, source=source, patience=PATIENCE_S) as peer:
            if number % 3 == 0:
                peer.send(zmtp.greeting(long))
            elif number % 3 == 1:
                peer.handshake(b"SUB" if number % 2 else b"DEALER", long if number % 4 == 0 else b"")
                peer.message(zmtp.subscription(long) if number % 2 else b"\x83\xa4room\xdb\x00\x10\x00\x00" + long)
            else:
                peer.handshake(b"SUB" if number % 2 else b"DEALER")
                peer.send(zmtp.frame(peer.curve.message(long), zmtp.LONG))
            counted["sent"] += 1
            if peer.hung_up():
                counted["hung up"] += 1

    return _again(ready, stopped, converse)


def thief(address: Address, ready: Ready, stopped: Stopped) -> Counter[str]:
    """Routing ids of its own choice, the same ones from several connections; and requests under them."""

    def converse(number: int, source: str, counted: Counter[str]) -> None:
        chosen = (b"ana", b"honest", b"\0" + secrets.token_bytes(8), b"i" * 255)[number % 4]
        with (
            Peer(address, source=source, patience=PATIENCE_S) as one,
            Peer(address, source=source, patience=PATIENCE_S) as two,
        ):
            for peer in (one, two):
                peer.handshake(identity=chosen)
                peer.message(codec.encode_request(1, messages.Hello(versions=[1])))
                counted["sent"] += 1
            if one.hung_up():
                counted["hung up"] += 1

    return _again(ready, stopped, converse)


def foreign(address: Address, ready: Ready, stopped: Stopped) -> Counter[str]:
    """What is no subscription, among what is."""

    def converse(number: int, source: str, counted: Counter[str]) -> None:
        with Peer(address, BROADCAST, source=source, patience=PATIENCE_S) as peer:
            peer.handshake(b"XSUB")
            peer.message(zmtp.subscription(topics.topic(ROOM)))
            peer.message((b"", b"hello there", b"\2", secrets.token_bytes(100))[number % 4])
            counted["sent"] += 1
            if peer.hung_up():
                counted["hung up"] += 1

    return _again(ready, stopped, converse)
