"""Some megabytes pushed by a peer that never stops: the broker hangs up, stays small, and serves others."""

from __future__ import annotations

from common import messages
from tests.faults import push
from tests.faults.broker_process import BrokerProcess
from tests.support.loopback import RawClient

BYTES = 24_000_000


def test_whoever_pushes_is_hung_up_on_and_the_broker_stays_small() -> None:
    with BrokerProcess() as broker:
        pushed = push.push(broker.address, BYTES, at_once=8_000_000, frames=5_000)
        assert pushed.taken >= BYTES
        assert pushed.connections["hung up while sending"] + pushed.connections["hung up"] >= 3
        assert broker.peak_memory() < push.PEAK
        with RawClient(broker.address) as honest:
            honest.register("ana")
            assert honest.ask(messages.Ping()).ok
