"""The journal: groups, order, a full queue, failures and what they take with them, stopping.

Long because all of it is played on one gated store.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue

import pytest

from broker.chat.effects import Append, Commit, Origin
from broker.chat.ports import AddRoom, DropRoom, Place, ReadLog, StoreBroken, StoreFailed, StoreFull, Write
from broker.store.journal import GROUP, Job, Journal, Settled
from broker.store.sqlite import PURGED_AT_ONCE, SqliteStore
from testkit.memory_store import MemoryStore
from tests.contract.store_contract import DEN, PEOPLE, SETTING, message, whole
from tests.support.patience import PATIENCE_S

ORIGIN = Origin(b"", "", "", 0, "")


def append(number: int, log: int = 1) -> Append:
    return Append(ORIGIN, message(number, log))


def commit(*writes: Write) -> Commit:
    return Commit(writes, lambda places, now: [], None, None)


class GatedStore(MemoryStore):
    """A store whose commits wait for a permit, so that a test decides what queues up behind one."""

    def __init__(self) -> None:
        super().__init__()
        self.entered: SimpleQueue[int] = SimpleQueue()
        self.permits = threading.Semaphore(0)
        self.fault: Exception | None = None

    def commit(self, writes: Sequence[Write]) -> list[tuple[Place, ...]]:
        self.entered.put(len(writes))
        assert self.permits.acquire(timeout=PATIENCE_S)
        if self.fault is not None:
            raise self.fault
        return super().commit(writes)


class Desk:
    """What the reactor does with a journal: submit, be woken, take results."""

    def __init__(self, store: MemoryStore | SqliteStore, capacity: int = 10_000) -> None:
        self.woken: SimpleQueue[None] = SimpleQueue()
        self.journal = Journal(store, lambda: self.woken.put(None), capacity)

    def take(self, count: int) -> list[Settled]:
        """The next `count` results, waiting for the journal's calls."""
        results: list[Settled] = []
        while len(results) < count:
            self.woken.get(timeout=PATIENCE_S)
            while self.journal.results:
                results.append(self.journal.results.popleft())
        assert len(results) == count
        return results


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The broker's log, also when another test has given it a stream of its own."""
    logger = logging.getLogger("broker")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


@pytest.fixture
def desk() -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def make(store: MemoryStore | SqliteStore, capacity: int = 10_000) -> Desk:
        desks.append(Desk(store, capacity))
        return desks[-1]

    yield make
    for made in desks:
        assert made.journal.stop(PATIENCE_S)


def test_what_has_queued_is_one_transaction(desk: Callable[..., Desk]) -> None:
    store = MemoryStore()
    d = desk(store)
    jobs: list[Job] = [append(1), commit(*SETTING, message(2), message(3)), commit(), append(4)]
    assert all(d.journal.submit(job) for job in jobs)
    d.journal.start()
    one, two, three, four = d.take(4)
    assert [settled.job for settled in (one, two, three, four)] == jobs
    assert store.commits == 1
    assert one.places == (Place(1, 0, 5_000, False),)
    assert two.places == [(Place(2, 1, 5_000, False),), (Place(3, 2, 5_000, False),)]
    assert three.places == []
    assert four.places == (Place(4, 3, 5_000, False),)
    assert {settled.error for settled in (one, two, three, four)} == {None}
    assert d.woken.empty(), "one call for the whole group"


def test_a_group_is_bounded(desk: Callable[..., Desk]) -> None:
    store = GatedStore()
    store.permits.release(10)
    d = desk(store)
    for number in range(GROUP + 1):
        d.journal.submit(append(number))
    d.journal.start()
    settled = d.take(GROUP + 1)
    assert (store.entered.get(), store.entered.get()) == (GROUP, 1)
    assert [result.places for result in settled] == [
        (Place(number, number - 1, 5_000, False),) for number in range(1, GROUP + 2)
    ]


def test_a_full_queue_says_so_at_once(desk: Callable[..., Desk]) -> None:
    d = desk(MemoryStore(), capacity=2)
    assert [d.journal.submit(append(number)) for number in range(3)] == [True, True, False]
    d.journal.start()
    assert [settled.job for settled in d.take(2)] == [append(0), append(1)]
    assert d.journal.submit(append(3))
    d.take(1)


def test_a_failure_takes_with_it_what_was_submitted_before_the_reactor_knew(desk: Callable[..., Desk]) -> None:
    store = GatedStore()
    d = desk(store)
    d.journal.start()
    assert d.journal.submit(commit(AddRoom(DEN)))
    assert store.entered.get(timeout=PATIENCE_S) == 1
    d.journal.submit(append(1, DEN.id))  # builds on the room
    store.failing = StoreFull("no space")
    store.permits.release()
    first, second = d.take(2)
    assert (first.places, second.places) == (None, None)
    assert first.error is second.error is store.failing
    store.failing = None
    d.journal.submit(append(2, DEN.id))
    (third,) = d.take(1)
    assert third.error is first.error, "the store is well again, but the reactor has not undone anything yet"
    d.journal.resume(first.error)
    store.permits.release()
    d.journal.submit(append(3))
    (fourth,) = d.take(1)
    assert fourth.places == (Place(1, 0, 5_000, False),)


def test_what_was_queued_before_resume_fails_and_what_comes_after_does_not(desk: Callable[..., Desk]) -> None:
    store = GatedStore()
    store.failing = StoreFailed("broken")
    d = desk(store)
    d.journal.start()
    d.journal.submit(append(1))
    store.entered.get(timeout=PATIENCE_S)
    d.journal.submit(append(2))
    d.journal.resume()
    d.journal.submit(append(3))
    store.permits.release()
    assert [settled.error for settled in d.take(2)] == [store.failing] * 2
    store.failing = None
    store.entered.get(timeout=PATIENCE_S)
    store.permits.release()
    assert [settled.error for settled in d.take(1)] == [None]


def test_a_late_resume_does_not_lift_a_newer_failure(desk: Callable[..., Desk]) -> None:
    store = MemoryStore()
    first = store.failing = StoreFailed("first")
    d = desk(store)
    d.journal.start()
    d.journal.submit(append(1))
    d.take(1)
    d.journal.resume(first)
    second = store.failing = StoreFailed("second")
    d.journal.submit(append(2))
    assert d.take(1)[0].error is second
    store.failing = None
    d.journal.resume(first)
    d.journal.submit(append(3))
    assert d.take(1)[0].error is second
    d.journal.resume(second)
    d.journal.submit(append(4))
    assert d.take(1)[0].error is None


def test_resume_without_a_failure_does_nothing(desk: Callable[..., Desk]) -> None:
    d = desk(MemoryStore())
    d.journal.start()
    d.journal.resume()
    d.journal.submit(append(1))
    assert d.take(1)[0].error is None


def test_a_fault_is_reported_logged_and_survived(desk: Callable[..., Desk], logged: pytest.LogCaptureFixture) -> None:
    store = GatedStore()
    d = desk(store)
    d.journal.start()
    d.journal.submit(append(1))
    store.entered.get(timeout=PATIENCE_S)
    d.journal.submit(append(2))
    store.fault = ZeroDivisionError("a bug")
    store.permits.release()
    first, second = d.take(2)
    assert isinstance(first.error, StoreFailed)
    assert second.error is first.error
    assert "ZeroDivisionError: a bug" in logged.text
    assert d.journal.alive
    store.fault = None
    d.journal.resume(first.error)
    d.journal.submit(append(3))
    store.permits.release()
    assert d.take(1)[0].error is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_cannot_go_on_leaves_nobody_waiting() -> None:
    store = GatedStore()
    gone = threading.Event()

    def broken() -> None:
        gone.set()
        raise ZeroDivisionError("the bell is broken")

    journal = Journal(store, broken, 10)
    journal.start()
    journal.submit(append(1))
    store.entered.get(timeout=PATIENCE_S)
    journal.submit(append(2))
    journal.resume()
    store.permits.release()
    assert gone.wait(PATIENCE_S)
    assert journal.stop(PATIENCE_S)
    assert not journal.alive
    assert not journal.submit(append(3))
    first, second = journal.results
    assert (first.job, first.error) == (append(1), None), "it was on disk"
    assert second.job == append(2)
    assert isinstance(second.error, StoreFailed)


def test_stop_commits_what_was_accepted(desk: Callable[..., Desk]) -> None:
    store = GatedStore()
    d = desk(store)
    d.journal.start()
    d.journal.submit(append(0))
    store.entered.get(timeout=PATIENCE_S)
    for number in range(1, 5):
        assert d.journal.submit(append(number))
    assert not d.journal.stop(0), "it still commits"
    assert not d.journal.submit(append(9))
    store.permits.release(2)
    assert d.journal.stop(PATIENCE_S)
    assert not d.journal.alive
    assert [settled.error for settled in d.take(5)] == [None] * 5
    assert len(store.read_log(ReadLog(1, 0, None, 100, 10_000)).entries) == 5


def test_a_journal_that_was_never_started_stops() -> None:
    journal = Journal(MemoryStore(), lambda: None, 10)
    assert journal.stop(PATIENCE_S)
    assert not journal.submit(append(1))


class Watched(SqliteStore):
    """Says when a piece was purged, and can be told to fail at it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.purged: SimpleQueue[bool] = SimpleQueue()
        self.tired = False

    def purge(self) -> bool:
        if self.tired:
            self.purged.put(False)
            raise StoreFull("no space")
        more = super().purge()
        self.purged.put(more)
        return more


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    store = Watched(tmp_path / "chat.db")
    yield store
    store.close()


def test_deleted_rooms_are_purged_in_idle_moments(watched: Watched, desk: Callable[..., Desk]) -> None:
    watched.commit(SETTING)
    watched.commit([message(number, 2) for number in range(PURGED_AT_ONCE + 1)])
    d = desk(watched)
    d.journal.start()
    assert not watched.purged.get(timeout=PATIENCE_S), "what an earlier run left is looked for: nothing"
    d.journal.submit(commit(DropRoom(2)))
    d.take(1)
    assert [watched.purged.get(timeout=PATIENCE_S) for _ in range(3)] == [True, True, False]
    d.journal.submit(append(10_000))
    assert d.take(1)[0].places == (Place(PURGED_AT_ONCE + 2, 0, 5_000, False),)
    assert watched._writer.execute("SELECT count(*) FROM entry").get == 1


def test_a_purge_that_fails_waits_for_the_next_occasion(
    watched: Watched, desk: Callable[..., Desk], logged: pytest.LogCaptureFixture
) -> None:
    watched.tired = True
    d = desk(watched)
    d.journal.start()
    watched.purged.get(timeout=PATIENCE_S)
    d.journal.submit(commit(*PEOPLE))
    assert d.take(1)[0].error is None
    watched.purged.get(timeout=PATIENCE_S)
    assert d.journal.stop(PATIENCE_S)
    assert "tidying-failed" in logged.text
    assert whole(watched, 1) == []


@pytest.mark.parametrize("when", ["idle", "busy"])
def test_after_a_sync_that_failed_at_what_could_wait_the_journal_ends_too(
    watched: Watched, desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    def broken() -> bool:
        raise StoreBroken("the disk lies")

    monkeypatch.setattr(watched, "tidy" if when == "idle" else "keep_up", broken)
    d = desk(watched)
    d.journal.start()
    if when == "busy":
        d.journal.submit(commit(*PEOPLE))
        assert d.take(1)[0].error is None, "it was on disk before"
    d.journal._thread.join(PATIENCE_S)
    assert not d.journal.alive
    assert not d.journal.submit(append(2))


def test_after_a_failed_sync_the_journal_ends_and_takes_nothing_more(desk: Callable[..., Desk]) -> None:
    store = MemoryStore()
    store.failing = StoreBroken("the disk lies")
    d = desk(store)
    d.journal.start()
    d.journal.submit(append(1))
    assert [settled.error for settled in d.take(1)] == [store.failing]
    d.journal._thread.join(PATIENCE_S)
    assert not d.journal.alive
    assert not d.journal.submit(append(2))
