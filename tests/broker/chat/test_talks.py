"""How far a conversation was read, and who is writing."""

from __future__ import annotations

from typing import Any

import pytest

from broker.chat.settings import ChatSettings
from common import codec, limits, messages
from common.limits import MARK_KEPT_S, TALKS, TYPING, TYPING_ROOM, TYPING_S
from common.messages import Mark, Marked, TalkView, Typing, WritesNow
from tests.support.circle import Circle, Ear

PEOPLE = ("Ana", "bob", "eva")


@pytest.fixture
def circle() -> Circle:
    circle = Circle()
    for login in PEOPLE:
        circle.register(login, login.lower())
    circle.log_in("Ana", "phone")
    circle.ask("ana", messages.Create(room="Dev"))
    circle.ask("bob", messages.Join(room="dev"))
    for _ in range(5):
        circle.say("bob", "dev", "hola")
    return circle


def state(circle: Circle, key: str) -> messages.SessionState:
    welcome = circle.ask(key, messages.Hello(versions=[1], client="circle"))
    assert welcome.session is not None
    session: messages.SessionState = welcome.session
    return session


def room(circle: Circle, key: str, name: str = "Dev") -> messages.RoomView:
    return next(view for view in state(circle, key).rooms if view.name == name)


def marks(ear: Ear) -> list[tuple[str, int, str | None]]:
    return [(event.talk, event.read, event.notify) for _, event in ear.take() if isinstance(event, Marked)]


# Marks


def test_every_session_of_the_account_is_told_and_finds_it_again(circle: Circle) -> None:
    ears = [circle.listen(key, "@Ana") for key in ("ana", "phone")]
    assert circle.ask("phone", Mark(talk="DEV", read=3)).ok
    assert circle.ask("ana", Mark(talk="@BOB", read=0, notify="off")).ok
    for ear in ears:
        assert marks(ear) == [("Dev", 3, None), ("@bob", 0, "off")]
    for key in ("ana", "phone"):
        assert (room(circle, key).read, room(circle, key).notify) == (3, None)
        assert state(circle, key).talks == [TalkView(talk="@bob", read=0, notify="off")]


def test_nobody_else_learns_of_it(circle: Circle) -> None:
    circle.log_in("bob", "bobs phone")
    ears = [circle.listen("bob", "@bob", "lobby", "Dev"), circle.listen("eva", "@eva", "lobby", "Dev", "@Ana")]
    before = state(circle, "bob"), circle.ask("eva", messages.Rooms()).rooms
    for ear in ears:
        ear.take()
    circle.ask("ana", Mark(talk="dev", read=4, notify="off"))
    circle.ask("ana", Mark(talk="@bob", read=1, notify="mentions"))
    assert [ear.take() for ear in ears] == [[], []]
    assert (state(circle, "bob"), circle.ask("eva", messages.Rooms()).rooms) == before
    assert {log for log, event in circle.published if isinstance(event, Marked)} == {"@Ana"}


def test_what_was_read_only_grows_and_ends_at_the_head(circle: Circle) -> None:
    ear = circle.listen("ana", "@Ana")
    for read, kept in ((3, 3), (2, 3), (0, 3), (4, 4), (limits.PORT, 5), (5, 5)):
        circle.ask("ana", Mark(talk="dev", read=read))
        assert room(circle, "ana").read == kept
    assert marks(ear) == [("Dev", 3, None), ("Dev", 4, None), ("Dev", 5, None)]


def test_of_a_person_it_ends_at_the_head_of_ones_own_inbox(circle: Circle) -> None:
    circle.direct("bob", "ana", "psst")
    circle.direct("eva", "bob", "psst")
    (head,) = {state(circle, "ana").inbox}
    circle.ask("ana", Mark(talk="@bob", read=10**6))
    assert state(circle, "ana").talks == [TalkView(talk="@bob", read=head)]


def test_ones_own_message_moves_nothing(circle: Circle) -> None:
    circle.ask("bob", Mark(talk="dev", read=2))
    circle.say("bob", "dev", "hola")
    circle.direct("bob", "ana", "hola")
    assert room(circle, "bob").read == 2
    assert state(circle, "bob").talks == []


def test_a_mark_of_oneself_is_how_far_the_whole_inbox_was_read(circle: Circle) -> None:
    ear = circle.listen("ana", "@Ana")
    seqs = [circle.direct(key, "ana", "psst") and state(circle, "ana").inbox for key in ("bob", "eva", "bob")]
    circle.ask("ana", Mark(talk="@eva", read=seqs[0]))
    circle.ask("phone", Mark(talk="@ANA", read=seqs[1]))
    assert marks(ear) == [("@eva", seqs[0], None), ("@Ana", seqs[1], None)]
    circle.ask("ana", Mark(talk="@Ana", read=seqs[0]))
    own, other = TalkView(talk="@Ana", read=seqs[1]), TalkView(talk="@eva", read=seqs[0])
    assert state(circle, "ana").talks == [own, other], "it never goes back, and is nobody else's mark"
    circle.ask("ana", Mark(talk="@ana", read=10**9))
    assert state(circle, "ana").talks[0].read == seqs[2], "nor beyond the end"
    circle.later(MARK_KEPT_S + 0.1)
    circle.start()
    assert state(circle, "ana").talks == [TalkView(talk="@Ana", read=seqs[2]), other]
    missed = circle.ask("ana", messages.History(log="@ana", after=seqs[1])).entries
    assert [entry.seq for entry in missed] == [seqs[2]], "and history goes on from there"


@pytest.mark.parametrize(
    ("key", "talk", "code"),
    [
        ("ana", "nowhere", "no-such-room"),
        ("eva", "dev", "not-member"),
        ("eva", "den", "no-such-room"),
        ("ana", "@nobody", "no-such-user"),
        ("ana", "@", "no-such-user"),
        ("nobody", "dev", "not-logged-in"),
    ],
)
@pytest.mark.parametrize("op", [Mark, Typing])
def test_refusals(circle: Circle, op: Any, key: str, talk: str, code: str) -> None:
    circle.ask("ana", messages.Create(room="den", private=True))
    assert circle.ask(key, op(talk=talk)).code == code


def test_what_was_read_is_written_once_for_many_marks(circle: Circle) -> None:
    for key in ("ana", "bob", "eva", "phone"):
        circle.listen(key)
    circle.later(MARK_KEPT_S + 0.1)
    before = circle.store.commits  # type: ignore[attr-defined]
    for read in range(1, 6):
        circle.ask("ana", Mark(talk="dev", read=read))
        circle.ask("bob", Mark(talk="dev", read=read))
        circle.ask("ana", Mark(talk="@bob", read=read))
        circle.later(MARK_KEPT_S / 6)
    assert circle.store.commits == before  # type: ignore[attr-defined]
    assert list(circle.store.load().marks) == []
    circle.later(MARK_KEPT_S + 0.1)
    assert circle.store.commits == before + 1  # type: ignore[attr-defined]
    assert {(mark.account, mark.talk, mark.read) for mark in circle.store.load().marks} == {(1, 2, 5), (2, 2, 5)}
    circle.later(2 * MARK_KEPT_S)
    assert circle.store.commits == before + 1  # type: ignore[attr-defined]


def test_what_changes_nothing_is_neither_written_nor_told(circle: Circle) -> None:
    circle.ask("ana", Mark(talk="dev", read=3, notify="off"))
    circle.later(MARK_KEPT_S + 0.1)
    ear = circle.listen("ana", "@Ana")
    before = circle.store.commits  # type: ignore[attr-defined]
    for command in (Mark(talk="dev"), Mark(talk="dev", read=3, notify="off"), Mark(talk="dev", read=1)):
        assert circle.ask("ana", command).ok
    assert circle.ask("ana", Mark(talk="@bob", read=0)).ok
    circle.later(MARK_KEPT_S + 0.1)
    assert marks(ear) == []
    assert circle.store.commits == before  # type: ignore[attr-defined]
    assert state(circle, "ana").talks == []


def test_a_wish_is_on_disk_before_it_is_answered(circle: Circle) -> None:
    with circle.holding() as release:
        assert circle.ask("ana", Mark(talk="dev", notify="off", read=2)) is None
        release()
    circle.start()
    assert (room(circle, "ana").read, room(circle, "ana").notify) == (2, "off")


def test_a_killed_broker_forgets_a_few_seconds_of_reading_and_a_closed_one_none(circle: Circle) -> None:
    circle.ask("ana", Mark(talk="dev", read=3))
    circle.later(MARK_KEPT_S + 0.1)
    circle.ask("ana", Mark(talk="dev", read=4))
    circle.start()
    assert room(circle, "ana").read == 3
    circle.ask("ana", Mark(talk="dev", read=5))
    circle.carry_out(circle.chat.close(circle.now))
    circle.start()
    assert room(circle, "ana").read == 5


def test_what_could_not_be_written_is_written_later(circle: Circle) -> None:
    circle.ask("ana", Mark(talk="dev", read=3))
    with circle.holding(fail=True):
        circle.later(MARK_KEPT_S + 0.1)
    assert list(circle.store.load().marks) == []
    circle.later(MARK_KEPT_S + 0.1)
    assert [mark.read for mark in circle.store.load().marks] == [3]


def test_a_wish_that_cannot_be_kept_takes_back_nothing_that_was_read_since(circle: Circle) -> None:
    ear = circle.listen("ana", "@Ana")
    with circle.holding(fail=True):
        circle.ask("ana", Mark(talk="dev", notify="off", read=2))
        circle.ask("phone", Mark(talk="dev", read=4))
    assert [reply.code for reply in circle.replies.values()] == ["storage-failed"]
    assert (room(circle, "ana").read, room(circle, "ana").notify) == (4, None)
    circle.later(MARK_KEPT_S + 0.1)
    assert marks(ear) == [("Dev", 4, "off"), ("Dev", 4, None)], "told while it was under way, and put right"
    circle.start()
    assert (room(circle, "ana").read, room(circle, "ana").notify) == (4, None)


def test_whoever_leaves_a_room_loses_its_mark(circle: Circle) -> None:
    circle.ask("bob", Mark(talk="dev", read=3, notify="all"))
    circle.ask("bob", messages.Leave(room="dev"))
    assert circle.ask("bob", messages.Join(room="dev")).room.read == 0
    circle.later(MARK_KEPT_S + 0.1)
    circle.start()
    assert (room(circle, "bob").read, room(circle, "bob").notify) == (0, None)


def test_a_new_account_has_missed_nothing_that_was_said_before(circle: Circle) -> None:
    sent = circle.say("ana", "lobby", "hola")
    circle.register("new")
    circle.say("ana", "lobby", "welcome")
    assert room(circle, "new", "lobby").read == sent.seq
    circle.later(MARK_KEPT_S + 0.1)
    circle.start()
    assert room(circle, "new", "lobby").read == sent.seq
    assert room(circle, "ana", "lobby").read == 0, "who was there before anything was said has missed all of it"


def test_an_account_that_could_not_be_kept_leaves_no_mark(circle: Circle) -> None:
    circle.say("ana", "lobby", "hola")
    with circle.holding(fail=True):
        circle.register("new")
    assert list(circle.store.load().marks) == []


def test_whoever_comes_back_to_the_default_room_goes_on_reading_there(circle: Circle) -> None:
    sent = circle.say("ana", "lobby", "hola")
    circle.ask("bob", Mark(talk="lobby", read=sent.seq, notify="mentions"))
    circle.ask("bob", messages.Bye())
    assert "lobby" not in {view.name for view in circle.ask("ana", messages.Rooms()).rooms if not view.joined}
    circle.later(30)
    circle.log_in("bob", "bob 2")
    assert room(circle, "bob 2", "lobby").read == sent.seq
    circle.ask("bob 2", messages.Enter(room="dev"))
    circle.start()
    circle.ask("bob 2", messages.Enter(room="lobby"))
    assert (room(circle, "bob 2", "lobby").read, room(circle, "bob 2", "lobby").notify) == (sent.seq, "mentions")


def test_a_deleted_room_takes_its_marks_along(circle: Circle) -> None:
    for key in ("ana", "bob"):
        circle.ask(key, Mark(talk="dev", read=3, notify="off"))
    circle.ask("ana", messages.Delete(room="dev"))
    circle.ask("ana", messages.Create(room="Dev"))
    circle.later(MARK_KEPT_S + 0.1)
    assert list(circle.store.load().marks) == []
    assert (room(circle, "ana").read, room(circle, "ana").notify) == (0, None)


def test_a_room_that_was_never_kept_leaves_no_mark(circle: Circle) -> None:
    with circle.holding(fail=True):
        circle.ask("ana", messages.Create(room="new"))
        circle.ask("ana", Mark(talk="new", notify="off"))
    circle.later(MARK_KEPT_S + 0.1)
    assert list(circle.store.load().marks) == []
    assert circle.chat._state.accounts[1].marks == {}


def test_a_person_who_was_never_kept_leaves_no_mark(circle: Circle) -> None:
    circle.direct("bob", "ana", "psst")
    with circle.holding(fail=True):
        circle.register("new")
        circle.ask("ana", Mark(talk="@new", read=6))
        circle.ask("ana", Mark(talk="@new", notify="off"))
        circle.ask("new", Mark(talk="@ana", notify="off"))
    assert state(circle, "ana").talks == []
    circle.later(MARK_KEPT_S + 0.1)
    assert list(circle.store.load().marks) == []
    assert circle.chat._state.accounts[1].marks == {}


def test_the_talks_marked_last_come_first_and_the_one_marked_longest_ago_is_forgotten() -> None:
    circle = Circle(settings=ChatSettings(registrations=limits.Rate(0, 0), requests=limits.Rate(0, 0)))
    circle.register("ana")
    circle.say("ana", "lobby", "hola")
    circle.ask("ana", Mark(talk="lobby", read=1))
    others = [f"p{number}" for number in range(TALKS + 3)]
    for login in others:
        circle.register(login)
        circle.ask("ana", Mark(talk=f"@{login}", notify="all"))
    circle.ask("ana", Mark(talk="@p3", notify="off"))
    expected = ["@p3", *(f"@{login}" for login in reversed(others[4:]))]
    assert [talk.talk for talk in state(circle, "ana").talks] == expected
    assert len(expected) == TALKS
    circle.later(MARK_KEPT_S + 0.1)
    assert len([mark for mark in circle.store.load().marks if mark.account == 1]) == TALKS + 1
    circle.start()
    assert [talk.talk for talk in state(circle, "ana").talks] == expected
    assert room(circle, "ana", "lobby").read == 1
    assert len(codec.encode_reply(circle.ask("ana", messages.Hello(versions=[1])))) < limits.REPLY_BYTES / 2


def test_the_order_of_marks_does_not_hang_on_the_clock(circle: Circle) -> None:
    circle.ask("ana", Mark(talk="@bob", notify="all"))
    circle.now = circle.now._replace(time=circle.now.time - 86_400_000)
    circle.ask("ana", Mark(talk="@eva", notify="all"))
    circle.ask("ana", Mark(talk="@ana", notify="all"))
    circle.start()
    assert [talk.talk for talk in state(circle, "ana").talks] == ["@Ana", "@eva", "@bob"]


def test_each_of_a_gateways_people_has_their_own() -> None:
    circle = Circle(settings=ChatSettings(gateways=frozenset({"gate"})))
    for login in ("ana", "bob"):
        circle.register(login)
        circle.ask("gate", messages.Login(login=login, password=f"password of {login}"), session=f"tab of {login}")
    ear = circle.listen("gate", "@ana", "@bob", "lobby")
    circle.say("ana", "lobby", "hola")
    assert circle.ask("gate", Mark(talk="lobby", read=1), session="tab of ana").ok
    assert circle.ask("gate", Typing(talk="lobby"), session="tab of bob").ok
    assert circle.ask("gate", messages.SetStatus(status="away"), session="tab of bob").ok
    assert [log for log, event in ear.heard if isinstance(event, Marked)] == ["@ana"]
    assert [event.login for event in ear.of(WritesNow)] == ["bob"]
    read = {}
    for login in ("ana", "bob"):
        welcome = circle.ask("gate", messages.Hello(versions=[1]), session=f"tab of {login}")
        read[login] = welcome.session.rooms[0].read, welcome.session.status
    assert read == {"ana": (1, "available"), "bob": (0, "away")}


# Typing


def typed(ear: Ear) -> list[tuple[str, str, bool]]:
    return [(log, event.login, event.on) for log, event in ear.take() if isinstance(event, WritesNow)]


def test_a_room_sees_who_is_writing_and_it_is_kept_nowhere(circle: Circle) -> None:
    ear = circle.listen("bob", "Dev", "@bob")
    outside = circle.listen("eva", "lobby", "@eva")
    before = circle.store.commits  # type: ignore[attr-defined]
    assert circle.ask("ana", Typing(talk="DEV")).ok
    assert circle.ask("phone", Typing(talk="dev", on=False)).ok
    assert typed(ear) == [("Dev", "Ana", True), ("Dev", "Ana", False)]
    assert typed(outside) == []
    assert circle.store.commits == before  # type: ignore[attr-defined]


def test_one_person_sees_it_on_their_inbox_alone(circle: Circle) -> None:
    ears = {
        key: circle.listen(key, f"@{login}", "lobby") for key, login in zip(("ana", "bob", "eva"), PEOPLE, strict=True)
    }
    assert circle.ask("ana", Typing(talk="@BOB")).ok
    assert circle.ask("ana", Typing(talk="@ana")).ok
    assert {key: typed(ear) for key, ear in ears.items()} == {"ana": [], "bob": [("@bob", "Ana", True)], "eva": []}


def test_too_many_notices_are_dropped_and_answered_all_the_same(circle: Circle) -> None:
    ear = circle.listen("bob", "Dev", "@bob")
    burst = int(TYPING.burst)
    for number in range(burst + 5):
        assert circle.ask("ana" if number % 2 else "phone", Typing(talk="dev")).ok, "counted by account"
    assert len(typed(ear)) == burst
    circle.later(TYPING_S)
    for _ in range(burst + 5):
        circle.ask("ana", Typing(talk="@bob"))
    assert len(typed(ear)) == burst


def test_in_a_crowd_nobody_is_told_who_writes() -> None:
    circle = Circle()
    for number in range(TYPING_ROOM):
        circle.register(f"p{number}")
    ear = circle.listen("p0", "lobby")
    circle.ask("p1", Typing(talk="lobby"))
    assert len(typed(ear)) == 1
    circle.register("onemore")
    for _ in range(int(TYPING.burst) + 1):
        assert circle.ask("p1", Typing(talk="lobby")).ok
    assert typed(ear) == []
    circle.ask("onemore", messages.Bye())
    circle.ask("p1", Typing(talk="lobby"))
    assert len(typed(ear)) == 1, "what was dropped for the crowd's sake has cost nothing"
