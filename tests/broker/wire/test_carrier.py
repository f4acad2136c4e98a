"""Effects carried out: in order, once, and taken back together if the disk fails."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import pytest

from broker import log
from broker.chat.effects import Answer, Append, Ask, Commit, Cut, Effect, Now, Origin, Publish, Refuse, Settle, Stamp
from broker.chat.ports import CheckPassword, NewEntries, Place, StoreFailed
from broker.wire import peers
from broker.wire.carrier import OPERATOR, Carrier, Job
from broker.wire.workers import Done
from common import codec
from common.errors import NotMember
from common.messages import ClosingSoon, Reply, Sent

NOW = Now(1_700_000_000_000, 5.0)
PLACES = (Place(4, 3, NOW.time, False),)


def origin(id: int = 1, session: str = "", key: str = "k" * 40) -> Origin:
    return Origin(b"\0abcd", key, session, id, "127.0.0.1")


class Settled(NamedTuple):
    job: Job
    places: Any
    error: Exception | None


class HandJournal:
    """A journal that is settled by hand."""

    def __init__(self) -> None:
        self.results: deque[Settled] = deque()
        self.jobs: list[Job] = []
        self.capacity = 100
        self.alive = True
        self.resumed: list[object] = []

    def submit(self, job: Job) -> bool:
        if len(self.jobs) >= self.capacity:
            return False
        self.jobs.append(job)
        return True

    def resume(self, error: object = None) -> None:
        self.resumed.append(error)

    def done(self) -> None:
        self.results.extend(Settled(job, PLACES, None) for job in self.jobs)
        self.jobs.clear()

    def failed(self, error: StoreFailed) -> None:
        self.results.extend(Settled(job, None, error) for job in self.jobs)
        self.jobs.clear()


class HandWorkers:
    """Workers that answer by hand."""

    def __init__(self) -> None:
        self.results: deque[Done] = deque()
        self.asked: list[Ask] = []
        self.free = True

    def ask(self, ask: Ask) -> bool:
        if self.free:
            self.asked.append(ask)
        return self.free


class Desk:
    """A carrier with everything around it by hand, and what left, in order."""

    def __init__(self) -> None:
        self.journal = HandJournal()
        self.workers = HandWorkers()
        self.left: list[tuple[str, Any]] = []
        self.carrier = Carrier(
            self.appended,
            lambda route, body: self.left.append(("client", msgspec.msgpack.decode(body))),
            lambda route, body: self.left.append(("operator", msgspec.msgpack.decode(body))),
            lambda _log, frame: self.left.append(("event", frame)),
            self.journal,
            self.workers,
            lambda: NOW,
        )

    def appended(self, append: Append, places: Any, now: Now) -> list[Effect]:
        assert now == NOW
        return [Answer(append.origin, Sent(seq=places[0].seq, time=places[0].time))]

    def perform(self, *effects: Effect) -> None:
        self.carrier.perform(origin(), lambda: effects)

    def codes(self) -> list[str]:
        return [body["error"]["code"] for _, body in self.left]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def append(id: int = 1) -> Append:
    return Append(origin(id), NewEntries("message", (1,), 1, 0, "hola", b"n" * 16, NOW.time))


def commit(
    undo: Callable[[], None] | None = None, who: Origin | None = None, then: Callable[..., list[Effect]] | None = None
) -> Commit:
    return Commit((), then or (lambda places, now: []), undo, who)


def test_effects_leave_in_order_and_a_reply_carries_its_number_and_session(desk: Desk) -> None:
    closing = ClosingSoon(time=1)
    desk.perform(
        Publish("lobby", closing),
        Answer(origin(9, "s"), Reply()),
        Refuse(origin(8, "t"), NotMember()),
        Publish("dev", closing),
    )
    assert desk.left == [
        ("event", codec.encode_event("lobby", closing)),
        ("client", {"id": 9, "ok": True, "as": "s"}),
        (
            "client",
            {"id": 8, "ok": False, "as": "t", "error": {"code": "not-member", "message": "Join the room first."}},
        ),
        ("event", codec.encode_event("dev", closing)),
    ]


def test_the_operator_is_answered_on_the_operators_socket(desk: Desk) -> None:
    desk.perform(Answer(origin(key=OPERATOR), Reply()), Refuse(origin(key=OPERATOR), NotMember()))
    assert [where for where, _ in desk.left] == ["operator", "operator"]


def test_a_message_is_answered_when_it_is_on_disk(desk: Desk) -> None:
    desk.perform(append(3))
    assert not desk.left
    assert not desk.carrier.idle
    desk.journal.done()
    desk.carrier.settle(NOW)
    assert desk.left == [("client", {"id": 3, "ok": True, "seq": 4, "time": NOW.time})]
    assert desk.carrier.idle


def test_a_commit_goes_on_with_its_places(desk: Desk) -> None:
    desk.perform(commit(then=lambda places, now: [Answer(origin(2), Sent(seq=places[0].seq, time=now.time))]))
    desk.journal.done()
    desk.carrier.settle(NOW)
    assert desk.left == [("client", {"id": 2, "ok": True, "seq": 4, "time": NOW.time})]


def test_a_full_journal_is_told_and_the_change_undone(desk: Desk) -> None:
    desk.journal.capacity = 0
    undone: list[int] = []
    desk.perform(append(), commit(lambda: undone.append(1), origin(2)), commit())
    assert desk.codes() == ["busy", "busy"]
    assert desk.left[0][1]["error"]["retry_after"] > 0
    assert undone == [1]
    assert desk.carrier.idle


def test_a_failure_takes_back_everything_under_way_latest_first(desk: Desk) -> None:
    undone: list[int] = []
    for number in (1, 2, 3):
        desk.perform(commit(lambda number=number: undone.append(number), origin(number)))  # type: ignore[misc]
    desk.perform(append(4), commit())
    error = StoreFailed("disk full")
    desk.journal.results.append(Settled(desk.journal.jobs.pop(0), PLACES, None))
    desk.journal.failed(error)
    desk.carrier.settle(NOW)
    assert undone == [3, 2]
    assert [body["id"] for _, body in desk.left] == [4, 3, 2]
    assert set(desk.codes()) == {"storage-failed"}
    assert desk.journal.resumed == [error]
    assert desk.carrier.idle


def test_what_was_undone_already_is_not_undone_again(desk: Desk) -> None:
    """Jobs that were under way are reported as failed one by one, some after the reactor has heard of it."""
    undone: list[int] = []
    early, late = (commit(lambda n=n: undone.append(n), origin(n)) for n in (1, 2))  # type: ignore[misc]
    desk.perform(early, late)
    error = StoreFailed("disk full")
    desk.journal.results.append(Settled(early, None, error))
    desk.carrier.settle(NOW)
    fresh = commit(lambda: undone.append(3), origin(3), lambda places, now: [Answer(origin(3), Reply())])
    desk.perform(fresh)
    desk.journal.results.extend([Settled(late, None, error), Settled(fresh, PLACES, None)])
    desk.carrier.settle(NOW)
    assert undone == [2, 1]
    assert desk.left[-1] == ("client", {"id": 3, "ok": True})
    assert desk.journal.resumed == [error]


def test_an_undo_that_fails_does_not_keep_the_others_from_being_done(desk: Desk) -> None:
    undone: list[int] = []

    def broken() -> None:
        raise RuntimeError("undo")

    desk.perform(commit(lambda: undone.append(1)), commit(broken))
    desk.journal.failed(StoreFailed("disk"))
    desk.carrier.settle(NOW)
    assert undone == [1]
    assert len(desk.journal.resumed) == 1


def test_a_question_goes_on_with_its_answer(desk: Desk) -> None:
    query = CheckPassword(1, "x")
    desk.perform(Ask(origin(), query, lambda result, now: [Answer(origin(5), Sent(seq=int(bool(result)), time=1))]))
    (asked,) = desk.workers.asked
    desk.workers.results.append(Done(asked, True, False))
    desk.carrier.collect(NOW)
    assert desk.left == [("client", {"id": 5, "ok": True, "seq": 1, "time": 1})]


def test_a_question_that_fails_or_finds_no_worker_is_told(desk: Desk) -> None:
    unasked: list[int] = []
    ask = Ask(origin(), CheckPassword(1, "x"), lambda result, now: [], lambda: unasked.append(1))
    desk.workers.results.append(Done(ask, None, True))
    desk.carrier.collect(NOW)
    assert unasked == []
    desk.workers.free = False
    desk.perform(ask)
    assert unasked == [1]
    assert desk.codes() == ["internal", "busy"]
    assert desk.left[1][1]["error"]["retry_after"] > 0


def test_a_fault_of_the_rules_is_logged_and_told_as_internal(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    monkeypatch.setattr(log, "failure", lambda name, **_: logged.append(name))

    def broken(*_: object) -> list[Effect]:
        raise KeyError("secret detail")

    desk.carrier.perform(origin(6), broken)
    desk.carrier.perform(None, broken)
    assert desk.codes() == ["internal"]
    assert "secret" not in str(desk.left)
    assert logged == ["fault", "fault"]


def test_a_fault_after_a_commit_does_not_stop_the_next(desk: Desk) -> None:
    def broken(places: object, now: Now) -> list[Effect]:
        raise KeyError

    desk.perform(commit(who=origin(1), then=broken), append(2))
    desk.journal.done()
    desk.carrier.settle(NOW)
    assert [body["ok"] for _, body in desk.left] == [False, True]


def test_cuts_and_log_lines(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[object] = []
    logged: list[object] = []
    monkeypatch.setattr(peers, "cut", cut.append)
    monkeypatch.setattr(log, "event", lambda name, **fields: logged.append((name, fields)))
    desk.perform(Cut((7, 8)), Stamp("login", {"login": "ana"}))
    assert (cut, logged) == ([(7, 8)], [("login", {"login": "ana"})])


def test_a_gentle_cut_waits_a_moment_and_what_follows_it_waits_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[object] = []
    monkeypatch.setattr(peers, "cut", cut.append)
    closing = ClosingSoon(time=1)
    desk.perform(Publish("lobby", closing), Cut((7, 8), gently=True), Answer(origin(9), Reply()))
    desk.perform(Answer(origin(10), Reply()))
    assert (cut, [kind for kind, _ in desk.left]) == ([], ["event", "client"])
    desk.carrier.carry_on(desk.carrier.due - 0.001)
    assert cut == []
    desk.carrier.carry_on(desk.carrier.due)
    assert cut == [(7, 8)]
    assert desk.left[-1] == ("client", {"id": 9, "ok": True})
    assert desk.carrier.due == math.inf


def test_gentle_cuts_that_belong_together_wait_together(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[object] = []
    monkeypatch.setattr(peers, "cut", cut.append)
    desk.perform(Cut((7, 8), gently=True), Cut((9, 10), gently=True), Answer(origin(9), Reply()))
    desk.carrier.carry_on(desk.carrier.due)
    assert cut == [(7, 8), (9, 10)]
    assert len(desk.left) == 1


def test_a_fault_behind_a_gentle_cut_is_logged_like_any_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[object] = []
    monkeypatch.setattr(peers, "cut", lambda connection: None)
    monkeypatch.setattr(log, "failure", lambda name, **fields: logged.append(name))
    desk.perform(Cut((7, 8), gently=True), Publish("lobby", object()))  # type: ignore[arg-type]
    desk.carrier.carry_on(math.inf)
    assert logged == ["fault"]


def test_what_waits_for_the_disk_is_carried_out_at_once_if_nothing_is_under_way(desk: Desk) -> None:
    desk.perform(Settle(origin(2), lambda now: [Answer(origin(2), Sent(seq=1, time=now.time))], lambda: False))
    assert [body["id"] for _, body in desk.left] == [2]


def test_what_waits_for_the_disk_follows_what_was_under_way_and_nothing_later(desk: Desk) -> None:
    desk.perform(commit(who=origin(1), then=lambda places, now: [Answer(origin(1), Reply())]))
    desk.perform(Settle(origin(2), lambda now: [Answer(origin(2), Reply())], lambda: True))
    desk.perform(Settle(origin(3), lambda now: [Answer(origin(3), Reply())], lambda: True))
    first = desk.journal.jobs.pop()
    desk.perform(commit(who=origin(4), then=lambda places, now: [Answer(origin(4), Reply())]))
    assert desk.left == []
    desk.journal.results.append(Settled(first, PLACES, None))
    desk.carrier.settle(NOW)
    assert [body["id"] for _, body in desk.left] == [1, 2, 3]
    desk.journal.done()
    desk.carrier.settle(NOW)
    assert [body["id"] for _, body in desk.left] == [1, 2, 3, 4]


def test_what_waits_for_the_disk_sees_what_was_taken_back(desk: Desk) -> None:
    undone: list[int] = []
    desk.perform(commit(lambda: undone.append(1), origin(1)))
    desk.perform(Settle(origin(2), lambda now: [Answer(origin(2), Sent(seq=len(undone), time=1))], lambda: True))
    desk.perform(commit(lambda: undone.append(3), origin(3)))
    desk.journal.failed(StoreFailed("disk full"))
    desk.carrier.settle(NOW)
    assert undone == [3, 1]
    assert desk.left[-1][1]["seq"] == 2
    assert desk.carrier.idle


@pytest.mark.parametrize("fail", [False, True])
def test_what_is_not_settled_yet_waits_for_what_came_under_way_meanwhile_too(desk: Desk, fail: bool) -> None:
    pending = ["first", "second"]
    then = lambda now: [Answer(origin(2), Sent(seq=len(pending), time=1))]  # noqa: E731
    desk.perform(commit(then=lambda places, now: pending.remove("first") or []))
    desk.perform(Settle(origin(2), then, lambda: not pending))
    first = desk.journal.jobs.pop()
    desk.perform(commit(lambda: pending.remove("second"), then=lambda places, now: pending.remove("second") or []))
    desk.journal.results.append(Settled(first, PLACES, None))
    desk.carrier.settle(NOW)
    assert desk.left == []
    if fail:
        desk.journal.failed(StoreFailed("disk full"))
    else:
        desk.journal.done()
    desk.carrier.settle(NOW)
    assert desk.left == [("client", {"id": 2, "ok": True, "seq": 0, "time": 1})]
