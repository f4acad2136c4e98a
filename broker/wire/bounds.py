"""What an operator may set about connections. Must not know who holds a bound."""

from __future__ import annotations

from dataclasses import dataclass

from common import limits
from common.limits import Rate


@dataclass(frozen=True)
class Bounds:
    """How much of what a peer may do to the network sockets; every default stands in `common.limits`."""

    connections: int = limits.CONNECTIONS
    """Connections at once."""
    strangers: int = limits.STRANGERS
    """Connections at once that nobody is logged in on."""
    strangers_per_address: int = limits.STRANGERS_PER_ADDRESS
    """The same from one address."""
    handshakes: Rate = limits.HANDSHAKES
    """Handshakes of keys without a session, from one address."""
    session_handshakes: Rate = limits.SESSION_HANDSHAKES
    """Handshakes of one key that has a session."""
    listener_bytes: Rate = limits.LISTENER_BYTES
    """Bytes from one connection to the broadcast socket."""
    member_bytes: Rate = limits.MEMBER_BYTES
    """Bytes from one connection of somebody logged in."""
    stranger_bytes: Rate = limits.STRANGER_BYTES
    """Bytes from one connection that nobody is logged in on."""
    address_bytes: Rate = limits.ADDRESS_BYTES
    """Bytes from all connections of one address."""
    unread_bytes: int = limits.UNREAD_BYTES
    """Bytes of replies that one client may leave unread."""
    flood_requests: int = limits.FLOOD_REQUESTS
    """Requests in a second after which a connection is shut; 0 means never."""
    subscriptions: int = limits.SUBSCRIPTIONS
    """Topics that one connection may ask for and not give back."""
    offences: Rate = limits.OFFENCES
    """Connections of one address shut for what they sent before its strangers are banned."""
    ban_s: float = limits.BAN_S[0]
    """Seconds of a first ban; 0 bans nobody."""
