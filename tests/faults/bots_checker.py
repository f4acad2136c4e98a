"""Whether a bot answered everything once and in order, by what is in the logs: a pure function.

Must not know when the bot was killed: what is promised does not depend on it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.faults.bot_answering import PARTS, QUESTION
from tests.faults.history import Logs, Row


class Rule(StrEnum):
    """A promise, by how it is broken."""

    MISSED = "missed"
    """A question that lacks a part of its answer."""
    DOUBLED = "doubled"
    """A part of an answer that was given more than once."""
    ORDER = "order"
    """An answer that stands before one to an earlier question, or its parts the wrong way round."""
    PHANTOM = "phantom"
    """Said by the bot, and no answer to a question that stands before it in that conversation."""


@dataclass(frozen=True)
class Violation:
    """A broken promise."""

    rule: Rule
    talk: str
    text: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.text!r} in {self.talk}"


@dataclass(frozen=True)
class Verdict:
    """What was found, and how much was asked in rooms and in private."""

    violations: list[Violation]
    asked: int
    in_private: int


def judge(logs: Logs, bot: str) -> Verdict:
    """Look through the rooms and the bot's inbox; each person's private questions are a conversation of their own."""
    private: dict[str, list[Row]] = {}
    for row in logs.get(f"@{bot}", ()):
        private.setdefault(f"@{row.to if row.sender == bot else row.sender}", []).append(row)
    rooms = {name: rows for name, rows in logs.items() if not name.startswith("@")}
    violations: list[Violation] = []
    counts = Counter[bool]()
    for talk, rows in [*rooms.items(), *private.items()]:
        counts[talk.startswith("@")] += _conversation(talk, rows, bot, violations)
    return Verdict(violations, counts[False] + counts[True], counts[True])


def _conversation(talk: str, rows: Sequence[Row], bot: str, violations: list[Violation]) -> int:
    """How many questions there were in a conversation."""
    due: dict[str, int] = {}
    """What is to be said, and in which place."""
    said: list[str] = []
    for row in rows:
        word = row.text.removeprefix(f"{QUESTION} ")
        if row.sender == bot:
            said.append(row.text)
            if row.text not in due:
                violations.append(Violation(Rule.PHANTOM, talk, row.text))
        elif word != row.text:
            due |= {f"{part} {word}": len(due) + number for number, part in enumerate(PARTS)}
    times = Counter(said)
    violations += [Violation(Rule.MISSED, talk, text) for text in due if not times[text]]
    violations += [Violation(Rule.DOUBLED, talk, text) for text, number in times.items() if number > 1]
    given = [text for text in dict.fromkeys(said) if text in due]
    violations += [
        Violation(Rule.ORDER, talk, later) for earlier, later in itertools.pairwise(given) if due[later] < due[earlier]
    ]
    return len(due) // len(PARTS)
