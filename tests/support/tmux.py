"""Real terminals for tests: programs in tmux, keys typed into them, and what a person would see there.

Each server has a socket of its own, so that nobody's tmux is disturbed. Must not know which program runs.

Source: tmux(1).
"""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.support.patience import PATIENCE_S

LOOK_S: Final = 0.05
"""Seconds between two looks at a screen."""

_SETTINGS: Final = """
set -g status off
set -g default-terminal tmux-256color
set -as terminal-overrides ',*:Tc'
set -sg escape-time 0
set -g focus-events off
set -g allow-passthrough off
set -g set-clipboard on
set -g history-limit 0
"""

# tmux does not always hear how a program ended, so that the shell says it.
_THEN: Final = 'printf "\\n[ended with %s]\\n" $?; exec sleep 3600'
_ENDED: Final = r"^\[ended with (\d+)\]"


class NotSeen(AssertionError):
    """What was expected did not appear; the screen is in the words."""


class Terminals:
    """A tmux server of one's own."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="tertulia-tmux-")
        self._settings = Path(self._directory.name, "tmux.conf")
        self._settings.write_text(_SETTINGS)
        self._socket = Path(self._directory.name, "socket")

    def call(self, *arguments: str, check: bool = True) -> str:
        """Run a command of tmux's; what it prints."""
        command = ["tmux", "-S", str(self._socket), "-f", str(self._settings), *arguments]
        return subprocess.run(command, check=check, capture_output=True, text=True, errors="replace").stdout

    def open(
        self, name: str, columns: int, rows: int, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> Terminal:
        """Run a program on a terminal of that size."""
        settings = [word for pair in (environment or {}).items() for word in ("-e", "=".join(pair))]
        size = ("-x", str(columns), "-y", str(rows))
        self.call(
            "new-session", "-d", "-s", name, *size, *settings, "--", "sh", "-c", f"{shlex.join(command)}; {_THEN}"
        )
        return Terminal(self, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.call("kill-server", check=False)
        self._directory.cleanup()


class Terminal:
    """One program on its terminal."""

    def __init__(self, terminals: Terminals, name: str) -> None:
        self._terminals = terminals
        self._name = name

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names for them: `Enter`, `M-a`, `PageUp`, `F1`, `C-k`."""
        self._terminals.call("send-keys", "-t", self._name, *keys)

    def type(self, text: str, *keys: str) -> None:
        """Type a text, then press keys."""
        self._terminals.call("send-keys", "-t", self._name, "-l", "--", text)
        if keys:
            self.press(*keys)

    def paste(self, text: str) -> None:
        """Paste, as a terminal that marks what is pasted does."""
        file = Path(self._terminals._directory.name, "pasted")
        file.write_text(text)
        self._terminals.call("load-buffer", "-b", "pasted", str(file))
        self._terminals.call("paste-buffer", "-p", "-d", "-b", "pasted", "-t", self._name)

    def resize(self, columns: int, rows: int) -> None:
        """Make the window another size."""
        self._terminals.call("resize-window", "-t", self._name, "-x", str(columns), "-y", str(rows))

    def screen(self) -> str:
        """What stands on the screen, a line each, without colours."""
        return self._terminals.call("capture-pane", "-p", "-t", self._name)

    def coloured(self, showing: str = "") -> str:
        """The same with the sequences that colour it, once it shows that text: it may be in the midst of a redraw."""
        return self._wait(
            lambda: self._terminals.call("capture-pane", "-p", "-e", "-N", "-t", self._name),
            lambda screen: "" if showing in screen else f"does not show {showing!r}",
        )

    def see(self, *patterns: str) -> str:
        """Wait until the screen shows all of the patterns (regular expressions, `^` and `$` at lines); the screen."""

        def lacks(screen: str) -> str:
            missing = [pattern for pattern in patterns if not re.search(pattern, screen, re.M)]
            return f"does not show {missing}" if missing else ""

        return self._wait(self.screen, lacks)

    def press_until(self, key: str, pattern: str) -> str:
        """Press a key again and again until the screen shows the pattern; the screen."""

        def lacks(screen: str) -> str:
            if re.search(pattern, screen, re.M):
                return ""
            self.press(key)
            return f"does not show {pattern!r}, however often {key} is pressed"

        return self._wait(self.screen, lacks)

    def see_no(self, pattern: str) -> str:
        """Wait until the pattern stands on the screen no more; the screen."""
        return self._wait(
            self.screen, lambda screen: f"still shows {pattern!r}" if re.search(pattern, screen, re.M) else ""
        )

    def _wait(self, look: Callable[[], str], lacks: Callable[[str], str]) -> str:
        """Look until nothing is wrong with the screen, in words; the screen. Raises `NotSeen`."""
        until = time.monotonic() + PATIENCE_S
        while wrong := lacks(screen := look()):
            if time.monotonic() > until:
                raise NotSeen(f"{self._name} {wrong}:\n{screen}")
            time.sleep(LOOK_S)
        return screen

    def ended(self) -> int:
        """Wait until the program has ended; its exit status."""
        found = re.search(_ENDED, self.see(_ENDED), re.M)
        assert found is not None
        return int(found[1])
