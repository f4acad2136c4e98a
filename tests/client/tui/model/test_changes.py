"""Edits, retractions and reactions change the message they are of, wherever it stands, and are none themselves."""

from __future__ import annotations

from typing import Any

import pytest

from client.link.updates import Arrived, RoomJoined, RosterChanged, Settled, StateChanged, TalkMarked, WritesNow
from client.tui import pages
from client.tui.model.conversations import CROWDED
from client.tui.model.records import Record
from client.tui.model.state import Model
from client.tui.model.wishes import Ring, Tell
from common.errors import Forbidden
from common.limits import TYPING_S
from common.messages import (
    Change,
    Edited,
    Message,
    Reacted,
    ReactionView,
    Retracted,
    Roster,
    Sent,
    SessionState,
    Status,
    TalkView,
)
from tests.client.tui.fake_chat import NOW, direct, said, view


@pytest.fixture
def model() -> Model:
    model = Model("ana")
    model.now = NOW
    for id, name in enumerate(("lobby", "chess"), 1):
        model.apply(RoomJoined(view(name, id)))
    return model


def edited(target: int, text: str, seq: int, sender: str = "bob") -> Edited:
    return Edited(seq=seq, prev=seq - 1, time=NOW + seq, sender=sender, target=target, text=text, nonce=b"n%d" % seq)


def retracted(target: int, seq: int, sender: str = "bob") -> Retracted:
    return Retracted(seq=seq, prev=seq - 1, time=NOW + seq, sender=sender, target=target, nonce=b"n%d" % seq)


def reacted(target: int, emoji: str, seq: int, sender: str = "bob", on: bool = True, count: int = -1) -> Reacted:
    place = {"seq": seq, "prev": seq - 1, "time": NOW + seq, "sender": sender, "nonce": b"n%d" % seq}
    return Reacted(**place, target=target, emoji=emoji, on=on, count=int(on) if count < 0 else count)


def record(model: Model, log: str, seq: int) -> Record:
    found = model.conversations[log].records.said_at(seq)
    assert found is not None
    return found


def test_an_edit_changes_the_message_and_neither_counts_nor_rings(model: Model) -> None:
    model.apply(Arrived("chess", said("bob", "e4", 1), False))
    assert model.apply(Arrived("chess", edited(1, "ana: d4", 2), False)) == []
    now = record(model, "chess", 1)
    assert (now.text, now.edited, now.mention) == ("ana: d4", NOW + 2, True)
    assert len(model.conversations["chess"].records) == 1
    assert (model.conversations["chess"].unread, model.conversations["chess"].mentions) == (1, 1)


def test_what_is_taken_back_is_no_longer_unread(model: Model) -> None:
    model.apply(Arrived("chess", said("bob", "one", 1), False))
    model.apply(Arrived("chess", said("bob", "two", 2), False))
    model.apply(Arrived("chess", retracted(2, 3), False))
    assert (record(model, "chess", 2).text, record(model, "chess", 2).retracted) == ("", True)
    assert model.conversations["chess"].unread == 1
    model.apply(Arrived("chess", edited(2, "too late", 4), False))
    assert record(model, "chess", 2).text == ""


def test_reactions_are_put_and_taken_away(model: Model) -> None:
    model.apply(Arrived("lobby", said("bob", "hi", 1), False))
    model.apply(Arrived("lobby", reacted(1, "👍", 2), False))
    model.apply(Arrived("lobby", reacted(1, "👍", 3, sender="ANA", count=2), False))
    assert [(each.emoji, each.count, each.mine) for each in record(model, "lobby", 1).reactions] == [("👍", 2, True)]
    model.apply(Arrived("lobby", reacted(1, "👍", 4, on=False, count=1), False))
    assert [(each.count, each.mine) for each in record(model, "lobby", 1).reactions] == [(1, True)]


def test_in_the_inbox_the_conversation_is_found_by_the_message(model: Model) -> None:
    model.apply(Arrived("@ana", direct("bob", "ana", "psst", 1), False))
    model.apply(Arrived("@ana", direct("eva", "ana", "hello", 2), False))
    model.apply(Arrived("@ana", edited(2, "hola", 3, sender="eva"), False))
    assert (record(model, "@bob", 1).text, record(model, "@eva", 2).text) == ("psst", "hola")
    model.apply(Arrived("@ana", retracted(99, 4), False))
    assert sorted(log for log in model.conversations if log.startswith("@")) == ["@bob", "@eva"]


def test_a_page_shows_messages_as_they_are_now_and_what_is_in_it_changes_nothing_twice(model: Model) -> None:
    message = Message(
        seq=1,
        prev=0,
        time=NOW,
        sender="bob",
        text="now",
        nonce=b"",
        edited=NOW + 5,
        reactions=[ReactionView(emoji="👍", count=1, mine=False)],
        changed=5,
    )
    pages.take(model, "lobby", [message, edited(1, "now", 4), reacted(1, "👍", 5)], None, more=False)
    model.apply(Arrived("lobby", reacted(1, "👍", 5), True))
    now = record(model, "lobby", 1)
    assert (now.text, now.edited, [each.count for each in now.reactions]) == ("now", NOW + 5, [1])
    assert len(model.here.records) == 1


def test_a_change_that_is_refused_is_said_with_what_was_written(model: Model) -> None:
    model.wanted("lobby", "Not changed: {why}", b"1", "new text")
    assert model.waiting == 1
    assert model.apply(Settled(b"1", Forbidden())) == [Tell("lobby", f"Not changed: {Forbidden().message}", "new text")]
    model.wanted("lobby", "Not changed: {why}", b"2", "new text")
    assert model.apply(Settled(b"2", Sent(seq=9, time=NOW))) == []
    assert model.waiting == 0


def test_nothing_rings_that_is_replayed_read_or_not_to_be_told(model: Model) -> None:
    def ring(seq: int, text: str = "ana!", replayed: bool = False) -> list[Any]:
        return model.apply(Arrived("chess", said("bob", text, seq), replayed))

    assert ring(1) == [Ring("chess")]
    assert ring(2, replayed=True) == []
    assert ring(3, "hello") == []
    model.apply(TalkMarked("chess", 5, "all"))
    assert ring(4) == [], "it was read at another device"
    assert ring(6, "hello") == [Ring("chess")]
    model.status = "dnd"
    assert ring(7) == []
    model.status = "available"
    model.apply(TalkMarked("chess", 5, "off"))
    assert ring(8) == []
    model.apply(TalkMarked("chess", 5, "mentions"))
    assert ring(9, "hello") == []
    assert ring(10) == [Ring("chess")]


def test_what_is_shown_rings_and_counts_only_while_nobody_looks(model: Model) -> None:
    looking = False
    model.attentive = lambda: looking
    assert model.apply(Arrived("lobby", said("bob", "ana?", 1), False)) == [Ring("lobby")]
    assert model.here.unread == 1
    assert model.marks.take_due() == []
    looking = True
    model.attend()
    assert (model.here.unread, model.here.unread_shown) == (0, 1)
    assert model.marks.take_due() == [("lobby", 1)]
    assert model.apply(Arrived("lobby", said("bob", "ana!", 2), False)) == []
    assert model.marks.take_due() == [("lobby", 2)]


def test_two_devices_agree_on_what_is_read(model: Model) -> None:
    for seq in (1, 2, 3):
        model.apply(Arrived("chess", said("bob", "hi", seq), False))
    model.apply(TalkMarked("chess", 2, None))
    assert model.conversations["chess"].unread == 1
    model.apply(TalkMarked("Chess", 3, None))
    assert (model.conversations["chess"].unread, model.conversations["chess"].unread_from) == (0, 0)
    model.apply(TalkMarked("chess", 1, None))
    assert model.conversations["chess"].unread == 0


def test_what_the_state_says_is_marked_counts() -> None:
    model = Model("ana")
    rooms = [view("lobby", 1, head=9, read=8, notify="all")]
    talks = [TalkView(talk="@bob", read=4)]
    state = SessionState(login="ana", operator=False, current="lobby", rooms=rooms, inbox=5, talks=talks, status="dnd")
    model.arrive("ana", "lobby", state)
    model.member(rooms[0])
    model.apply(RoomJoined(rooms[0]))
    model.attentive = lambda: False
    pages.take(model, "lobby", [said("bob", "old", 8), said("bob", "new", 9)], None, more=False)
    pages.take(model, "@ana", [direct("bob", "ana", "old", 4), direct("bob", "ana", "new", 5)], None, more=False)
    assert (model.here.unread, model.here.tells, model.status) == (1, "all", "dnd")
    assert model.conversations["@bob"].unread == 1
    model.apply(StateChanged(SessionState(login="ana", operator=False, current="lobby", rooms=[], inbox=5)))
    assert model.status == "available"


def test_who_comes_into_a_room_has_missed_nothing_and_who_never_looked_has(model: Model) -> None:
    model.apply(RoomJoined(view("new", 9, head=50)))
    assert (model.marks.read("new"), model.marks.take_due()) == (50, [("new", 50)])
    model.member(view("old", 10, head=50))
    model.apply(RoomJoined(view("old", 10, head=50)))
    assert (model.marks.read("old"), model.marks.take_due()) == (0, [])
    model.left_behind({"room 11": 40, "@bob": 7, "@": 9})
    model.member(view("kept", 11, head=50))
    assert model.marks.read("kept") == 40
    assert sorted(model.marks.take_due()) == [("@ana", 9), ("@bob", 7), ("kept", 40)]


def test_who_writes_is_known_until_they_have_written_it_or_it_is_long_ago(model: Model) -> None:
    model.apply(WritesNow("lobby", "bob", True))
    model.apply(WritesNow("lobby", "eva", True))
    model.apply(WritesNow("lobby", "Ana", True))
    model.apply(WritesNow("nowhere", "bob", True))
    assert model.here.writing(NOW) == ["bob", "eva"]
    model.apply(Arrived("lobby", said("bob", "hi", 1), False))
    assert model.here.writing(NOW) == ["eva"]
    assert model.here.writing(NOW + int(TYPING_S * 1000)) == []
    model.apply(WritesNow("lobby", "eva", False))
    assert model.here.writing(NOW) == []


def test_a_status_is_no_coming_or_going(model: Model) -> None:
    def change(login: str, change: Any, status: Status = "available") -> None:
        changes = [Change(login=login, change=change, status=status)]
        model.apply(RosterChanged("lobby", Roster(time=NOW, changes=changes, online=2)))

    change("bob", "online", "away")
    assert (model.here.members, model.here.statuses) == ({"bob": True}, {"bob": "away"})
    change("bob", "status")
    assert (model.here.members, model.here.statuses) == ({"bob": True}, {})
    change("ANA", "status", "dnd")
    assert model.status == "dnd"
    assert len(model.here.records) == 0


def test_in_a_crowd_only_who_spoke_lately_is_said_to_go_and_the_rest_can_be_shown(model: Model) -> None:
    model.all_comings = False
    model.apply(Arrived("lobby", said("bob", "hi", 1), False))

    def left(login: str, time: int) -> None:
        changes = [Change(login=login, change="left")]
        model.apply(RosterChanged("lobby", Roster(time=time, changes=changes, online=CROWDED)))

    left("carla", NOW + 10)
    left("bob", NOW + 20)
    texts = lambda: [model.here.records[index].text for index in range(len(model.here.records))]  # noqa: E731
    assert texts() == ["hi", "bob left"]
    model.here.show_quiet(True)
    assert texts() == ["hi", "carla left", "bob left"]
    model.here.show_quiet(False)
    assert texts() == ["hi", "bob left"]
    model.here.show_quiet(True)
    assert texts() == ["hi", "carla left", "bob left"]
