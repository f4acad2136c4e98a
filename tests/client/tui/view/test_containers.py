"""Rows as cells: what takes two, what takes none, what is cut, and who gets how much of the screen."""

from __future__ import annotations

import pytest
from prompt_toolkit.data_structures import Point
from prompt_toolkit.layout import Dimension
from prompt_toolkit.layout.mouse_handlers import MouseHandlers
from prompt_toolkit.layout.screen import Screen, WritePosition
from prompt_toolkit.mouse_events import MouseButton, MouseEvent, MouseEventType

from client.tui.text.wrap import Row
from client.tui.view.containers import ESCAPE, Columns, Drawn, Rows, RowsWindow, shares, upright


def window(*rows: Row) -> RowsWindow:
    return RowsWindow(Drawn(lambda width, height: list(rows)))


def drawn(container: RowsWindow | Rows, width: int = 10, height: int = 3, left: int = 0) -> Screen:
    screen = Screen()
    place = WritePosition(left, 0, width, height)
    container.write_to_screen(screen, MouseHandlers(), place, "", False, None)
    return screen


def text(screen: Screen, row: int, width: int = 12) -> str:
    return "".join(screen.data_buffer[row][column].char for column in range(width)).rstrip()


def test_rows_become_cells_with_their_styles() -> None:
    screen = drawn(window([("class:a", "ab"), ("", "é")], [("", "x")]), left=2)
    assert text(screen, 0) == "  abé"
    assert text(screen, 1) == "  x"
    assert screen.data_buffer[0][2].style == "class:a"
    assert (screen.width, screen.height) == (12, 3)


def test_a_space_that_is_not_to_be_broken_at_is_a_space() -> None:
    row = drawn(window([("class:a", "a\xa0b")])).data_buffer[0]
    assert (row[1].char, row[1].style) == (" ", "class:a")


def test_wide_signs_take_two_cells_and_marks_none() -> None:
    screen = drawn(window([("", "你a\u0301\u0302b")]))
    row = screen.data_buffer[0]
    assert [row[column].char for column in range(4)] == ["你", "", "a\u0301\u0302", "b"]


def test_a_mark_with_nothing_before_it_marks_no_neighbour() -> None:
    screen = Screen()
    for left, rows in ((0, [[("", "one")]]), (3, [[("", "\u0301x")]])):
        place = WritePosition(left, 0, 3, 1)
        window(*rows).write_to_screen(screen, MouseHandlers(), place, "", False, None)
    assert text(screen, 0) == "onex"


@pytest.mark.parametrize("row", ["abcdef", "abc你", "ab你好"])
def test_what_is_too_wide_is_cut_at_the_edge(row: str) -> None:
    screen = drawn(window([("", row)]), width=4)
    assert max(screen.data_buffer[0]) <= 3
    screen = drawn(window([("", "a")], [("", "b")], [("", "c")]), height=2)
    assert text(screen, 2) == ""


def test_escapes_stand_before_their_cell() -> None:
    screen = drawn(window([("", "a"), (ESCAPE, "<1>"), (ESCAPE, "<2>"), ("", "b"), (ESCAPE, "<3>")]), left=1)
    assert dict(screen.zero_width_escapes[0]) == {2: "<1><2>", 3: "<3>"}


def test_a_window_without_room_draws_nothing() -> None:
    assert not drawn(window([("", "a")]), width=0).data_buffer


def test_the_mouse_is_the_controls() -> None:
    handlers = MouseHandlers()
    place = WritePosition(1, 1, 2, 2)
    window().write_to_screen(Screen(), handlers, place, "", False, None)
    event = MouseEvent(Point(1, 1), MouseEventType.MOUSE_UP, MouseButton.LEFT, frozenset())
    assert handlers.mouse_handlers[1][1](event) is NotImplemented


def test_who_has_no_bound_takes_what_is_left() -> None:
    side, line, rest = Dimension.exact(5), Dimension.exact(1), Dimension()
    assert shares([side, line, rest, side], 20) == [5, 1, 9, 5]
    growing = Dimension(min=1, preferred=8)
    bounded = Dimension(min=1, preferred=8, max=8)
    assert shares([rest, line, bounded], 5) == [0, 1, 4]
    assert shares([rest, side, side], 8) is None
    assert shares([growing], 20) == [20]


def test_rows_and_columns_share_the_screen() -> None:
    left = RowsWindow(Drawn(lambda width, height: [[("", "L" * width)]] * height), width=lambda: 2)
    middle = Columns([left, upright("|", "class:line"), window([("", "middle")])])
    top = RowsWindow(Drawn(lambda width, height: [[("", "-" * width)]]), height=1)
    screen = drawn(Rows([top, middle]), width=12)
    assert [text(screen, row) for row in range(3)] == ["-" * 12, "LL|middle", "LL|"]
    assert "class:line" in screen.data_buffer[1][2].style
