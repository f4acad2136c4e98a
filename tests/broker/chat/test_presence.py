"""Who is here, and what ends when they are not."""

import pytest

from broker.chat.settings import ChatSettings
from common import messages
from common.limits import PRESENCE_SETTLE_S, SESSION_DAYS, SILENCE_S
from tests.support.circle import Circle, Ear

GRACE = 20.0


@pytest.fixture
def circle() -> Circle:
    circle = Circle(settings=ChatSettings(grace_s=GRACE))
    for login in ("ana", "bob"):
        circle.register(login)
    return circle


def online(circle: Circle, key: str, room: str = "lobby") -> int:
    return next(view.online for view in circle.ask(key, messages.Rooms()).rooms if view.name == room)


def changes(ear: Ear) -> list[tuple[str, str, str, str]]:
    return [
        (log, change.login, change.change, change.reason)
        for log, event in ear.take()
        if isinstance(event, messages.Roster)
        for change in event.changes
    ]


def test_a_lost_client_is_out_of_the_counts_within_a_second(circle: Circle) -> None:
    ear = circle.listen("bob", "lobby")
    lost = circle.listen("ana", "lobby")
    ear.take()
    circle.hang_up(lost)
    assert online(circle, "bob") == 2
    circle.later(PRESENCE_SETTLE_S + 0.2)
    assert online(circle, "bob") == 1
    assert changes(ear) == [("lobby", "ana", "offline", "")]


def test_a_reconnecting_client_does_not_flicker(circle: Circle) -> None:
    ear = circle.listen("bob", "lobby")
    lost = circle.listen("ana", "lobby")
    ear.take()
    circle.hang_up(lost)
    circle.later(PRESENCE_SETTLE_S / 2)
    circle.listen("ana", "lobby")
    circle.later(5)
    assert online(circle, "bob") == 2
    assert changes(ear) == []


def test_who_comes_back_does_not_flicker_while_nothing_can_be_written(circle: Circle) -> None:
    ear = circle.listen("bob", "lobby")
    circle.hang_up(circle.listen("ana", "lobby"))
    circle.later(PRESENCE_SETTLE_S + 0.2)
    ear.take()
    with circle.holding(fail=True):
        circle.listen("ana", "lobby")
    with circle.holding(fail=True):
        circle.ask("ana", messages.Ping())
    assert changes(ear) == [("lobby", "ana", "online", "")]
    assert online(circle, "bob") == 2


def test_a_second_connection_keeps_its_client_present(circle: Circle) -> None:
    first, second = circle.listen("ana"), circle.listen("ana")
    circle.hang_up(first)
    circle.later(2)
    assert online(circle, "bob") == 2
    circle.unsubscribe(second, circle.beacon("ana"))
    circle.later(2)
    assert online(circle, "bob") == 1


def test_a_second_device_keeps_its_user_present(circle: Circle) -> None:
    circle.log_in("ana", "phone")
    laptop, _ = circle.listen("ana"), circle.listen("phone")
    circle.hang_up(laptop)
    circle.later(2 * GRACE)
    assert online(circle, "bob") == 2


def test_after_the_grace_whoever_is_gone_has_left(circle: Circle) -> None:
    ear = circle.listen("bob", "lobby")
    lost = circle.listen("ana")
    circle.hang_up(lost)
    ear.take()
    circle.later(GRACE + 2)
    assert changes(ear) == [("lobby", "ana", "offline", ""), ("lobby", "ana", "left", "gone")]
    back = circle.listen("ana", "@ana")
    assert changes(ear) == [("lobby", "ana", "joined", "")]
    assert circle.subscribe(back, "lobby")
    assert [event.room.name for event in back.of(messages.JoinedRoom)] == []
    assert online(circle, "bob") == 2


def test_back_within_the_grace_nothing_is_lost(circle: Circle) -> None:
    ear = circle.listen("bob", "lobby")
    circle.ask("ana", messages.Create(room="dev"))
    circle.hang_up(circle.listen("ana"))
    ear.take()
    circle.later(GRACE / 2)
    circle.listen("ana")
    assert changes(ear) == [("lobby", "ana", "offline", ""), ("lobby", "ana", "online", "")]
    circle.later(2 * GRACE)
    assert online(circle, "bob", "dev") == 1


def test_a_client_that_only_asks_is_present_as_long_as_it_is_heard(circle: Circle) -> None:
    circle.listen("bob")
    for _ in range(4):
        circle.later(SILENCE_S / 2)
        circle.ask("ana", messages.Ping())
        assert online(circle, "bob") == 2
    circle.later(SILENCE_S + 1)
    assert online(circle, "bob") == 1


def test_a_client_that_hangs_is_absent_though_it_is_connected_and_back_when_it_goes_on(circle: Circle) -> None:
    circle.listen("ana", "lobby"), circle.listen("bob", "lobby")
    circle.hung.add("ana")
    circle.later(SILENCE_S - 1)
    assert online(circle, "bob") == 2
    circle.later(2.5)
    assert online(circle, "bob") == 1
    circle.hung.clear()
    circle.ask("ana", messages.Ping())
    assert online(circle, "bob") == 2


def test_an_ephemeral_room_ends_with_its_creator_and_its_members_are_in_the_lobby_told_why(circle: Circle) -> None:
    mine = circle.listen("ana")
    circle.ask("ana", messages.Create(room="party"))
    circle.ask("bob", messages.Enter(room="party"))
    ear = circle.listen("bob", "party", "@bob", "lobby")
    circle.hang_up(mine)
    circle.later(GRACE - 1)
    assert ear.of(messages.Deleted) == []
    circle.later(2)
    (deleted,) = ear.of(messages.Deleted)
    assert (deleted.by, deleted.reason) == ("ana", "creator-gone")
    assert [event.reason for event in ear.of(messages.LeftRoom)] == ["creator-gone"]
    state = circle.ask("bob", messages.Hello(versions=[1])).session
    assert (state.current, [room.name for room in state.rooms]) == ("lobby", ["lobby"])


def test_saying_goodbye_ends_it_at_once(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="party"))
    circle.ask("ana", messages.Create(room="club", kept=True))
    circle.ask("bob", messages.Join(room="party"))
    circle.ask("bob", messages.Join(room="club"))
    ear = circle.listen("bob", "party", "club", "lobby")
    ear.take()
    assert circle.ask("ana", messages.Bye()).ok
    assert [event.reason for event in ear.of(messages.Deleted)] == ["creator-gone"]
    assert set(changes(ear)) == {("club", "ana", "offline", ""), ("lobby", "ana", "left", "exit")}
    rooms = {room.name: room.online for room in circle.ask("bob", messages.Rooms()).rooms}
    assert rooms == {"club": 1, "lobby": 1}


def test_goodbye_from_one_device_ends_nothing_on_the_other(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="party"))
    circle.log_in("ana", "phone")
    circle.ask("phone", messages.Bye())
    assert online(circle, "bob", "party") == 1


def test_after_goodbye_a_request_comes_back_to_the_lobby(circle: Circle) -> None:
    circle.ask("ana", messages.Bye())
    assert online(circle, "bob") == 1
    state = circle.ask("ana", messages.Hello(versions=[1])).session
    assert state.current == "lobby"
    assert online(circle, "bob") == 2


def test_after_a_restart_whoever_was_here_is_presumed_to_return(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="party"))
    circle.listen("ana"), circle.listen("bob")
    circle.start()
    assert online(circle, "bob") == 2
    ear = circle.listen("bob", "lobby", "party")
    circle.listen("ana", "lobby")
    ear.take()
    circle.later(2 * GRACE)
    assert online(circle, "bob") == 2
    assert changes(ear) == []


def test_after_a_restart_whoever_does_not_return_is_gone_and_so_is_their_room(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="party"))
    circle.start()
    circle.listen("bob", "lobby")
    circle.later(2 * GRACE + 1)
    assert {room.name: room.online for room in circle.ask("bob", messages.Rooms()).rooms} == {"lobby": 1}
    assert [member.login for member in circle.ask("bob", messages.Members(room="lobby")).members] == ["bob"]


def test_a_session_unused_for_long_ends_whether_the_broker_is_started_anew_or_not(circle: Circle) -> None:
    circle.ask("ana", messages.Bye())
    circle.now = circle.now._replace(time=circle.now.time + (SESSION_DAYS + 1) * 86_400_000)
    circle.later(3_600)
    assert circle.ask("ana", messages.Ping()).code == "not-logged-in"
    assert circle.ask("bob", messages.Ping()).ok, "absent for an hour, and before that in use"


def test_a_session_in_use_for_long_is_still_one_after_a_restart(circle: Circle) -> None:
    circle.listen("ana")
    circle.now = circle.now._replace(time=circle.now.time + (SESSION_DAYS + 1) * 86_400_000)
    circle.start()
    assert circle.ask("ana", messages.Ping()).ok


def test_who_never_held_a_beacon_is_present_though_a_subscription_was_lost(circle: Circle) -> None:
    ear = circle.listen("ana", "lobby", beacon=False)
    circle.hang_up(ear)
    circle.later(PRESENCE_SETTLE_S + 0.2)
    assert online(circle, "bob") == 2


def test_kept_memberships_outlast_everything(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="club", kept=True))
    circle.ask("bob", messages.Enter(room="club"))
    circle.ask("bob", messages.Bye())
    circle.start()
    circle.later(3 * GRACE)
    state = circle.ask("bob", messages.Hello(versions=[1])).session
    assert {room.name for room in state.rooms} == {"club", "lobby"}
    assert state.current == "lobby"


def test_shutting_down_is_told_to_everybody_who_listens(circle: Circle) -> None:
    ears = [circle.listen("ana"), circle.listen("bob")]
    circle.hang_up(ears[1])
    circle.carry_out(circle.chat.close(circle.now))
    assert len(ears[0].of(messages.ClosingSoon)) == 1
    assert ears[1].of(messages.ClosingSoon) == []
