"""Key files: written and read again, and every way in which one may be wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from common import credentials
from common.addresses import Address
from common.credentials import Credential
from common.keys import BadSecretFile, generate


def _credential() -> Credential:
    return Credential(Address("chat.example.org", 5570, generate().public), "dice", generate())


def test_a_key_file_is_read_as_it_was_written_and_only_its_owner_can(tmp_path: Path) -> None:
    path, credential = tmp_path / "dice.key", _credential()
    credentials.write(path, credential)
    assert credentials.read(path) == credential
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_file_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "dice.key"
    path.write_text("kept")
    with pytest.raises(FileExistsError):
        credentials.write(path, _credential())
    assert path.read_text() == "kept"


def test_the_secret_is_not_shown_by_what_holds_it() -> None:
    credential = _credential()
    assert repr(credential.keys.secret) not in repr(credential)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("login", "log_in", "'login' is missing"),
        ("secret = ", "secret = 5 #", "'secret' is missing"),
        ("tertulia://", "http://", "'address'"),
        ('secret = "', 'secret = "!', "'secret' is damaged"),
        ("address", "\x00", "no key file"),
    ],
)
def test_a_damaged_key_file_says_what_is_wrong(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "dice.key"
    credentials.write(path, _credential())
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(BadSecretFile, match=said):
        credentials.read(path)


def test_an_address_without_the_brokers_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "dice.key"
    credentials.write(path, Credential(Address("chat.example.org", 5570, None), "dice", generate()))
    with pytest.raises(BadSecretFile, match="the broker's key is missing"):
        credentials.read(path)


@pytest.mark.skipif(os.name != "posix", reason="files have no modes here")
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "dice.key"
    credentials.write(path, _credential())
    path.chmod(0o640)
    with pytest.raises(BadSecretFile, match="chmod 600"):
        credentials.read(path)
