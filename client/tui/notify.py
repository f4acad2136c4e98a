"""Telling somebody who does not look: by bell, by the terminal's own notices, by the desktop's.

Whether a message is worth it is the model's matter; here is how, and not more often than is bearable. What others wrote
passes `client.tui.text.clean` before it is part of what a terminal obeys. Must not know conversations.

Sources: OSC 9 (iTerm2, Windows Terminal), OSC 777 (urxvt, foot, WezTerm), tmux(1) passthrough,
notify-send(1), Desktop Notifications Specification 1.2 (markup).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from client.tui.text import clean

USUAL: Final = ("bell",)
PAUSE_S: Final = 2.0
"""Seconds between two notices: who does not look sees the first, and a flood of them helps nobody."""
SHOWN: Final = 120
"""Characters of a message that a notice shows."""

_LITERALLY: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\\": "\\\\"})
"""The desktop takes a notice's text for markup with links and pictures, and its program undoes backslashes first."""


class Notifier:
    """Tells by the ways that the person chose."""

    def __init__(
        self,
        ways: Sequence[str],
        bell: Callable[[], None],
        write: Callable[[str], None],
        run: Callable[[list[str]], Awaitable[object]],
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """`write` sends a sequence to the terminal, `run` makes a program run beside."""
        self._ways = ways
        self._bell = bell
        self._write = write
        self._run = run
        self._tmux = bool(environment.get("TMUX"))
        self._desktop = shutil.which("notify-send", path=environment.get("PATH")) if "desktop" in ways else None
        self._last = -PAUSE_S

    async def tell(self, title: str, text: str, now: float) -> None:
        """Tell of something, unless that was done a moment ago. `now` is in seconds of a clock that only grows."""
        if now - self._last < PAUSE_S:
            return
        self._last = now
        title, text = clean.line(title), clean.line(text)
        text = text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
        if "bell" in self._ways or ("desktop" in self._ways and self._desktop is None):
            self._bell()
        if "osc9" in self._ways:
            self._sequence(f"\x1b]9;{title}: {text}\x07")
        if "osc777" in self._ways:
            self._sequence(f"\x1b]777;notify;{title.replace(';', ',')};{text.replace(';', ',')}\x07")
        if self._desktop is not None:
            await self._run([self._desktop, "--app-name=tertulia", "--", title, text.translate(_LITERALLY)])

    def _sequence(self, sequence: str) -> None:
        if self._tmux:
            sequence = "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
        self._write(sequence)
