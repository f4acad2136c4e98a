"""Token buckets: what passes at once, what passes for ever, and what they remember."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.chat.rates import Limiter
from common.errors import RateLimited
from common.limits import Rate


def test_a_burst_passes_and_one_more_waits_for_its_token() -> None:
    limiter = Limiter(Rate(10, 5))
    assert [limiter.take("ana", 100.0) for _ in range(5)] == [0.0] * 5
    assert limiter.take("ana", 100.0) == pytest.approx(0.1)
    assert limiter.take("bruno", 100.0) == 0.0
    assert limiter.take("ana", 100.1) == 0.0
    assert limiter.take("ana", 100.1) == pytest.approx(0.1)


def test_a_refusal_takes_nothing() -> None:
    limiter = Limiter(Rate(1, 1))
    assert limiter.take("ana", 0.0) == 0.0
    for _ in range(100):
        assert limiter.take("ana", 0.5) == pytest.approx(0.5)
    assert limiter.take("ana", 1.0) == 0.0


def test_without_a_rate_there_is_no_limit() -> None:
    limiter = Limiter(Rate(0, 0))
    assert not any(limiter.take("ana", 0.0) for _ in range(10_000))
    assert len(limiter) == 0


def test_what_is_refused_says_how_long_to_wait() -> None:
    limiter = Limiter(Rate(0.5, 1))
    limiter.check("ana", 0.0, "Slowly.")
    with pytest.raises(RateLimited, match="Slowly") as refused:
        limiter.check("ana", 0.0, "Slowly.")
    assert refused.value.retry_after == pytest.approx(2.0, abs=0.02)


@given(st.floats(0.0, 0.09))
def test_whoever_waited_as_told_passes_though_the_moment_is_that_of_a_turn(since: float) -> None:
    limiter = Limiter(Rate(10, 1))
    limiter.check("ana", 0.0, "Slowly.")
    with pytest.raises(RateLimited) as refused:
        limiter.check("ana", since, "Slowly.")
    limiter.check("ana", since + refused.value.retry_after - 0.008, "Slowly.")


@given(st.floats(0.0, 1e7), st.sampled_from([1, 10, 300]), st.sampled_from([0.3, 7.0, 150.0, 1_000.0]))
def test_a_whole_burst_passes_however_long_the_machine_has_run(now: float, burst: int, per_s: float) -> None:
    limiter = Limiter(Rate(per_s, burst))
    for _ in range(burst):
        limiter.check("ana", now, "Slowly.")


def test_memory_is_bounded_and_the_full_are_forgotten_first() -> None:
    limiter = Limiter(Rate(1, 10), kept=100)
    for _ in range(10):
        limiter.take("busy", 1_000.0)
    for number in range(99):
        limiter.take(number, 0.0)
    limiter.take("one more", 1_000.0)
    assert len(limiter) <= 100
    assert limiter.take("busy", 1_000.0) > 0
    many = Limiter(Rate(0.001, 1), kept=100)
    for number in range(1_000):
        many.take(number, 0.0)
        assert len(many) <= 100


@given(st.floats(0.1, 1_000), st.integers(1, 500), st.lists(st.floats(0, 2), max_size=60))
def test_never_more_than_the_burst_and_the_rate_allow(per_s: float, burst: int, pauses: list[float]) -> None:
    limiter, now, passed = Limiter(Rate(per_s, burst)), 50.0, 0
    for pause in pauses:
        now += pause
        while passed < 2_000 and limiter.take("ana", now) == 0.0:
            passed += 1
        assert passed <= burst + per_s * (now - 50.0) + 1
        # Whoever waits as long as was said is served.
        wait = limiter.take("ana", now)
        now += wait * (1 + 1e-6) + 1e-6
        if wait:
            assert limiter.take("ana", now) == 0.0
            passed += 1
