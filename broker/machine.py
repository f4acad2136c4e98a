"""What the machine gives a broker: an address to be found at, and descriptors for its connections.

Must not know what a connection is for.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import sys
from typing import Final

from broker import log

OWN_DESCRIPTORS: Final = 128
"""What a broker needs beside its connections: the database, its threads' sockets, the log."""


def reachable(listen: str) -> str:
    """The host to tell others: what is listened on, or for a wildcard this machine's primary address."""
    try:
        if listen != "*" and not ipaddress.ip_address(listen.strip("[]")).is_unspecified:
            return listen.strip("[]")
    except ValueError:
        return listen
    # Connecting a UDP socket sends nothing; it only asks the system which address it would use.
    for family, somewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((somewhere, 9))
                return str(probe.getsockname()[0]).partition("%")[0]
        except OSError:
            continue
    return socket.gethostname()


def descriptor_limit() -> tuple[int, int] | None:
    """How many descriptors this process may have, and how far it may raise that; None if the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft, hard if hard != resource.RLIM_INFINITY else 1_048_576


def prepare_descriptors(connections: int) -> None:
    """Take all descriptors that the system gives, and say so if they are too few for that many connections.

    At the limit libzmq's listener spins, and SQLite cannot open files.
    """
    limit = descriptor_limit()
    if sys.platform == "win32" or limit is None:
        return
    import resource

    most, hard = max(limit), resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (ValueError, OSError):
        most = limit[0]  # that must do; whether it does is said below
    needed = connections + OWN_DESCRIPTORS
    if most < needed:
        log.event(
            "few-descriptors",
            logging.WARNING,
            limit=most,
            needed=needed,
            advice=f"raise the limit (ulimit -n {needed}, or LimitNOFILE= in the unit), or lower network.connections",
        )


def connections_within(connections: int) -> int:
    """As many of `connections` as this process's descriptors allow."""
    limit = descriptor_limit()
    return connections if limit is None else max(16, min(connections, limit[0] - OWN_DESCRIPTORS))
