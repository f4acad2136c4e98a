"""Peers that did the handshake properly, and then send what no client should: encrypted by hand, hundreds at a time.

Each connection sends one burst, drawn from a seed, and then either asks a proper question, whose answer shows that
all before it has been read, or does what the broker has to hang up on. Must not know what is promised.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from common import codec, messages
from common.addresses import Address
from common.keys import generate
from tests.faults import zmtp
from tests.faults.malformed_bytes import Mutator, requests
from tests.faults.zmtp import MORE, Violation
from tests.faults.zmtp_peer import BROADCAST, COMMANDS, GREETING, Peer

BURST: Final = 250
"""Frames that a connection sends."""
QUESTION: Final = 2**40
"""The number of the proper question at the end of a burst."""
SOCKET_TYPES: Final = (b"DEALER", b"DEALER", b"DEALER", b"REQ", b"ROUTER")
LISTENER_TYPES: Final = (b"SUB", b"XSUB")
_GREET: Final = b"\x83\xa2op\xa5greet\xa2id\x01\xa8versions\x91\x01"
_INNER: Final = (b"\x04PING\0\x01", b"\x04PONG", b"\x09SUBSCRIBEx", b"\x06CANCELx", b"\x05ERROR", b"\x04NOPE", b"")
"""Commands that may stand inside a message, well and badly formed."""


@dataclass
class Outcome:
    """How the bursts ended."""

    connections: int = 0
    frames: int = 0
    """Sent; the broker may have hung up before it read the last ones."""
    answered: int = 0
    """Connections whose proper question was answered after the burst."""
    hung_up: int = 0
    """Connections that the broker ended."""
    refused: int = 0
    """Connections that did not get through the handshake."""
    silent: int = 0
    """Connections that were neither answered nor ended in time."""


class Attack:
    """Sends `count` malformed frames in bursts, to the three sockets of the broker."""

    def __init__(self, address: Address, count: int, seed: int, burst: int = BURST) -> None:
        self._address = address
        self._count = count
        self._burst = burst
        self._chance = random.Random(seed)
        self._request = Mutator(requests(), seed)
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Send them all."""
        while self.outcome.frames < self._count:
            above = self._chance.choices((COMMANDS, BROADCAST, GREETING), (6, 3, 1))[0]
            self._connect(above, min(self._burst, self._count - self.outcome.frames))
        return self.outcome

    def _connect(self, above: int, burst: int) -> None:
        self.outcome.connections += 1
        number = self.outcome.connections
        converse = (self._commands, self._broadcast, self._greeting)[above]
        source = f"127.{201 + number % 50}.{number // 50 % 250}.{1 + number // 12_500 % 250}"
        try:
            with Peer(self._address, above, keys=generate(), source=source) as peer:
                if converse(peer, burst):
                    self.outcome.answered += 1
                else:
                    self.outcome.hung_up += 1
        except Violation:
            self.outcome.hung_up += 1
        except TimeoutError:
            self.outcome.silent += 1
        except OSError:
            self.outcome.refused += 1
            self.outcome.frames += burst

    # Commands

    def _commands(self, peer: Peer, burst: int) -> bool:
        identity = self._chance.randbytes(self._chance.randrange(1, 300)) if self._chance.random() < 0.1 else b""
        kind = self._chance.choice(SOCKET_TYPES)
        self._shake(peer, kind, identity, burst)
        whole = b"".join(self._command(peer) for _ in range(burst))
        if identity or kind != b"DEALER" or self._chance.random() < 0.2:
            peer.send(whole + self._last(peer))
            return not peer.hung_up()
        peer.send(whole + zmtp.frame(peer.curve.message(codec.encode_request(QUESTION, messages.Hello(versions=[1])))))
        return self._answered(peer)

    def _answered(self, peer: Peer) -> bool:
        while True:
            id, _ = codec.decode_reply(peer.answer(), _Any())
            if id == QUESTION:
                return True

    def _shake(self, peer: Peer, kind: bytes, identity: bytes, burst: int) -> None:
        self.outcome.frames += burst
        peer.handshake(kind, identity)

    def _command(self, peer: Peer) -> bytes:
        """One malformed message for the command socket: of one frame, of several, or none."""
        message, chance = peer.curve.message, self._chance.random()
        if chance < 0.9:
            return zmtp.frame(message(self._request()))
        if chance < 0.902:  # rare, since the broker hangs up on it, and what follows is lost
            parts = self._chance.randrange(1, 6)
            return b"".join(zmtp.frame(message(self._request(), MORE)) for _ in range(parts)) + zmtp.frame(message(b""))
        if chance < 0.95:
            body = self._chance.choice(_INNER)
            return zmtp.frame(message(body, zmtp.INNER_COMMAND) if body[:5] != b"\x04PING" else message(body))
        return zmtp.frame(message(self._chance.randbytes(self._chance.randrange(40))))

    def _last(self, peer: Peer) -> bytes:
        """What ends a connection: forged, repeated, too long, in the clear, cut off."""
        message, chance = peer.curve.message, self._chance
        forged = bytearray(message(self._request()))
        forged[chance.randrange(len(forged))] ^= 1 + chance.randrange(255)
        last = chance.choice(
            (
                zmtp.frame(bytes(forged)),
                zmtp.frame(message(b"x", number=chance.randrange(1, 4))),
                zmtp.frame(message(bytes(70_000))),
                zmtp.frame(peer.curve.sealed(b"")),
                zmtp.frame(message(b"x", chance.randrange(256)), chance.choice((0, MORE, zmtp.COMMAND, 0x80))),
                zmtp.frame(self._request()),
                zmtp.frame(chance.randbytes(chance.randrange(60)), zmtp.COMMAND),
                zmtp.frame(b"", zmtp.LONG, size=chance.choice((2**17, 2**40, 2**63, 2**64 - 1))),
            )
        )
        return last + zmtp.frame(message(bytes(70_000)))

    # Broadcast

    def _broadcast(self, peer: Peer, burst: int) -> bool:
        self._shake(peer, self._chance.choice(LISTENER_TYPES), b"", burst)
        peer.send(b"".join(self._asked(peer) for _ in range(burst)) + self._last(peer))
        return not peer.hung_up()

    def _asked(self, peer: Peer) -> bytes:
        """Something for the broadcast socket: subscriptions to what there is and is not, and the rest."""
        message, chance = peer.curve.message, self._chance
        topic = chance.choice((b"lobby\0", b"~", b"@ana\0", b"", chance.randbytes(chance.randrange(1, 200))))
        kind = chance.random()
        if kind < 0.6:
            return zmtp.frame(message(bytes([kind < 0.4]) + topic))
        if kind < 0.8:
            name = chance.choice((b"\x09SUBSCRIBE", b"\x06CANCEL"))
            return zmtp.frame(message(name + topic, zmtp.INNER_COMMAND))
        if kind < 0.995:
            return zmtp.frame(message(b"\0" + chance.randbytes(8)))
        # No subscription at all: this one the broker hangs up on, and what follows is lost.
        return zmtp.frame(message(chance.randbytes(chance.randrange(20)), chance.choice((0, MORE))))

    # Greeting

    def _greeting(self, peer: Peer, burst: int) -> bool:
        self.outcome.frames += burst
        peer.send(zmtp.greeting(b"NULL"))
        peer.greeted()
        names = zmtp.property_of(b"Socket-Type", b"DEALER") + zmtp.property_of(b"Identity", b"")
        peer.command(zmtp.READY + names)
        peer.frame()
        noise = (self._chance.randbytes(self._chance.randrange(60)) for _ in range(burst))
        peer.send(b"".join(zmtp.frame(each, self._chance.choice((0, 0, MORE))) for each in noise) + zmtp.frame(b"x"))
        peer.send(zmtp.frame(_GREET))
        return b"server" in peer.frame().body


class _Any(dict[int, type[messages.Reply]]):
    """Every number is open."""

    def __contains__(self, _: object) -> bool:
        return True

    def get(self, *_: object) -> type[messages.Reply]:
        return messages.Reply
