"""Containers that cost little: windows whose rows become cells once, and splits that are told their sizes.

The library's own copy each character of each window in each frame, and hand out columns one by one; that is most of
what a frame costs. Must not know what is shown in them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout import Container, Dimension, HSplit, UIContent, UIControl, VSplit
from prompt_toolkit.layout.mouse_handlers import MouseHandlers
from prompt_toolkit.layout.screen import _CHAR_CACHE, Char, Screen, WritePosition
from prompt_toolkit.mouse_events import MouseEvent

from client.tui.text.wrap import Row

if TYPE_CHECKING:
    from prompt_toolkit.key_binding.key_bindings import NotImplementedOrNone

ROWS_KEPT: Final = 1_000
"""Rows that are kept as cells: some screens full."""
ESCAPE: Final = "[ZeroWidthEscape]"

Cells = tuple[dict[int, Char], dict[int, str]]
"""What stands in each column, and what is sent to the terminal before it."""


@lru_cache(maxsize=ROWS_KEPT)
def _cells(row: tuple[tuple[str, str], ...], left: int, width: int, style: str) -> Cells:
    """The cells of a row that begins in the column `left`. What takes no cell goes with what stands before it."""
    cells: dict[int, Char] = {}
    escapes: dict[int, str] = {}
    nothing = _CHAR_CACHE["", ""]
    x, last = left, left - 1
    for own, text in row:
        if ESCAPE in own:
            escapes[x] = escapes.get(x, "") + text
            continue
        look = f"{style} {own}" if style else own
        text = text.replace("\xa0", " ")  # it was not to be broken at; the library would underline it
        if text.isascii() and x + len(text) <= left + width:
            cells.update(enumerate([_CHAR_CACHE[character, look] for character in text], x))
            x += len(text)
            last = x - 1
            continue
        for character in text:
            char = _CHAR_CACHE[character, look]
            if x + char.width > left + width:
                return cells, escapes
            if char.width:
                cells[x], last = char, x
                for beside in range(x + 1, x + char.width):
                    cells[beside] = nothing
                x += char.width
            elif last >= left:
                cells[last] = _CHAR_CACHE[cells[last].char + character, cells[last].style]
    return cells, escapes


class RowsWindow(Container):
    """Shows a control's rows as they are, without wrapping, scrolling, cursor or focus.

    `width` and `height` are exact numbers of cells; without one, the window takes what is left.
    """

    def __init__(
        self,
        control: UIControl,
        *,
        width: Callable[[], int] | None = None,
        height: int | None = None,
        style: str = "",
    ) -> None:
        self.control = control
        self._width_wanted = width
        self._height_wanted = height
        self._style = style
        self.width = 0
        """How wide it was drawn last."""
        self.height = 0

    def reset(self) -> None:
        self.control.reset()

    def preferred_width(self, max_available_width: int) -> Dimension:
        return Dimension() if self._width_wanted is None else Dimension.exact(self._width_wanted())

    def preferred_height(self, width: int, max_available_height: int) -> Dimension:
        return Dimension() if self._height_wanted is None else Dimension.exact(self._height_wanted)

    def write_to_screen(
        self,
        screen: Screen,
        mouse_handlers: MouseHandlers,
        write_position: WritePosition,
        parent_style: str,
        erase_bg: bool,
        z_index: int | None,
    ) -> None:
        left, top = write_position.xpos, write_position.ypos
        self.width, self.height = write_position.width, write_position.height
        if self.width <= 0 or self.height <= 0:
            return
        content = self.control.create_content(self.width, self.height)
        for index in range(min(self.height, content.line_count)):
            row = tuple((part[0], part[1]) for part in content.get_line(index))
            cells, escapes = _cells(row, left, self.width, self._style)
            screen.data_buffer[top + index].update(cells)
            if escapes:
                screen.zero_width_escapes[top + index].update(escapes)
        screen.width = max(screen.width, left + self.width)
        screen.height = max(screen.height, top + self.height)
        mouse_handlers.set_mouse_handler_for_range(
            x_min=left, x_max=left + self.width, y_min=top, y_max=top + self.height, handler=self._pointed
        )

    def _pointed(self, event: MouseEvent) -> NotImplementedOrNone:
        return self.control.mouse_handler(event)

    def get_children(self) -> list[Container]:
        return []


class Drawn(UIControl):
    """Rows that a function gives for a width and a height."""

    def __init__(self, draw: Callable[[int, int], list[Row]]) -> None:
        self._draw = draw

    def create_content(self, width: int, height: int) -> UIContent:
        rows = self._draw(width, height)

        def line(index: int) -> StyleAndTextTuples:
            return list(rows[index])

        return UIContent(line, line_count=len(rows), show_cursor=False)


def upright(character: str, style: str) -> RowsWindow:
    """A line from top to bottom, one cell wide."""
    return RowsWindow(Drawn(lambda width, height: [[(style, character)]] * height), width=lambda: 1)


def shares(wanted: Sequence[Dimension], total: int) -> list[int] | None:
    """How much each gets: what it prefers, and whoever has no bound what is left. None if the least is too much."""
    sizes = [dimension.preferred for dimension in wanted]
    free = max(range(len(wanted)), key=lambda index: wanted[index].max)
    sizes[free] = 0
    for index in reversed(range(len(sizes))):
        over = sum(sizes) - total
        if over <= 0:
            break
        sizes[index] = max(wanted[index].min, sizes[index] - over)
    if sum(sizes) > total:
        return None
    sizes[free] = total - sum(sizes)
    return sizes


class Rows(HSplit):
    """Containers above each other; one of them takes the height that is left."""

    def _divide_heights(self, write_position: WritePosition) -> list[int] | None:
        width, height = write_position.width, write_position.height
        return shares([child.preferred_height(width, height) for child in self.children], height)

    @property
    def _all_children(self) -> list[Container]:
        return self.children


class Columns(VSplit):
    """Containers beside each other; one of them takes the width that is left."""

    def _divide_widths(self, width: int) -> list[int] | None:
        return shares([child.preferred_width(width) for child in self.children], width)

    @property
    def _all_children(self) -> list[Container]:
        return self.children

    def preferred_height(self, width: int, max_available_height: int) -> Dimension:
        return Dimension()
