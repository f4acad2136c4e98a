"""Texts: what the vectors do not say."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import texts
from common.errors import BadProfile, BadText

ANY = st.text(alphabet=st.characters(codec=None), max_size=60)
BIDI_CONTROL = {"\u061c", "\u200e", "\u200f", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}


def obeyed(character: str) -> bool:
    """Whether a terminal, or the order of writing, might do something at that character."""
    category = unicodedata.category(character)
    return category in {"Cc", "Cs", "Zl", "Zp"} or character in BIDI_CONTROL


@given(ANY)
def test_nothing_is_obeyed_in_what_is_shown(text: str) -> None:
    shown = texts.visible(text)
    assert not any(map(obeyed, shown))
    shown.encode()
    assert texts.visible(shown) == shown


@given(ANY)
def test_lines_are_kept_if_asked(text: str) -> None:
    shown = texts.visible(text, newlines=True)
    assert shown.count("\n") == text.count("\n")
    assert [texts.visible(line) for line in text.split("\n")] == shown.split("\n")


def test_each_character_is_shown_or_replaced() -> None:
    for point in (*range(0x32000), *range(0xE0000, 0xE0200)):
        character = chr(point)
        assert (texts.visible(character) != character) == obeyed(character), hex(point)


def test_the_control_characters_of_ascii_have_their_pictures() -> None:
    controls = [*map(chr, range(0x20)), "\x7f"]
    for control in controls:
        shown = texts.visible(control)
        assert shown == ("    " if control == "\t" else shown)
        assert len(shown) == 1 or control == "\t"
        if control != "\t":
            assert unicodedata.name(shown).startswith("SYMBOL FOR ")


@given(ANY)
def test_a_text_is_kept_or_refused(text: str) -> None:
    try:
        assert texts.check_text(text) == text
    except BadText as refused:
        error = refused
    else:
        text.encode()
        return
    assert error.message.isprintable()


@given(ANY)
def test_a_line_is_kept_or_refused(text: str) -> None:
    try:
        assert texts.check_line(text, "It") == text
    except BadText as refused:
        error = refused
    else:
        assert texts.visible(text) == text
        return
    assert error.message.isprintable()
    assert texts.visible(text) != text


def test_a_surrogate_is_refused() -> None:
    with pytest.raises(BadText):
        texts.check_text("a\udcff")
    with pytest.raises(BadText):
        texts.check_line("a\udcff", "It")


def test_characters_newer_than_this_python_count_as_seen() -> None:
    assert unicodedata.category("\U0003fffd") == "Cn"
    assert texts.check_text("\U0003fffd")


def test_a_line_may_be_empty_unless_it_is_required() -> None:
    assert texts.check_line("", "The topic line") == ""
    for empty in ("", " ", "\u200b"):
        with pytest.raises(BadProfile, match=r"^Surnames: something is required\.$"):
            texts.check_line(empty, "Surnames", required=True, error=BadProfile)
    assert texts.check_line(" a ", "Surnames", required=True) == " a "


def test_the_error_is_the_one_asked_for() -> None:
    with pytest.raises(BadProfile, match=r"^First names "):
        texts.check_line("a\nb", "First names", error=BadProfile)


@given(ANY)
def test_what_is_mended_is_taken_and_loses_nothing_visible(text: str) -> None:
    mended = texts.mended(text)
    try:
        texts.check_text(mended)
    except BadText as refused:
        assert "control" not in refused.message
    before = text.replace("\r\n", "\n")
    assert len(mended) == len(before)
    assert all(new == old for new, old in zip(mended, before, strict=True) if old.isprintable())


def test_line_ends_become_line_feeds_and_controls_something_to_see() -> None:
    assert texts.mended("a\r\nb\rc\td\x1b[31m\x9b\ud800") == "a\nb\nc\td␛[31m\ufffd\ufffd"
