"""Who keeps order in a room besides whoever made it, what they may do, and what they may not."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from broker.chat import moderation
from broker.chat.operators import AddUser
from common import codec
from common import messages as m
from common.limits import MODERATORS, REPLY_BYTES, ROOMS_JOINED, ROOMS_PER_ACCOUNT
from tests.support.circle import Circle

_numbers = count(1)


@pytest.fixture
def circle() -> Circle:
    """`den` was made by ana; bob, eva and leo are in it."""
    circle = Circle()
    for login in ("ana", "bob", "eva", "leo"):
        circle.register(login)
    circle.ask("ana", m.Create(room="Den", kept=True))
    for login in ("bob", "eva", "leo"):
        circle.ask(login, m.Join(room="den"))
    return circle


def moderate(circle: Circle, by: str, login: str, on: bool = True, room: str = "den") -> Any:
    return circle.ask(by, m.Moderate(room=room, login=login, on=on))


def retract(circle: Circle, key: str, seq: int, log: str = "den") -> Any:
    return circle.ask(key, m.Retract(log=log, seq=seq, nonce=next(_numbers).to_bytes(16, "big")))


def shown(circle: Circle, key: str = "leo", room: str = "Den") -> list[str]:
    """Who keeps order, as an account's views tell."""
    (view,) = [view for view in circle.ask(key, m.Rooms(hidden=True)).rooms if view.name == room]
    mine = circle.ask(key, m.Hello(versions=[1])).session.rooms
    assert [each.moderators for each in mine if each.name == room] in ([view.moderators], [])
    return list(view.moderators)


def test_who_made_the_room_appoints_and_the_room_is_told(circle: Circle) -> None:
    ear = circle.listen("leo", "Den")
    assert moderate(circle, "ana", "EVA").ok
    assert moderate(circle, "ana", "bob").ok
    assert moderate(circle, "ana", "bob").ok, "it is so already"
    assert [(event.by, event.moderators) for event in ear.of(m.ModeratorsChanged)] == [
        ("ana", ["eva"]),
        ("ana", ["bob", "eva"]),
    ]
    assert shown(circle) == ["bob", "eva"]
    assert moderate(circle, "ana", "eva", on=False).ok
    assert moderate(circle, "ana", "eva", on=False).ok
    assert [event.moderators for event in ear.of(m.ModeratorsChanged)][2:] == [["bob"]]
    assert shown(circle) == ["bob"]


def test_nobody_else_appoints(circle: Circle) -> None:
    moderate(circle, "ana", "bob")
    for by, login, on in (("bob", "eva", True), ("leo", "leo", True), ("bob", "bob", False)):
        assert moderate(circle, by, login, on).code == "forbidden", (by, login, on)
    assert moderate(circle, "ana", "ana").code == "forbidden"
    assert moderate(circle, "ana", "nobody").code == "no-such-user"
    assert moderate(circle, "ana", "bob", room="nowhere").code == "no-such-room"
    assert shown(circle) == ["bob"]


def test_moderators_remove_take_back_and_set_the_topic(circle: Circle) -> None:
    said = circle.say("leo", "den", "spam").seq
    ear = circle.listen("eva", "Den")
    for attempt in (
        lambda: retract(circle, "bob", said),
        lambda: circle.ask("bob", m.Subject(room="den", subject="Order")),
        lambda: circle.ask("bob", m.Remove(room="den", login="leo")),
    ):
        assert attempt().code == "forbidden"
    moderate(circle, "ana", "bob")
    assert retract(circle, "bob", said).ok
    assert circle.ask("bob", m.Subject(room="den", subject="Order")).ok
    assert circle.ask("bob", m.Remove(room="den", login="leo")).ok
    (taken,) = ear.of(m.Retracted)
    assert (taken.sender, taken.target) == ("bob", said)
    assert [event.by for event in ear.of(m.SubjectChanged)] == ["bob"]
    assert [view.login for view in circle.ask("bob", m.Members(room="den")).members] == ["ana", "bob", "eva"]
    moderate(circle, "ana", "bob", on=False)
    assert circle.ask("bob", m.Remove(room="den", login="eva")).code == "forbidden"


def test_moderators_do_not_delete_nor_remove_one_another_or_who_made_the_room(circle: Circle) -> None:
    circle.operate(
        AddUser(login="op", password="x" * 9, first_names="O", surnames="P", age=30, gender="other", operator=True)
    )
    circle.log_in("op", "op", password="x" * 9)
    circle.ask("op", m.Join(room="den"))
    for login in ("bob", "eva"):
        moderate(circle, "ana", login)
    assert circle.ask("bob", m.Delete(room="den")).code == "forbidden"
    for login in ("ana", "eva", "op", "bob"):
        assert circle.ask("bob", m.Remove(room="den", login=login)).code == "forbidden", login
    assert circle.ask("ana", m.Remove(room="den", login="eva")).ok
    assert circle.ask("op", m.Remove(room="den", login="bob")).ok
    assert shown(circle) == [], "whoever was put out keeps no order any more"
    circle.ask("eva", m.Join(room="den"))
    assert circle.ask("eva", m.Remove(room="den", login="leo")).code == "forbidden"


def test_in_the_default_room_the_operator_appoints(circle: Circle) -> None:
    circle.operate(
        AddUser(login="op", password="x" * 9, first_names="O", surnames="P", age=30, gender="other", operator=True)
    )
    circle.log_in("op", "op", password="x" * 9)
    assert moderate(circle, "ana", "bob", room="lobby").code == "forbidden"
    assert moderate(circle, "op", "bob", room="lobby").ok
    said = circle.say("leo", "lobby", "spam").seq
    assert retract(circle, "bob", said, "lobby").ok
    assert circle.ask("bob", m.Remove(room="lobby", login="leo")).code == "default-room"


def test_it_outlasts_absence_and_a_start_and_goes_with_the_room(circle: Circle) -> None:
    for login in ("bob", "eva"):
        moderate(circle, "ana", login)
    circle.ask("bob", m.Leave(room="den"))
    circle.ask("eva", m.Bye())
    circle.later(30)
    assert shown(circle) == ["bob", "eva"]
    circle.start()
    circle.ask("bob", m.Join(room="den"))
    assert circle.ask("bob", m.Remove(room="den", login="leo")).ok
    circle.ask("ana", m.Delete(room="den"))
    circle.ask("ana", m.Create(room="Den"))
    assert shown(circle) == []
    circle.start()
    assert shown(circle) == []


def test_of_a_private_room_only_who_may_know_of_it(circle: Circle) -> None:
    circle.ask("ana", m.Create(room="secret", private=True))
    assert moderate(circle, "ana", "bob", room="secret").code == "not-member"
    circle.ask("ana", m.Invite(room="secret", login="bob"))
    assert moderate(circle, "ana", "bob", room="secret").ok
    assert moderate(circle, "eva", "eva", room="secret").code == "no-such-room"
    circle.ask("ana", m.Remove(room="secret", login="bob"))
    assert shown(circle, "ana", "secret") == []
    assert circle.ask("bob", m.Join(room="secret")).code == "no-such-room"


def test_what_could_not_be_kept_is_taken_back(circle: Circle) -> None:
    moderate(circle, "ana", "bob")
    ear = circle.listen("leo", "Den")
    with circle.holding(fail=True):
        moderate(circle, "ana", "eva")
        moderate(circle, "ana", "bob", on=False)
    assert shown(circle) == ["bob"]
    assert ear.of(m.ModeratorsChanged) == []
    circle.replies.clear()
    with circle.holding():
        moderate(circle, "ana", "eva")
        moderate(circle, "ana", "bob", on=False)
    assert [event.moderators for event in ear.of(m.ModeratorsChanged)] == [["bob", "eva"], ["eva"]]


def test_no_more_than_so_many(circle: Circle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moderation, "MODERATORS", 2)
    moderate(circle, "ana", "bob")
    moderate(circle, "ana", "eva")
    assert moderate(circle, "ana", "leo").code == "too-many"
    assert moderate(circle, "ana", "bob").ok
    moderate(circle, "ana", "bob", on=False)
    assert moderate(circle, "ana", "leo").ok


def test_views_of_rooms_full_of_moderators_with_long_names_fit_into_a_reply() -> None:
    circle = Circle()
    wide = ["\U00020000" * 30 + f"{number:02}" for number in range(MODERATORS)]
    for login in wide:
        circle.register(login)
    rooms = [(wide[number // ROOMS_PER_ACCOUNT], f"{number:03}" + "\U00020000" * 29) for number in range(400)]
    assert ROOMS_JOINED <= len(rooms)
    reader = wide[-1]
    for maker, room in rooms:
        circle.ask(maker, m.Create(room=room, kept=True, subject="\U0001f980" * 200))
        circle.later(1)
        for login in wide:
            if login != maker:
                circle.ask(maker, m.Moderate(room=room, login=login))
    for _, room in rooms[: ROOMS_JOINED - 1]:
        assert circle.ask(reader, m.Join(room=room)).ok
    welcome = circle.ask(reader, m.Hello(versions=[1]))
    assert len(welcome.session.rooms) == ROOMS_JOINED
    assert {len(view.moderators) for view in welcome.session.rooms[1:]} == {MODERATORS - 1}
    assert len(codec.encode_reply(welcome)) < REPLY_BYTES - 100_000, "and the talks besides"
    found: list[str] = []
    more = True
    while more:
        page = circle.ask(reader, m.Rooms(after=found[-1] if found else ""))
        assert len(codec.encode_reply(page)) < REPLY_BYTES
        found += [view.name for view in page.rooms]
        more = page.more
    assert len(found) == len(set(found)) == len(rooms) + 1


class Order(RuleBasedStateMachine):
    """Whoever is appointed, leaves, is put out, and however often the disk refuses: all agree on who keeps order."""

    def __init__(self) -> None:
        super().__init__()
        self.circle = Circle()
        self.people = ("ana", "bob", "eva", "leo")
        for login in self.people:
            self.circle.register(login)
        self.circle.ask("ana", m.Create(room="den", kept=True))
        self.circle.ask("leo", m.Join(room="den"))
        self.ear = self.circle.listen("leo", "den")
        self.order: set[str] = set()
        self.members = {"ana", "leo"}
        self.heard: list[str] = []

    def carried_out(self, key: str, command: m.Command, fail: bool) -> bool:
        if not fail:
            return isinstance(self.circle.ask(key, command), m.Reply)
        with self.circle.holding(fail=True):
            self.circle.ask(key, command)
        self.circle.replies.clear()
        return False

    @rule(
        by=st.sampled_from(["ana", "bob", "leo"]),
        login=st.sampled_from(["ana", "bob", "eva", "leo"]),
        on=st.booleans(),
        fail=st.booleans(),
    )
    def moderate(self, by: str, login: str, on: bool, fail: bool) -> None:
        if self.carried_out(by, m.Moderate(room="den", login=login, on=on), fail):
            assert by == "ana"
            (self.order.add if on else self.order.discard)(login)
        elif not fail:
            assert by != "ana" or login == "ana"

    @rule(
        by=st.sampled_from(["ana", "bob", "eva", "leo"]),
        login=st.sampled_from(["ana", "bob", "eva"]),
        fail=st.booleans(),
    )
    def remove(self, by: str, login: str, fail: bool) -> None:
        may = by == "ana" or (by in self.order and login not in self.order and login != "ana")
        done = self.carried_out(by, m.Remove(room="den", login=login), fail)
        assert done == (not fail and may and by != login and login in self.members)
        if done:
            self.order.discard(login)
            self.members.discard(login)

    @rule(login=st.sampled_from(["bob", "eva"]))
    def join(self, login: str) -> None:
        assert self.carried_out(login, m.Join(room="den"), False)
        self.members.add(login)

    @rule(login=st.sampled_from(["bob", "eva"]))
    def leave(self, login: str) -> None:
        if self.carried_out(login, m.Leave(room="den"), False):
            self.members.discard(login)

    @rule(login=st.sampled_from(["ana", "bob", "eva", "leo"]))
    def set_the_topic(self, login: str) -> None:
        subject = m.Subject(room="den", subject=f"line {next(_numbers)}")
        may = login in self.members and (login == "ana" or login in self.order)
        assert self.carried_out(login, subject, False) == may

    @rule(login=st.sampled_from(["ana", "bob", "eva"]))
    def take_back(self, login: str) -> None:
        said = self.circle.say("leo", "den", "hola")
        may = login in self.members and (login == "ana" or login in self.order)
        assert getattr(retract(self.circle, login, said.seq), "ok", False) == may

    @rule()
    def start_anew(self) -> None:
        self.circle.start()
        self.ear = self.circle.listen("leo", "den")
        self.heard = sorted(self.order)

    @invariant()
    def all_agree(self) -> None:
        for _, event in self.ear.take():
            if isinstance(event, m.ModeratorsChanged):
                self.heard = event.moderators
        assert self.heard == shown(self.circle, "leo", "den") == sorted(self.order)
        self.circle.later(3)


TestOrder = Order.TestCase
TestOrder.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
