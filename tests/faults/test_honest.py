"""The honest members see every message arrive, and notice those that do not."""

from __future__ import annotations

from tests.faults.broker_process import BrokerProcess
from tests.faults.honest import Latency, Members, share


def test_without_an_attack_everything_arrives() -> None:
    with BrokerProcess() as broker, Members(str(broker.address), members=3, rate=30) as members:
        first, second = members.measure(0.5), members.measure(0.5)
    for found in (first, second):
        assert found.sent >= 10
        assert found.expected == found.arrived == 2 * found.sent
        assert (found.refused, found.renewed) == (0, 0)
        assert 0 < found.p50 <= found.p99 <= found.longest


def test_what_is_lost_is_said() -> None:
    assert "LOST" not in str(Latency(1, 0, 4, 4, 0, 1.0, 1.0, 1.0))
    assert "1 LOST" in str(Latency(1, 0, 4, 3, 0, 1.0, 1.0, 1.0))


def test_shares_of_few_values() -> None:
    assert share([], 0.99) == 0
    assert share([1.0], 0.5) == share([1.0], 0.99) == 1
    assert share([float(value) for value in range(100)], 0.99) == 99
