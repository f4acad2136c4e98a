"""Every bound on input and on the wire, each with its reason; no other module writes such a number.

Must not know who enforces a bound: the codec, the broker's rules and the clients all read it here. Long, since all
bounds stand together.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Rate(NamedTuple):
    """So many a second for ever, and so many at once after a pause."""

    per_s: float
    """0 means without limit."""
    burst: float


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

NOTE_LENGTH: Final = 100
"""Characters of what somebody says of themselves beside their status."""

EMOJI_LENGTH: Final = 16
"""Characters of one emoji: a family of four with skin tones has eleven."""

REACTIONS: Final = 20
"""Different emoji under one message."""

QUERY_LENGTH: Final = 200
"""Characters of a search."""

SEARCH_PAGE: Final = 50
"""Messages in one answer to `search`."""

SEARCHES: Final = Rate(2.0, 20)
"""Searches of one account: so many a second for ever, and so many at once. One may read a good part of the index."""

SEARCH_S: Final = 2.0
"""Seconds that a search may take; one that finds itself taking longer is answered `busy`."""

TALKS: Final = 500
"""Private conversations whose marks a session is told when it begins: those marked last."""

MARK_KEPT_S: Final = 5.0
"""Seconds after which what was marked as read is on disk: one write for all that was marked meanwhile."""

STATUSES: Final = Rate(0.5, 20)
"""Changes of one account's status: each is told in all of its rooms."""

TYPING_S: Final = 6.0
"""Seconds after which somebody who was said to be writing no longer counts as doing so."""

TYPING: Final = Rate(2.0, 10)
"""Notices of one account that it is writing; what is above is dropped, for nobody misses it."""

TYPING_ROOM: Final = 50
"""Members present in a room above which nobody is told who writes: each would hear all the others."""

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

GATEWAY_ADDRESS_LENGTH: Final = 45
"""Characters of the field `from`, by which a gateway tells the address of its person: an IPv6 address in figures."""

HOPS: Final = 8
"""Programs that may answer one another without a person between them: more are a loop."""

SCOPES: Final = 64
"""Scopes of one key."""

SCOPE_LENGTH: Final = 64
"""Characters of a scope as somebody writes it: a verb, a colon and a room's name."""

KEYS_PER_ACCOUNT: Final = 50
"""Keys that log in to one account without a password."""

MODERATORS: Final = 20
"""People who keep order in one room besides whoever made it. Their names stand in each view of the room, and of
`ROOMS_JOINED` rooms those must fit into `REPLY_BYTES`."""

STORE_KEYS: Final = 1_000
"""What one account may keep on the broker, in keys."""

STORE_BYTES: Final = 1_048_576
"""The same in bytes, keys and values: some settings and scores, no files."""

STORE_KEY_LENGTH: Final = 100
"""Characters of a key in the store."""

STORE_VALUE_BYTES: Final = 16_384
"""Bytes under one key."""

BOT_POSTS: Final = Rate(100.0, 1_000)
"""Messages of one bot: it answers many people. `POSTS` is for people."""

BOT_REQUESTS: Final = Rate(300.0, 3_000)
"""Requests of one bot's session: for a message that it answers it also reads, stores and marks."""

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

POSTS: Final = Rate(20.0, 200)
"""Messages of one account, by default: so many a second for ever, and so many at once. A person types one in a
while; a bot that answers a full room needs some."""

POST_CHARACTERS: Final = 500
"""Characters that are erased with an edit or a retraction and count as one message more: to overwrite their words takes
the journal some milliseconds, where a message takes a tenth of one."""

REQUESTS: Final = Rate(50.0, 1_000)
"""Requests of one session, by default: a client that starts asks for a page of each of its rooms."""

STRANGER_REQUESTS: Final = Rate(150.0, 1_000)
"""Requests of all who are not logged in from one address, by default: a whole class behind one router says hello, and
as many as may wait at the login (`STRANGERS_PER_ADDRESS`) send their heartbeats without using up everybody's."""

REGISTRATIONS: Final = Rate(0.2, 100)
"""New accounts from one address, by default: a class may begin at once; who asks for taken names may not go on."""

CONNECTIONS: Final = 10_000
"""Connections to the broker at once, by default; beyond, the newest of those that nobody is logged in on are shut."""

STRANGERS: Final = 2_048
"""Connections at once that nobody is logged in on, by default: 40 KiB of memory each."""

STRANGERS_PER_ADDRESS: Final = 512
"""The same from one address: a class that arrives together has two for each."""

ARRIVING: Final = 5_000
"""Connections at once that are younger than `ARRIVAL_S` and not known yet; beyond, the newest are shut."""

ARRIVAL_S: Final = 20.0
"""Seconds in which a client has finished its handshake, and has asked or subscribed to something."""

MUTE_PER_ADDRESS: Final = 64
"""Connections from one address that may have sent nothing at all for `MUTE_S`; ZeroMQ's clients speak first."""

MUTE_S: Final = 1.0
"""Seconds after which a connection that has sent nothing counts as mute."""

HANDSHAKE_S: Final = 15.0
"""Seconds for a whole handshake; libzmq ends those that take longer (ZMQ_HANDSHAKE_IVL). Less than a storm of
thousands takes on a small machine, and all of them begin anew, for ever."""

STRANGER_S: Final = 900.0
"""Seconds that a connection may stand without a login: somebody fills in a form. Its client connects again."""

GREETING_S: Final = 10.0
"""Seconds that a connection to the greeting socket may stand: it is for one question."""

HANDSHAKES: Final = Rate(50.0, 2_000)
"""Handshakes of keys without a session from one address, by default: so many a second, and so many at once."""

SESSION_HANDSHAKES: Final = Rate(1.0, 30)
"""Handshakes of one key that has a session, by default: two for each time that it connects."""

LISTENER_BYTES: Final = Rate(16_384.0, 262_144)
"""Bytes from one connection to the broadcast socket, by default: subscriptions to all that one account may hear are an
eighth of that. libzmq takes in what came as a whole, and nobody else hears anything meanwhile."""

MEMBER_BYTES: Final = Rate(524_288.0, 4_194_304)
"""Bytes from one connection of somebody logged in, by default: a second, and at once."""

STRANGER_BYTES: Final = Rate(16_384.0, 262_144)
"""The same of a connection that nobody is logged in on: hello, and a login or two."""

ADDRESS_BYTES: Final = Rate(8_388_608.0, 33_554_432)
"""Bytes from all connections of one address, by default; the one that sent most is shut first."""

UNREAD_BYTES: Final = 8_388_608
"""Bytes of replies that one client may leave unread, by default: a dozen of the longest pages of history."""

FLOOD_REQUESTS: Final = 2_000
"""Requests in a second after which a connection is shut, by default: no refusal has made it wait."""

SUBSCRIPTIONS: Final = 1_024
"""Topics that one connection may ask for and not give back, by default; libzmq keeps the denied ones, too."""

STRANGER_SUBSCRIPTIONS: Final = 16
"""The same of a connection that nobody is logged in on: its beacon, and what crosses with a login."""

GATEWAY_SUBSCRIPTIONS: Final = 100_000
"""The same of a gateway's connection: the rooms of all its people."""

OFFENCES: Final = Rate(0.1, 4)
"""Connections of one address that may be shut for what they sent before its strangers are kept out for a while."""

BAN_S: Final = (10.0, 600.0)
"""Seconds that a ban lasts, by default: the first, doubled each time up to the longest. Sessions are not banned with
their address, so that one bad neighbour does not lock out a house; only with their own key."""

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
