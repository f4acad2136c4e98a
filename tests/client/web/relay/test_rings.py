"""What is kept for those who come back: complete, or not claimed to be."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from client.web.relay import bounds
from client.web.relay.rings import Ring, Rings

steps = st.lists(
    st.one_of(
        st.tuples(st.just("entry"), st.integers(1, 3), st.booleans()),
        st.tuples(st.just("marker"), st.just(0), st.booleans()),
        st.tuples(st.just("shrink"), st.just(0), st.booleans()),
    ),
    max_size=60,
)


@given(steps, st.integers(0, 60))
def test_a_ring_gives_all_that_came_after_a_cursor_or_says_that_it_cannot(
    steps: list[tuple[str, int, bool]], cursor: int
) -> None:
    """The log grows; some entries are lost on the way, some markers come, the ring shrinks now and then."""
    log: list[int] = []
    ring = Ring(0)
    for what, more, lost in steps:
        if what == "entry":
            prev = log[-1] if log else 0
            log.append(prev + more)
            if not lost:
                whole = ring.add(log[-1], prev, b"%d" % log[-1])
                assert whole or ring.after(prev) is not None
        elif what == "marker":
            ring.ends_at(log[-1] if log else 0)
        elif len(ring):
            ring.drop_first()
        given = ring.after(cursor)
        if given is not None:
            assert [kept.seq for kept in given] == [seq for seq in log if cursor < seq <= ring.last]
        assert ring.last <= (log[-1] if log else 0)


def test_an_entry_that_came_twice_is_kept_once() -> None:
    ring = Ring(0)
    for _ in range(2):
        assert ring.add(5, 0, b"x")
    assert [kept.seq for kept in ring.after(0) or ()] == [5]


def test_a_hole_empties_a_ring() -> None:
    ring = Ring(0)
    assert ring.add(1, 0, b"a")
    assert not ring.add(3, 2, b"c")
    assert ring.after(1) is None
    assert [kept.seq for kept in ring.after(2) or ()] == [3]


def test_a_ring_is_bounded_in_entries_and_bytes() -> None:
    ring = Ring(0)
    for seq in range(1, 2 * bounds.RING_ENTRIES + 1):
        ring.add(seq, seq - 1, b"x")
    assert len(ring) == bounds.RING_ENTRIES
    assert ring.after(bounds.RING_ENTRIES - 1) is None
    for seq in range(ring.last + 1, ring.last + 100):
        ring.add(seq, seq - 1, b"x" * 10_000)
        assert ring.bytes <= bounds.RING_BYTES


def test_together_they_are_bounded_and_the_log_that_is_silent_for_longest_goes_first() -> None:
    rings = Rings(most=20_000)
    for log in ("quiet", "loud"):
        rings.open(log, 1, 0)
    rings.add("quiet", 1, 1, 0, b"x" * 5_000)
    for seq in range(1, 40):
        rings.add("loud", 1, seq, seq - 1, b"x" * 1_000)
        assert rings.size <= 20_000
    assert rings.open("quiet", 1, 0).after(0) is None
    assert rings.open("loud", 1, 0).after(38) is not None
    rings.close("loud", 1)
    rings.close("quiet", 1)
    assert rings.size == 0


@dataclass
class Model:
    """A browser that knows nothing but the rules of the page on the protocol."""

    seen: int = 0
    entries: list[int] = field(default_factory=list)

    def take(self, seq: int) -> None:
        if seq > self.seen:
            self.entries.append(seq)
            self.seen = seq


@given(st.lists(st.tuples(st.sampled_from(("say", "lose", "away", "back", "shrink")), st.integers(1, 5)), max_size=80))
def test_whatever_is_cut_wherever_a_browser_ends_with_what_history_has(steps: list[tuple[str, int]]) -> None:
    log: list[int] = []
    ring, browser, here = Ring(0), Model(), True

    def resumed() -> None:
        given = ring.after(browser.seen)
        if given is None or ring.last < (log[-1] if log else 0):
            for seq in log:  # asks `history`
                browser.take(seq)
        else:
            for kept in given:
                browser.take(kept.seq)

    for what, count in steps:
        if what == "away":
            here = False
        elif what == "back" and not here:
            here = True
            resumed()
        elif what == "shrink":
            for _ in range(min(count, len(ring))):
                ring.drop_first()
        elif what in ("say", "lose"):
            for _ in range(count):
                prev = log[-1] if log else 0
                log.append(prev + 1)
                if what == "say" and ring.add(log[-1], prev, b"") and here and prev <= browser.seen:
                    browser.take(log[-1])
                elif what == "say" and here:
                    resumed()
    here = True
    resumed()
    assert browser.entries == log
