"""Text between a room and IRC: formatting codes and controls made harmless, 512 bytes kept, no character cut in two."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.fixture
def irc_text(example: Callable[[str], ModuleType]) -> ModuleType:
    return example("irc_bridge/irc_text")


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (
            "\x02bold\x02 \x1ditalic\x0f \x1funder\x1f \x1estrike\x11mono\x16reverse",
            "bold italic under strikemonoreverse",
        ),
        ("\x0304red\x03 \x0304,12on blue\x03,5", "red on blue,5"),
        ("\x03123 go", "3 go"),
        ("\x04ff0000red\x04 \x04FF0000,00ff00x", "red x"),
        ("a\x00b\x07c\x1b[2Jd\x7fe\x9b31mf", "abc[2Jde31mf"),
        ("\x1b]0;owned\x07", "]0;owned"),
        ("one\r\ntwo\nthree\u2028four\x85five", "one two three four five"),
        ("\u202egnp.exe\u2066x\u2069", "gnp.exex"),
        ("a\tb", "a b"),
        ("\x01VERSION\x01", "VERSION"),
        ("\x02\x0f", ""),
        ("¡ñandú! 🦤 日本", "¡ñandú! 🦤 日本"),
    ],
)
def test_what_comes_from_irc_is_harmless(irc_text: ModuleType, raw: str, clean: str) -> None:
    assert irc_text.harmless(raw) == clean


def test_a_name_from_irc_is_one_word(irc_text: ModuleType) -> None:
    assert irc_text.name("[ana]^") == "[ana]^"
    assert irc_text.name("a na\x02\n") == "ana"
    assert irc_text.name("\x02") == "?"
    assert len(irc_text.name("x" * 99)) == irc_text.NAME_LENGTH


def test_what_somebody_does_is_told_from_talk(irc_text: ModuleType) -> None:
    assert irc_text.action("_ana waves_", "ana") == "waves"
    assert irc_text.action("_ana waves_", "bob") is None
    assert irc_text.action("_ana_", "ana") is None
    assert irc_text.action("ana waves", "ana") is None


def test_a_message_is_cut_between_words_and_each_line_names_its_author(irc_text: ModuleType) -> None:
    found = irc_text.lines("one two three four five six", "<ana> ", 6 + 16)
    assert found == ["<ana> one two three", "<ana> four five six"]
    assert irc_text.lines("a\n\n  \nb\r\nc", "<ana> ", 400) == ["<ana> a", "<ana> b", "<ana> c"]
    assert irc_text.lines("a\n<bob> I am ana", "<ana> ", 400) == ["<ana> a", "<ana> <bob> I am ana"]
    assert irc_text.lines("\x02a\x01\tb", "<a\rna> ", 400) == ["<ana> a    b"]


def test_too_many_lines_are_counted(irc_text: ModuleType) -> None:
    found = irc_text.lines("\n".join(map(str, range(50))), "<ana> ", 400)
    assert len(found) == irc_text.LINES
    assert found[-1] == "<ana> (and 39 more lines, which are in the room)"


@pytest.mark.parametrize(
    "sign",
    ["é", "e\u0301", "日", "🦤", "👩\u200d👩\u200d👧", "👍\U0001f3fd", "🇪🇸", "ก็"],
    ids=lambda s: s.encode("unicode-escape").decode(),
)
def test_no_sign_is_cut_in_two(irc_text: ModuleType, sign: str) -> None:
    for budget in range(30, 60):
        found = irc_text.lines(sign * 40, "", budget, most=99)
        assert "".join(found) == sign * 40
        assert all(len(line.encode()) <= budget for line in found)
        assert all(len(line) % len(sign) == 0 for line in found)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=400), budget=st.integers(24, 120))
def test_nothing_is_lost_and_nothing_is_too_long(irc_text: ModuleType, text: str, budget: int) -> None:
    found = irc_text.lines(text, "<a> ", budget, most=10_000)
    assert all(len(line.encode()) <= budget and line.startswith("<a> ") for line in found)
    assert not any(unicodedata.category(sign) in ("Cc", "Cs") for line in found for sign in line)

    def seen(line: str) -> str:
        return "".join(sign for sign in line if not sign.isspace() and unicodedata.category(sign) not in ("Cc", "Cs"))

    assert "".join(seen(line[4:]) for line in found) == seen(text)


@given(raw=st.text(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_comes_from_irc_a_room_takes_it(irc_text: ModuleType, raw: str) -> None:
    from common.texts import check_line

    clean = irc_text.harmless(raw)
    assert check_line(clean, "It") == clean


def test_what_the_server_puts_before_a_line_is_counted(irc_text: ModuleType) -> None:
    left = irc_text.room_left("bridge", "#circle")
    line = f":bridge!~{'u' * 10}@{'h' * 63} PRIVMSG #circle :{'x' * left}\r\n"
    assert len(line) == 512


def test_a_quotation_is_short(irc_text: ModuleType) -> None:
    assert irc_text.short("one\n two") == "one two"
    assert irc_text.short("x" * 100, 10) == "x" * 9 + "…"
