"""What the model wants done after an update (something read, a bell rung, an end made), and what it says of ends.

Must not know who does it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from client.language import N_
from client.tui.model.records import Record

FAREWELLS: Final = {
    "left": N_("You left #{room}."),
    "removed": N_("You were removed from #{room}."),
    "deleted": N_("#{room} was deleted."),
    "creator-gone": N_("#{room} is gone, because whoever made it has left."),
    "gone": N_("While you were away, #{room} went or you were taken out of it."),
}
ENDINGS: Final = {
    "logout": N_("You are logged out."),
    "revoked": N_("This session was ended from another one of yours."),
    "password": N_("Your password was changed elsewhere, which ended this session."),
    "disabled": N_("This account was disabled by the operator."),
    "forgotten": N_("The broker no longer knows this session."),
}
OTHER_ENDING: Final = N_("The session has ended ({reason}).")


@dataclass(frozen=True)
class Load:
    """Read the members and the newest messages of a conversation."""

    log: str


@dataclass(frozen=True)
class Missed:
    """Read what a log holds after that `seq`."""

    log: str
    after: int


@dataclass(frozen=True)
class Ring:
    """Somebody means this person; or an invitation has come, which is no record of its own."""

    log: str
    record: Record | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Over:
    """The session has ended; the sentence says why."""

    sentence: str


@dataclass(frozen=True)
class Tell:
    """Something is to be said to the person beside what stands in the conversations: a change was not made."""

    log: str
    sentence: str
    text: str = ""
    """What they had written for it, so that it is not lost."""


Wish = Load | Missed | Ring | Over | Tell
