"""What is told of, as tables: one rule for the terminal and for push."""

from __future__ import annotations

import pytest

from common import attention
from common.messages import Notify, Status


@pytest.mark.parametrize(
    "text", ["ana", "@ana", "Ana!", "hola, ANA.", "(@Ana)", "¿ana?", "ana-maria", "a\nana\nb", "ana@example.org"]
)
def test_a_login_that_stands_as_a_word_names_its_owner(text: str) -> None:
    assert attention.naming("ana").search(text)


@pytest.mark.parametrize("text", ["", "anabel", "banana", "ana_", "mañana", "an a", "ana1"])
def test_a_part_of_another_word_does_not(text: str) -> None:
    assert not attention.naming("ana").search(text)


def test_what_a_login_may_hold_is_no_pattern() -> None:
    assert attention.naming("a.b").search("hi a.b")
    assert not attention.naming("a.b").search("hi axb")
    assert not attention.naming("").search("anything, also nothing")


@pytest.mark.parametrize(
    ("notify", "status", "named", "worth"),
    [
        ("all", "available", False, True),
        ("all", "away", False, True),
        ("all", "dnd", True, False),
        ("mentions", "available", True, True),
        ("mentions", "available", False, False),
        ("mentions", "dnd", True, False),
        ("off", "available", True, False),
    ],
)
def test_what_is_worth_telling(notify: Notify, status: Status, named: bool, worth: bool) -> None:
    assert attention.worth(notify, status, named=named) is worth


def test_who_said_nothing_hears_all_in_private_and_their_name_in_rooms() -> None:
    assert attention.told(None, private=True) == "all"
    assert attention.told(None, private=False) == "mentions"
    assert attention.told("off", private=True) == "off"
