"""Topics are asked for until they are granted."""

from __future__ import annotations

import math

import pytest

from client.link.actions import Subscribe, Unsubscribe
from client.link.subscriptions import DOUBT, QUICK, WAIT_MAX_S, WAIT_S, Subscriptions

BEACON = "~" + "0" * 11


class Desk:
    """Subscriptions, and what they asked of the socket."""

    def __init__(self, *logs: str) -> None:
        self.asked: list[str] = []
        self.subscriptions = Subscriptions(self.act, lambda count: bytes(count))
        self.subscriptions.connected(0.0)
        self.subscriptions.beacon = BEACON
        for log in logs:
            self.subscriptions.want(log, 0.0)

    def act(self, action: Subscribe | Unsubscribe) -> None:
        sign = "+" if isinstance(action, Subscribe) else "-"
        self.asked.append(sign + action.topic.decode().rstrip("\0"))

    def take(self) -> list[str]:
        taken, self.asked = self.asked, []
        return taken


def test_asking_once_and_taking_back_once() -> None:
    desk = Desk("dev")
    desk.subscriptions.want("dev", 0.0)
    assert desk.take() == ["+dev"]
    assert "dev" in desk.subscriptions
    assert not desk.subscriptions.complete
    desk.subscriptions.drop("dev")
    desk.subscriptions.drop("dev")
    assert desk.take() == ["-dev"]
    assert "dev" not in desk.subscriptions
    assert desk.subscriptions.complete


def test_what_is_not_granted_is_asked_for_again_ever_less_often() -> None:
    desk = Desk("dev")
    desk.take()
    now, waits = 0.0, []
    for _ in range(10):
        due = desk.subscriptions.deadline()
        waits.append(due - now)
        assert desk.subscriptions.tick(due - 0.01) == []
        assert desk.take() == []
        desk.subscriptions.tick(due)
        assert desk.take() == ["-dev", "+dev"]
        now = due
    assert waits[:6] == pytest.approx([WAIT_S, WAIT_S, WAIT_S, 2 * WAIT_S, 4 * WAIT_S, 8 * WAIT_S])
    assert sum(waits[:QUICK]) < 1, "within a second it has been asked for often enough to get past a guard"
    assert waits[-1] == pytest.approx(WAIT_MAX_S)
    assert not desk.subscriptions.granted("dev")
    assert desk.subscriptions.deadline() == math.inf
    assert desk.subscriptions.granted("dev"), "a second marker says that it was granted before"


def test_what_is_asked_for_in_vain_is_reported_after_a_second_and_the_beacon_a_little_earlier() -> None:
    desk = Desk("dev")
    for _ in range(QUICK):
        assert desk.subscriptions.tick(desk.subscriptions.deadline()) == []
    assert desk.subscriptions.deadline() >= 1.0
    assert desk.subscriptions.tick(desk.subscriptions.deadline()) == ["dev"]
    desk = Desk(BEACON)
    for _ in range(QUICK - 1):
        assert desk.subscriptions.tick(desk.subscriptions.deadline()) == []
    assert desk.subscriptions.tick(desk.subscriptions.deadline()) == [BEACON]


def test_as_long_as_the_beacon_is_missing_only_it_is_asked_for_again() -> None:
    desk = Desk(BEACON, "dev")
    desk.take()
    desk.subscriptions.tick(1.0)
    assert desk.take() == [f"-{BEACON}", f"+{BEACON}"]
    desk.subscriptions.granted(BEACON)
    desk.subscriptions.tick(2.0)
    assert desk.take() == ["-dev", "+dev"]


def test_a_beacon_whose_grant_is_believed_in_but_gone_is_asked_for_again() -> None:
    desk = Desk(BEACON, "dev")
    desk.subscriptions.granted(BEACON)
    for _ in range(DOUBT):
        desk.take()
        desk.subscriptions.tick(desk.subscriptions.deadline())
    assert desk.take() == ["-dev", "+dev", f"-{BEACON}", f"+{BEACON}"]
    assert not desk.subscriptions.granted(BEACON)


def test_after_a_cut_libzmq_asks_and_we_only_look_whether_it_was_heard() -> None:
    desk = Desk(BEACON, "dev")
    desk.subscriptions.granted(BEACON)
    desk.subscriptions.granted("dev")
    desk.take()
    desk.subscriptions.lost()
    assert desk.subscriptions.deadline() == math.inf
    desk.subscriptions.tick(50.0)
    desk.subscriptions.want("new", 50.0)
    desk.subscriptions.connected(60.0)
    assert desk.take() == ["+new"]
    assert not desk.subscriptions.granted(BEACON)
    assert not desk.subscriptions.complete
    desk.subscriptions.tick(61.0)
    assert desk.take() == ["-dev", "+dev", "-new", "+new"]


def test_a_second_grant_of_the_beacon_means_a_new_connection() -> None:
    desk = Desk(BEACON, "dev")
    desk.subscriptions.granted(BEACON)
    desk.subscriptions.granted("dev")
    assert desk.subscriptions.granted(BEACON)
    desk.subscriptions.remade(5.0)
    assert not desk.subscriptions.complete
    assert not desk.subscriptions.granted("dev")
    assert desk.subscriptions.complete


def test_what_seems_dead_can_be_renewed() -> None:
    desk = Desk("dev")
    desk.take()
    desk.subscriptions.renew("dev", 1.0)
    assert desk.take() == [], "it has not even been granted"
    desk.subscriptions.granted("dev")
    desk.subscriptions.renew("dev", 1.0)
    desk.subscriptions.renew("unknown", 1.0)
    assert desk.take() == ["-dev", "+dev"]
    assert not desk.subscriptions.complete


def test_dropping_all() -> None:
    desk = Desk(BEACON, "dev")
    desk.take()
    desk.subscriptions.drop_all()
    assert desk.take() == [f"-{BEACON}", "-dev"]
    assert desk.subscriptions.beacon == ""
    assert desk.subscriptions.deadline() == math.inf


def test_jitter_spreads_the_repetitions() -> None:
    last = Subscriptions(lambda action: None, lambda count: b"\xff" * count)
    last.connected(0.0)
    last.want("dev", 0.0)
    assert WAIT_S * 1.4 < last.deadline() < WAIT_S * 1.5
