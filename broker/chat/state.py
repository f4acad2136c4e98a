"""Who and what there is, in memory: every account, session, peer and room, and the indexes over them.

Loaded once from the store's snapshot; changed only through `broker.chat.change` (what lasts) and
`broker.chat.presence` (who is here). Must not know how a change is kept or announced.
"""

from __future__ import annotations

from bisect import insort
from collections import OrderedDict
from typing import Final

from broker.chat.entities import Account, Key, Peer, Room, Session
from broker.chat.ports import Snapshot
from common import lookalikes, messages, names, topics
from common.limits import STRANGERS

_CLIENTS_KEPT: Final = STRANGERS
"""Descriptions of clients that said hello and may log in; the oldest is forgotten first."""


class State:
    """Everything, with the indexes by which it is found."""

    def __init__(self) -> None:
        self.accounts: dict[int, Account] = {}
        self.account_by_key: dict[str, Account] = {}
        self.account_by_skeleton: dict[str, Account] = {}
        self.account_by_inbox: dict[bytes, Account] = {}
        self.account_keys: list[str] = []
        self.rooms: dict[int, Room] = {}
        self.room_by_name: dict[str, Room] = {}
        self.room_by_key: dict[str, Room] = {}
        self.room_by_skeleton: dict[str, Room] = {}
        self.room_by_topic: dict[bytes, Room] = {}
        self.peers: dict[str, Peer] = {}
        self.peer_by_beacon: dict[bytes, Peer] = {}
        self.sessions: dict[int, Session] = {}
        self.keys: dict[str, Key] = {}
        """By the public key, those that log in by themselves."""
        self.clients: OrderedDict[tuple[str, str], str] = OrderedDict()
        self.last_ids: dict[str, int] = {}
        self.dirty: dict[int, Room] = {}
        """Rooms with changes to announce."""

    def next_id(self, table: str) -> int:
        """A number never handed out before in `table`."""
        self.last_ids[table] = self.last_ids.get(table, 0) + 1
        return self.last_ids[table]

    def account(self, login: str) -> Account | None:
        """The account of that login, however it is written."""
        return self.account_by_key.get(names.key(login))

    def room(self, name: str) -> Room | None:
        """The room of that name, however it is written."""
        return self.room_by_name.get(name) or self.room_by_key.get(names.key(name))

    def session(self, key: str, label: str) -> Session | None:
        """The session bound to that key and label."""
        peer = self.peers.get(key)
        return peer.sessions.get(label) if peer else None

    def key_of(self, key: str, label: str) -> Key | None:
        """What logs that connection in by itself; of a gateway's sessions only the gateway's own can be."""
        found = None if label else self.keys.get(key)
        return found if found is not None and found.logs_in else None

    def add_key(self, key: Key) -> None:
        self.keys[key.row.key] = key
        key.account.keys[key.id] = key

    def forget_key(self, key: Key) -> None:
        del self.keys[key.row.key], key.account.keys[key.id]

    def add_account(self, account: Account) -> None:
        self.accounts[account.id] = account
        self.account_by_key[account.key] = account
        self.account_by_skeleton[lookalikes.skeleton(account.login)] = account
        self.account_by_inbox[topics.topic(account.inbox)] = account
        insort(self.account_keys, account.key)

    def forget_account(self, account: Account) -> None:
        del self.accounts[account.id], self.account_by_key[account.key]
        del self.account_by_skeleton[lookalikes.skeleton(account.login)]
        del self.account_by_inbox[topics.topic(account.inbox)]
        self.account_keys.remove(account.key)

    def add_room(self, room: Room) -> None:
        self.rooms[room.id] = room
        self.room_by_name[room.name] = room
        self.room_by_key[room.key] = room
        self.room_by_skeleton[room.skeleton] = room
        self.room_by_topic[room.topic] = room
        if room.creator:
            room.creator.created_rooms[room.id] = room

    def forget_room(self, room: Room) -> None:
        del self.rooms[room.id], self.room_by_name[room.name], self.room_by_key[room.key]
        del self.room_by_skeleton[room.skeleton], self.room_by_topic[room.topic]
        if room.creator:
            room.creator.created_rooms.pop(room.id, None)
        self.dirty.pop(room.id, None)

    def bind(self, session: Session) -> None:
        """Make a session known; its peer too, if this is the peer's first."""
        # Of a session that is bound again, the peer may have been forgotten, and have come back with a connection.
        session.peer = self.peers.get(session.peer.key, session.peer)
        self.add_peer(session.peer)
        session.peer.sessions[session.label] = session
        session.account.sessions[session.id] = session
        self.sessions[session.id] = session

    def unbind(self, session: Session) -> None:
        session.peer.sessions.pop(session.label, None)
        session.account.sessions.pop(session.id, None)
        self.sessions.pop(session.id, None)
        self.drop_peer_if_idle(session.peer)

    def add_peer(self, peer: Peer) -> None:
        self.peers[peer.key] = peer
        self.peer_by_beacon[topics.topic(peer.beacon)] = peer

    def drop_peer_if_idle(self, peer: Peer) -> None:
        """Forget a peer that has neither a session nor a connection."""
        if not peer.sessions and not peer.connections and self.peers.get(peer.key) is peer:
            del self.peers[peer.key], self.peer_by_beacon[topics.topic(peer.beacon)]

    def note_client(self, key: str, label: str, client: str) -> None:
        """Remember how a client describes itself until it logs in."""
        self.clients[key, label] = client
        self.clients.move_to_end((key, label))
        if len(self.clients) > _CLIENTS_KEPT:
            self.clients.popitem(last=False)

    def announce(self, room: Room, change: messages.Change) -> None:
        """Have the room's next roster event say that; of somebody's statuses, the last."""
        if room.id in self.rooms:
            if change.change == "status":
                room.changes = [each for each in room.changes if each.change != "status" or each.login != change.login]
            room.changes.append(change)
            self.dirty[room.id] = room


def load(snapshot: Snapshot) -> State:
    """Build the state from what is on disk; sessions are added by `broker.chat.presence.restore`."""
    state = State()
    state.last_ids.update(snapshot.last_ids)
    for row in snapshot.accounts:
        state.add_account(Account(row))
    for key in snapshot.keys:
        if key.account in state.accounts:
            state.add_key(Key(key, state.accounts[key.account]))
    for room_row in snapshot.rooms:
        creator = state.accounts.get(room_row.creator) if room_row.creator is not None else None
        state.add_room(Room(room_row, creator))
    for member in snapshot.members:
        room, account = state.rooms.get(member.room), state.accounts.get(member.account)
        if room and account:
            room.members[account.id] = member.since
            account.rooms[room.id] = room
    for invitation in snapshot.invitations:
        if invitation.account in state.accounts:
            state.accounts[invitation.account].invited.add(invitation.room)
    for hidden in snapshot.hidden:
        if hidden.account in state.accounts:
            state.accounts[hidden.account].hidden.add(hidden.room)
    for mark in snapshot.marks:
        there = mark.talk in state.rooms if mark.talk > 0 else -mark.talk in state.accounts
        if there and mark.account in state.accounts:
            state.accounts[mark.account].marks[mark.talk] = mark
    for moderator in snapshot.moderators:
        room, account = state.rooms.get(moderator.room), state.accounts.get(moderator.account)
        if room and account:
            room.moderators[account.id] = account
    for stored in snapshot.stored:
        if stored.account in state.accounts:
            state.accounts[stored.account].set_stored(stored.key, stored.size)
    for log, head in snapshot.heads.items():
        if log > 0 and log in state.rooms:
            state.rooms[log].head = head
        elif log < 0 and -log in state.accounts:
            state.accounts[-log].head = head
    return state
