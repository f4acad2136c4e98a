"""Who is here: sessions appear and vanish, rooms end with their creators, and reconnecting shows no flicker.

A session is present as long as its peer is heard from (`SILENCE_S`: a heartbeat is a request) and, once it has held
its beacon, holds it. A lost connection counts after `PRESENCE_SETTLE_S`; what hangs on presence ends `grace_s`
later. Waiting is measured by the clock that never jumps. Must not know sockets, nor why a connection was lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from broker.chat.change import Change
from broker.chat.effects import Effect, Now
from broker.chat.entities import Account, Peer, Room, Session
from broker.chat.gateways import Gateways
from broker.chat.grants import Grants
from broker.chat.ports import PutSession, SessionRow, UpdateAccount
from broker.chat.rights import enters
from broker.chat.settings import ChatSettings
from broker.chat.state import State
from broker.chat.views import roster_change
from common.limits import PRESENCE_SETTLE_S, SESSION_DAYS, SILENCE_S
from common.messages import Change as RosterChange

_DAY_MS = 86_400_000
_FORGET_S = 3_600.0
"""Seconds between two looks for sessions that were unused for long."""
_LOOK_S = 1.0
"""Seconds between two looks at every present session: a thousand of them take a fifth of a millisecond."""


class Presence:
    """The presence of every session and account, and what follows from its end."""

    def __init__(self, state: State, grants: Grants, settings: ChatSettings, gateways: Gateways, default: Room) -> None:
        self._state = state
        self._grants = grants
        self._gateways = gateways
        self._settings = settings
        self._default = default
        self._lost: dict[str, Peer] = {}
        """Peers whose last connection was lost a moment ago."""
        self._present: dict[int, Session] = {}
        """Every present session."""
        self._next_look = float("-inf")
        """When to look for those that fell silent."""
        self._next_forgetting = float("-inf")
        """When to look for those that were unused for long."""
        self._absent: dict[int, float] = {}
        """Accounts that are absent, and since when, until their grace is over."""

    def restore(self, rows: Sequence[SessionRow], now: Now) -> None:
        """Add the sessions on disk; whoever was present at the end is presumed to come back within the grace."""
        for row in rows:
            account = self._state.accounts.get(row.account)
            if account is None or account.row.disabled or not self._may_go_on(row, now):
                continue
            current = self._state.rooms.get(row.current, self._default)
            session = Session(row, account, self._grants.peer(row.key), current, self._state.key_of(row.key, row.label))
            session.kept = True
            self._state.bind(session)
            if row.present:
                session.present = True
                session.presumed_until = now.mono + self._settings.grace_s
                self._present[session.id] = session
                self._set_account_present(account, announce=False)
        for account in self._state.accounts.values():
            if not account.present and (account.created_rooms or account.rooms):
                self._absent[account.id] = now.mono

    def _may_go_on(self, row: SessionRow, now: Now) -> bool:
        """Whether a session on disk is still one: in use, or a key's, and not of a gateway that was struck off.

        What was forgotten is still on disk; its key may have come to log in to another account since.
        """
        key = self._state.key_of(row.key, row.label)
        if key is not None:
            return key.account.id == row.account
        used = row.present or row.seen >= oldest(now)
        return used and (not row.label or row.key in self._gateways)

    def heard(self, session: Session, now: Now) -> list[Effect]:
        """A request came: a sign of life."""
        session.peer.heard = now.mono
        if session.present:
            return []
        if session.peer.had_beacon and not session.peer.listening:
            return []
        return self.appear(session, now)

    def lives(self, key: str, now: Now) -> None:
        """A request came that is of no session: of a gateway it is a sign of life all the same, for all its people."""
        peer = self._state.peers.get(key)
        if peer is not None:
            peer.heard = now.mono

    def beacon_granted(self, peer: Peer, now: Now) -> list[Effect]:
        """The peer listens (again)."""
        peer.lost_at = None
        self._lost.pop(peer.key, None)
        peer.heard = now.mono
        own = peer.sessions.get("")
        return self.appear(own, now) if own and not own.present else []

    def beacon_gone(self, peer: Peer, now: Now) -> None:
        """A connection of the peer no longer holds its beacon."""
        if peer.had_beacon and not peer.listening and peer.lost_at is None:
            peer.lost_at = now.mono
            self._lost[peer.key] = peer

    def appear(self, session: Session, now: Now, change: Change | None = None) -> list[Effect]:
        """The session is here; its account is brought to the default room if the session's room is lost.

        A session whose key has no scope there is in no room then, though the default one is its current one by name.

        With `change`, what is to be kept becomes a part of it, and whoever opened it commits it.
        """
        account = session.account
        session.present = True
        session.seen = now.time
        session.peer.heard = now.mono
        self._present[session.id] = session
        self._set_account_present(account, announce=True)
        part = change or Change(self._state, self._grants)
        homeless = session.current.id not in account.rooms
        if homeless:
            part.set_current(session, self._default)
            if enters(session.scopes, self._default):
                part.join(account, self._default)
        # That somebody is back at their place is true even if it cannot be kept.
        undo = (lambda: self._retract(session, now)) if change or homeless else None
        part.write(PutSession(session.row()), undo)
        return part.effects(None) if change is None else []

    def _retract(self, session: Session, now: Now) -> None:
        """Take an appearance back, since it could not be kept: the next sign of life tries again."""
        session.present = False
        self._present.pop(session.id, None)
        self._check_account_absent(session.account, now)

    def vanish(self, session: Session, now: Now, *, reason: Literal["", "exit", "disabled"] = "") -> list[Effect]:
        """The session is not here any more; with a `reason` its end is no accident, and there is no grace."""
        account = session.account
        self._present.pop(session.id, None)
        change = Change(self._state, self._grants)
        if session.present:
            session.present = False
            session.seen = now.time
            if session.id in self._state.sessions:
                change.write(PutSession(session.row()))
                change.stamp("session-absent", login=account.login, session=session.id)
        was_here = account.present
        absent = self._check_account_absent(account, now, at_once=bool(reason))
        if was_here and absent:
            account.row = account.row._replace(seen=now.time)
            change.write(UpdateAccount(account.row))
        effects = change.effects(None)
        if absent and reason:
            self._absent.pop(account.id, None)
            effects += self._gone(account, reason, now)
        return effects

    def _check_account_absent(self, account: Account, now: Now, *, at_once: bool = False) -> bool:
        """Whether no session of the account is present; if that is new, its rooms are told.

        With `at_once` the rooms that it is about to leave are not: they will hear of that.
        """
        if any(session.present for session in account.sessions.values()):
            return False
        if account.present:
            account.present = False
            for room in account.rooms.values():
                room.online -= 1
                if not at_once or (room.row.kept and room is not self._default):
                    self._state.announce(room, RosterChange(login=account.login, change="offline"))
            self._absent[account.id] = now.mono
        return True

    def _set_account_present(self, account: Account, *, announce: bool) -> None:
        self._absent.pop(account.id, None)
        if account.present:
            return
        account.present = True
        for room in account.rooms.values():
            room.online += 1
            if announce:
                self._state.announce(room, roster_change(account, "online"))

    def _gone(self, account: Account, reason: str, now: Now) -> list[Effect]:
        """What hangs on an account's presence ends: its rooms that are not kept, and its places in such rooms.

        If that cannot be kept it is tried again after another grace.
        """
        change = Change(self._state, self._grants)
        change.undone(lambda: self._absent.setdefault(account.id, now.mono))
        for room in list(account.created_rooms.values()):
            if not room.row.kept:
                change.drop_room(room, account.login, "creator-gone", self._default)
                change.stamp("room-deleted", room=room.name, by=account.login, reason="creator-gone")
        for room in list(account.rooms.values()):
            if not room.row.kept or room is self._default:
                change.leave(account, room, reason)
        for session in account.sessions.values():
            change.set_current(session, self._default)
        return change.effects(None)

    def tick(self, now: Now) -> list[Effect]:
        """Whatever waiting is over."""
        effects: list[Effect] = []
        for peer in [peer for peer in self._lost.values() if _passed(peer.lost_at, PRESENCE_SETTLE_S, now)]:
            del self._lost[peer.key]
            peer.lost_at = None
            for session in list(peer.sessions.values()):
                effects += self.vanish(session, now)
            self._state.drop_peer_if_idle(peer)
        if now.mono >= self._next_look:
            self._next_look = now.mono + _LOOK_S
            for session in [session for session in self._present.values() if _silent(session, now)]:
                effects += self.vanish(session, now)
        if now.mono >= self._next_forgetting:
            self._next_forgetting = now.mono + _FORGET_S
            effects += self._forget(now)
        for id in [id for id, since in self._absent.items() if since + self._settings.grace_s <= now.mono]:
            del self._absent[id]
            if id in self._state.accounts:
                effects += self._gone(self._state.accounts[id], "gone", now)
        return effects

    def _forget(self, now: Now) -> list[Effect]:
        """End the sessions that were unused for too long."""
        change = Change(self._state, self._grants)
        for session in list(self._state.sessions.values()):
            if not session.present and session.key is None and session.seen < oldest(now):
                change.unbind(session, "revoked")
                change.stamp("session-forgotten", login=session.account.login, session=session.id)
        return change.effects(None)


def _silent(session: Session, now: Now) -> bool:
    """Whether nothing was heard of the session's peer for too long, and it is not presumed to come back."""
    presumed = session.presumed_until is not None and session.presumed_until > now.mono
    return session.peer.heard + SILENCE_S <= now.mono and not presumed


def oldest(now: Now) -> int:
    """The time (ms) before which a session must not have been seen last, nor a token been made, to be still good."""
    return now.time - SESSION_DAYS * _DAY_MS


def _passed(since: float | None, seconds: float, now: Now) -> bool:
    return since is not None and now.mono - since >= seconds
