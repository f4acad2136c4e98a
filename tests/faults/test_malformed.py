"""Some thousands of malformed inputs of each kind: the counts and bounds of the long run, without its timings."""

from __future__ import annotations

from tests.faults import malformed
from tests.faults.broker_process import BrokerProcess
from tests.faults.honest import Members
from tests.faults.malformed_bytes import Mutator, requests


def test_nothing_leaves_the_decoders_but_their_own_error() -> None:
    report = malformed.Report()
    malformed.decoders(5_000, 11, report)
    assert report.broken == []


def test_the_same_seed_makes_the_same_bytes() -> None:
    one, same, other = (Mutator(requests(), seed) for seed in (1, 1, 2))
    made = [one() for _ in range(100)]
    assert made == [same() for _ in range(100)]
    assert made != [other() for _ in range(100)]


def test_the_broker_outlives_malformed_connections_and_frames() -> None:
    report = malformed.Report()
    with BrokerProcess() as broker, Members(str(broker.address), members=3) as members:
        connections, frames = malformed.network(broker, members, 2_000, 12, 0.5, report)
    assert report.broken == []
    assert connections.made == 2_000
    assert connections.failed < 100, "they did reach the broker"
    assert connections.hung_up > 500
    assert frames.frames == 2_000
    assert frames.silent == 0
