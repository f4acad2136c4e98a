"""Every bound on input and on the wire, each with its reason; no other module writes such a number.

Must not know who enforces a bound: the codec, the broker's rules and the clients all read it here.
"""

from __future__ import annotations

from typing import Final

PROTOCOL_VERSION: Final = 1
"""The version of `docs/PROTOCOL.md` that this tree speaks."""

PORT: Final = 5570
"""Default command port; broadcast is one above it, greeting two above."""

NAME_LENGTH: Final = 32
"""Characters in a login or a room's name: fits a side bar, and a topic stays short."""

TEXT_LENGTH: Final = 8_000
"""Characters in one message: four pages; longer matter belongs in a file."""

TEXT_BYTES: Final = 16_384
"""UTF-8 bytes in one message, so that a history page of the longest ones stays bounded."""

SUBJECT_LENGTH: Final = 200
"""Characters in a room's topic line."""

PERSON_NAME_LENGTH: Final = 100
"""Characters in first names, and in surnames."""

AGE_RANGE: Final = (0, 150)
"""Years, inclusive."""

PASSWORD_LENGTH: Final = (8, 256)
"""Characters, inclusive. The upper end only bounds the work: bcrypt's 72 bytes never bite (`broker.wire.passwords`)."""

TOKEN_BYTES: Final = 32
"""Random bytes of a remember-me token: 256 bits."""

NONCE_BYTES: Final = 16
"""Bytes of the nonce that makes a resend harmless: enough that chance never repeats one."""

CLIENT_LENGTH: Final = 64
"""Characters of the client's description of itself, shown in the list of sessions."""

GATEWAY_SESSION_LENGTH: Final = 64
"""Characters of the field `as`, by which a gateway names one of its sessions."""

REQUEST_BYTES: Final = 65_536
"""A request frame; libzmq drops the connection of a peer that sends more (ZMQ_MAXMSGSIZE)."""

SUBSCRIPTION_BYTES: Final = 512
"""A frame on the broadcast socket; below about 300 the CURVE handshake itself no longer fits."""

REPLY_BYTES: Final = 1_048_576
"""A reply or an event, as a client bounds it (ZMQ_MAXMSGSIZE)."""

REQUEST_ELEMENTS: Final = 256
"""Elements of one array in a request: no operation has a tenth as many, and reading them must cost next to nothing."""

NESTING: Final = 8
"""Levels of maps and arrays within a request, unknown fields included."""

HISTORY_PAGE: Final = 200
"""Entries in one answer to `history`."""

HISTORY_BYTES: Final = 524_288
"""UTF-8 bytes of text in one answer to `history`; the page ends early beyond it."""

LIST_PAGE: Final = 500
"""Users, members or rooms in one answer."""

ROOMS_PER_ACCOUNT: Final = 100
"""Rooms that one account may have made and not deleted, so that nobody fills the list alone."""

ROOMS_JOINED: Final = 200
"""Rooms that one account may be in: a heartbeat's reply names them all."""

SESSIONS_PER_ACCOUNT: Final = 100
"""Sessions bound to one account; the one unseen for longest ends when one more logs in."""

HASHES_WAITING: Final = 16
"""Password checks that may wait for a worker; one more is answered `busy`."""

LOGIN_FAILURES: Final = 5
"""Wrong passwords per account before each further try has to wait."""

LOGIN_FAILURES_PER_ADDRESS: Final = 50
"""The same per address: a whole class behind one router may log in at once."""

LOGIN_PAUSE_MAX_S: Final = 60.0
"""Seconds that a further try waits at the most (1, 2, 4 … up to this): a pause, never a lock-out."""

HEARTBEAT_S: Final = 5.0
"""Seconds between a live client's `ping`s: the clock's refresh, and the heads that reveal a lost tail."""

PRESENCE_SETTLE_S: Final = 0.6
"""Seconds from the loss of a connection to its absence from lists: under the promised 1 s, over a reconnect's 0.2 s."""

SILENCE_S: Final = 15.0
"""Seconds without a sign of life after which a peer counts as unreachable (also ZMTP's heartbeat timeout)."""

GRACE_S: Final = 20.0
"""Seconds that rooms and memberships outlive their owner's last connection, by default."""

RETRY_AFTER_MAX_S: Final = 86_400.0
"""Seconds that `retry_after` names at the most; a client takes a longer wait, or none that is a number, for a fault."""

SESSION_DAYS: Final = 30
"""Days after which an unused session, or an unused token, is forgotten."""
