"""Every bound on browsers' sockets, each with its reason. Must not know who enforces it."""

from __future__ import annotations

from typing import Final

from common import limits
from common.limits import Rate

FRAME_BYTES: Final = limits.REQUEST_BYTES * 3 // 2
"""Bytes of a frame from a browser: the longest request, whose binary fields are Base64 and whose texts may be escaped.
A longer one closes the socket (1009)."""

QUEUE_FRAMES: Final = 256
"""Frames that wait for a browser that does not read; one more, and all that comes is dropped until it reads again."""

QUEUE_BYTES: Final = 1_048_576
"""Bytes of the same."""

QUEUES_BYTES: Final = 268_435_456
"""Bytes that wait for all browsers together; beyond it the fullest are cut off, for who reads has little waiting."""

REPLAY_FRAMES: Final = QUEUE_FRAMES // 2
"""Entries that a browser which resumes is given from the rings of all its logs; what is beyond it asks for itself."""

REPLAY_BYTES: Final = QUEUE_BYTES // 2
"""Bytes of the same."""

STALLED_S: Final = 30.0
"""Seconds after which a socket that has overflowed and was not read since is cut off."""

SILENCE_S: Final = 50.0
"""Seconds without a frame of a browser after which its socket is closed: it pings every 20."""

HELLO_S: Final = 15.0
"""Seconds within which the first `hello` must come."""

LINGER_S: Final = 20.0
"""Seconds without a socket after which a person counts as gone: a page is loaded anew, a train leaves its tunnel."""

SOCKETS: Final = 20_000
"""Sockets of one gateway."""

SOCKETS_PER_SESSION: Final = 16
"""Sockets of one session: the tabs of one browser."""

IN_FLIGHT: Final = 64
"""Requests of one socket that wait for their answers; one more is `busy`."""

EARLY: Final = 8
"""Requests that may come behind the first `hello` before it is answered; one more is `busy`."""

EARLY_BYTES: Final = 4_096
"""Bytes of all of these: nobody knows yet whose they are."""

ASKED: Final = 8_192
"""The same of all sockets together."""

FRAMES: Final = Rate(50.0, 500)
"""Frames from one socket: as many a second for ever, and as many at once. More is answered `rate-limited`."""

ASKED_BYTES: Final = 33_554_432
"""Bytes of the same: what a broker that does not read makes this process hold."""

ANSWER_S: Final = 10.0
"""Seconds for the broker's answer to a request."""

ENTER_S: Final = 60.0
"""Seconds for a login: passwords are hashed one after the other."""

HELLOS: Final = 32
"""Sessions that ask a broker that has come back for their state at the same time."""

RETRY_S: Final = 2.0
"""Seconds until a session that is in doubt asks again for what it was not told."""

LOSS_S: Final = 10.0
"""Seconds between two rounds in which all sessions ask anew since something was lost on the way from the broker."""

LEAVINGS: Final = 1_000
"""Rooms that a session was heard to leave, and when: of more, those left last."""

CURSORS: Final = 2 * limits.ROOMS_JOINED
"""Logs for which one `hello` may name a cursor."""

RING_ENTRIES: Final = 256
"""Entries of one log that are kept for those who come back."""

RING_BYTES: Final = 262_144
"""Bytes of the same."""

RINGS_BYTES: Final = 33_554_432
"""Bytes of all rings together; the log that was silent for longest is forgotten first."""

TICK_S: Final = 0.25
"""Seconds between two looks at what waits."""

DRAIN_S: Final = 2.0
"""Seconds that browsers have to answer a closing frame."""
