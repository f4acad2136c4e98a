"""Recovery in brief: a small log, a few megabytes of write-ahead log, one kill."""

from __future__ import annotations

from tests.faults import recovery
from tests.faults.broker_process import BrokerProcess
from tests.support import unlimited


def test_a_broker_killed_under_load_is_back_and_has_all_that_it_acknowledged() -> None:
    with BrokerProcess(unlimited.toml()) as broker:
        broker.terminate()
        recovery.fill(broker, 3_000)
        recovery.start(broker)
        acknowledged = recovery.kill_under_load(broker, 2_000_000)
        assert len(acknowledged) >= 400
        # The time is promised for a machine that does nothing else: the scenario measures it, this only starts.
        assert recovery.start(broker).memory > 0
        assert recovery.kept(broker, acknowledged) == acknowledged
