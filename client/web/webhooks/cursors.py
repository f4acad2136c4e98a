"""How far each outgoing hook has come in the log of its room, on disk beside the file of hooks.

A place is on disk before the next event goes out, so that after a `kill -9` nothing is missed, and at most the event
that was under way is sent again. One process at a time has them. Must not know what is sent.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import NamedTuple

from client.language import _
from client.secret_file import replace
from client.web.webhooks.hooks import BadHook
from common.keys import read_secret


class Cursor(NamedTuple):
    """A place in a log."""

    room: int
    """The room's id: another room of the same name has another log."""
    seq: int
    """The entry that was dealt with last."""


class Cursors:
    """The places of all outgoing hooks, by their id."""

    def __init__(self, hooks: Path) -> None:
        """Take over the places beside the file `hooks`. Raises `BadHook` if another process has them."""
        real = hooks.resolve()  # by whatever link: it is one file, for one process
        self._file = real.with_name(f"{real.name}.cursors")
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = os.open(self._file.with_name(f".{self._file.name}.held"), os.O_RDWR | os.O_CREAT, 0o600)
        self._hold(hooks)
        self._places = self._read()
        self._saved = dict(self._places)
        self._writing = asyncio.Lock()

    def _hold(self, hooks: Path) -> None:
        try:
            import fcntl
        except ImportError:
            return
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            said = _("{file}: another process works with these hooks; stop it, or give this one its own: --hooks FILE")
            raise BadHook(said.format(file=hooks)) from None

    def _read(self) -> dict[str, Cursor]:
        if not self._file.exists():
            return {}
        try:
            found = json.loads(read_secret(self._file))
            return {str(hook): Cursor(int(room), int(seq)) for hook, (room, seq) in found.items()}
        except (ValueError, TypeError, AttributeError):
            said = _("{file}: is damaged; remove it, and the hooks begin with what happens from then on")
            raise BadHook(said.format(file=self._file)) from None

    def get(self, hook: str) -> Cursor | None:
        """The place of a hook; None if it has none yet."""
        return self._places.get(hook)

    def put(self, hook: str, cursor: Cursor) -> None:
        """Note a place; `save` puts it on disk."""
        self._places[hook] = cursor

    def keep(self, hooks: set[str]) -> None:
        """Forget the places of all other hooks."""
        self._places = {hook: cursor for hook, cursor in self._places.items() if hook in hooks}

    async def save(self) -> None:
        """Put what was noted on disk. Raises `OSError`."""
        async with self._writing:
            if self._places != self._saved:
                places = dict(self._places)
                await asyncio.to_thread(replace, self._file, json.dumps(places).encode())
                self._saved = places

    def close(self) -> None:
        """Let others have them."""
        os.close(self._lock)
