"""What a person sees: what others say, and what changes. Must not know how it came to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from client.link.updates import Arrived, RosterChanged, SubjectChanged, Update, WritesNow
from common import messages as m

ChangeKind = Literal["edit", "retract", "reaction", "invited", "join", "leave", "online", "offline", "topic", "typing"]
LASTING: Final[tuple[ChangeKind, ...]] = ("edit", "retract", "reaction", "invited")
"""Kinds that stand in a log: whoever is silent brings about none of them."""


@dataclass(frozen=True)
class Post:
    """Something that was said, in a room or privately."""

    text: str
    sender: str
    """Login of whoever said it."""
    log: str
    """The room's name, or `@` and the login of the person who sees it."""
    seq: int
    """Its place there."""
    time: int
    """Milliseconds UTC."""
    to: str = ""
    """The recipient's login, of what is private."""
    reply_to: int = 0
    """The `seq` of the message that this one answers; 0 for none."""
    hops: int = 0
    """0 if a person said it; else how many programs have answered one another up to here."""

    @property
    def direct(self) -> bool:
        """Whether it is private."""
        return self.log.startswith("@")

    @property
    def room(self) -> str:
        """The room's name; empty in private."""
        return "" if self.direct else self.log


@dataclass(frozen=True)
class Change:
    """Something that happened other than a message; `kind` says what, and which of the rest is filled in."""

    kind: ChangeKind
    by: str
    """Login of whoever did it; of whoever came or went."""
    log: str
    target: int = 0
    """`edit`, `retract`, `reaction`: the `seq` of the message."""
    text: str = ""
    """`edit`: the text as it is now; `topic`: the new topic line; `invited`: the room; `leave`: why."""
    emoji: str = ""
    """`reaction`."""
    on: bool = True
    """`reaction`: put there, or taken away; `typing`: begun, or ended."""


def seen(update: Update) -> list[Post | Change]:
    """What an update lets a person see."""
    match update:
        case Arrived(log, entry):
            return [of_entry(log, entry)]
        case RosterChanged(log, roster):
            return [change for each in roster.changes for change in _of_member(log, each)]
        case SubjectChanged(log, subject, by):
            return [Change("topic", by, log, text=subject)]
        case WritesNow(talk, login, on):
            return [Change("typing", login, talk, on=on)]
    return []


def of_entry(log: str, entry: m.AnyEntry) -> Post | Change:
    """An entry of a log."""
    match entry:
        case m.Edited():
            return Change("edit", entry.sender, log, entry.target, text=entry.text)
        case m.Retracted():
            return Change("retract", entry.sender, log, entry.target)
        case m.Reacted():
            return Change("reaction", entry.sender, log, entry.target, emoji=entry.emoji, on=entry.on)
        case m.Invited():
            return Change("invited", entry.sender, log, text=entry.room)
    to = entry.to if isinstance(entry, m.DirectMessage) else ""
    return Post(entry.text, entry.sender, log, entry.seq, entry.time, to, entry.reply_to, entry.hops)


def _of_member(log: str, change: m.Change) -> list[Change]:
    kinds: dict[str, ChangeKind] = {"joined": "join", "left": "leave", "online": "online", "offline": "offline"}
    kind = kinds.get(change.change)
    return [Change(kind, change.login, log, text=change.reason)] if kind else []
