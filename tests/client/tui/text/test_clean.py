"""Nothing that steers a terminal comes through, and what comes through has a width that is agreed on."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth
from wcwidth import wcswidth

from client.tui.text import clean

ATTACKS = [
    ("\x1b[2J\x1b[H", "␛[2J␛[H"),
    ("\x1b]0;owned\x07", "␛]0;owned␇"),
    ("\x1b]52;c;cm0gLXJm\x1b\\", "␛]52;c;cm0gLXJm␛\\"),
    ("\x1b]8;;http://evil\x1b\\bank\x1b]8;;\x1b\\", "␛]8;;http://evil␛\\bank␛]8;;␛\\"),
    ("\x9b2J", "\ufffd2J"),
    ("a\rroot: pay me", "a␍root: pay me"),
    ("back\x08\x08\x7f", "back␈␈␡"),
    ("nul\0l", "nul␀l"),
    ("user\u202etxt.exe", "user\ufffdtxt.exe"),
    ("\u2066a\u2069\u200e\u200f\u061c", "\ufffda" + "\ufffd" * 4),
    ("zero\u200bwidth\ufeff\u00ad\u2060", "zerowidth"),
    ("tag\U000e0041\U000e007f", "tag"),
    ("private\ue000", "private\ufffd"),
    ("lone\udc80", "lone\ufffd"),
    ("z" + "\u0301" * 10_000, "ź" + "\u0301" * 2),
]


NOTHING_TO_STAND_ON = [
    ("\u0301alone", "\u25cc\u0301alone"),
    ("line\n\u0301\u0301", "line\n\u25cc\u0301\u0301"),
    ("\u1161" * 500, "\u25cc" + "\u1161" * 3),
    ("\u200b\u2060\ufe0f\u034f\u3164\u115f" * 500 + "x", "x"),
    ("\u1112\u1161\u11ab", "한"),
]


@pytest.mark.parametrize(("raw", "shown"), [*ATTACKS, *NOTHING_TO_STAND_ON])
def test_attacks_are_shown_and_not_obeyed(raw: str, shown: str) -> None:
    assert clean.text(raw) == shown


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("👩🏿‍🔧 at work", "👩 at work"),
        ("👨‍👩‍👧‍👦", "👨"),
        ("❤️", "❤"),
        ("👍🏽", "👍"),
        ("🇪🇸", "ES"),
        ("1️⃣", "1"),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴"),
        ("🏳️‍🌈", "🏳"),
        ("🎲 4", "🎲 4"),
        ("你好, canción, नमस्ते", "你好, canción, नमस्ते"),
    ],
)
def test_emoji_are_reduced_to_a_width_that_is_agreed_on(raw: str, shown: str) -> None:
    assert clean.text(raw) == shown
    if not any(unicodedata.category(c) == "Mc" for c in shown):
        assert wcswidth(shown) == sum(get_cwidth(c) for c in shown)


@pytest.mark.parametrize(("raw", "shown"), NOTHING_TO_STAND_ON)
def test_a_flood_of_what_takes_no_cell_is_cut_while_it_is_typed(raw: str, shown: str) -> None:
    assert sum(get_cwidth(sign) == 0 for sign in clean.signs(raw) if sign) <= clean.MARKS


def test_lines_are_kept_and_floods_of_blank_ones_are_not() -> None:
    assert clean.text("a\r\nb\u2028c") == "a\nb\nc"
    assert clean.text("a" + "\n" * 500 + "b\n\n\n") == "a\n\nb"
    assert clean.text("a\n  \n \n\n  b") == "a\n\nb"
    assert clean.text("if x:\n    y\tz") == "if x:\n    y    z"
    assert clean.line("a\nb") == "a ⏎ b"


def test_a_paste_loses_its_controls() -> None:
    assert clean.typed("a\r\nb\rc\td\x1b[31me\0") == "a\nb\nc    d[31me"


@given(st.text())
def test_no_control_survives(raw: str) -> None:
    for character in clean.text(raw):
        assert character == "\n" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


@given(st.text())
def test_a_second_cleaning_changes_nothing(raw: str) -> None:
    once = clean.text(raw)
    assert clean.text(once) == once


@pytest.mark.parametrize(("raw", "shown"), [*ATTACKS, ("plain", "plain"), ("🇪🇸 👍🏽 ❤️", "ES 👍 ❤")])
def test_what_is_typed_has_a_sign_or_none_for_each_character(raw: str, shown: str) -> None:
    signs = clean.signs(raw)
    assert len(signs) == len(raw)
    assert unicodedata.normalize("NFC", "".join(signs)) == shown
