"""What an operator may set about the gateway that the broker starts. Must not know how it is started."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class WebSettings:
    """The settings of `tertulia web`, whose flags are called the same; what is empty is left to its own defaults."""

    serve: bool = False
    """Whether the broker starts it."""
    listen: str = ""
    """Address or name on which it listens."""
    port: int | None = None
    """Its port; 0 takes a free one."""
    tls_cert: Path | None = None
    """The certificate (PEM), where it is to speak TLS itself."""
    tls_key: Path | None = None
    """The certificate's key."""
    trusted_proxies: frozenset[str] = frozenset()
    """Addresses or networks of proxies that tell whose requests they pass on."""
    origins: frozenset[str] = frozenset()
    """Origins besides its own that pages may have."""
    push_contact: str = ""
    """Whom push services write to."""
    per_address: int | None = None
    """Connections at once from one address."""

    def flags(self) -> Iterator[str]:
        """What the child is told, in its own flags."""
        if self.listen:
            yield f"--listen={self.listen}"
        if self.port is not None:
            yield f"--port={self.port}"
        if self.tls_cert is not None:
            yield f"--tls-cert={self.tls_cert}"
        if self.tls_key is not None:
            yield f"--tls-key={self.tls_key}"
        yield from (f"--trusted-proxy={each}" for each in sorted(self.trusted_proxies))
        yield from (f"--origin={each}" for each in sorted(self.origins))
        if self.push_contact:
            yield f"--push-contact={self.push_contact}"
        if self.per_address is not None:
            yield f"--per-address={self.per_address}"
