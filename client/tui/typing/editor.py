"""A text written in the person's own editor.

The text is in a file that only they can read, and which is gone afterwards. Must not know what the text is for.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

USUAL: Final = ("nano", "vim", "vi")
"""Editors that are tried where the environment names none."""


def chosen(environment: Mapping[str, str] = os.environ) -> list[str] | None:
    """The command of the person's editor: `VISUAL`, else `EDITOR`, else a usual one; None if there is none."""
    for name in ("VISUAL", "EDITOR"):
        try:
            command = shlex.split(environment.get(name, ""))
        except ValueError:
            continue
        if command:
            return command
    found = (shutil.which(name, path=environment.get("PATH")) for name in USUAL)
    return next(([path] for path in found if path), None)


async def write(command: list[str], text: str) -> str | None:
    """Let the person write on; returns the text as they left it, None if the editor failed. The terminal is theirs."""
    with tempfile.TemporaryDirectory(prefix="tertulia-") as private:  # mkdtemp makes it 0700
        file = Path(private) / "message.txt"
        file.write_text(text, encoding="utf-8", errors="replace")
        try:
            process = await asyncio.create_subprocess_exec(*command, str(file))
            if await process.wait() != 0:
                return None
            return file.read_text(encoding="utf-8", errors="replace").removesuffix("\n")
        except OSError:
            return None
