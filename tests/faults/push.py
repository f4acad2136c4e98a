"""One peer pushes a gigabyte: messages that never end and subscriptions that nobody grants, over many reconnects.

Each connection is made ready first, frames and all, and then sends as fast as the kernel takes it, until the broker
hangs up; the next one comes from another address with another key, or nothing would be admitted any more. Some are
logged in. Promised: the broker stays under 256 MiB at its peak, and others are served meanwhile.
"""

from __future__ import annotations

import argparse
import os
import select
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from common.addresses import Address
from common.errors import ChatError
from common.keys import KeyPair, generate
from tests.faults import zmtp
from tests.faults.broker_process import BrokerProcess
from tests.faults.honest import Meanwhile, Members
from tests.faults.hostile_members import SeenFrom
from tests.faults.zmtp import MORE, Violation
from tests.faults.zmtp_peer import BROADCAST, COMMANDS, Peer
from tests.support.loopback import RawClient

BYTES: Final = 2**30
PEAK: Final = 256 * 2**20
AT_ONCE: Final = 32 * 2**20
"""Bytes that one connection has ready."""
FRAMES: Final = 20_000
"""Frames that it has ready at the most: making them takes longer than sending."""
PART_SIZES: Final = (64, 1_000, 16_000, 60_000)
TOPIC_SIZES: Final = (40, 140, 440)
PATIENCE_S: Final = 2.0


@dataclass
class Pushed:
    """What one peer got rid of."""

    taken: int = 0
    """Bytes that the broker's machine took."""
    most: int = 0
    """By one connection."""
    connections: Counter[str] = field(default_factory=Counter)
    """By how they ended."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much."""
    parser.add_argument("--bytes", type=int, default=BYTES, help="bytes in all (default: %(default)s)")
    parser.add_argument("--rounds", type=float, default=5.0, help="seconds of an honest measurement")


def run(arguments: argparse.Namespace) -> int:
    """Push it all; 1 if the broker grew too much, ended, or lost an honest message."""
    with BrokerProcess() as broker, Members(str(broker.address)) as members:
        os.nice(10)
        print(f"honest members before: {members.measure(arguments.rounds)}")
        before, began = broker.memory(), time.monotonic()
        with Meanwhile(members, arguments.rounds) as meanwhile:
            pushed = push(broker.address, arguments.bytes)
        took = time.monotonic() - began
        alive = broker.alive
        print(
            f"pushed {pushed.taken / 1e6:.0f} MB in {took:.0f} s, {pushed.most / 1e6:.1f} MB at most by one connection"
        )
        print(f"connections: {dict(pushed.connections)}")
        print(f"honest members meanwhile: {meanwhile}")
        if not alive:
            print(f"BROKEN: the broker ended with status {broker.process.poll()}")
            return 1
        peak, now = broker.peak_memory(), broker.memory()
        print(f"broker: {before / 2**20:.0f} MiB before, {peak / 2**20:.0f} at its peak, {now / 2**20:.0f} now")
    broken = [f"the broker's peak was {peak / 2**20:.0f} MiB"] if peak >= PEAK else []
    broken += [f"{meanwhile.lost} honest messages were lost"] if meanwhile.lost else []
    for sentence in broken:
        print(f"BROKEN: {sentence}")
    return 1 if broken else 0


def push(address: Address, amount: int, at_once: int = AT_ONCE, frames: int = FRAMES) -> Pushed:
    """Push so many bytes. Every third connection asks for topics; every fourth is a member's."""
    pushed = Pushed()
    for number in count():
        if pushed.taken >= amount:
            return pushed
        source = f"127.40.{number // 250 % 250}.{1 + number % 250}"
        try:
            keys = _member(address, source) if number % 4 == 0 else generate()
            above = BROADCAST if number % 3 == 0 else COMMANDS
            with Peer(address, above, keys=keys, source=source, patience=PATIENCE_S) as peer:
                peer.handshake(b"SUB" if above == BROADCAST else b"DEALER")
                size = (TOPIC_SIZES if above == BROADCAST else PART_SIZES)[number // 3 % 3]
                made = b"".join(_frames(peer, above, size, min(frames, at_once // size)))
                taken, end = _send(peer, made)
            pushed.taken += taken
            pushed.most = max(pushed.most, taken)
            pushed.connections[end] += 1
        except (OSError, Violation, ChatError) as error:
            pushed.connections[type(error).__name__] += 1
    raise AssertionError("unreachable: there is always another number")


def _member(address: Address, source: str) -> KeyPair:
    with RawClient(SeenFrom(address.host, address.port, address.key, source)) as client:
        client.register(f"pusher-{os.urandom(6).hex()}")
        return client.keys


def _frames(peer: Peer, above: int, size: int, number: int) -> Iterator[bytes]:
    """One message of so many frames that does not end, or so many topics, each another."""
    for at in range(number):
        if above == BROADCAST:
            topic = at.to_bytes(4, "big") + os.urandom(16) + b"t" * (size - 20)
            yield zmtp.frame(peer.curve.message(zmtp.subscription(topic)))
        else:
            yield zmtp.frame(peer.curve.message(bytes(size), MORE))


def _send(peer: Peer, data: bytes) -> tuple[int, str]:
    """Send until all is sent or the broker hangs up; how many bytes were taken, and how it ended."""
    view, sent = memoryview(data), 0
    poll = select.poll()
    poll.register(peer.socket, select.POLLOUT | select.POLLRDHUP)
    peer.socket.setblocking(False)
    try:
        while sent < len(view):
            events = poll.poll(PATIENCE_S * 1_000)
            if not events:
                return sent, "not read any more"
            if events[0][1] & ~select.POLLOUT:
                return sent, "hung up while sending"
            sent += peer.socket.send(view[sent : sent + 2**20])
    except OSError:
        return sent, "hung up while sending"
    finally:
        peer.socket.settimeout(PATIENCE_S)
    return sent, "hung up" if peer.hung_up() else "left standing"
