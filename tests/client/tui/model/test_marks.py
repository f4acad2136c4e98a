"""How far was read only grows, the broker's word counts as one's own, and what is due is told once."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.tui.model.marks import Marks, left_behind


def test_a_mark_only_grows() -> None:
    marks = Marks()
    assert marks.read("lobby") is None
    marks.seen("lobby", 5)
    marks.seen("LOBBY", 3)
    assert marks.read("Lobby") == 5
    assert not marks.told("lobby", 4, None)
    assert marks.read("lobby") == 5
    assert marks.told("lobby", 9, None)
    assert marks.read("lobby") == 9


def test_what_is_due_is_given_out_once_and_is_the_latest() -> None:
    marks = Marks()
    marks.seen("lobby", 0)
    assert not marks.due, "nothing was there to be read"
    marks.seen("lobby", 5)
    marks.seen("@bob", 6)
    marks.seen("lobby", 7)
    assert sorted(marks.take_due()) == [("@bob", 6), ("lobby", 7)]
    assert not marks.due
    marks.put_back("lobby", 7)
    marks.seen("lobby", 8)
    assert marks.take_due() == [("lobby", 8)]
    marks.seen("lobby", 10)
    marks.put_back("lobby", 8)
    assert marks.take_due() == [("lobby", 10)]


def test_what_another_device_has_told_is_not_told_again() -> None:
    marks = Marks()
    marks.seen("lobby", 5)
    marks.told("lobby", 5, None)
    assert not marks.due
    marks.seen("lobby", 6)
    marks.told("lobby", 5, None)
    assert marks.take_due() == [("lobby", 6)]


def test_what_is_to_be_told_of_a_conversation() -> None:
    marks = Marks()
    assert marks.notify("lobby") is None
    assert marks.told("lobby", 0, "off")
    assert not marks.told("lobby", 0, "off")
    assert (marks.notify("LOBBY"), marks.read("lobby")) == ("off", None)


def test_a_room_that_is_left_is_forgotten() -> None:
    marks = Marks()
    marks.seen("chess", 5)
    marks.told("chess", 5, "all")
    marks.forget("Chess")
    assert (marks.read("chess"), marks.notify("chess")) == (None, None)
    marks.assume("chess", 3)
    marks.assume("chess", 9)
    assert marks.read("chess") == 3
    assert not marks.due


def test_an_earlier_versions_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "read-ana.json"
    assert left_behind(file) == {}
    file.write_text('{"room 1": 5, "@bob": 7, "@": 9}')
    assert left_behind(file) == {"room 1": 5, "@bob": 7, "@": 9}


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": "b", "c": -1, "d": true, "e": 1.5}'])
def test_a_spoilt_file_is_as_none(tmp_path: Path, content: str) -> None:
    file = tmp_path / "marks.json"
    file.write_text(content)
    assert left_behind(file) == {}
