"""What counts as wrong in a room: each rule at its border, and spellings that mean to get around one."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

HOUR = 3_600_000
NOW = 1_800_000_000_000


@pytest.fixture
def moderation(example: Callable[[str], ModuleType]) -> ModuleType:
    return example("moderation")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("you fool", True),
        ("FOOL!", True),
        ("f00l", True),
        ("f00l!", True),
        ("fóól", True),
        ("f\u200bool", True),
        ("f o o l", True),
        ("f.o.o.l", True),
        ("ｆｏｏｌ", True),
        ("foolish", False),
        ("tomfool", False),
        ("a full glass", False),
        ("", False),
    ],
)
def test_a_word_is_found_however_it_is_spelt(moderation: ModuleType, text: str, found: bool) -> None:
    assert moderation.forbidden(text, ["other", "fool"]) == ("fool" if found else "")


def test_several_words_and_signs_can_be_forbidden(moderation: ModuleType) -> None:
    assert moderation.forbidden("get rich quick, now", ["get rich quick"]) == "get rich quick"
    assert moderation.forbidden("c++ is fine", ["c++ is"]) == "c++ is"


def test_a_flood_is_one_message_more_than_allowed(moderation: ModuleType) -> None:
    watch, rules = moderation.Watch(), moderation.Rules(messages=3, seconds=10)
    said = [watch.judge(1, "ana", f"text {n}", NOW + n * 1000, rules, None) for n in range(4)]
    assert said[:3] == ["", "", ""]
    assert "more than 3 messages in 10 s" in said[3]
    assert watch.judge(1, "bob", "text", NOW + 4000, rules, None) == "", "others are not to blame"
    assert watch.judge(2, "ana", "text", NOW + 4000, rules, None) == "", "nor is what was said elsewhere"
    assert watch.judge(1, "ana", "text", NOW + 13_000, rules, None) == "", "nor what was long ago"


def test_without_a_limit_nothing_is_a_flood(moderation: ModuleType) -> None:
    watch, rules = moderation.Watch(), moderation.Rules(messages=0)
    assert {watch.judge(1, "ana", f"text {n}", NOW, rules, None) for n in range(100)} == {""}


def test_the_same_text_again_and_again_is_a_flood(moderation: ModuleType) -> None:
    watch, rules = moderation.Watch(), moderation.Rules(repeats=2)
    said = [watch.judge(1, "ana", text, NOW + n * 15_000, rules, None) for n, text in enumerate(["Buy", "buy ", "BUY"])]
    assert said == ["", "", "once is enough"]
    assert watch.judge(1, "ana", "buy", NOW + 200_000, rules, None) == ""


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("see https://example.org", True),
        ("see HTTP://x", True),
        ("www.example.org", True),
        ("example.com/x", True),
        ("file.txt and 3.5 and e.g. this", False),
        ("plain", False),
    ],
)
def test_newcomers_post_no_links(moderation: ModuleType, text: str, link: bool) -> None:
    rules = moderation.Rules(newcomer_hours=24)
    for joined, wrong in ((NOW - 23 * HOUR, link), (NOW - 24 * HOUR, False), (None, False)):
        assert bool(moderation.Watch().judge(1, "ana", text, NOW, rules, joined)) == wrong
    assert not moderation.Watch().judge(1, "ana", text, NOW, moderation.Rules(newcomer_hours=0), NOW)


def test_strikes_are_counted_for_an_hour_and_can_be_pardoned(moderation: ModuleType) -> None:
    watch = moderation.Watch()
    assert [watch.strike(1, "ana", NOW + n) for n in range(3)] == [1, 2, 3]
    assert watch.strike(1, "ana", NOW + HOUR + 1) == 2
    assert watch.pardon(1, "ana")
    assert not watch.pardon(1, "ana")
    assert watch.strike(1, "ana", NOW) == 1


def test_what_is_remembered_is_bounded(moderation: ModuleType) -> None:
    watch, rules = moderation.Watch(), moderation.Rules()
    for n in range(10_001):
        watch.judge(1, f"user{n}", "text", NOW, rules, None)
    watch.judge(1, "later", "text", NOW + 2 * HOUR, rules, None)
    assert len(watch._people) == 1
