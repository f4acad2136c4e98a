"""Rooms: made, entered, left, deleted, named, opened to guests."""

import pytest

from common import messages
from common.limits import ROOMS_PER_ACCOUNT
from tests.support.circle import Circle


@pytest.fixture
def circle() -> Circle:
    circle = Circle()
    for login in ("ana", "bob", "eva"):
        circle.register(login)
    return circle


def rooms_of(circle: Circle, key: str) -> dict[str, int]:
    return {room.name: room.online for room in circle.ask(key, messages.Rooms()).rooms}


def test_a_room_is_made_joined_and_listed_with_its_participants(circle: Circle) -> None:
    reply = circle.ask("ana", messages.Create(room="dev", subject="Code"))
    assert (reply.room.name, reply.room.creator, reply.room.joined, reply.room.subject) == ("dev", "ana", True, "Code")
    assert reply.current == "lobby", "only `enter` changes the current room"
    circle.ask("bob", messages.Join(room="DEV"))
    assert rooms_of(circle, "eva") == {"dev": 2, "lobby": 3}


@pytest.mark.parametrize(
    ("name", "code"), [("lobby", "name-taken"), ("LOBBY", "name-taken"), ("1obby", "name-taken"), ("a b", "bad-name")]
)
def test_a_room_needs_a_name_of_its_own(circle: Circle, name: str, code: str) -> None:
    assert circle.ask("ana", messages.Create(room=name)).code == code


def test_only_so_many_rooms_are_made_by_one(circle: Circle) -> None:
    for number in range(ROOMS_PER_ACCOUNT):
        assert circle.ask("ana", messages.Create(room=f"r{chr(97 + number // 26)}{chr(97 + number % 26)}x{number}")).ok
    assert circle.ask("ana", messages.Create(room="onemore")).code == "too-many"


def test_entering_leaves_the_room_one_was_in(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="dev"))
    reply = circle.ask("bob", messages.Enter(room="dev"))
    assert reply.current == "dev"
    assert rooms_of(circle, "eva") == {"dev": 2, "lobby": 2}
    assert circle.ask("bob", messages.Enter(room="lobby")).current == "lobby"
    assert rooms_of(circle, "eva") == {"dev": 1, "lobby": 3}


def test_entering_leaves_no_room_that_another_device_is_in(circle: Circle) -> None:
    circle.log_in("bob", "phone")
    circle.ask("ana", messages.Create(room="dev"))
    circle.ask("phone", messages.Enter(room="dev"))
    assert rooms_of(circle, "eva") == {"dev": 2, "lobby": 3}
    circle.ask("bob", messages.Enter(room="dev"))
    assert rooms_of(circle, "eva") == {"dev": 2, "lobby": 2}


def test_entering_the_room_one_is_in_changes_nothing(circle: Circle) -> None:
    ear = circle.listen("ana", "lobby", "@ana")
    ear.take()
    assert circle.ask("ana", messages.Enter(room="lobby")).current == "lobby"
    assert ear.take() == []


def test_leaving_leads_back_to_the_default_room_which_cannot_be_left(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="dev"))
    circle.ask("bob", messages.Enter(room="dev"))
    assert circle.ask("bob", messages.Leave(room="dev")).current == "lobby"
    assert rooms_of(circle, "eva") == {"dev": 1, "lobby": 3}
    assert circle.ask("bob", messages.Leave(room="lobby")).code == "default-room"
    assert circle.ask("bob", messages.Leave(room="dev")).code == "not-member"
    assert circle.ask("bob", messages.Leave(room="nowhere")).code == "no-such-room"


def test_coming_and_going_are_announced_to_the_room_and_to_ones_devices(circle: Circle) -> None:
    ear, own = circle.listen("ana", "lobby"), circle.listen("bob", "@bob")
    circle.ask("ana", messages.Create(room="dev"))
    circle.subscribe(ear, "dev")
    ear.take(), own.take()
    circle.ask("bob", messages.Join(room="dev"))
    circle.ask("bob", messages.Leave(room="dev"))
    changes = [
        (log, change.login, change.change, change.reason) for log, event in ear.take() for change in event.changes
    ]
    assert changes == [("dev", "bob", "joined", ""), ("dev", "bob", "left", "left")]
    assert [type(event) for _, event in own.take()] == [messages.JoinedRoom, messages.LeftRoom]


def test_whoever_left_hears_nothing_more(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="dev"))
    circle.ask("bob", messages.Join(room="dev"))
    ear = circle.listen("bob", "dev")
    circle.ask("bob", messages.Leave(room="dev"))
    assert not ear.open, "the connection still heard the room"
    assert circle.listen("bob", "dev").topics == {circle.beacon("bob")}


def test_whoever_unsubscribes_before_leaving_is_not_cut(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="dev"))
    circle.ask("bob", messages.Join(room="dev"))
    ear = circle.listen("bob", "dev", "lobby")
    circle.unsubscribe(ear, "dev")
    circle.ask("bob", messages.Leave(room="dev"))
    assert ear.open


def test_a_room_is_deleted_by_its_creator_and_its_members_are_told_why(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="dev", kept=True))
    circle.ask("bob", messages.Enter(room="dev"))
    ear = circle.listen("bob", "dev", "@bob", "lobby")
    assert circle.ask("eva", messages.Delete(room="dev")).code == "forbidden"
    assert circle.ask("ana", messages.Delete(room="dev")).current == "lobby"
    (deleted,) = ear.of(messages.Deleted)
    assert (deleted.by, deleted.reason) == ("ana", "deleted")
    assert [event.reason for event in ear.of(messages.LeftRoom)] == ["deleted"]
    assert [event.room.name for event in ear.of(messages.JoinedRoom)] == ["lobby"]
    assert rooms_of(circle, "bob") == {"lobby": 3}
    assert circle.ask("bob", messages.Enter(room="lobby")).current == "lobby"
    assert circle.ask("ana", messages.Delete(room="lobby")).code == "default-room"


def test_a_deleted_rooms_hearers_are_cut_when_its_name_is_used_again(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="dev"))
    circle.ask("bob", messages.Join(room="dev"))
    ear = circle.listen("bob", "dev")
    circle.ask("ana", messages.Delete(room="dev"))
    assert ear.open
    ear.take()
    circle.ask("eva", messages.Create(room="dev", private=True))
    assert not ear.open
    circle.say("eva", "dev", "secret")
    assert ear.of(messages.Message) == []


def test_a_deleted_rooms_hearers_are_cut_if_they_do_not_unsubscribe(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="dev"))
    circle.ask("bob", messages.Join(room="dev"))
    rude, polite = circle.listen("bob", "dev"), circle.listen("bob", "dev")
    circle.ask("ana", messages.Delete(room="dev"))
    circle.unsubscribe(polite, "dev")
    circle.later(1.2)
    assert (rude.open, polite.open) == (False, True)


def test_somebody_elses_room_is_hidden_from_oneself_only(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="dev"))
    assert circle.ask("bob", messages.Hide(room="dev")).ok
    assert circle.ask("bob", messages.Hide(room="dev")).ok
    assert "dev" not in rooms_of(circle, "bob")
    assert "dev" in rooms_of(circle, "eva")
    shown = circle.ask("bob", messages.Rooms(hidden=True)).rooms
    assert {room.name: room.hidden for room in shown} == {"dev": True, "lobby": False}
    circle.ask("bob", messages.Join(room="dev"))
    assert "dev" in rooms_of(circle, "bob"), "joining shows it again"
    assert circle.ask("bob", messages.Hide(room="lobby")).code == "default-room"


def test_a_private_room_is_known_to_its_guests_alone(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="secret", private=True))
    for command in (
        messages.Join(room="secret"),
        messages.Enter(room="secret"),
        messages.Members(room="secret"),
        messages.Hide(room="secret"),
        messages.Leave(room="secret"),
        messages.Delete(room="secret"),
        messages.Subject(room="secret", subject="x"),
        messages.Invite(room="secret", login="bob"),
        messages.Send(room="secret", text="x", nonce=b"n" * 16),
    ):
        assert circle.ask("bob", command).code == "no-such-room"
    assert circle.ask("bob", messages.History(log="secret")).code == "no-such-log"
    assert "secret" not in rooms_of(circle, "bob")
    taken = circle.ask("bob", messages.Create(room="secret"))
    assert (taken.code, "secret" in taken.message) == ("name-taken", False)


def test_an_invitation_reaches_the_inbox_and_opens_the_room(circle: Circle) -> None:
    ear = circle.listen("bob", "@bob")
    circle.ask("ana", messages.Create(room="secret", private=True))
    circle.say("ana", "secret", "before")
    assert circle.ask("ana", messages.Invite(room="secret", login="bob")).ok
    assert circle.ask("ana", messages.Invite(room="secret", login="bob")).ok
    (invited,) = ear.of(messages.Invited)
    assert (invited.sender, invited.room) == ("ana", "secret")
    assert "secret" in rooms_of(circle, "bob")
    assert circle.ask("bob", messages.Join(room="secret")).room.private
    circle.say("ana", "secret", "after")
    texts = [entry.text for entry in circle.ask("bob", messages.History(log="secret")).entries]
    assert texts == ["after"], "what was said before is not for a guest"
    (kept,) = circle.ask("bob", messages.History(log="@bob")).entries
    assert kept == invited


def test_an_open_private_room_shows_its_guests_everything(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="secret", private=True, open=True))
    circle.say("ana", "secret", "before")
    circle.ask("ana", messages.Invite(room="secret", login="bob"))
    circle.ask("bob", messages.Join(room="secret"))
    assert [entry.text for entry in circle.ask("bob", messages.History(log="secret")).entries] == ["before"]


def test_whoever_is_removed_is_cut_off_and_stays_out(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="secret", private=True))
    circle.ask("ana", messages.Invite(room="secret", login="bob"))
    circle.ask("bob", messages.Enter(room="secret"))
    ear = circle.listen("bob", "secret", "@bob")
    assert circle.ask("bob", messages.Remove(room="secret", login="ana")).code == "forbidden"
    assert circle.ask("ana", messages.Remove(room="secret", login="ana")).code == "forbidden"
    assert circle.ask("ana", messages.Remove(room="secret", login="bob")).ok
    assert not ear.open
    assert [event.reason for event in ear.of(messages.LeftRoom)] == ["removed"], "told before being cut"
    circle.say("ana", "secret", "alone")
    assert ear.of(messages.Message) == []
    assert circle.ask("bob", messages.Join(room="secret")).code == "no-such-room"
    assert circle.ask("ana", messages.Remove(room="secret", login="bob")).code == "not-member"
    assert circle.ask("ana", messages.Remove(room="lobby", login="bob")).code == "default-room"
    state = circle.ask("bob", messages.Hello(versions=[1])).session
    assert (state.current, [room.name for room in state.rooms]) == ("lobby", ["lobby"])


def test_the_topic_line_is_the_creators(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="dev"))
    circle.ask("bob", messages.Join(room="dev"))
    ear = circle.listen("bob", "dev")
    assert circle.ask("bob", messages.Subject(room="dev", subject="mine")).code == "forbidden"
    assert circle.ask("ana", messages.Subject(room="dev", subject="a\x1bb")).code == "bad-text"
    assert circle.ask("ana", messages.Subject(room="dev", subject="Deploys")).ok
    (changed,) = ear.of(messages.SubjectChanged)
    assert (changed.by, changed.subject) == ("ana", "Deploys")
    assert circle.ask("bob", messages.Join(room="dev")).room.subject == "Deploys"
    assert circle.ask("bob", messages.Subject(room="lobby", subject="mine")).code == "forbidden"
