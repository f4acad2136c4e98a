"""The keys of the full screen, in one table that binds them and explains them (F1).

Each does one thing to the `Surface`. Must not know how anything is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, get_common_complete_suffix
from prompt_toolkit.filters import Condition, has_completions, is_searching
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.keys import Keys

from client.tui import clean, mouse
from client.tui.messages_control import MessagesControl

FEW: Final = 3
"""Rows that the small steps scroll."""


class Surface(Protocol):
    """What keys act on."""

    messages: MessagesControl
    input: Buffer

    @property
    def asking(self) -> bool:
        """Whether the input line asks for something hidden."""

    def send(self) -> None: ...

    def answer(self, given: bool) -> None: ...

    def interrupted(self) -> None: ...

    def leave(self) -> None: ...

    def explain_keys(self) -> None: ...

    def go_to_number(self, number: int) -> None: ...

    def go_by(self, step: int) -> None: ...

    def go_to_unread(self) -> None: ...

    def go_back(self) -> None: ...

    def to_first_unread(self) -> None: ...

    def toggle_bare(self) -> None: ...

    def toggle_mouse(self) -> None: ...


Act = Callable[[Surface, KeyPressEvent], None]


@dataclass(frozen=True)
class Key:
    """One thing that keys do; `shown` is how people name them, empty for what needs no explaining."""

    keys: tuple[tuple[str, ...], ...]
    shown: str
    help: str
    act: Act
    writing: bool = False
    """Not while something hidden is asked for."""
    on_empty: bool = False
    """Only while the line is empty."""


def _newline(surface: Surface, event: KeyPressEvent) -> None:
    surface.input.insert_text("\n")


def _paste(surface: Surface, event: KeyPressEvent) -> None:
    event.current_buffer.insert_text(clean.typed(event.data))


def _complete(surface: Surface, event: KeyPressEvent) -> None:
    """One proposal is taken at once; of several, what they have in common, and then one after the other."""
    buffer = surface.input
    if buffer.complete_state and len(buffer.complete_state.completions) > 1:
        buffer.complete_next()
        return
    found = list(buffer.completer.get_completions(buffer.document, CompleteEvent(completion_requested=True)))
    if len(found) == 1:
        buffer.apply_completion(found[0])
    elif found:
        buffer.insert_text(get_common_complete_suffix(buffer.document, found))
        buffer.start_completion()


def _number(number: int) -> Act:
    return lambda surface, event: surface.go_to_number(number)


def _scroll(rows: int) -> Act:
    return lambda surface, event: surface.messages.scroll(rows)


KEYS: Final = (
    Key((("enter",),), "Enter", "send", lambda surface, event: surface.send(), writing=True),
    Key((("escape", "enter"), ("c-j",)), "Alt+Enter, Ctrl+J", "a new line in the message", _newline, writing=True),
    Key((("tab",),), "Tab", "complete a command, a room, a login", _complete, writing=True),
    Key((("pageup",),), "PgUp, PgDn", "read back, and on", lambda surface, event: surface.messages.page(-1)),
    Key((("pagedown",),), "", "", lambda surface, event: surface.messages.page(1)),
    Key((("escape", "pageup"),), "Alt+PgUp, Alt+PgDn", "a few rows back, and on", _scroll(-FEW)),
    Key((("escape", "pagedown"),), "", "", _scroll(FEW)),
    Key(
        (("escape", "home"), ("c-home",)),
        "Alt+Home, Alt+End",
        "to the oldest, to the newest",
        lambda surface, event: surface.messages.to_start(),
    ),
    Key((("escape", "end"), ("c-end",)), "", "", lambda surface, event: surface.messages.to_end()),
    Key((("escape", "a"),), "Alt+a", "to what is unread", lambda surface, event: surface.go_to_unread()),
    Key((("escape", "u"),), "Alt+u", "to the first unread message", lambda surface, event: surface.to_first_unread()),
    Key((("escape", "/"),), "Alt+/", "to where you were before", lambda surface, event: surface.go_back()),
    *(
        Key(
            (("escape", str(number % 10)),), "Alt+1 to Alt+0" * (number == 1), "to that room or person", _number(number)
        )
        for number in range(1, 11)
    ),
    Key(
        (("escape", "left"), ("c-p",)),
        "Alt+Left, Ctrl+P",
        "to the room or person above",
        lambda surface, event: surface.go_by(-1),
    ),
    Key(
        (("escape", "right"), ("c-n",)),
        "Alt+Right, Ctrl+N",
        "to the room or person below",
        lambda surface, event: surface.go_by(1),
    ),
    Key(
        (("escape", "l"),),
        "Alt+l",
        "messages alone, for marking and copying",
        lambda surface, event: surface.toggle_bare(),
    ),
    Key((("f8",),), "F8", "the mouse's wheel, on and off", lambda surface, event: surface.toggle_mouse()),
    Key((("f1",),), "F1", "these keys", lambda surface, event: surface.explain_keys()),
    Key((("c-l",),), "Ctrl+L", "draw anew", lambda surface, event: event.app.renderer.clear()),
    Key(
        (("c-c",),), "Ctrl+C", "empty the line; twice: quit", lambda surface, event: surface.interrupted(), writing=True
    ),
    Key((("c-d",),), "Ctrl+D", "on an empty line: quit", lambda surface, event: surface.leave(), True, True),
    Key(((Keys.BracketedPaste.value,),), "", "", _paste),
)

ELSEWHERE: Final = (("Up, Down", "what you wrote before"), ("Ctrl+R", "search in what you wrote before"))
"""Keys that the editing of the line brings along."""


def bindings(surface: Surface) -> KeyBindings:
    """Bind the table to a surface."""
    bound = KeyBindings()
    mouse.guard(bound)
    asking = Condition(lambda: surface.asking)
    for key in KEYS:
        when = ~is_searching & ~asking if key.writing else ~is_searching
        if key.on_empty:
            when &= Condition(lambda: not surface.input.text)
        for sequence in key.keys:
            bound.add(*sequence, filter=when)(_call(surface, key.act))
    bound.add("enter", filter=asking)(lambda event: surface.answer(True))
    for cancel in ("c-c", "c-d"):
        bound.add(cancel, filter=asking)(lambda event: surface.answer(False))
    bound.add("s-tab", filter=has_completions)(lambda event: surface.input.complete_previous())
    return bound


def _call(surface: Surface, act: Act) -> Callable[[KeyPressEvent], None]:
    return lambda event: act(surface, event)


def explained() -> list[str]:
    """The keys, a line each."""
    rows = [(key.shown, key.help) for key in KEYS if key.shown] + list(ELSEWHERE)
    width = max(len(shown) for shown, _ in rows) + 2
    return [f"{shown:<{width}}{help}" for shown, help in rows]
