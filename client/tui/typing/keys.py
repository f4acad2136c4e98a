"""The keys of the full screen, in one table that binds them and explains them (F1).

Each does one thing to the `Surface`. Those who come from weechat find their keys. Its length is that of the table. Must
not know how anything is drawn.
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

from client.language import N_, _
from client.tui.typing import mouse, terminal
from client.tui.typing.selection import VERBS, Selection
from client.tui.view.messages_control import MessagesControl

FEW: Final = 3
"""Rows that the small steps scroll."""


class Surface(Protocol):
    """What keys act on."""

    messages: MessagesControl
    input: Buffer
    selection: Selection

    @property
    def asking(self) -> bool:
        """Whether the input line asks for something hidden."""

    @property
    def covered(self) -> bool:
        """Whether a sheet lies over the messages, which has keys of its own."""

    def send(self) -> None: ...

    def up(self) -> None: ...

    def escape(self) -> None: ...

    def select(self) -> None: ...

    def verb(self, letter: str) -> None: ...

    def pasted(self, data: str) -> None: ...

    def answer(self, given: bool) -> None: ...

    def interrupted(self) -> None: ...

    def leave(self) -> None: ...

    def focused(self, on: bool) -> None: ...

    def explain_keys(self) -> None: ...

    def edit_by_key(self) -> None: ...

    def search_by_key(self) -> None: ...

    def switch(self, text: str = "") -> None: ...

    def go_to_number(self, number: int) -> None: ...

    def go_by(self, step: int) -> None: ...

    def go_to_unread(self) -> None: ...

    def go_back(self) -> None: ...

    def to_end(self) -> None: ...

    def to_first_unread(self) -> None: ...

    def to_mention(self, step: int) -> None: ...

    def toggle_bare(self) -> None: ...

    def toggle_mouse(self) -> None: ...

    def toggle_comings(self) -> None: ...

    def toggle_side(self, members: bool) -> None: ...


Act = Callable[[Surface, KeyPressEvent], None]


@dataclass(frozen=True)
class Key:
    """One thing that keys do; `shown` is how people name them, empty for what needs no explaining."""

    keys: tuple[tuple[str, ...], ...]
    shown: str
    help: str
    act: Act
    writing: bool = False
    """Only while the line is what the keys are for."""
    on_empty: bool = False
    """Only while the line is empty."""
    selecting: bool = False
    """Only while a message is selected."""


def _newline(surface: Surface, event: KeyPressEvent) -> None:
    surface.input.insert_text("\n")


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


def _typed_number(surface: Surface, event: KeyPressEvent) -> None:
    digits = "".join(press.data for press in event.key_sequence[-2:])
    if digits.isascii() and digits.isdigit():
        surface.go_to_number(int(digits))


def _scroll(rows: int) -> Act:
    return lambda surface, event: surface.messages.scroll(rows)


def _verb(letter: str) -> Act:
    return lambda surface, event: surface.verb(letter)


def _written(surface: Surface, event: KeyPressEvent) -> None:
    """Whoever begins a word has done with selecting: nothing of it may be lost."""
    surface.selection.stop()
    if event.data.isprintable():
        surface.input.insert_text(event.data)


def _paste(surface: Surface, event: KeyPressEvent) -> None:
    surface.selection.stop()
    surface.pasted(event.data)


def _left_for_command(surface: Surface, event: KeyPressEvent) -> None:
    """Esc and at once a command: the library has a key of its own there, after which the rest would be a message."""
    if not surface.selection:
        surface.escape()
    surface.selection.stop()
    surface.input.insert_text(event.data)


def _step(by: int, far: bool = False) -> Act:
    return lambda surface, event: surface.selection.move_far(by) if far else surface.selection.move(by)


KEYS: Final = (
    Key((("enter",),), N_("Enter"), N_("send"), lambda surface, event: surface.send(), writing=True),
    Key(
        (("escape", "enter"), ("c-j",)),
        N_("Alt+Enter, Ctrl+J"),
        N_("a new line in the message"),
        _newline,
        writing=True,
    ),
    Key((("tab",),), "Tab", N_("complete a command, a room, a login, an emoji"), _complete, writing=True),
    Key(
        (("up",),),
        N_("Up"),
        N_("on an empty line: edit your last message; else what you wrote before"),
        lambda surface, event: surface.up(),
        writing=True,
    ),
    Key(
        (("escape",),),
        "Esc",
        N_("leave what you edit or answer; on an empty line: select a message"),
        lambda surface, event: surface.escape(),
        writing=True,
    ),
    Key(
        (("escape", "up"),),
        N_("Alt+Up"),
        N_("select a message, then ? for what can be done"),
        lambda surface, event: surface.select(),
        writing=True,
    ),
    Key((("escape", "e"),), "Alt+e", N_("write in your $EDITOR"), lambda surface, event: surface.edit_by_key(), True),
    Key((("pageup",),), N_("PgUp, PgDn"), N_("read back, and on"), lambda surface, event: surface.messages.page(-1)),
    Key((("pagedown",),), "", "", lambda surface, event: surface.messages.page(1)),
    Key((("escape", "pageup"),), N_("Alt+PgUp, Alt+PgDn"), N_("a few rows back, and on"), _scroll(-FEW)),
    Key((("escape", "pagedown"),), "", "", _scroll(FEW)),
    Key(
        (("escape", "home"), ("c-home",)),
        N_("Alt+Home, Alt+End"),
        N_("to the oldest, to the newest"),
        lambda surface, event: surface.messages.to_start(),
    ),
    Key((("escape", "end"), ("c-end",)), "", "", lambda surface, event: surface.to_end()),
    Key(
        (("escape", "a"),),
        "Alt+a",
        N_("to what is unread: where you are named, private, others"),
        lambda surface, event: surface.go_to_unread(),
    ),
    Key(
        (("escape", "u"),),
        "Alt+u",
        N_("to the first unread message"),
        lambda surface, event: surface.to_first_unread(),
    ),
    Key(
        (("escape", "p"),),
        "Alt+p, Alt+n",
        N_("to the message before, after, that names you"),
        lambda surface, event: surface.to_mention(-1),
    ),
    Key((("escape", "n"),), "", "", lambda surface, event: surface.to_mention(1)),
    Key((("escape", "/"),), "Alt+/", N_("to where you were before"), lambda surface, event: surface.go_back()),
    Key((("c-k",),), "Ctrl+K", N_("to a room or person by some letters"), lambda surface, event: surface.switch()),
    *(
        Key(
            (("escape", str(number % 10)),),
            N_("Alt+1 to Alt+0") * (number == 1),
            N_("to that room or person"),
            _number(number),
        )
        for number in range(1, 11)
    ),
    Key(
        (("escape", "j", Keys.Any.value, Keys.Any.value),),
        "Alt+j 12",
        N_("to the room or person of that number"),
        _typed_number,
    ),
    Key(
        (("escape", "left"), ("c-p",), ("f5",)),
        N_("Alt+Left, Ctrl+P, F5"),
        N_("to the room or person above"),
        lambda surface, event: surface.go_by(-1),
    ),
    Key(
        (("escape", "right"), ("c-n",), ("f6",)),
        N_("Alt+Right, Ctrl+N, F6"),
        N_("to the room or person below"),
        lambda surface, event: surface.go_by(1),
    ),
    Key(
        (("c-f",),),
        "Ctrl+F",
        N_("search in all that was said"),
        lambda surface, event: surface.search_by_key(),
        writing=True,
        on_empty=True,
    ),
    Key(
        (("escape", "l"),),
        "Alt+l",
        N_("messages alone, for marking and copying"),
        lambda surface, event: surface.toggle_bare(),
    ),
    Key(
        (("escape", "B"),),
        N_("Alt+Shift+B, Alt+Shift+N"),
        N_("hide and show the rooms, the members"),
        lambda surface, event: surface.toggle_side(False),
    ),
    Key((("escape", "N"),), "", "", lambda surface, event: surface.toggle_side(True)),
    Key(
        (("escape", "="),),
        "Alt+=",
        N_("show and hide who comes and goes in crowded rooms"),
        lambda surface, event: surface.toggle_comings(),
    ),
    Key((("f8",),), "F8", N_("the mouse's wheel, on and off"), lambda surface, event: surface.toggle_mouse()),
    Key((("f1",),), "F1", N_("these keys"), lambda surface, event: surface.explain_keys()),
    Key((("c-l",),), "Ctrl+L", N_("draw anew"), lambda surface, event: event.app.renderer.clear()),
    Key(
        (("c-c",),),
        "Ctrl+C",
        N_("empty the line; twice: quit"),
        lambda surface, event: surface.interrupted(),
        writing=True,
    ),
    Key((("c-d",),), "Ctrl+D", N_("on an empty line: quit"), lambda surface, event: surface.leave(), True, True),
    Key(((Keys.BracketedPaste.value,),), "", "", _paste, writing=True),
    Key(((Keys.BracketedPaste.value,),), "", "", _paste, selecting=True),
    Key((("escape", "#"),), "", "", _left_for_command, writing=True),
    Key((("escape", "#"),), "", "", _left_for_command, selecting=True),
    Key(((terminal.FOCUS_IN.value,),), "", "", lambda surface, event: surface.focused(True)),
    Key(((terminal.FOCUS_OUT.value,),), "", "", lambda surface, event: surface.focused(False)),
    Key((("k",), ("up",)), "k, j", N_("the message above, below"), _step(-1), selecting=True),
    Key((("j",), ("down",)), "", "", _step(1), selecting=True),
    Key((("c-u",), ("pageup",)), "", "", _step(-1, far=True), selecting=True),
    Key((("c-d",), ("pagedown",)), "", "", _step(1, far=True), selecting=True),
    *(Key(((letter,),), letter, what, _verb(letter), selecting=True) for letter, what in VERBS.items()),
    Key((("enter",),), "", "", _verb("r"), selecting=True),
    Key((("?",), ("f1",)), "?", N_("these keys"), lambda surface, event: surface.explain_keys(), selecting=True),
    Key(
        (("escape",), ("c-c",), ("i",)),
        "Esc",
        N_("back to the line"),
        lambda surface, event: surface.selection.stop(),
        selecting=True,
    ),
    Key(((Keys.Any.value,),), "", "", _written, selecting=True),
)

ELSEWHERE: Final = (
    (N_("Down"), N_("what you wrote after that")),
    ("Ctrl+R", N_("search in what you wrote before")),
    ("Ctrl+A, Ctrl+E, Ctrl+W, Ctrl+U", N_("to the line's ends; delete a word, all before")),
)
"""Keys that the editing of the line brings along."""


def bindings(surface: Surface) -> KeyBindings:
    """Bind the table to a surface."""
    bound = KeyBindings()
    mouse.guard(bound)
    asking = Condition(lambda: surface.asking)
    covered = Condition(lambda: surface.covered)
    selecting = Condition(lambda: bool(surface.selection) and not surface.asking and not surface.covered)
    for key in KEYS:
        when = ~is_searching
        if key.selecting:
            when &= selecting
        elif key.writing:
            when &= ~asking & ~covered & ~selecting
        if key.on_empty:
            when &= Condition(lambda: not surface.input.text)
        for sequence in key.keys:
            bound.add(*sequence, filter=when)(_call(surface, key.act))
    bound.add("enter", filter=asking)(lambda event: surface.answer(True))
    for cancel in ("c-c", "c-d", "escape"):
        bound.add(cancel, filter=asking)(lambda event: surface.answer(False))
    bound.add("s-tab", filter=has_completions)(lambda event: surface.input.complete_previous())
    return bound


def _call(surface: Surface, act: Act) -> Callable[[KeyPressEvent], None]:
    return lambda event: act(surface, event)


def explained() -> list[str]:
    """The keys, a line each, those for a selected message last."""
    general = [(_(key.shown), _(key.help)) for key in KEYS if key.shown and not key.selecting]
    general += [(_(shown), _(help)) for shown, help in ELSEWHERE]
    selecting = [(_(key.shown), _(key.help)) for key in KEYS if key.shown and key.selecting]
    width = max(len(shown) for shown, _help in general) + 2
    return [
        *(f"{shown:<{width}}{help}" for shown, help in general),
        "",
        _("While a message is selected (Alt+Up, or Esc on an empty line):"),
        *(f"{shown:<{width}}{help}" for shown, help in selecting),
    ]
