"""What an account is shown: rooms, users, its own session. Must not decide whether it may be shown."""

from __future__ import annotations

from itertools import islice
from typing import Literal

from broker.chat.effects import Now
from broker.chat.entities import Account, Key, Room, Session
from broker.chat.ports import MarkRow
from broker.chat.rights import enters, hears_inbox, reads
from broker.chat.state import State
from common import keys, messages, topics
from common.limits import TALKS
from common.scopes import ACCOUNT, Scopes


def room_view(room: Room, account: Account, scopes: Scopes | None) -> messages.RoomView:
    """The room as a session of `account` sees it: one that may not read there learns nothing of the log."""
    since = room.members.get(account.id)
    readable = reads(scopes, room)
    mark = account.marks.get(room.id) if readable else None
    return messages.RoomView(
        id=room.id,
        name=room.name,
        kept=room.row.kept,
        private=room.row.private,
        open=room.row.open,
        subject=room.row.subject,
        creator=room.creator.login if room.creator else None,
        head=room.head if readable else 0,
        online=room.online,
        joined=since is not None,
        since=(since or 0) if readable else 0,
        hidden=room.id in account.hidden,
        read=mark.read if mark else 0,
        notify=mark.notify if mark else None,  # type: ignore[arg-type]
        moderators=moderators(room),
    )


def moderators(room: Room) -> list[str]:
    """Who keeps order in a room besides its creator, by login."""
    return [account.login for account in sorted(room.moderators.values(), key=lambda account: account.key)]


def _talk(state: State, mark: MarkRow) -> str:
    return state.rooms[mark.talk].name if mark.talk > 0 else topics.inbox(state.accounts[-mark.talk].login)


def talk_view(state: State, mark: MarkRow) -> messages.TalkView:
    """A private conversation as its owner has marked it."""
    return messages.TalkView(talk=_talk(state, mark), read=mark.read, notify=mark.notify)  # type: ignore[arg-type]


def marked(state: State, mark: MarkRow, label: str) -> messages.Marked:
    """The event that tells how a conversation is marked now; with a label, one of a gateway's sessions."""
    talk = _talk(state, mark)
    return messages.Marked(talk=talk, read=mark.read, notify=mark.notify, session=label)  # type: ignore[arg-type]


def roster_change(account: Account, change: Literal["joined", "online", "status"]) -> messages.Change:
    """What a roster event says of somebody who is there, with their status."""
    row = account.row
    return messages.Change(login=row.login, change=change, status=row.status, bot=row.bot)  # type: ignore[arg-type]


def user_view(account: Account) -> messages.UserView:
    """The account as everybody sees it."""
    row = account.row
    return messages.UserView(
        login=row.login,
        first_names=row.first_names,
        surnames=row.surnames,
        online=account.present,
        status=row.status,  # type: ignore[arg-type]
        bot=row.bot,
    )


def member_view(account: Account) -> messages.MemberView:
    """The account as a member of a room."""
    return messages.MemberView(
        login=account.login,
        online=account.present,
        status=account.row.status,  # type: ignore[arg-type]
        bot=account.row.bot,
    )


def profile(account: Account, asking: Session, now: Now) -> messages.ProfileView:
    """The account's profile: age and gender for its owner and the operator, a hidden `seen` for its owner alone.

    A key without `ACCOUNT` is shown what everybody is.
    """
    row = account.row
    whole = asking.scopes is None or ACCOUNT in asking.scopes
    own = whole and account is asking.account
    private = own or (whole and asking.account.row.operator)
    seen = now.time if account.present else row.seen or None
    return messages.ProfileView(
        login=row.login,
        first_names=row.first_names,
        surnames=row.surnames,
        created=row.created,
        online=account.present,
        age=row.age if private else None,
        gender=row.gender if private else None,  # type: ignore[arg-type]
        status=row.status,  # type: ignore[arg-type]
        note=row.note,
        seen=seen if own or row.show_seen else None,
        show_seen=row.show_seen if own else None,
        bot=row.bot,
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


def key_view(state: State, key: Key, now: Now) -> messages.KeyView:
    """A key as the owner of its account sees it."""
    row = key.row
    session, peer = state.session(row.key, ""), state.peers.get(row.key)
    seen = row.seen if session is None else now.time if session.present else session.seen
    return messages.KeyView(
        id=row.id,
        name=row.name,
        key=keys.public_of(row.key),
        scopes=list(key.scopes.written),
        created=row.created,
        seen=seen or None,
        online=session.present if session else not key.logs_in and peer is not None and peer.listening,
    )


def session_state(state: State, session: Session) -> messages.SessionState:
    """Where a session stands."""
    account, scopes = session.account, session.scopes
    whole = hears_inbox(scopes)
    talks = (mark for mark in reversed(account.marks.values()) if -mark.talk in state.accounts)
    return messages.SessionState(
        login=account.login,
        operator=account.row.operator,
        current=session.current.name,
        rooms=[room_view(room, account, scopes) for room in account.rooms.values() if enters(scopes, room)],
        inbox=account.head if whole else 0,
        talks=[talk_view(state, mark) for mark in islice(talks, TALKS)] if whole else [],
        status=account.row.status,  # type: ignore[arg-type]
        note=account.row.note,
        bot=account.row.bot,
        scopes=list(scopes.written) if scopes is not None else None,
        online=account.present,
    )
