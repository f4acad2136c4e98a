"""Which rooms one is in, by what replies, events and the whole state say."""

from __future__ import annotations

import copy

from client.link.actions import Action
from client.link.rooms import ECHO_S, Rooms
from client.link.subscriptions import Subscriptions
from client.link.updates import RoomJoined, RoomLeft, SessionEnded, TalkMarked
from common import messages as m
from common.limits import TALKS

BEACON = "~" + "0" * 11


def view(name: str, id: int, head: int = 0) -> m.RoomView:
    return m.RoomView(
        id=id,
        name=name,
        kept=True,
        private=False,
        open=False,
        subject="",
        creator=None,
        head=head,
        online=1,
        joined=True,
        since=0,
    )


class Desk:
    """Rooms, and what they told."""

    def __init__(self, *views: m.RoomView) -> None:
        self.told: list[Action] = []
        self.dropped: list[str] = []
        self.subscriptions = Subscriptions(lambda action: None, bytes)
        self.rooms = Rooms(self.subscriptions, self.told.append, self.dropped.append)
        self.adopt(*views)
        self.take()

    def adopt(self, *views: m.RoomView, now: float = 0.0, parting: tuple[str, ...] = ()) -> None:
        state = m.SessionState(login="Ana", operator=False, current="lobby", rooms=list(views), inbox=9)
        self.rooms.adopt(state, BEACON, now, "gone", parting)

    def take(self) -> list[Action]:
        taken = list(self.told)
        self.told.clear()
        return taken


LOBBY, DEV = view("lobby", 1), view("dev", 2, 5)


def test_the_whole_state_is_compared_with_what_was_known() -> None:
    desk = Desk(LOBBY, DEV)
    assert set(desk.rooms.logs) == {"@Ana", "lobby", "dev"}
    assert desk.rooms.logs["@Ana"].last == 9
    assert desk.rooms.logs["dev"].last == 5
    desk.adopt(LOBBY, DEV)
    assert desk.take() == []
    new = view("tea", 3)
    desk.adopt(LOBBY, new)
    assert desk.take() == [RoomLeft("dev", "gone"), RoomJoined(new)]
    assert desk.dropped == ["dev"]
    assert "dev" not in desk.subscriptions
    assert "tea" in desk.subscriptions


def test_a_room_of_the_same_name_and_another_id_is_another_room() -> None:
    desk = Desk(LOBBY, DEV)
    again = view("dev", 7, 20)
    desk.adopt(LOBBY, again)
    assert desk.take() == [RoomLeft("dev", "deleted"), RoomJoined(again)]
    assert desk.rooms.logs["dev"].last == 20
    later = view("dev", 8, 30)
    desk.rooms.heard_joined(m.JoinedRoom(room=later), 1.0)
    assert desk.take() == [RoomLeft("dev", "deleted"), RoomJoined(later)]


def test_names_are_found_however_they_are_written() -> None:
    desk = Desk(LOBBY, view("Straße", 2))
    assert desk.rooms.find("STRASSE") == "Straße"
    assert desk.rooms.find("nowhere") is None


def test_a_reply_and_its_echo_are_one_joining() -> None:
    desk = Desk(LOBBY)
    desk.rooms.joined(DEV, "lobby", 0.0)
    desk.rooms.heard_joined(m.JoinedRoom(room=DEV), 0.1)
    assert desk.take() == [RoomJoined(DEV)]


def test_late_echoes_undo_nothing() -> None:
    desk = Desk(LOBBY)
    joined, left = m.JoinedRoom(room=DEV), m.LeftRoom(id=2, name="dev", reason="left")
    desk.rooms.joined(DEV, "lobby", 0.0)
    desk.rooms.left("dev", "left", 0.1)
    desk.rooms.joined(DEV, "lobby", 0.2)
    desk.rooms.heard_joined(joined, 0.3)
    desk.rooms.heard_left(left, 0.4)
    desk.rooms.heard_joined(joined, 0.5)
    assert desk.take() == [RoomJoined(DEV), RoomLeft("dev", "left"), RoomJoined(DEV)]
    desk.rooms.left("dev", "left", 0.6)
    desk.rooms.heard_left(left, 0.7)
    assert desk.take() == [RoomLeft("dev", "left")]
    assert set(desk.rooms.views) == {"lobby"}


def test_echoes_that_lag_several_turns_behind_undo_nothing() -> None:
    desk = Desk(LOBBY)
    for _ in range(3):
        desk.rooms.joined(DEV, "lobby", 0.0)
        desk.rooms.left("dev", "left", 0.0)
    desk.rooms.joined(DEV, "lobby", 0.0)
    desk.take()
    for _ in range(3):
        desk.rooms.heard_joined(m.JoinedRoom(room=DEV), 0.1)
        desk.rooms.heard_left(m.LeftRoom(id=2, name="dev", reason="left"), 0.1)
    desk.rooms.heard_joined(m.JoinedRoom(room=DEV), 0.1)
    assert desk.take() == []
    desk.rooms.heard_left(m.LeftRoom(id=2, name="dev", reason="removed"), 0.2)
    assert desk.take() == [RoomLeft("dev", "removed")]


def test_the_echo_of_a_room_that_is_gone_does_not_bring_it_back() -> None:
    desk = Desk(LOBBY)
    desk.rooms.joined(DEV, "lobby", 0.0)
    desk.rooms.left("dev", "deleted", 0.1)
    again = view("dev", 7)
    desk.rooms.joined(again, "lobby", 0.2)
    desk.take()
    desk.rooms.heard_joined(m.JoinedRoom(room=DEV), 0.3)
    assert desk.take() == []
    assert desk.rooms.views["dev"] == again


def test_an_echo_that_comes_much_later_is_none() -> None:
    desk = Desk(LOBBY, DEV)
    desk.rooms.left("dev", "left", 0.0)
    desk.rooms.joined(DEV, "lobby", 0.1)
    desk.take()
    desk.rooms.heard_left(m.LeftRoom(id=2, name="dev", reason="removed"), ECHO_S + 0.1)
    assert desk.take() == [RoomLeft("dev", "removed")]


def test_an_event_about_another_room_of_that_name_is_none() -> None:
    desk = Desk(LOBBY, DEV)
    desk.rooms.heard_left(m.LeftRoom(id=99, name="dev", reason="removed"), 0.0)
    desk.rooms.heard_left(m.LeftRoom(id=99, name="nowhere", reason="removed"), 0.0)
    assert desk.take() == []


def test_what_is_about_to_be_left_is_not_subscribed_to_again() -> None:
    desk = Desk(LOBBY, DEV)
    desk.subscriptions.drop("dev")
    desk.adopt(LOBBY, DEV, parting=("dev",))
    assert "dev" not in desk.subscriptions
    desk.rooms.watch("dev", 0.0)
    assert "dev" in desk.subscriptions
    desk.rooms.watch("nowhere", 0.0)
    assert "nowhere" not in desk.subscriptions


def marked(desk: Desk) -> list[tuple[str, int, str | None]]:
    """What the desk was told of marks."""
    return [(told.talk, told.read, told.notify) for told in desk.take() if isinstance(told, TalkMarked)]


def test_marks_are_told_once_and_stand_in_the_state() -> None:
    desk = Desk(LOBBY, DEV)
    for _ in range(2):
        desk.rooms.marked("dev", 4, "off")
        desk.rooms.marked("@Bob", 7, None)
    assert marked(desk) == [("dev", 4, "off"), ("@Bob", 7, None)]
    state = desk.rooms.state
    assert state is not None
    assert [(room.name, room.read, room.notify) for room in state.rooms] == [("lobby", 0, None), ("dev", 4, "off")]
    assert state.talks == [m.TalkView(talk="@Bob", read=7)]
    assert (DEV.read, DEV.notify) == (0, None), "what was handed out before stays as it was"


def test_a_mark_of_a_room_that_was_left_is_old_news() -> None:
    desk = Desk(LOBBY, DEV)
    desk.rooms.left("dev", "left", 0.0)
    desk.rooms.changed = False
    desk.rooms.marked("dev", 4, "off")
    assert marked(desk) == []
    assert not desk.rooms.changed
    assert desk.rooms.talks == {}


def test_a_mark_whose_event_was_lost_shows_with_the_whole_state() -> None:
    desk = Desk(LOBBY, DEV)
    desk.rooms.marked("@Bob", 7, None)
    desk.take()
    talks = [m.TalkView(talk="@Eva", read=3), m.TalkView(talk="@Bob", read=9, notify="off")]
    rooms = [LOBBY, view("dev", 2, 5)]
    rooms[1].read = 5
    state = m.SessionState(login="Ana", operator=False, current="lobby", rooms=rooms, inbox=9, talks=talks)
    for _ in range(2):
        desk.rooms.adopt(copy.deepcopy(state), BEACON, 1.0, "gone")
    assert marked(desk) == [("@Bob", 9, "off"), ("@Eva", 3, None), ("dev", 5, None)]
    assert desk.rooms.state == state


def test_the_first_whole_state_is_told_as_such_alone() -> None:
    desk = Desk(LOBBY)
    desk.rooms.end("logout")
    desk.take()
    state = m.SessionState(
        login="Ana", operator=False, current="lobby", rooms=[LOBBY], inbox=9, talks=[m.TalkView(talk="@Bob", read=1)]
    )
    desk.rooms.adopt(state, BEACON, 1.0, "gone")
    assert marked(desk) == []
    assert desk.rooms.state == state


def test_of_two_reads_that_crossed_the_larger_counts() -> None:
    desk = Desk(LOBBY, DEV)
    desk.rooms.marked("dev", 4, "all")
    desk.rooms.marked("@Bob", 7, None)
    desk.take()
    desk.rooms.marked("dev", 3, "off")
    desk.rooms.marked("@Bob", 6, None)
    assert marked(desk) == [("dev", 4, "off")]
    desk.adopt(LOBBY, view("dev", 2, 5))
    assert marked(desk) == [("dev", 4, None)]
    desk.adopt(LOBBY)
    desk.adopt(LOBBY, view("dev", 2, 5))
    assert desk.rooms.views["dev"].read == 0, "left and joined again, it was never marked"


def test_what_was_granted_counts_though_the_event_is_lost() -> None:
    desk = Desk(LOBBY, DEV)
    desk.rooms.marked("@Bob", 1, "off")
    desk.take()
    desk.rooms.said(m.Mark(talk="DEV", read=3))
    desk.rooms.said(m.Mark(talk="dev", read=2, notify="mentions"))
    desk.rooms.said(m.Mark(talk="@BOB", read=10**9))
    desk.rooms.said(m.Mark(talk="@stranger", read=1))
    assert marked(desk) == [("dev", 3, None), ("dev", 3, "mentions"), ("@Bob", 9, "off")]
    desk.rooms.changed = False
    desk.rooms.said(m.SetStatus(status="away", note="tea"))
    assert desk.rooms.changed
    state = desk.rooms.state
    assert state is not None
    assert (state.status, state.note) == ("away", "tea")


def test_no_more_talks_are_held_than_a_broker_tells() -> None:
    desk = Desk(LOBBY)
    for number in range(TALKS + 5):
        desk.rooms.marked(f"@p{number}", 1, None)
    assert list(desk.rooms.talks) == [f"@p{number}" for number in range(5, TALKS + 5)]


def test_the_end() -> None:
    desk = Desk(LOBBY, DEV)
    desk.rooms.end("revoked")
    desk.rooms.end("revoked")
    assert desk.take() == [SessionEnded("revoked")]
    assert desk.rooms.state is None
    assert desk.rooms.inbox == ""
    assert "lobby" not in desk.subscriptions


def test_another_account_on_the_same_session() -> None:
    desk = Desk(LOBBY)
    state = m.SessionState(login="Bob", operator=True, current="lobby", rooms=[LOBBY], inbox=1)
    desk.rooms.adopt(state, BEACON, 0.0, "gone")
    assert desk.take() == [SessionEnded("forgotten"), RoomJoined(LOBBY)]
    assert "@Bob" in desk.subscriptions
    assert "@Ana" not in desk.subscriptions
    assert desk.rooms.state == state
