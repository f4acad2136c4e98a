"""A record as rows: aligned, wrapped, and harmless whatever it holds."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.tui.model.records import Reaction, Record
from client.tui.text.wrap import Row, cells, cut, pad, wrap
from client.tui.view import render

MORNING = 1_795_339_386_000


@pytest.fixture(autouse=True)
def zone() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    yield
    os.environ.pop("TZ") if before is None else os.environ.__setitem__("TZ", before)
    time.tzset()


def shown(rows: list[Row]) -> list[str]:
    return ["".join(text for _, text in row) for row in rows]


def message(text: str, sender: str = "ana", **fields: object) -> Record:
    return Record("message", MORNING, text, sender, seq=1, **fields)  # type: ignore[arg-type]


def drawn(record: Record, width: int, before: Record | None = None, answered: Record | None = None) -> list[str]:
    """The rows of a record below `before`; below a message of somebody else, if there is none."""
    before = before or message("x", "somebody else")
    return shown(render.rows(record, width, render.above(record, before, 0, answered)))


def test_a_message_in_rows() -> None:
    assert drawn(message("one two three four\nfive"), 32) == [
        "ana one two three four",
        "  five",
    ]
    assert drawn(message("word " * 12), 50) == [
        "09:23 ana        word word word word word word",
        "                 word word word word word word",
    ]


def test_a_long_nick_pushes_its_first_row_only() -> None:
    record = message("one two three four five six seven eight nine", "maximiliano-alejandro")
    assert drawn(record, 72) == [
        "09:23 maximiliano-alejandro one two three four five six seven eight nine",
    ]
    assert drawn(record, 60) == [
        "09:23 maximiliano-alejand… one two three four five six seven",
        "                 eight nine",
    ]


def test_whoever_goes_on_speaking_is_named_once() -> None:
    before = message("x")
    assert drawn(message("more"), 60, before) == ["                 more"]
    later = Record("message", MORNING + 60_000, "more", "ana", seq=2)
    assert drawn(later, 60, before) == ["09:24            more"]
    assert drawn(later, 40, before) == ["  more"]
    much_later = Record("message", MORNING + render.GROUP_MS, "more", "ana", seq=2)
    assert drawn(much_later, 60, before) == ["09:28 ana        more"]
    assert drawn(message("more"), 60, Record("notice", MORNING, "bob came in")) == ["09:23 ana        more"]
    assert render.above(later, before, unread=3) == render.Above(unread=3)


def test_a_new_day_and_what_is_unread_have_their_lines() -> None:
    hello = message("hi")
    rows = shown(render.rows(hello, 60, render.above(hello, None, 5)))
    assert "Sunday 22 November 2026" in rows[0]
    assert "5 unread" in rows[1]
    assert len(drawn(hello, 60, Record("message", MORNING - 86_400_000, "x", "ana"))) == 2
    assert len(drawn(hello, 60, message("x"))) == 1


def test_fates_are_seen_without_colour() -> None:
    assert drawn(message("hi", fate="pending"), 60)[0].endswith("hi …")
    assert drawn(message("hi", fate="pending", reason="wait 3 s"), 60)[0].endswith("hi … wait 3 s")
    failed = drawn(message("hi", fate="failed", reason="Join the room first."), 80)
    assert failed[0].endswith("✗ not sent: Join the room first.")


def test_notices_answers_and_errors() -> None:
    for kind, mark in (("notice", "·         "), ("answer", "│"), ("error", "!")):
        rows = drawn(Record(kind, MORNING, "one\ntwo"), 60)  # type: ignore[arg-type]
        assert rows[0] == f"09:23 {mark} one"
        assert rows[1].strip("│ ") == "two"
        assert rows[1].index("two") == rows[0].index("one")


def test_an_answer_quotes_the_first_words_in_one_row() -> None:
    answer = message("yes\nindeed", "bob", reply_to=1)
    assert drawn(answer, 60, answered=message("shall we\nmeet? :smile: " + "x" * 99)) == [
        "                 ╭ ana: shall we meet? 😄 xxxxxxxxxxxxxxxxx…",
        "09:23 bob        yes",
        "                 indeed",
    ]
    assert drawn(answer, 60)[0] == "                 ╭ an earlier message"
    assert drawn(answer, 60, answered=message("", retracted=True))[0] == "                 ╭ ana: message deleted"


def test_changes_have_their_marks() -> None:
    assert drawn(message("better", edited=MORNING), 60) == ["09:23 ana        better (edited)"]
    assert drawn(message("", retracted=True), 60) == ["09:23 ana        message deleted"]
    liked = message("hi", reactions=(Reaction("👍🏽", 2, True), Reaction("\x1b]0;x\x07\u202e", 1, False)))
    assert drawn(liked, 60) == ["09:23 ana        hi", "                 [👍 2]  ␛]0;x␇\ufffd 1 "]
    many = message("hi", reactions=tuple(Reaction(chr(0x1F600 + n), 100, n % 2 == 0) for n in range(20)))
    rows = drawn(many, 60)
    assert len(rows) > 2
    assert all(cells(row) <= 60 for row in rows)


def test_in_a_line_it_is_said_what_was_edited_or_taken_back() -> None:
    assert render.in_a_line(message("better", edited=1), "#lobby") == "09:23 #lobby ana: better (edited)"
    assert render.in_a_line(message("", retracted=True), "#lobby") == "09:23 #lobby ana: (message deleted)"


def test_nick_colours_are_stable() -> None:
    assert render.nick_style("ana") == render.nick_style("ANA") == "class:nick.8"
    assert len({render.nick_style(f"user{number}") for number in range(200)}) == render.NICKS


ATTACK = "\x1b[2J\x1b]0;x\x07\u202e\r\n\x9b\x00"


def test_nothing_steers_the_terminal() -> None:
    records = [
        message(ATTACK, ATTACK),
        message("x", fate="failed", reason=ATTACK),
        *(Record(kind, MORNING, ATTACK) for kind in ("notice", "answer", "error")),
    ]
    for record in records:
        above = render.Above(True, 3, quoted=(ATTACK, ATTACK))
        everything = "".join(shown(render.rows(record, 60, above))) + render.in_a_line(record, ATTACK)
        assert not set(everything) & set("\x1b\x07\x9b\x00\r\u202e\n")


def test_one_line_for_plain_output() -> None:
    assert render.in_a_line(message("a\nb"), "#lobby") == "09:23 #lobby ana: a ⏎ b"
    assert render.in_a_line(Record("notice", MORNING, "ana came in"), "#lobby") == "09:23 #lobby · ana came in"


@given(st.text(), st.integers(4, 60))
def test_rows_are_never_wider_than_the_window(text: str, width: int) -> None:
    for kind in ("message", "answer"):
        record = Record(kind, MORNING, text, "sender")
        for row in shown(render.rows(record, width)):
            assert cells(row) <= max(width, 6)


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs", "Mn"])), st.integers(2, 30))
def test_wrapping_loses_nothing_but_spaces(text: str, width: int) -> None:
    rows = wrap([("", text)], width)
    assert "".join(shown(rows)).replace(" ", "") == text.replace("\n", "").replace(" ", "")


def test_wrapping_keeps_styles_and_breaks_long_words() -> None:
    assert wrap([("a", "one "), ("b", "two")], 4) == [[("a", "one")], [("b", "two")]]
    assert wrap([("a", "xxxxxxxx")], 3) == [[("a", "xxx")], [("a", "xxx")], [("a", "xx")]]
    assert shown(wrap([("", "你好吗")], 4)) == ["你好", "吗"]
    assert shown(wrap([("", "one two")], 10, first=3)) == ["one", "two"]
    assert wrap([], 10) == [[]]


def test_cutting_and_padding() -> None:
    assert (cut("abcdef", 4), cut("abc", 4), cut("你好吗", 4), cut("abc", 0)) == ("abc…", "abc", "你…", "")
    assert (pad("ab", 4), pad("你", 4), pad("abcdef", 4)) == ("ab  ", "你  ", "abc…")
