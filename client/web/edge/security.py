"""What keeps other sites out: the headers that every answer has, and whether a request comes from the page itself.

Must not know who asks, nor for what.

Sources: Content Security Policy Level 3, Trusted Types, the Fetch standard (Origin, Cross-Origin-Resource-Policy),
RFC 6797 (HSTS), RFC 6454 (origins), RFC 6455 section 10.2 (Origin of a WebSocket).
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types tertulia",
    )
)
"""`tertulia` is the rule by which the page names its service worker, and nothing else becomes a script."""
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",
    "Server": "tertulia",
}
HSTS: Final = "max-age=15552000"
"""For half a year, this host is asked over TLS only."""
_PORTS: Final = {"http": 80, "https": 443}


def protect(response: web.StreamResponse, *, secure: bool) -> None:
    """Add to an answer what every answer has; over TLS, also that it stays so. What is not the shell is not kept."""
    for name, value in HEADERS.items():
        response.headers[name] = value
    response.headers.setdefault("Cache-Control", "no-store")
    if secure:
        response.headers["Strict-Transport-Security"] = HSTS


def origin(url: str) -> str:
    """The origin of a URL as browsers write it. Raises `ValueError` if it has none, or has more than that."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise ValueError(url)
    if parts.path not in ("", "/"):
        raise ValueError(url)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = parts.port
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != _PORTS[parts.scheme] else "")


def from_here(request: web.Request, *, secure: bool, others: Collection[str] = (), unsaid: bool = False) -> bool:
    """Whether a page of this very origin, or of one of `others`, has sent the request.

    `unsaid`: whether it may be one that bears no Origin, as no page's own GET does. Nothing is refused then but what
    says that another site's page has sent it.

    Browsers write Origin themselves, and no page can change it; what comes without one is none of the page's. One that
    is no URL (`null`, of a sandbox or a file) is nobody's. Without TLS a name says nothing of who answers to it: that
    of another site may lead here from one moment to the next (DNS rebinding), and its page would be of this origin. No
    browser keeps the cookie there but for the machine itself, so nobody else is let in without TLS.
    """
    said = request.headers.getall("Origin", [])
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if unsaid and not said:
        return site in ("same-origin", "none")  # none: somebody has typed the address
    if len(said) != 1 or site != "same-origin":
        return False
    try:
        asking = origin(said[0])
        own = origin(f"{'https' if secure else 'http'}://{request.headers.get('Host', '')}")
    except ValueError:
        return False
    return asking in others or (asking == own and (secure or _is_this_machine(urlsplit(own).hostname or "")))


def _is_this_machine(host: str) -> bool:
    """Whether browsers take a host for the machine itself, whoever answers for names."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
