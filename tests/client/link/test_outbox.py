"""Posts go out once, in order per target, and their fate is reported."""

from __future__ import annotations

import math

import pytest

from client.link.failures import WAIT_MIN_S
from client.link.outbox import WAIT_S, Outbox
from client.link.updates import Postponed, Settled
from common import errors
from common.messages import Direct, Edit, React, Retract, Send, Sent


def send(number: int, room: str = "dev") -> Send:
    return Send(room=room, text=str(number), nonce=number.to_bytes(16, "big"))


def direct(number: int, to: str = "bob") -> Direct:
    return Direct(to=to, text=str(number), nonce=number.to_bytes(16, "big"))


def nonces(outbox: Outbox, now: float = 0.0) -> list[int]:
    return [int.from_bytes(post.nonce, "big") for post in outbox.ready(now)]


SENT = Sent(seq=5, time=6)


def test_one_at_a_time_per_target_and_targets_side_by_side() -> None:
    outbox = Outbox(bytes)
    for command in (send(1), send(2), send(3, "DEV"), send(4, "other"), direct(5), direct(6, "BOB"), direct(7, "eva")):
        outbox.add(command)
    assert nonces(outbox) == [1, 4, 5, 7]
    assert nonces(outbox) == []
    assert outbox.answered(send(1).nonce, SENT, 0.0) == Settled(send(1).nonce, SENT)
    assert nonces(outbox) == [2]
    assert outbox.answered(direct(5).nonce, SENT, 0.0) == Settled(direct(5).nonce, SENT)
    assert nonces(outbox) == [6]
    assert outbox.answered(send(2).nonce, SENT, 0.0)
    assert nonces(outbox) == [3]
    assert len(outbox) == 4


def test_a_room_and_a_person_of_one_name_are_two_targets() -> None:
    outbox = Outbox(bytes)
    outbox.add(send(1, "bob"))
    outbox.add(direct(2, "bob"))
    assert nonces(outbox) == [1, 2]


def test_changes_keep_the_order_of_their_log() -> None:
    outbox = Outbox(bytes)
    outbox.add(send(1))
    outbox.add(Edit(log="DEV", seq=1, text="x", nonce=bytes(15) + b"\2"))
    outbox.add(Retract(log="@ana", seq=1, nonce=bytes(15) + b"\3"))
    outbox.add(React(log="@ana", seq=2, emoji="👍", nonce=bytes(15) + b"\4"))
    assert nonces(outbox) == [1, 3]
    assert outbox.answered(send(1).nonce, SENT, 0.0)
    assert nonces(outbox) == [2]
    assert [settled.nonce for settled in outbox.fail(errors.NotMember(), ("room", "dev"))] == [bytes(15) + b"\2"]
    assert len(outbox) == 2


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (errors.RateLimited(retry_after=2.5), 2.5),
        (errors.Busy(retry_after=0.0), WAIT_MIN_S),
        (errors.Busy(), WAIT_S),
        (errors.Closing(), WAIT_S),
        (errors.Busy(retry_after=-3.0), WAIT_MIN_S),
        (errors.Busy(retry_after=math.nan), WAIT_S),
        (errors.Busy(retry_after=math.inf), 300.0),
    ],
)
def test_a_wait_is_obeyed_and_nothing_overtakes(error: errors.ChatError, wait: float) -> None:
    outbox = Outbox(bytes)
    outbox.add(send(1))
    outbox.add(send(2))
    assert nonces(outbox, 10.0) == [1]
    assert outbox.deadline() == math.inf
    assert outbox.answered(send(1).nonce, error, 10.0) == Postponed(send(1).nonce, wait)
    assert outbox.deadline() == 10.0 + wait
    assert nonces(outbox, 10.0 + wait - 0.01) == []
    assert nonces(outbox, 10.0 + wait) == [1]


def test_that_nothing_was_done_is_not_believed_if_it_went_out_before() -> None:
    outbox = Outbox(bytes)
    outbox.add(send(1))
    assert nonces(outbox, 10.0) == [1]
    refused = outbox.answered(send(1).nonce, errors.StorageFailed(), 10.0, doubtful=True)
    assert refused == Postponed(send(1).nonce, WAIT_S)
    assert not outbox.withdraw(send(1).nonce), "for it may have gone out"
    assert nonces(outbox, 10.0 + WAIT_S) == [1]
    assert outbox.answered(send(1).nonce, errors.StorageFailed(), 20.0) == Postponed(send(1).nonce, WAIT_S)
    assert nonces(outbox, 20.0 + WAIT_S) == [1]
    assert outbox.answered(send(1).nonce, SENT, 30.0) == Settled(send(1).nonce, SENT)


def test_a_wait_is_for_every_post_and_ends_with_one_after_the_other() -> None:
    outbox = Outbox(bytes)
    for number in range(1, 8):
        outbox.add(send(number, f"room{number}"))
    assert nonces(outbox) == [1, 2, 3, 4, 5, 6, 7]
    for number in (3, 1, 2, 4, 5, 6, 7):
        assert outbox.answered(send(number, "").nonce, errors.RateLimited(retry_after=1.0), 0.0)
    outbox.add(direct(8))
    assert nonces(outbox, 0.9) == []
    assert nonces(outbox, 1.0) == [1]
    assert nonces(outbox, 1.0) == []
    assert outbox.deadline() == math.inf
    outbox.answered(send(1).nonce, SENT, 1.1)
    assert nonces(outbox, 1.1) == [2, 3]
    outbox.answered(send(3).nonce, errors.RateLimited(retry_after=1.0), 1.2)
    outbox.answered(send(2).nonce, SENT, 1.3)
    assert nonces(outbox, 2.1) == []
    assert nonces(outbox, 2.2) == [3, 4]


def test_those_refused_together_do_not_return_together() -> None:
    due = set()
    for chance in range(256):
        outbox = Outbox(lambda _, chance=chance: bytes([chance]))  # type: ignore[misc]
        outbox.add(send(1))
        assert nonces(outbox) == [1]
        outbox.answered(send(1).nonce, errors.Busy(retry_after=2.0), 0.0)
        due.add(outbox.deadline())
    assert len(due) == 256
    assert 2.0 == min(due) < 2.01 < 2.99 < max(due) < 3.0


@pytest.mark.parametrize("error", [errors.NotMember(), errors.BadText(), errors.StorageFailed(), errors.ChatError()])
def test_a_refusal_is_reported_and_the_next_goes_out(error: errors.ChatError) -> None:
    outbox = Outbox(bytes)
    outbox.add(send(1))
    outbox.add(send(2))
    assert nonces(outbox) == [1]
    assert outbox.answered(send(1).nonce, error, 0.0) == Settled(send(1).nonce, error)
    assert nonces(outbox) == [2]


def test_an_answer_that_comes_twice_counts_once() -> None:
    outbox = Outbox(bytes)
    outbox.add(send(1))
    assert nonces(outbox) == [1]
    assert outbox.answered(send(1).nonce, SENT, 0.0) is not None
    assert outbox.answered(send(1).nonce, SENT, 0.0) is None
    assert outbox.answered(send(9).nonce, SENT, 0.0) is None


def test_it_is_bounded() -> None:
    outbox = Outbox(bytes, limit=2)
    outbox.add(send(1))
    outbox.add(direct(2))
    with pytest.raises(errors.TooMany, match="2 messages wait"):
        outbox.add(send(3))
    assert nonces(outbox) == [1, 2]


def test_only_what_has_not_gone_out_can_be_taken_back() -> None:
    outbox = Outbox(bytes)
    outbox.add(send(1))
    outbox.add(send(2))
    assert nonces(outbox) == [1]
    assert not outbox.withdraw(send(1).nonce)
    assert outbox.withdraw(send(2).nonce)
    assert not outbox.withdraw(send(2).nonce)
    outbox.answered(send(1).nonce, SENT, 0.0)
    assert nonces(outbox) == []


def test_giving_up_on_one_target_or_on_all() -> None:
    outbox = Outbox(bytes)
    for command in (send(1), send(2), send(3, "other"), direct(4)):
        outbox.add(command)
    error = errors.NotMember()
    assert outbox.fail(error, ("room", "dev")) == [Settled(send(1).nonce, error), Settled(send(2).nonce, error)]
    assert outbox.fail(error) == [Settled(send(3).nonce, error), Settled(direct(4).nonce, error)]
    assert len(outbox) == 0
    assert outbox.deadline() == math.inf
