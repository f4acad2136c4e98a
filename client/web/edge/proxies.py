"""Who really asks: the address and the scheme of a request, through the proxies that are trusted, and through no other.

What a request says of itself is anybody's word; only what a trusted proxy has appended counts. So X-Forwarded-For is
read from the right, as long as the hop is a trusted one, and X-Forwarded-Proto only from a trusted peer. Must not know
what is done with the answer.

Sources: RFC 7239, section 8.1; the de-facto headers of nginx and Caddy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Protocol

from client.web.edge import bounds

Network = IPv4Network | IPv6Network


class Fields(Protocol):
    """Header fields, of which one may come several times."""

    def getall(self, key: str, default: list[str]) -> list[str]: ...


@dataclass(frozen=True)
class Asker:
    """Who asks, and how."""

    address: str
    """In figures; empty if it is not known."""
    secure: bool
    """Whether the browser's leg is TLS."""

    @property
    def neighbourhood(self) -> str:
        """What is counted as one: an IPv4 address, or the network of 64 bits that one subscriber has of IPv6."""
        found = _parsed(self.address)
        if isinstance(found, IPv6Address):
            return str(IPv6Network((int(found) >> 64 << 64, 64)))
        return self.address


def network(text: str) -> Network:
    """A network or one address, as `--trusted-proxy` names it. Raises `ValueError`."""
    return ip_network(text.strip(), strict=False)


class Proxies:
    """The networks of the proxies that are trusted."""

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        self._networks = tuple(networks)

    def trusts(self, address: str) -> bool:
        """Whether that address is a trusted proxy's."""
        found = _parsed(address)
        return found is not None and any(found in network for network in self._networks)

    def asker(self, peer: str, tls: bool, fields: Fields) -> Asker:
        """Who asks, of a connection from `peer` with those header fields."""
        if not self.trusts(peer):
            return Asker(plain(peer), tls)
        said = fields.getall("X-Forwarded-Proto", [])
        secure = tls or (bool(said) and said[-1].split(",")[-1].strip().casefold() == "https")
        hops = [hop for line in fields.getall("X-Forwarded-For", []) for hop in line.split(",")]
        address = plain(peer)
        for hop in hops[: -bounds.HOPS - 1 : -1]:
            if not self.trusts(address):
                break
            found = plain(_bare(hop.strip()))
            if not found:
                break
            address = found
        return Asker(address, secure)


def plain(address: str) -> str:
    """An address in figures as everybody writes it; IPv4 that came by an IPv6 socket as IPv4; empty if it is none."""
    found = _parsed(address)
    return "" if found is None else str(found)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _bare(hop: str) -> str:
    """The address of a hop that may come with a port: `192.0.2.1:4711`, `[2001:db8::1]:4711`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
