"""The tables of what an address may do."""

from __future__ import annotations

import pytest

from client.web.edge.allowances import Allowances, Places
from common.limits import Rate


def test_a_burst_is_allowed_and_then_what_time_brings() -> None:
    allowances = Allowances(Rate(0.5, 3))
    assert [allowances.wait("a", 100.0) for _ in range(4)] == [0, 0, 0, 2.0]
    assert allowances.wait("b", 100.0) == 0
    assert allowances.wait("a", 101.0) == 1.0
    assert allowances.wait("a", 102.0) == 0
    assert allowances.wait("a", 102.0) == 2.0
    assert [allowances.wait("a", 9_999.0) for _ in range(4)] == [0, 0, 0, 2.0]


def test_of_more_addresses_than_the_table_holds_those_seen_longest_ago_go() -> None:
    allowances = Allowances(Rate(0.001, 1), most=3)
    for address in "abc":
        allowances.wait(address, 0.0)
    assert allowances.wait("a", 0.0) > 0  # seen again
    allowances.wait("d", 0.0)
    assert len(allowances) == 3
    assert allowances.wait("a", 0.0) > 0
    assert allowances.wait("b", 0.0) == 0  # forgotten


def test_places_are_bounded_for_each_address_and_in_all() -> None:
    places = Places(2, 4)
    assert [places.take("a") for _ in range(3)] == [True, True, False]
    assert places.take("a", bounded=False)
    assert [places.take("b") for _ in range(2)] == [True, False]
    places.free("a")
    assert places.taken == 3
    assert places.take("c")
    for address in "aabc":
        places.free(address)
    assert places.taken == 0
    with pytest.raises(AssertionError):
        places.free("a")
