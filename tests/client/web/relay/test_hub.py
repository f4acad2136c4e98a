"""The core of the relay without sockets: what each session is given, and what makes it ask again."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from client.link.actions import Subscribe, Transmit, Unsubscribe
from client.link.failures import NoAnswer
from client.web.relay import bounds
from client.web.relay.frames import Greeting
from client.web.relay.hub import Hub
from client.web.relay.passing import pass_on
from client.web.relay.resuming import resume
from client.web.relay.sessions import Session
from common import codec
from common import messages as m
from common.errors import ChatError, NotMember

BEACON = "~AAAAAAAAAAA"


class Beat:
    """What the hub asks the own session's heartbeat."""

    def __init__(self) -> None:
        self.answering = True
        self.welcome: m.Welcome | None = welcome(None)


class Own:
    def __init__(self) -> None:
        self.heartbeat = Beat()


class Tab:
    """A browser that keeps what it is given."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.attached = True
        self.greeting = False
        self.visible = True
        self.ended = ""
        self.outlet = self

    def push(self, frames: bytes, count: int) -> None:
        self.frames.append(frames)

    def end(self, reason: str) -> None:
        self.ended = reason

    def heard(self, words: str) -> bool:
        return any(words.encode() in frame for frame in self.frames)


def view(name: str = "den", id: int = 7, *, private: bool = True, since: int = 0, head: int = 0) -> m.RoomView:
    return m.RoomView(
        id=id, name=name, kept=True, private=private, open=False, subject="", creator="ana", head=head, online=1,
        joined=True, since=since,
    )  # fmt: skip


def welcome(state: m.SessionState | None, time: int = 1_000) -> m.Welcome:
    return m.Welcome(
        server="T", version=1, run="r", time=time, beacon=BEACON, default_room="lobby", registration="open",
        session=state,
    )  # fmt: skip


def state(login: str, *rooms: m.RoomView) -> m.SessionState:
    return m.SessionState(login=login, operator=False, current="lobby", rooms=list(rooms), inbox=0)


class Bench:
    """A hub, and a broker in the test's hands."""

    def __init__(self) -> None:
        self.hub = Hub("test", os.urandom)
        self.hub.own = Own()  # type: ignore[assignment]
        self.now = 100.0
        self.asked: list[codec.Request] = []
        self.topics: set[bytes] = set()
        self.hub.broadcast_up(self.now)
        self.hub.stepped(self.now)
        self.take()
        self.event(BEACON, m.Live(log=BEACON, id=0, head=0, run="r"))

    def take(self) -> None:
        for action in self.hub.take():
            if isinstance(action, Transmit):
                self.asked.append(codec.decode_request(action.frame))
            elif isinstance(action, Subscribe):
                self.topics.add(action.topic)
            elif isinstance(action, Unsubscribe):
                self.topics.discard(action.topic)

    def event(self, log: str, event: m.Event) -> None:
        self.hub.event_received(codec.encode_event(log, event), self.now)
        self.hub.flush()
        self.take()

    def answer(self, reply: m.Reply | ChatError, op: str = "hello", label: str = "") -> None:
        """Answer the first request of that kind that waits."""
        asked = next(each for each in self.asked if each.command.op == op and label in ("", each.session))
        self.asked.remove(asked)
        if isinstance(reply, ChatError):
            frame = codec.encode_error(asked.id, reply, asked.session)
        else:
            reply.id = asked.id
            frame = codec.encode_reply(reply, asked.session)
        assert self.hub.reply_received(frame, self.now)
        self.hub.flush()
        self.take()

    def waits(self, op: str = "hello") -> list[codec.Request]:
        return [each for each in self.asked if each.command.op == op]

    def person(self, login: str, *rooms: m.RoomView) -> tuple[Session, Tab]:
        found: list[Any] = []
        self.hub.know(f"label of {login}", "192.0.2.1", False, self.now, lambda known, _w, _n: found.append(known))
        self.take()
        self.answer(welcome(state(login, *rooms)), label=f"label of {login}")
        session, tab = found[0], Tab()
        session.sockets.add(tab)
        session.gone_at = None
        self.hub.places.changed(session)
        for each in rooms:
            self.live(each.name, each.id, each.head)
        self.live(session.inbox, 0, 0)
        return session, tab

    def live(self, log: str, id: int, head: int) -> None:
        self.event(BEACON, m.Live(log=log, id=id, head=head, run="r"))

    def say(self, log: str, seq: int, prev: int, text: str) -> None:
        self.event(log, m.Message(seq=seq, prev=prev, time=2_000, sender="ana", text=text, nonce=b"n" * 16))

    def later(self, seconds: float) -> None:
        self.now += seconds
        self.hub.tick(self.now)
        self.take()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def roster(login: str, change: str, time: int = 2_000) -> m.Roster:
    return m.Roster(time=time, changes=[m.Change(login=login, change=change)], online=1)  # type: ignore[arg-type]


def test_an_event_is_written_once_and_is_the_same_bytes_for_all(bench: Bench) -> None:
    tabs = [bench.person(login, view())[1] for login in ("ana", "bob", "eva")]
    bench.say("den", 1, 0, "hola")
    last = [tab.frames[-1] for tab in tabs]
    assert last[0] is last[1] is last[2]
    payload = msgspec.json.decode(last[0][2:])
    assert (payload["log"], payload["kind"], payload["text"]) == ("den", "message", "hola")


Loss = Callable[[Bench, Session], None]
LOSSES: dict[str, Loss] = {
    "expelled, by the inbox": lambda bench, session: bench.event(
        session.inbox, m.LeftRoom(id=7, name="den", reason="removed")
    ),
    "expelled, by the beacon": lambda bench, session: bench.event(
        BEACON, m.LeftRoom(id=7, name="den", reason="removed", session=session.label)
    ),
    "seen to leave by the room": lambda bench, session: bench.event("den", roster("bob", "left")),
    "the room is no more": lambda bench, session: bench.event(
        "den", m.Deleted(time=2_000, id=7, by="ana", reason="deleted")
    ),
    "the name is another room's": lambda bench, session: bench.live("den", 8, 0),
    "a hole in the log": lambda bench, session: bench.say("den", 5, 4, "behind a hole"),
    "a hole in another log": lambda bench, session: bench.say("@ana", 5, 4, "behind a hole"),
    "the connection was lost": lambda bench, session: bench.hub.broadcast_down(bench.now),
    "a new connection": lambda bench, session: bench.live(BEACON, 0, 0),
    "the session ended": lambda bench, session: bench.event(BEACON, m.Ended(reason="revoked", session=session.label)),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_in_doubt_and_out_of_the_room_nothing_is_given(bench: Bench, loss: str) -> None:
    bench.person("ana", view(), view("lobby", 1, private=False))
    bob, tab = bench.person("bob", view())
    bench.say("den", 1, 0, "while a member")
    assert tab.heard("while a member")
    LOSSES[loss](bench, bob)
    bench.say("den", 6, 5, "secret")
    bench.say("den", 7, 6, "secret")
    bench.event("den", m.SubjectChanged(time=3_000, by="ana", subject="secret"))
    bench.event("den", m.WritesNow(login="secret", on=True))
    assert not tab.heard("secret")
    assert not bob.entitled("den", 6)


def test_after_a_doubt_the_broker_says_what_is_heard_and_where_logs_end(bench: Bench) -> None:
    _, tab = bench.person("bob", view())
    bench.say("den", 1, 0, "one")
    bench.event("den", roster("bob", "left"))
    bench.say("den", 2, 1, "two")
    assert not tab.heard("two")
    bench.answer(welcome(state("bob", view(head=1))))
    assert tab.heard('"kind":"live","id":7,"head":2')
    bench.say("den", 3, 2, "three")
    assert tab.heard("three")


def test_an_answer_from_before_an_expulsion_brings_nobody_back(bench: Bench) -> None:
    bench.person("ana", view())
    bob, tab = bench.person("bob", view())
    bench.hub.refresh(bob, bench.now)
    bench.take()
    bench.now += 0.01
    bench.event("@bob", m.LeftRoom(id=7, name="den", reason="removed"))
    bench.answer(welcome(state("bob", view())))
    bench.say("den", 1, 0, "secret")
    assert not tab.heard("secret")
    bench.later(bounds.RETRY_S)
    assert bench.waits()
    bench.answer(welcome(state("bob")))
    assert not bob.doubtful
    assert "den" not in bob.hearing


def test_an_answer_to_join_from_before_an_expulsion_does_not_count(bench: Bench) -> None:
    bench.person("ana", view())
    bob, tab = bench.person("bob")
    pass_on(bench.hub, bob, m.Join(room="den"), bench.now, lambda _o, _n: None)
    bench.take()
    bench.now += 0.01
    bench.event("@bob", m.JoinedRoom(room=view()))
    bench.event("@bob", m.LeftRoom(id=7, name="den", reason="removed"))
    bench.answer(m.RoomReply(room=view(), current="lobby"), "join")
    bench.say("den", 1, 0, "secret")
    assert not tab.heard("secret")


def test_who_joins_hears_no_sign_from_before(bench: Bench) -> None:
    bench.person("ana", view())
    bob, tab = bench.person("bob")
    pass_on(bench.hub, bob, m.Join(room="den"), bench.now, lambda _o, _n: None)
    bench.take()
    bench.answer(m.RoomReply(room=view(since=4, head=4), current="lobby"), "join")
    bench.say("den", 4, 0, "said before")
    bench.event("den", m.WritesNow(login="before", on=True))
    bench.event("den", roster("before", "joined"))
    bench.say("den", 5, 4, "since then")
    bench.event("den", m.WritesNow(login="since", on=True))
    assert not tab.heard("before")
    assert tab.heard("since then")
    assert tab.heard('"login":"since"')


def test_topics_are_given_back_before_the_last_member_leaves(bench: Bench) -> None:
    bob, _ = bench.person("bob", view())
    assert b"den\0" in bench.topics
    pass_on(bench.hub, bob, m.Leave(room="DEN"), bench.now, lambda _o, _n: None)
    bench.take()
    assert b"den\0" not in bench.topics
    bench.answer(NotMember(), "leave")
    assert b"den\0" in bench.topics
    bench.person("ana", view())
    pass_on(bench.hub, bob, m.Leave(room="den"), bench.now, lambda _o, _n: None)
    bench.take()
    assert b"den\0" in bench.topics
    bench.answer(m.Left(current="lobby"), "leave")
    assert "den" not in bob.hearing


def test_a_ping_whose_answer_lacks_a_room_stops_it_and_asks(bench: Bench) -> None:
    bob, tab = bench.person("bob", view())
    bench.now += 1
    pass_on(bench.hub, bob, m.Ping(), bench.now, lambda _o, _n: None)
    bench.take()
    bench.answer(m.Pong(time=3_000, run="r", heads={"@bob": 0}), "ping")
    bench.say("den", 1, 0, "secret")
    assert not tab.heard("secret")
    assert bench.waits()


@pytest.mark.parametrize(("head", "how"), [(2, "resumed"), (3, "gap")])
def test_what_is_kept_outlasts_a_lost_connection_if_nothing_was_said(bench: Bench, head: int, how: str) -> None:
    bob, _ = bench.person("bob", view())
    for seq in (1, 2):
        bench.say("den", seq, seq - 1, "kept")
    bench.hub.broadcast_down(bench.now)
    bench.hub.broadcast_up(bench.now)
    bench.live(BEACON, 0, 0)
    bench.answer(welcome(state("bob", view(head=head))))
    bench.live("den", 7, head)
    resumed = resume(bob, bench.hub.places.channels, Greeting(run="g", cursors={"den": (7, 1)}), "g")
    assert resumed.how == how
    assert len(resumed.frames) == (1 if how == "resumed" else 0)


def test_a_label_that_is_logged_out_ends_its_pages(bench: Bench) -> None:
    bob, tab = bench.person("bob", view())
    bench.hub.doubt(bob, bench.now)
    bench.take()
    bench.answer(welcome(None))
    assert tab.ended == "logged-out"
    assert bench.topics == {BEACON.encode() + b"\0"}
    assert not bench.hub.sessions


def test_who_is_being_logged_out_holds_no_topic_and_is_told_nothing_until_the_broker_has_answered(bench: Bench) -> None:
    bob, tab = bench.person("bob", view())
    bench.hub.refresh(bob, bench.now)
    bench.take()
    bench.hub.take_leave(bob.label, "replaced", bench.now)
    bench.take()
    assert bench.topics == {BEACON.encode() + b"\0"}
    bench.answer(welcome(state("bob", view())))  # of before
    bench.event(BEACON, m.JoinedRoom(room=view("new", 8), session=bob.label))
    assert bench.topics == {BEACON.encode() + b"\0"}
    assert (bob.doubtful, tab.ended) == (True, "")
    bench.event(BEACON, m.Ended(reason="logout", session=bob.label))
    assert tab.ended == "replaced"


def test_who_could_not_be_logged_out_hears_again_and_is_told_that_something_was_missed(bench: Bench) -> None:
    bob, tab = bench.person("bob", view())
    bench.hub.take_leave(bob.label, "logout", bench.now)
    bench.take()
    bob.leaving = ""
    bench.hub.refresh(bob, bench.now)
    bench.take()
    bench.answer(welcome(state("bob", view(head=3))))
    assert (tab.heard('"kind":"gap"'), tab.ended) == (True, "")
    assert b"den\0" in bench.topics
    bench.live("den", 7, 3)
    bench.say("den", 4, 3, "again")
    assert tab.heard("again")


def test_nobody_counts_as_gone_before_their_time_and_then_the_broker_is_told(bench: Bench) -> None:
    bob, tab = bench.person("bob", view())
    bob.sockets.discard(tab)  # type: ignore[arg-type]
    bob.gone_at = bench.now
    bench.later(bounds.LINGER_S - 0.1)
    assert not bench.waits("bye")
    assert bob.entitled("den", 1)
    bench.later(0.2)
    assert bench.waits("bye")[0].session == bob.label
    assert b"den\0" not in bench.topics


def test_a_mark_that_overtook_the_answer_to_hello_is_in_it_all_the_same(bench: Bench) -> None:
    bob, _ = bench.person("bob", view())
    found: list[Session] = []
    bench.hub.know(bob.label, "", False, bench.now, lambda known, _w, _n: found.append(known))  # type: ignore[arg-type]
    bench.take()
    bench.event(bob.inbox, m.Marked(talk="den", read=12, notify=None))
    bench.answer(welcome(state("bob", view())))
    assert [each.read for each in found[0].state.rooms] == [12]


def test_a_farewell_that_was_lost_with_the_broker_is_said_once_it_is_back(bench: Bench) -> None:
    own = bench.hub.own
    assert own is not None
    leaving = {login: bench.person(login) for login in ("ana", "bob", "cleo")}
    bob, ana, cleo = (leaving[login][0].label for login in ("bob", "ana", "cleo"))

    def leaves(login: str) -> None:
        session, tab = leaving[login]
        session.sockets.discard(tab)  # type: ignore[arg-type]
        session.gone_at = bench.now

    leaves("bob")
    bench.later(bounds.LINGER_S + 0.1)
    assert [each.session for each in bench.waits("bye")] == [bob]
    bench.asked.clear()
    own.heartbeat.answering = False
    bench.hub.stepped(bench.now)
    bench.hub.commands_down(bench.now)
    leaves("ana")
    leaves("cleo")
    bench.later(bounds.LINGER_S + 0.1)
    assert not bench.waits("bye")
    own.heartbeat.answering = True
    bench.hub.stepped(bench.now)
    # One of them is back before it was said: it must not be, for it might come behind their greeting.
    bench.hub.know(cleo, "", False, bench.now, lambda _k, _w, _n: None)
    bench.later(0.1)
    assert sorted(each.session for each in bench.waits("bye")) == sorted([ana, bob])
    bench.answer(m.Reply(), "bye")
    bench.answer(m.Reply(), "bye")
    bench.later(0.1)
    assert not bench.waits("bye")


def test_an_adopted_session_is_heard_without_a_page_and_asks_quietly(bench: Bench) -> None:
    bob, tab = bench.person("bob", view())
    bob.adopted = True
    heard: list[str] = []
    bench.hub.overheard.append(lambda log, _event: heard.append(log))
    bob.sockets.discard(tab)  # type: ignore[arg-type]
    bob.gone_at = bench.now
    bench.later(bounds.LINGER_S + 0.1)
    bench.answer(m.Reply(), "bye")
    bench.later(bounds.RETRY_S + 0.1)
    asked = bench.waits()[0].command
    assert isinstance(asked, m.Hello)
    assert asked.quiet
    bench.answer(welcome(state("bob", view())))
    bench.live("den", 7, 0)
    bench.say("den", 1, 0, "hola")
    assert heard == ["den"]
    assert bob.entitled("den", 1)


def test_hellos_are_paced(bench: Bench) -> None:
    for number in range(3 * bounds.HELLOS):
        bench.hub.know(f"label {number}", "", False, bench.now, lambda _k, _w, _n: None)
    bench.take()
    assert len(bench.waits()) == bounds.HELLOS
    bench.answer(welcome(None))
    assert len(bench.waits()) == bounds.HELLOS


def test_without_a_broker_everything_is_answered_at_once(bench: Bench) -> None:
    bob, tab = bench.person("bob", view())
    outcomes: list[object] = []
    pass_on(bench.hub, bob, m.Users(), bench.now, lambda outcome, _n: outcomes.append(outcome))
    own = bench.hub.own
    assert own is not None
    own.heartbeat.answering = False
    bench.hub.commands_down(bench.now)
    bench.hub.stepped(bench.now)
    pass_on(bench.hub, bob, m.Users(), bench.now, lambda outcome, _n: outcomes.append(outcome))
    assert all(isinstance(each, NoAnswer) for each in outcomes)
    assert len(outcomes) == 2
    assert tab.heard('"state":"offline"')
    own.heartbeat.answering = True
    bench.hub.stepped(bench.now)
    bench.take()
    assert bench.waits()
    assert tab.heard('"state":"live"')


def test_a_request_that_is_never_answered_fails(bench: Bench) -> None:
    bob, _ = bench.person("bob")
    outcomes: list[object] = []
    pass_on(bench.hub, bob, m.Users(), bench.now, lambda outcome, _n: outcomes.append(outcome))
    bench.later(bounds.ANSWER_S + 0.1)
    assert isinstance(outcomes[0], NoAnswer)
    assert not len(bench.hub.asking)


def under_way(bench: Bench, label: str) -> list[Any]:
    """A first `hello` that the broker has not answered yet, and what comes of it."""
    found: list[Any] = []
    bench.hub.know(label, "192.0.2.1", False, bench.now, lambda known, _w, _n: found.append(known))
    bench.take()
    return found


def test_an_end_that_is_heard_before_the_answer_to_hello_is_the_end(bench: Bench) -> None:
    bench.person("ana", view())
    found = under_way(bench, "stolen")
    bench.event(BEACON, m.Ended(reason="revoked", session="stolen"))
    bench.answer(welcome(state("bob", view())), label="stolen")
    assert not found
    assert "stolen" not in bench.hub.sessions
    bench.answer(welcome(None), label="stolen")
    assert found == [None]


def test_an_expulsion_that_is_heard_before_the_answer_to_the_first_hello_counts(bench: Bench) -> None:
    bench.person("ana", view())
    found = under_way(bench, "new")
    bench.event("den", roster("bob", "left"))
    bench.answer(welcome(state("bob", view())), label="new")
    bob, tab = found[0], Tab()
    bob.sockets.add(tab)
    bench.hub.places.changed(bob)
    bench.say("den", 1, 0, "secret")
    assert not tab.heard("secret")
    assert not bob.entitled("den", 1)
    bench.later(bounds.RETRY_S)
    bench.answer(welcome(state("bob")), label="new")
    bench.say("den", 2, 1, "secret")
    assert not tab.heard("secret")


def test_an_expulsion_told_on_the_beacon_before_the_answer_to_the_first_hello_counts(bench: Bench) -> None:
    bench.person("ana", view())
    found = under_way(bench, "new")
    bench.event(BEACON, m.LeftRoom(id=7, name="den", reason="removed", session="new"))
    bench.answer(welcome(state("bob", view())), label="new")
    assert not found
    bench.answer(welcome(state("bob")), label="new")
    assert not found[0].hearing
