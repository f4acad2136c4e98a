"""`--reload`: the bots run in a process of their own, which is ended and started anew when one of their files changes.

A new process, because a module that is loaded again leaves its old objects about. While a file is broken the bots that
run go on; if they have ended, the next change starts them again. Must not know what a bot is.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from client.bot.ending import PARENT
from client.log import event

log = logging.getLogger("tertulia.bot")

LOOK_S: Final = 0.3
"""Seconds between looks at the files."""
END_S: Final = 20.0
"""Seconds that the process has to end in, which is more than its handlers have."""

Files = Callable[[], Iterable[Path]]


class Reloading:
    """Runs a command, again and again."""

    def __init__(self, command: Sequence[str], files: Files) -> None:
        """`files` gives those to watch; it is asked at each look, for they may import others by then."""
        self._command = command
        self._files = files
        self._stopping = asyncio.Event()
        self._seen: dict[Path, tuple[int, int, int]] = {}

    async def run(self) -> int:
        """Run until SIGTERM or SIGINT; returns the status of the last process."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        self._seen = self._look()
        # We never write to it: it is closed when we end, however we do, and then the process ends, too.
        theirs, _ours = os.pipe()
        environment = {**os.environ, PARENT: str(theirs)}
        while True:
            # A group of its own: what is typed at the terminal reaches us only, and we end it in good order.
            child = await asyncio.create_subprocess_exec(
                *self._command, process_group=0, pass_fds=(theirs,), env=environment
            )
            try:
                status = await self._watch(child)
            finally:
                await self._end(child)
            if self._stopping.is_set():
                return max(0, child.returncode or 0)
            if status is not None:
                event(log, "ended-until-a-change", logging.WARNING, status=status)
                await self._change()
                if self._stopping.is_set():
                    return max(0, status)

    async def _watch(self, child: asyncio.subprocess.Process) -> int | None:
        """Wait until the process ends by itself: its status; or until it is to end: None."""
        ended, changed = asyncio.create_task(child.wait()), asyncio.create_task(self._change())
        try:
            await asyncio.wait((ended, changed), return_when=asyncio.FIRST_COMPLETED)
            return ended.result() if ended.done() else None
        finally:
            ended.cancel()
            changed.cancel()

    async def _change(self) -> None:
        """Wait until a file has changed and all can be read as Python again, or until it is time to stop."""
        while not self._stopping.is_set():
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._stopping.wait()
            except TimeoutError:
                pass
            now = self._look()
            if now != self._seen:
                changed = sorted(
                    path.name for path in now.keys() | self._seen.keys() if now.get(path) != self._seen.get(path)
                )
                self._seen = now
                fault = _fault(self._files())
                if not fault:
                    event(log, "reloading", files=" ".join(dict.fromkeys(changed)))
                    return
                event(log, "broken-until-a-change", logging.WARNING, fault=fault)

    def _look(self) -> dict[Path, tuple[int, int, int]]:
        found = {}
        for path in self._files():
            try:
                mark = path.stat()
            except OSError:
                continue  # an editor may be replacing it
            found[path] = mark.st_mtime_ns, mark.st_size, mark.st_ino
        return found

    async def _end(self, child: asyncio.subprocess.Process) -> None:
        if child.returncode is None:
            child.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(END_S):
                    await child.wait()
            except TimeoutError:
                child.kill()
                await child.wait()


def _fault(paths: Iterable[Path]) -> str:
    """What keeps a file from being Python; empty if nothing does."""
    for path in paths:
        try:
            compile(path.read_bytes(), path, "exec", dont_inherit=True)
        except OSError as error:
            return f"{path}: {error.strerror}"
        except (SyntaxError, ValueError) as error:
            line = error.lineno if isinstance(error, SyntaxError) else 0
            return f"{path}:{line}: {error}"
    return ""
