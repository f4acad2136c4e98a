"""The containers of the full screen, and from which size on each is shown.

    <110 columns  no list of members        <12 rows  no title line
    < 80 columns  no list of rooms

What is in them is drawn by `client.tui.panes` and `client.tui.messages_control`. Must not know keys or sockets.
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
    FormattedTextControl,
    HSplit,
    Layout,
    VSplit,
    Window,
)
from prompt_toolkit.layout.processors import PasswordProcessor, Processor, Transformation, TransformationInput
from prompt_toolkit.layout.utils import explode_text_fragments
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
    ) -> None:
        self.bare = False
        self.asking = ""
        """What is asked for in hidden writing; empty for nothing."""
        self._model = model
        self._status = status
        self.search = SearchToolbar(ignore_case=True)
        self._input = BufferControl(
            input,
            input_processors=[_Signs()],
            search_buffer_control=self.search.control,
            preview_search=True,
            focus_on_click=True,
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
