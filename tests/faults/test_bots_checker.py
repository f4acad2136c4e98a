"""Every way in which a bot could fail people is found, and nothing is found where it did not."""

from __future__ import annotations

import pytest

from tests.faults.bots_checker import Rule, Violation, judge
from tests.faults.history import Row


def rows(*said: str) -> list[Row]:
    """A log of `who: text`, or `who>whom: text` in an inbox."""
    found = []
    for seq, line in enumerate(said, 1):
        who, text = line.split(": ", 1)
        sender, _, to = who.partition(">")
        found.append(Row(seq, seq - 1, sender, b"%016d" % seq, text, to))
    return found


GOOD = ("ana: ask 1", "bob: hello", "dice: first 1", "bob: ask 2", "dice: last 1", "dice: first 2", "dice: last 2")


def test_what_was_answered_once_and_in_order_is_well() -> None:
    verdict = judge({"den": rows(*GOOD), "lobby": rows("ana: nothing was asked here")}, "dice")
    assert (verdict.violations, verdict.asked, verdict.in_private) == ([], 2, 0)


@pytest.mark.parametrize(
    ("said", "rule", "text"),
    [
        (GOOD[:-1], Rule.MISSED, "last 2"),
        ((*GOOD, "ana: ask 3"), Rule.MISSED, "first 3"),
        ((*GOOD, "dice: first 1"), Rule.DOUBLED, "first 1"),
        (("dice: first 1", *GOOD[:2], *GOOD[3:]), Rule.PHANTOM, "first 1"),
        ((*GOOD, "dice: first 9"), Rule.PHANTOM, "first 9"),
        ((*GOOD[:2], GOOD[3], *GOOD[5:], GOOD[2], GOOD[4]), Rule.ORDER, "first 1"),
        ((*GOOD[:2], GOOD[4], GOOD[2], GOOD[3], *GOOD[5:]), Rule.ORDER, "first 1"),
    ],
)
def test_what_is_planted_is_found(said: tuple[str, ...], rule: Rule, text: str) -> None:
    assert Violation(rule, "den", text) in judge({"den": rows(*said)}, "dice").violations


def test_an_answer_in_another_room_is_none() -> None:
    found = judge({"den": rows("ana: ask 1"), "lobby": rows("dice: first 1", "dice: last 1")}, "dice").violations
    assert {(each.rule, each.talk) for each in found} == {(Rule.MISSED, "den"), (Rule.PHANTOM, "lobby")}


def test_in_private_each_person_has_an_order_of_their_own() -> None:
    inbox = ("ana>dice: ask 1", "bob>dice: ask 2", "dice>bob: first 2", "dice>bob: last 2", "dice>ana: first 1")
    logs = {"@dice": rows(*inbox), "@ana": rows(inbox[0], inbox[4])}
    verdict = judge(logs, "dice")
    assert verdict.violations == [Violation(Rule.MISSED, "@ana", "last 1")]
    assert (verdict.asked, verdict.in_private) == (2, 2)
    astray = {"@dice": rows(*inbox, "dice>bob: last 1")}
    assert Violation(Rule.PHANTOM, "@bob", "last 1") in judge(astray, "dice").violations
