"""Passwords: what is kept, what counts as the same, and that nobody's absence is faster."""

from __future__ import annotations

import bcrypt
import pytest

from broker.wire.passwords import Passwords

PEPPER = b"p" * 32
passwords = Passwords(PEPPER, cost=4)


def test_the_right_password_and_no_other() -> None:
    kept = passwords.hash("correct horse")
    assert kept.startswith("t1$$2b$04$")
    assert passwords.check("correct horse", kept)
    assert not passwords.check("correct horsf", kept)
    assert not passwords.check("", kept)


def test_the_same_password_is_kept_differently_each_time() -> None:
    assert passwords.hash("correct horse") != passwords.hash("correct horse")


def test_no_byte_of_a_long_password_is_lost() -> None:
    kept = passwords.hash("é" * 255 + "a")
    assert passwords.check("é" * 255 + "a", kept)
    assert not passwords.check("é" * 255 + "b", kept)
    assert not passwords.check("é" * 254 + "a", kept)


def test_a_password_with_nul_or_lone_surrogates_works() -> None:
    for odd in ("a\0bcdefgh", "\ud800 surrogate"):
        assert passwords.check(odd, passwords.hash(odd))
    assert not passwords.check("a\0xxxxxxx", passwords.hash("a\0bcdefgh"))


def test_composed_and_decomposed_are_the_same() -> None:
    assert passwords.check("contrase\u00f1a", passwords.hash("contrasen\u0303a"))


def test_another_pepper_cannot_check() -> None:
    assert not Passwords(b"q" * 32, cost=4).check("correct horse", passwords.hash("correct horse"))


def test_without_an_account_the_same_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    costs: list[bytes] = []
    right = bcrypt.checkpw

    def watched(digest: bytes, hashed: bytes) -> bool:
        costs.append(hashed[:7])
        return right(digest, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", watched)
    assert not passwords.check("correct horse", None)
    assert not passwords.check("correct horse", passwords.hash("another one"))
    assert costs == [b"$2b$04$"] * 2


def test_nobody_has_the_password_of_nobody() -> None:
    # Even if somebody found one that fits the fixed hash.
    assert passwords.check("x", passwords._nobody) is False


def test_a_scheme_that_is_not_known_is_a_fault_not_a_refusal() -> None:
    with pytest.raises(ValueError, match="unknown scheme 't9'"):
        passwords.check("correct horse", "t9$whatever")


def test_a_hash_of_another_cost_is_right_and_outdated() -> None:
    kept = Passwords(PEPPER, cost=5).hash("correct horse")
    assert passwords.check("correct horse", kept)
    assert passwords.outdated(kept)
    assert not passwords.outdated(passwords.hash("correct horse"))
