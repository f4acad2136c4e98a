"""What a scenario has started ends with it, even if the scenario is killed."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.guard import GUARD, born, end
from tests.support.patience import PATIENCE_S

SCENARIO = """
import subprocess, sys, time
from pathlib import Path
from tests.faults.broker_process import BrokerProcess
from tests.faults.guard import GUARD
from tests.faults.people_plan import Person, Plan
from tests.faults.people_process import PeopleProcess

directory = Path(sys.argv[1])
broker = BrokerProcess(directory=directory)
ana = Person(login="ana")
plan = Plan(address=str(broker.address), where=sys.argv[1], name="people", people=[ana], seed=1, pause_s=1)
people = PeopleProcess(plan)
GUARD.unmake("a file", ["rm", str(directory / "made")])
broker.freeze()
people.freeze()
print(broker.pid, people.process.pid, GUARD._guard.pid, flush=True)
time.sleep(600)
"""


def wait_for_the_end(descriptor: int) -> None:
    ready, _, _ = select.select([descriptor], [], [], PATIENCE_S)
    assert ready
    os.close(descriptor)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux")
def test_a_scenario_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "made").touch()
    scenario = subprocess.Popen([sys.executable, "-c", SCENARIO, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert scenario.stdout is not None
    started = [os.pidfd_open(int(number)) for number in scenario.stdout.readline().split()]
    assert len(started) == 3
    scenario.kill()
    scenario.wait()
    scenario.stdout.close()
    for descriptor in started:
        wait_for_the_end(descriptor)
    assert not (tmp_path / "made").exists()


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux")
def test_a_number_that_another_process_has_by_then_is_left_alone() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
        end([(other.pid, born(other.pid) - 1), (2**22 + 1, 1)], [["no such command"]])
        assert other.poll() is None
        end([(other.pid, born(other.pid))], [])
        assert other.wait(PATIENCE_S) < 0


def test_there_is_no_guard_where_there_is_nothing_to_guard() -> None:
    before = GUARD._guard
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        GUARD.keep("cat", process.pid)
        assert GUARD._guard is not None
        GUARD.release("cat")
        assert process.poll() is None
    assert GUARD._guard is before
