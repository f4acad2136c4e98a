"""The icons are those that the script draws, and together no larger than they may be."""

from __future__ import annotations

import pytest

from scripts.icons import DRAWINGS, ICONS


@pytest.mark.parametrize("name", ["192.png", "badge.png"])  # the large ones take the same way, and seconds each
def test_an_icon_is_what_the_script_draws(name: str) -> None:
    assert (ICONS / name).read_bytes() == DRAWINGS[name]()


def test_all_of_them_are_there_and_small() -> None:
    assert {file.name for file in ICONS.iterdir()} == set(DRAWINGS)
    assert sum(file.stat().st_size for file in ICONS.iterdir()) < 7_500
