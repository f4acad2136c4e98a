"""A short round of pressure of each kind: nothing is lost, and the broker stays within its bounds."""

from __future__ import annotations

from tests.faults import pressure
from tests.faults.broker_process import BrokerProcess
from tests.faults.hostile import Hostile

FEW = {"mute": 300, "subscriber": 3_000}


def few(kind: str) -> tuple[int, ...]:
    return (FEW[kind],) if kind in FEW else ()


def test_all_at_once() -> None:
    with BrokerProcess() as broker:
        report = pressure.pressed(broker, list(pressure.TOGETHER), rounds=1, seconds=1.0, sizes=few)
        assert broker.alive
    assert report.broken() == []
    (counted,) = report.counted
    assert counted["flooder"]["rate-limited"] > 0, "the flooder was told to wait"
    assert counted["mute"]["connections"] >= FEW["mute"]
    assert counted["stopped"]["connections"] >= 1


def test_names_thieves_foreign_frames_and_costly_questions() -> None:
    with BrokerProcess() as broker:
        kinds = ["asker", "names", "thief", "foreign"]
        report = pressure.pressed(broker, kinds, rounds=1, seconds=1.0)
        assert broker.alive
        assert "Traceback" not in broker.log_text()
    assert report.broken() == []
    (counted,) = report.counted
    for kind in kinds:
        assert counted[kind]["sent"] > 0, kind


def test_a_hostile_peer_can_be_stopped_by_leaving_its_context() -> None:
    with BrokerProcess() as broker, Hostile("foreign", str(broker.address)) as hostile:
        hostile.wait()
        assert broker.alive
