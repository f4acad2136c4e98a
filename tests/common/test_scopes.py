"""The grammar of scopes, and what they allow."""

from __future__ import annotations

import pytest

from common import names, scopes
from common.errors import BadName, BadRequest
from common.limits import SCOPE_LENGTH, SCOPES
from common.scopes import ALL, READ, WRITE, Scopes


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (["read:lobby"], ("read:lobby",)),
        (["write:Ops", "read:OPS", "read:ops"], ("read:OPS", "write:Ops")),
        (["read:cafe\u0301", "read:CAF\u00c9"], ("read:caf\u00e9",)),
        (["read:*", " direct "], ("direct", "read:*")),
        (ALL, tuple(sorted(ALL))),
    ],
)
def test_scopes_are_kept_in_one_form(written: list[str], kept: tuple[str, ...]) -> None:
    assert scopes.parse(written) == kept


@pytest.mark.parametrize("written", ["", "read", "read:", "direct:lobby", "root", "READ:lobby", "exec:*"])
def test_what_is_no_scope_is_refused_with_those_there_are(written: str) -> None:
    with pytest.raises(BadRequest, match=r"read:ROOM, write:ROOM"):
        scopes.parse([written])


def test_a_name_whose_form_for_comparison_is_many_words_stays_one_scope() -> None:
    room = "\ufdfa" * 30
    (kept,) = scopes.parse([f"read:{room}"])
    assert " " not in kept
    assert len(kept) <= SCOPE_LENGTH
    given = Scopes([kept])
    assert given.room(READ, names.key(room))
    assert not given.room(READ, names.key("\ufdfa").split()[0])
    assert given.covers([kept])


def test_a_room_must_have_a_name_that_a_room_may_have() -> None:
    with pytest.raises(BadName):
        scopes.parse(["read:a room"])


def test_none_and_too_many_are_refused() -> None:
    with pytest.raises(BadRequest, match="a scope at least"):
        scopes.parse([])
    with pytest.raises(BadRequest, match="at most"):
        scopes.parse([f"read:room{number}" for number in range(SCOPES + 1)])


def test_scopes_allow_what_they_name_and_nothing_else() -> None:
    given = Scopes(scopes.parse(["read:ops", "write:*", "direct"]))
    assert given.room(READ, "ops")
    assert not given.room(READ, "lobby")
    assert given.room(WRITE, "lobby")
    assert given.enters("lobby")
    assert "direct" in given
    assert "admin" not in given
    assert "read:ops" not in given
    assert not Scopes(["direct"]).enters("lobby")


def test_a_gateways_scope_is_none_that_people_get_by_asking_for_all() -> None:
    assert scopes.GATEWAY not in ALL
    assert scopes.parse(["gateway"]) == ("gateway",)
    assert not Scopes(ALL).covers(["gateway"])
    assert not Scopes(["gateway"]).covers(["read:lobby"])
