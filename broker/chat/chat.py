"""The rules as one object: whoever runs them calls it and carries out the effects that it returns.

One thread calls it. Nothing here blocks, waits or looks at a clock; `now` is an argument. Must not know how
effects are carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from broker.chat import (
    accounts,
    bots,
    entrance,
    keeping,
    keys,
    listings,
    moderation,
    operators,
    posts,
    revisions,
    rights,
    rooms,
    search,
    talks,
)
from broker.chat.change import Change
from broker.chat.context import HANDLERS, Context, Handled, Rules, is_sign_of_life
from broker.chat.effects import Append, Ask, Connection, Effect, Now, Origin, Publish, Refuse, Stamp
from broker.chat.entities import Room
from broker.chat.gateways import Gateways
from broker.chat.grants import Grants
from broker.chat.marks import Marks
from broker.chat.ports import Place, RoomRow, Snapshot
from broker.chat.presence import Presence
from broker.chat.settings import ChatSettings
from broker.chat.state import load
from common import messages
from common.codec import Request
from common.errors import ChatError, DefaultRoom, NotLoggedIn

HANDLER_MODULES: Final = (
    accounts,
    bots,
    entrance,
    keeping,
    keys,
    listings,
    moderation,
    operators,
    posts,
    revisions,
    rooms,
    search,
    talks,
)
"""Importing them fills `HANDLERS`."""


class Chat:
    """A circle of friends who meet to talk: accounts, rooms and what is said, by the rules.

    `random(n)` gives n random bytes; `secret` names the beacons, and stays the same over restarts; `run` is
    new at each start. The default room is made at the first start: `started` holds the effects of that. Raises
    `DefaultRoom` if somebody's own room has its name.
    """

    def __init__(
        self,
        settings: ChatSettings,
        snapshot: Snapshot,
        now: Now,
        random: Callable[[int], bytes],
        secret: bytes,
        run: str,
    ) -> None:
        self._settings = settings
        self._state = load(snapshot)
        self._grants = Grants(self._state, secret, run)
        self.started: list[Effect] = []
        self.gateways = Gateways(settings.gateways, self._state)
        """The keys of gateways, as they are at the moment. For any thread."""
        default = self._default_room(now)
        self._presence = Presence(self._state, self._grants, settings, self.gateways, default)
        self._marks = Marks(self._state)
        self._rules = Rules(
            settings, self._state, self._grants, self._presence, self._marks, self.gateways, default, random, run
        )
        self._presence.restore(snapshot.sessions, now)

    def _default_room(self, now: Now) -> Room:
        room = self._state.room(self._settings.default_room)
        if room is None:
            change = Change(self._state, self._grants)
            row = RoomRow(
                self._state.next_id("room"), self._settings.default_room, True, False, False, "", None, now.time
            )
            room = change.add_room(row, None)
            self.started = change.effects(None)
        elif room.creator is not None or room.row.private or not room.row.kept:
            raise DefaultRoom(
                f"{room.name!r} is a room that somebody made; choose another default_room, or delete it first."
            )
        return room

    # Requests

    def request(self, origin: Origin, request: Request, now: Now) -> list[Effect]:
        """Carry out a request from the network. Refusals are effects, too."""
        command, rules = request.command, self._rules
        session = self._state.session(origin.key, origin.session)
        heard = self._presence.heard(session, now) if session and is_sign_of_life(command) else []
        if origin.person:
            origin = self.gateways.believed(origin)
        if session is None and origin.key in self.gateways:
            self._presence.lives(origin.key, now)
        try:
            rules.check_request(origin, session, now)
            handled = HANDLERS[type(command)]
            if session is None:
                if handled.needs_login:
                    raise NotLoggedIn
            elif session.scopes is not None:
                rights.check(session.scopes, type(command))
            effects = self._handle(handled, Context(rules, origin, session, now), command)
        except ChatError as error:
            effects = self.refused(origin, command.op, error, session.account.login if session else "")
        return heard + effects if heard else effects

    def operate(self, origin: Origin, request: Request, now: Now) -> list[Effect]:
        """Carry out a request of the operator's socket."""
        command = request.command
        try:
            return self._handle(HANDLERS[type(command)], Context(self._rules, origin, None, now), command)
        except ChatError as error:
            return self.refused(origin, command.op, error, "")

    def _handle(self, handled: Handled, ctx: Context, command: messages.Command) -> list[Effect]:
        effects = handled.handler(ctx, command)
        if effects and type(effects[0]) is Ask:
            return [self._guarded(effects[0], command.op)]
        return effects

    def _guarded(self, ask: Ask, op: str) -> Ask:
        """The same question, whose continuation may refuse as a handler may."""

        def then(result: object, now: Now) -> list[Effect]:
            try:
                effects = ask.then(result, now)
            except ChatError as error:
                return self.refused(ask.origin, op, error, "")
            return [self._guarded(effect, op) if type(effect) is Ask else effect for effect in effects]

        return Ask(ask.origin, ask.query, then, ask.unasked)

    def refused(self, origin: Origin, op: str, error: ChatError, login: str) -> list[Effect]:
        """Tell the peer, and the log; but not of a ping of nobody, who asks by it whether the broker is there."""
        named: dict[str, object] = {"login": login} if login else {}
        fields = {"op": op, "code": error.code, "address": origin.address, **named}
        told = [] if op == messages.Ping.op and isinstance(error, NotLoggedIn) else [Stamp("refused", fields)]
        # Without the frames that it went through, which hold this list in turn, it is free once it is told.
        return [Refuse(origin, error.with_traceback(None)), *told]

    def appended(self, append: Append, places: tuple[Place, ...], now: Now) -> list[Effect]:
        """A message is on disk."""
        return posts.appended(self._state, append, places)

    # Subscriptions

    def may_hear(self, key: str, topic: bytes) -> bool:
        """Whether a connection of that key is entitled to `topic`; decided from memory, without effects."""
        return self._grants.may_hear(key, topic)

    def subscribed(self, key: str, topic: bytes, connection: Connection, now: Now) -> list[Effect]:
        """A subscription was granted on a connection."""
        peer = self._grants.peer(key)
        holder = self._grants.holder(connection)
        if holder is not None and holder is not peer:
            # It was gone before it was noted, and its descriptor was another connection's by then.
            self.connection_lost(connection, now)
        effects = self._grants.granted(key, topic, connection)
        if topic[:1] == b"~":
            effects = self._presence.beacon_granted(peer, now) + effects
        return effects

    def unsubscribed(self, topic: bytes, connection: Connection, now: Now) -> list[Effect]:
        """A connection gave a topic up."""
        peer = self._grants.ungranted(topic, connection)
        if peer is not None:
            self._presence.beacon_gone(peer, now)
        return []

    def beacon_key(self, topic: bytes) -> str | None:
        """The key of the peer whose beacon that is, if it is anybody's."""
        peer = self._state.peer_by_beacon.get(topic)
        return peer.key if peer else None

    def has_session(self, key: str) -> bool:
        """Whether that key has a session, or may have many: a gateway's. Single looks into tables: for any thread."""
        peer = self._state.peers.get(key)
        return (peer is not None and bool(peer.sessions)) or key in self.gateways

    def connections(self, key: str) -> set[Connection]:
        """The connections of a peer that were granted something."""
        peer = self._state.peers.get(key)
        return set(peer.connections) if peer else set()

    def all_connections(self) -> set[Connection]:
        """Every connection that was granted something."""
        return self._grants.connections()

    def holders(self) -> Mapping[bytes, Collection[Connection]]:
        """By topic, beacons among them, the connections that were granted it."""
        return self._grants.holders()

    def connection_lost(self, connection: Connection, now: Now) -> list[Effect]:
        """A connection is gone."""
        peer = self._grants.lost(connection)
        if peer is not None:
            self._presence.beacon_gone(peer, now)
            self._state.drop_peer_if_idle(peer)
        return []

    # Time

    def flush(self, now: Now) -> list[Effect]:
        """What changed in rooms since the last call, one event a room."""
        if not self._state.dirty:
            return []
        effects: list[Effect] = []
        for room in self._state.dirty.values():
            event = messages.Roster(time=now.time, changes=room.changes, online=room.online)
            effects.append(Publish(room.name, event))
            room.changes = []
        self._state.dirty.clear()
        return effects

    def tick(self, now: Now) -> list[Effect]:
        """Whatever waiting is over; to be called about every 100 ms."""
        return self._presence.tick(now) + self._grants.tick(now) + self._marks.tick(now)

    def close(self, now: Now) -> list[Effect]:
        """The broker is shutting down: tell every client, and keep what was not kept yet."""
        closing: list[Effect] = [
            Publish(peer.beacon, messages.ClosingSoon(time=now.time))
            for peer in self._state.peers.values()
            if peer.listening
        ]
        return closing + self._marks.keep(now)
