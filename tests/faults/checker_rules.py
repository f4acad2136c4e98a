"""The promises, by how each is broken, and what a broken one looks like. Must not know how it is found out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from tests.faults import history as h


class Rule(StrEnum):
    """A promise, by how it is broken."""

    LOST = "lost"
    """Acknowledged, and not in the final log where the broker said."""
    UNDELIVERED = "undelivered"
    """A member was given what came later, and never this."""
    TAIL = "tail"
    """When all was at peace, a member still lacked the end of the log."""
    DOUBLED = "doubled"
    """One message has two places, or was given to somebody twice."""
    ORDER = "order"
    """Somebody was given something else than the log has in that place."""
    REAL_TIME = "real-time"
    """Sent when another was known to be in the log, and stands before it."""
    FIFO = "fifo"
    """A sender's messages stand in another order than they were sent in."""
    BACKWARDS = "backwards"
    """Given to somebody after what follows it."""
    HISTORY = "history"
    """A page of history lacks what was known to be in the log, or has what is not."""
    LEAK = "leak"
    """Reached somebody who was certainly not a member, or was not when it was said in private."""
    PHANTOM = "phantom"
    """In the log, or given to somebody, and nobody sent it so."""
    REFUSED = "refused"
    """The sender was told that it was not carried out, and it was."""


@dataclass(frozen=True)
class Violation:
    """A broken promise."""

    rule: Rule
    who: str
    log: str
    seqs: tuple[int, ...]
    detail: str = ""

    def __str__(self) -> str:
        seqs = ", ".join(map(str, self.seqs[:10])) + (", …" if len(self.seqs) > 10 else "")
        return f"{self.rule}: {self.who or 'nobody'} in {self.log}, seq {seqs or 'none'}: {self.detail}"


@dataclass(frozen=True)
class Verdict:
    """What was found, and how many records there were of each kind."""

    violations: list[Violation]
    counts: Counter[type[h.Record]]
    private: Counter[type[h.Record]]
    """Those of them that are about inboxes."""
