"""The list of messages stands at the end or where the reader is, and wraps only what is seen."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from prompt_toolkit.data_structures import Point
from prompt_toolkit.mouse_events import MouseButton, MouseEvent, MouseEventType

from client.tui.model.records import Record, Scrollback
from client.tui.text.wrap import Row
from client.tui.view import render
from client.tui.view.messages_control import CACHE, MessagesControl, Source

WIDTH, HEIGHT = 60, 10
NOON = 1_795_348_800_000


class Reader:
    """A control over a scrollback, drawn by hand."""

    def __init__(self, count: int) -> None:
        self.records = Scrollback()
        self.unread_from = self.unread = 0
        self.asked = 0
        for seq in range(1, count + 1):
            self.say(seq)
        self.control = MessagesControl(lambda: Source(self.records, self.unread_from, self.unread), self._older)

    def _older(self) -> None:
        self.asked += 1

    def say(self, seq: int, text: str = "") -> Record | None:
        return self.records.add(Record("message", NOON + seq, text or f"m{seq}", "ana", seq=seq))

    def rows(self, width: int = WIDTH, height: int = HEIGHT) -> list[str]:
        content = self.control.create_content(width, height)
        assert content.line_count == height
        return ["".join(fragment[1] for fragment in content.get_line(row)) for row in range(height)]

    def texts(self, height: int = HEIGHT) -> list[str]:
        return [row.split()[-1] for row in self.rows(height=height) if row and "─" not in row]


def test_it_stands_at_the_end_and_stays_there() -> None:
    reader = Reader(50)
    assert reader.texts() == [f"m{seq}" for seq in range(41, 51)]
    reader.say(51)
    assert reader.texts()[-1] == "m51"
    assert reader.control.at_end


def test_few_messages_stand_at_the_bottom() -> None:
    assert Reader(2).rows()[:7] == [""] * 7
    assert Reader(0).rows() == [""] * HEIGHT


def test_reading_back_is_not_disturbed() -> None:
    reader = Reader(50)
    reader.rows()
    reader.control.page(-1)
    seen = reader.texts()
    assert seen == [f"m{seq}" for seq in range(33, 43)]
    for seq in range(51, 61):
        reader.say(seq)
    assert reader.texts() == seen
    assert (reader.control.new, reader.control.below) == (10, 18)
    reader.records.add(Record("message", NOON, "m0", "ana", seq=0))
    reader.control.page(1)
    reader.control.page(1)
    assert not reader.control.at_end
    reader.control.to_end()
    assert reader.control.at_end
    assert reader.control.new == reader.control.below == 0


def test_paging_reaches_both_ends_and_asks_for_older_ones() -> None:
    reader = Reader(50)
    reader.rows()
    for _ in range(10):
        reader.control.page(-1)
    assert reader.texts()[0] == "m1"
    assert reader.asked > 0
    for _ in range(10):
        reader.control.page(1)
    assert reader.control.at_end
    reader.control.to_start()
    assert reader.texts()[0] == "m1"


def test_older_messages_come_in_above_and_nothing_moves() -> None:
    reader = Reader(0)
    for seq in range(100, 150):
        reader.say(seq)
    reader.rows()
    reader.control.to_start()
    reader.control.scroll(5)
    seen = reader.texts()
    for seq in range(50, 100):
        reader.say(seq)
    assert reader.texts() == seen


def test_a_long_message_is_scrolled_by_rows() -> None:
    reader = Reader(0)
    reader.say(1, "\n".join(f"r{number}" for number in range(100)))
    assert reader.texts()[-1] == "r99"
    reader.control.scroll(-1)
    assert reader.texts()[-1] == "r98"
    assert reader.control.below == 1
    reader.control.scroll(1)
    assert reader.control.at_end


def test_the_anchor_survives_resizing_and_trimming() -> None:
    reader = Reader(0)
    for seq in range(1, 101):
        reader.say(seq, "word " * 30 + f"m{seq}")
    reader.rows()
    reader.control.to(reader.records[40].id)
    for width in (100, 20, 60):
        assert "ana" in reader.rows(width)[0]
    assert reader.rows(height=500)[-1].endswith("m100")  # the window outgrew what follows: it stands at the end
    assert reader.control.at_end
    reader.rows()
    reader.control.to(reader.records[40].id)
    reader.records.trim(20)
    assert not reader.control.at_end
    reader.rows()
    assert reader.control._top() == (0, 0)


def test_the_unread_line_is_a_place_to_go_to() -> None:
    reader = Reader(50)
    reader.rows()
    reader.unread_from, reader.unread = reader.records[20].id, 30
    reader.control.to(reader.unread_from)
    assert "30 unread" in reader.rows()[0]
    reader.control.to(-1)


def test_changes_are_drawn() -> None:
    reader = Reader(0)
    reader.records.wait(Record("message", NOON, "hi", "ana", nonce=b"n", fate="pending"))
    assert reader.rows()[-1].endswith("…")
    reader.records.settle(b"n", 1, NOON)
    assert reader.rows()[-1].endswith("hi")


def test_each_scrollback_has_its_place_and_none_is_kept_alive() -> None:
    reader = Reader(50)
    reader.rows()
    reader.control.page(-1)
    first, reader.records = reader.records, Scrollback()
    assert reader.control.at_end
    reader.records = first
    assert not reader.control.at_end
    del first
    reader.records = Scrollback()
    gc.collect()
    assert len(reader.control._anchors) == 0


def test_the_wheel_scrolls() -> None:
    reader = Reader(50)
    reader.rows()
    for kind in (MouseEventType.SCROLL_UP, MouseEventType.SCROLL_DOWN, MouseEventType.MOUSE_UP):
        reader.control.mouse_handler(MouseEvent(Point(0, 0), kind, MouseButton.NONE, frozenset()))
    assert reader.control.at_end


def test_a_frame_wraps_only_what_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(20_000)
    drawn: list[int] = []
    original = render.rows

    def counted(record: Record, *rest: Any) -> list[Row]:
        drawn.append(record.id)
        return original(record, *rest)

    monkeypatch.setattr(render, "rows", counted)
    reader.rows()
    assert len(drawn) <= HEIGHT + 2  # the first one twice: with and without its sender's name
    reader.rows()
    assert len(drawn) <= HEIGHT + 2
    reader.say(20_001)
    reader.rows()
    assert len(drawn) <= HEIGHT + 4
    for _ in range(CACHE // HEIGHT + 50):
        reader.control.page(-1)
        reader.rows()
    assert len(reader.control._cache) <= CACHE
