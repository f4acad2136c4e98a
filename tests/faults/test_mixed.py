"""All kinds of faults at once: for some seconds, and for minutes where there is time for it; what a seed decides."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from tests.faults import history as h
from tests.faults.injectors import available
from tests.faults.mixed import perform
from tests.faults.network import missing
from tests.faults.schedule import draw


@pytest.mark.long
@pytest.mark.skipif(bool(missing()), reason=missing() or "nothing is missing")
def test_every_promise_is_kept_under_all_kinds_of_faults_at_once(tmp_path: Path) -> None:
    kinds, lacking = available()
    if os.environ.get("CI"):
        assert not lacking
    seconds = 80.0 if os.environ.get("CI") else 6.0
    try:
        figures = perform(tmp_path, seconds, 4, print)
    except PermissionError as error:
        pytest.skip(str(error))
    assert figures.verdict.violations == []
    assert figures.verdict.private[h.Acknowledged]
    assert figures.verdict.counts[h.Delivered] > figures.verdict.counts[h.Acknowledged]
    if seconds > 60:
        assert len(figures.faults) > len(kinds) / 2


def test_a_seed_is_a_schedule() -> None:
    kinds, _ = available()
    assert draw(kinds, 300, 5) == draw(kinds, 300, 5) != draw(kinds, 300, 6)
    for lane in {kind.lane for kind in kinds}:
        mine = [step for step in draw(kinds, 300, 5) if step.kind.lane == lane]
        assert all(step.at + step.seconds <= later.at for step, later in itertools.pairwise(mine))
        assert {step.kind for step in mine} == {kind for kind in kinds if kind.lane == lane}
