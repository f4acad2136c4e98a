"""The gate: a session comes in whatever its neighbours did, strangers are counted, bans end and grow."""

from __future__ import annotations

import pytest

from broker.wire.bounds import Bounds
from broker.wire.gate import Gate, Offence
from common.limits import BAN_S, Rate

HOME = "192.0.2.7"


class House:
    """A gate at a moment, and the keys that have a session."""

    def __init__(self, **bounds: object) -> None:
        self.now = 100.0
        self.sessions = {"ana", "bruno"}
        self.gate = Gate(Bounds(**bounds), self.sessions.__contains__, lambda: self.now)  # type: ignore[arg-type]

    def admits(self, key: str, address: str = HOME) -> bool:
        return self.gate.admit(address, key)

    def ban_home(self) -> None:
        while self.admits("stranger"):
            self.gate.offended(HOME, None, Offence.FOREIGN_FRAME)


def test_strangers_of_one_address_wait_and_sessions_do_not() -> None:
    house = House(handshakes=Rate(1, 3))
    assert [house.admits(f"new{n}") for n in range(4)] == [True, True, True, False]
    assert house.gate.refused == 1
    assert all(house.admits("ana") for _ in range(10))
    assert house.admits("new", "192.0.2.8")
    house.now += 1
    assert house.admits("new4")


def test_a_session_that_connects_again_and_again_waits_alone() -> None:
    house = House(session_handshakes=Rate(1, 3))
    assert [house.admits("ana") for _ in range(4)] == [True, True, True, False]
    assert house.admits("bruno")
    house.now += 1
    assert house.admits("ana")


def test_an_address_that_goes_on_is_banned_but_not_its_sessions() -> None:
    house = House(offences=Rate(0.1, 3))
    for _ in range(3):
        house.gate.offended(HOME, "stranger", Offence.BYTES)
        assert house.admits("stranger")
    house.gate.offended(HOME, "stranger", Offence.BYTES)
    assert not house.admits("stranger")
    assert not house.admits("another")
    assert house.admits("ana")
    assert house.admits("stranger", "192.0.2.8")


def test_a_house_whose_sessions_all_ended_meanwhile_is_not_banned_for_the_rooms_they_ask_for() -> None:
    house = House(offences=Rate(0.1, 2))
    for _ in range(32):
        house.gate.offended(HOME, "stranger", Offence.SUBSCRIPTIONS)
        assert house.admits("stranger")
    house.gate.offended(HOME, "stranger", Offence.SUBSCRIPTIONS)
    assert not house.admits("stranger"), "but who goes on is"


@pytest.mark.parametrize("offence", [Offence.FLOOD, Offence.BYTES, Offence.SUBSCRIPTIONS])
def test_a_session_that_floods_is_banned_at_once_and_alone(offence: Offence) -> None:
    house = House()
    house.gate.offended(HOME, "ana", offence)
    assert not house.admits("ana")
    assert not house.admits("ana", "192.0.2.8")
    assert house.admits("bruno")
    assert house.admits("stranger")
    house.now += BAN_S[0]
    assert house.admits("ana")


def test_a_session_that_slips_once_is_not_banned() -> None:
    house = House(offences=Rate(0.1, 2))
    house.gate.offended(HOME, "ana", Offence.FOREIGN_FRAME)
    house.gate.offended(HOME, "ana", Offence.FOREIGN_FRAME)
    assert house.admits("ana")
    house.gate.offended(HOME, "ana", Offence.FOREIGN_FRAME)
    assert not house.admits("ana")


def test_bans_grow_up_to_the_longest_and_are_forgotten_in_time() -> None:
    house, lengths = House(offences=Rate(0.001, 1), ban_s=100.0), []
    for _ in range(5):
        house.ban_home()
        began = house.now
        while not house.admits("stranger"):
            house.now += 50
        lengths.append(house.now - began)
    assert lengths == [100, 200, 400, 600, 600]
    house.now += 2 * BAN_S[1]
    house.ban_home()
    house.now += 100
    assert house.admits("stranger")


def test_an_offence_during_a_ban_changes_nothing() -> None:
    house = House()
    house.gate.offended(HOME, "ana", Offence.FLOOD)
    house.now += BAN_S[0] - 1
    house.gate.offended(HOME, "ana", Offence.FLOOD)
    house.now += 1
    assert house.admits("ana")


def test_bans_can_be_switched_off() -> None:
    house = House(ban_s=0.0)
    for _ in range(100):
        house.gate.offended(HOME, "ana", Offence.FLOOD)
        house.gate.offended(HOME, None, Offence.FOREIGN_FRAME)
    assert house.admits("ana")
    assert house.admits("stranger")


def test_memory_of_bans_is_bounded() -> None:
    house = House(offences=Rate(0.001, 1))
    for number in range(10_100):
        house.sessions.add(f"key{number}")
        house.gate.offended(HOME, f"key{number}", Offence.FLOOD)
    assert house.admits("key0")
    assert not house.admits("key10099")
