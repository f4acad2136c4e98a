"""The containers of the full screen, and from which size on each is shown.

    <110 columns  no list of members        <12 rows  no title line
    < 80 columns  no list of rooms

What is in them is drawn by `client.tui.panes` and `client.tui.messages_control`. Must not know keys or sockets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition, FilterOrBool
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout import (
    BufferControl,
    CompletionsMenu,
    ConditionalContainer,
    Container,
    Dimension,
    Float,
    FloatContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    VSplit,
    Window,
)
from prompt_toolkit.layout.processors import PasswordProcessor
from prompt_toolkit.widgets import SearchToolbar

from client.tui import clean, panes
from client.tui.messages_control import MessagesControl
from client.tui.state import Model
from client.tui.wrap import Fragment, cut

MEMBERS_FROM: Final = 110
ROOMS_FROM: Final = 80
TITLE_FROM: Final = 12
INPUT_ROWS: Final = 8


def columns() -> int:
    """The terminal's width."""
    return get_app().output.get_size().columns


def lines() -> int:
    """The terminal's height."""
    return get_app().output.get_size().rows


def _drawn(draw: Callable[[], list[Fragment]]) -> FormattedTextControl:
    def text() -> StyleAndTextTuples:
        return list(draw())

    return FormattedTextControl(text)


class Screen:
    """The layout. `bare` hides everything but messages and input, so that text can be marked and copied."""

    def __init__(
        self,
        model: Model,
        messages: MessagesControl,
        input: Buffer,
        secret: Buffer,
        status: Callable[[int], list[Fragment]],
    ) -> None:
        self.bare = False
        self.asking = ""
        """What is asked for in hidden writing; empty for nothing."""
        self._model = model
        self._status = status
        self.search = SearchToolbar(ignore_case=True)
        self._input = BufferControl(
            input, search_buffer_control=self.search.control, preview_search=True, focus_on_click=True
        )
        self._secret = BufferControl(secret, input_processors=[PasswordProcessor()])
        self._messages = Window(messages, wrap_lines=False, always_hide_cursor=True)
        self.layout = Layout(
            FloatContainer(
                self._columns(),
                [Float(CompletionsMenu(max_height=10, scroll_offset=1), xcursor=True, ycursor=True)],
            ),
            focused_element=self._input,
        )

    def ask(self, prompt: str) -> None:
        """Turn the input line to something that is not shown; back again with an empty prompt."""
        self.asking = prompt
        self.layout.focus(self._secret if prompt else self._input)

    def _columns(self) -> Container:
        middle = VSplit(
            [
                self._side(lambda: panes.rooms(self._model, self._height()), panes.ROOMS_WIDTH, ROOMS_FROM, left=True),
                self._messages,
                self._side(
                    lambda: panes.members(self._model, self._height()), panes.MEMBERS_WIDTH, MEMBERS_FROM, left=False
                ),
            ]
        )
        return HSplit(
            [
                self._when(
                    lambda: lines() >= TITLE_FROM, Window(_drawn(lambda: panes.title(self._model, columns())), height=1)
                ),
                middle,
                Window(_drawn(lambda: self._status(columns())), height=1),
                self.search,
                ConditionalContainer(self._writing(self._input, self._prompt), Condition(lambda: not self.asking)),
                ConditionalContainer(self._writing(self._secret, self._question), Condition(lambda: bool(self.asking))),
            ]
        )

    def _side(self, draw: Callable[[], list[Fragment]], width: int, from_columns: int, left: bool) -> Container:
        pane = Window(_drawn(draw), width=width, wrap_lines=False)
        line = Window(char="│", width=1, style="class:line")
        return self._when(lambda: columns() >= from_columns, VSplit([pane, line] if left else [line, pane]))

    def _when(self, wide_enough: Callable[[], bool], container: Container) -> Container:
        shown: FilterOrBool = Condition(lambda: not self.bare and wide_enough())
        return ConditionalContainer(container, shown)

    def _height(self) -> int:
        info = self._messages.render_info
        return info.window_height if info else lines()

    def _writing(self, control: BufferControl, prompt: Callable[[], StyleAndTextTuples]) -> Window:
        def prefix(line: int, wraps: int) -> StyleAndTextTuples:
            return prompt() if line == 0 and wraps == 0 else [("class:prompt", "  ")]

        rows = Dimension(min=1, max=INPUT_ROWS)
        return Window(control, height=rows, wrap_lines=True, dont_extend_height=True, get_line_prefix=prefix)

    def _prompt(self) -> StyleAndTextTuples:
        """To whom the line goes: what one writes in the wrong place, one cannot take back."""
        talk = self._model.here
        style = "class:prompt.private" if talk.private else "class:prompt"
        return [(style, f"{cut(clean.line(talk.title), max(8, columns() // 3))} ▸ ")]

    def _question(self) -> StyleAndTextTuples:
        return [("class:prompt", clean.line(self.asking) + " ")]
