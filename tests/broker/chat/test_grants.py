"""Who may hear a topic, and the markers that say from where."""

import pytest

from broker.chat.settings import ChatSettings
from common import messages, topics
from common.limits import PRESENCE_SETTLE_S
from tests.support.circle import Circle


@pytest.fixture
def circle() -> Circle:
    circle = Circle()
    for login in ("ana", "bob"):
        circle.register(login)
    circle.ask("ana", messages.Create(room="devops"))
    return circle


@pytest.mark.parametrize(
    "topic",
    [b"", b"\0", b"d", b"dev", b"devops", b"dev\0", b"devops\0x", b"@ana\0", b"@\0", b"~\0", b"DEVOPS\0", b"\xff\0"],
)
def test_a_non_member_may_hear_nothing_of_a_room_by_whatever_prefix(circle: Circle, topic: bytes) -> None:
    assert not circle.chat.may_hear("bob", topic)
    assert not circle.chat.may_hear("stranger", topic)


def test_a_stranger_may_hear_the_own_beacon_alone(circle: Circle) -> None:
    beacon = topics.topic(circle.beacon("stranger"))
    assert circle.chat.may_hear("stranger", beacon)
    assert not circle.chat.may_hear("bob", beacon)
    assert circle.chat.beacon_key(beacon) is None
    assert not circle.chat.may_hear("stranger", b"lobby\0")


def test_each_grant_is_answered_on_the_beacon_with_where_the_log_ends(circle: Circle) -> None:
    seq = circle.say("ana", "lobby", "hola").seq
    ear = circle.listen("bob", "lobby", "@bob")
    live = {event.log: (event.head, event.id > 0) for event in ear.of(messages.Live)}
    assert live == {ear_beacon(circle): (0, False), "lobby": (seq, True), "@bob": (0, False)}


def ear_beacon(circle: Circle) -> str:
    return circle.beacon("bob")


def test_markers_wait_for_the_beacon(circle: Circle) -> None:
    ear = circle.listen("bob", "lobby", beacon=False)
    assert ear.of(messages.Live) == []
    circle.subscribe(ear, "@bob")
    circle.unsubscribe(ear, "@bob")
    circle.subscribe(ear, circle.beacon("bob"))
    assert [event.log for event in ear.of(messages.Live)] == [circle.beacon("bob"), "lobby"]


def test_a_topic_asked_for_again_and_again_is_answered_once(circle: Circle) -> None:
    ear = circle.listen("bob", *["lobby"] * 3, beacon=False)
    circle.subscribe(ear, circle.beacon("bob"))
    assert [event.log for event in ear.of(messages.Live)] == [circle.beacon("bob"), "lobby"]


def test_a_connection_noted_under_anothers_descriptor_is_not_kept_as_theirs(circle: Circle) -> None:
    ear = circle.listen("bob", "lobby")
    circle.chat.subscribed("ana", b"lobby\0", ear.connection, circle.now)
    assert circle.chat.connections("bob") == set()
    assert circle.chat.connections("ana") == {ear.connection}
    circle.later(PRESENCE_SETTLE_S)
    assert not circle.ask("ana", messages.Profile(login="bob")).online


def test_who_holds_a_beacon_counts_among_those_who_hear(circle: Circle) -> None:
    ear, stranger = circle.listen("bob", "lobby"), circle.listen("stranger")
    bobs, strangers = (topics.topic(circle.beacon(key)) for key in ("bob", "stranger"))
    heard = {topic: set(connections) for topic, connections in circle.chat.holders().items()}
    assert heard == {bobs: {ear.connection}, strangers: {stranger.connection}, b"lobby\0": {ear.connection}}
    circle.unsubscribe(ear, circle.beacon("bob"))
    circle.hang_up(stranger)
    circle.later(2)
    assert circle.chat.holders().keys() == {b"lobby\0"}


def test_a_gateway_struck_off_hears_nothing_any_more() -> None:
    circle = Circle(settings=ChatSettings(gateways=frozenset({"gate"})))
    circle.register("ana")
    circle.ask("gate", messages.Login(login="ana", password="password of ana"), session="s1")
    assert circle.chat.may_hear("gate", b"@ana\0")
    circle.settings = ChatSettings()
    circle.start()
    assert not circle.chat.may_hear("gate", b"@ana\0")
    assert not circle.chat.may_hear("gate", b"lobby\0")


def test_lost_connections_leave_nothing_behind(circle: Circle) -> None:
    for _ in range(3):
        ear = circle.listen("bob", "lobby", "@bob")
        assert circle.chat.connections("bob") == {ear.connection}
        circle.hang_up(ear)
    stranger = circle.listen("stranger")
    circle.hang_up(stranger)
    circle.carry_out(circle.chat.connection_lost(stranger.connection, circle.now))
    circle.later(2)
    assert circle.chat.all_connections() == set()
    assert circle.chat.beacon_key(topics.topic(circle.beacon("stranger"))) is None
    assert circle.chat._grants._holders == {}
