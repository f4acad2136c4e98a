"""Every bound on what comes in over HTTP, each with its reason. Must not know who enforces it."""

from __future__ import annotations

from typing import Final

from client import command_line
from common import limits
from common.limits import Rate

FORM_BYTES: Final = 16_384
"""Bytes of a login or a registration: its longest fields, escaped, and no more."""

FORM_S: Final = 10.0
"""Seconds for such a body to arrive."""

LINE_BYTES: Final = 4_096
"""Bytes of a request's first line: the longest path that is served has fifty."""

FIELD_BYTES: Final = 8_190
"""Bytes of one header field: cookies of other programs on the same host come along."""

FIELDS: Final = 64
"""Header fields of one request; a browser behind two proxies sends thirty."""

HEAD_S: Final = 15.0
"""Seconds in which a new connection has sent the head of a request, its TLS handshake included."""

IDLE_S: Final = 60.0
"""Seconds from one request's answer to the next one's head, and for an answer to be read on a slow line."""

CONNECTIONS: Final = limits.CONNECTIONS
"""Connections at once; one more is shut at once, so that those who are here stay served."""

PER_ADDRESS: Final = command_line.PER_ADDRESS
"""Connections at once from one address, by default: a house behind one router has two or three for each phone."""

BACKLOG: Final = 1_024
"""Connections that the kernel holds until they are taken: everybody comes back at once after a restart."""

REQUESTS: Final = Rate(100.0, 2_000)
"""Requests of one address: a class that opens the page for the first time asks for forty files each."""

LOGINS: Final = Rate(0.5, 60)
"""Tries to log in from one address; the broker counts the wrong ones besides, for each account too."""

REGISTRATIONS: Final = limits.REGISTRATIONS
"""New accounts from one address."""

FRAME_BYTES: Final = 16
"""Bytes of a WebSocket's frame below which it is no request: the shortest that there can be has 17."""

TRIFLES: Final = Rate(2.0, 200)
"""Frames of a WebSocket that are shorter, or pings and the like, which are answered without anybody's leave. Browsers
send none; whoever sends more is cut off."""

ENTERING: Final = 64
"""Logins and registrations under way at once: each waits for a hash, and the broker's queue has no more room."""

ADDRESSES: Final = 10_000
"""Addresses that are remembered; of more, those seen last."""

HOPS: Final = 8
"""Addresses of X-Forwarded-For that are looked at, from the right."""

DRAIN_S: Final = 2.0
"""Seconds that webhooks under way have once the process is told to end; all of it takes 5 at most."""

SHUT_S: Final = 1.0
"""Seconds that a browser has to agree that its socket is closed."""

TLS_S: Final = 10.0
"""Seconds for a TLS handshake."""

LIVE_S: Final = 3.0
"""Seconds that the start waits until the gateway's own session has all it missed; then it serves in any case."""
