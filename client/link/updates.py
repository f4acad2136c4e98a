"""What a user interface is told, one small value each; `ChatClient.updates()` yields them in order.

Must not know how they came to be, nor how they are shown.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from common.errors import ChatError
from common.messages import AnyEntry, Notify, RoomView, Roster, Sent, SessionState


class LinkState(enum.Enum):
    """How things stand between this client and the broker."""

    CONNECTING = "connecting"
    """No broker has answered yet."""
    LIVE = "live"
    """The broker answers, and all that was said has arrived."""
    RESUMING = "resuming"
    """The broker answers again; what was missed is being fetched."""
    OFFLINE = "offline"
    """The broker does not answer; the link comes back by itself when it does."""


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The link's state is another one."""

    state: LinkState


@dataclass(frozen=True, slots=True)
class Arrived:
    """The next entry of a log: each once, in order, without gaps from `RoomJoined` (or the login) on."""

    log: str
    """The room's name, or `@login` for the inbox."""
    entry: AnyEntry
    replayed: bool
    """Fetched from the log afterwards (after a cut, say), not heard live."""


@dataclass(frozen=True, slots=True)
class RosterChanged:
    """Members came, went, appeared or vanished."""

    log: str
    roster: Roster


@dataclass(frozen=True, slots=True)
class SubjectChanged:
    """A room has a new topic line."""

    log: str
    subject: str
    by: str
    time: int
    """Milliseconds UTC by the broker's clock."""


@dataclass(frozen=True, slots=True)
class ModeratorsChanged:
    """Others keep order in a room now."""

    log: str
    moderators: tuple[str, ...]
    """All of them, by login; without who made the room."""
    by: str
    time: int
    """Milliseconds UTC by the broker's clock."""


@dataclass(frozen=True, slots=True)
class WritesNow:
    """Somebody writes, or no longer does. Counts for `limits.TYPING_S`; nobody says that it is over."""

    talk: str
    """The room's name, or `@login` for whoever writes to this account."""
    login: str
    on: bool


@dataclass(frozen=True, slots=True)
class TalkMarked:
    """How far a conversation was read, or what of it is to be told, was changed by one of the account's sessions."""

    talk: str
    """The room's name, or `@login` for a private conversation."""
    read: int
    notify: Notify | None


@dataclass(frozen=True, slots=True)
class RoomJoined:
    """The account is in this room now; entries above `view.head` will arrive, older ones are in its history."""

    view: RoomView


@dataclass(frozen=True, slots=True)
class RoomLeft:
    """The account is no longer in this room."""

    name: str
    reason: str
    """`left`, `removed`, `deleted`, `creator-gone`, or `gone`: found to be over, and nobody said why (after
    an absence; or expelled, and the word of it was lost with the connection)."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a post: its place in the log, or why it failed."""

    nonce: bytes
    outcome: Sent | ChatError


@dataclass(frozen=True, slots=True)
class Postponed:
    """The broker wants to be left in peace before it takes this post; it goes out again by itself."""

    nonce: bytes
    wait: float
    """In so many seconds."""


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """This session is no longer bound to its account; its rooms are gone with it, without a `RoomLeft` for each."""

    reason: str
    """`logout`, `revoked`, `password`, `disabled`, or `forgotten`: the broker does not know the session any more."""


@dataclass(frozen=True, slots=True)
class StateChanged:
    """Login, current room, rooms or their figures changed; `None` when logged out."""

    state: SessionState | None


@dataclass(frozen=True, slots=True)
class Overrun:
    """This consumer lagged and entries and rosters were dropped for it alone: read them anew.

    `after` holds for each log the `seq` above which entries are missing here; `Room.history(after=…)` has them.
    """

    after: Mapping[str, int]


Update = (
    LinkChanged
    | Arrived
    | RosterChanged
    | SubjectChanged
    | ModeratorsChanged
    | WritesNow
    | TalkMarked
    | RoomJoined
    | RoomLeft
    | Settled
    | Postponed
    | SessionEnded
    | StateChanged
    | Overrun
)
