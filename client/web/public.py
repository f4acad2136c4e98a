"""Which addresses the gateway may connect to on a stranger's word: those of the public internet only.

Whoever may add a hook, or a push subscription, must not reach through the gateway what stands behind it: this machine,
its network, the cloud's metadata. The address is looked at when the socket is made, so that what was checked is what is
connected to, whatever the name is said to be a moment later. Must not know hooks, push or HTTP.

Sources: IANA's special-purpose address registries (RFC 6890), RFC 4291 (mapped and compatible addresses), RFC 6052 and
RFC 8215 (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo).
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

_NOT_PUBLIC: Final = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",
        ),
    )
)
_GLOBAL_6: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_6: Final = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20")))
_NAT64: Final = IPv6Network("64:ff9b::/96")
_6TO4: Final = IPv6Network("2002::/16")


class NotPublic(OSError):
    """A connection to an address that is none of the public internet was refused, here."""


def is_public(address: str) -> bool:
    """Whether an address in figures is one of the public internet, also by what is packed into it."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return not any(found in network for network in _NOT_PUBLIC)
    packed = _packed(found)
    if packed is not None:
        return is_public(str(packed))
    return found in _GLOBAL_6 and not any(found in network for network in _NOT_PUBLIC_6)


def _packed(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that one of IPv6 leads to."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _6TO4:
        return IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    return None


def public_socket(address: tuple[Any, ...]) -> socket.socket:
    """A socket for a connection to that address, as `getaddrinfo` gives it. Raises `NotPublic`."""
    family, kind, protocol, _name, place = address
    if not is_public(str(place[0])):
        raise NotPublic(f"{place[0]} is no public address")
    return socket.socket(family, kind, protocol)
