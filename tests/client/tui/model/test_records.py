"""Records keep the log's order whatever order they come in, each once, and one's own are joined by nonce."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from client.tui.model.records import Reaction, Record, Scrollback
from common.messages import Edited, Reacted, Retracted


def message(seq: int, nonce: bytes = b"", time: int = 0) -> Record:
    return Record("message", time or seq, f"m{seq}", "ana", seq=seq, nonce=nonce)


def waiting(nonce: bytes) -> Record:
    return Record("message", 0, "mine", "ana", nonce=nonce, fate="pending", mine=True)


def seqs(records: Scrollback) -> list[int]:
    return [records[index].seq for index in range(len(records))]


@given(st.lists(st.integers(1, 50)))
def test_order_and_once(order: list[int]) -> None:
    records = Scrollback()
    for seq in order:
        records.add(message(seq))
    assert seqs(records) == sorted(set(order))


def test_an_own_message_is_one_record_whichever_comes_first() -> None:
    for acknowledged_first in (True, False):
        records = Scrollback()
        own = records.wait(waiting(b"n"))
        assert records.pending == 1
        if acknowledged_first:
            assert records.settle(b"n", 7, 70) is not None
            assert records.add(message(7, b"n")) is None
        else:
            assert records.add(message(7, b"n")) is not None
            assert records.settle(b"n", 7, 70) is None
        assert seqs(records) == [7]
        assert records[0].id == own.id
        assert records[0].fate == "sent"
        assert records[0].revision > own.revision
        assert records.pending == 0


def test_what_waits_comes_last_and_then_stands_by_its_place() -> None:
    records = Scrollback()
    records.wait(waiting(b"n"))
    records.add(message(3))
    assert seqs(records) == [3, 0]
    records.settle(b"n", 2, 0)
    assert seqs(records) == [2, 3]


def test_a_refused_message_stays_with_its_reason() -> None:
    records = Scrollback()
    records.wait(waiting(b"n"))
    failed = records.fail(b"n", "No.")
    assert failed is not None
    assert (failed.fate, failed.reason) == ("failed", "No.")
    assert records.fail(b"n", "No.") is None
    assert len(records) == 1


def test_what_is_read_from_the_history_stands_before_later_notices() -> None:
    records = Scrollback()
    records.add(Record("answer", 100, "welcome"))
    records.add(message(1, time=50))
    records.add(message(2, time=150))
    assert [records[index].text for index in range(3)] == ["m1", "welcome", "m2"]


def test_trimming_lets_go_of_the_oldest_and_remembers_where_to_read_on() -> None:
    records = Scrollback()
    records.oldest = 0
    for seq in range(1, 21):
        records.add(message(seq))
        records.add(Record("notice", seq, "n"))
    records.trim(10)
    assert len(records) == 10
    assert records.oldest == 15
    assert records.add(message(15)) is not None  # it may come back
    assert records.add(message(16)) is None


def test_clearing_keeps_what_is_under_way() -> None:
    records = Scrollback()
    records.add(message(4))
    records.wait(waiting(b"n"))
    records.clear()
    assert seqs(records) == [0]
    assert records.oldest == 4


def test_finding_looks_outwards() -> None:
    records = Scrollback()
    ids = [added.id for seq in range(1, 100) if (added := records.add(message(seq)))]
    for near in (0, 50, 98, 500, -3):
        assert records.find(ids[60], near) == 60
    assert records.find(-1) is None
    assert Scrollback().find(1) is None


def edited(seq: int, target: int, text: str) -> Edited:
    return Edited(seq=seq, prev=seq - 1, time=seq, sender="ana", target=target, text=text, nonce=b"e")


def retracted(seq: int, target: int) -> Retracted:
    return Retracted(seq=seq, prev=seq - 1, time=seq, sender="ana", target=target, nonce=b"r")


def reacted(seq: int, target: int, emoji: str, count: int = 1, on: bool = True) -> Reacted:
    place = {"seq": seq, "prev": seq - 1, "time": seq}
    return Reacted(**place, sender="bob", target=target, emoji=emoji, on=on, count=count, nonce=b"x")


def test_a_change_is_applied_once_and_a_message_taken_back_stays_so() -> None:
    records = Scrollback()
    for seq in range(1, 4):
        records.add(message(seq))
        records.add(Record("notice", seq, "somebody came"))
    before = records.said_at(2)
    assert before is not None
    now = records.change(edited(10, 2, "better"), mine=True, mention=True)
    assert now is not None
    assert now is records.said_at(2)
    assert (now.text, now.edited, now.mention, now.id) == ("better", 10, True, before.id)
    assert now.revision > before.revision
    assert records.change(edited(10, 2, "worse"), mine=True) is None
    assert records.change(edited(11, 7, "nowhere"), mine=True) is None
    records.change(reacted(11, 2, "+"), mine=False)
    gone = records.change(retracted(12, 2), mine=True)
    assert gone is not None
    assert (gone.text, gone.retracted, gone.reactions, gone.mention) == ("", True, (), False)
    assert records.change(edited(13, 2, "back again"), mine=True) is None
    assert [seq for seq in seqs(records) if seq] == [1, 2, 3]


def test_reactions_are_counted_and_ones_own_are_known() -> None:
    records = Scrollback()
    records.add(message(1))
    told = [("+", 1, True, False), ("!", 1, True, True), ("+", 2, True, True), ("+", 2, True, True)]
    for seq, (emoji, count, on, mine) in enumerate([*told, ("?", 0, False, False)], start=2):
        records.change(reacted(seq, 1, emoji, count, on), mine=mine)
    assert records[0].reactions == (Reaction("+", 2, True), Reaction("!", 1, True))
    records.change(reacted(8, 1, "!", 0, False), mine=True)
    records.change(reacted(9, 1, "+", 1, False), mine=False)
    assert records[0].reactions == (Reaction("+", 1, True),)


def test_whoever_puts_an_emoji_twice_is_one() -> None:
    records = Scrollback()
    records.add(message(1))
    for seq in (2, 3):
        records.change(reacted(seq, 1, "+", 1), mine=False)
    assert records[0].reactions == (Reaction("+", 1, False),)


@given(st.lists(st.one_of(st.none(), st.integers(1, 60)), max_size=60))
def test_a_message_is_found_among_notices(order: list[int | None]) -> None:
    records = Scrollback()
    for seq in order:
        records.add(Record("notice", 0, "n") if seq is None else message(seq))
    for seq in range(62):
        found = records.said_at(seq)
        assert (found.seq if found else None) == (seq if seq in order else None)


def test_an_own_message_takes_what_history_knows_of_it() -> None:
    records = Scrollback()
    records.wait(waiting(b"n"))
    shown = records.add(Record("message", 5, "", "ana", 9, b"n", retracted=True, changed_by=12, reply_to=3))
    assert shown is not None
    assert (shown.retracted, shown.changed_by, shown.reply_to, shown.mine, shown.fate) == (True, 12, 3, True, "sent")
