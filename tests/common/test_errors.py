"""The tree of errors: one code a class, a sentence for people in each."""

from __future__ import annotations

import re

import pytest

from common import addresses, errors, keys


def test_codes_are_words_joined_by_hyphens() -> None:
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in errors.BY_CODE)


@pytest.mark.parametrize("cls", errors.BY_CODE.values(), ids=errors.BY_CODE)
def test_each_class_has_a_sentence(cls: type[errors.ChatError]) -> None:
    error = cls()
    assert error.message == str(error) == cls.sentence
    assert error.message.endswith(".")
    assert error.message.isprintable()
    assert error.retry_after is None
    assert "code" in vars(cls), "a code of its own"


def test_a_sentence_of_ones_own_and_a_wait() -> None:
    error = errors.Busy("Not now.", retry_after=2.5)
    assert (error.message, error.retry_after) == ("Not now.", 2.5)


@pytest.mark.parametrize("code", errors.BY_CODE)
def test_what_travelled_is_the_same_error(code: str) -> None:
    error = errors.from_wire(code, "A sentence.", 1.0)
    assert type(error) is errors.BY_CODE[code]
    assert (error.code, error.message, error.retry_after) == (code, "A sentence.", 1.0)


def test_an_unknown_code_is_a_refusal_like_any_other() -> None:
    error = errors.from_wire("never-heard-of", "A sentence.")
    assert type(error) is errors.ChatError
    assert error.message == "A sentence."


@pytest.mark.parametrize("cls", [addresses.BadAddress, keys.BadSecretFile])
def test_what_happens_on_this_side_has_no_code_on_the_wire(cls: type[errors.ChatError]) -> None:
    assert cls.code not in errors.BY_CODE


def test_blame() -> None:
    assert issubclass(errors.UnknownOp, errors.BadRequest)
    assert issubclass(errors.UnsupportedVersion, errors.BadRequest)
    assert not issubclass(errors.Internal, errors.BadRequest)
