"""One raw peer of the broker on a TCP socket of its own: it goes as far into the conversation as it is told to.

Built on `zmtp`, which makes the bytes. For tests and slow attacks; `malformed_connections` has the fast ones. Must
not know what is promised.
"""

from __future__ import annotations

import socket
import struct
from typing import Final, Self

from common.addresses import Address
from common.keys import KeyPair
from tests.faults import zmtp
from tests.faults.zmtp import Curve, Frame, Reader, Violation

PATIENCE_S: Final = 10.0
CHUNK: Final = 65_536
COMMANDS: Final = 0
BROADCAST: Final = 1
GREETING: Final = 2
"""The sockets of a broker, by how far their port is above the first."""


def connected(address: Address, above: int, source: str = "", patience: float = PATIENCE_S) -> socket.socket:
    """A connection to one of the broker's sockets, from `source` if given (on loopback, any 127.x.y.z)."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.settimeout(patience)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source:
            made.bind((source, 0))
        made.connect((address.host, address.port + above))
    except BaseException:
        made.close()
        raise
    return made


class Peer:
    """A connection under one's own hands. Each step of the handshake is a method; none needs the one before."""

    def __init__(
        self,
        address: Address,
        above: int = COMMANDS,
        *,
        keys: KeyPair | None = None,
        source: str = "",
        patience: float = PATIENCE_S,
    ) -> None:
        """`patience` is for each single answer, in seconds."""
        assert address.key is not None
        self.curve = Curve(address.key, keys)
        self.socket = connected(address, above, source, patience)
        self._patience = patience
        self._reader = Reader()

    def handshake(self, kind: bytes = b"DEALER", identity: bytes = b"") -> Self:
        """All of it, as an honest client does. Raises `Violation` if the broker hangs up."""
        self.send(zmtp.greeting())
        self.greeted()
        self.command(self.curve.hello())
        self.curve.welcomed(self.frame().body)
        metadata = zmtp.property_of(b"Socket-Type", kind) + zmtp.property_of(b"Identity", identity)
        self.command(self.curve.initiate(metadata))
        self.curve.ready(self.frame().body)
        return self

    # Out

    def send(self, data: bytes) -> None:
        """Bytes as they are. Raises `Violation` if the broker has hung up."""
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Violation(f"hung up: {error}") from None

    def command(self, body: bytes) -> None:
        """A command of the handshake."""
        self.send(zmtp.frame(body, zmtp.COMMAND))

    def message(self, payload: bytes, flags: int = 0) -> None:
        """An encrypted frame."""
        self.send(zmtp.frame(self.curve.message(payload, flags)))

    # In

    def greeted(self) -> bytes:
        """The broker's greeting."""
        while (taken := self._reader.take(zmtp.GREETING_BYTES)) is None:
            self._receive()
        return taken

    def frame(self) -> Frame:
        """The next frame. Raises `Violation` if the broker hangs up or says nothing."""
        while (whole := self._reader.frame()) is None:
            self._receive()
        return whole

    def answer(self) -> bytes:
        """The payload of the next encrypted frame, heartbeats of ZMTP passed over."""
        while True:
            flags, payload = self.curve.opened(self.frame().body)
            if not flags & zmtp.INNER_COMMAND:
                return payload

    def come(self) -> list[bytes]:
        """The payloads that have come by now, without waiting; then raises `Violation` if the broker has hung up."""
        self.socket.setblocking(False)
        try:
            while True:
                self._receive()
        except BlockingIOError:
            pass
        except Violation:
            if not (found := self._whole()):
                raise
            return found
        finally:
            self.socket.settimeout(self._patience)
        return self._whole()

    def _whole(self) -> list[bytes]:
        found = []
        while (whole := self._reader.frame()) is not None:
            flags, payload = self.curve.opened(whole.body)
            if not flags & zmtp.INNER_COMMAND:
                found.append(payload)
        return found

    def wait(self) -> None:
        """Return once more has come. Raises `Violation` if the broker hangs up, `TimeoutError` if it says nothing."""
        self._receive()

    def hung_up(self) -> bool:
        """Whether the broker ends the connection, whatever it says before that; False if it does not in time."""
        try:
            while True:
                self._receive()
        except TimeoutError:
            return False
        except Violation:
            return True

    def _receive(self) -> None:
        try:
            data = self.socket.recv(CHUNK)
        except (TimeoutError, BlockingIOError):
            raise
        except OSError as error:
            raise Violation(f"hung up: {error}") from None
        if not data:
            raise Violation("hung up")
        self._reader.feed(data)

    # The end

    def reset(self) -> None:
        """End it with a reset, which leaves nothing behind in this system either."""
        abandon(self.socket)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.reset()


_AT_ONCE: Final = struct.pack("ii", 1, 0)


def abandon(connection: socket.socket) -> None:
    """Close with a reset: no port stays taken for a minute after each of a million connections."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    except OSError:
        pass  # it is gone already
    connection.close()
