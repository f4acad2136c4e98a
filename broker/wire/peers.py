"""Connections as the system sees them: who they come from, whether they still stand, and how to cut one.

A connection is its descriptor and the inode behind it: a descriptor is used again for the next peer, and
the inode tells the two apart. Must not know what a peer is entitled to.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from functools import lru_cache

from broker.chat.effects import Connection


@lru_cache(maxsize=16_384)
def host(address: str) -> str:
    """The part of a peer's address by which it is counted.

    IPv4 mapped into IPv6 counts as IPv4; an IPv6 peer counts by its /64, which is what one customer has.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    if found.is_loopback:
        return str(found)
    return str(ipaddress.IPv6Network((found, 64), strict=False))


def identify(descriptor: int) -> Connection | None:
    """The connection behind a descriptor, None if it is closed already."""
    try:
        return descriptor, os.fstat(descriptor).st_ino
    except OSError:
        return None


def stands(connection: Connection) -> bool:
    """Whether the descriptor still is that connection."""
    return identify(connection[0]) == connection


def cut(connection: Connection) -> bool:
    """Shut a connection down at once; libzmq then closes it. False if it no longer stands.

    The descriptor is duplicated before its inode is compared, so that it cannot be closed and used again
    between the two.
    """
    try:
        copy = os.dup(connection[0])
    except OSError:
        return False
    try:
        if os.fstat(copy).st_ino != connection[1]:
            raise OSError("another connection by now")
        handle = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        return False
    with handle:
        try:
            handle.shutdown(socket.SHUT_RDWR)
        except OSError:
            return False  # it went down by itself meanwhile
    return True
