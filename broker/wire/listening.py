"""Several listening sockets on one port, among which the kernel divides the connections (SO_REUSEPORT).

To forget a connection XPUB looks through every topic of every other, so that the work of a mass reconnect grows with
the square of the clients: 1,000 took the reactor four seconds, and 2,000 never came back. Divided among eight sockets
it is a sixty-fourth for each. Linux only: elsewhere the kernel does not divide. Must not know what is said on them.

Source: socket(7), SO_REUSEPORT; zmq_setsockopt(3), ZMQ_USE_FD.
"""

from __future__ import annotations

import errno
import socket
import sys
from typing import Final

SHARES: Final = 8 if sys.platform == "linux" else 1
"""Sockets that share the broadcast port: each costs a message to everybody a microsecond."""


def listen(host: str, port: int, shares: int, backlog: int, send_bytes: int, receive_bytes: int) -> list[socket.socket]:
    """So many sockets that listen on one port. Raises `OSError`.

    `host` is an address, or `*` for all of them, IPv4 and IPv6. What the kernel may hold for a connection is inherited
    from these.
    """
    if shares > 1:
        # Whoever shares a port is given part of its connections: nobody else may have it already.
        _bound(host, port, shared=False).close()
    made: list[socket.socket] = []
    try:
        for _ in range(shares):
            listener = _bound(host, port, shared=shares > 1)
            made.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_bytes)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
            listener.setblocking(False)
            listener.listen(backlog)
    except BaseException:
        for each in made:
            each.close()
        raise
    return made


def _bound(host: str, port: int, shared: bool) -> socket.socket:
    if host != "*":
        return _socket(socket.AF_INET6 if ":" in host else socket.AF_INET, host, port, shared)
    try:
        return _socket(socket.AF_INET6, "::", port, shared)
    except OSError as error:
        if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            raise
        return _socket(socket.AF_INET, "0.0.0.0", port, shared)


def _socket(family: socket.AddressFamily, host: str, port: int, shared: bool) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared and sys.platform != "win32":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        made.bind((host, port))
    except BaseException:
        made.close()
        raise
    return made
