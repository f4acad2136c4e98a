"""Decides from a history and the final logs whether every promise was kept.

The broker gives each room one order, and the log is the witness of it: so one pass in the order of time is enough, and
nothing need be searched. What nobody can know, as what became of a request without an answer, is held against nobody.
Longer
than most modules because all the rules share that pass. Must not know how a history came about, nor which faults there
were.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from common import topics
from tests.faults import history as h
from tests.faults.checker_membership import Members
from tests.faults.checker_private import Inboxes, private
from tests.faults.checker_rules import Rule, Verdict, Violation


@dataclass(slots=True)
class _Log:
    """A final log, and what is known of it so far."""

    rows: list[h.Row]
    seqs: list[int]
    index: dict[int, int]
    floor: int = 0
    """The highest `seq` that anybody has heard of."""
    begun: tuple[int, str] = (0, "")
    """The highest `seq` after which anybody began to read, and who."""


@dataclass(slots=True)
class _Stream:
    """How far a member was given a log."""

    since: int
    private: bool
    first: int
    next: int
    holes: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Send:
    who: str
    log: str
    at: int
    known: int | None = None
    """When somebody first heard that it is in the log."""


def check(history: Iterable[h.AnyRecord], logs: h.Logs) -> list[Violation]:
    """All broken promises. `history` is in the order of time; it is read once, and not kept."""
    return judge(history, logs).violations


def judge(history: Iterable[h.AnyRecord], logs: h.Logs) -> Verdict:
    """As `check`, with the number of records of each kind."""
    inboxes = Inboxes(logs)
    court = _Court({**logs, **inboxes.logs})
    counts: Counter[type[h.Record]] = Counter()
    of_inboxes: Counter[type[h.Record]] = Counter()
    for record in history:
        counts[type(record)] += 1
        if private(record):
            of_inboxes[type(record)] += 1
            for each in inboxes.unfold(record):
                court.hear(each)
        else:
            court.hear(record)
    court.close()
    return Verdict(inboxes.violations + court.violations, counts, of_inboxes)


class _Court:
    def __init__(self, logs: h.Logs) -> None:
        self.violations: list[Violation] = []
        self._members = Members()
        self._logs: dict[str, _Log] = {}
        self._places: dict[str, tuple[str, h.Row]] = {}
        self._sends: dict[str, _Send] = {}
        self._streams: dict[tuple[str, str], _Stream] = {}
        self._last_sent: dict[tuple[str, str], int] = {}
        self._asked: dict[tuple[str, str], int] = {}
        self._knew: dict[tuple[str, str], int] = {}
        """Since when at the least somebody's own client has known that they are outside, or nothing at all."""
        for name, rows in logs.items():
            self._read(name, list(rows))

    def _report(self, rule: Rule, who: str, log: str, seqs: Iterable[int], detail: str) -> None:
        self.violations.append(Violation(rule, who, log, tuple(seqs), detail))

    def _read(self, name: str, rows: list[h.Row]) -> None:
        nonces: dict[tuple[str, bytes], int] = {}
        before = 0
        for row in rows:
            twin = nonces.get((row.sender, row.nonce)) or (row.text in self._places and self._places[row.text][1].seq)
            if twin:
                self._report(Rule.DOUBLED, row.sender, name, (twin, row.seq), "twice in the log")
            if row.prev != before or row.seq <= before:
                self._report(Rule.ORDER, "", name, (row.seq,), f"names {row.prev} as the one before it, not {before}")
            nonces[row.sender, row.nonce] = row.seq
            self._places.setdefault(row.text, (name, row))
            before = row.seq
        seqs = [row.seq for row in rows]
        self._logs[name] = _Log(rows, seqs, {seq: number for number, seq in enumerate(seqs)})

    def hear(self, record: h.AnyRecord) -> None:
        """Take the next record."""
        match record:
            case h.Delivered():
                self._delivered(record)
            case h.Sending():
                self._sending(record)
            case h.Acknowledged():
                self._acknowledged(record)
            case h.Failed():
                place = self._places.get(record.text)
                if record.certain and place is not None:
                    self._report(Rule.REFUSED, record.who, record.log, (place[1].seq,), f"refused with {record.error}")
            case h.Following():
                self._following(record)
            case h.Asking():
                self._asked[record.who, record.log] = self._log(record.log).floor
            case h.Answered():
                self._answered(record)
            case h.Settled():
                self._settled(record)
            case h.Started():
                for log in self._logs:
                    self._end(record.who, log)
                    self._last_sent.pop((record.who, log), None)
                    self._asked.pop((record.who, log), None)
                    self._knew[record.who, log] = record.at
            case h.Fault():
                pass
            case _:
                self._members.take(record)
                if isinstance(record, h.Ended | h.Left):
                    self._end(record.who, record.log)
                    self._knew[record.who, record.log] = record.at

    def _log(self, name: str) -> _Log:
        return self._logs.setdefault(name, _Log([], [], {}))

    def _sending(self, record: h.Sending) -> None:
        self._sends[record.text] = _Send(record.who, record.log, record.at)
        place = self._places.get(record.text)
        if place is None or place[0] != record.log:
            return
        seq, log, sender = place[1].seq, self._log(record.log), (record.who, record.log)
        if seq <= log.floor:
            self._report(Rule.REAL_TIME, record.who, record.log, (seq,), f"sent when {log.floor} was known")
        if seq <= log.begun[0]:
            self._report(Rule.UNDELIVERED, log.begun[1], record.log, (seq,), "sent after they had begun to read")
        # What they write to different people has no order in their own inbox, and else that of the recipients'.
        if seq < self._last_sent.get(sender, 0) and record.log != topics.inbox(record.who):
            self._report(Rule.FIFO, record.who, record.log, (self._last_sent[sender], seq), f"{record.text} came late")
        self._last_sent[sender] = max(seq, self._last_sent.get(sender, 0))

    def _acknowledged(self, record: h.Acknowledged) -> None:
        place = self._places.get(record.text)
        if place is None or (place[0], place[1].seq, place[1].nonce) != (record.log, record.seq, record.nonce):
            found = "is nowhere" if place is None else f"is at {place[1].seq} of {place[0]}"
            self._report(Rule.LOST, record.who, record.log, (record.seq,), f"{record.text} {found}")
        else:
            self._witness(record.log, record.seq, record.text, record.at)

    def _witness(self, log: str, seq: int, text: str, at: int) -> None:
        """Somebody has heard that this message is in the log."""
        known = self._log(log)
        known.floor = max(known.floor, seq)
        send = self._sends.get(text)
        if send is not None and send.known is None:
            send.known = at

    def _following(self, record: h.Following) -> None:
        self._end(record.who, record.log)
        log = self._log(record.log)
        first = bisect_right(log.seqs, max(record.after, record.since))
        self._streams[record.who, record.log] = _Stream(record.since, record.private, first, first)
        log.begun = max(log.begun, (record.after, record.who))
        # Whoever was expelled meanwhile may go by what the broker answered before.
        if self._members.outside(record.who, record.log, self._knew.get((record.who, record.log), 0)):
            self._report(Rule.LEAK, record.who, record.log, (), "a member, having left and not come back")

    def _end(self, who: str, log: str) -> None:
        stream = self._streams.pop((who, log), None)
        if stream is not None:
            self._holes(who, log, stream)

    def _holes(self, who: str, log: str, stream: _Stream) -> None:
        if stream.holes:
            seqs = self._log(log).seqs
            self._report(Rule.UNDELIVERED, who, log, (seqs[each] for each in sorted(stream.holes)), "never given")
            stream.holes = set()

    def _settled(self, record: h.Settled) -> None:
        stream = self._streams.get((record.who, record.log))
        seqs = self._log(record.log).seqs
        if stream is None:
            self._report(Rule.TAIL, record.who, record.log, (), "does not follow it at all")
        elif stream.next < len(seqs):
            self._report(Rule.TAIL, record.who, record.log, seqs[stream.next :], "still not given at the end")

    def _delivered(self, record: h.Delivered) -> None:
        log, stream = self._log(record.log), self._streams.get((record.who, record.log))
        place = log.index.get(record.seq)
        row = None if place is None else log.rows[place]
        genuine = row is not None and (row.sender, row.nonce, row.text) == (record.sender, record.nonce, record.text)
        if genuine:
            self._witness(record.log, record.seq, record.text, record.at)
        else:
            rule = Rule.ORDER if record.text in self._sends else Rule.PHANTOM
            found = "nothing" if row is None else f"{row.sender}: {row.text}"
            detail = f"given {record.sender}: {record.text}; the log has {found}"
            self._report(rule, record.who, record.log, (record.seq,), detail)
        private = stream is not None and stream.private
        if self._leaks(record.who, record.log, record.seq, record.text, private, stream.since if stream else 0):
            return
        if stream is None:
            self._report(Rule.LEAK, record.who, record.log, (record.seq,), "given to somebody who reads nothing there")
        elif place is not None:
            self._step(record.who, record.log, record.seq, stream, place)

    def _leaks(self, who: str, log: str, seq: int, text: str, private: bool, since: int) -> bool:
        send = self._sends.get(text)
        early = private and seq <= since
        # One that was never acknowledged may have come into the log at any later time.
        late = send is not None and self._members.forbidden(who, log, send.at, send.known or math.inf, private)
        if early or late:
            why = "from before they came" if early else "sent while they were outside"
            self._report(Rule.LEAK, who, log, (seq,), why)
        return early or late

    def _step(self, who: str, log: str, seq: int, stream: _Stream, place: int) -> None:
        if place >= stream.next:
            stream.holes.update(range(stream.next, place))
            stream.next = place + 1
        elif place in stream.holes:
            stream.holes.discard(place)
            self._report(Rule.BACKWARDS, who, log, (seq,), "given after what follows it")
        elif place < stream.first:
            self._report(Rule.BACKWARDS, who, log, (seq,), "from before the place where reading began")
        else:
            self._report(Rule.DOUBLED, who, log, (seq,), "given twice")

    def _answered(self, record: h.Answered) -> None:
        log, stream = self._log(record.log), self._streams.get((record.who, record.log))
        floor = self._asked.pop((record.who, record.log), 0)
        since = stream.since if stream is not None else 0
        private = stream is not None and stream.private
        for seq, text in record.rows:
            if self._leaks(record.who, record.log, seq, text, private, since):
                return
        lowest = bisect_right(log.seqs, max(record.after or 0, since))
        upto = bisect_right(log.seqs, floor)
        if record.rows:
            upto = max(upto, bisect_right(log.seqs, record.rows[-1][0]))
        if record.more and record.rows:
            # The rest of the range is on another page: of what follows, or of what is older.
            if record.after is not None:
                upto = bisect_right(log.seqs, record.rows[-1][0])
            else:
                lowest = bisect_right(log.seqs, record.rows[0][0] - 1)
        held = [(row.seq, row.text) for row in log.rows[lowest:upto]]
        if held != record.rows:
            wrong = sorted({seq for seq, _ in set(held) ^ set(record.rows)})
            self._report(Rule.HISTORY, record.who, record.log, wrong, "the page is not what the log has there")

    def close(self) -> None:
        """The history is over: what is still open counts."""
        for (who, log), stream in self._streams.items():
            self._holes(who, log, stream)
        for name, known in self._logs.items():
            for row in known.rows:
                send = self._sends.get(row.text)
                if send is None or (send.who, send.log) != (row.sender, name):
                    self._report(Rule.PHANTOM, row.sender, name, (row.seq,), f"{row.text!r} was not sent there by them")
