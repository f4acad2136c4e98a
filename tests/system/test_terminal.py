"""The terminal client, at every size it is drawn for, on real terminals over a real broker."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from scripts import screenshot
from tests.system.tour import SIZES, Stage, walk

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux, to have a terminal")


# The largest and the smallest; all of them by hand, with pictures: python -m tests.system.tour
@pytest.mark.parametrize(("columns", "rows"), [SIZES[0], SIZES[-1]], ids=["large", "small"])
def test_the_walk_through_everything(columns: int, rows: int, tmp_path: Path) -> None:
    with Stage(tmp_path) as stage:
        screens = {stop.name: stop.screen for stop in walk(stage, columns, rows)}
    for name, screen in screens.items():
        assert "�" not in screen, name
        assert screenshot.picture(screen).count("<text") > 1, name
    assert re.search(r"\x1b\[[0-9;]*38;", screens["messages"])
    assert not re.search(r"\x1b\[(?:[0-9;]*[;\[])?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]", screens["without colours"])
