"""Connections that go wrong before the handshake is done: thousands a second, from one thread.

What each says is drawn from a seed: noise, a greeting with something changed, another mechanism, a handshake out of
order, cut off or with wrong lengths. Half of them vanish at once, half wait until the broker hangs up. They come from
many addresses, as a botnet's would; all of these are loopback's. Must not know what is promised.
"""

from __future__ import annotations

import errno
import random
import select
import socket
import struct
import time
from collections import deque
from dataclasses import dataclass
from typing import Final

from common.addresses import Address
from tests.faults import zmtp
from tests.faults.zmtp import Curve

AT_ONCE: Final = 256
"""Connections open at the same time."""
WAITS_S: Final = 0.25
"""Seconds that a connection waits to be hung up on."""
_ABANDON: Final = struct.pack("ii", 1, 0)
_NO_PORT_YET: Final = getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24)
_IN_PROGRESS: Final = (0, errno.EINPROGRESS)
_EVENTS: Final = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET if hasattr(select, "EPOLLET") else 0
_OPENING: Final = b"\xff" + bytes(8) + b"\x7f\x03\x01"


class Nonsense:
    """What connections say, drawn from a seed."""

    def __init__(self, address: Address, seed: int) -> None:
        assert address.key is not None
        self._chance = random.Random(seed)
        # The broker cannot tell that two connections said the same; making each anew would be most of the work.
        self._hellos = [Curve(address.key).hello() for _ in range(64)]
        self._kinds = (
            self._noise,
            self._changed_greeting,
            self._cut_greeting,
            self._other_mechanism,
            self._other_version,
            self._hello_changed,
            self._hello_with_wrong_size,
            self._hello_cut,
            self._out_of_order,
            self._after_hello,
            self._many_frames,
        )

    def __call__(self) -> bytes:
        """What the next connection says."""
        return self._kinds[int(self._chance.random() * len(self._kinds))]()

    def _bytes(self, most: int) -> bytes:
        return self._chance.randbytes(int(self._chance.random() * most))

    def _hello(self) -> bytes:
        return self._hellos[int(self._chance.random() * len(self._hellos))]

    def _changed(self, data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(1 + int(self._chance.random() * 4)):
            changed[int(self._chance.random() * len(changed))] = int(self._chance.random() * 256)
        return bytes(changed)

    def _noise(self) -> bytes:
        return self._chance.choice((b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b"SSH-2.0-x\r\n")) + self._bytes(
            300
        )

    def _changed_greeting(self) -> bytes:
        return self._changed(zmtp.greeting()) + self._bytes(40)

    def _cut_greeting(self) -> bytes:
        return zmtp.greeting()[: int(self._chance.random() * zmtp.GREETING_BYTES)]

    def _other_mechanism(self) -> bytes:
        name = self._chance.choice((b"NULL", b"PLAIN", b"GSSAPI", b"curve", b"", self._chance.randbytes(20)))
        return zmtp.greeting(name, as_server=self._chance.random() < 0.5) + self._bytes(60)

    def _other_version(self) -> bytes:
        return _OPENING[:10] + self._chance.randbytes(2) + zmtp.greeting()[12:] + self._bytes(60)

    def _hello_changed(self) -> bytes:
        return zmtp.greeting() + zmtp.frame(self._changed(self._hello()), zmtp.COMMAND)

    def _hello_with_wrong_size(self) -> bytes:
        size = self._chance.choice((0, 1, 199, 201, 255, 65_536, 2**31, 2**62, 2**63, 2**64 - 1))
        return zmtp.greeting() + zmtp.frame(self._hello(), zmtp.COMMAND, size=size)

    def _hello_cut(self) -> bytes:
        whole = zmtp.frame(self._hello(), zmtp.COMMAND)
        return zmtp.greeting() + whole[: int(self._chance.random() * len(whole))]

    def _out_of_order(self) -> bytes:
        name = self._chance.choice(
            (zmtp.WELCOME, zmtp.INITIATE, zmtp.READY, zmtp.ERROR, zmtp.MESSAGE, b"\x04PING", b"")
        )
        return zmtp.greeting() + zmtp.frame(name + self._bytes(400), self._chance.choice((zmtp.COMMAND, 0, zmtp.MORE)))

    def _after_hello(self) -> bytes:
        """A valid HELLO, and then an INITIATE whose cookie was never given."""
        began = zmtp.greeting() + zmtp.frame(self._hello(), zmtp.COMMAND)
        return began + zmtp.frame(zmtp.INITIATE + self._chance.randbytes(260), zmtp.COMMAND)

    def _many_frames(self) -> bytes:
        flags = int(self._chance.random() * 256)
        return zmtp.greeting() + zmtp.frame(self._bytes(8), flags & ~zmtp.LONG) * (1 + int(self._chance.random() * 100))


@dataclass
class Outcome:
    """How the connections ended."""

    made: int = 0
    failed: int = 0
    """Not accepted, or reset before anything could be said."""
    hung_up: int = 0
    """Ended by the broker."""
    abandoned: int = 0
    """Ended by the peer."""


class Attack:
    """Makes `count` connections to the broker's three sockets in turn."""

    def __init__(self, address: Address, count: int, seed: int) -> None:
        self._places = [(address.host, address.port + above) for above in range(3)]
        self._count = count
        self._says = Nonsense(address, seed)
        self._chance = random.Random(seed + 1)
        self._poll = select.epoll()
        self._open: dict[int, socket.socket] = {}
        self._stays: set[int] = set()
        self._ages: deque[tuple[float, int, socket.socket]] = deque()
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Make them all; returns when the last one has ended."""
        try:
            while self.outcome.made < self._count or self._open:
                while len(self._open) < AT_ONCE and self.outcome.made < self._count:
                    self._connect()
                for descriptor, event in self._poll.poll(0.02):
                    self._heard(descriptor, event)
                self._forget(time.monotonic())
        finally:
            self._poll.close()
            for connection in self._open.values():
                connection.close()
        return self.outcome

    def _connect(self) -> None:
        self.outcome.made += 1
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABANDON)
        made.setsockopt(socket.IPPROTO_IP, _NO_PORT_YET, 1)
        number = self.outcome.made
        try:
            made.bind((f"127.{1 + number % 200}.{number // 200 % 250}.{1 + int(self._chance.random() * 250)}", 0))
            if made.connect_ex(self._places[number % 3]) not in _IN_PROGRESS:
                raise ConnectionError
            made.send(self._says())  # on loopback the connection stands by now
        except OSError:
            self.outcome.failed += 1
            made.close()
            return
        descriptor = made.fileno()
        self._open[descriptor] = made
        self._ages.append((time.monotonic() + WAITS_S, descriptor, made))
        if self._chance.random() < 0.5:
            self._stays.add(descriptor)
        self._poll.register(descriptor, _EVENTS)

    def _heard(self, descriptor: int, event: int) -> None:
        gone = event & (select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR)
        if gone:
            self.outcome.hung_up += 1
        elif descriptor in self._stays:
            return
        else:
            self.outcome.abandoned += 1
        self._close(descriptor)

    def _forget(self, now: float) -> None:
        ages = self._ages
        while ages and (ages[0][0] <= now or ages[0][2].fileno() < 0):
            _, descriptor, connection = ages.popleft()
            if connection.fileno() >= 0:
                self.outcome.abandoned += 1
                self._close(descriptor)

    def _close(self, descriptor: int) -> None:
        self._stays.discard(descriptor)
        self._open.pop(descriptor).close()
