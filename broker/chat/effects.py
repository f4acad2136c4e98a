"""What the rules ask for: effects, which whoever runs the rules carries out in order.

They are structs, which are made in a third of a named tuple's time: several are for every message.
Must not know how: no sockets, threads or clock here. `Connection` is opaque to the rules.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from msgspec import Struct

from broker.chat.ports import NewEntries, Place, Query, Write
from common.errors import ChatError
from common.messages import Event, Reply

Connection = tuple[int, int]
"""A peer's connection to the broadcast socket: descriptor and inode, so that a reused descriptor is told apart."""


class Now(NamedTuple):
    """The moment at which something happens: for people, and for waiting."""

    time: int
    """Milliseconds UTC by the broker's wall clock, which may jump."""
    mono: float
    """Seconds by a clock that never jumps; only differences mean anything."""


class Origin(Struct, frozen=True, gc=False):
    """Where a request came from, and so where its answer goes."""

    route: bytes
    """The routing id: an address, never an identity."""
    key: str
    """The User-Id of the connection: the public key, Z85."""
    session: str
    """The field `as`."""
    id: int
    """The number of the request."""
    address: str
    """The peer's host, normalised; of a gateway's person, who is told of in `from`, theirs."""
    person: str = ""
    """The field `from`, normalised."""


class Answer(Struct, frozen=True, gc=False):
    """Send a reply."""

    origin: Origin
    reply: Reply


class Refuse(Struct, frozen=True):
    """Send an error.

    Unlike the others it is looked at by the garbage collector: an error knows the frames that it went through, and one
    of them may hold this effect.
    """

    origin: Origin
    error: ChatError


class Publish(Struct, frozen=True, gc=False):
    """Broadcast an event on a log's topic."""

    log: str
    event: Event


class Cut(Struct, frozen=True, gc=False):
    """Shut a connection of the broadcast socket at once; its client connects anew by itself."""

    connection: Connection
    gently: bool = False
    """Let what was published before arrive first: this effect, and those after it in the same list, wait a moment."""


class Commit(Struct, frozen=True):
    """Do `writes` in one transaction; then carry out `then`, which the rules make of it when it is done.

    `undo` takes back what the rules changed in memory when they asked for this. If the store fails, every
    commit that is under way fails with it: all are undone, latest first, and each `origin` is refused.
    """

    writes: tuple[Write, ...]
    then: Callable[[list[tuple[Place, ...]], Now], list[Effect]]
    undo: Callable[[], None] | None
    origin: Origin | None


class Append(Struct, frozen=True, gc=False):
    """The hot path's commit: one message; `Chat.appended` says what follows from its places."""

    origin: Origin
    entries: NewEntries


class Ask(Struct, frozen=True):
    """Have a worker answer `query`; then carry out `then(result, now)`.

    If no worker is free `unasked` is called, and the origin refused with `Busy`; if it fails, with `Internal`.
    """

    origin: Origin
    query: Query
    then: Callable[[object, Now], list[Effect]]
    unasked: Callable[[], object] | None = None


class Settle(Struct, frozen=True):
    """Carry out `then(now)` once every commit that is under way is done or taken back; at once if there is none.

    For an answer from memory by which its client goes on: what is not on disk may yet be taken back. If more was
    asked for meanwhile, so that `settled()` is false, the commits that are under way by then are waited for, too.
    """

    origin: Origin
    then: Callable[[Now], list[Effect]]
    settled: Callable[[], bool]


class Stamp(Struct, frozen=True, gc=False):
    """Log one line: an event's name and its fields. Never a text, never a secret."""

    event: str
    fields: dict[str, object]


Effect = Answer | Refuse | Publish | Cut | Commit | Append | Ask | Settle | Stamp
