"""How many programs have answered one another: counted by the broker, and stopped by it."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.chat import ports
from broker.chat.settings import ChatSettings
from common import messages as m
from common.limits import BOT_POSTS, HOPS, POSTS, Rate
from tests.support.circle import Circle

_numbers = count(1)


def made_a_program(circle: Circle, login: str) -> None:
    """Have that account be a bot, as the operator makes one; the broker is started anew."""
    row = next(row for row in circle.store.load().accounts if row.login == login)
    circle.store.commit([ports.UpdateAccount(row._replace(bot=True))])
    circle.start()


def with_bots(*bots: str, settings: ChatSettings | None = None) -> Circle:
    circle = Circle(settings=settings)
    for login in ("ana", *bots):
        circle.register(login)
    for login in bots:
        made_a_program(circle, login)
    return circle


@pytest.fixture
def circle() -> Circle:
    return with_bots("dice", "trivia")


def send(circle: Circle, key: str, text: str = "hola", room: str = "lobby", **fields: Any) -> Any:
    return circle.ask(key, m.Send(room=room, text=text, nonce=next(_numbers).to_bytes(16, "big"), **fields))


def direct(circle: Circle, key: str, to: str, text: str = "hola", **fields: Any) -> Any:
    return circle.ask(key, m.Direct(to=to, text=text, nonce=next(_numbers).to_bytes(16, "big"), **fields))


def hops(circle: Circle, key: str, log: str) -> list[int]:
    return [entry.hops for entry in circle.ask(key, m.History(log=log)).entries]


def test_what_a_person_says_has_none_and_what_a_program_says_has_one(circle: Circle) -> None:
    ear = circle.listen("ana", "lobby")
    send(circle, "ana")
    send(circle, "dice")
    assert [message.hops for message in ear.of(m.Message)] == hops(circle, "ana", "lobby") == [0, 1]


def test_what_is_declared_counts_where_it_is_more(circle: Circle) -> None:
    for key, declared, expected in (("ana", 0, 0), ("ana", 3, 3), ("dice", 0, 1), ("dice", 1, 1), ("dice", 5, 5)):
        assert send(circle, key, hops=declared).ok
        assert hops(circle, "ana", "lobby")[-1] == expected, (key, declared)


def test_an_answer_of_a_program_is_one_further_whatever_it_declares(circle: Circle) -> None:
    said = send(circle, "dice", hops=4)
    for key, declared, expected in (("trivia", None, 5), ("trivia", 0, 5), ("trivia", 7, 7), ("ana", None, 0)):
        assert send(circle, key, hops=declared, reply_to=said.seq).ok
        assert hops(circle, "ana", "lobby")[-1] == expected, (key, declared)


def test_too_many_are_a_loop_and_nothing_is_said(circle: Circle) -> None:
    last = send(circle, "dice", hops=HOPS)
    before = len(hops(circle, "ana", "lobby"))
    for refused in (
        send(circle, "dice", hops=HOPS + 1),
        send(circle, "ana", hops=HOPS + 1),
        send(circle, "trivia", reply_to=last.seq),
        send(circle, "trivia", reply_to=last.seq, hops=0),
        direct(circle, "trivia", "dice", hops=HOPS + 1),
    ):
        assert refused.code == "loop"
    assert len(hops(circle, "ana", "lobby")) == before
    assert send(circle, "ana", reply_to=last.seq).ok, "a person may say something to it"


def test_in_private_both_copies_tell_it(circle: Circle) -> None:
    ears = {login: circle.listen(login, f"@{login}") for login in ("dice", "trivia")}
    direct(circle, "dice", "trivia")
    for turn in range(2, HOPS + 1):
        key, other = ("dice", "trivia") if turn % 2 else ("trivia", "dice")
        newest = circle.ask(key, m.History(log=f"@{key}")).entries[-1]
        assert direct(circle, key, other, reply_to=newest.seq, hops=0).ok
    for login, ear in ears.items():
        assert [message.hops for message in ear.of(m.DirectMessage)] == list(range(1, HOPS + 1))
        assert hops(circle, login, f"@{login}") == list(range(1, HOPS + 1))
    newest = circle.ask("trivia", m.History(log="@trivia")).entries[-1]
    assert direct(circle, "trivia", "dice", reply_to=newest.seq, hops=0).code == "loop"


def test_what_was_said_keeps_its_hops_whatever_is_done_to_it(circle: Circle) -> None:
    said = send(circle, "dice", "eins", hops=3)
    circle.ask("dice", m.Edit(log="lobby", seq=said.seq, text="one", nonce=b"e" * 16))
    circle.ask("ana", m.React(log="lobby", seq=said.seq, emoji="👍", nonce=b"r" * 16))
    assert hops_of(circle, said.seq) == 3
    (hit,) = circle.ask("ana", m.Search(query="one")).hits
    assert hit.entry.hops == 3
    circle.ask("dice", m.Retract(log="lobby", seq=said.seq, nonce=b"t" * 16))
    assert hops_of(circle, said.seq) == 3
    answer = send(circle, "trivia", reply_to=said.seq)
    assert hops_of(circle, answer.seq) == 4


def hops_of(circle: Circle, seq: int) -> int:
    return next(entry.hops for entry in circle.ask("ana", m.History(log="lobby")).entries if entry.seq == seq)


def test_a_repeat_is_answered_with_the_old_place(circle: Circle) -> None:
    said = send(circle, "dice", hops=HOPS - 1)
    post = m.Send(room="lobby", text="again", nonce=b"n" * 16, reply_to=said.seq)
    first = circle.ask("trivia", post)
    assert circle.ask("trivia", post).seq == first.seq
    assert hops(circle, "ana", "lobby").count(HOPS) == 1


turns = st.lists(
    st.tuples(
        st.sampled_from(["ana", "dice", "trivia", "quiz"]),
        st.none() | st.integers(0, HOPS + 2),
        st.none() | st.integers(0, 30),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(turns)
def test_no_program_comes_further_than_it_may_by_answering(said: list[tuple[str, int | None, int | None]]) -> None:
    circle = with_bots("dice", "trivia", "quiz")
    expected: dict[int, int] = {}
    for key, declared, which in said:
        target = sorted(expected)[which % len(expected)] if expected and which is not None else None
        answered = expected[target] + 1 if target is not None else 1
        should = max(declared or 0, answered if key != "ana" else 0)
        answer = send(circle, key, hops=declared, reply_to=target)
        if should > HOPS:
            assert answer.code == "loop"
        else:
            expected[answer.seq] = should
    found = {entry.seq: entry.hops for entry in circle.ask("ana", m.History(log="lobby")).entries}
    assert found == expected


def test_programs_say_more_at_once_than_people() -> None:
    circle = with_bots("dice")
    for key, rate in (("ana", POSTS), ("dice", BOT_POSTS)):
        answers = [send(circle, key) for _ in range(int(rate.burst) + 1)]
        assert [getattr(answer, "code", "") for answer in answers] == [""] * int(rate.burst) + ["rate-limited"]
        circle.later(60)


def test_the_operator_says_how_much_programs_may_say_and_ask() -> None:
    circle = with_bots("dice", settings=ChatSettings(bot_posts=Rate(1, 2), bot_requests=Rate(1, 7)))
    assert [send(circle, "dice").ok for _ in range(2)] == [True, True]
    assert send(circle, "dice").code == "rate-limited"
    assert direct(circle, "dice", "ana").code == "rate-limited"
    answers = [circle.ask("dice", m.Ping()) for _ in range(9)]
    assert getattr(answers[-1], "code", "") == "rate-limited"
    assert all(send(circle, "ana").ok for _ in range(20))
