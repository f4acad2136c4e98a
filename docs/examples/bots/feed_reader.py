"""RSS and Atom feeds: fetched politely, read by `feedparser`, and what is new in them.

Used by `feeds.py`. A feed is asked with the ETag and Last-Modified that it gave last, so that one without news costs
next to nothing. Addresses come from whoever is in a room, so nothing of this machine's own network is fetched: the
address is judged once the connection stands, where no name server can give another answer. Must not know bots.

Sources: RFC 9110 sections 13.1 and 15.4.5 (conditional requests, 304), RFC 4287 section 4.2.6 (atom:id).
"""

from __future__ import annotations

import hashlib
import html
import http.client
import ipaddress
import re
import socket
import ssl
import time
import unicodedata
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import feedparser

PATIENCE_S: Final = 20.0
"""Seconds that a server may say nothing."""
WHOLE_S: Final = 60.0
"""Seconds that a feed may take altogether."""
FEED_BYTES: Final = 4_194_304
"""Bytes of a feed at the most."""
ENTRIES: Final = 300
"""Entries of a feed that are looked at: the first ones, which are the newest."""
SEEN: Final = 600
"""Entries of a feed that are remembered: those in it now, and some that were there before."""
TITLE_LENGTH: Final = 200
LINK_LENGTH: Final = 500
AGENT: Final = "tertulia-feeds (a chat bot; asks at most every few minutes)"


class NoFeed(Exception):
    """A feed could not be had; the sentence says why."""

    gone = False
    """Whether its server says that it will never come back (410)."""


@dataclass(frozen=True)
class Entry:
    """Something that was published."""

    key: str
    """What tells it from others: short, made of its id, its link or its title."""
    title: str
    link: str

    def line(self) -> str:
        """What a room is told of it."""
        return f"{self.title}\n{self.link}" if self.link else self.title


@dataclass(frozen=True)
class Fetched:
    """A feed as it is now; without entries if nothing has changed."""

    title: str
    entries: tuple[Entry, ...]
    etag: str
    modified: str
    changed: bool


def fetch(url: str, etag: str = "", modified: str = "", *, private: bool = False) -> Fetched:
    """Get a feed. Blocks; raises `NoFeed`. `private` allows addresses of this machine and its network."""
    headers = {"User-Agent": AGENT, "Accept": "application/atom+xml, application/rss+xml, application/xml, */*;q=0.1"}
    headers |= {"If-None-Match": etag} if etag else {}
    headers |= {"If-Modified-Since": modified} if modified else {}
    try:
        request = urllib.request.Request(checked(url), headers=headers)
        with _opener(private).open(request, timeout=PATIENCE_S) as response:
            body = _body(response)
            told, place = response.headers, response.url
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 304:
                return Fetched("", (), etag, modified, changed=False)
            refused = NoFeed(f"its server says {error.code} {error.reason}")
            refused.gone = error.code == 410
            raise refused from None
    except urllib.error.URLError as error:
        raise NoFeed(str(error.reason)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoFeed(str(error) or type(error).__name__) from None
    if len(body) > FEED_BYTES:
        raise NoFeed(f"it has more than {FEED_BYTES // 1_048_576} MiB")
    title, entries = read(body, told.get("Content-Type", ""), place)
    return Fetched(title, entries, told.get("ETag", ""), told.get("Last-Modified", ""), changed=True)


def _body(response: http.client.HTTPResponse) -> bytes:
    """All that is sent, up to what is too much. Raises `NoFeed` for whoever sends it drop by drop."""
    body, deadline = b"", time.monotonic() + WHOLE_S
    while len(body) <= FEED_BYTES and (piece := response.read1(65_536)):
        body += piece
        if time.monotonic() > deadline:
            raise NoFeed("its server is too slow")
    return body


def checked(url: str) -> str:
    """An address that may be asked. Raises `NoFeed`."""
    if not re.fullmatch(r"https?://[!-~]+", url) or len(url) > LINK_LENGTH:
        raise NoFeed("an address begins with https:// or http://, and has no spaces")
    return url


def read(body: bytes, content_type: str = "", place: str = "") -> tuple[str, tuple[Entry, ...]]:
    """The title and the entries of a document, newest first as feeds have them. Raises `NoFeed` if it is none."""
    parsed = feedparser.parse(body, response_headers={"content-type": content_type, "content-location": place})
    if not parsed.get("version"):
        raise NoFeed("that is no RSS or Atom feed")
    title = one_line(parsed.feed.get("title", "")) or place
    return title, tuple(_entry(raw) for raw in parsed.entries[:ENTRIES])


def news(entries: Sequence[Entry], seen: Sequence[str]) -> tuple[list[Entry], list[str]]:
    """What was not seen yet, oldest first, and what is seen now: bounded, and never without what the feed still has."""
    before = set(seen)
    fresh = {entry.key: entry for entry in reversed(entries) if entry.key not in before}
    now = list(dict.fromkeys(entry.key for entry in entries))
    rest = [key for key in seen if key not in set(now)]
    return list(fresh.values()), [*now, *rest][: max(SEEN, len(now))]


def one_line(raw: str) -> str:
    """Text from a feed on one line: without markup, controls and changes of direction, and not too long."""
    text = html.unescape(re.sub(r"<[^<>]*>", " ", raw))
    text = re.sub("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", text)
    text = "".join(" " if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") else sign for sign in text)
    text = " ".join(text.split())
    return text if len(text) <= TITLE_LENGTH else text[: TITLE_LENGTH - 1] + "…"


def _entry(raw: Any) -> Entry:
    title, link = one_line(raw.get("title", "")), raw.get("link", "")
    key = raw.get("id") or link or title + raw.get("published", "")
    shown = link if re.fullmatch(r"https?://[!-~]+", link) and len(link) <= LINK_LENGTH else ""
    return Entry(hashlib.sha256(key.encode()).hexdigest()[:16], title or "(without a title)", shown)


# Where connections may go.


def _check_peer(connection: socket.socket) -> None:
    address = ipaddress.ip_address(connection.getpeername()[0].partition("%")[0])
    inner = getattr(address, "ipv4_mapped", None) or address
    if not inner.is_global or inner.is_multicast:
        connection.close()
        raise NoFeed("its address is not on the public network")


class _PublicHTTP(http.client.HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _check_peer(self.sock)


class _PublicHTTPS(http.client.HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _check_peer(self.sock)


class _HTTP(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_PublicHTTP, req)


class _HTTPS(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_PublicHTTPS, req, context=ssl.create_default_context())


def _opener(private: bool) -> urllib.request.OpenerDirector:
    """What opens addresses: http and https only, without the environment's proxies, which would hide the address."""
    opener = urllib.request.OpenerDirector()
    handlers: tuple[urllib.request.BaseHandler, ...] = (
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        *((urllib.request.HTTPHandler(), urllib.request.HTTPSHandler()) if private else (_HTTP(), _HTTPS())),
    )
    for handler in handlers:
        opener.add_handler(handler)
    return opener
