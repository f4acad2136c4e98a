"""Who is certainly not a member, and since when: what a client may not be given follows from it.

Only what was acknowledged counts. Between asking to become a member, or to make an end of it, and the answer nobody can
say which it is, and nothing is held against anybody. Must not know what is in a log.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from tests.faults import history as h

Membership = h.Joining | h.Joined | h.NotJoined | h.Ended | h.Left | h.Removed


@dataclass(slots=True)
class _Standing:
    """One account in one room. Nobody is a member of anything at first."""

    out_since: int | None = 0
    """Certainly outside since then; None if a member, or if that is not certain."""
    joined_at: int = 0
    pending: bool = False
    """Asked to join, and there is no answer that would say what became of it."""
    began: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    """Earlier times outside."""

    def out(self, at: int) -> None:
        if not self.pending and self.out_since is None:
            self.out_since = at


class Members:
    """The standing of every account in every room, at the point of the history that was reached."""

    def __init__(self) -> None:
        self._standings: dict[tuple[str, str], _Standing] = {}

    def take(self, record: Membership) -> None:
        """Take the next record into account."""
        who = record.guest if isinstance(record, h.Removed) else record.who
        standing = self._standings.setdefault((who, record.log), _Standing())
        if isinstance(record, h.Joining):
            if standing.out_since is not None:
                standing.began.append(standing.out_since)
                standing.ended.append(record.at)
            standing.out_since, standing.pending = None, True
        elif isinstance(record, h.Joined):
            standing.pending, standing.joined_at = False, record.at
        elif isinstance(record, h.NotJoined):
            standing.pending = standing.pending and not record.certain
            standing.out(record.at)
        elif isinstance(record, h.Removed):
            # Whoever came in while that was under way may have done so after it.
            if standing.joined_at < record.asked:
                standing.out(record.at)
        else:
            standing.out(record.at)

    def outside(self, who: str, log: str, at: int) -> bool:
        """Whether somebody is certainly not a member now, and was not at that moment, nor in between."""
        standing = self._standings.get((who, log))
        return standing is None or (standing.out_since is not None and standing.out_since <= at)

    def forbidden(self, who: str, log: str, sent: int, known: int, private: bool) -> bool:
        """Whether what was sent at `sent`, and was in the log at `known`, must not reach them now.

        Outside, that is all that was sent since; in a private room also what came and went while they were outside.
        """
        standing = self._standings.get((who, log))
        if standing is None:
            return True
        if standing.out_since is not None and sent > standing.out_since:
            return True
        index = bisect_left(standing.began, sent) - 1
        return private and index >= 0 and known < standing.ended[index]
