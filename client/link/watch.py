"""One socket's connection as libzmq's monitor tells of it, made anew where libzmq would not or not well.

libzmq connects again by itself after most losses. It gives up for good, without a word, after a refused handshake
(ZAP status 400 or 500) and after anything that is not its protocol (another program at the port, a frame above the
bound), and it has no patience with a peer that takes the connection and drops it: five attempts a second. Both are
mended here, by disconnecting and connecting. Must not know what the connection is for.

What the monitor tells is read late where the program is busy, or was frozen: meanwhile libzmq has gone on. So what was
told last counts; of an attempt that was let go nothing is believed, for libzmq tells of its end no more; and nothing
but a connection that stands is waited for without an end.

Sources: zmq_socket_monitor(3), zmq_connect(3) (to connect twice does nothing), ZeroMQ RFC 27 (status codes).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

import zmq
import zmq.asyncio
from zmq.utils.monitor import parse_monitor_message

from common.limits import HANDSHAKE_S

RECONNECT_S: Final = (0.2, 1.0)
"""Seconds between attempts where nobody listens, the first and the longest; each pause is twice the one before it.
To knock there costs next to nothing, and whoever waits for a broker to start sees it within a second."""
REFUSED_S: Final = 5.0
"""Seconds between attempts at the longest where somebody does listen, and drops or refuses the connection."""
CONNECT_S: Final = 5.0
"""Seconds until the other side has taken a connection; the system's own patience, two minutes, outlasts many a gap."""
ATTEMPT_S: Final = 3 * max(HANDSHAKE_S, CONNECT_S)
"""Seconds in which something is heard of an attempt; libzmq bounds each part of it by less."""
DOUBLINGS: Final = 10
"""How often a pause is doubled at the most."""
SPREAD: Final = 0.5
"""The part of a pause that chance takes away or adds, so that those who were cut together do not return together."""

_FAILED: Final = (
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL,
    zmq.EVENT_HANDSHAKE_FAILED_AUTH,
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL,
)
EVENTS: Final = (
    zmq.EVENT_CONNECTED
    | zmq.EVENT_CONNECT_RETRIED
    | zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_DISCONNECTED
    | _FAILED[0]
    | _FAILED[1]
    | _FAILED[2]
)


def spread(random: Callable[[int], bytes]) -> float:
    """A factor around one, by chance."""
    return 1 + SPREAD * (random(1)[0] / 127.5 - 1)


class Watch:
    """Follows one socket, which is to be connected to one endpoint, from `connect` on."""

    def __init__(
        self,
        socket: zmq.asyncio.Socket,
        endpoint: str,
        up: Callable[[], None],
        down: Callable[[], None],
        random: Callable[[int], bytes],
    ) -> None:
        """`up` and `down` are called when the connection stands, and no longer stands."""
        self._socket = socket
        self._endpoint = endpoint
        self._up = up
        self._down = down
        self._random = random
        # Before connecting, or the first event could be missed.
        self._monitor: zmq.asyncio.Socket = socket.get_monitor_socket(EVENTS)
        self._told: zmq.Socket[bytes] = zmq.Socket.shadow(self._monitor.underlying)
        self._trying = False
        """Whether libzmq was told to connect, and not told to let go since."""
        self._taken = False
        """Whether the connection that libzmq tells of is one of this attempt."""
        self._lost = False
        """Whether the last thing heard of is the end of a connection."""
        self._connected = False
        self._failures = 0
        self._due = math.inf
        """When to let go and connect anew, or to connect, unless something is heard before."""
        self.reached = False
        """Whether anything took a connection at the address."""
        self.refused = False
        """Whether that did not get through the handshake: no broker, another key, or not let in."""

    def connect(self) -> None:
        """Begin to connect."""
        self._trying, self._taken, self._lost = True, False, False
        self._due = time.monotonic() + ATTEMPT_S
        self._socket.connect(self._endpoint)

    def close(self) -> None:
        """Follow it no longer."""
        self._socket.disable_monitor()
        self._monitor.close(0)

    async def run(self) -> None:
        """Follow it until cancelled."""
        while True:
            left = self._due - time.monotonic()
            if left > 0:
                await self._monitor.poll(None if left == math.inf else math.ceil(left * 1_000))
            self._read()
            if time.monotonic() >= self._due:
                self._anew()
            elif self._trying and self._lost and self._failures > 1:
                self._disconnect()

    def _read(self) -> None:
        """Hear all that is told by now."""
        while True:
            try:
                frames = self._told.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            if self._trying:
                self._happened(parse_monitor_message(frames)["event"])

    def _happened(self, event: int) -> None:
        if event == zmq.EVENT_CONNECTED:
            self.reached, self._taken, self._lost = True, True, False
            self._due = time.monotonic() + ATTEMPT_S
        elif event in _FAILED:
            self.refused = True
        elif event == zmq.EVENT_HANDSHAKE_SUCCEEDED and self._taken:
            self.refused, self._failures, self._due = False, 0, math.inf
            if not self._connected:
                self._connected = True
                self._up()
        elif event == zmq.EVENT_DISCONNECTED:
            self._ended()
        elif event == zmq.EVENT_CONNECT_RETRIED and not (self._lost and self._failures > 1):
            self._due = time.monotonic() + ATTEMPT_S  # it goes on by itself

    def _ended(self) -> None:
        self._taken, self._lost = False, True
        if self._connected:
            self._connected = False
            self._down()
        else:
            self._failures += 1
        self._due = time.monotonic() + self._pause()

    def _pause(self) -> float:
        doublings = min(max(0, self._failures - 1), DOUBLINGS)
        return min(RECONNECT_S[0] * 2.0**doublings, REFUSED_S) * spread(self._random)

    def _anew(self) -> None:
        if self._trying and self._disconnect():
            # What was told meanwhile of the attempt before is heard in this pause, and not believed.
            self._due = time.monotonic() + self._pause()
        else:
            self.connect()

    def _disconnect(self) -> bool:
        """Let go of it; whether there was anything to let go of."""
        self._trying = False
        try:
            self._socket.disconnect(self._endpoint)
        except zmq.ZMQError:
            return False  # libzmq had let go of it already
        return True
