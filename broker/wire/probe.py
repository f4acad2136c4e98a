"""From outside: does the broker of a data directory answer, and are the ports free that one would take.

Must not know why anybody asks.
"""

from __future__ import annotations

from pathlib import Path

import zmq

from broker.chat.operators import OPERATOR_OPS, ListUsers
from broker.wire.operator import endpoint
from broker.wire.sockets import CannotListen, Context, Socket, check_libzmq, open_sockets
from common import codec, keys


def libzmq() -> str:
    """libzmq's version. Raises `CannotListen` if it cannot carry a broker."""
    check_libzmq()
    return zmq.zmq_version()


def answers(path: Path, patience_s: float) -> bool:
    """Whether whoever listens on the operator's socket answers within `patience_s` seconds."""
    context: Context = zmq.Context()
    made: Socket = context.socket(zmq.DEALER)
    try:
        made.setsockopt(zmq.LINGER, 0)
        made.connect(endpoint(path))
        made.send(codec.encode_request(1, ListUsers(limit=1)))
        if not made.poll(int(patience_s * 1_000)):
            return False
        reply = codec.decode_reply(made.recv(), {1: OPERATOR_OPS[ListUsers.op][1]})[1]
        return not isinstance(reply, Exception)
    finally:
        made.close()
        context.term()


def taken(listen: str, port: int) -> str | None:
    """Why a broker could not listen there, with what to do; None if it could. It is tried, and given up at once."""
    context: Context = zmq.Context()
    try:
        open_sockets(context, listen, port, keys.generate().secret).close(0)
    except CannotListen as error:
        return str(error)
    finally:
        context.term()
    return None
