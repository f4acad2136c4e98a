"""A change to what lasts: made in memory at once, written by the journal, announced after the commit.

A handler opens a `Change`, calls what is to happen, and returns its `effects(...)`. Each call changes the state,
and notes the write, how to take it back should the store fail, and what to announce once it is on disk.
Long because every kind of change stands here, so that none forgets one of the three.
Must not decide whether something is allowed; the handlers do.
"""

from __future__ import annotations

from collections.abc import Callable

from broker.chat import ports, telling
from broker.chat.effects import Answer, Commit, Cut, Effect, Now, Origin, Publish, Stamp
from broker.chat.entities import Account, Key, Room, Session
from broker.chat.grants import Grants
from broker.chat.rights import enters
from broker.chat.state import State
from broker.chat.views import moderators, roster_change
from common.messages import Change as RosterChange
from common.messages import Deleted, Ended, Entry, ModeratorsChanged, Reply, SubjectChanged

After = Callable[[Now], list[Effect]]


class Change:
    """One transaction on the state. Calls take effect in memory in the order in which they are made."""

    def __init__(self, state: State, grants: Grants) -> None:
        self._state = state
        self._grants = grants
        self._writes: list[ports.Write] = []
        self._undo: list[Callable[[], object]] = []
        self._after: list[After] = []
        self._heard: list[Callable[[ports.Place], list[Effect]]] = []

    def effects(self, origin: Origin | None, answer: Callable[[], Reply] | None = None) -> list[Effect]:
        """The effect that does it; `answer` makes the reply to `origin` when it is done.

        With nothing to write, the answer alone.
        """
        if not self._writes:
            return [Answer(origin, answer())] if origin and answer else []

        def then(places: list[tuple[ports.Place, ...]], now: Now) -> list[Effect]:
            effects: list[Effect] = []
            for heard, (place,) in zip(self._heard, places, strict=True):
                effects += heard(place)
            effects += [effect for after in self._after for effect in after(now)]
            # Whoever is cut is told first; whoever asked is answered when the cut is made.
            effects.sort(key=lambda effect: type(effect) is Cut)
            if origin and answer:
                effects.append(Answer(origin, answer()))
            return effects

        def undo() -> None:
            for step in reversed(self._undo):
                step()

        return [Commit(tuple(self._writes), then, undo, origin)]

    def after(self, effects: Callable[[Now], list[Effect]]) -> None:
        """Have `effects` follow once the change is on disk."""
        self._after.append(effects)

    def stamp(self, event: str, **fields: object) -> None:
        """Log one line once the change is on disk."""
        self._after.append(lambda _: [Stamp(event, fields)])

    def undone(self, undo: Callable[[], object]) -> None:
        """Have `undo` called if the store fails."""
        self._undo.append(undo)

    def write(self, write: ports.Write, undo: Callable[[], object] | None = None) -> None:
        """Note a write whose change in memory is made by the caller."""
        self._writes.append(write)
        if undo:
            self._undo.append(undo)

    # Accounts and sessions

    def add_account(self, row: ports.AccountRow, password: str, default: Room) -> Account:
        account = Account(row)
        self._state.add_account(account)
        self.write(ports.AddAccount(row, password), lambda: self._state.forget_account(account))
        if default.head:
            # Of what was said in the default room before, nobody who is new has missed anything.
            mark = account.marks[default.id] = ports.MarkRow(account.id, default.id, default.head, None, row.created)
            self.write(ports.PutMark(mark), lambda: account.marks.pop(default.id, None))
        return account

    def update_account(self, account: Account, row: ports.AccountRow) -> None:
        old = account.row
        account.row = row
        # When somebody was here last is true even if it could not be kept.
        undo = lambda: setattr(account, "row", old._replace(seen=account.row.seen))  # noqa: E731
        self.write(ports.UpdateAccount(row), undo)

    def set_password(self, account: Account, password: str) -> None:
        """Replace the password by that tagged hash; tokens end, and so do logins that are being checked."""

        def renew() -> list[Effect]:
            account.secrets += 1
            return []

        renew()
        self.after(lambda _: renew())
        self.write(ports.SetPassword(account.id, password))
        self.write(ports.DropTokens(account.id, None))

    def add_key(self, row: ports.KeyRow, account: Account) -> Key:
        key = Key(row, account)
        self._state.add_key(key)
        self.write(ports.PutKey(row), lambda: self._state.forget_key(key))
        return key

    def drop_key(self, key: Key) -> None:
        """Forget a key; a session that it has is to be unbound after that."""
        self._state.forget_key(key)
        self.write(ports.DropKey(key.id), lambda: self._state.add_key(key))

    def bind(self, session: Session) -> None:
        """Add a session."""
        self._state.bind(session)
        self.write(ports.PutSession(session.row()), lambda: self._state.unbind(session))

        def keep(_: Now) -> list[Effect]:
            session.kept = True
            return []

        self._after.append(keep)

    def unbind(self, session: Session, reason: str) -> None:
        """End a session: its beacon is told, and its connections lose what only it was entitled to."""
        self._state.unbind(session)
        self.write(ports.DropSession(session.id), lambda: self._state.bind(session))
        if session.key is not None and session.key.id in session.account.keys:
            self._note_seen(session.key, session.seen)
        ended = Ended(reason=reason, session=session.label)  # type: ignore[arg-type]
        self._after.append(lambda _: [Publish(session.peer.beacon, ended), *self._grants.withdraw(session.peer)])

    def _note_seen(self, key: Key, seen: int) -> None:
        key.row = key.row._replace(seen=seen)
        # That it was used is true even if it could not be kept.
        self.write(ports.PutKey(key.row))

    def set_current(self, session: Session, room: Room) -> None:
        """Note which room a session is in."""
        old = session.current
        if old is not room:
            session.current = room
            self.write(ports.PutSession(session.row()), lambda: setattr(session, "current", old))

    # Rooms

    def add_room(self, row: ports.RoomRow, creator: Account | None) -> Room:
        room = Room(row, creator)
        self._state.add_room(room)
        self.write(ports.AddRoom(row), lambda: self._state.forget_room(room))
        return room

    def update_subject(self, room: Room, subject: str, by: str) -> None:
        old = room.row
        room.row = old._replace(subject=subject)
        self.write(ports.UpdateRoom(room.row), lambda: setattr(room, "row", old))
        self._after.append(lambda now: [Publish(room.name, SubjectChanged(time=now.time, by=by, subject=subject))])

    def set_moderator(self, room: Room, account: Account, on: bool, by: str) -> None:
        """Have an account keep order in a room, or no longer."""
        before = dict(room.moderators)
        row = ports.ModeratorRow(room.id, account.id)
        if on:
            room.moderators[account.id] = account
        else:
            del room.moderators[account.id]
        write = ports.PutModerator(row) if on else ports.DropModerator(*row)
        self.write(write, lambda: setattr(room, "moderators", before))

        logins = moderators(room)
        self._after.append(lambda now: [Publish(room.name, ModeratorsChanged(time=now.time, by=by, moderators=logins))])

    def drop_room(self, room: Room, by: str, reason: str, default: Room) -> None:
        """Delete a room. Sessions that were in it, and members without another room, come to `default`."""
        members = [self._state.accounts[id] for id in list(room.members)]
        memberships = dict(room.members)
        self._state.forget_room(room)

        def undo() -> None:
            self._state.add_room(room)
            room.members.update(memberships)
            room.online = sum(account.present for account in members)

        self.write(ports.DropRoom(room.id), undo)

        def after(now: Now) -> list[Effect]:
            self._grants.outlive(room, now)
            return [Publish(room.name, Deleted(time=now.time, id=room.id, by=by, reason=reason))]  # type: ignore[arg-type]

        self._after.append(after)
        for account in members:
            del account.rooms[room.id]
            self._undo.append(lambda account=account: account.rooms.__setitem__(room.id, room))  # type: ignore[misc]
            mark = account.marks.pop(room.id, None)
            if mark is not None:
                self._undo.append(lambda account=account, mark=mark: account.marks.__setitem__(room.id, mark))  # type: ignore[misc]
            self._tell_left(account, room, reason)
            self.settle(account, room, default)
        room.members.clear()

    def settle(self, account: Account, room: Room, default: Room) -> None:
        """After `account` lost `room`: bring the sessions that were in it, and whoever has no room, to `default`.

        Whoever is absent is brought there on their return. Nobody is if no session may be there: they are in no room.
        """
        homeless = [session for session in account.sessions.values() if session.current is room]
        for session in homeless:
            self.set_current(session, default)
        may = any(enters(session.scopes, default) for session in account.sessions.values())
        if may and account.present and (homeless or not account.rooms):
            self.join(account, default)

    # Memberships

    def join(self, account: Account, room: Room) -> None:
        """Make the account a member, if it is none; if that is under way, whoever asks again waits for it, too."""
        if account.id in room.members:
            if account.id in room.joining:
                self.write(ports.PutMember(ports.MemberRow(room.id, account.id, room.members[account.id])))
            return
        since = room.head if room.row.private and not room.row.open else 0
        self._enlist(account, room, since)
        room.joining[account.id] = self

        def undo() -> None:
            self._strike(account, room)
            if room.creator is not None:
                account.marks.pop(room.id, None)

        self.write(ports.PutMember(ports.MemberRow(room.id, account.id, since)), undo)
        if room.id in account.hidden:
            self.set_hidden(account, room, False)

        def after(_: Now) -> list[Effect]:
            if room.joining.get(account.id) is self:
                del room.joining[account.id]
            self._state.announce(room, roster_change(account, "joined"))
            return telling.joined(account, room)

        self._after.append(after)

    def leave(self, account: Account, room: Room, reason: str) -> None:
        """End a membership; connections that still hear the room are cut before anything is answered."""
        since = room.members[account.id]
        self._strike(account, room)
        self.write(ports.DropMember(room.id, account.id), lambda: self._enlist(account, room, since))
        # Everybody comes back to the default room, and goes on reading where they stopped.
        if room.creator is not None:
            self._forget_mark(account, room)

        if reason in ("left", "removed"):
            self._tell_left(account, room, reason)

        def after(_: Now) -> list[Effect]:
            left = RosterChange(login=account.login, change="left", reason=reason)  # type: ignore[arg-type]
            self._state.announce(room, left)
            return self._grants.revoke(room.topic, account)

        self._after.append(after)

    def _forget_mark(self, account: Account, room: Room) -> None:
        mark = account.marks.pop(room.id, None)
        if mark is not None:
            self.write(ports.DropMark(account.id, room.id), lambda: account.marks.__setitem__(room.id, mark))

    def _tell_left(self, account: Account, room: Room, reason: str) -> None:
        self._after.append(lambda _: telling.left(account, room, reason))

    def _enlist(self, account: Account, room: Room, since: int) -> None:
        room.members[account.id] = since
        account.rooms[room.id] = room
        room.online += account.present

    def _strike(self, account: Account, room: Room) -> None:
        del room.members[account.id], account.rooms[room.id]
        room.joining.pop(account.id, None)
        room.online -= account.present

    # Inboxes, invitations and hiding

    def append(self, owner: Account, entries: ports.NewEntries, event: Callable[[ports.Place], Entry]) -> None:
        """Add an entry to one account's inbox; `event` makes of its place what is broadcast there."""
        self._writes.append(entries)

        def heard(place: ports.Place) -> list[Effect]:
            owner.head = place.seq
            return [Publish(owner.inbox, event(place))]

        self._heard.append(heard)

    def invite(self, account: Account, room: Room) -> None:
        account.invited.add(room.id)
        self.write(
            ports.PutInvitation(ports.InvitationRow(room.id, account.id)), lambda: account.invited.discard(room.id)
        )

    def withdraw_invitation(self, account: Account, room: Room) -> None:
        if room.id in account.invited:
            account.invited.discard(room.id)
            self.write(ports.DropInvitation(room.id, account.id), lambda: account.invited.add(room.id))

    # What an account keeps

    def store(self, account: Account, key: str, value: bytes | None) -> None:
        """Keep a value under a key; None forgets what was there."""
        before = account.set_stored(key, None if value is None else len(value))
        write = ports.DropStored(account.id, key) if value is None else ports.PutStored(account.id, key, value)
        self.write(write, lambda: account.set_stored(key, before))

    def set_hidden(self, account: Account, room: Room, hidden: bool) -> None:
        change, back = account.hidden.add, account.hidden.discard
        if not hidden:
            change, back = back, change
        change(room.id)
        self.write(ports.SetHidden(account.id, room.id, hidden), lambda: back(room.id))
