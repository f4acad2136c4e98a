"""What the scopes of a session's key let it do: what each operation needs, and the questions about rooms and logs.

A session that logged in with a password has no scopes, and everything here is granted to it at once. Scopes narrow what
the account may do: whether the account may is asked besides. Must not know handlers.
"""

from __future__ import annotations

from typing import Final

from broker.chat.entities import Room, Session
from common import messages as m
from common.errors import Forbidden
from common.scopes import ACCOUNT, ADMIN, CREATE, DIRECT, OF_ROOMS, READ, WRITE, Scopes

NOTHING: Final = ()
ENTERS: Final = OF_ROOMS
READS: Final = (READ,)
WRITES: Final = (WRITE,)

NEEDS: Final[dict[type[m.Command], tuple[str, ...]]] = {
    m.Hello: NOTHING,
    m.Register: NOTHING,
    m.Login: NOTHING,
    m.Logout: NOTHING,
    m.Bye: NOTHING,
    m.Ping: NOTHING,
    m.Sessions: (ACCOUNT,),
    m.Revoke: (ACCOUNT,),
    m.Password: (ACCOUNT,),
    m.Profile: NOTHING,
    m.UpdateProfile: (ACCOUNT,),
    m.Users: NOTHING,
    m.Rooms: NOTHING,
    m.Create: (CREATE,),
    m.Join: ENTERS,
    m.Enter: ENTERS,
    m.Leave: ENTERS,
    m.Delete: (CREATE, ADMIN),
    m.Hide: ENTERS,
    m.Members: READS,
    m.Invite: (ADMIN,),
    m.Remove: (ADMIN,),
    m.Moderate: (ADMIN,),
    m.Subject: (ADMIN,),
    m.Send: WRITES,
    m.Direct: (DIRECT,),
    m.Edit: WRITES,
    m.Retract: WRITES,
    m.React: WRITES,
    m.Search: READS,
    m.Typing: ENTERS,
    m.Mark: ENTERS,
    m.SetStatus: NOTHING,
    m.History: READS,
    m.Keys: (ACCOUNT,),
    m.KeyAdd: (ACCOUNT,),
    m.KeyRevoke: (ACCOUNT,),
    m.StoreGet: NOTHING,
    m.StorePut: NOTHING,
    m.StoreList: NOTHING,
}
"""What each operation needs: one of these scopes, or nothing.

`READ` and `WRITE` are asked where the room is known (`check_room`), and where the log is an inbox, `DIRECT` is.
"""


def check(scopes: Scopes, command: type[m.Command]) -> None:
    """Whether a key of these scopes may ask that at all; of a room it is asked again. Raises `Forbidden`."""
    needed = NEEDS[command]
    if needed and needed[0] not in OF_ROOMS and not any(each in scopes for each in needed):
        raise lacks(*needed)


def check_plain(session: Session, scope: str) -> None:
    """Raises `Forbidden` if the session's key lacks that scope, which is none of a room."""
    if session.scopes is not None and scope not in session.scopes:
        raise lacks(scope)


def check_room(session: Session, room: Room, verbs: tuple[str, ...]) -> None:
    """Raises `Forbidden` if the session's key has none of the `verbs` for that room; nothing is asked without one."""
    if verbs and session.scopes is not None and not any(session.scopes.room(verb, room.key) for verb in verbs):
        raise lacks(*(f"{verb}:{room.name}" for verb in verbs))


def lacks(*scopes: str) -> Forbidden:
    """The refusal that names the scope that is missing, or those of which one would do."""
    return Forbidden(f"The key of this session lacks the scope {' or '.join(scopes)}.")


def enters(scopes: Scopes | None, room: Room) -> bool:
    """Whether a session of these scopes may be in that room at all."""
    return scopes is None or scopes.enters(room.key)


def reads(scopes: Scopes | None, room: Room) -> bool:
    """Whether a session of these scopes may learn what is said in that room, and who is there."""
    return scopes is None or scopes.room(READ, room.key)


def hears_inbox(scopes: Scopes | None) -> bool:
    """Whether a session of these scopes may read its account's inbox."""
    return scopes is None or DIRECT in scopes
