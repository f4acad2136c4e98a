"""The containers of the full screen, and from which size on each is shown.

    <110 columns  no list of members        <12 rows  no title line
    < 80 columns  no list of rooms      <140 columns  no margin before the messages

What is in them is drawn by `client.tui.view.panes` and `client.tui.view.messages_control`. Must not know keys or
sockets.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from typing import Final

from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition, FilterOrBool
from prompt_toolkit.formatted_text import StyleAndTextTuples, fragment_list_to_text
from prompt_toolkit.layout import (
    BufferControl,
    CompletionsMenu,
    ConditionalContainer,
    Container,
    Dimension,
    Float,
    FloatContainer,
    Layout,
    Window,
)
from prompt_toolkit.layout.processors import PasswordProcessor, Processor, Transformation, TransformationInput
from prompt_toolkit.layout.utils import explode_text_fragments
from prompt_toolkit.widgets import SearchToolbar

from client.tui.model.state import Model
from client.tui.text import clean
from client.tui.text.wrap import Fragment, Row, cut
from client.tui.view import panes
from client.tui.view.containers import Columns, Drawn, Rows, RowsWindow, upright
from client.tui.view.messages_control import MessagesControl

MEMBERS_FROM: Final = 110
ROOMS_FROM: Final = 80
MARGIN_FROM: Final = 140
TITLE_FROM: Final = 12
INPUT_ROWS: Final = 8


def columns() -> int:
    """The terminal's width."""
    return get_app().output.get_size().columns


def lines() -> int:
    """The terminal's height."""
    return get_app().output.get_size().rows


class _Signs(Processor):
    """The line that is typed, of signs about which every terminal agrees how wide they are."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        line = fragment_list_to_text(transformation_input.fragments)
        signs = clean.signs(line)
        if len(line) == sum(map(len, signs)) and line == "".join(signs):
            return Transformation(transformation_input.fragments)
        at = list(accumulate(map(len, signs), initial=0))

        def to_display(source: int) -> int:
            return at[source] if source < len(at) else at[-1] + source - len(signs)

        def to_source(shown: int) -> int:
            return bisect_right(at, shown) - 1 if shown < at[-1] else len(signs) + shown - at[-1]

        exploded = explode_text_fragments(transformation_input.fragments)
        drawn: StyleAndTextTuples = [(each[0], sign) for each, sign in zip(exploded, signs, strict=True) if sign]
        return Transformation(drawn, to_display, to_source)


class Screen:
    """The layout. `bare` hides everything but messages and input, so that text can be marked and copied."""

    def __init__(
        self,
        model: Model,
        messages: MessagesControl,
        input: Buffer,
        secret: Buffer,
        status: Callable[[int], list[Fragment]],
        purpose: Callable[[], str] = str,
        overlay: Container | None = None,
    ) -> None:
        """`purpose` says what the line is for, if it is no new message; `overlay` lies over everything else."""
        self.bare = False
        self.rooms_shown = self.members_shown = True
        """Whether the lists at the sides are shown where there is room for them."""
        self.asking = ""
        """What is asked for in hidden writing; empty for nothing."""
        self._model = model
        self._status = status
        self._purpose = purpose
        self.search = SearchToolbar(ignore_case=True)
        self._input = BufferControl(
            input,
            input_processors=[_Signs()],
            search_buffer_control=self.search.control,
            preview_search=True,
            focus_on_click=True,
        )
        self._secret = BufferControl(secret, input_processors=[PasswordProcessor()])
        self._messages = RowsWindow(messages)
        self.layout = Layout(
            FloatContainer(
                self._columns(),
                [
                    Float(CompletionsMenu(max_height=10, scroll_offset=1), xcursor=True, ycursor=True),
                    *([Float(overlay)] if overlay is not None else []),
                ],
            ),
            focused_element=self._input,
        )

    def focus(self) -> None:
        """Give the keys to the line, or to what is asked for."""
        self.layout.focus(self._secret if self.asking else self._input)

    def ask(self, prompt: str) -> None:
        """Turn the input line to something that is not shown; back again with an empty prompt."""
        self.asking = prompt
        self.focus()

    def _columns(self) -> Container:
        middle = Columns(
            [
                self._side(panes.rooms, lambda: self.rooms_shown and columns() >= ROOMS_FROM, left=True),
                self._when(lambda: columns() >= MARGIN_FROM, upright(" ", "")),
                self._messages,
                self._side(panes.members, lambda: self.members_shown and columns() >= MEMBERS_FROM, left=False),
            ]
        )
        title = RowsWindow(Drawn(lambda width, height: [panes.title(self._model, width)]), height=1)
        return Rows(
            [
                self._when(lambda: lines() >= TITLE_FROM, title),
                middle,
                RowsWindow(Drawn(lambda width, height: [self._status(width)]), height=1),
                self.search,
                ConditionalContainer(self._writing(self._input, self._prompt), Condition(lambda: not self.asking)),
                ConditionalContainer(self._writing(self._secret, self._question), Condition(lambda: bool(self.asking))),
            ]
        )

    def _side(self, draw: Callable[[Model, int, int], list[Row]], shown: Callable[[], bool], left: bool) -> Container:
        control = Drawn(lambda width, height: draw(self._model, width, height))
        pane = RowsWindow(control, width=lambda: panes.side_width(columns()))
        line = upright("│", "class:line")
        return self._when(shown, Columns([pane, line] if left else [line, pane]))

    def _when(self, wide_enough: Callable[[], bool], container: Container) -> Container:
        shown: FilterOrBool = Condition(lambda: not self.bare and wide_enough())
        return ConditionalContainer(container, shown)

    def _writing(self, control: BufferControl, prompt: Callable[[], StyleAndTextTuples]) -> Window:
        def prefix(line: int, wraps: int) -> StyleAndTextTuples:
            return prompt() if line == 0 and wraps == 0 else [("class:prompt", "  ")]

        def rows() -> Dimension:
            return Dimension(min=1, max=max(1, min(INPUT_ROWS, lines() // 3)))

        return Window(control, height=rows, wrap_lines=True, dont_extend_height=True, get_line_prefix=prefix)

    def _prompt(self) -> StyleAndTextTuples:
        """To whom the line goes: what one writes in the wrong place, one cannot take back."""
        talk = self._model.here
        style = "class:prompt.private" if talk.private else "class:prompt"
        purpose = f" ({self._purpose()})" if self._purpose() else ""
        return [(style, f"{cut(clean.line(talk.title) + purpose, max(8, columns() // 3))} ▸ ")]

    def _question(self) -> StyleAndTextTuples:
        return [("class:prompt", clean.line(self.asking) + " ")]
