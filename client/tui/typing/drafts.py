"""What is half written, kept over restarts in a file that only its owner can read.

Rooms are told apart by their number, since a name may be used again and then belongs to other people. Must not know how
anything is typed.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from client.tui.model.conversations import Conversation
from common import names

MOST: Final = 200
"""Drafts kept."""
LONGEST: Final = 100_000
"""Characters of one draft that are kept: more than any message has."""
BYTES: Final = 4_000_000


def key(talk: Conversation) -> str:
    """What a conversation's draft is kept under."""
    return f"room {talk.view.id}" if talk.view else f"@{names.key(talk.peer)}"


def load(file: Path) -> dict[str, str]:
    """The drafts in a file; none if it is missing, or not what it should be."""
    try:
        table = json.loads(file.read_bytes()[:BYTES])
    except (OSError, ValueError):
        return {}
    if not isinstance(table, dict):
        return {}
    return {name: text for name, text in table.items() if isinstance(text, str) and text}


def save(drafts: Mapping[str, str], file: Path) -> bool:
    """Put these drafts in the place of those before; without any, there is no file.

    A disk that refuses is no reason to stop chatting. Returns whether it took them.
    """
    kept = {name: text[:LONGEST] for name, text in list(drafts.items())[-MOST:]}
    new = ""
    try:
        if not kept:
            file.unlink(missing_ok=True)
            return True
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, new = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # mkstemp makes it 0600
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as stream:
            json.dump(kept, stream)
        os.replace(new, file)
    except OSError:
        if new and os.path.exists(new):
            os.unlink(new)
        return False
    return True
