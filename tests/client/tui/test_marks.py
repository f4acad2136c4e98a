"""How far was read is kept, and never more than that."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.tui.conversations import Conversation
from client.tui.marks import MOST, Marks, load, save
from tests.client.tui.fake_chat import view

LOBBY = Conversation("lobby", view("lobby", 1))
ANEW = Conversation("lobby", view("lobby", 9))
BOB = Conversation("@Bob")


def test_where_nothing_is_known_nothing_is_new() -> None:
    marks = Marks()
    assert not marks.is_new(LOBBY, 5)
    assert not marks.is_new(BOB, 5)
    assert not marks.inbox_is_new(5)


def test_what_is_beyond_the_mark_is_new() -> None:
    marks = Marks()
    marks.read(LOBBY, 5)
    marks.read(LOBBY, 3)
    assert (marks.is_new(LOBBY, 5), marks.is_new(LOBBY, 6), marks.is_new(ANEW, 6)) == (False, True, False)


def test_people_without_a_mark_have_that_of_the_inbox() -> None:
    marks = Marks()
    marks.inbox(10)
    assert (marks.is_new(BOB, 10), marks.is_new(BOB, 11), marks.inbox_is_new(11)) == (False, True, True)
    marks.unread(BOB, 11)
    marks.inbox(20)
    assert marks.is_new(BOB, 11)
    marks.read(BOB, 12)
    marks.unread(BOB, 11)
    assert not marks.is_new(Conversation("@bob"), 12)


def test_they_are_kept_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "new" / "marks.json"
    marks = load(file)
    for number in range(MOST + 10):
        marks.read(Conversation(f"@u{number}"), number)
    assert marks.changed
    save(marks, file)
    assert not marks.changed
    again = load(file)
    assert len(again.all) == MOST
    assert again.is_new(Conversation(f"@u{MOST}"), MOST + 1)
    assert file.stat().st_mode & 0o077 == 0
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": "b", "c": -1, "d": true, "e": 1.5}'])
def test_a_spoilt_file_is_as_none(tmp_path: Path, content: str) -> None:
    file = tmp_path / "marks.json"
    file.write_text(content)
    assert load(file).all == {}


def test_a_disk_that_refuses_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    save(Marks({"@": 1}), tmp_path / "file" / "marks.json")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "x").write_text("")
    save(Marks({"@": 1}), tmp_path / "taken")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "taken"]
