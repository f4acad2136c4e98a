"""The workers: what they answer, that they are bounded, and that nothing ends them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from broker.chat.effects import Ask, Effect, Now, Origin
from broker.chat.ports import (
    AccountRow,
    AddAccount,
    CheckPassword,
    CheckToken,
    Findings,
    FindMessages,
    HashPassword,
    LogPage,
    Phrase,
    Query,
    ReadLog,
    ReadMessage,
)
from broker.wire.passwords import Passwords
from broker.wire.workers import Workers
from testkit.memory_store import MemoryStore
from tests.support.patience import PATIENCE_S

ORIGIN = Origin(b"\0abcd", "k" * 40, "", 1, "127.0.0.1")
SEARCH = FindMessages(((1, 0),), (Phrase("hola"),), (), None, None, 10, 1_000, 1)
PASSWORDS = Passwords(b"p" * 32, cost=4)


def nothing(_result: object, _now: Now) -> list[Effect]:
    return []


def ask(query: Query) -> Ask:
    return Ask(ORIGIN, query, nothing)


class SlowPasswords(Passwords):
    """Hashes only when told to."""

    def __init__(self) -> None:
        super().__init__(b"p" * 32, cost=4)
        self.at_work = threading.Semaphore(0)
        self.go_on = threading.Event()

    def hash(self, password: str) -> str:
        self.at_work.release()
        assert self.go_on.wait(PATIENCE_S)
        return "t1$slow"


class Ring:
    def __init__(self) -> None:
        self._rung = threading.Semaphore(0)

    def __call__(self) -> None:
        self._rung.release()

    def wait(self, times: int = 1) -> None:
        for _ in range(times):
            assert self._rung.acquire(timeout=PATIENCE_S)


@pytest.fixture
def ring() -> Ring:
    return Ring()


@pytest.fixture
def workers(ring: Ring) -> Iterator[Workers]:
    made = Workers(MemoryStore(), PASSWORDS, ring)
    made.start()
    yield made
    made.stop(PATIENCE_S)


@pytest.mark.parametrize(
    ("query", "result"),
    [
        (CheckPassword(None, "x"), False),
        (CheckPassword(7, "x"), False),
        (CheckToken(None, b"d", 0), False),
        (CheckToken(7, b"d", 0), False),
        (ReadLog(1, None, None, 10, 1_000), LogPage([], False)),
        (ReadMessage(1, 1, 1, b""), None),
        (SEARCH, Findings([], False)),
    ],
)
def test_questions_are_answered(workers: Workers, ring: Ring, query: Query, result: object) -> None:
    asked = ask(query)
    assert workers.ask(asked)
    ring.wait()
    done = workers.results.popleft()
    assert done.ask is asked
    assert (done.result, done.failed) == (result, False)


def test_a_hash_that_was_made_can_be_checked(workers: Workers, ring: Ring) -> None:
    workers.ask(ask(HashPassword("correct horse")))
    ring.wait()
    assert PASSWORDS.check("correct horse", str(workers.results.popleft().result))


def test_a_right_password_of_another_cost_is_answered_with_the_hash_to_keep(ring: Ring) -> None:
    store = MemoryStore()
    row = AccountRow(1, "ana", "A", "B", 30, "other", 0, False, False)
    store.commit([AddAccount(row, Passwords(b"p" * 32, cost=5).hash("correct horse"))])
    workers = Workers(store, PASSWORDS, ring)
    workers.start()
    for password in ("correct horse", "wrong"):
        workers.ask(ask(CheckPassword(1, password)))
        ring.wait()
    new, wrong = (done.result for done in workers.results)
    assert PASSWORDS.check("correct horse", str(new))
    assert not PASSWORDS.outdated(str(new))
    assert wrong is False
    workers.stop(PATIENCE_S)


def test_a_failure_is_told_and_the_thread_goes_on(ring: Ring) -> None:
    class Broken(MemoryStore):
        def password(self, account: int) -> str | None:
            raise RuntimeError("disk on fire")

    workers = Workers(Broken(), PASSWORDS, ring, hashers=1)
    workers.start()
    workers.ask(ask(CheckPassword(1, "x")))
    workers.ask(ask(CheckPassword(None, "x")))
    ring.wait(2)
    assert [done.failed for done in workers.results] == [True, False]
    workers.stop(PATIENCE_S)


def test_only_so_many_hashes_wait_and_reads_do_not_wait_behind_them(ring: Ring) -> None:
    slow = SlowPasswords()
    workers = Workers(MemoryStore(), slow, ring, hashers=2, hashes_waiting=3)
    workers.start()
    for _ in range(2):
        assert workers.ask(ask(HashPassword("x")))
        assert slow.at_work.acquire(timeout=PATIENCE_S)
    assert [workers.ask(ask(HashPassword("x"))) for _ in range(4)] == [True, True, True, False]
    assert workers.ask(ask(ReadLog(1, None, None, 10, 1_000)))
    ring.wait()
    assert workers.results.popleft().result == LogPage([], False)
    slow.go_on.set()
    ring.wait(5)
    assert len(workers.results) == 5
    workers.stop(PATIENCE_S)


def test_nobody_waits_behind_a_search_and_so_many_may_wait_themselves(ring: Ring) -> None:
    at_work, go_on = threading.Semaphore(0), threading.Event()

    class Slow(MemoryStore):
        def find_messages(self, query: FindMessages) -> Findings | None:
            at_work.release()
            assert go_on.wait(PATIENCE_S)
            return super().find_messages(query)

    workers = Workers(Slow(), PASSWORDS, ring, searches_waiting=2)
    workers.start()
    assert workers.ask(ask(SEARCH))
    assert at_work.acquire(timeout=PATIENCE_S)
    assert [workers.ask(ask(SEARCH)) for _ in range(3)] == [True, True, False]
    assert workers.ask(ask(ReadLog(1, None, None, 10, 1_000)))
    ring.wait()
    assert workers.results.popleft().result == LogPage([], False)
    go_on.set()
    ring.wait(3)
    assert [done.result for done in workers.results] == [Findings([], False)] * 3
    workers.stop(PATIENCE_S)


def test_stopping_drops_what_waits_and_ends_the_threads(ring: Ring) -> None:
    slow = SlowPasswords()
    workers = Workers(MemoryStore(), slow, ring, hashers=1)
    workers.start()
    for _ in range(5):
        workers.ask(ask(HashPassword("x")))
    assert slow.at_work.acquire(timeout=PATIENCE_S)
    threading.Timer(0.05, slow.go_on.set).start()
    workers.stop(PATIENCE_S)
    assert not any(thread.is_alive() for thread in workers._threads)
    assert not workers.results
