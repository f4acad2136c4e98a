"""What an outgoing hook tells of an entry of a room's log, by how the message that it is about is now.

Never of what a program said, which may be what a hook has brought; nor of what its author took back, nor in words that
were replaced: whatever waited is looked up at the broker before it goes out. Must not know when it is sent.
"""

from __future__ import annotations

from typing import Final

import msgspec

from client.link.chat import ChatClient
from client.link.room import Room, RoomEntry
from client.web.webhooks import payloads
from client.web.webhooks.hooks import Happening, Outgoing
from client.web.webhooks.payloads import Event
from common.messages import Edited, Message, Reacted, Retracted

FRESH_MS: Final = 1_000
"""Milliseconds for which a message is believed to be as it came; an older one may have been taken back meanwhile."""

_KINDS: Final[dict[type, Happening]] = {
    Message: "message",
    Edited: "edit",
    Retracted: "retract",
    Reacted: "reaction",
}


async def told(hook: Outgoing, chat: ChatClient, room: Room, entry: RoomEntry, again: bool = False) -> Event | None:
    """The event of an entry; None if the hook does not tell of this. Raises why the log cannot be read.

    `again`: it is sent once more, and may be another event than before.
    """
    if _KINDS[type(entry)] not in hook.events or entry.sender == chat.login:
        return None
    if isinstance(entry, Message):
        if not entry.hops and (again or chat.clock.now() - entry.time > FRESH_MS):
            now = await _message(room, entry.seq)
            if now is None:
                return None
            entry = now
        if entry.hops or entry.retracted:
            return None
    elif not isinstance(entry, Reacted):
        about = await _message(room, entry.target)
        if about is None or about.hops or (about.retracted and isinstance(entry, Edited)):
            return None
        if isinstance(entry, Edited):
            entry = msgspec.structs.replace(entry, text=about.text)
    return payloads.of_entry(hook, room.view.id, entry)


async def _message(room: Room, seq: int) -> Message | None:
    found = await room.history(after=seq - 1, limit=1)
    return found[0] if found and found[0].seq == seq else None
