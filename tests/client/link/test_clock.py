"""The broker's time from round trips, whatever the clocks do."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.link.clock import WINDOW, Clock


class Machine:
    """A machine's two clocks and a broker's, which the test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.wall_ahead = 1_700_000_000.0
        self.broker_ahead = 1_700_000_000.0
        self.clock = Clock(lambda: self.now, lambda: self.now + self.wall_ahead)

    def broker_ms(self) -> int:
        return int((self.now + self.broker_ahead) * 1000)

    def beat(self, there: float, back: float) -> None:
        """A heartbeat that takes so many seconds there and back."""
        sent = self.now
        self.now += there
        shown = self.broker_ms()
        self.now += back
        self.clock.sample(sent, self.now, shown)

    @property
    def error_ms(self) -> float:
        return self.clock.now() - (self.now + self.broker_ahead) * 1000


def test_without_a_sample_it_is_the_local_clock() -> None:
    machine = Machine()
    assert not machine.clock.synchronised
    assert machine.clock.now() == 1_700_001_000_000
    assert machine.clock.offset_ms == 0
    assert machine.clock.error_ms is machine.clock.round_trip_ms is None


@pytest.mark.parametrize("ahead", [-86_400.0, -0.25, 0.0, 0.25, 3_600.0])
def test_a_symmetric_round_trip_gives_the_offset(ahead: float) -> None:
    machine = Machine()
    machine.broker_ahead += ahead
    machine.beat(0.02, 0.02)
    assert machine.clock.synchronised
    assert machine.error_ms == pytest.approx(0, abs=1.1)
    assert machine.clock.offset_ms == pytest.approx(ahead * 1000, abs=1.1)
    assert machine.clock.round_trip_ms == pytest.approx(40)
    assert machine.clock.error_ms == pytest.approx(20)


def test_the_shortest_round_trip_of_the_window_counts() -> None:
    machine = Machine()
    machine.beat(0.001, 0.001)
    for _ in range(WINDOW - 1):
        machine.beat(0.4, 0.0)
    assert machine.error_ms == pytest.approx(0, abs=1.1)
    machine.beat(0.4, 0.0)
    assert machine.error_ms == pytest.approx(200, abs=2), "the good sample has left the window"


@given(st.integers(0, 2**32))
def test_the_error_is_within_its_bound(seed: int) -> None:
    chance, machine = random.Random(seed), Machine()
    machine.broker_ahead += chance.uniform(-1e5, 1e5)
    for _ in range(30):
        machine.beat(chance.expovariate(20), chance.expovariate(20))
        machine.now += 5
        assert machine.clock.error_ms is not None
        assert abs(machine.error_ms) <= machine.clock.error_ms + 2


def test_a_jump_of_the_local_wall_clock_changes_nothing_but_the_offset() -> None:
    machine = Machine()
    machine.beat(0.01, 0.01)
    machine.wall_ahead += 3_600
    assert machine.error_ms == pytest.approx(0, abs=1.1)
    assert machine.clock.offset_ms == pytest.approx(-3_600_000, abs=1.1)


@pytest.mark.parametrize("jump", [-86_400.0, -1.0, 1.0, 86_400.0])
def test_a_jump_of_the_brokers_clock_is_followed_at_the_next_heartbeat(jump: float) -> None:
    machine = Machine()
    for _ in range(WINDOW):
        machine.beat(0.001, 0.001)
        machine.now += 5
    machine.broker_ahead += jump
    machine.beat(0.1, 0.1)
    assert machine.error_ms == pytest.approx(0, abs=1.1)


def test_slow_drift_is_followed() -> None:
    machine = Machine()
    for _ in range(100):
        machine.beat(0.005, 0.005)
        machine.now += 5
        machine.broker_ahead += 5 * 100e-6
    assert abs(machine.error_ms) < 6


def test_a_round_trip_that_ends_before_it_began_is_taken_as_none() -> None:
    machine = Machine()
    machine.clock.sample(10.0, 9.0, 12_345)
    assert machine.clock.round_trip_ms == 0
