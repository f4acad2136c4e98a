"""A pause, never a lock-out."""

import pytest

from broker.chat.throttle import Throttle
from common.errors import RateLimited
from common.limits import LOGIN_FAILURES, LOGIN_FAILURES_PER_ADDRESS, LOGIN_PAUSE_MAX_S


def wait(throttle: Throttle, account: str, address: str, now: float) -> float:
    try:
        throttle.begin(account, address, now)
    except RateLimited as error:
        assert error.retry_after is not None
        return error.retry_after
    return 0.0


def test_pauses_double_up_to_a_minute() -> None:
    throttle, now, waits = Throttle(), 0.0, []
    for _ in range(LOGIN_FAILURES):
        throttle.begin("ana", "a", now)
    for _ in range(9):
        waits.append(wait(throttle, "ana", "a", now))
        now += waits[-1]
        throttle.begin("ana", "a", now)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, LOGIN_PAUSE_MAX_S]


def test_success_and_time_forgive() -> None:
    throttle = Throttle()
    for _ in range(LOGIN_FAILURES):
        throttle.begin("ana", "a", 0.0)
    throttle.succeed("ana", "a", 0.0)
    throttle.begin("ana", "a", 0.0)
    for _ in range(LOGIN_FAILURES - 1):
        throttle.begin("ana", "a", 0.0)
    throttle.begin("ana", "a", 2000.0)
    throttle.begin("ana", "a", 2000.0)


def test_an_address_may_try_for_many_accounts_but_not_for_ever() -> None:
    throttle = Throttle()
    for number in range(LOGIN_FAILURES_PER_ADDRESS):
        throttle.begin(f"user{number}", "a", 0.0)
    with pytest.raises(RateLimited):
        throttle.begin("another", "a", 0.0)
    throttle.begin("another", "b", 0.0)


def test_ones_own_success_does_not_pay_for_ones_guesses() -> None:
    throttle = Throttle()
    with pytest.raises(RateLimited):
        for number in range(2 * LOGIN_FAILURES_PER_ADDRESS):
            throttle.begin("own", "a", 0.0)
            throttle.succeed("own", "a", 0.0)
            throttle.begin(f"victim{number}", "a", 0.0)


def test_what_is_remembered_is_bounded() -> None:
    throttle = Throttle()
    for number in range(12_000):
        throttle.begin(f"user{number}", f"address{number}", 0.0)
    assert len(throttle._tries) <= 10_000
