"""What outgoing hooks send: an event as JSON that Slack, Mattermost and Discord take as a message, and its signature.

    {"text": "ana: hola", "content": the same, "event": "message", "user_name": "ana", "channel_name": "lobby",
     "timestamp": milliseconds UTC, "id": the same whenever it is sent again, "seq": its place in the log, …}

and `allowed_mentions`, by which Discord wakes nobody.

Must not know how it is sent, nor to whom.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from typing import Any, NamedTuple

from client.language import _
from client.link.room import RoomEntry
from client.web.webhooks.hooks import Happening, Outgoing
from common.messages import Change, Edited, Message, Retracted


class Event(NamedTuple):
    """Something to send."""

    kind: Happening
    body: bytes
    time: int
    """When it happened, in milliseconds UTC by the broker's clock."""
    id: str
    seq: int = 0
    """Its place in the room's log; 0 for what is in none."""


def of_entry(hook: Outgoing, room: int, entry: RoomEntry) -> Event:
    """The event of an entry of the log of the room with the id `room`."""
    kind, text, details = _told(entry)
    identity = f"{hook.id}-{room}-{entry.seq}"
    return _event(hook, kind, text, entry.sender, entry.time, identity, {"seq": entry.seq, **details})


def of_change(hook: Outgoing, change: Change, time: int) -> Event:
    """The event of somebody who came or left."""
    kind: Happening = "join" if change.change == "joined" else "leave"
    text = _("{login} came in") if kind == "join" else _("{login} left")
    identity = f"{hook.id}-{secrets.token_hex(8)}"
    return _event(hook, kind, text.format(login=change.login), change.login, time, identity, {})


def _told(entry: RoomEntry) -> tuple[Happening, str, dict[str, Any]]:
    if isinstance(entry, Message):
        return "message", f"{entry.sender}: {entry.text}", {"reply_to": entry.reply_to} if entry.reply_to else {}
    if isinstance(entry, Edited):
        text = _("{login} edited a message: {text}").format(login=entry.sender, text=entry.text)
        return "edit", text, {"target": entry.target}
    if isinstance(entry, Retracted):
        return "retract", _("{login} took a message back").format(login=entry.sender), {"target": entry.target}
    text = _("{login} put {emoji} to a message") if entry.on else _("{login} took {emoji} away from a message")
    details = {"target": entry.target, "emoji": entry.emoji, "on": entry.on}
    return "reaction", text.format(login=entry.sender, emoji=entry.emoji), details


def _event(
    hook: Outgoing, kind: Happening, text: str, login: str, time: int, identity: str, details: dict[str, Any]
) -> Event:
    told = {
        "text": text,
        "content": text,
        # Whoever writes here may not wake everybody there with @everyone.
        "allowed_mentions": {"parse": []},
        "event": kind,
        "user_name": login,
        "channel_name": hook.room,
        "timestamp": time,
        "id": identity,
        **details,
    }
    return Event(kind, json.dumps(told).encode(), time, identity, details.get("seq", 0))


def headers(event: Event, secret: str, seconds: int) -> dict[str, str]:
    """The headers of a request with that event, made at that time: seconds UTC, so that an old one can be told."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "tertulia-web",
        "X-Tertulia-Event": event.kind,
        "X-Tertulia-Delivery": event.id,
        "X-Tertulia-Timestamp": str(seconds),
        "X-Tertulia-Signature": f"sha256={signature(secret, seconds, event.body)}",
    }


def signature(secret: str, seconds: int, body: bytes) -> str:
    """HMAC-SHA-256 of the timestamp, a dot and the body, in hexadecimal."""
    return hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
