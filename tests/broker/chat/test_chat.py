"""All rules at once: whatever people do, in whatever order, the promises hold."""

import gc
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from broker.chat.context import HANDLERS
from broker.chat.operators import OPERATOR_OPS
from broker.chat.settings import ChatSettings
from common import messages
from common.errors import ChatError, DefaultRoom, NameTaken, RateLimited
from common.limits import HEARTBEAT_S, STRANGERS_PER_ADDRESS, Rate
from tests.support.circle import Circle, Ear

LOGINS = ("ana", "bob", "eva")
ROOMS = ("dev", "ops", "club")


def test_every_operation_has_a_handler_and_every_handler_an_operation() -> None:
    commands = {command for command, _ in [*messages.OPS.values(), *OPERATOR_OPS.values()]}
    assert set(HANDLERS) == commands


def test_a_refusal_is_one_line_in_the_log_without_what_was_said() -> None:
    circle = Circle()
    circle.register("ana")
    circle.stamps.clear()
    circle.say("ana", "nowhere", "my secret")
    (stamp,) = circle.stamps
    event, fields = stamp.event, stamp.fields
    assert (event, fields["code"], fields["op"], fields["login"]) == ("refused", "no-such-room", "send", "ana")
    assert "my secret" not in str(fields)


def test_a_room_that_somebody_made_cannot_become_the_default_room() -> None:
    circle = Circle()
    circle.register("ana")
    circle.ask("ana", messages.Create(room="dev", kept=True))
    with pytest.raises(DefaultRoom, match="'dev'"):
        Circle(circle.store, ChatSettings(default_room="dev"))


class Promises(RuleBasedStateMachine):
    """Three people, two devices each, three rooms, a broker that restarts."""

    @initialize()
    def begin(self) -> None:
        self.circle = Circle(settings=ChatSettings(grace_s=5.0))
        self.acknowledged: dict[str, list[tuple[int, str]]] = {}
        self.deleted_ids: set[int] = set()
        self.number = 0
        for login in LOGINS:
            self.circle.register(login)
        self.ears: dict[str, Ear] = {}

    keys = st.sampled_from([*LOGINS, *(f"{login}-phone" for login in LOGINS)])

    @rule(key=keys, room=st.sampled_from(ROOMS), kept=st.booleans(), private=st.booleans())
    def create(self, key: str, room: str, kept: bool, private: bool) -> None:
        self.circle.ask(key, messages.Create(room=room, kept=kept, private=private))

    @rule(
        key=keys,
        room=st.sampled_from([*ROOMS, "lobby"]),
        kind=st.sampled_from([messages.Join, messages.Enter, messages.Leave, messages.Delete, messages.Hide]),
    )
    def move(self, key: str, room: str, kind: Any) -> None:
        self.circle.ask(key, kind(room=room))

    @rule(key=keys, room=st.sampled_from(ROOMS), login=st.sampled_from(LOGINS), invite=st.booleans())
    def guest(self, key: str, room: str, login: str, invite: bool) -> None:
        kind: Any = messages.Invite if invite else messages.Remove
        self.circle.ask(key, kind(room=room, login=login))

    @rule(key=keys, room=st.sampled_from([*ROOMS, "lobby"]), fail=st.booleans())
    def say(self, key: str, room: str, fail: bool) -> None:
        self.number += 1
        before = {ear.connection: len(ear.of(messages.Message)) for ear in self.circle.ears.values()}
        if fail:
            with self.circle.holding(fail=True):
                self.circle.say(key, room, f"text {self.number}", nonce=self.number)
            self.circle.replies.clear()
            reply = None
        else:
            reply = self.circle.say(key, room, f"text {self.number}", nonce=self.number)
        members = self.members(room)
        for ear in self.circle.ears.values():
            new = len(ear.of(messages.Message)) - before.get(ear.connection, 0)
            assert new == 0 or (self.login(ear.key) in members and isinstance(reply, messages.Sent))

    @rule(key=keys)
    def log_in(self, key: str) -> None:
        self.circle.log_in(key.removesuffix("-phone"), key)

    @rule(key=keys, kind=st.sampled_from([messages.Bye, messages.Logout]))
    def go(self, key: str, kind: Any) -> None:
        self.circle.ask(key, kind())

    @rule(key=keys)
    def connect(self, key: str) -> None:
        ear = self.circle.listen(key)
        for log in (*ROOMS, "lobby", *(f"@{login}" for login in LOGINS)):
            self.circle.subscribe(ear, log)

    @precondition(lambda self: self.circle.ears)
    @rule(data=st.data())
    def disconnect(self, data: Any) -> None:
        self.circle.hang_up(
            data.draw(st.sampled_from(sorted(self.circle.ears.values(), key=lambda ear: ear.connection)))
        )

    @rule(seconds=st.sampled_from([0.3, 1.0, 6.0, 20.0]))
    def wait(self, seconds: float) -> None:
        self.circle.later(seconds)

    @rule()
    def restart(self) -> None:
        self.circle.start()

    def login(self, key: str) -> str:
        session = self.circle.chat._state.session(key, "")
        return session.account.login if session else ""

    def members(self, name: str) -> set[str]:
        room = self.circle.chat._state.room(name)
        accounts = self.circle.chat._state.accounts
        return {accounts[id].login for id in room.members} if room else set()

    @invariant()
    def nobody_hears_what_they_may_not(self) -> None:
        for ear in self.circle.ears.values():
            for log in ear.topics:
                if log in self.circle.chat._state.room_by_name:
                    assert self.login(ear.key) in self.members(log), (ear.key, log)

    @invariant()
    def counts_are_true(self) -> None:
        state = self.circle.chat._state
        for room in state.rooms.values():
            assert room.online == sum(state.accounts[id].present for id in room.members)
        for account in state.accounts.values():
            assert account.present == any(session.present for session in account.sessions.values())

    @invariant()
    def whoever_is_present_is_somewhere(self) -> None:
        for session in self.circle.chat._state.sessions.values():
            if session.present:
                assert session.current.id in session.account.rooms

    @invariant()
    def memory_is_what_is_on_disk(self) -> None:
        state, disk = self.circle.chat._state, self.circle.store.load()
        assert {row.id for row in disk.rooms} == set(state.rooms)
        assert {(row.room, row.account) for row in disk.members} == {
            (room.id, id) for room in state.rooms.values() for id in room.members
        }
        assert {row.id: row.current for row in disk.sessions} == {
            session.id: session.current.id for session in state.sessions.values()
        }


Promises.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestPromises = Promises.TestCase


# Rates


def test_who_writes_too_fast_is_told_to_wait_and_others_are_not() -> None:
    circle = Circle(settings=ChatSettings(posts=Rate(2, 3)))
    circle.register("ana")
    circle.register("bruno")
    said = [circle.ask("ana", messages.Send(room="lobby", text="hola", nonce=bytes([n] * 16))) for n in range(4)]
    assert [type(each) for each in said] == [messages.Sent] * 3 + [RateLimited]
    assert said[3].retry_after == pytest.approx(0.5, abs=0.02)
    post = messages.Send(room="lobby", text="hola", nonce=bytes(16))
    assert isinstance(circle.ask("bruno", post), messages.Sent)
    whisper = messages.Direct(to="bruno", text="hola", nonce=bytes([9] * 16))
    assert isinstance(circle.ask("ana", whisper), RateLimited)
    circle.later(0.5)
    assert isinstance(circle.ask("ana", whisper), messages.Sent)


def test_all_devices_of_an_account_share_its_messages() -> None:
    circle = Circle(settings=ChatSettings(posts=Rate(1, 1)))
    circle.register("ana")
    circle.log_in("ana", "phone")
    assert isinstance(circle.ask("ana", messages.Send(room="lobby", text="1", nonce=b"1" * 16)), messages.Sent)
    assert isinstance(circle.ask("phone", messages.Send(room="lobby", text="2", nonce=b"2" * 16)), RateLimited)


def test_each_session_has_its_own_requests() -> None:
    circle = Circle(settings=ChatSettings(requests=Rate(1, 5)))
    circle.register("ana")
    circle.log_in("ana", "phone")
    asked = [circle.ask("ana", messages.Ping()) for _ in range(6)]
    assert [type(each) for each in asked] == [messages.Pong] * 5 + [RateLimited]
    assert isinstance(circle.ask("phone", messages.Ping()), messages.Pong)


def test_a_refused_request_is_a_sign_of_life_all_the_same() -> None:
    circle = Circle(settings=ChatSettings(requests=Rate(0.001, 1)))
    circle.register("ana")
    circle.ask("ana", messages.Ping())
    for _ in range(10):
        circle.later(5.0)
        assert isinstance(circle.ask("ana", messages.Ping()), RateLimited)
    circle.log_in("ana", "phone")
    assert [user.online for user in circle.ask("phone", messages.Users()).users] == [True]


def test_as_many_as_may_wait_at_the_login_send_heartbeats_and_somebody_logs_in() -> None:
    circle = Circle()
    circle.register("ana")
    refused = 0
    for _ in range(10):
        for number in range(STRANGERS_PER_ADDRESS):
            refused += isinstance(circle.ask(f"waiting{number}", messages.Ping()), RateLimited)
        circle.later(0.9 * HEARTBEAT_S)
    assert not refused
    assert isinstance(circle.log_in("ana", "home"), messages.LoggedIn)


def test_strangers_of_one_address_share_their_requests() -> None:
    circle = Circle(settings=ChatSettings(stranger_requests=Rate(1, 4)))
    hello = messages.Hello(versions=[1])
    asked = [circle.ask(f"key{n}", hello, address="192.0.2.7") for n in range(5)]
    assert [type(each) for each in asked] == [messages.Welcome] * 4 + [RateLimited]
    assert isinstance(circle.ask("key9", messages.Ping(), address="192.0.2.7"), RateLimited)
    assert isinstance(circle.ask("key9", hello, address="192.0.2.8"), messages.Welcome)


def test_a_gateways_address_stands_for_many() -> None:
    circle = Circle(settings=ChatSettings(stranger_requests=Rate(1, 1), gateways=frozenset({"gate"})))
    for n in range(5):
        assert isinstance(circle.ask("gate", messages.Hello(versions=[1]), session=f"phone{n}"), messages.Welcome)


def test_new_accounts_are_counted_before_a_name_is_looked_at() -> None:
    circle = Circle(settings=ChatSettings(registrations=Rate(0.1, 2)))
    assert isinstance(circle.register("ana"), messages.LoggedIn)
    assert isinstance(circle.register("ana", "eve"), NameTaken)
    refused = circle.register("ana", "eve")
    assert isinstance(refused, RateLimited)
    assert refused.retry_after == pytest.approx(10.0, abs=0.02)
    assert type(circle.register("nobody", "eve")) is RateLimited


def test_a_refusal_leaves_nothing_behind() -> None:
    circle = Circle()
    circle.register("ana")
    gc.collect()
    before = sum(isinstance(each, ChatError) for each in gc.get_objects())
    for _ in range(10):
        assert circle.ask("ana", messages.Join(room="nowhere")).code == "no-such-room"
    gc.collect()
    assert sum(isinstance(each, ChatError) for each in gc.get_objects()) == before
