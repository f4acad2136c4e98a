"""Crash points in brief: some of the first commits', one of each call at least; planted faults are found."""

from __future__ import annotations

import shutil
from pathlib import Path

import apsw
import pytest

from tests.faults import committer
from tests.faults.crash_points import FAULTS, Outcome, Point, calls, crash, points

COMMITS = 12
EVERY = 151
"""One in so many points: a few seconds' worth, of every call."""

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace, to make a call fail")


@needs_strace
def test_a_crash_at_a_write_or_a_sync_loses_nothing_that_was_acknowledged() -> None:
    every = points(calls(COMMITS))
    chosen = every[::EVERY] + [Point(call, 1, kind) for call in ("fdatasync", "unlink") for kind in FAULTS]
    for outcome in (crash(point, COMMITS) for point in chosen):
        assert (outcome.lost, outcome.corrupt) == (set(), []), outcome.point


@needs_strace
def test_a_sync_that_fails_ends_the_journal_and_the_next_start_goes_on() -> None:
    last = calls(COMMITS)["fdatasync"] - 4
    outcome = crash(Point("fdatasync", last, "error=EIO"), COMMITS)
    assert outcome == Outcome(outcome.point, False, outcome.acknowledged, set(), [])
    assert 0 < outcome.acknowledged < COMMITS


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    file = tmp_path / "chat.db"
    assert committer.run(file, 0, COMMITS, lambda number: None) == 0
    assert committer.faults(file, set(range(COMMITS)), COMMITS) == (set(), [])
    return file


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("DELETE FROM entry WHERE time = 5", "15 follows 10, and says 14"),
        ("UPDATE entry SET text = 'hola' WHERE seq = 2", "job 4 (edit) and the message (-2, 2) do not fit"),
        ("UPDATE entry SET text = 'was here' WHERE seq = 3", "job 6 (retract) and the message (1, 3) do not fit"),
        ("UPDATE entry SET changed = 0 WHERE seq = 1", "do not fit"),
        ("UPDATE indexed SET upto = 9", "not indexed"),
        ("DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry WHERE time = 2)", "half of job 2"),
        ("UPDATE entry SET log = 1 WHERE log = -2 AND time = 1", "half of job 1"),
        ("UPDATE entry SET prev = 0 WHERE time = 6", "and says 0"),
        ("DELETE FROM room WHERE id = 109", "half of job 9"),
        ("INSERT INTO member VALUES (77, 1, 0)", "dangling"),
    ],
)
def test_what_is_broken_on_purpose_is_found(finished: Path, statement: str, finding: str) -> None:
    connection = apsw.Connection(str(finished))
    connection.execute(statement)
    assert connection.changes() == 1
    connection.close()
    _, wrong = committer.faults(finished, set(), COMMITS)
    assert any(finding in each for each in wrong), wrong


def test_a_lost_acknowledgement_is_found(finished: Path) -> None:
    connection = apsw.Connection(str(finished))
    connection.execute("DELETE FROM entry WHERE time = ?", (COMMITS - 2,))
    connection.close()
    assert committer.faults(finished, set(range(COMMITS)), COMMITS)[0] == {COMMITS - 2}


def test_a_damaged_file_is_found(finished: Path) -> None:
    content = bytearray(finished.read_bytes())
    content[8_192:12_288] = bytes(4_096)
    finished.write_bytes(content)
    assert committer.faults(finished, set(), COMMITS)[1]
