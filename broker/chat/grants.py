"""Who may hear a topic, who hears it now, and who must stop.

A granted subscription cannot be withdrawn through ZeroMQ; whoever may no longer hear is cut off, and connects
anew by itself. Decided from memory, since the answer must come before anything else is done on the socket.
Must not know sockets: a connection is opaque.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping
from typing import Final

from broker.chat.effects import Connection, Cut, Effect, Now, Publish
from broker.chat.entities import Account, Hearing, Peer, Room
from broker.chat.rights import hears_inbox, reads
from broker.chat.state import State
from common import topics
from common.messages import Live

_POLITE_S: Final = 1.0
"""Seconds in which clients unsubscribe from a deleted room by themselves; nothing is said there any more."""


class Grants:
    """The granted subscriptions of every connection."""

    def __init__(self, state: State, secret: bytes, run: str) -> None:
        self._state = state
        self._secret = secret
        self._run = run
        self._peers: dict[Connection, Peer] = {}
        self._holders: dict[bytes, dict[Connection, Peer]] = {}
        self._overdue: dict[bytes, float] = {}
        """Topics of deleted rooms, and when whoever still hears them is cut."""

    def beacon(self, key: str) -> str:
        """The name of a peer's beacon: the same after a restart, and a secret between the broker and that peer."""
        return topics.beacon(
            hmac.digest(self._secret, b"beacon\0" + key.encode(), hashlib.sha256)[: topics.BEACON_BYTES]
        )

    def peer(self, key: str) -> Peer:
        """The peer of that key, made if it is new."""
        peer = self._state.peers.get(key)
        if peer is None:
            peer = Peer(key, self.beacon(key))
            self._state.add_peer(peer)
        return peer

    def may_hear(self, key: str, topic: bytes) -> bool:
        """Whether a connection of that key is entitled to a topic, exactly as it is asked for."""
        peer = self._state.peers.get(key)
        if topic[:1] == b"~":
            beacon = peer.beacon if peer else self.beacon(key)
            return hmac.compare_digest(topic, topics.topic(beacon))
        return peer is not None and self._entitled(peer, topic)

    def _entitled(self, peer: Peer, topic: bytes) -> bool:
        sessions = [session for session in peer.sessions.values() if session.kept]
        room = self._state.room_by_topic.get(topic)
        if room is not None:
            return any(
                session.account.id in room.members
                and session.account.id not in room.joining
                and reads(session.scopes, room)
                for session in sessions
            )
        owner = self._state.account_by_inbox.get(topic)
        return any(session.account is owner and hears_inbox(session.scopes) for session in sessions)

    def granted(self, key: str, topic: bytes, connection: Connection) -> list[Effect]:
        """Note a grant; the markers that say so, once the connection's beacon is granted too."""
        peer = self.peer(key)
        self._peers[connection] = peer
        hearing = peer.connections.setdefault(connection, Hearing())
        if topic == topics.topic(peer.beacon):
            hearing.beacon = True
            peer.had_beacon = True
            waiting = [topic, *hearing.held_back]
            hearing.held_back = []
            return [self._marker(peer, heard) for heard in waiting]
        hearing.topics.add(topic)
        self._holders.setdefault(topic, {})[connection] = peer
        if not hearing.beacon:
            if topic not in hearing.held_back:
                hearing.held_back.append(topic)
            return []
        return [self._marker(peer, topic)]

    def _marker(self, peer: Peer, topic: bytes) -> Publish:
        room = self._state.room_by_topic.get(topic)
        account = self._state.account_by_inbox.get(topic)
        head = room.head if room else account.head if account else 0
        log = topic[:-1].decode()
        return Publish(peer.beacon, Live(log=log, id=room.id if room else 0, head=head, run=self._run))

    def holder(self, connection: Connection) -> Peer | None:
        """Whose connection that is, if something was granted on it."""
        return self._peers.get(connection)

    def ungranted(self, topic: bytes, connection: Connection) -> Peer | None:
        """Note that a connection gave a topic up; its peer, if the topic was the peer's beacon."""
        peer = self._state.peer_by_beacon.get(topic)
        if peer is not None:
            hearing = peer.connections.get(connection)
            if hearing is not None:
                hearing.beacon = False
            return peer
        holder = self._forget(topic, connection)
        if holder and connection in holder.connections:
            hearing = holder.connections[connection]
            hearing.topics.discard(topic)
            if topic in hearing.held_back:
                hearing.held_back.remove(topic)
        return None

    def lost(self, connection: Connection) -> Peer | None:
        """Note that a connection is gone; its peer."""
        peer = self._peers.pop(connection, None)
        if peer is not None:
            for topic in peer.connections.pop(connection).topics:
                self._forget(topic, connection)
        return peer

    def connections(self) -> set[Connection]:
        """Every connection that was granted something."""
        return set(self._peers)

    def holders(self) -> Mapping[bytes, Collection[Connection]]:
        """By topic, beacons among them, the connections that were granted it."""
        beacons: dict[bytes, list[Connection]] = {}
        for connection, peer in self._peers.items():
            if peer.connections[connection].beacon:
                beacons.setdefault(topics.topic(peer.beacon), []).append(connection)
        return {**beacons, **self._holders}

    def _forget(self, topic: bytes, connection: Connection) -> Peer | None:
        holders = self._holders.get(topic)
        if holders is None:
            return None
        peer = holders.pop(connection, None)
        if not holders:
            del self._holders[topic]
        return peer

    def revoke(self, topic: bytes, account: Account) -> list[Effect]:
        """Cut the account's connections that hear `topic` without being entitled to it any more."""
        holders = self._holders.get(topic, {})
        peers = {session.peer.key for session in account.sessions.values()}
        return [
            Cut(connection, gently=True)
            for connection, peer in holders.items()
            if peer.key in peers and not self._entitled(peer, topic)
        ]

    def withdraw(self, peer: Peer) -> list[Effect]:
        """Cut a peer's connections that hear what it is not entitled to, after a session of it ended."""
        return [
            Cut(connection, gently=True)
            for connection, hearing in peer.connections.items()
            if any(not self._entitled(peer, topic) for topic in hearing.topics)
        ]

    def outlive(self, room: Room, now: Now) -> None:
        """A room is deleted: let its hearers unsubscribe by themselves, for a while."""
        if room.topic in self._holders:
            self._overdue[room.topic] = now.mono + _POLITE_S

    def reclaim(self, topic: bytes) -> list[Effect]:
        """A deleted room's name is used again: cut at once whoever still hears the old one."""
        self._overdue.pop(topic, None)
        holders = self._holders.get(topic, {})
        return [Cut(connection) for connection, peer in holders.items() if not self._entitled(peer, topic)]

    def tick(self, now: Now) -> list[Effect]:
        """Cut whoever still hears a room that was deleted a while ago."""
        due = [topic for topic, at in self._overdue.items() if at <= now.mono]
        return [cut for topic in due for cut in self.reclaim(topic)]
