"""Connections as the system sees them: who they come from, whether they still stand, and how to cut one.

A connection is its descriptor and the inode behind it: a descriptor is used again for the next peer, and
the inode tells the two apart. Must not know what a peer is entitled to.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import stat
import struct
import sys
from functools import lru_cache
from typing import Final, NamedTuple

from broker.chat.effects import Connection

_TCP_INFO: Final = 11


@lru_cache(maxsize=2_048)
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

    The descriptor is duplicated before its inode is compared, so that it cannot be closed and used again between
    the two. But never a file's: closing any copy of a file's descriptor drops the locks of the whole process on
    that file (fcntl(2)), the database's among them.
    """
    if not stands(connection):
        return False
    try:
        copy = os.dup(connection[0])
    except OSError:
        return False
    found = os.fstat(copy)
    if not stat.S_ISSOCK(found.st_mode):
        return False  # became a file within the last microsecond: its copy must stay open
    with socket.socket(fileno=copy) as handle:
        if found.st_ino != connection[1]:
            return False
        try:
            handle.shutdown(socket.SHUT_RDWR)
        except OSError:
            return False  # it went down by itself meanwhile
    return True


class Endpoint(NamedTuple):
    """Where a TCP connection leads."""

    port: int
    """The port on this side."""
    host: str
    """The other side, as `host` counts it."""


def endpoint(descriptor: int) -> Endpoint | None:
    """Where the connection behind a descriptor leads; None if there is none."""
    try:
        handle = socket.socket(fileno=descriptor)
    except OSError:
        return None
    try:
        if handle.family not in (socket.AF_INET, socket.AF_INET6):
            return None
        return Endpoint(handle.getsockname()[1], host(handle.getpeername()[0]))
    except OSError:
        return None  # it listens, or went down meanwhile
    finally:
        handle.detach()  # it is libzmq's to close, or SQLite's


class Traffic(NamedTuple):
    """What went over a TCP connection, in bytes."""

    received: int
    acked: int
    """Sent, and acknowledged by the other side's kernel."""
    idle: bool
    """Whether the kernel has nothing more to send."""


class TrafficMeter:
    """How much went over a connection, as the kernel counts it (Linux 4.6). Not to be shared by threads.

    Raises `OSError` if this system does not tell.

    Source: tcp(7), TCP_INFO; RFC 4898, tcpEStatsAppHCThruOctetsAcked and tcpEStatsAppHCThruOctetsReceived.
    """

    _LAYOUT: Final = struct.Struct("=24xI92xQQ8xI")
    """Of `struct tcp_info`: tcpi_unacked, tcpi_bytes_acked, tcpi_bytes_received, tcpi_notsent_bytes."""

    def __init__(self) -> None:
        if sys.platform != "linux":
            raise OSError("only Linux tells what a connection has carried")
        try:
            import ctypes
        except (ImportError, MemoryError) as error:  # a build without it, or a system that forbids its callbacks
            raise OSError(f"Python's ctypes cannot be used here ({error})") from error
        # A Python socket for each look would take four times as long, and must not own the descriptor.
        self._by_reference = ctypes.byref
        self._getsockopt = ctypes.CDLL(None, use_errno=True).getsockopt
        self._info = ctypes.create_string_buffer(self._LAYOUT.size)
        self._length = ctypes.c_uint32()

    def of(self, descriptor: int) -> Traffic | None:
        """Since it was connected; None if it is no TCP connection, or not any more."""
        self._length.value = self._LAYOUT.size
        if self._getsockopt(descriptor, socket.IPPROTO_TCP, _TCP_INFO, self._info, self._by_reference(self._length)):
            return None
        if self._length.value < self._LAYOUT.size:
            return None
        unacked, acked, received, unsent = self._LAYOUT.unpack(self._info)
        return Traffic(received, acked, not unacked and not unsent)
