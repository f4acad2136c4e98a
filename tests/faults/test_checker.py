"""The checker finds every kind of broken promise, names the right one, and nothing in a history that keeps them all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import history as h
from tests.faults.checker import check
from tests.faults.checker_rules import Rule
from tests.faults.checker_scenes import CAVE, ROOM, Scene, find, replace, scene


def rules(made: Scene) -> list[Rule]:
    """What the checker finds."""
    return [violation.rule for violation in check(iter(made.history), made.logs)]


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
    assert rules(made) == []
    break_it(made)
    assert rules(made) == [rule]


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
    for log in (ROOM, "@bob"):
        made.tell(h.Following, "bob", log, made.following["bob", log], 0, False)
    made.settle()
    assert rules(made) == []


def test_who_is_expelled_while_they_come_back_may_go_by_what_was_answered_before() -> None:
    made = scene()
    made.join("bob", CAVE)
    made.join("ana", CAVE)
    made.tell(h.Started, "bob")
    made.expel("bob", "ana", CAVE)
    made.tell(h.Following, "bob", CAVE, 0, 0, True)
    made.tell(h.Ended, "bob", CAVE, "removed")
    assert rules(made) == []
    made.tell(h.Following, "bob", CAVE, 0, 0, True)
    assert rules(made) == [Rule.LEAK]


def test_a_message_that_nobody_acknowledged_may_have_come_at_any_later_time() -> None:
    made = scene()
    made.join("ana", CAVE)
    made.say("ana", CAVE)
    made.join("eva", CAVE)
    made.leave("eva", CAVE)
    text = made.send("ana", CAVE)
    made.join("eva", CAVE)
    made.commit(text, CAVE)
    made.read("eva", CAVE, after=made.following["eva", CAVE])
    made.settle()
    assert rules(made) == []


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
