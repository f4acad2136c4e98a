"""A small storm: everybody comes back with everything; and what counts it notices what is missing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from common.keys import generate
from tests.faults import storm
from tests.faults.broker_process import BrokerProcess
from tests.faults.storm_accounts import ROOM, Client, load, make, save


def test_whoever_is_cut_off_comes_back_with_everything_and_without_a_password() -> None:
    report = storm.storm(50, real=6, lagging=6)
    assert report.broken == []
    assert set(report.live) == {"kill -9 and restart", "all connections lost"}
    assert report.logins == 0
    # Each at first, and after each cut; those that were stopped know of one.
    assert report.hellos >= 38 * 3 + 6 * 2
    assert all(count > 4 for count in report.entries.values())


def test_those_written_down_are_those_who_come(tmp_path: Path) -> None:
    people = [Client("ana", generate()), Client("bob", generate())]
    save(people, tmp_path / "people.json")
    assert load(tmp_path / "people.json") == people


def test_a_client_that_missed_something_is_noticed() -> None:
    async def scenario(broker: BrokerProcess, people: list[Client]) -> storm.Report:
        report = storm.Report()
        real = storm.RealClients(broker, people)
        await real.start()
        try:
            await real.have({"lobby": 9, ROOM: 9})
            await real.quiet()
            # Planted: one entry was never given out.
            real.given[0]["lobby"].pop(0)
            await storm.settle([], real, report)
        finally:
            await real.close()
        return report

    with BrokerProcess(storm.CONFIG) as broker:
        broker.terminate()
        people = make(broker.data / "tertulia.db", 2)
        broker.start()
        report = asyncio.run(scenario(broker, people))
    assert report.broken == ["storm00000, a real client, was not given everything once"]
