"""How commands print: lines for people, or one JSON object a line for programs.

Nothing that somebody else wrote reaches the terminal as a control character. Must not know where it came from.

JSON is ASCII, one object a line, and stable: fields may be added, none is renamed or removed.

    message   {"room", "seq", "prev", "time", "sender", "text"}      time: ms UTC by the broker's clock
    room      {"name", "online", "joined", "kept", "private", "creator", "subject", "head"}
    user      {"login", "online", "first_names", "surnames"}
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

from client.language import N_, _
from common.messages import Message, RoomView, UserView
from common.texts import visible

_MARKS: Final = (N_("joined"), N_("kept"), N_("private"))


def message(room: str, entry: Message, *, as_json: bool) -> None:
    """Print a message of a room."""
    if as_json:
        _object(room=room, seq=entry.seq, prev=entry.prev, time=entry.time, sender=entry.sender, text=entry.text)
        return
    when = datetime.fromtimestamp(entry.time / 1000).strftime("%Y-%m-%d %H:%M:%S")
    lines = visible(entry.text, newlines=True).replace("\n", "\n    ")
    print(f"{when} {visible(entry.sender)}: {lines}", flush=True)


def room(view: RoomView, *, as_json: bool) -> None:
    """Print a room of the list."""
    if as_json:
        names = ("name", "online", "joined", "kept", "private", "creator", "subject", "head")
        _object(**{name: getattr(view, name) for name in names})
        return
    marks = [_(word) for word, name in zip(_MARKS, ("joined", "kept", "private"), strict=True) if getattr(view, name)]
    told = f" ({', '.join(marks)})" if marks else ""
    subject = f": {visible(view.subject)}" if view.subject else ""
    print(f"{view.online:>4}  {visible(view.name)}{told}{subject}")


def user(view: UserView, *, as_json: bool) -> None:
    """Print a user of the list."""
    if as_json:
        _object(login=view.login, online=view.online, first_names=view.first_names, surnames=view.surnames)
        return
    print(f"{'*' if view.online else ' '} {visible(view.login)}  {visible(f'{view.first_names} {view.surnames}')}")


def _object(**fields: object) -> None:
    print(json.dumps(fields, ensure_ascii=True), flush=True)
