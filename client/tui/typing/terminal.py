"""What the terminal is asked for beside drawing: to say when it has the focus, to take a text to its clipboard, to end
a paste that it never ends itself, and how long its keys may take.

Must not know what follows from any of it.

Sources: xterm's ctlseqs (focus reporting, bracketed paste, OSC 52); the parser is prompt_toolkit's.
"""

from __future__ import annotations

import base64
from typing import Final

from prompt_toolkit.application import Application
from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding.key_processor import KeyProcessor
from prompt_toolkit.keys import Keys

FOCUS_IN: Final = Keys.F23
FOCUS_OUT: Final = Keys.F24
"""Keys that no keyboard has, in the place of what the terminal reports."""
REPORT_FOCUS: Final = "\x1b[?1004h"
REPORT_NO_FOCUS: Final = "\x1b[?1004l"
PASTE_ENDS: Final = "\x1b[201~"
PASTE_MOST: Final = 200_000
"""Characters of a paste that are kept: beyond that it is no message in any case, and looking through it takes time."""
PASTE_PACE: Final = 64
"""Characters in a second below which a paste is no longer one, but somebody typing in vain."""
CLIPBOARD: Final = 74_994
"""Bytes that the narrowest terminals take to their clipboard at a time."""

ESCAPE_S: Final = 0.025
"""Seconds that the rest of what one key sends may take."""
ALONE_S: Final = 0.01
"""Seconds beyond that for which Esc waits to be the Alt of another key: a finger may begin a word there."""
CHORD_S: Final = 1.0
"""Seconds for each further key of what takes several, as Alt+j 12 does."""

ANSI_SEQUENCES["\x1b[I"] = FOCUS_IN
ANSI_SEQUENCES["\x1b[O"] = FOCUS_OUT


def clipboard(text: str) -> str:
    """What makes the terminal take a text to its clipboard."""
    return f"\x1b]52;c;{base64.b64encode(text.encode(errors='replace')[:CLIPBOARD]).decode()}\x07"


def time_keys(app: Application[None]) -> None:
    """Set how long what was pressed waits for a key that belongs to it."""

    def after_key_press(processor: KeyProcessor) -> None:
        pending = [press.key for press in processor.key_buffer]
        app.timeoutlen = ALONE_S if pending == [Keys.Escape] else CHORD_S

    app.ttimeoutlen = ESCAPE_S
    app.key_processor.after_key_press += after_key_press


class PasteGuard:
    """Watches over a paste whose end is not in sight: what is typed meanwhile would all belong to it."""

    def __init__(self, app: Application[None]) -> None:
        self._app = app
        self._held = 0

    def tick(self) -> None:
        """Look at it; to be called once a second."""
        parser = getattr(self._app.input, "vt100_parser", None)
        if not isinstance(parser, Vt100Parser) or not parser._in_bracketed_paste:
            self._held = 0
            return
        held = len(parser._paste_buffer)
        if held > PASTE_MOST:
            # What comes after is no longer looked at, but the end may be in two pieces.
            parser._paste_buffer = parser._paste_buffer[: PASTE_MOST - 8] + parser._paste_buffer[-8:]
            self._held = 0
        elif self._held and held - self._held < PASTE_PACE:
            self._held = 0
            parser.feed(PASTE_ENDS)
            self._app.key_processor.feed_multiple(self._app.input.flush_keys())
            self._app.key_processor.process_keys()
        else:
            self._held = max(1, held)
