"""The checker finds whatever may go wrong with private messages, and nothing where all of them are as promised."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults import history as h
from tests.faults.checker import judge
from tests.faults.checker_rules import Rule
from tests.faults.checker_scenes import Scene, find, scene

ANA, BOB, EVA = "@ana", "@bob", "@eva"


def rules(made: Scene) -> set[Rule]:
    """What the checker finds."""
    return {violation.rule for violation in judge(iter(made.history), made.logs).violations}


def drop(made: Scene, log: str, row: h.Row) -> None:
    """A row is not there, nor anything that would show that it was."""
    at = made.logs[log].index(row)
    del made.logs[log][at]
    if at < len(made.logs[log]):
        made.logs[log][at] = made.logs[log][at]._replace(prev=row.prev)


def nowhere(made: Scene) -> None:
    own, there = made.deposit(made.send("ana", BOB), "bob")
    made.ack(own, BOB)
    drop(made, ANA, own)
    drop(made, BOB, there)


def in_the_senders_inbox_only(made: Scene) -> None:
    own, there = made.deposit(made.send("ana", BOB), "bob")
    made.ack(own, BOB)
    drop(made, BOB, there)


def in_the_recipients_inbox_only(made: Scene) -> None:
    own, _ = made.deposit(made.send("ana", BOB), "bob")
    made.ack(own, BOB)
    drop(made, ANA, own)


def in_one_of_two_though_nobody_was_told(made: Scene) -> None:
    _, there = made.deposit(made.send("ana", BOB), "bob")
    drop(made, BOB, there)


def at_another_place(made: Scene) -> None:
    own, _ = made.deposit(made.send("ana", BOB), "bob")
    made.ack(own._replace(seq=own.seq + 1), BOB)


def twice_there(made: Scene) -> None:
    text = made.send("ana", BOB)
    made.deposit(text, "bob")
    made.deposit(text, "bob")


def given_twice(made: Scene) -> None:
    made.give("bob", made.write("ana", "bob")[1], BOB)


def given_twice_to_the_sender(made: Scene) -> None:
    made.give("ana", made.write("ana", "bob")[0], ANA)


def never_given(made: Scene) -> None:
    del made.history[find(made, h.Delivered, "bob", 1)]


def never_given_to_the_sender(made: Scene) -> None:
    del made.history[find(made, h.Delivered, "ana", 1)]


def not_given_in_the_end(made: Scene) -> None:
    made.deposit(made.send("ana", BOB), "bob")
    made.tell(h.Settled, "bob", BOB)


def not_given_to_the_sender_in_the_end(made: Scene) -> None:
    made.deposit(made.send("ana", BOB), "bob")
    made.tell(h.Settled, "ana", ANA)


def given_in_another_order(made: Scene) -> None:
    _, first = made.deposit(made.send("ana", BOB), "bob")
    _, second = made.deposit(made.send("ana", BOB), "bob")
    made.give("bob", second, BOB)
    made.give("bob", first, BOB)


def written_in_another_order(made: Scene) -> None:
    first, second = made.send("ana", BOB), made.send("ana", BOB)
    made.deposit(second, "bob")
    made.deposit(first, "bob")


def in_different_orders(made: Scene) -> None:
    made.deposit(made.send("ana", BOB), "bob")
    made.deposit(made.send("ana", BOB), "bob")
    *_, first, second = made.logs[ANA]
    made.logs[ANA][-2:] = [
        second._replace(seq=first.seq, prev=first.prev),
        first._replace(seq=second.seq, prev=first.seq),
    ]


def earlier_than_what_was_known(made: Scene) -> None:
    own, _ = made.deposit("bob 99", "eva")
    made.write("ana", "eva")
    made.tell(h.Sending, "bob", EVA, "bob 99")
    made.ack(own, EVA)


def given_to_a_third(made: Scene) -> None:
    made.give("eva", made.write("ana", "bob")[1], BOB)


def given_from_the_senders_inbox(made: Scene) -> None:
    made.give("bob", made.write("ana", "bob")[0], ANA)


def put_into_a_thirds_inbox(made: Scene) -> None:
    made.write("ana", "bob")
    row = made.commit(made.logs[BOB][-1].text, EVA)
    made.logs[EVA][-1] = row._replace(to="bob")


def read_by_a_third(made: Scene) -> None:
    made.read("eva", BOB)


def read_with_a_hole(made: Scene) -> None:
    row = made.write("ana", "bob")[1]
    made.tell(h.Asking, "bob", BOB)
    made.tell(h.Answered, "bob", BOB, row.prev, [], False)


def never_sent(made: Scene) -> None:
    made.deposit("ana never", "bob")


def refused_and_done(made: Scene) -> None:
    text = made.send("ana", BOB)
    made.deposit(text, "bob")
    made.tell(h.Failed, "ana", BOB, text, "storage-failed", True)


def broken_chain(made: Scene) -> None:
    made.logs[BOB][2] = made.logs[BOB][2]._replace(prev=1)


BROKEN: dict[Callable[[Scene], None], set[Rule]] = {
    nowhere: {Rule.LOST},
    in_the_senders_inbox_only: {Rule.LOST},
    in_the_recipients_inbox_only: {Rule.LOST},
    in_one_of_two_though_nobody_was_told: {Rule.LOST},
    at_another_place: {Rule.LOST},
    twice_there: {Rule.DOUBLED},
    given_twice: {Rule.DOUBLED},
    given_twice_to_the_sender: {Rule.DOUBLED},
    never_given: {Rule.UNDELIVERED},
    never_given_to_the_sender: {Rule.UNDELIVERED},
    not_given_in_the_end: {Rule.TAIL},
    not_given_to_the_sender_in_the_end: {Rule.TAIL},
    given_in_another_order: {Rule.BACKWARDS},
    written_in_another_order: {Rule.FIFO},
    in_different_orders: {Rule.ORDER},
    earlier_than_what_was_known: {Rule.REAL_TIME},
    given_to_a_third: {Rule.LEAK},
    given_from_the_senders_inbox: {Rule.LEAK},
    put_into_a_thirds_inbox: {Rule.LEAK, Rule.PHANTOM},
    read_by_a_third: {Rule.LEAK},
    read_with_a_hole: {Rule.HISTORY},
    never_sent: {Rule.PHANTOM},
    refused_and_done: {Rule.REFUSED},
    broken_chain: {Rule.ORDER},
}


@pytest.mark.parametrize(("break_it", "found"), BROKEN.items(), ids=[fault.__name__ for fault in BROKEN])
def test_each_broken_promise_is_found_and_none_besides(break_it: Callable[[Scene], None], found: set[Rule]) -> None:
    made = scene()
    assert rules(made) == set()
    break_it(made)
    assert rules(made) == found


def test_every_rule_is_tried() -> None:
    assert set().union(*BROKEN.values()) == set(Rule)


def test_what_nobody_can_know_is_held_against_nobody() -> None:
    made = scene()
    made.tell(h.Failed, "ana", BOB, made.send("ana", BOB), "no-answer", False)  # and it is nowhere
    text = made.send("ana", BOB)
    made.tell(h.Failed, "ana", BOB, text, "no-answer", False)
    made.deposit(text, "bob")  # and it came later
    first, second = made.send("ana", BOB), made.send("ana", EVA)
    for late, to in ((second, "eva"), (first, "bob")):  # between different people there is no order
        made.ack(made.deposit(late, to)[0], "@" + to)
    made.logs["@leo"] = []
    made.deposit(made.send("ana", "@leo"), "leo")
    made.attend("leo")  # and finds that
    made.settle()
    assert rules(made) == set()


def test_they_are_counted_apart() -> None:
    verdict = judge(iter(scene().history), scene().logs)
    assert (verdict.private[h.Acknowledged], verdict.private[h.Delivered]) == (5, 10)
    assert verdict.counts[h.Acknowledged] == 10
