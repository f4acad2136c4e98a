"""One notice to one browser's push service, encrypted for that browser alone, and what became of it. Never raises.

Connects to public addresses only, checks certificates, follows no redirects, keeps no cookies, and believes nothing of
the answer but its status and how long to wait. Must not know what is told, nor what is tried again.

Sources: RFC 8030 (web push), RFC 8188 and RFC 8291 (encryption), RFC 8292 (VAPID), RFC 9110 §10.2.3 (Retry-After).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import aiohttp

from client.web.failures import named
from client.web.public import public_socket
from client.web.push.bounds import AT_WORK, BACK_OFF_S, CONNECT_S, POST_S, TTL_S
from client.web.push.subscriptions import Subscription
from client.web.push.vapid import Vapid

_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
_GONE = frozenset({404, 410})


class Outcome(NamedTuple):
    """What became of a request."""

    delivered: bool
    cause: str
    """The status, or what failed, in a word for the log."""
    gone: bool = False
    """Whether the browser takes no more."""
    later: bool = False
    """Whether there is use in trying again."""
    wait: float = 0.0
    """Seconds that the push service wants to be left in peace."""


def public_connector() -> aiohttp.BaseConnector:
    """Connections to the public internet and nowhere else."""
    return aiohttp.TCPConnector(socket_factory=public_socket, use_dns_cache=False, limit=AT_WORK)


class Sender:
    """The connections to push services; belongs to the event loop that it is made in."""

    def __init__(
        self, vapid: Vapid, connector: Callable[[], aiohttp.BaseConnector], clock: Callable[[], float] = time.time
    ) -> None:
        """`connector` makes the connections, when there is the first to make; `clock` tells seconds, UTC."""
        self._vapid = vapid
        self._connector = connector
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._at_work = asyncio.Semaphore(AT_WORK)

    async def post(self, to: Subscription, payload: bytes, talk: str, *, urgent: bool) -> Outcome:
        """Send a payload about a conversation, in the place of what still waits there about it."""
        async with self._at_work:
            try:
                body = await asyncio.to_thread(_encrypted, to, payload)
                headers = {
                    "Authorization": self._vapid.authorization(to.endpoint, int(self._clock())),
                    "Content-Encoding": "aes128gcm",
                    "Content-Type": "application/octet-stream",
                    "TTL": str(TTL_S),
                    "Topic": self._vapid.topic(to.endpoint, talk),
                    "Urgency": "high" if urgent else "normal",
                }
                post = self._open().post(to.endpoint, data=body, headers=headers, allow_redirects=False)
                async with post as answer:
                    return self._judge(answer.status, answer.headers.get("Retry-After", ""))
            except (aiohttp.ClientError, OSError, ValueError) as error:  # of OSError: timeouts, and faults of TLS
                return Outcome(False, named(error), later=True)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._connector(),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=POST_S, sock_connect=CONNECT_S),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    def _judge(self, status: int, retry_after: str) -> Outcome:
        if 200 <= status < 300:
            return Outcome(True, str(status))
        wait = min(max(self._seconds(retry_after), 0.0), BACK_OFF_S[1])
        return Outcome(False, str(status), status in _GONE, status in _LATER, wait)

    def _seconds(self, retry_after: str) -> float:
        """What the header says, in seconds: figures, or a date."""
        if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 9:
            return float(retry_after)
        try:
            date = parsedate_to_datetime(retry_after)
            return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - self._clock()
        except (ValueError, OverflowError):
            return 0.0

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _encrypted(to: Subscription, payload: bytes) -> bytes:
    """In a thread, for the first call loads the libraries."""
    from pywebpush import WebPusher

    keys = {"p256dh": to.p256dh, "auth": to.auth}
    body: bytes = WebPusher({"endpoint": to.endpoint, "keys": keys}).encode(payload)["body"]
    return body
