"""Names: what the vectors do not say."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import names
from common.errors import BadName
from common.limits import NAME_LENGTH

ASSIGNED = [*range(0x32000), *range(0xE0000, 0xE0200)]
"""Where Unicode has characters at all."""


def is_name(text: str) -> bool:
    try:
        names.parse(text)
    except BadName:
        return False
    return True


@given(st.text(max_size=40))
def test_a_text_is_a_name_or_refused_with_a_sentence(text: str) -> None:
    try:
        name = names.parse(text)
    except BadName as refused:
        error = refused
    else:
        check_name(text, name)
        return
    assert error.message.isprintable(), "the sentence quotes nothing that a terminal would obey"


def check_name(text: str, name: str) -> None:
    assert names.parse(name) == name
    assert unicodedata.is_normalized("NFC", name)
    assert 1 <= len(name) <= NAME_LENGTH
    assert not set(name) & {"\0", "@", "~", " ", "/"}
    assert names.key(name) == names.key(text)


@given(st.text(max_size=40))
def test_a_key_is_its_own_key(text: str) -> None:
    assert names.key(names.key(text)) == names.key(text)


@given(st.text(alphabet="aAáÁßẞſKKiİσΣςﬁ", max_size=8))
def test_case_makes_no_other_name(text: str) -> None:
    assert names.key(text.lower()) == names.key(text.lower().upper().lower())


def test_no_single_character_is_a_name_that_shows_nothing() -> None:
    shown = {"L", "N"}
    for point in ASSIGNED:
        character = chr(point)
        if unicodedata.category(character)[0] in shown and is_name(character):
            assert unicodedata.category(character) in {"Lu", "Ll", "Lt", "Lo", "Nd"}
            continue
        if unicodedata.category(character)[0] not in shown:
            assert not is_name(character), hex(point)


# The letters and marks with Default_Ignorable_Code_Point, from Unicode's DerivedCoreProperties.txt.
IGNORABLE = [
    0x034F,
    *range(0x115F, 0x1161),
    *range(0x17B4, 0x17B6),
    *range(0x180B, 0x180E),
    0x180F,
    0x3164,
    *range(0xFE00, 0xFE10),
    0xFFA0,
    *range(0xE0100, 0xE01F0),
]


@pytest.mark.parametrize("point", IGNORABLE, ids=hex)
def test_what_shows_nothing_is_not_in_a_name(point: int) -> None:
    assert unicodedata.category(chr(point))[0] in "LM", "a rule by category would let it in"
    assert not is_name("a" + chr(point))
    assert not is_name(chr(point))


def test_length_counts_after_normalisation() -> None:
    assert len(names.parse("n\u0303" * NAME_LENGTH)) == NAME_LENGTH
    with pytest.raises(BadName, match="1 to 32"):
        names.parse("x\u0323" * (NAME_LENGTH // 2) + "y")


def test_two_marks_in_a_row_and_no_tower() -> None:
    assert is_name("x\u0323\u0302x\u0323\u0302")
    with pytest.raises(BadName, match="marks"):
        names.parse("x\u0323\u0302\u0302")


def test_the_sentence_names_the_character() -> None:
    with pytest.raises(BadName, match=r"\\\\x1b"):
        names.parse("a\x1b[31m")
    with pytest.raises(BadName, match="begins with"):
        names.parse("-a")
