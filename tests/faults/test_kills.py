"""The broker is killed under people who talk and read: a few times, and sixty times where there is time for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults import history as h
from tests.faults.kills import perform


@pytest.mark.long
def test_nothing_is_lost_doubled_or_out_of_order_when_the_broker_is_killed_again_and_again(tmp_path: Path) -> None:
    cycles, senders, readers = (60, 20, 50) if os.environ.get("CI") else (4, 6, 6)
    figures = perform(tmp_path, cycles, 3, senders, readers, pause_s=0.3, life_s=1.4)
    assert figures.verdict.violations == []
    assert figures.verdict.counts[h.Acknowledged] > cycles
    assert figures.verdict.private[h.Acknowledged]
    assert figures.verdict.counts[h.Delivered] > figures.verdict.counts[h.Acknowledged] * readers / 2
