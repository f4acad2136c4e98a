"""What stands around the messages: presence, who writes, what is unread, and what matters most where little fits."""

from __future__ import annotations

import pytest

from client.link.updates import RoomJoined
from client.tui.model.state import Model
from client.tui.text.wrap import Row, cells
from client.tui.view import panes
from tests.client.tui.fake_chat import NOW, view


def shown(rows: list[Row]) -> list[str]:
    return ["".join(text for _, text in row) for row in rows]


@pytest.fixture
def model() -> Model:
    made = Model("ana")
    made.now = NOW
    for number, name in enumerate(("lobby", "ops", "dev"), 1):
        made.apply(RoomJoined(view(name, number, subject="Deploys", online=3)))
    made.here.members = {"ana": True, "bob": True, "carla": True, "dice": True, "eve": False}
    made.here.statuses = {"carla": "away", "dice": "dnd", "eve": "away"}
    made.here.writers = {"bob": NOW + 1, "carla": NOW - 1}
    made.open("@bob")
    return made


def standing(link: str = "live", seconds: int = 0, round_trip_ms: float | None = 12) -> panes.Standing:
    return panes.Standing(link, seconds, round_trip_ms, NOW, 0)


def test_rooms_have_numbers_and_what_is_unread(model: Model) -> None:
    talks = model.conversations
    talks["ops"].unread, talks["ops"].mentions = 5, 2
    talks["dev"].unread = 1_200
    talks["@bob"].unread = talks["@bob"].mentions = 1
    assert shown(panes.rooms(model, 18, 20)) == [
        " rooms            ",
        " 1 lobby          ",
        " 2 ops        2,5 ",
        " 3 dev       999+ ",
        "                  ",
        " people           ",
        " 4 @bob         1 ",
    ]
    talks["dev"].notify = "off"
    row = panes.rooms(model, 18, 20)[3]
    assert shown([row]) == [" 3 dev          • "]
    assert "class:side.unread" not in row[1][0]


def test_the_room_looked_at_is_always_in_view(model: Model) -> None:
    for number in range(4, 120):
        model.apply(RoomJoined(view(f"room {number}", number)))
    model.turn("room 80")
    rows = panes.rooms(model, 18, 10)
    assert len(rows) == 10
    assert [row for row in rows if row[0][0] == "class:side.here"] == [row for row in rows if "room 80" in row[1][1]]
    assert all(cells(line) == 18 for line in shown(rows))
    assert panes.rooms(model, 18, 0) == []


def test_people_have_their_presence_and_those_who_write_a_mark(model: Model) -> None:
    assert shown(panes.members(model, 14, 20)) == [
        " members      ",
        " ● ana        ",
        " ● bob      ✎ ",
        " ◐ carla      ",
        " ⊘ dice       ",
        " ○ eve        ",
    ]
    assert shown(panes.members(model, 14, 4))[-1] == "  and 3 more  "
    model.turn("@bob")
    assert shown(panes.members(model, 14, 4)) == [" members      ", " ● bob        "]


def test_whoever_keeps_order_and_whoever_is_a_program_is_known_by_it(model: Model) -> None:
    model.apply(RoomJoined(view("den", 9, creator="Ana", moderators=["carla", "eve"])))
    model.turn("den")
    model.here.members = {"ana": True, "bob": True, "carla": True, "dice": True, "eve": False, "x" * 20: True}
    model.here.bots = {"dice", "x" * 20}
    assert shown(panes.members(model, 16, 20)) == [
        " members        ",
        " ● ana        ★ ",
        " ● bob          ",
        " ● carla      ☆ ",
        " ● dice bot     ",
        " ● xxxxxx… bot  ",
        " ○ eve        ☆ ",
    ]
    model.here.writers = {"carla": NOW + 1}
    assert shown(panes.members(model, 16, 20))[3] == " ● carla      ✎ "
    model.turn("@bob")
    assert shown(panes.members(model, 16, 20))[1] == " ● bob          "
    model.turn(model.open("@dice").log)
    assert shown(panes.members(model, 16, 20))[1] == " ⊘ dice bot     "


@pytest.mark.parametrize(
    ("presence", "said"),
    [("available", "here now"), ("away", "away"), ("dnd", "not to be disturbed"), ("offline", "reads it later")],
)
def test_the_title_of_a_private_conversation_says_how_it_stands_with_them(
    model: Model, presence: str, said: str
) -> None:
    lobby = model.here
    lobby.members["bob"] = presence != "offline"
    if presence in ("away", "dnd"):
        lobby.statuses["bob"] = presence  # type: ignore[assignment]
    model.turn("@bob")
    assert said in shown([panes.title(model, 80)])[0]


def test_the_title_holds_the_topic_line_as_far_as_it_fits(model: Model) -> None:
    assert shown([panes.title(model, 40)]) == [" #lobby · Deploys                3 here "]
    model.here.subject = "x" * 100
    for width in range(20, 60):
        assert cells(shown([panes.title(model, width)])[0]) == width


def test_the_status_line_begins_with_what_matters(model: Model) -> None:
    model.conversations["ops"].unread = 3
    model.conversations["dev"].unread = model.conversations["dev"].mentions = 1
    line = shown([panes.status(model, standing(), "↓ 12 new", "", 120)])[0]
    assert line.startswith(" ● live 12 ms · ↓ 12 new · unread 3:dev(1,1) 2:ops(3) · ✎ bob · ")
    assert shown([panes.status(model, standing(), "↓ 12 new", "", 40)]) == [" ● live · ↓ 12 new · 3:dev(1,1) 2:ops(3)"]
    model.conversations["dev"].notify = "off"
    assert "dev" not in shown([panes.status(model, standing(), "", "", 120)])[0]
    model.here.writers = {"bob": NOW + 1, "carla": NOW + 1, "dice": NOW + 1}
    assert "✎ 3 people" in shown([panes.status(model, standing(), "", "", 120)])[0]


@pytest.mark.parametrize(
    ("seconds", "said"), [(5, "offline for 5 s"), (600, "offline for 10 min"), (9_000, "offline for 2 h")]
)
def test_the_status_line_says_since_when_there_is_no_link(model: Model, seconds: int, said: str) -> None:
    assert said in shown([panes.status(model, standing("offline", seconds), "", "", 120)])[0]


def test_nothing_of_what_others_wrote_steers_the_terminal(model: Model) -> None:
    attack = "\x1b]0;x\x07\u202e\n"
    model.here.subject = attack
    model.here.members = {attack: True}
    model.here.writers = {attack: NOW + 1}
    model.apply(RoomJoined(view(attack, 9)))
    model.conversations[attack].unread = 1
    rows = [*panes.rooms(model, 18, 20), *panes.members(model, 18, 20), panes.title(model, 80)]
    rows.append(panes.status(model, standing(), "", attack, 200))
    model.turn(attack)
    rows.append(panes.title(model, 80))
    assert not set("".join(shown(rows))) & set("\x1b\x07\u202e\n")
