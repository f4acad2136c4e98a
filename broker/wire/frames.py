"""What libzmq knows of a received frame: whose it is, from where it came, and on which connection.

Must not know what is in it.
"""

from __future__ import annotations

from typing import NamedTuple

import zmq

from broker.chat.effects import Connection
from broker.wire import peers


class Sender(NamedTuple):
    """Where a frame came from; what is None is not known, or not any more."""

    connection: Connection | None
    address: str
    """The peer's host, normalised; empty if it is not known."""
    key: str | None
    """The User-Id: the public key, Z85."""


def sender(frame: zmq.Frame) -> Sender:
    """All that is known of a frame's sender.

    A frame may have waited for so long that its descriptor leads elsewhere by now: what comes from another address
    than the frame is not its connection.
    """
    address = _property(frame, "Peer-Address")
    host = peers.host(address) if address else ""
    found = connection(frame)
    if found is not None:
        leads = peers.endpoint(found[0])
        if leads is None or leads.host != host:
            found = None
    return Sender(found, host, key(frame))


def key(frame: zmq.Frame) -> str | None:
    """The connection's name, None if it has none, or if the frame tells of a connection that is gone."""
    return _property(frame, "User-Id")


def connection(frame: zmq.Frame) -> Connection | None:
    """The connection that a frame came on, None if it is gone already."""
    try:
        return peers.identify(int(frame.get(zmq.SRCFD)))
    except zmq.ZMQError:
        return None


def _property(frame: zmq.Frame, name: str) -> str | None:
    try:
        return str(frame.get(name))
    except zmq.ZMQError:
        return None
