"""What was free is the system's again."""

from __future__ import annotations

import ctypes
import gc
import platform

import pytest

from broker.wire.memory import CALM, GROWTH, Trimmer


@pytest.fixture(autouse=True)
def nothing_is_free() -> None:
    """What tests before these have freed is the system's: else what is taken now would be no growth."""
    gc.collect()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL("libc.so.6").malloc_trim(0)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="malloc_trim is glibc's")
def test_what_is_free_in_the_middle_is_given_back() -> None:
    trimmer = Trimmer()
    trimmer.trim()
    # Small pieces, and one in sixty-four kept: the allocator by itself gives back only what is free at the end.
    pieces = [bytes(1_000) for _ in range(4 * GROWTH // 1_000)]
    kept = pieces[::64]
    del pieces
    assert trimmer.trim() > GROWTH
    assert trimmer.trim() == 0
    assert kept


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="malloc_trim is glibc's")
def test_what_is_freed_after_the_growth_is_given_back_when_it_is_over() -> None:
    trimmer = Trimmer()
    pieces = [bytes(1_000) for _ in range(4 * GROWTH // 1_000)]
    kept = pieces[::64]
    trimmer.trim()
    del pieces
    given = [trimmer.trim() for _ in range(2 * CALM)]
    assert given[CALM - 1] > GROWTH
    assert sum(given) == given[CALM - 1]
    assert kept


def test_without_growth_nothing_is_done() -> None:
    trimmer = Trimmer()
    trimmer.trim()
    assert trimmer.trim() == 0
