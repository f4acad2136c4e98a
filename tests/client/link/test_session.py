"""The client's core in named situations, and against whatever may arrive."""

from __future__ import annotations

import copy
import math
from typing import TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.link.actions import Transmit
from client.link.clock import Clock
from client.link.session import Session
from client.link.updates import (
    Arrived,
    LinkChanged,
    LinkState,
    ModeratorsChanged,
    RoomJoined,
    RoomLeft,
    RosterChanged,
    SessionEnded,
    StateChanged,
    SubjectChanged,
    Update,
)
from common import codec, errors, topics
from common import messages as m
from tests.client.link.test_storms import check
from tests.support.broker_model import Faults, SimulatedClient, World

T = TypeVar("T", bound=Update)
ENDED = m.Ended(reason="revoked")


def busy_for_posts(command: m.Command) -> None:
    if isinstance(command, m.Send):
        raise errors.Busy(retry_after=0.3)


def quiet(*logins: str) -> tuple[World, list[SimulatedClient]]:
    """Clients that are logged in, on a network without faults."""
    world = World(7)
    world.broker.make("dev")
    clients = [world.client(login) for login in logins]
    world.run(10.0)
    return world, clients


def updates(client: SimulatedClient, kind: type[T]) -> list[T]:
    return [update for update in client.updates if isinstance(update, kind)]


def links(client: SimulatedClient) -> list[str]:
    return [update.state.value for update in updates(client, LinkChanged)]


def texts(client: SimulatedClient, log: str) -> list[list[str]]:
    """What was said in each stay in a log."""
    return [
        [entry.text for entry in stay.entries if not isinstance(entry, m.Invited)]
        for stay in client.stays()
        if stay.log == log
    ]


def test_logging_in() -> None:
    world, (ana,) = quiet("ana")
    assert links(ana) == ["live"]
    assert [update.view.name for update in updates(ana, RoomJoined)] == ["lobby"]
    assert ana.session.subscriptions.complete
    assert next(iter(ana.asked)).startswith(b"~"), "markers wait for the beacon, so it is asked for first"
    state = updates(ana, StateChanged)[-1].state
    assert state == ana.session.rooms.state
    assert state is not None
    assert (state.login, state.current, state.inbox) == ("ana", "lobby", 0)
    assert abs(ana.session.clock.now() - world.broker.time) < 100


def test_an_idle_link_has_nothing_to_tell() -> None:
    world, (ana,) = quiet("ana")
    before = len(ana.updates)
    world.run(100.0)
    assert len(ana.updates) == before


def test_a_key_that_may_hear_less_than_before_follows_no_more_than_that() -> None:
    world, (ana,) = quiet("ana")
    rooms, now = ana.session.rooms, world.now
    state = rooms.state
    assert state is not None
    beacon = ana.session.subscriptions.beacon
    rooms.adopt(msgspec.structs.replace(state, scopes=["read:lobby", "direct"]), beacon, now, "left")
    assert rooms.logs.keys() == {"lobby", "@ana"}
    rooms.adopt(msgspec.structs.replace(state, scopes=["write:lobby"]), beacon, now, "left")
    assert not rooms.logs
    assert not any(log in ana.session.subscriptions for log in ("lobby", "@ana"))
    assert "lobby" in rooms.views


def test_a_cut_of_both_connections() -> None:
    world, (ana, bob) = quiet("ana", "bob")
    world.cut(ana)
    bob.post("lobby", "meanwhile")
    assert ana.session.link is LinkState.OFFLINE
    world.run(20.0)
    assert links(ana) == ["live", "offline", "resuming", "live"]
    assert texts(ana, "lobby") == [["meanwhile"]]
    check(world)


def test_a_cut_of_the_broadcast_alone() -> None:
    world, (ana, bob) = quiet("ana", "bob")
    world.cut(ana, commands=False)
    bob.post("lobby", "meanwhile")
    world.run(20.0)
    assert links(ana) == ["live", "resuming", "live"]
    assert [update.replayed for update in updates(ana, Arrived)] == [True]
    check(world)


def test_a_broker_that_falls_silent_and_comes_back() -> None:
    world, (ana,) = quiet("ana")
    world.storm(Faults(lost_reply=1.0))
    world.run(20.0)
    assert ana.session.link is LinkState.OFFLINE
    ana.post("lobby", "into the void")
    world.calm()
    world.run(40.0)
    check(world)
    assert len(world.broker.rooms["lobby"].entries) == 1


def test_a_lost_tail_shows_in_the_heartbeat() -> None:
    world, (ana, bob) = quiet("ana", "bob")
    world.storm(Faults(lost_event=1.0))
    bob.post("lobby", "lost on the way")
    world.run(10.2)
    assert updates(ana, Arrived) == []
    world.run(17.0)
    assert [update.replayed for update in updates(ana, Arrived)] == [True]
    check(world)


def test_a_heartbeat_that_overtakes_the_end_of_a_room_does_not_hide_why_it_ended() -> None:
    world, (ana,) = quiet("ana")
    ana.request(m.Join(room="dev"))
    world.run(20.0)
    pongs: list[m.Pong | errors.ChatError] = []
    ponged = ana.session.heartbeat._ponged

    def noted(pong: m.Pong | errors.ChatError, now: float) -> None:
        pongs.append(pong)
        ponged(pong, now)

    ana.session.heartbeat._ponged = noted
    late: list[tuple[SimulatedClient, int, bytes, bytes]] = []
    event = world._event
    world._event = lambda *told: late.append(told)  # type: ignore[method-assign]
    world.broker.delete("dev")
    while not pongs:
        world.run(world.now + 0.02)
    world.run(world.now + 0.1)
    for told in late:
        event(*told)
    world._event = event  # type: ignore[method-assign]
    world.run(world.now + 10.0)
    assert [left.reason for left in updates(ana, RoomLeft)] == ["deleted"]
    check(world)


def test_a_subscription_that_died_unseen_is_renewed() -> None:
    world, (ana, bob) = quiet("ana", "bob")
    ana.granted.discard(b"lobby\0")
    for second in range(30):
        bob.post("lobby", str(second))
        world.run(world.now + 1.0)
    bob.post("lobby", "heard live again")
    world.run(world.now + 1.0)
    assert not updates(ana, Arrived)[-1].replayed
    world.run(world.now + 10.0)
    check(world)


def test_an_own_message_that_is_heard_needs_no_answer() -> None:
    world, (ana,) = quiet("ana")
    world.storm(Faults(lost_reply=1.0))
    ana.post("lobby", "hola")
    world.run(11.0)
    (outcome,) = ana.settled().values()
    assert isinstance(outcome, m.Sent)


def test_a_message_whose_nonce_somebody_else_used_settles_nothing() -> None:
    world, (ana, bob) = quiet("ana", "bob")
    world.cut(ana, broadcast=False)
    ana.post("lobby", "mine")
    bob.request(m.Send(room="lobby", text="copied", nonce=ana.posts[0].nonce))
    world.run(20.0)
    assert [entry.sender for entry in world.broker.rooms["lobby"].entries] == ["bob", "ana"]
    outcome = ana.settled()[ana.posts[0].nonce]
    assert isinstance(outcome, m.Sent)
    assert outcome.seq == world.broker.rooms["lobby"].head


def test_being_removed_fails_what_was_on_its_way() -> None:
    world, (ana,) = quiet("ana")
    ana.request(m.Join(room="dev"))
    world.run(12.0)
    world.cut(ana, broadcast=False)
    ana.post("dev", "too late")
    world.broker.leave("ana", "dev", "removed")
    world.run(20.0)
    assert [(update.name, update.reason) for update in updates(ana, RoomLeft)] == [("dev", "removed")]
    assert [type(outcome) for outcome in ana.settled().values()] == [errors.NotMember]
    assert b"dev\0" not in ana.asked


def test_what_was_given_up_does_not_go_out_again_into_a_room_of_the_same_name() -> None:
    world, (ana,) = quiet("ana")
    ana.request(m.Join(room="dev"))
    world.run(12.0)
    world.storm(Faults(lost_reply=1.0))
    world.broker.judge = busy_for_posts
    ana.post("dev", "for those who were here")
    world.run(12.5)
    del world.broker.rooms["dev"]
    again = world.broker.make("dev")
    world.broker.join("ana", "dev")
    world.broker.judge = lambda command: None
    world.calm()
    world.cut(ana)
    world.run(20.0)
    assert isinstance(ana.settled()[ana.posts[0].nonce], errors.NotMember)
    assert ana.session.rooms.views["dev"].id == again.id
    assert again.entries == []
    ana.post("dev", "for those who are")
    world.run(30.0)
    assert [entry.text for entry in again.entries] == ["for those who are"]


def test_what_was_given_up_at_the_end_of_a_session_is_not_said_by_the_next_one() -> None:
    world, (ana, _) = quiet("ana", "eva")
    world.storm(Faults(lost_reply=1.0))
    world.broker.judge = busy_for_posts
    ana.post("lobby", "as ana")
    world.run(10.5)
    key = ana.key
    ana.do(lambda now: ana.session.event_received(codec.encode_event(world.broker.beacon(key), ENDED), now))
    assert isinstance(ana.settled()[ana.posts[0].nonce], errors.NotLoggedIn)
    world.broker.logins[key] = "eva"
    world.broker.judge = lambda command: None
    world.calm()
    world.run(30.0)
    assert world.broker.rooms["lobby"].entries == []


def test_an_expulsion_whose_word_was_lost_with_the_connection_shows_at_once() -> None:
    world, (ana,) = quiet("ana")
    ana.request(m.Join(room="dev"))
    world.run(12.0)
    world.broker.rooms["dev"].members.clear()
    world.cut(ana, commands=False)
    world.run(12.3)
    assert [(update.name, update.reason) for update in updates(ana, RoomLeft)] == [("dev", "gone")]
    world.run(14.0)
    assert links(ana) == ["live", "resuming", "live"]


def test_a_removal_that_was_not_heard_shows_in_the_heartbeat() -> None:
    world, (ana,) = quiet("ana")
    ana.request(m.Join(room="dev"))
    world.run(12.0)
    world.storm(Faults(lost_event=1.0))
    world.broker.leave("ana", "dev", "removed")
    world.run(20.0)
    assert [(update.name, update.reason) for update in updates(ana, RoomLeft)] == [("dev", "gone")]


def test_a_room_that_was_deleted_and_made_anew_begins_anew() -> None:
    world, (ana, bob) = quiet("ana", "bob")
    for client in (ana, bob):
        client.request(m.Join(room="dev"))
    world.run(12.0)
    bob.post("dev", "old")
    world.run(13.0)
    world.cut(ana)
    world.broker.delete("dev")
    world.broker.make("dev")
    world.broker.join("ana", "dev")
    world.broker.join("bob", "dev")
    world.run(20.0)
    bob.post("dev", "new")
    world.run(30.0)
    check(world)
    assert texts(ana, "dev") == texts(bob, "dev") == [["old"], ["new"]]


def test_a_marker_of_another_room_under_the_same_name() -> None:
    world, (ana,) = quiet("ana")
    ana.request(m.Join(room="dev"))
    world.run(12.0)
    room = world.broker.rooms.pop("dev")
    world.broker.make("dev").members |= room.members
    beacon = ana.session.subscriptions.beacon
    marker = codec.encode_event(beacon, world.broker.marker(ana.key, "dev"))
    ana.do(lambda now: ana.session.event_received(marker, now))
    ana.do(lambda now: ana.session.event_received(marker, now))
    world.run(14.0)
    check(world)
    assert len([stay for stay in ana.stays() if stay.log == "dev"]) == 2


def test_another_device_comes_and_goes_along() -> None:
    world, (one, two) = quiet("ana", "ana")
    one.request(m.Join(room="dev"))
    world.run(12.0)
    assert set(two.session.rooms.views) == {"lobby", "dev"}
    two.request(m.Leave(room="DEV"))
    two.request(m.Leave(room="dev"))
    world.run(14.0)
    assert set(one.session.rooms.views) == {"lobby"}
    assert b"dev\0" not in one.asked
    check(world)


def test_a_leave_that_is_refused_is_no_leave() -> None:
    world, (ana, bob) = quiet("ana", "bob")
    ana.request(m.Leave(room="lobby"))
    bob.post("lobby", "still here?")
    world.run(12.0)
    assert any(isinstance(answer, errors.DefaultRoom) for answer in ana.answers.values())
    assert b"lobby\0" in ana.asked
    check(world)


def test_entering_is_answered_once_it_is_known_whether_the_room_before_was_left() -> None:
    world, (ana,) = quiet("ana")
    ana.request(m.Enter(room="dev"))
    while not any(isinstance(answer, m.RoomReply) for answer in ana.answers.values()):
        world.run(world.now + 0.01)
    assert set(ana.session.rooms.views) == {"lobby", "dev"}, "the model's lobby cannot be left"
    assert ana.session.rooms.current == "dev"
    assert b"lobby\0" in ana.asked, "so it is heard again"
    ana.request(m.Enter(room="lobby"))
    world.run(20.0)
    assert set(ana.session.rooms.views) == {"lobby"}
    assert [(update.name, update.reason) for update in updates(ana, RoomLeft)] == [("dev", "left")]
    check(world)


def test_logging_out_and_in_again() -> None:
    world, (ana,) = quiet("ana")
    ana.request(m.Logout())
    world.run(12.0)
    assert updates(ana, SessionEnded) == [SessionEnded("logout")]
    assert ana.asked == {}
    assert ana.session.rooms.state is None
    ana.post("lobby", "nobody")
    world.run(14.0)
    assert isinstance(ana.settled()[ana.posts[0].nonce], errors.NotLoggedIn)
    ana.request(m.Login(login="ana", password="password"))
    world.run(20.0)
    assert ana.session.rooms.login == "ana"
    assert ana.session.subscriptions.complete


def test_a_session_that_the_broker_forgot() -> None:
    world, (ana,) = quiet("ana")
    world.broker.logins.clear()
    world.restart()
    world.run(20.0)
    assert updates(ana, SessionEnded) == [SessionEnded("forgotten")]


def test_a_session_that_ended_unheard_shows_in_the_heartbeat() -> None:
    world, (ana,) = quiet("ana")
    world.broker.logins.clear()
    world.run(20.0)
    assert updates(ana, SessionEnded) == [SessionEnded("forgotten")]


def test_a_login_whose_answer_was_lost_shows_in_the_heartbeat() -> None:
    world, (ana,) = quiet("ana")
    ana.request(m.Logout())
    world.run(12.0)
    world.broker._log_in(ana.key, "ana")
    world.run(20.0)
    assert ana.session.rooms.login == "ana"
    assert ana.session.link is LinkState.LIVE


def test_what_is_said_about_a_room() -> None:
    world, (ana,) = quiet("ana")
    roster = m.Roster(time=1, changes=[m.Change(login="bob", change="joined")], online=5)
    world.broker._publish("lobby", roster)
    world.broker._publish("lobby", m.SubjectChanged(time=2, by="bob", subject="tea"))
    world.broker._publish("lobby", m.ModeratorsChanged(time=3, by="bob", moderators=["eva", "leo"]))
    world.run(12.0)
    assert updates(ana, RosterChanged)[-1] == RosterChanged("lobby", roster)
    assert updates(ana, SubjectChanged) == [SubjectChanged("lobby", "tea", "bob", 2)]
    view = ana.session.rooms.views["lobby"]
    assert (view.online, view.subject, view.moderators) == (5, "tea", ["eva", "leo"])
    assert updates(ana, ModeratorsChanged) == [ModeratorsChanged("lobby", ("eva", "leo"), "bob", 3)]
    told = updates(ana, StateChanged)[-1].state
    assert [room.moderators for room in told.rooms] == [["eva", "leo"]]


def greeted() -> tuple[Session, int]:
    """A session that has sent its first request, and that request's number."""
    session = Session(client="x" * 500, clock=Clock(lambda: 0.0, lambda: 0.0), random=bytes)
    session.commands_up(0.0)
    (hello,) = [action for action in session.take() if isinstance(action, Transmit)]
    return session, codec.decode_request(hello.frame).id


def test_a_broker_of_another_age() -> None:
    session, id = greeted()
    session.reply_received(codec.encode_error(id, errors.UnsupportedVersion()), 0.1)
    assert isinstance(session.heartbeat.fatal, errors.UnsupportedVersion)
    session.tick(50.0)
    assert session.take() == []
    assert session.deadline() == math.inf


def test_a_broker_that_is_busy_is_greeted_again() -> None:
    session, id = greeted()
    session.reply_received(codec.encode_error(id, errors.Busy(retry_after=3.0)), 0.1)
    assert session.deadline() == pytest.approx(3.1)
    session.tick(3.2)
    assert len(session.take()) == 1
    session.tick(5.3)
    assert len(session.take()) == 1, "an unanswered greeting is repeated"


BEACON = topics.BEACON
LOGS = st.sampled_from(["lobby", "dev", "@ana", "@bob", "nowhere", BEACON])
TEXTS = st.sampled_from(["ana", "bob", "lobby", "dev", "", "\x1b[2J"])
NUMBERS = st.integers(0, 5) | st.integers(0, 2**63 - 1)
VIEWS = st.builds(
    m.RoomView,
    id=NUMBERS,
    name=LOGS,
    kept=st.booleans(),
    private=st.booleans(),
    open=st.booleans(),
    subject=TEXTS,
    creator=st.none() | TEXTS,
    head=NUMBERS,
    online=NUMBERS,
    joined=st.booleans(),
    since=NUMBERS,
)
STATES = st.builds(
    m.SessionState,
    login=TEXTS,
    operator=st.booleans(),
    current=LOGS,
    rooms=st.lists(VIEWS, max_size=3),
    inbox=NUMBERS,
)
PLACED = {"seq": NUMBERS, "prev": NUMBERS, "time": NUMBERS}
ENTRIES = st.one_of(
    st.builds(m.Message, **PLACED, sender=TEXTS, text=TEXTS, nonce=st.binary(max_size=16)),
    st.builds(m.DirectMessage, **PLACED, sender=TEXTS, to=TEXTS, text=TEXTS, nonce=st.binary(max_size=16)),
    st.builds(m.Invited, **PLACED, sender=TEXTS, room=LOGS),
)
EVENTS = st.one_of(
    ENTRIES,
    st.builds(m.Roster, time=NUMBERS, changes=st.just([]), online=NUMBERS),
    st.builds(m.SubjectChanged, time=NUMBERS, by=TEXTS, subject=TEXTS),
    st.builds(m.ModeratorsChanged, time=NUMBERS, by=TEXTS, moderators=st.lists(TEXTS, max_size=3)),
    st.builds(m.Deleted, time=NUMBERS, id=NUMBERS, by=TEXTS, reason=st.just("deleted")),
    st.builds(m.JoinedRoom, room=VIEWS),
    st.builds(m.LeftRoom, id=NUMBERS, name=LOGS, reason=st.just("removed")),
    st.builds(m.Live, log=LOGS, id=NUMBERS, head=NUMBERS, run=TEXTS),
    st.builds(m.Ended, reason=st.just("revoked")),
    st.builds(m.ClosingSoon, time=NUMBERS),
)
REPLIES = st.one_of(
    st.builds(m.LoggedIn, session=STATES),
    st.builds(m.RoomReply, room=VIEWS, current=LOGS),
    st.builds(m.Left, current=LOGS),
    st.builds(m.Pong, time=NUMBERS, run=TEXTS, heads=st.dictionaries(LOGS, NUMBERS)),
    st.builds(m.Entries, entries=st.lists(ENTRIES, max_size=3), more=st.booleans()),
    st.builds(m.Sent, seq=NUMBERS, time=NUMBERS),
    st.builds(
        m.Welcome,
        server=TEXTS,
        version=NUMBERS,
        run=TEXTS,
        time=NUMBERS,
        beacon=st.just(BEACON + "0" * 32),
        default_room=LOGS,
        registration=st.just("open"),
        session=st.none() | STATES,
    ),
)


@given(st.lists(st.tuples(LOGS, EVENTS) | REPLIES | st.binary(max_size=20), max_size=30))
@settings(max_examples=300, deadline=None)
def test_nothing_that_arrives_makes_it_raise_or_spin(arrivals: list[object]) -> None:
    world, (ana,) = quiet("ana")
    ana.request(m.Join(room="dev"))
    world.run(12.0)
    session, now = ana.session, 12.0
    for arrival in arrivals:
        now += 0.7
        session.request(m.Leave(room="dev"), now)
        session.request(m.Enter(room="lobby"), now)
        session.request(m.Login(login="ana", password="password"), now)
        if isinstance(arrival, tuple):
            log, event = arrival
            session.event_received(
                codec.encode_event(session.subscriptions.beacon if log == BEACON else log, event), now
            )
        elif isinstance(arrival, m.Reply):
            reply = copy.copy(arrival)
            fitting = [id for id, kind in session.calls._kinds.items() if kind is type(reply)]
            reply.id = fitting[0] if fitting else 999
            session.reply_received(codec.encode_reply(reply), now)
        elif isinstance(arrival, bytes):
            session.event_received(arrival, now)
            session.reply_received(arrival, now)
        session.tick(now)
        session.take()
        assert session.deadline() > now, "a timer that is due at once, for ever, would spin"
