"""One socket's connection as libzmq's monitor tells of it, made anew where libzmq would not or not well.

libzmq connects again by itself after most losses. It gives up for good, without a word, after a refused handshake
(ZAP status 400 or 500) and after anything that is not its protocol (another program at the port, a frame above the
bound), and it has no patience with a peer that takes the connection and drops it: five attempts a second. Both are
mended here, by disconnecting and connecting. Must not know what the connection is for.

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

RECONNECT_S: Final = (0.2, 1.0)
"""Seconds between attempts where nobody listens, the first and the longest; each pause is twice the one before it.
To knock there costs next to nothing, and whoever waits for a broker to start sees it within a second."""
REFUSED_S: Final = 5.0
"""Seconds between attempts at the longest where somebody does listen, and drops or refuses the connection."""
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
        self._connected = False
        self._failures = 0
        self._anew = math.inf
        """When to connect anew, unless libzmq does."""
        self.reached = False
        """Whether anything took a connection at the address."""
        self.refused = False
        """Whether that did not get through the handshake: no broker, another key, or not let in."""

    def connect(self) -> None:
        """Begin to connect."""
        self._socket.connect(self._endpoint)

    def close(self) -> None:
        """Follow it no longer."""
        self._socket.disable_monitor()
        self._monitor.close(0)

    async def run(self) -> None:
        """Follow it until cancelled."""
        while True:
            left = self._anew - time.monotonic()
            if left <= 0 or not await self._monitor.poll(None if left == math.inf else math.ceil(left * 1_000)):
                self._anew = math.inf
                self._disconnect()
                self.connect()
            else:
                self._happened(parse_monitor_message(await self._monitor.recv_multipart())["event"])

    def _happened(self, event: int) -> None:
        if event == zmq.EVENT_CONNECTED:
            self.reached, self._anew = True, math.inf
        elif event in _FAILED:
            self.refused = True
        elif event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self.refused, self._failures = False, 0
            if not self._connected:
                self._connected = True
                self._up()
        elif event == zmq.EVENT_DISCONNECTED:
            self._lost()
        elif event == zmq.EVENT_CONNECT_RETRIED and self._failures < 2:
            self._anew = math.inf  # it goes on by itself
        elif event == zmq.EVENT_CONNECT_RETRIED and self._anew < math.inf:
            self._disconnect()

    def _lost(self) -> None:
        if self._connected:
            self._connected = False
            self._down()
        else:
            self._failures += 1
        self._anew = time.monotonic() + self._pause()

    def _pause(self) -> float:
        return min(RECONNECT_S[0] * 2.0 ** max(0, self._failures - 1), REFUSED_S) * spread(self._random)

    def _disconnect(self) -> None:
        try:
            self._socket.disconnect(self._endpoint)
        except zmq.ZMQError:
            pass  # libzmq had let go of it already
