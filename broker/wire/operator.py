"""The operator's socket: a file in the data directory, for the commands of whoever owns that directory.

Whoever can open the file is the operator: the directory is private to its owner, and so is the socket.
Requests and replies are framed as on the network. Must not know what the operations do.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import zmq

from broker.chat.effects import Origin
from broker.chat.operators import OPERATOR_OPS
from broker.wire.carrier import OPERATOR
from broker.wire.commands import Handler, Malformed
from broker.wire.sockets import CannotListen, Context, Socket
from common import codec
from common.limits import REQUEST_BYTES

_NOBLOCK: Final = int(zmq.NOBLOCK)


def endpoint(path: Path) -> str:
    """Where the operator's socket is. Raises `CannotListen` if the system allows no path of that length."""
    if len(os.fsencode(path)) > zmq.IPC_PATH_MAX_LEN:
        raise CannotListen(
            f"{path}: longer than the {zmq.IPC_PATH_MAX_LEN} bytes that a socket's path may have; "
            "choose a shorter --data-dir."
        )
    return f"ipc://{path}"


class Operator:
    """Receives and answers on the operator's ROUTER; for the thread that owns it."""

    def __init__(self, context: Context, path: Path) -> None:
        self.socket: Socket = context.socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.RCVHWM, 0)
        self.socket.setsockopt(zmq.MAXMSGSIZE, REQUEST_BYTES)
        self.socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        try:
            self.socket.bind(endpoint(path))
            os.chmod(path, 0o600)
        except (zmq.ZMQError, OSError) as error:
            self.socket.close(linger=0)
            raise CannotListen(f"{path}: cannot be made ({error.strerror}).") from None
        except BaseException:
            self.socket.close(linger=0)
            raise

    def drain(self, limit: int, handle: Handler, malformed: Malformed) -> int:
        """Read up to `limit` requests and hand each on; how many there were."""
        for count in range(limit):
            try:
                frames = self.socket.recv_multipart(_NOBLOCK)
            except zmq.Again:
                return count
            if len(frames) != 2:
                continue
            route, body = frames
            try:
                request = codec.decode_request(body, OPERATOR_OPS)
            except codec.RequestError as error:
                malformed(Origin(route, OPERATOR, "", error.id, OPERATOR), error.cause)
                continue
            handle(Origin(route, OPERATOR, "", request.id, OPERATOR), request)
        return limit

    def send(self, route: bytes, body: bytes) -> None:
        """Send a reply, or drop it if nobody waits for it any more."""
        try:
            self.socket.send_multipart([route, body], _NOBLOCK)
        except zmq.ZMQError:
            pass

    def close(self, linger_ms: int) -> None:
        """Close the socket; its file goes with it."""
        self.socket.close(linger=linger_ms)
