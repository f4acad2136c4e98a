"""The other end of the operator's socket: asks the broker that runs on a data directory.

Must not know the operations.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, Final, Self

import zmq

from broker.chat.operators import OPERATOR_OPS
from broker.wire.operator import endpoint
from broker.wire.sockets import Socket
from common import codec
from common.errors import Busy, ChatError
from common.messages import Command, Reply

PATIENCE_S: Final = 30.0
"""Seconds that a running broker has for an answer: it may have hashes waiting."""


def listens(path: Path) -> bool:
    """Whether a broker answers on the socket's file: one that was killed leaves the file behind."""
    if not hasattr(socket, "AF_UNIX"):
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


class OperatorClient:
    """Asks the running broker, one operation after the other."""

    def __init__(self, path: Path) -> None:
        self._endpoint = endpoint(path)
        self._number = 0

    def __enter__(self) -> Self:
        self._context = zmq.Context()
        self._socket: Socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.connect(self._endpoint)
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._context.term()

    def ask(self, command: Command) -> Reply:
        """Do one operation. Raises the `ChatError` with which it was refused."""
        self._number += 1
        self._socket.send(codec.encode_request(self._number, command))
        if not self._socket.poll(int(PATIENCE_S * 1_000)):
            raise Busy("The broker does not answer; look at its log.")
        reply: Any = codec.decode_reply(self._socket.recv(), {self._number: OPERATOR_OPS[command.op][1]})[1]
        if isinstance(reply, ChatError):
            raise reply
        return reply  # type: ignore[no-any-return]
