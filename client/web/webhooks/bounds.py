"""Every bound on webhooks, each with its reason. Must not know who enforces it."""

from __future__ import annotations

from typing import Final

from common.limits import Rate

BODY_BYTES: Final = 524_288
"""Bytes of a request: what a forge tells of a push of some hundred commits. Nothing is parsed beyond."""

BODY_S: Final = 10.0
"""Seconds for a body to arrive."""

PARTS: Final = 4
"""Messages that one request may become; what is beyond is cut, and the last one says so."""

USERNAME_LENGTH: Final = 64
"""Characters of the name that a sender gives itself."""

ITEMS: Final = 10
"""Alerts, attachments or commits of one request that are told one by one."""

RATE: Final = Rate(1.0, 60)
"""Requests to one incoming hook: so many a second for ever, and so many at once: a monitor that wakes up."""

AT_WORK: Final = 64
"""Requests at work at once, of all hooks; one more is told to come again."""

ANSWER_S: Final = 8.0
"""Seconds that the broker has to take what came in: senders give up after ten, and then send it again."""

LINK_S: Final = 2.0
"""Seconds that a request waits for a broker that is away: it may be starting anew."""

KNOWN: Final = 1_000
"""Requests that are known again when they come once more: those in doubt, and those that ask for it."""

KNOWN_S: Final = 600.0
"""Seconds after which they no longer are: the same may be meant anew."""

RETRY_S: Final = 5
"""Seconds after which a sender is to come again when the broker is away."""

HOOKS: Final = 100
"""Hooks in one file, in and out each: a process holds a connection and a place in a log for each."""

URL_LENGTH: Final = 2_000
"""Characters of a URL."""

SECRET_BYTES: Final = 24
"""Random bytes of an incoming hook's secret, and of what an outgoing one signs with: 192 bits."""

CONNECT_S: Final = 5.0
"""Seconds for an outgoing connection to stand."""

POST_S: Final = 15.0
"""Seconds for an outgoing request and its answer."""

BACK_OFF_S: Final = (1.0, 300.0)
"""Seconds until the second try, and at the most; doubled each time, and a part of it taken off by chance."""

GIVE_UP_H: Final = 24
"""Hours after which an event that could not be delivered is given up."""

WAITING: Final = 256
"""Events of one outgoing hook that are held here; the broker's log holds the others."""

LOOK_S: Final = 1.0
"""Seconds between looks at the file of hooks."""

JOIN_S: Final = 30.0
"""Seconds until a room that could not be joined is tried again: it may be made meanwhile."""
