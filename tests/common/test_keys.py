"""Keys and secret files: private from the first moment, whole or not there, made once however many try."""

from __future__ import annotations

import errno
import multiprocessing
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import zmq
from nacl.bindings import crypto_scalarmult
from zmq.utils import z85

from common import keys
from common.keys import BadSecretFile

SPAWN = multiprocessing.get_context("spawn")
posix = pytest.mark.skipif(os.name != "posix", reason="modes of files are a matter of POSIX")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


SMALL = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]


@pytest.mark.parametrize("written", SMALL)
def test_a_point_of_small_order_is_nobodys_public_key(written: str) -> None:
    point = bytes.fromhex(written)
    assert not keys.is_public(point)
    with pytest.raises(RuntimeError):
        crypto_scalarmult(os.urandom(32), point)


def test_what_is_generated_is_a_public_key() -> None:
    assert keys.is_public(keys.generate().public)
    assert not keys.is_public(b"short")


def test_a_key_pair_is_one() -> None:
    pair = keys.generate()
    assert z85.decode(zmq.curve_public(z85.encode(pair.secret))) == pair.public
    assert keys.generate() != pair


def test_the_secret_half_is_not_shown() -> None:
    pair = keys.generate()
    assert repr(pair.secret) not in repr(pair)
    assert repr(pair.public) in repr(pair)


def test_a_pair_is_made_once_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "below" / "key"
    pair = keys.load_or_make(path)
    assert keys.load_or_make(path) == pair
    assert path.read_bytes() == pair.public + pair.secret


def test_a_secret_is_made_once_and_found_again(tmp_path: Path) -> None:
    secret = keys.load_or_make_secret(tmp_path / "pepper", 32)
    assert len(secret) == 32
    assert keys.load_or_make_secret(tmp_path / "pepper", 32) == secret


@posix
def test_files_and_folders_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        keys.load_or_make(tmp_path / "new" / "key")
    finally:
        os.umask(before)
    assert mode(tmp_path / "new" / "key") == 0o600
    assert mode(tmp_path / "new") == 0o700


@posix
@pytest.mark.parametrize("others", [0o640, 0o604, 0o620, 0o610, 0o666, 0o601])
def test_what_others_can_read_is_refused_with_what_to_do(tmp_path: Path, others: int) -> None:
    path = tmp_path / "key"
    keys.load_or_make(path)
    path.chmod(others)
    with pytest.raises(BadSecretFile, match=r"chmod 600 .*key$"):
        keys.load_or_make(path)
    assert mode(path) == others, "it is for its owner to decide"
    path.chmod(0o400)
    assert keys.load_or_make(path)


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_file_of_another_length_is_refused(tmp_path: Path, length: int) -> None:
    keys.write_secret(tmp_path / "key", bytes(length))
    with pytest.raises(BadSecretFile, match=f"expected 64 bytes, found {length}"):
        keys.load_or_make(tmp_path / "key")


def test_any_length_is_read_if_none_is_expected(tmp_path: Path) -> None:
    keys.write_secret(tmp_path / "token", b"abc")
    assert keys.read_secret(tmp_path / "token") == b"abc"


def test_what_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadSecretFile, match="absent: cannot be read"):
        keys.read_secret(tmp_path / "absent")
    with pytest.raises(BadSecretFile, match="cannot be read"):
        keys.read_secret(tmp_path)


def test_a_file_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    keys.write_secret(tmp_path / "key", b"first")
    with pytest.raises(FileExistsError):
        keys.write_secret(tmp_path / "key", b"second")
    assert keys.read_secret(tmp_path / "key") == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["key"], "no draft is left behind"


@pytest.mark.parametrize(
    "make", [lambda path: keys.load_or_make(path).public, lambda path: keys.load_or_make_secret(path, 64)]
)
def test_who_comes_second_takes_what_the_first_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], bytes]
) -> None:
    # The race as it is when both have seen that there is no file: the other's file appears just before ours.
    link = os.link
    theirs = keys.generate()

    def late(draft: Path, path: Path) -> None:
        monkeypatch.setattr(os, "link", link)
        keys.write_secret(path, theirs.public + theirs.secret)
        link(draft, path)

    monkeypatch.setattr(os, "link", late)
    assert make(tmp_path / "key")[:32] == theirs.public
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_two_keys_that_are_no_pair_are_refused(tmp_path: Path) -> None:
    keys.write_secret(tmp_path / "key", keys.generate().public + keys.generate().secret)
    with pytest.raises(keys.BadSecretFile, match="no pair; restore it from a backup"):
        keys.load_or_make(tmp_path / "key")


@pytest.mark.parametrize("make", [keys.load_or_make, lambda path: keys.load_or_make_secret(path, 64)])
def test_what_cannot_be_made_is_said_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], object]
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(keys.BadSecretFile, match=r"key: cannot be made \(No space left on device\)"):
        make(tmp_path / "key")
    assert not list(tmp_path.iterdir())


def test_processes_that_start_together_share_one_pair(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with SPAWN.Pool(4) as pool:
        pairs = pool.map(keys.load_or_make, [path] * 32, chunksize=1)
    assert len(set(pairs)) == 1
    assert [found.name for found in tmp_path.iterdir()] == ["key"]
