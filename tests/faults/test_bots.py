"""A bot that resumes is killed under people who ask: a few times here, two hundred times by hand."""

from __future__ import annotations

from pathlib import Path

from tests.faults.bots import perform


def test_a_bot_that_is_killed_again_and_again_answers_everything_once_and_in_order(tmp_path: Path) -> None:
    figures = perform(tmp_path, kills=6, seed=2)
    assert figures.verdict.violations == []
    assert figures.verdict.asked > figures.kills
    assert figures.verdict.in_private
