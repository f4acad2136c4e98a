"""What people say of themselves, and when they were last here."""

from __future__ import annotations

import msgspec
import pytest

from broker.chat.operators import AddUser, ListUsers
from broker.chat.settings import ChatSettings
from common import codec, messages
from common.errors import NotLoggedIn
from common.limits import GRACE_S, STATUSES
from common.messages import Change, Profile, SetStatus, UpdateProfile
from tests.support.circle import START, Circle, Ear


@pytest.fixture
def circle() -> Circle:
    circle = Circle(settings=ChatSettings(gateways=frozenset({"gate"})))
    for login in ("ana", "bob"):
        circle.register(login)
    circle.log_in("ana", "phone")
    return circle


def rosters(ear: Ear) -> list[tuple[str, list[Change]]]:
    return [(log, event.changes) for log, event in ear.take() if isinstance(event, messages.Roster)]


# Status


def test_rooms_are_told_and_lists_show_it(circle: Circle) -> None:
    ear = circle.listen("bob", "lobby", "@bob")
    ear.take()
    assert circle.ask("ana", SetStatus(status="dnd", note="en una reunión")).ok
    assert ear.take() == [
        ("lobby", messages.Roster(time=START, changes=[Change(login="ana", change="status", status="dnd")], online=2))
    ]
    assert [user.status for user in circle.ask("bob", messages.Users()).users] == ["dnd", "available"]
    members = circle.ask("bob", messages.Members(room="lobby")).members
    assert [(member.login, member.status) for member in members] == [("ana", "dnd"), ("bob", "available")]
    profile = circle.ask("bob", Profile(login="ana"))
    assert (profile.status, profile.note) == ("dnd", "en una reunión")
    state = circle.ask("phone", messages.Hello(versions=[1])).session
    assert (state.status, state.note) == ("dnd", "en una reunión")


def test_it_lasts_and_whoever_comes_has_it(circle: Circle) -> None:
    circle.ask("ana", SetStatus(status="away", note="té"))
    circle.start()
    circle.listen("bob", "lobby")
    ear = circle.listen("bob", "lobby")
    circle.ask("ana", messages.Bye())
    circle.ask("phone", messages.Bye())
    ear.take()
    circle.ask("ana", messages.Ping())
    (joined,) = [change for _, changes in rosters(ear) for change in changes if change.change == "joined"]
    assert (joined.login, joined.status) == ("ana", "away")
    assert circle.ask("ana", Profile()).note == "té"


def test_whoever_appears_has_it(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="dev", kept=True))
    circle.ask("bob", messages.Join(room="dev"))
    circle.ask("ana", SetStatus(status="away"))
    ear = circle.listen("bob", "dev")
    circle.ask("phone", messages.Bye())
    circle.ask("ana", messages.Bye())
    ear.take()
    circle.ask("ana", messages.Ping())
    assert rosters(ear) == [("dev", [Change(login="ana", change="online", status="away")])]


def test_in_a_hundred_rooms_it_is_one_change_a_room_however_often_it_changed(circle: Circle) -> None:
    rooms = [f"r{number}" for number in range(99)]
    for room in rooms:
        circle.ask("ana", messages.Create(room=room))
        circle.ask("bob", messages.Join(room=room))
    ear = circle.listen("bob", "lobby", *rooms)
    ear.take()
    with circle.holding():
        # One turn of the broker: all of it is done before rooms are told.
        for status in ("away", "dnd", "available", "away"):
            circle.ask("ana", SetStatus(status=status))  # type: ignore[arg-type]
    told = rosters(ear)
    assert len(told) == 100
    assert {log for log, _ in told} == {"lobby", *rooms}
    assert [change for _, changes in told for change in changes] == [
        Change(login="ana", change="status", status="away")
    ] * 100


def test_of_others_changes_in_the_same_moment_none_is_lost(circle: Circle) -> None:
    circle.register("eva")
    ear = circle.listen("eva", "lobby")
    ear.take()
    with circle.holding():
        circle.ask("ana", SetStatus(status="away"))
        circle.ask("bob", SetStatus(status="dnd"))
        circle.register("zoe")
        circle.ask("ana", SetStatus(status="available"))
    assert rosters(ear) == [
        (
            "lobby",
            [
                Change(login="bob", change="status", status="dnd"),
                Change(login="zoe", change="joined"),
                Change(login="ana", change="status"),
            ],
        )
    ]


def test_a_room_is_told_nothing_of_whoever_is_not_in_it_yet(circle: Circle) -> None:
    circle.register("eva")
    circle.ask("eva", messages.Create(room="dev"))
    ear = circle.listen("eva", "dev")
    ear.take()
    with circle.holding():
        circle.ask("ana", SetStatus(status="away"))
        circle.ask("ana", messages.Join(room="dev"))
    assert rosters(ear) == [("dev", [Change(login="ana", change="joined", status="away")])]


def test_what_changes_nothing_is_neither_written_nor_told(circle: Circle) -> None:
    circle.ask("ana", SetStatus(status="away", note="té"))
    ear = circle.listen("bob", "lobby")
    ear.take()
    before = circle.store.commits  # type: ignore[attr-defined]
    for _ in range(int(STATUSES.burst) + 5):
        assert circle.ask("ana", SetStatus(status="away", note="té")).ok
    assert circle.ask("ana", UpdateProfile(show_seen=True)).status == "away"
    assert ear.take() == []
    assert circle.store.commits == before  # type: ignore[attr-defined]


def test_who_changes_it_all_the_time_has_to_wait(circle: Circle) -> None:
    answers = [circle.ask("ana", SetStatus(status="away", note=str(number))) for number in range(30)]
    refused = [answer for answer in answers if not getattr(answer, "ok", False)]
    assert len(refused) == 30 - STATUSES.burst
    assert {error.code for error in refused} == {"rate-limited"}
    circle.later(max(error.retry_after for error in refused))
    assert circle.ask("ana", SetStatus(status="dnd")).ok


@pytest.mark.parametrize("note", ["a\nb", "\x1b[2J", "\u202e", "\u2028", "a\tb"])
def test_a_note_is_one_line(circle: Circle, note: str) -> None:
    assert circle.ask("ana", SetStatus(status="away", note=note)).code == "bad-text"
    assert circle.ask("ana", Profile()).status == "available"


# Last seen


def seen(circle: Circle, login: str = "ana", by: str = "bob") -> int | None:
    answer: int | None = circle.ask(by, Profile(login=login)).seen
    return answer


def test_whoever_is_here_was_seen_now_and_then_when_the_last_session_vanished(circle: Circle) -> None:
    circle.listen("bob")
    ears = [circle.listen("ana"), circle.listen("phone")]
    circle.later(60)
    assert seen(circle) == circle.now.time
    for ear in ears:
        circle.hang_up(ear)
        circle.later(1)
    gone = circle.now.time
    circle.later(3600)
    assert gone - 1_000 <= (seen(circle) or 0) <= gone
    before = seen(circle)
    circle.start()
    circle.ask("bob", messages.Ping())
    assert seen(circle) == before
    circle.listen("ana")
    assert seen(circle) == circle.now.time


@pytest.mark.parametrize("how", [messages.Bye(), messages.Logout()])
def test_farewells_are_remembered(circle: Circle, how: messages.Command) -> None:
    circle.ask("phone", messages.Bye())
    circle.listen("bob")
    circle.ask("ana", how)
    gone = circle.now.time
    circle.later(100)
    assert seen(circle) == gone
    circle.start()
    assert seen(circle) == gone


def test_whoever_was_never_here_was_not_seen(circle: Circle) -> None:
    circle.operate(AddUser(login="eva", password="correct horse", first_names="E", surnames="V", age=3, gender="other"))
    assert seen(circle, "eva") is None


def test_it_is_told_to_nobody_if_its_owner_does_not_want_that() -> None:
    circle = Circle()
    circle.operate(
        AddUser(
            login="root",
            password="password of root",
            first_names="R",
            surnames="T",
            age=3,
            gender="other",
            operator=True,
        )
    )
    circle.log_in("root", "root")
    for login in ("ana", "bob"):
        circle.register(login)
    circle.ask("ana", messages.Create(room="dev", kept=True))
    circle.ask("bob", messages.Join(room="dev"))
    for key in ("root", "bob"):
        circle.listen(key)
    circle.now = circle.now._replace(time=circle.now.time + 777_777)
    reply = circle.ask("ana", UpdateProfile(show_seen=False))
    assert (reply.seen, reply.show_seen) == (circle.now.time, False)
    assert [seen(circle, by=by) for by in ("ana", "bob", "root")] == [circle.now.time, None, None]
    gone = circle.now.time
    circle.ask("ana", messages.Bye())
    circle.later(GRACE_S + 5)
    for _ in range(2):
        assert [seen(circle, by=by) for by in ("bob", "root")] == [None, None]
        shown = [
            circle.ask(key, command)
            for key in ("bob", "root")
            for command in (
                Profile(login="ana"),
                messages.Users(),
                messages.Members(room="dev"),
                messages.Members(room="lobby"),
                messages.Rooms(),
                messages.Hello(versions=[1]),
                messages.Sessions(),
            )
        ] + [circle.operate(ListUsers())]
        for answer in shown:
            assert msgspec.msgpack.encode(gone) not in codec.encode_reply(answer), answer
        circle.start()
        for key in ("root", "bob"):
            circle.listen(key)
    circle.log_in("ana", "ana")
    assert circle.ask("ana", UpdateProfile(show_seen=True)).show_seen is True
    assert seen(circle) == circle.now.time
    assert circle.ask("bob", Profile(login="ana")).show_seen is None


def test_a_gateways_person_is_gone_with_their_last_session(circle: Circle) -> None:
    circle.listen("bob")
    gate = circle.listen("gate")
    for key in ("ana", "phone"):
        circle.ask(key, messages.Bye())
    for tab in ("one", "two"):
        circle.ask("gate", messages.Login(login="ana", password="password of ana"), session=tab)
    circle.later(5)
    circle.ask("gate", messages.Bye(), session="one")
    circle.later(5)
    assert seen(circle) == circle.now.time
    circle.ask("gate", messages.Logout(), session="two")
    gone = circle.now.time
    circle.later(5)
    assert seen(circle) == gone
    assert gate.open


def test_a_gateway_that_is_nobody_itself_keeps_its_people_present_by_its_heartbeat(circle: Circle) -> None:
    for key in ("ana", "phone"):
        circle.ask(key, messages.Bye())
    circle.listen("gate")
    circle.ask("gate", messages.Login(login="ana", password="password of ana"), session="one")
    assert isinstance(circle.ask("gate", messages.Ping()), NotLoggedIn)
    circle.later(40)
    assert seen(circle) == circle.now.time
    circle.hung.add("gate")
    circle.later(30)
    assert seen(circle) != circle.now.time


def test_a_change_that_could_not_be_kept_does_not_undo_that_somebody_left(circle: Circle) -> None:
    circle.ask("phone", messages.Bye())
    circle.listen("bob")
    with circle.holding(fail=True):
        circle.ask("ana", SetStatus(status="away"))
        circle.ask("ana", messages.Bye())
    gone = circle.now.time
    circle.later(60)
    assert seen(circle) == gone
    assert circle.ask("bob", Profile(login="ana")).status == "available"
