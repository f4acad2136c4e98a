"""Some of the chaos among browsers; more of it by hand."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.browser.chromium import executable
from tests.faults.browsers import chaos


@pytest.mark.long
def test_browsers_lose_and_double_nothing_whatever_fails(tmp_path: Path) -> None:
    pytest.importorskip("playwright", exc_type=ImportError)
    if executable() is None:
        pytest.skip("chromium is not installed")
    said, _, faults = asyncio.run(chaos(tmp_path, seed=2, steps=25))
    assert faults == []
    assert said > 10
