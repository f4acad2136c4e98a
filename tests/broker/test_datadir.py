"""The data directory: made private, or refused with what to do."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from broker.datadir import BadDataDir, DataDir


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "a" / "b")
    data.make()
    data.make()
    assert mode(data.path) == 0o700


@pytest.mark.parametrize("content", [(), ("broker.key", "other")])
def test_an_empty_one_and_its_own_are_closed_to_others(tmp_path: Path, content: tuple[str, ...]) -> None:
    for name in content:
        (tmp_path / name).touch()
    tmp_path.chmod(0o755)
    DataDir(tmp_path).make()
    assert mode(tmp_path) == 0o700


def test_a_directory_of_other_things_is_left_as_it_is_or_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    tmp_path.chmod(0o755)
    DataDir(tmp_path).make()
    assert mode(tmp_path) == 0o755
    tmp_path.chmod(0o777)
    with pytest.raises(BadDataDir, match="others can write here; name a directory of the broker's own"):
        DataDir(tmp_path).make()


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadDataDir, match="cannot be used as data directory"):
        DataDir(tmp_path / "file").make()


def test_the_address_is_announced_for_the_owner_and_taken_back(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    data.announce("tertulia://host:1/key")
    data.announce("tertulia://host:2/key")
    assert data.address.read_text() == "tertulia://host:2/key\n"
    assert mode(data.address) == 0o600
    data.withdraw()
    data.withdraw()
    assert not any(tmp_path.iterdir())
