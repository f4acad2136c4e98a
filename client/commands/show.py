"""How commands print: lines for people, or one JSON object a line for programs.

Nothing that somebody else wrote reaches the terminal as a control character. Must not know where it came from.

JSON is ASCII, one object a line, and stable: fields may be added, none is renamed or removed.

    message   {"kind", "room", "seq", "prev", "time", "sender", "text", "reply_to", "edited", "retracted", "reactions"}
    edit      {"kind", "room", "seq", "prev", "time", "sender", "target", "text"}
    retract   {"kind", "room", "seq", "prev", "time", "sender", "target"}
    reaction  {"kind", "room", "seq", "prev", "time", "sender", "target", "emoji", "on"}
    room      {"name", "online", "joined", "kept", "private", "creator", "subject", "head"}
    user      {"login", "online", "first_names", "surnames"}
    key       {"id", "name", "scopes", "created", "seen", "online"}

Times are ms UTC by the broker's clock. `reply_to` and `edited` are 0 if there is none, or it never was; `reactions` is
a list of {"emoji", "count", "mine"}, `target` the `seq` of the message that is changed.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

from client.language import N_, _
from common.messages import Edited, KeyView, Message, Reacted, Retracted, RoomView, UserView
from common.texts import visible

_MARKS: Final = (N_("joined"), N_("kept"), N_("private"))


_FIELDS: Final = ("seq", "prev", "time", "sender", "target", "text", "emoji", "on", "reply_to", "edited", "retracted")


def entry(room: str, entry: Message | Edited | Retracted | Reacted, *, as_json: bool) -> None:
    """Print a message of a room, or what changes one."""
    if as_json:
        fields = {name: getattr(entry, name) for name in _FIELDS if hasattr(entry, name)}
        if isinstance(entry, Message):
            fields["reactions"] = [
                {"emoji": view.emoji, "count": view.count, "mine": view.mine} for view in entry.reactions
            ]
        _object(kind=entry.__struct_config__.tag, room=room, **fields)
        return
    when = datetime.fromtimestamp(entry.time / 1000).strftime("%Y-%m-%d %H:%M:%S")
    print(f"{when} {_line(entry)}", flush=True)


def _line(entry: Message | Edited | Retracted | Reacted) -> str:
    who = visible(entry.sender)
    match entry:
        case Message(retracted=True):
            return _("{who}: (taken back)").format(who=who)
        case Message():
            return f"{who}: {_indented(entry.text)}" + (" " + _("(edited)") if entry.edited else "")
        case Edited():
            return "* " + _("{who} edited a message: {text}").format(who=who, text=_indented(entry.text))
        case Retracted():
            return "* " + _("{who} took a message back").format(who=who)
        case _ if entry.on:
            return "* " + _("{who} put {emoji} to a message").format(who=who, emoji=visible(entry.emoji))
        case _:
            return "* " + _("{who} took {emoji} away again").format(who=who, emoji=visible(entry.emoji))


def _indented(text: str) -> str:
    return visible(text, newlines=True).replace("\n", "\n    ")


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


def key(view: KeyView, *, as_json: bool) -> None:
    """Print a key of one's own."""
    if as_json:
        names = ("id", "name", "scopes", "created", "seen", "online")
        _object(**{name: getattr(view, name) for name in names})
        return
    when = _("never used")
    if view.online:
        when = _("in use now")
    elif view.seen is not None:
        used = datetime.fromtimestamp(view.seen / 1000).strftime("%Y-%m-%d %H:%M")
        when = _("last used {when}").format(when=used)
    print(f"{view.id:>4}  {visible(view.name)}  ({when})  {visible(' '.join(view.scopes))}", flush=True)


def _object(**fields: object) -> None:
    print(json.dumps(fields, ensure_ascii=True), flush=True)
