"""One POST of an event to somebody's URL, and what became of it. Never raises, and follows nobody anywhere.

Connects to public addresses only unless the hook allows others, checks certificates, follows no redirects, keeps no
cookies, and believes nothing of the answer but its status and how long to wait. Must not know what is tried again.
"""

from __future__ import annotations

from typing import NamedTuple

import aiohttp

from client.web.failures import named
from client.web.public import public_socket
from client.web.webhooks import payloads
from client.web.webhooks.bounds import BACK_OFF_S, CONNECT_S, POST_S
from client.web.webhooks.hooks import Outgoing
from client.web.webhooks.payloads import Event

_NEVER = frozenset({400, 413, 414, 415, 422, 431})
"""Statuses that say that this event will not be taken, however often it comes."""


class Outcome(NamedTuple):
    """What became of a request."""

    delivered: bool
    cause: str
    """The status, or what failed, in a word for the log."""
    final: bool = False
    """Whether there is no use in trying again."""
    retry_after: float = 0.0
    """Seconds that the other side wants to be left in peace."""


class Sender:
    """The connections for all outgoing hooks; belongs to the event loop that it is made in."""

    def __init__(self) -> None:
        self._public = self._session(aiohttp.TCPConnector(socket_factory=public_socket, use_dns_cache=False, limit=0))
        self._any = self._session(aiohttp.TCPConnector(use_dns_cache=False, limit=0))

    @staticmethod
    def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=POST_S, sock_connect=CONNECT_S),
            auto_decompress=False,
            trust_env=False,
        )

    async def post(self, hook: Outgoing, event: Event, seconds: int) -> Outcome:
        """Send the event; `seconds`: the time, UTC."""
        session = self._any if hook.private else self._public
        headers = payloads.headers(event, hook.secret, seconds)
        try:
            async with session.post(hook.url, data=event.body, headers=headers, allow_redirects=False) as answer:
                return _judge(answer.status, answer.headers.get("Retry-After", ""))
        except (aiohttp.ClientError, OSError, ValueError) as error:  # of OSError: timeouts, and faults of TLS
            return Outcome(False, named(error))

    async def close(self) -> None:
        """Close the connections."""
        await self._public.close()
        await self._any.close()


def _judge(status: int, retry_after: str) -> Outcome:
    if 200 <= status < 300:
        return Outcome(True, str(status))
    wait = float(retry_after) if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 9 else 0.0
    return Outcome(False, str(status), status in _NEVER, min(wait, BACK_OFF_S[1]))
