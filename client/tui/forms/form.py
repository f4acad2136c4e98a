"""A form on the terminal: fields one below the other, each judged as it is typed.

Enter goes on, and at the end hands the values over; the arrows go back and forth; nothing is lost on the way.
Must not know what the fields are for. The module is long because a page is drawn, judged and steered by what it
holds.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    VSplit,
    Window,
)
from prompt_toolkit.layout.processors import PasswordProcessor, Processor
from prompt_toolkit.output import Output

from client.language import _, sentence
from client.tui.forms.fields import FieldRefused, Page, Submit, Values, picker
from client.tui.text import clean
from client.tui.typing import mouse
from client.tui.view import themes
from common.errors import ChatError

LABEL_WIDTH: Final = 20
WIDE: Final = 80
"""Columns from which on all keys are explained."""
AROUND: Final = 8
"""Rows that title, hint, keys and the empty rows between them take beside the fields."""


@dataclass
class _Shown:
    """A page with its buffers."""

    page: Page
    controls: list[BufferControl]
    buffers: list[Buffer] = field(default_factory=list)


class Form:
    """Shows pages until one was taken. `run` gives whether that happened."""

    def __init__(
        self,
        pages: Sequence[Page],
        submit: Submit,
        *,
        start: int = 0,
        wrong: str = "",
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        """`wrong` is shown at first: why one is here again, say."""
        self._submit = submit
        self._wrong = ""
        self._working = False
        self._typed: dict[str, Buffer] = {}
        self._pages = [self._prepare(page) for page in pages]
        self._page = start
        self._layout = Layout(Window())
        self._app: Application[bool] = Application(
            layout=self._layout,
            key_bindings=self._bindings(),
            style=themes.style(os.environ),
            full_screen=True,
            input=input,
            output=output,
        )
        self._app.ttimeoutlen = 0.05
        self._work: asyncio.Task[None] | None = None
        self._turn(start)
        self._wrong = wrong

    async def run(self) -> bool:
        """Show the form. False if the person gave up."""
        try:
            return await self._app.run_async()
        finally:
            if self._work is not None:
                self._work.cancel()

    def _prepare(self, page: Page) -> _Shown:
        shown = _Shown(page, [])
        for each in page.fields:
            if each.name not in self._typed:
                buffer = Buffer(multiline=False, on_text_changed=self._touched, on_text_insert=picker(each.choices))
                buffer.document = Document(each.initial)
                self._typed[each.name] = buffer
            buffer = self._typed[each.name]
            processors: list[Processor] = [PasswordProcessor("•")] if each.hidden else []
            shown.buffers.append(buffer)
            shown.controls.append(BufferControl(buffer, input_processors=processors))
        return shown

    def _touched(self, buffer: Buffer) -> None:
        self._wrong = ""

    # Drawing

    def _turn(self, page: int) -> None:
        self._page = page
        shown = self._pages[page]
        rows = [self._row(shown, index) for index in range(len(shown.page.fields))]
        head = FormattedTextControl([("class:title", f" {clean.line(shown.page.title)} ")])
        foot = FormattedTextControl(lambda: self._foot())
        self._layout.container = HSplit(
            [
                Window(head, height=1, style="class:title"),
                self._gap(),
                *rows,
                self._gap(),
                Window(foot, wrap_lines=True),
            ]
        )
        empty = next((index for index, buffer in enumerate(shown.buffers) if not buffer.text), 0)
        self._layout.focus(shown.controls[empty])

    def _row(self, shown: _Shown, index: int) -> VSplit:
        def label() -> StyleAndTextTuples:
            here = self._at == index
            return [
                (
                    "class:form.here" if here else "class:form.label",
                    f" {'▸' if here else ' '} {shown.page.fields[index].label}",
                )
            ]

        def mark() -> StyleAndTextTuples:
            if not shown.buffers[index].text:
                return []
            good = self._fault(index) is None
            return [("class:form.good", "✓") if good else ("class:form.wrong", "✗")]

        return VSplit(
            [
                Window(FormattedTextControl(label), width=LABEL_WIDTH, height=1),
                Window(FormattedTextControl(mark), width=2, height=1),
                Window(shown.controls[index], height=1),
            ]
        )

    @property
    def _at(self) -> int:
        controls = self._pages[self._page].controls
        current = self._layout.current_control
        return next((index for index, control in enumerate(controls) if control is current), 0)

    def _foot(self) -> StyleAndTextTuples:
        shown = self._pages[self._page]
        here = shown.page.fields[self._at]
        fault = self._fault(self._at) if shown.buffers[self._at].text else None
        said: StyleAndTextTuples
        if self._working:
            said = [("class:form.hint", "   " + _("One moment…"))]
        elif self._wrong:
            said = [("class:form.wrong", f" ! {clean.line(self._wrong)}")]
        elif fault is not None:
            said = [("class:form.wrong", f"   {clean.line(fault)}")]
        else:
            said = [("class:form.hint", f"   {here.hint}")]
        keys = _("F2: {other}   Ctrl+C: quit").format(other=shown.page.other)
        if self._app.output.get_size().columns >= WIDE:
            keys = _("Enter: on   ↑ ↓: back and forth") + "   " + keys
        return [*said, ("", "\n" if self._short() else "\n\n"), ("class:form.hint", f"   {keys}")]

    def _gap(self) -> ConditionalContainer:
        """An empty row, where there is room for it."""
        return ConditionalContainer(Window(height=1), Condition(lambda: not self._short()))

    def _short(self) -> bool:
        return self._app.output.get_size().rows < len(self._pages[self._page].page.fields) + AROUND

    # Judging

    def _texts(self) -> Values:
        shown = self._pages[self._page]
        return {each.name: buffer.text for each, buffer in zip(shown.page.fields, shown.buffers, strict=True)}

    def _fault(self, index: int) -> str | None:
        shown = self._pages[self._page]
        try:
            shown.page.fields[index].check(shown.buffers[index].text, self._texts())
        except ChatError as error:
            return sentence(error)
        return None

    # Keys

    def _bindings(self) -> KeyBindings:
        bound = KeyBindings()
        mouse.guard(bound)
        for key in ("enter", "tab", "down"):
            bound.add(key)(self._on)
        for key in ("up", "s-tab"):
            bound.add(key)(lambda event: self._go(self._at - 1))
        bound.add("f2")(lambda event: self._other())
        bound.add("c-c")(lambda event: event.app.exit(result=False))
        bound.add("c-d")(lambda event: event.app.exit(result=False))
        bound.add(Keys.BracketedPaste)(lambda event: event.current_buffer.insert_text(clean.line(event.data)))
        return bound

    def _other(self) -> None:
        if not self._working:
            self._wrong = ""
            self._turn((self._page + 1) % len(self._pages))

    def _go(self, index: int) -> None:
        controls = self._pages[self._page].controls
        if 0 <= index < len(controls):
            self._layout.focus(controls[index])

    def _on(self, event: KeyPressEvent) -> None:
        if self._working:
            return
        index = self._at
        fault = self._fault(index)
        if fault is not None:
            self._wrong = fault
        elif index + 1 < len(self._pages[self._page].controls):
            self._go(index + 1)
        elif event.key_sequence[0].key == Keys.ControlM:
            self._hand_over()

    def _hand_over(self) -> None:
        shown = self._pages[self._page]
        for index in range(len(shown.page.fields)):
            fault = self._fault(index)
            if fault is not None:
                self._go(index)
                self._wrong = fault
                return
        texts = self._texts()
        values = {each.name: each.check(texts[each.name], texts) for each in shown.page.fields}
        self._work = asyncio.ensure_future(self._submitted(shown.page, values))

    async def _submitted(self, page: Page, values: Values) -> None:
        self._working = True
        try:
            await self._submit(page, values)
        except ChatError as error:
            self._wrong = sentence(error)
            named = [each.name for each in page.fields]
            if isinstance(error, FieldRefused) and error.field in named:
                self._go(named.index(error.field))
            self._app.invalidate()
        else:
            self._app.exit(result=True)
        finally:
            self._working = False
