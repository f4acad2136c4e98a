"""The mouse's reports, unless they are none: text with colours, pasted into a terminal that does not mark a paste,
looks like one to the terminal library, which then fails.

Must not know what a click does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.bindings.mouse import load_mouse_bindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.keys import Keys

if TYPE_CHECKING:
    from prompt_toolkit.key_binding.key_bindings import NotImplementedOrNone

_REPORT: Final = re.compile(r"\x1b\[(?:<?\d+;\d+;\d+[mM]|M...)", re.DOTALL)
_HANDLERS: Final = load_mouse_bindings().get_bindings_for_keys((Keys.Vt100MouseEvent,))


def guard(bound: KeyBindings) -> None:
    """Let bindings ignore what only looks like a report of the mouse."""

    @bound.add(Keys.Vt100MouseEvent)
    def _(event: KeyPressEvent) -> NotImplementedOrNone:
        return _HANDLERS[-1].handler(event) if _REPORT.fullmatch(event.data) else NotImplemented
