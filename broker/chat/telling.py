"""Telling an account's sessions of its rooms, each what its key lets it know.

They are told on the inbox, which all of them hear that logged in with a password. A session by a key may hear the inbox
and not the room, or the room and not the inbox; then it is told on its beacon what it may know, or nothing. Must not
know what happened.
"""

from __future__ import annotations

from collections.abc import Callable

from broker.chat.effects import Effect, Publish
from broker.chat.entities import Account, Room
from broker.chat.ports import MarkRow
from broker.chat.rights import enters, hears_inbox, reads
from broker.chat.state import State
from broker.chat.views import marked, room_view
from common.messages import Event, JoinedRoom, LeftRoom
from common.scopes import Scopes

Make = Callable[[Scopes | None, str], Event]
"""What a session of these scopes is told; with a label, on the beacon of the gateway that it belongs to."""


def joined(account: Account, room: Room) -> list[Effect]:
    """The account is a member of the room."""
    return _told(account, room, lambda scopes, label: JoinedRoom(room=room_view(room, account, scopes), session=label))


def left(account: Account, room: Room, reason: str) -> list[Effect]:
    """The account is no member of the room any more."""
    make: Make = lambda _, label: LeftRoom(id=room.id, name=room.name, reason=reason, session=label)  # type: ignore[arg-type]  # noqa: E731
    return _told(account, room, make)


def marked_now(state: State, account: Account, mark: MarkRow) -> list[Effect]:
    """A conversation is marked so now."""
    if mark.talk < 0:
        return [Publish(account.inbox, marked(state, mark, ""))]
    return _told(account, state.rooms[mark.talk], lambda _, label: marked(state, mark, label), reads)


def _told(
    account: Account, room: Room, make: Make, concerns: Callable[[Scopes | None, Room], bool] = enters
) -> list[Effect]:
    sessions = list(account.sessions.values())
    narrow = [session for session in sessions if session.scopes is not None]
    if not narrow:
        return [Publish(account.inbox, make(None, ""))]
    effects: list[Effect] = []
    if any(hears_inbox(session.scopes) and not reads(session.scopes, room) for session in narrow):
        # Somebody hears the inbox who may know nothing of this room.
        apart = sessions
    else:
        effects.append(Publish(account.inbox, make(None, "")))
        apart = [session for session in narrow if not hears_inbox(session.scopes)]
    for session in apart:
        if concerns(session.scopes, room):
            effects.append(Publish(session.peer.beacon, make(session.scopes, session.label)))
    return effects
