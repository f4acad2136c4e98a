"""What an account is shown: rooms, users, its own session. Must not decide whether it may be shown."""

from __future__ import annotations

from broker.chat.effects import Now
from broker.chat.entities import Account, Room, Session
from common import messages


def room_view(room: Room, account: Account) -> messages.RoomView:
    """The room as `account` sees it."""
    since = room.members.get(account.id)
    return messages.RoomView(
        id=room.id,
        name=room.name,
        kept=room.row.kept,
        private=room.row.private,
        open=room.row.open,
        subject=room.row.subject,
        creator=room.creator.login if room.creator else None,
        head=room.head,
        online=room.online,
        joined=since is not None,
        since=since or 0,
        hidden=room.id in account.hidden,
    )


def user_view(account: Account) -> messages.UserView:
    """The account as everybody sees it."""
    row = account.row
    return messages.UserView(
        login=row.login, first_names=row.first_names, surnames=row.surnames, online=account.present
    )


def profile(account: Account, *, private: bool) -> messages.ProfileView:
    """The account's profile; with age and gender if `private`."""
    row = account.row
    return messages.ProfileView(
        login=row.login,
        first_names=row.first_names,
        surnames=row.surnames,
        created=row.created,
        online=account.present,
        age=row.age if private else None,
        gender=row.gender if private else None,  # type: ignore[arg-type]
    )


def session_view(session: Session, asking: Session, now: Now) -> messages.SessionView:
    """A session as its owner sees it."""
    return messages.SessionView(
        id=session.id,
        client=session.client,
        created=session.created,
        seen=now.time if session.present else session.seen,
        online=session.present,
        current=session is asking,
    )


def session_state(session: Session) -> messages.SessionState:
    """Where a session stands."""
    account = session.account
    return messages.SessionState(
        login=account.login,
        operator=account.row.operator,
        current=session.current.name,
        rooms=[room_view(room, account) for room in account.rooms.values()],
        inbox=account.head,
    )
