"""Who one is at a terminal, before anybody is asked: said, remembered, or proposed; never somebody's second self."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from client.commands.chat import full_screen
from client.config import ClientConfig
from client.seats import Seats
from client.trust import Tokens
from client.tui.app import Entrance
from common.addresses import Address

KEY = b"\x01" * 32
ADDRESS = Address("plaza", 5570, KEY)


@pytest.fixture
def tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tokens:
    monkeypatch.delenv("TERTULIA_PASSWORD", raising=False)
    return Tokens(tmp_path / "tokens")


def entrance(tokens: Tokens, tmp_path: Path, seats: Seats | None = None, **told: object) -> Entrance:
    return full_screen(ClientConfig(**told), ADDRESS, tokens, seats or Seats(KEY, tmp_path))  # type: ignore[arg-type]


def who(entrance: Entrance) -> tuple[str | None, bytes | None, bool]:
    return entrance.login, entrance.token, entrance.complete


def test_where_nobody_was_before_nothing_is_proposed(tokens: Tokens, tmp_path: Path) -> None:
    assert who(entrance(tokens, tmp_path)) == (None, None, False)


def test_whoever_was_remembered_last_goes_straight_in(tokens: Tokens, tmp_path: Path) -> None:
    tokens.replace(KEY, "ana", b"a" * 32)
    tokens.replace(KEY, "bruno", b"b" * 32)
    tokens.replace(b"\x02" * 32, "carla", b"c" * 32)
    found = entrance(tokens, tmp_path)
    assert who(found) == ("bruno", b"b" * 32, True)
    assert found.marks is not None
    assert found.marks.is_relative_to(tmp_path)


def test_a_second_terminal_does_not_become_the_same_person(tokens: Tokens, tmp_path: Path) -> None:
    tokens.replace(KEY, "ana", b"a" * 32)
    first = Seats(KEY, tmp_path)
    assert who(entrance(tokens, tmp_path, first)) == ("ana", b"a" * 32, True)
    second = entrance(tokens, tmp_path)
    assert who(second) == (None, None, False)
    assert second.arrived is not None
    second.arrived("bruno")
    tokens.replace(KEY, "bruno", b"b" * 32)
    assert who(entrance(tokens, tmp_path)) == (None, None, False)
    first.leave()
    third = entrance(tokens, tmp_path)
    assert who(third) == ("ana", None, False)  # bruno, the last one, has a terminal
    assert (third.remembered("ana"), third.remembered("carla")) == (b"a" * 32, None)


def test_of_those_without_a_terminal_one_that_is_remembered_is_proposed(tokens: Tokens, tmp_path: Path) -> None:
    seats = Seats(KEY, tmp_path)
    for login in ("ana", "bruno", "carla"):
        assert seats.take(login)  # which leaves the one before
    tokens.replace(KEY, "ana", b"a" * 32)
    tokens.replace(KEY, "carla", b"c" * 32)
    assert who(entrance(tokens, tmp_path)) == ("ana", None, False)


def test_whoever_logged_out_is_asked_for_and_nobody_else_let_in(tokens: Tokens, tmp_path: Path) -> None:
    seats = Seats(KEY, tmp_path)
    for login, used in (("carla", 10), ("ana", 20)):
        tokens.replace(KEY, login, b"t" * 32)
        assert seats.take(login)
        os.utime(seats.directory / f"login-{login}", (used, used))
    seats.leave()
    tokens.forget(KEY, "ana")
    assert who(entrance(tokens, tmp_path)) == ("ana", None, False)
    tokens.replace(KEY, "ana", b"a" * 32)
    tokens.replace(KEY, "carla", b"c" * 32)  # by a command without a screen, say
    assert who(entrance(tokens, tmp_path)) == ("ana", b"a" * 32, True)


def test_a_second_terminal_may_be_told_to_be_the_same_person(tokens: Tokens, tmp_path: Path) -> None:
    tokens.replace(KEY, "ana", b"a" * 32)
    first = Seats(KEY, tmp_path)
    assert first.take("ana")
    assert who(entrance(tokens, tmp_path, login="ana")) == ("ana", b"a" * 32, True)


def test_whoever_does_not_stay_logged_in_is_still_proposed(tokens: Tokens, tmp_path: Path) -> None:
    seats = Seats(KEY, tmp_path)
    seats.take("Ana")
    seats.leave()
    assert who(entrance(tokens, tmp_path)) == ("Ana", None, False)


def test_what_is_said_wins_over_what_is_remembered(
    tokens: Tokens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens.replace(KEY, "ana", b"a" * 32)
    assert who(entrance(tokens, tmp_path, login="bruno")) == ("bruno", None, False)
    monkeypatch.setenv("TERTULIA_PASSWORD", "correct horse")
    said = entrance(tokens, tmp_path, login="ana")
    assert (said.login, said.password, said.token) == ("ana", "correct horse", None)
    assert entrance(tokens, tmp_path).password is None  # it was not said whose it is


def test_without_remembering_no_token_is_used_up(tokens: Tokens, tmp_path: Path) -> None:
    tokens.replace(KEY, "ana", b"a" * 32)
    found = entrance(tokens, tmp_path, remember=False)
    assert who(found) == (None, None, False)
    assert found.keep_token is None
    assert entrance(tokens, tmp_path, remember=False, login="ana").token is None


def test_tokens_are_kept_and_forgotten_for_this_broker(tokens: Tokens, tmp_path: Path) -> None:
    found = entrance(tokens, tmp_path)
    assert found.keep_token is not None
    found.keep_token("ana", b"t" * 32)
    assert tokens.load(KEY, "ana") == b"t" * 32
    found.keep_token("ana", None)
    assert tokens.load(KEY, "ana") is None
