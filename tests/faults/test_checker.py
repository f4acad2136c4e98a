"""The checker finds every kind of broken promise, names the right one, and nothing in a history that keeps them all."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults import history as h
from tests.faults.checker import check
from tests.faults.checker_rules import Rule

ROOM, CAVE = "plaza", "cave"
"""A public room and a private one."""


@dataclass
class Scene:
    """A small world that keeps every promise, and writes down what happens in it."""

    history: list[h.AnyRecord] = field(default_factory=list)
    logs: dict[str, list[h.Row]] = field(default_factory=lambda: {ROOM: [], CAVE: []})
    seq: int = 0
    at: int = 0
    texts: int = 0
    following: dict[tuple[str, str], int] = field(default_factory=dict)

    def tell(self, kind: Callable[..., h.AnyRecord], who: str, *fields: object) -> int:
        self.at += 10
        self.history.append(kind(self.at, who, *fields))
        return self.at

    def join(self, who: str, log: str = ROOM) -> None:
        self.tell(h.Joining, who, log)
        self.tell(h.Joined, who, log)
        head = self.logs[log][-1].seq if self.logs[log] else 0
        self.tell(h.Following, who, log, head, head if log == CAVE else 0, log == CAVE)
        self.following[who, log] = head

    def send(self, who: str, log: str = ROOM) -> str:
        self.texts += 1
        text = f"{who} {self.texts}"
        self.tell(h.Sending, who, log, text)
        return text

    def commit(self, text: str, log: str = ROOM) -> h.Row:
        self.seq += 1
        prev = self.logs[log][-1].seq if self.logs[log] else 0
        row = h.Row(self.seq, prev, text.split()[0], self.seq.to_bytes(16, "big"), text)
        self.logs[log].append(row)
        return row

    def ack(self, row: h.Row, log: str = ROOM) -> None:
        self.tell(h.Acknowledged, row.sender, log, row.text, row.nonce, row.seq)

    def deliver(self, who: str, log: str = ROOM) -> None:
        """All that there is by now."""
        for row in self.logs[log]:
            if row.seq > self.following[who, log]:
                self.following[who, log] = row.seq
                self.give(who, row, log)

    def give(self, who: str, row: h.Row, log: str = ROOM) -> None:
        self.tell(h.Delivered, who, log, row.seq, row.sender, row.nonce, row.text)

    def say(self, who: str, log: str = ROOM) -> h.Row:
        row = self.commit(self.send(who, log), log)
        self.ack(row, log)
        for reader, followed in self.following:
            if followed == log:
                self.deliver(reader, log)
        return row

    def leave(self, who: str, log: str) -> None:
        asked = self.at
        self.tell(h.Left, who, log, asked)
        del self.following[who, log]

    def expel(self, who: str, by: str, log: str) -> None:
        self.tell(h.Removed, by, log, who, self.at)
        del self.following[who, log]

    def read(self, who: str, log: str = ROOM, after: int | None = None) -> None:
        self.tell(h.Asking, who, log)
        rows = [(row.seq, row.text) for row in self.logs[log] if row.seq > (after or 0)]
        self.tell(h.Answered, who, log, after, rows, False)

    def settle(self) -> None:
        for who, log in self.following:
            self.deliver(who, log)
            self.tell(h.Settled, who, log)

    def rules(self) -> list[Rule]:
        return [violation.rule for violation in check(iter(self.history), self.logs)]


def scene() -> Scene:
    """Three people in a room; five messages, all heard."""
    made = Scene()
    for who in ("ana", "bob", "eva"):
        made.join(who)
    for who in ("ana", "bob", "ana", "eva", "ana"):
        made.say(who)
    made.read("bob")
    return made


def replace(made: Scene, index: int, **changes: object) -> None:
    """Change a record's fields."""
    record = made.history[index]
    fields = {name: changes.get(name, getattr(record, name)) for name in record.__struct_fields__}
    made.history[index] = type(record)(**fields)


def find(made: Scene, kind: type[h.Record], who: str, nth: int = 0) -> int:
    """Where somebody's nth record of a kind is."""
    return [n for n, record in enumerate(made.history) if isinstance(record, kind) and record.who == who][nth]


def lost(made: Scene) -> None:
    row = made.commit(made.send("ana"))
    made.ack(row)
    made.logs[ROOM].remove(row)


def misplaced(made: Scene) -> None:
    row = made.commit(made.send("ana"))
    made.ack(row._replace(seq=row.seq + 1))


def withheld(made: Scene) -> None:
    del made.history[find(made, h.Delivered, "bob", 2)]


def skipped_by_beginning_late(made: Scene) -> None:
    made.join("leo")
    replace(made, len(made.history) - 1, after=made.seq + 1)
    row = made.commit(made.send("ana"))
    made.ack(row)


def tail(made: Scene) -> None:
    made.commit(made.send("ana"))
    made.tell(h.Settled, "bob", ROOM)


def never_there(made: Scene) -> None:
    made.tell(h.Settled, "leo", ROOM)


def doubled_in_the_log(made: Scene) -> None:
    made.logs[ROOM].append(made.logs[ROOM][-1]._replace(seq=made.seq + 1, prev=made.seq))


def repeated(made: Scene) -> None:
    made.give("bob", made.logs[ROOM][-1])


def another_in_its_place(made: Scene) -> None:
    row = made.commit(made.send("ana"))
    made.give("bob", row._replace(text=made.send("ana")))


def broken_chain(made: Scene) -> None:
    row = made.logs[ROOM][3]
    made.logs[ROOM][3] = row._replace(prev=row.prev - 1)


def overtaken(made: Scene) -> None:
    early, late = made.send("ana"), ""
    first, second = made.commit("bob 99"), made.commit(early)
    made.ack(second)
    late = "bob 99"
    made.tell(h.Sending, "bob", ROOM, late)
    made.ack(first)


def out_of_turn(made: Scene) -> None:
    first, second = made.send("ana"), made.send("ana")
    for text in (second, first):
        made.commit(text)


def swapped(made: Scene) -> None:
    first, second = (made.commit(made.send("ana")) for _ in range(2))
    made.give("bob", second)
    made.give("bob", first)


def before_the_beginning(made: Scene) -> None:
    made.join("leo")
    made.give("leo", made.logs[ROOM][-1])


def hole_in_history(made: Scene) -> None:
    made.read("eva")
    record = made.history[-1]
    assert isinstance(record, h.Answered)
    replace(made, len(made.history) - 1, rows=[record.rows[0], *record.rows[2:]])


def stale_history(made: Scene) -> None:
    made.read("eva", after=2)
    record = made.history[-1]
    assert isinstance(record, h.Answered)
    replace(made, len(made.history) - 1, rows=record.rows[:-1])


def heard_by_a_stranger(made: Scene) -> None:
    made.give("leo", made.logs[ROOM][-1])


def heard_after_leaving(made: Scene) -> None:
    made.leave("bob", ROOM)
    made.give("bob", made.say("ana"))


def heard_after_expulsion(made: Scene) -> None:
    made.join("ana", CAVE)
    made.join("bob", CAVE)
    made.expel("bob", "ana", CAVE)
    made.give("bob", made.say("ana", CAVE), CAVE)


def said_in_private_before(made: Scene) -> None:
    made.join("ana", CAVE)
    row = made.say("ana", CAVE)
    made.join("bob", CAVE)
    made.give("bob", row, CAVE)


def said_in_private_meanwhile(made: Scene) -> None:
    made.join("ana", CAVE)
    made.join("bob", CAVE)
    made.leave("bob", CAVE)
    row = made.say("ana", CAVE)
    made.join("bob", CAVE)
    replace(made, len(made.history) - 1, since=0, after=0)
    made.give("bob", row, CAVE)


def member_against_their_will(made: Scene) -> None:
    made.leave("bob", ROOM)
    made.tell(h.Following, "bob", ROOM, made.seq, 0, False)


def history_of_others(made: Scene) -> None:
    made.join("ana", CAVE)
    made.say("ana", CAVE)
    made.tell(h.Asking, "leo", CAVE)
    made.tell(h.Answered, "leo", CAVE, None, [(row.seq, row.text) for row in made.logs[CAVE]], False)


def never_sent(made: Scene) -> None:
    made.commit("ana never")


def altered(made: Scene) -> None:
    row = made.commit(made.send("ana"))
    made.give("bob", row._replace(text=row.text + "!"))


def under_another_name(made: Scene) -> None:
    made.logs[ROOM].append(made.commit(made.send("ana"))._replace(sender="bob"))
    del made.logs[ROOM][-2]


def refused_and_done(made: Scene) -> None:
    row = made.commit(made.send("ana"))
    made.tell(h.Failed, "ana", ROOM, row.text, "not-member", True)


BROKEN: dict[Callable[[Scene], None], Rule] = {
    lost: Rule.LOST,
    misplaced: Rule.LOST,
    withheld: Rule.UNDELIVERED,
    skipped_by_beginning_late: Rule.UNDELIVERED,
    tail: Rule.TAIL,
    never_there: Rule.TAIL,
    doubled_in_the_log: Rule.DOUBLED,
    repeated: Rule.DOUBLED,
    another_in_its_place: Rule.ORDER,
    broken_chain: Rule.ORDER,
    overtaken: Rule.REAL_TIME,
    out_of_turn: Rule.FIFO,
    swapped: Rule.BACKWARDS,
    before_the_beginning: Rule.BACKWARDS,
    hole_in_history: Rule.HISTORY,
    stale_history: Rule.HISTORY,
    heard_by_a_stranger: Rule.LEAK,
    heard_after_leaving: Rule.LEAK,
    heard_after_expulsion: Rule.LEAK,
    said_in_private_before: Rule.LEAK,
    said_in_private_meanwhile: Rule.LEAK,
    member_against_their_will: Rule.LEAK,
    history_of_others: Rule.LEAK,
    never_sent: Rule.PHANTOM,
    altered: Rule.PHANTOM,
    under_another_name: Rule.PHANTOM,
    refused_and_done: Rule.REFUSED,
}


@pytest.mark.parametrize(("break_it", "rule"), BROKEN.items(), ids=[fault.__name__ for fault in BROKEN])
def test_each_broken_promise_is_found_and_none_besides(break_it: Callable[[Scene], None], rule: Rule) -> None:
    made = scene()
    assert made.rules() == []
    break_it(made)
    assert made.rules() == [rule]


def test_every_rule_is_tried() -> None:
    assert set(BROKEN.values()) == set(Rule)


def test_what_nobody_can_know_is_held_against_nobody() -> None:
    made = scene()
    made.tell(h.Failed, "ana", ROOM, made.send("ana"), "no-answer", False)  # and it is nowhere
    text = made.send("ana")
    made.tell(h.Failed, "ana", ROOM, text, "no-answer", False)
    made.commit(text)  # and it came later
    made.tell(h.Joining, "leo", CAVE)
    made.tell(h.NotJoined, "leo", CAVE, "no-answer", False)
    made.tell(h.Following, "leo", CAVE, 0, 0, True)  # so that was carried out
    made.tell(h.Started, "bob")  # killed in the midst of it, and back at its place
    made.tell(h.Following, "bob", ROOM, made.following["bob", ROOM], 0, False)
    made.settle()
    assert made.rules() == []


@st.composite
def worlds(draw: st.DrawFn) -> Scene:
    """A history that keeps every promise: two rooms, people who come and go, posts in parallel, some never answered."""
    made = Scene()
    people = ["ana", "bob", "eva", "leo"]
    for who in people[:3]:
        made.join(who)
    made.join("ana", CAVE)
    chance = random.Random(draw(st.integers(0, 2**32)))
    for _ in range(draw(st.integers(8, 40))):
        _happen(made, people, chance)
    made.say("ana")
    made.say("ana", CAVE)
    made.settle()
    return made


def _happen(made: Scene, people: list[str], chance: random.Random) -> None:
    log, who = chance.choice((ROOM, CAVE)), chance.choice(people)
    if (who, log) not in made.following:
        made.join(who, log)
        return
    what = chance.randrange(6)
    if what == 0 and who != "ana":
        made.leave(who, log) if chance.random() < 0.5 else made.expel(who, "ana", log)
    elif what == 1:
        made.tell(h.Asking, who, log)
        since = next(
            r.since for r in reversed(made.history) if isinstance(r, h.Following) and (r.who, r.log) == (who, log)
        )
        rows = [(row.seq, row.text) for row in made.logs[log] if row.seq > since]
        made.tell(h.Answered, who, log, None, rows[-3:], len(rows) > 3)
    elif what == 2:
        made.deliver(who, log)
    else:
        _talk(made, [person for person, room in made.following if room == log], log, chance)


def _talk(made: Scene, members: list[str], log: str, chance: random.Random) -> None:
    """Several at once, committed in any order, and answered or not."""
    texts = [made.send(who, log) for who in chance.sample(members, chance.randint(1, len(members)))]
    chance.shuffle(texts)
    for text in texts:
        if chance.random() < 0.1:
            made.tell(h.Failed, text.split()[0], log, text, "no-answer", False)
            continue
        row = made.commit(text, log)
        if chance.random() < 0.8:
            made.ack(row, log)


def _candidates(made: Scene, kind: type[h.Record]) -> Iterator[int]:
    return (n for n, record in enumerate(made.history) if isinstance(record, kind))


def _plant_lost(made: Scene, chance: random.Random) -> set[Rule]:
    record = made.history[chance.choice(list(_candidates(made, h.Acknowledged)))]
    made.logs[record.log] = [row for row in made.logs[record.log] if row.text != record.text]
    return {Rule.LOST}


def _plant_doubled(made: Scene, chance: random.Random) -> set[Rule]:
    log = made.logs[ROOM]
    log.append(chance.choice(log)._replace(seq=made.seq + 1, prev=log[-1].seq))
    return {Rule.DOUBLED}


def _plant_repeat(made: Scene, chance: random.Random) -> set[Rule]:
    at = chance.choice(list(_candidates(made, h.Delivered)))
    made.history.insert(at, made.history[at])
    return {Rule.DOUBLED}


def _plant_swap(made: Scene, chance: random.Random) -> set[Rule]:
    """Two neighbours change places in one client's view only."""
    mine = [n for n in _candidates(made, h.Delivered) if (made.history[n].who, made.history[n].log) == ("ana", CAVE)]
    rows = made.logs[CAVE]
    if len(mine) < 2:
        return _plant_repeat(made, chance)
    at = chance.randrange(len(mine) - 1)
    for number, row in ((mine[at], rows[at + 1]), (mine[at + 1], rows[at])):
        replace(made, number, seq=row.seq, sender=row.sender, nonce=row.nonce, text=row.text)
    return {Rule.BACKWARDS}


def _plant_stranger(made: Scene, chance: random.Random) -> set[Rule]:
    at = chance.choice(list(_candidates(made, h.Delivered)))
    record = made.history[at]
    fields = {name: getattr(record, name) for name in record.__struct_fields__} | {"who": "zoe"}
    made.history.insert(at + 1, h.Delivered(**fields))
    return {Rule.LEAK}


def _plant_hole(made: Scene, chance: random.Random) -> set[Rule]:
    made.tell(h.Asking, "ana", CAVE)
    rows = [(row.seq, row.text) for row in made.logs[CAVE]]
    del rows[chance.randrange(len(rows))]
    made.tell(h.Answered, "ana", CAVE, None, rows, False)
    return {Rule.HISTORY}


def _plant_phantom(made: Scene, chance: random.Random) -> set[Rule]:
    row = chance.choice(made.logs[ROOM])
    made.logs[ROOM][made.logs[ROOM].index(row)] = row._replace(text="what nobody said")
    return {Rule.PHANTOM}


def _plant_untold(made: Scene, chance: random.Random) -> set[Rule]:
    """One delivery to somebody who stays is missing: a hole, or the tail."""
    mine = [n for n in _candidates(made, h.Delivered) if (made.history[n].who, made.history[n].log) == ("ana", CAVE)]
    at = chance.choice(mine)
    del made.history[at]
    return {Rule.TAIL if at == mine[-1] else Rule.UNDELIVERED}


def _plant_refused(made: Scene, chance: random.Random) -> set[Rule]:
    row = chance.choice(made.logs[ROOM])
    made.tell(h.Failed, row.sender, ROOM, row.text, "not-member", True)
    return {Rule.REFUSED}


PLANTS = (
    _plant_lost,
    _plant_doubled,
    _plant_repeat,
    _plant_swap,
    _plant_stranger,
    _plant_hole,
    _plant_phantom,
    _plant_untold,
    _plant_refused,
)


@given(made=worlds(), plant=st.sampled_from(PLANTS), seed=st.integers(0, 2**32))
def test_one_planted_fault_in_any_good_history_is_found(
    made: Scene, plant: Callable[[Scene, random.Random], set[Rule]], seed: int
) -> None:
    found = [str(violation) for violation in check(iter(made.history), made.logs)]
    assert found == []
    spoilt = copy.deepcopy(made)
    expected = plant(spoilt, random.Random(seed))
    assert expected <= set(spoilt.rules())


def test_a_torn_last_line_is_not_read(tmp_path: Path) -> None:
    recorder = h.Recorder(tmp_path / "people.jsonl")
    recorder.add(h.Sending(1, "ana", ROOM, "whole"))
    recorder.add(h.Delivered(3, "ana", ROOM, 7, "bob", b"\0\xff", "hola"))
    recorder.close()
    other = h.Recorder(tmp_path / "others.jsonl")
    other.add(h.Started(2, "bob"))
    other.close()
    with (tmp_path / "people.jsonl").open("ab") as file:
        file.write(b'["send",4,"ana"')
    assert list(h.merged(tmp_path)) == [
        h.Sending(1, "ana", ROOM, "whole"),
        h.Started(2, "bob"),
        h.Delivered(3, "ana", ROOM, 7, "bob", b"\0\xff", "hola"),
    ]
    found = {("ana", ROOM): 5, ("bob", ROOM): 6}
    h.positions(tmp_path / "people.jsonl", found)
    assert found == {("ana", ROOM): 7, ("bob", ROOM): 6}
