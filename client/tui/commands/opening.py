"""Programs of this machine that are run beside the chat: what opens links, what shows notices on the desktop.

No shell ever sees what others wrote: it is one argument, after the program's own. Must not know who asks for it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Final

PATIENCE_S: Final = 5.0
"""Seconds that such a program may take to say that it did it."""


def opener(environment: Mapping[str, str] = os.environ) -> list[str] | None:
    """What opens an address on this machine; None where there is no desktop to open it on."""
    if sys.platform == "darwin":
        return ["open"]
    desktop = environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    found = shutil.which("xdg-open", path=environment.get("PATH"))
    return [found] if desktop and found else None


async def run_beside(command: Sequence[str]) -> bool:
    """Run a program that reads and writes nothing here. Returns whether it did what it is for, as far as it says."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await process.wait() == 0
    except TimeoutError:
        return True  # it stays open, as some browsers do
