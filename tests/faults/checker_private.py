"""Private messages, told so that the checker's rules for rooms hold for them.

An inbox is a room of which its owner is the only member, and a private message is one of the sender's inbox and one of
the recipient's: what was sent, acknowledged or refused once is so in both. What only a pair of inboxes can break is
looked for here: a message in one of the two, in another's, or not in the same order. Must not know the rules for rooms.
"""

from __future__ import annotations

from collections.abc import Iterable

from common import topics
from tests.faults import history as h
from tests.faults.checker_rules import Rule, Violation

Pair = tuple[str, str]
"""Sender and recipient."""


def private(record: h.AnyRecord) -> bool:
    """Whether a record is about an inbox."""
    return getattr(record, "log", "").startswith(topics.INBOX)


def _in(log: str, text: str) -> str:
    """One message has two places: they get texts of their own."""
    return f"{text}\n{log}"


class Inboxes:
    """The final inboxes. `logs` is what they are as rooms, `violations` what is wrong with them as they stand."""

    def __init__(self, logs: h.Logs) -> None:
        self.violations: list[Violation] = []
        self.logs: dict[str, list[h.Row]] = {}
        self._seqs: dict[tuple[str, str], int] = {}
        written: dict[Pair, dict[str, list[tuple[str, bytes]]]] = {}
        for name, rows in logs.items():
            if name.startswith(topics.INBOX):
                self.logs[name] = self._read(name, rows)
                for row in rows:
                    if row.text:
                        pair = written.setdefault((row.sender, row.to), {})
                        pair.setdefault(name, []).append((row.text, row.nonce))
        for between, found in written.items():
            self._compare(between, found)

    def _report(self, rule: Rule, who: str, log: str, seq: int, detail: str) -> None:
        self.violations.append(Violation(rule, who, log, (seq,), detail))

    def _read(self, name: str, rows: Iterable[h.Row]) -> list[h.Row]:
        """Without what else is in an inbox, which has no text here."""
        read: list[h.Row] = []
        before = 0
        for row in rows:
            if row.prev != before:
                self._report(Rule.ORDER, "", name, row.seq, f"names {row.prev} as the one before it, not {before}")
            before = row.seq
            if not row.text:
                continue
            if name not in (topics.inbox(row.sender), topics.inbox(row.to)):
                self._report(Rule.LEAK, row.to, name, row.seq, f"{row.sender} wrote that to {row.to}")
            text = _in(name, row.text)
            self._seqs.setdefault((name, text), row.seq)
            read.append(row._replace(text=text, prev=read[-1].seq if read else 0))
        return read

    def _compare(self, pair: Pair, found: dict[str, list[tuple[str, bytes]]]) -> None:
        """Both inboxes have the same messages of a pair, in the same order."""
        sender, to = pair
        mine, theirs = (found.get(topics.inbox(who), []) for who in pair)
        for text, _ in sorted({*mine} ^ {*theirs}):
            self._report(Rule.LOST, sender, topics.inbox(to), 0, f"{text} is in one of two inboxes")
        both = {*mine} & {*theirs}
        if [each for each in mine if each in both] != [each for each in theirs if each in both]:
            self._report(Rule.ORDER, sender, topics.inbox(to), 0, "another order than in the sender's inbox")

    def unfold(self, record: h.AnyRecord) -> Iterable[h.AnyRecord]:
        """A record about an inbox as records about rooms."""
        match record:
            case h.Sending(at, who, to, text):
                return (h.Sending(at, who, log, _in(log, text)) for log in (topics.inbox(who), to))
            case h.Failed(at, who, to, text, error, certain):
                return (h.Failed(at, who, log, _in(log, text), error, certain) for log in (topics.inbox(who), to))
            case h.Acknowledged(at, who, to, text, nonce, seq):
                # The answer tells the place in the sender's inbox only: the other must have one.
                places = ((topics.inbox(who), seq), (to, self._seqs.get((to, _in(to, text)), 0)))
                return (h.Acknowledged(at, who, log, _in(log, text), nonce, place) for log, place in places)
            case h.Delivered(at, who, log, seq, sender, nonce, text):
                return (h.Delivered(at, who, log, seq, sender, nonce, _in(log, text)),)
            case h.Answered(at, who, log, after, rows, more):
                return (h.Answered(at, who, log, after, [(seq, _in(log, text)) for seq, text in rows], more),)
            case h.Following(at, who, log, after, since) if log == topics.inbox(who):
                # Theirs from the beginning: nothing in it was said before they came, as it may be in a private room.
                following = h.Following(at, who, log, after, since, False)
                return (h.Joining(at, who, log), h.Joined(at, who, log), following)
        return (record,)
