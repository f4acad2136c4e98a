"""Records keep the log's order whatever order they come in, each once, and one's own are joined by nonce."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from client.tui.records import Record, Scrollback


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
