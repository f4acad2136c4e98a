"""Every bound on push, each with its reason. Must not know who enforces it."""

from __future__ import annotations

from typing import Final

PER_ACCOUNT: Final = 4
"""Browsers of one account that are told; the one that subscribed first goes when one more does."""

SUBSCRIPTIONS: Final = 2_000
"""Subscriptions in all: each message is held against each, and the file is written whole."""

FILE_BYTES: Final = 4_194_304
"""Bytes of the file: so many of the longest subscriptions."""

ENDPOINT_LENGTH: Final = 1_000
"""Characters of an endpoint: the longest there are have about 600."""

BODY_LENGTH: Final = 120
"""Characters of a message that a notice shows: two lines on a phone."""

PADDED_BYTES: Final = 1_024
"""A payload is filled up to a multiple of this, so that its length tells the push service nothing."""

COLLAPSE_S: Final = 2.0
"""Seconds that a notice waits: for what follows it, and for being read on another device, or taken back."""

PAUSE_S: Final = 5.0
"""Seconds between two deliveries to one browser: whoever is away does not read faster."""

WAITING: Final = 20
"""Conversations of one browser that wait for a notice; the oldest is dropped when one more has news."""

AT_WORK: Final = 8
"""Requests to push services at once, of all browsers."""

CONNECT_S: Final = 5.0
"""Seconds for a connection to a push service to stand."""

POST_S: Final = 10.0
"""Seconds for a request and its answer."""

TTL_S: Final = 86_400
"""Seconds that a push service keeps what it cannot deliver yet: older news is seen when the page is opened."""

BACK_OFF_S: Final = (5.0, 300.0)
"""Seconds until a failed delivery is tried again, doubled up to the longest, which holds for Retry-After, too."""

TRIES: Final = 4
"""Tries of one notice before it is given up."""

FAILURES: Final = 10
"""Notices given up in a row after which a subscription is taken for dead, though nobody said so."""

TOKEN_S: Final = 43_200
"""Seconds that a signed token is good for; RFC 8292 allows a day."""

AUDIENCES: Final = 64
"""Push services whose token is kept; there are about five."""
