"""Requests under way: answers, time limits, cuts."""

from __future__ import annotations

import math

import pytest

from client.link.calls import REPEATABLE, RESEND_S, Call, Calls, Outcome
from client.link.failures import LinkLost, NoAnswer
from common import codec, errors
from common import messages as m


class Desk:
    """Calls, what they sent, and what became of them."""

    def __init__(self) -> None:
        self.sent: list[codec.Request] = []
        self.done: list[tuple[int, Outcome]] = []
        self.calls = Calls(lambda frame: self.sent.append(codec.decode_request(frame)), bytes)

    def open(self, command: m.Command, now: float = 0.0, timeout: float = 10.0, urgent: bool = False) -> Call:
        return self.calls.open(command, now, self.finished, timeout=timeout, urgent=urgent)

    def finished(self, call: Call, outcome: Outcome, now: float) -> None:
        self.done.append((call.id, outcome))

    def ids(self) -> list[int]:
        ids = [request.id for request in self.sent]
        self.sent.clear()
        return ids


def flowing() -> Desk:
    desk = Desk()
    desk.calls.flow(0.0)
    return desk


def test_an_answer_finds_its_request_once() -> None:
    desk = flowing()
    ping = desk.open(m.Ping())
    users = desk.open(m.Users())
    assert desk.ids() == [ping.id, users.id]
    assert desk.calls.received(codec.encode_reply(m.UserList(id=users.id, users=[], more=False)), 1.0)
    assert desk.calls.received(codec.encode_error(ping.id, errors.Internal(retry_after=2.0)), 1.0)
    assert not desk.calls.received(codec.encode_reply(m.UserList(id=users.id, users=[], more=False)), 1.0)
    (first, reply), (second, refusal) = desk.done
    assert (first, second) == (users.id, ping.id)
    assert isinstance(reply, m.UserList)
    assert isinstance(refusal, errors.Internal)
    assert refusal.retry_after == 2.0
    assert desk.calls.deadline() == math.inf


@pytest.mark.parametrize("frame", [b"", b"\xc1", b"\x01", b"\x80", codec.encode_error(0, errors.BadRequest())])
def test_strays_are_ignored(frame: bytes) -> None:
    desk = flowing()
    desk.open(m.Ping())
    assert not desk.calls.received(frame, 0.0)
    assert desk.done == []


def test_before_the_welcome_only_what_is_urgent_goes_out() -> None:
    desk = Desk()
    users = desk.open(m.Users())
    hello = desk.open(m.Hello(versions=[1]), urgent=True)
    assert desk.ids() == [hello.id]
    desk.calls.flow(1.0)
    assert desk.ids() == [users.id], "and what is under way is not sent twice"


@pytest.mark.parametrize(
    "command",
    [m.History(log="dev"), m.Send(room="dev", text="x", nonce=b"n" * 16), m.Create(room="dev"), m.Leave(room="dev")],
    ids=lambda command: command.op,
)
def test_a_cut_repeats_what_may_be_repeated_and_fails_the_rest(command: m.Command) -> None:
    desk = flowing()
    call = desk.open(command)
    assert desk.ids() == [call.id]
    desk.calls.cut(1.0)
    if type(command) in REPEATABLE:
        assert desk.done == []
        desk.calls.flow(2.0)
        assert desk.ids() == [call.id]
        assert call.times == 2
    else:
        ((id, outcome),) = desk.done
        assert id == call.id
        assert isinstance(outcome, LinkLost)
        desk.calls.flow(2.0)
        assert desk.ids() == []


def test_what_never_went_out_survives_a_cut() -> None:
    desk = Desk()
    made = desk.open(m.Create(room="dev"))
    desk.calls.cut(1.0)
    desk.calls.flow(2.0)
    assert desk.ids() == [made.id]


def test_only_what_never_went_out_can_be_taken_back() -> None:
    desk = Desk()
    made = desk.open(m.Create(room="dev"))
    desk.calls.withdraw(made.id, 1.0)
    desk.calls.withdraw(made.id, 1.0)
    ((id, outcome),) = desk.done
    assert id == made.id
    assert isinstance(outcome, NoAnswer)
    desk.calls.flow(2.0)
    assert desk.ids() == []
    users = desk.open(m.Users())
    desk.calls.cut(3.0)
    desk.calls.withdraw(users.id, 3.0)
    desk.calls.flow(4.0)
    assert desk.ids() == [users.id, users.id], "and its answer still counts"


def test_a_cut_ends_what_belongs_to_the_connection() -> None:
    desk = flowing()
    desk.open(m.Ping(), urgent=True)
    desk.calls.cut(1.0)
    assert isinstance(desk.done[0][1], LinkLost)


def test_silence_holds_back_and_then_repeats_only_what_may_be() -> None:
    desk = flowing()
    users, made = desk.open(m.Users()), desk.open(m.Create(room="dev"))
    desk.ids()
    desk.calls.hold()
    later = desk.open(m.Rooms())
    assert desk.ids() == []
    desk.calls.flow(3.0)
    assert desk.ids() == [users.id, later.id]
    assert desk.calls.received(codec.encode_error(made.id, errors.NameTaken()), 3.0)


def test_time_limits() -> None:
    desk = flowing()
    desk.open(m.Create(room="dev"), timeout=2.0)
    assert desk.calls.deadline() == 2.0
    desk.calls.tick(1.9)
    assert desk.done == []
    desk.calls.tick(2.0)
    assert isinstance(desk.done[0][1], NoAnswer)
    assert not isinstance(desk.done[0][1], LinkLost)


def test_an_answer_that_was_dropped_is_asked_for_again() -> None:
    desk = flowing()
    users, made = desk.open(m.Users()), desk.open(m.Create(room="dev"))
    desk.ids()
    assert desk.calls.deadline() == RESEND_S
    desk.calls.tick(RESEND_S)
    assert desk.ids() == [users.id]
    assert desk.calls.deadline() == 2 * RESEND_S
    assert made.times == 1


def test_a_refusal_counts_once_everything_that_went_out_is_answered() -> None:
    desk = flowing()
    call = desk.open(m.Join(room="dev"), timeout=60.0)
    desk.calls.tick(RESEND_S)
    assert desk.ids() == [call.id] * 2
    refused = codec.encode_error(call.id, errors.NoSuchRoom())
    assert desk.calls.received(refused, RESEND_S + 0.1)
    assert desk.done == [], "the second one may come after the invitation"
    desk.calls.received(refused, RESEND_S + 0.2)
    ((_, outcome),) = desk.done
    assert isinstance(outcome, errors.NoSuchRoom)
    assert not call.doubtful


def test_what_one_was_granted_is_not_undone_by_what_another_was_refused() -> None:
    desk = flowing()
    call = desk.open(m.Send(room="dev", text="x", nonce=b"n" * 16), timeout=60.0)
    desk.calls.tick(RESEND_S)
    desk.calls.received(codec.encode_error(call.id, errors.StorageFailed()), RESEND_S + 0.1)
    desk.calls.received(codec.encode_reply(m.Sent(id=call.id, seq=5, time=6)), RESEND_S + 0.2)
    assert desk.done == [(call.id, m.Sent(id=call.id, seq=5, time=6))]


def test_an_answer_that_is_missing_leaves_a_doubt_and_no_endless_asking() -> None:
    desk = flowing()
    call = desk.open(m.Send(room="dev", text="x", nonce=b"n" * 16), timeout=60.0)
    desk.calls.tick(RESEND_S)
    desk.ids()
    desk.calls.received(codec.encode_error(call.id, errors.StorageFailed()), RESEND_S + 0.1)
    assert desk.calls.deadline() == 2 * RESEND_S
    desk.calls.tick(2 * RESEND_S)
    assert desk.ids() == []
    ((_, outcome),) = desk.done
    assert isinstance(outcome, errors.StorageFailed)
    assert call.doubtful


def test_a_cut_leaves_a_doubt_about_what_was_under_way_only() -> None:
    desk = flowing()
    under_way = desk.open(m.Send(room="dev", text="x", nonce=b"n" * 16))
    desk.calls.cut(1.0)
    waiting = desk.open(m.Send(room="dev", text="y", nonce=b"m" * 16), 1.0)
    desk.calls.flow(2.0)
    desk.calls.received(codec.encode_error(under_way.id, errors.NotMember()), 2.1)
    desk.calls.received(codec.encode_error(waiting.id, errors.NotMember()), 2.1)
    assert [id for id, _ in desk.done] == [under_way.id, waiting.id]
    assert (under_way.doubtful, waiting.doubtful) == (True, False)


def test_what_is_forgotten_is_not_answered() -> None:
    desk = flowing()
    call = desk.open(m.Ping())
    desk.calls.forget(call)
    desk.calls.forget(call)
    desk.calls.tick(99.0)
    assert desk.done == []


def test_a_tick_in_which_one_outcome_ends_another() -> None:
    desk = flowing()
    second: list[Call] = []
    desk.calls.open(m.Users(), 0.0, lambda call, outcome, now: desk.calls.forget(second[0]), timeout=1.0)
    second.append(desk.open(m.Ping(), timeout=1.0))
    desk.calls.tick(1.0)
    assert desk.done == []


LIMITED = errors.RateLimited(retry_after=2.0)


def refuse(desk: Desk, call: Call, now: float, error: errors.ChatError = LIMITED) -> None:
    assert desk.calls.received(codec.encode_error(call.id, error), now)


@pytest.mark.parametrize("error", [LIMITED, errors.Busy(retry_after=2.0)])
@pytest.mark.parametrize("command", [m.Users(), m.Create(room="dev"), m.Leave(room="dev"), m.Bye()])
def test_told_to_wait_anything_goes_out_again_after_it(command: m.Command, error: errors.ChatError) -> None:
    desk = flowing()
    call = desk.open(command, timeout=10.0)
    assert desk.ids() == [call.id]
    refuse(desk, call, 1.0, error)
    assert desk.calls.deadline() == 3.0
    desk.calls.tick(2.9)
    assert desk.ids() == []
    desk.calls.tick(3.0)
    assert desk.ids() == [call.id]
    assert desk.done == []
    desk.calls.tick(10.0)
    ((_, outcome),) = desk.done
    assert isinstance(outcome, NoAnswer)


def test_while_it_waits_nothing_of_its_kind_goes_out_and_everything_else_does() -> None:
    desk = flowing()
    call = desk.open(m.Users(), timeout=10.0)
    refuse(desk, call, 1.0)
    later, other = desk.open(m.Users(after="ana"), timeout=10.0), desk.open(m.Rooms(), timeout=10.0)
    assert desk.ids() == [call.id, other.id]
    assert (desk.calls.held(m.Users()), desk.calls.held(m.Rooms())) == (3.0, -math.inf)
    desk.calls.tick(3.0)
    assert desk.ids() == [call.id, later.id]


def test_a_wait_beyond_its_time_is_told_and_told_again_without_asking() -> None:
    desk = flowing()
    call = desk.open(m.Users(), timeout=2.5)
    refuse(desk, call, 1.0)
    assert desk.ids() == [call.id]
    desk.calls.open(m.Users(), 2.0, desk.finished, timeout=0.5)
    desk.calls.tick(2.0)
    assert desk.ids() == []
    (_, first), (_, second) = desk.done
    assert isinstance(first, errors.RateLimited)
    assert isinstance(second, errors.RateLimited)
    assert (first.retry_after, second.retry_after) == (2.0, 1.0)


def test_a_person_who_logs_in_is_told_to_wait_unless_the_broker_is_only_busy() -> None:
    desk = flowing()
    login = m.Login(login="ana", password="wrong horse")
    call = desk.calls.open(login, 0.0, desk.finished, timeout=60.0, waits=(errors.Busy,))
    refuse(desk, call, 1.0, errors.Busy(retry_after=1.0))
    desk.calls.tick(2.0)
    assert desk.ids() == [call.id] * 2
    refuse(desk, call, 2.5)
    ((_, outcome),) = desk.done
    assert isinstance(outcome, errors.RateLimited)
    assert desk.calls.held(m.Login(login="ANA", token=bytes(32))) == 4.5
    assert desk.calls.held(m.Login(login="eva", password="another")) == -math.inf, "that is another matter"


def test_what_waits_survives_a_cut_whatever_it_is_for_nothing_was_done() -> None:
    desk = flowing()
    call = desk.open(m.Create(room="dev"), timeout=10.0)
    refuse(desk, call, 1.0)
    desk.calls.cut(1.5)
    desk.calls.flow(2.0)
    assert (desk.ids(), desk.done) == ([call.id], [])
    desk.calls.tick(3.0)
    assert desk.ids() == [call.id]
    desk.calls.cut(3.5)
    ((_, outcome),) = desk.done
    assert isinstance(outcome, LinkLost)


def test_what_waits_can_be_withdrawn() -> None:
    desk = flowing()
    call = desk.open(m.Create(room="dev"), timeout=10.0)
    refuse(desk, call, 1.0)
    desk.calls.withdraw(call.id, 2.0)
    assert len(desk.done) == 1
    assert desk.calls.deadline() == math.inf
