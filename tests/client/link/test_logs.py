"""One log: order, holes, pages, rumours."""

from __future__ import annotations

import math
import random

from hypothesis import given
from hypothesis import strategies as st

from client.link.logs import HELD, Hole, Log
from common.messages import Message


def chain(*seqs: int, first_prev: int = 0) -> list[Message]:
    """Entries that follow one another."""
    prevs = [first_prev, *seqs[:-1]]
    return [
        Message(seq=seq, prev=prev, time=seq, sender="ana", text=str(seq), nonce=b"n" * 16)
        for seq, prev in zip(seqs, prevs, strict=True)
    ]


def seqs(entries: list[Message]) -> list[int]:
    return [entry.seq for entry in entries]


def log(start: int = 0) -> Log:
    return Log("dev", 1, start)


def test_in_order_is_delivered_at_once_and_doubles_are_not() -> None:
    one, two, nine = chain(1, 2, 9)
    followed = log()
    assert seqs(followed.heard(one)) == [1]
    assert seqs(followed.heard(one)) == []
    assert seqs(followed.heard(two)) == [2]
    assert seqs(followed.heard(nine)) == [9], "numbers need not be contiguous"
    assert seqs(followed.heard(two)) == []
    assert followed.hole(0.0) is None
    assert followed.settled


def test_a_hole_is_asked_for_and_what_follows_it_held_back() -> None:
    one, two, three, four = chain(1, 2, 3, 4)
    followed = log()
    followed.heard(one)
    assert followed.heard(four) == []
    assert followed.heard(three) == []
    assert followed.behind
    hole = followed.hole(0.0)
    assert hole == Hole(1, 4)
    assert seqs(followed.page(hole, [two, three], False)) == [2, 3, 4]
    assert followed.settled


def test_a_late_entry_closes_the_hole_by_itself() -> None:
    one, two, three = chain(1, 2, 3)
    followed = log()
    followed.heard(one)
    followed.heard(three)
    assert seqs(followed.heard(two)) == [2, 3]
    assert followed.hole(0.0) is None


def test_pages_follow_one_another() -> None:
    entries = chain(*range(1, 11))
    followed = log()
    followed.ends_at(10)
    hole = followed.hole(0.0)
    assert hole == Hole(0, 11)
    assert seqs(followed.page(hole, entries[:4], True)) == [1, 2, 3, 4]
    hole = followed.hole(0.0)
    assert hole == Hole(4, 11)
    assert seqs(followed.page(hole, entries[4:], False)) == [5, 6, 7, 8, 9, 10]
    assert followed.hole(0.0) is None


def test_what_history_does_not_have_is_not_waited_for() -> None:
    followed = log()
    (late,) = chain(9, first_prev=7)
    followed.heard(late)
    hole = followed.hole(0.0)
    assert hole == Hole(0, 8)
    assert seqs(followed.page(hole, [], False)) == [9]
    followed.ends_at(12)
    hole = followed.hole(0.0)
    assert hole is not None
    assert followed.page(hole, [], True) == [], "an empty page that promises more must not be asked for for ever"
    assert followed.hole(0.0) is None


def test_one_page_at_a_time_and_a_refused_one_waits() -> None:
    followed = log()
    followed.ends_at(3)
    followed.fetching = True
    assert followed.hole(0.0) is None
    assert followed.deadline() == math.inf
    followed.fetching = False
    followed.failed(0.0, 2.0)
    assert followed.hole(1.9) is None
    assert followed.deadline() == 2.0
    assert followed.hole(2.0) == Hole(0, 4)


def test_beyond_the_bound_what_is_held_back_is_read_again() -> None:
    entries = chain(*range(1, HELD + 5))
    followed = log()
    for entry in entries[1:]:
        assert followed.heard(entry) == []
    assert len(followed._held) <= HELD
    found: list[int] = []
    while (hole := followed.hole(0.0)) is not None:
        page = [entry for entry in entries if hole.after < entry.seq < hole.before]
        found += seqs(followed.page(hole, page[:200], len(page) > 200))
    assert found == list(range(1, HELD + 5))


def test_a_rumour_counts_when_the_stream_stands_still() -> None:
    one, two, three = chain(1, 2, 3)
    followed = log()
    followed.rumoured(3, 0.0, 1.0)
    assert followed.deadline() == 1.0
    assert not followed.settled
    followed.heard(one)
    assert followed.hole(1.0) is None, "it moved"
    followed.heard(two)
    assert followed.hole(2.0) is None
    assert followed.hole(2.5) is None
    assert followed.hole(3.0) == Hole(2, 4)
    assert followed.silent_losses == 1
    assert seqs(followed.page(Hole(2, 4), [three], False)) == [3]
    assert followed.settled


def test_a_rumour_that_comes_true_is_forgotten() -> None:
    followed = log()
    followed.rumoured(1, 0.0, 1.0)
    followed.heard(chain(1)[0])
    assert followed.hole(5.0) is None
    assert followed.silent_losses == 0
    assert followed.settled
    followed.rumoured(1, 6.0, 1.0)
    assert followed.settled, "nothing new"


def test_hearing_anything_live_shows_that_the_subscription_works() -> None:
    followed = log()
    followed.silent_losses = 1
    followed.heard(chain(1)[0])
    assert followed.silent_losses == 0


@given(st.integers(0, 2**32))
def test_any_order_any_losses_any_doubles(seed: int) -> None:
    chance = random.Random(seed)
    entries = chain(*sorted(chance.sample(range(1, 200), 40)))
    heard = [entry for entry in entries if chance.random() > 0.3]
    heard += chance.sample(heard, len(heard) // 3)
    chance.shuffle(heard)
    followed = log()
    found: list[int] = []
    asked: Hole | None = None
    while heard or asked:
        if asked and chance.random() < 0.3:
            page = [entry for entry in entries if asked.after < entry.seq < asked.before]
            followed.fetching = False
            found += seqs(followed.page(asked, page[:5], len(page) > 5))
            asked = None
        elif heard:
            found += seqs(followed.heard(heard.pop()))
        if not heard:
            followed.ends_at(entries[-1].seq)
        if asked is None and (asked := followed.hole(0.0)):
            followed.fetching = True
    assert found == seqs(entries)
