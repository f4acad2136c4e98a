"""What each update does to the model: conversations, unread counts, presence, one's own messages."""

from __future__ import annotations

import pytest

from client.link.updates import (
    Arrived,
    LinkChanged,
    LinkState,
    ModeratorsChanged,
    Overrun,
    Postponed,
    RoomJoined,
    RoomLeft,
    RosterChanged,
    SessionEnded,
    Settled,
    StateChanged,
    SubjectChanged,
    TalkMarked,
)
from client.tui import pages
from client.tui.model.records import FAR_LIMIT, LIMIT
from client.tui.model.state import Model
from client.tui.model.wishes import Load, Missed, Over, Ring
from common.errors import NotMember
from common.messages import Change, Invited, MemberView, Roster, Sent, SessionState
from tests.client.tui.fake_chat import NOW, direct, said, view


@pytest.fixture
def model() -> Model:
    model = Model("ana")
    model.now = NOW
    for id, name in enumerate(("lobby", "chess", "dev"), 1):
        model.apply(RoomJoined(view(name, id)))
    return model


def texts(model: Model, log: str) -> list[str]:
    records = model.conversations[log].records
    return [records[index].text for index in range(len(records))]


def roster(*changes: Change, online: int = 2) -> Roster:
    return Roster(time=NOW, changes=list(changes), online=online)


def test_a_joined_room_is_to_be_read(model: Model) -> None:
    assert model.apply(RoomJoined(view("go", 9, subject="Go!", online=7))) == [Load("go")]
    assert (model.conversations["go"].subject, model.conversations["go"].online) == ("Go!", 7)


def test_a_room_of_the_same_name_made_anew_begins_empty(model: Model) -> None:
    model.apply(Arrived("chess", said("bob", "old", 1), False))
    model.apply(RoomJoined(view("chess", 77)))
    assert texts(model, "chess") == []
    model.apply(Arrived("chess", said("bob", "new", 1), False))
    model.apply(RoomJoined(view("chess", 77)))  # after a reconnect
    assert texts(model, "chess") == ["new"]


def test_unread_counts_begin_where_nobody_looks(model: Model) -> None:
    for seq in (1, 2, 3):
        model.apply(Arrived("chess", said("bob", "hi", seq), False))
    model.apply(Arrived("lobby", said("bob", "hi", 1), False))
    model.apply(Arrived("chess", said("ana", "from my phone", 4), False))
    assert (model.conversations["chess"].unread, model.conversations["lobby"].unread) == (3, 0)
    model.turn("chess")
    assert (model.here.unread, model.here.unread_shown) == (0, 3)
    assert model.here.unread_from == model.here.records[0].id
    model.turn("lobby")
    model.apply(Arrived("chess", said("bob", "more", 5), False))
    model.turn("chess")
    assert model.here.unread_from == model.here.records[4].id


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("ana, look", True),
        ("ask @ANA!", True),
        ("banana", False),
        ("ana_maria", False),
        ("Montana ana", True),
        ("", False),
    ],
)
def test_mentions_ring_where_nobody_looks(model: Model, text: str, means: bool) -> None:
    wishes = model.apply(Arrived("chess", said("bob", text, 1), False))
    assert wishes == ([Ring("chess")] if means else [])
    assert model.conversations["chess"].mentions == means


def test_private_messages_have_conversations_of_their_own(model: Model) -> None:
    assert model.apply(Arrived("@ana", direct("bob", "ana", "psst", 1), False)) == [Ring("@bob")]
    model.apply(Arrived("@ana", direct("ana", "bob", "from my phone", 2), False))
    model.apply(Arrived("@ana", direct("ana", "carla", "hello", 3), False))
    model.apply(Arrived("@ana", direct("ana", "ana", "note to self", 4), False))
    assert texts(model, "@bob") == ["psst", "from my phone"]
    assert [talk.log for talk in model.order] == ["lobby", "chess", "dev", "@bob", "@carla", "@ana"]
    assert model.conversations["@bob"].unread == 1


def test_the_next_unread_is_what_matters_most(model: Model) -> None:
    assert model.next_unread() is None
    model.apply(Arrived("dev", said("bob", "hi", 1), False))
    assert model.next_unread() is model.conversations["dev"]
    model.apply(Arrived("chess", said("bob", "ana!", 1), False))
    assert model.next_unread() is model.conversations["chess"]
    model.apply(Arrived("@ana", direct("bob", "ana", "psst", 1), False))
    assert model.next_unread() is model.conversations["chess"]
    model.turn("chess")
    assert model.next_unread() is model.conversations["@bob"]
    model.apply(TalkMarked("dev", 0, "off"))
    model.turn("@bob")
    assert model.next_unread() is None, "what one wants to be told nothing of is nothing to go to"


def test_a_message_that_the_broker_puts_off_says_how_long(model: Model) -> None:
    model.said("lobby", "one", b"1")
    records = model.conversations["lobby"].records
    before = records[0]
    model.apply(Postponed(b"1", 0.3))
    assert records[0] == before, "over before it is read"
    model.apply(Postponed(b"1", 2.1))
    assert (records[0].fate, records[0].reason, records[0].id) == ("pending", "wait 3 s", before.id)
    assert records[0].revision > before.revision
    model.apply(Postponed(b"2", 2.1))
    model.apply(Arrived("lobby", said("ana", "one", 5, nonce=b"1"), False))
    assert (records[0].fate, records[0].reason) == ("sent", "")


def test_own_messages_wait_and_settle(model: Model) -> None:
    model.said("lobby", "one", b"1")
    model.said("lobby", "two", b"2")
    model.said("lobby", "three", b"3")
    assert model.waiting == 3
    model.apply(Arrived("lobby", said("ana", "one", 5, nonce=b"1"), False))
    model.apply(Settled(b"1", Sent(seq=5, time=NOW)))
    model.apply(Settled(b"2", NotMember()))
    model.apply(Settled(b"3", Sent(seq=6, time=NOW)))
    model.apply(Arrived("lobby", said("ana", "three", 6, nonce=b"3"), False))
    assert model.waiting == 0
    records = model.conversations["lobby"].records
    assert [(records[i].text, records[i].fate) for i in range(3)] == [
        ("one", "sent"),
        ("two", "failed"),
        ("three", "sent"),
    ]
    assert len(records) == 3


def test_who_comes_and_goes_is_said_and_counted(model: Model) -> None:
    heard: list[str] = []
    model.heard = lambda talk, record: heard.append(record.text)
    joined = [Change(login=f"u{number}", change="joined") for number in range(10)]
    model.apply(RosterChanged("lobby", roster(*joined, online=11)))
    gone = [Change(login="u0", change="left", reason="gone"), Change(login="u1", change="left", reason="exit")]
    model.apply(RosterChanged("lobby", roster(*gone, Change(login="u2", change="offline"), online=8)))
    assert heard == [
        "u0, u1, u2, u3, u4, u5, u6, u7 and 2 more came in",
        "u0 left (connection lost)",
        "u1 left",
    ]
    talk = model.conversations["lobby"]
    assert talk.online == 8
    assert talk.members["u2"] is False
    assert "u0" not in talk.members


def test_a_status_is_no_coming_or_going(model: Model) -> None:
    model.apply(RosterChanged("lobby", roster(Change(login="bob", change="offline"), online=1)))
    for login in ("bob", "eva", "ana"):
        model.apply(RosterChanged("lobby", roster(Change(login=login, change="status", status="dnd"), online=1)))
    assert texts(model, "lobby") == []
    assert model.here.members == {"bob": False}, "it says nothing of who is there, either"


def test_nobody_is_told_of_their_own_coming(model: Model) -> None:
    model.apply(RosterChanged("lobby", roster(Change(login="ana", change="joined"), online=1)))
    assert texts(model, "lobby") == []
    both = [Change(login="ana", change="joined"), Change(login="bob", change="joined")]
    model.apply(RosterChanged("lobby", roster(*both, online=2)))
    assert texts(model, "lobby") == ["bob came in"]
    assert model.here.members == {"ana": True, "bob": True}


def test_comings_and_goings_in_a_row_are_one_notice(model: Model) -> None:
    def change(login: str, change: str, reason: str = "") -> None:
        model.apply(RosterChanged("lobby", roster(Change(login=login, change=change, reason=reason))))  # type: ignore[arg-type]

    for login, *changes in (
        ("bob", "joined", "left"),
        ("carla", "left", "joined"),
        ("dora", "joined"),
        ("eva", "left"),
    ):
        for each in changes:
            change(login, each)
    assert texts(model, "lobby") == ["bob came and went; carla left and came back; dora came in; eva left"]
    before = model.here.records[0]
    change("fia", "joined")
    assert model.here.records[0].revision > before.revision
    assert model.here.records[0].id == before.id
    change("fia", "offline")
    model.apply(Arrived("lobby", said("bob", "hi", 1), False))
    change("eva", "joined")
    assert texts(model, "lobby")[1:] == ["hi", "eva came in"]


def test_a_left_room_is_gone_and_it_is_said_why(model: Model) -> None:
    model.turn("chess")
    model.turn("dev")
    model.apply(RoomLeft("dev", "creator-gone"))
    assert model.current == "chess"
    assert texts(model, "chess") == ["#dev is gone, because whoever made it has left."]
    model.apply(RoomLeft("lobby", "left"))
    model.apply(RoomLeft("nowhere", "left"))
    assert model.current == "chess"
    model.apply(RoomLeft("chess", "removed"))
    assert model.current == "lobby"


def test_entering_a_room_leaves_no_ghost_of_the_one_before() -> None:
    model = Model("ana")
    model.apply(RoomJoined(view("lobby", 1)))
    model.apply(RoomJoined(view("chess", 2)))
    model.apply(RoomLeft("lobby", "left"))
    assert list(model.conversations) == ["chess"]
    assert model.current == "chess"


def test_the_default_room_may_have_another_name() -> None:
    model = Model("")
    model.note("lobby", "connecting")
    model.arrive("ana", "plaza", SessionState(login="ana", operator=False, current="plaza", rooms=[], inbox=0))
    model.apply(RoomJoined(view("plaza", 1)))
    assert list(model.conversations) == ["plaza"]
    assert texts(model, "plaza") == ["connecting"]


def test_who_keeps_order_is_known_and_said_when_it_changes(model: Model) -> None:
    model.apply(RoomJoined(view("den", 7, creator="eva", moderators=["bob"])))
    den = model.conversations["den"]
    assert [den.made_by("EVA"), den.moderated_by("Bob"), den.moderated_by("eva")] == [True, True, False]
    model.apply(ModeratorsChanged("den", ("ana", "bob"), "eva", NOW))
    model.apply(ModeratorsChanged("den", ("ana",), "eva", NOW + 1))
    model.apply(ModeratorsChanged("nowhere", ("ana",), "eva", NOW + 1))
    assert texts(model, "den") == ["ana keeps order here now, by eva", "bob no longer keeps order here, by eva"]
    told = SessionState(
        login="ana", operator=False, current="lobby", rooms=[view("den", 7, moderators=["leo"])], inbox=0
    )
    model.apply(StateChanged(told))
    assert den.moderators == ["leo"], "an event may be lost; the whole state is not"


def test_what_others_said_is_taken_back_by_those_who_keep_order(model: Model) -> None:
    for name, fields in (
        ("mine", {"creator": "Ana"}),
        ("kept", {"creator": "eva", "moderators": ["ana"]}),
        ("others", {"creator": "eva"}),
    ):
        model.apply(RoomJoined(view(name, len(model.conversations) + 9, **fields)))
    talks = [model.open(name) for name in ("mine", "kept", "others", "lobby", "@bob")]
    theirs, own = model.record(said("bob", "hola", 1)), model.record(said("ana", "hola", 2))
    assert [model.may_take_back(talk, theirs) for talk in talks] == [True, True, False, False, False]
    assert all(model.may_take_back(talk, own) for talk in talks)
    model.apply(StateChanged(SessionState(login="ana", operator=True, current="lobby", rooms=[], inbox=0)))
    assert [model.may_take_back(talk, theirs) for talk in talks] == [True, True, True, True, False]


def test_programs_are_known_by_their_coming_and_by_the_list(model: Model) -> None:
    talk = model.here
    talk.took_members([MemberView(login="dice", online=True, bot=True), MemberView(login="bob", online=True)])
    assert talk.bots == {"dice"}
    comes = Change(login="trivia", change="joined", bot=True)
    model.apply(RosterChanged("lobby", Roster(time=NOW, changes=[comes], online=3)))
    model.apply(RosterChanged("lobby", Roster(time=NOW, changes=[Change(login="dice", change="left")], online=2)))
    assert talk.bots == {"trivia"}


def test_further_updates(model: Model) -> None:
    model.apply(SubjectChanged("lobby", "Openings", "bob", NOW))
    assert model.here.subject == "Openings"
    model.apply(SubjectChanged("lobby", "", "bob", NOW))
    assert texts(model, "lobby") == ["bob set the topic: Openings", "bob took the topic away"]
    assert model.apply(Overrun({"lobby": 4})) == [Missed("lobby", 4)]
    assert isinstance(model.apply(SessionEnded("revoked"))[0], Over)
    assert isinstance(model.apply(SessionEnded("novelty"))[0], Over)
    invited = Invited(seq=1, prev=0, time=NOW, sender="bob", room="secret")
    assert model.apply(Arrived("@ana", invited, False)) == [Ring("lobby")]
    assert model.apply(Arrived("@ana", invited, True)) == []
    assert texts(model, "lobby")[-1] == "bob invites you to #secret: /join secret"
    model.apply(StateChanged(SessionState(login="Ana", operator=False, current="lobby", rooms=[], inbox=0)))
    assert model.me == "Ana"
    model.here.loading = True
    model.apply(LinkChanged(LinkState.OFFLINE))
    assert not model.here.loading


def test_pages_of_history_come_before_what_was_heard(model: Model) -> None:
    model.apply(RoomJoined(view("go", 9, head=8)))
    model.apply(Arrived("go", said("bob", "live", 9, prev=7), False))
    page = [said("bob", "seven", 7), said("bob", "eight", 8)]
    assert pages.take(model, "go", page, None, more=True) == 2
    assert texts(model, "go") == ["seven", "eight", "live"]
    assert model.conversations["go"].records.oldest == 6
    assert model.conversations["go"].more
    assert pages.take(model, "go", [said("bob", "two", 2)], 7, more=False) == 1
    assert not model.conversations["go"].more
    assert model.conversations["go"].unread == 1


def test_a_private_rooms_history_ends_where_one_joined() -> None:
    model = Model("ana")
    model.apply(RoomJoined(view("secret", 5, private=True, since=40, head=50)))
    pages.take(model, "secret", [said("bob", "first", 41)], None, more=False)
    assert not model.conversations["secret"].more


def test_a_page_of_the_inbox_is_dealt_out(model: Model) -> None:
    page = [direct("bob", "ana", "b", 3), direct("ana", "carla", "c", 4)]
    pages.take(model, "@ana", page, None, more=True)
    assert texts(model, "@bob") == ["b"]
    assert texts(model, "@carla") == ["c"]
    assert model.conversations["@bob"].records.oldest == 2
    assert model.conversations["@carla"].unread == 0
    pages.take(model, "@ana", [direct("carla", "ana", "a", 1)], 3, more=False)
    assert not model.conversations["@bob"].more


def test_memory_is_bounded(model: Model) -> None:
    for seq in range(1, LIMIT + 50):
        model.apply(Arrived("chess", said("bob", "x", seq), False))
    assert len(model.conversations["chess"].records) == LIMIT
    assert model.conversations["chess"].more
    model.conversations["dev"].reading_back = True
    for seq in range(1, LIMIT + 50):
        model.apply(Arrived("dev", said("bob", "x", seq), False))
    assert LIMIT < len(model.conversations["dev"].records) <= FAR_LIMIT


def test_places(model: Model) -> None:
    assert model.find("CHESS") is model.conversations["chess"]
    model.turn("dev")
    model.close("nowhere")
    assert model.previous == "lobby"
    model.close("dev")
    assert model.current == "lobby"
