"""A full disk in brief; and what judges it finds planted faults."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable

import pytest

from tests.faults.disk_full import Course, Onlooker, Sender, can_mount


@pytest.mark.skipif(not can_mount(), reason="needs root on Linux, to mount a small disk")
def test_a_full_disk_is_told_and_over_as_soon_as_there_is_room() -> None:
    command = [sys.executable, "-m", "tests.faults", "disk-full", "--seconds", "1", "--people", "3"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "each sender was told: True" in done.stdout


def course() -> Course:
    """One that kept every promise."""
    sender = Sender("ana", {b"a": 1, b"b": 2}, Counter({"storage-failed": 3}), times=[0.5, 3.1])
    return Course([sender], Onlooker({1: b"a", 2: b"b"}, [2.0]), full=1.0, room=3.0, log={1: b"a", 2: b"b"})


def test_a_course_that_kept_every_promise() -> None:
    assert course().broken() == []


@pytest.mark.parametrize(
    ("harm", "finding"),
    [
        (lambda it: it.log.pop(2), "ana lost 1"),
        (lambda it: it.log.update({3: b"a"}), "twice"),
        (lambda it: it.onlooker.heard.update({4: b"c"}), "broadcast that is not in the log"),
        (lambda it: it.senders[0].refused.clear(), "was told"),
        (lambda it: it.senders[0].refused.update(["internal"]), "was told"),
        (lambda it: setattr(it.senders[0], "unanswered", 1), "no answer"),
        (lambda it: it.onlooker.pages.clear(), "history could not be read"),
        (lambda it: it.onlooker.failed.update(["internal"]), "history could not be read"),
        (lambda it: it.senders[0].times.pop(), "writing again took inf"),
        (lambda it: setattr(it, "room", 0.6), "writing again took 2.50 s"),
    ],
)
def test_a_broken_promise_is_found(harm: Callable[[Course], object], finding: str) -> None:
    harmed = course()
    harm(harmed)
    assert any(finding in each for each in harmed.broken()), harmed.broken()
