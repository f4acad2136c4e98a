"""If the store fails, everything is as it was."""

from typing import Any

import pytest

from broker.chat.operators import DisableUser
from common import messages
from common.errors import StorageFailed
from common.limits import MARK_KEPT_S
from tests.support.circle import Circle


@pytest.fixture
def circle() -> Circle:
    circle = Circle()
    for login in ("ana", "bob"):
        circle.register(login)
    circle.log_in("ana", "phone")
    circle.ask("ana", messages.Create(room="dev"))
    circle.ask("ana", messages.Create(room="secret", private=True))
    circle.ask("ana", messages.Invite(room="secret", login="bob"))
    circle.ask("bob", messages.Join(room="dev"))
    circle.say("ana", "dev", "hola")
    circle.say("ana", "lobby", "hola")
    circle.ask("bob", messages.Mark(talk="lobby", read=2, notify="off"))
    circle.ask("ana", messages.Mark(talk="dev", read=1))
    circle.later(MARK_KEPT_S + 0.2)
    return circle


def memory(circle: Circle) -> Any:
    """All that the rules hold and that a failure must not change; when somebody was here last is true all the same."""
    state = circle.chat._state
    return (
        {
            id: (account.row._replace(seen=0), set(account.rooms), set(account.created_rooms))
            for id, account in state.accounts.items()
        },
        {
            id: (set(account.hidden), set(account.invited), dict(account.marks))
            for id, account in state.accounts.items()
        },
        {id: (session.account.id, session.current.id) for id, session in state.sessions.items()},
        {id: (room.row, dict(room.members), room.online) for id, room in state.rooms.items()},
        sorted(state.account_keys),
        set(state.room_by_key),
        set(state.room_by_skeleton),
        set(state.room_by_topic),
        set(state.account_by_skeleton),
    )


COMMANDS: list[tuple[str, messages.Command]] = [
    ("bob", messages.Create(room="new")),
    ("bob", messages.Leave(room="dev")),
    ("bob", messages.Enter(room="dev")),
    ("bob", messages.Join(room="secret")),
    ("bob", messages.Hide(room="dev")),
    ("ana", messages.Delete(room="dev")),
    ("ana", messages.Remove(room="dev", login="bob")),
    ("ana", messages.Remove(room="secret", login="bob")),
    ("ana", messages.Subject(room="dev", subject="x")),
    ("ana", messages.UpdateProfile(age=3)),
    ("ana", messages.UpdateProfile(show_seen=False)),
    ("ana", messages.SetStatus(status="away", note="tea")),
    ("bob", messages.Mark(talk="dev", read=1, notify="off")),
    ("bob", messages.Mark(talk="lobby", notify="mentions")),
    ("bob", messages.Mark(talk="@ana", notify="all")),
    ("ana", messages.Password(old="password of ana", new="another one")),
]


@pytest.mark.parametrize(("key", "command"), COMMANDS, ids=lambda value: getattr(value, "op", value))
def test_a_failed_change_is_undone_and_told(circle: Circle, key: str, command: messages.Command) -> None:
    before, published = memory(circle), len(circle.published)
    with circle.holding(fail=True):
        assert circle.ask(key, command) is None
    (error,) = circle.replies.values()
    assert error.code == "storage-failed"
    assert memory(circle) == before
    assert [event for _, event in circle.published[published:] if not isinstance(event, messages.Roster)] == []


def test_changes_in_flight_are_undone_latest_first(circle: Circle) -> None:
    before = memory(circle)
    with circle.holding(fail=True):
        circle.ask("bob", messages.Create(room="new"))
        circle.ask("ana", messages.Join(room="new"))
        circle.ask("bob", messages.Delete(room="new"))
        circle.ask("bob", messages.Create(room="New"))
        circle.operate(DisableUser(login="ana"))
    assert len(circle.replies) == 5
    state = memory(circle)
    assert state[3:] == before[3:] or {k: v[1] for k, v in state[3].items()} == {k: v[1] for k, v in before[3].items()}
    assert state[0] == before[0]


def test_who_is_there_is_counted_anew_when_a_room_comes_back(circle: Circle) -> None:
    with circle.holding(fail=True):
        circle.ask("ana", messages.Delete(room="dev"))
        circle.ask("bob", messages.Bye())
    (dev,) = [room for room in circle.ask("ana", messages.Rooms()).rooms if room.name == "dev"]
    assert dev.online == 1


def test_a_failed_registration_leaves_the_name_free(circle: Circle) -> None:
    with circle.holding(fail=True):
        circle.register("eva")
    circle.replies.clear()
    circle.later(30)
    assert circle.register("eva").session.login == "eva"


def test_what_memory_holds_is_what_is_on_disk(circle: Circle) -> None:
    circle.ask("bob", messages.Join(room="secret"))
    circle.ask("bob", messages.Enter(room="dev"))
    before = memory(circle)
    circle.start()
    assert memory(circle) == before


@pytest.mark.parametrize("fail", [False, True])
def test_hello_names_no_room_that_may_be_taken_back(circle: Circle, fail: bool) -> None:
    with circle.holding(fail=fail):
        circle.ask("bob", messages.Join(room="secret"))
        assert circle.ask("bob", messages.Hello(versions=[1], client="circle")) is None
    (welcome,) = [reply for reply in circle.replies.values() if isinstance(reply, messages.Welcome)]
    assert welcome.session is not None
    assert ("secret" in {room.name for room in welcome.session.rooms}) is not fail


@pytest.mark.parametrize("fail", [False, True])
def test_hello_is_not_settled_while_a_join_or_a_login_that_came_after_it_is_under_way(
    circle: Circle, fail: bool
) -> None:
    circle.log_in("bob", "laptop")
    with circle.holding(fail=fail):
        circle.ask("ana", messages.Subject(room="dev", subject="News"))
        for key in ("bob", "ana", "tablet"):
            circle.ask(key, messages.Hello(versions=[1], client="circle"))
        bob, ana, tablet = circle.behind
        assert bob.settled()
        circle.ask("laptop", messages.Join(room="secret"))
        circle.log_in("ana", "tablet")
        assert (bob.settled(), ana.settled(), tablet.settled()) == (False, True, False)
    assert bob.settled()
    assert tablet.settled()


@pytest.mark.parametrize("fail", [False, True])
def test_a_membership_entitles_to_hear_once_it_is_on_disk(circle: Circle, fail: bool) -> None:
    ear = circle.listen("bob")
    with circle.holding(fail=fail):
        circle.ask("bob", messages.Join(room="secret"))
        assert not circle.subscribe(ear, "secret")
    assert circle.subscribe(ear, "secret") is not fail


@pytest.mark.parametrize("ask", [messages.Join, messages.Enter])
def test_a_join_that_is_asked_for_again_is_not_granted_before_the_first_is_on_disk(circle: Circle, ask: Any) -> None:
    with circle.holding(fail=True):
        circle.ask("bob", messages.Join(room="secret"))
        assert circle.ask("bob", ask(room="secret")) is None
    assert [type(reply) for reply in circle.replies.values()] == [StorageFailed] * 2
    with circle.holding():
        circle.ask("bob", messages.Join(room="secret"))
        assert circle.ask("bob", ask(room="secret")) is None
    before = memory(circle)
    circle.start()
    assert memory(circle) == before


def test_a_membership_that_was_given_up_and_is_not_back_on_disk_does_not_save_from_the_cut(circle: Circle) -> None:
    ear = circle.listen("bob", "dev")
    with circle.holding():
        circle.ask("bob", messages.Leave(room="dev"))
        left = circle.held
        circle.held = []
        circle.ask("bob", messages.Join(room="dev"))
        join, circle.held = circle.held, left
        circle._commit(left or [])
        assert not ear.open
        circle.held = join
    assert circle.subscribe(circle.listen("bob"), "dev")


def test_of_several_joins_the_last_one_entitles_to_hear(circle: Circle) -> None:
    ear = circle.listen("bob")
    with circle.holding():
        for ask in (messages.Join, messages.Leave, messages.Join):
            circle.ask("bob", ask(room="secret"))
        (first, *others), circle.held = circle.held or [], []
        circle._commit([first])
        assert not circle.subscribe(ear, "secret")
        circle.held = others
    assert circle.subscribe(ear, "secret")


def test_who_left_and_joined_again_in_vain_hears_as_before(circle: Circle) -> None:
    with circle.holding(fail=True):
        circle.ask("bob", messages.Leave(room="dev"))
        circle.ask("bob", messages.Join(room="dev"))
    assert circle.subscribe(circle.listen("bob"), "dev")


@pytest.mark.parametrize("fail", [False, True])
def test_a_session_entitles_to_hear_once_it_is_on_disk(circle: Circle, fail: bool) -> None:
    ear = circle.listen("tablet")
    with circle.holding(fail=fail):
        circle.log_in("ana", "tablet")
        assert not circle.subscribe(ear, "@ana")
        assert not circle.subscribe(ear, "secret")
    assert circle.subscribe(ear, "@ana") is not fail
    assert circle.subscribe(ear, "secret") is not fail


def test_a_session_that_is_back_knows_of_the_connection_that_came_meanwhile(circle: Circle) -> None:
    beacon = circle.beacon("bob")
    with circle.holding(fail=True):
        circle.ask("bob", messages.Logout())
        ear = circle.listen("bob", beacon, beacon=False)
    ear.take()
    assert circle.subscribe(ear, "dev")
    assert [event.log for event in ear.of(messages.Live)] == ["dev"]
    circle.hang_up(ear)
    circle.later(2)
    assert not circle.chat._state.account("bob").present


def test_whoever_makes_a_room_of_a_deleted_name_goes_on_hearing(circle: Circle) -> None:
    ear, other = circle.listen("ana", "dev"), circle.listen("bob", "dev")
    circle.ask("ana", messages.Delete(room="dev"))
    circle.ask("ana", messages.Create(room="dev"))
    assert (ear.open, other.open) == (True, False)
