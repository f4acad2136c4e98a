"""A record as rows: aligned, wrapped, and harmless whatever it holds."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.tui import render
from client.tui.records import Record
from client.tui.wrap import Row, cells, cut, pad, wrap

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


def test_a_message_in_rows() -> None:
    before = message("x")
    assert shown(render.rows(message("one two three four\nfive"), 32, before)) == [
        "ana one two three four",
        "  five",
    ]
    assert shown(render.rows(message("word " * 12), 50, before)) == [
        "09:23 ana        word word word word word word",
        "                 word word word word word word",
    ]


def test_a_long_nick_pushes_its_first_row_only() -> None:
    record = message("one two three four five six seven eight nine", "maximiliano-alejandro")
    assert shown(render.rows(record, 72, record)) == [
        "09:23 maximiliano-alejandro one two three four five six seven eight nine",
    ]
    assert shown(render.rows(record, 60, record)) == [
        "09:23 maximiliano-alejand… one two three four five six seven",
        "                 eight nine",
    ]


def test_a_new_day_and_what_is_unread_have_their_lines() -> None:
    rows = shown(render.rows(message("hi"), 60, None, unread=5))
    assert "Sunday 22 November 2026" in rows[0]
    assert "5 unread" in rows[1]
    yesterday = Record("message", MORNING - 86_400_000, "x", "ana")
    assert len(render.rows(message("hi"), 60, yesterday)) == 2
    assert len(render.rows(message("hi"), 60, message("x"))) == 1


def test_fates_are_seen_without_colour() -> None:
    before = message("x")
    assert shown(render.rows(message("hi", fate="pending"), 60, before))[0].endswith("hi …")
    waiting = message("hi", fate="pending", reason="wait 3 s")
    assert shown(render.rows(waiting, 60, before))[0].endswith("hi … wait 3 s")
    failed = shown(render.rows(message("hi", fate="failed", reason="Join the room first."), 80, before))
    assert failed[0].endswith("✗ not sent: Join the room first.")


def test_notices_answers_and_errors() -> None:
    before = message("x")
    for kind, mark in (("notice", "·"), ("answer", "│"), ("error", "!")):
        record = Record(kind, MORNING, "one\ntwo")  # type: ignore[arg-type]
        rows = shown(render.rows(record, 60, before))
        assert rows[0] == f"09:23 {mark} one"
        assert rows[1].strip("│ ") == "two"


def test_links_are_underlined_without_their_full_stop() -> None:
    rows = render.rows(message("see https://example.org/x."), 80, message("x"))
    assert ("class:text class:link", "https://example.org/x") in rows[0]


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
        everything = "".join(shown(render.rows(record, 60))) + render.in_a_line(record, ATTACK)
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
