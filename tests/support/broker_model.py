"""A broker of a page or two, and a network that misbehaves as told: what the client's core is tried against.

`BrokerModel` follows the protocol as a client sees it (rooms, logs, inboxes, beacons, grants, markers) without
disk, passwords or presence. `World` runs sessions against it in simulated time from one seed: frames take
random times, broadcast frames are lost, doubled and overtake each other, replies are lost, grants are withheld,
connections are cut and the broker restarts, at the rates of `Faults`. Nothing sleeps; a seed gives one history.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec import structs

from client.link.actions import Answered, Subscribe, Transmit, Unsubscribe
from client.link.clock import Clock
from client.link.session import Session
from client.link.updates import Arrived, RoomJoined, RoomLeft, SessionEnded, Settled, Update
from common import codec, errors, topics
from common import messages as m

Posts = m.Send | m.Direct | m.Edit | m.Retract | m.React
EPOCH_MS = 1_700_000_000_000


@dataclass
class ModelRoom:
    """A room: its log and its members."""

    id: int
    name: str
    entries: list[m.Message | m.Edited | m.Retracted | m.Reacted] = field(default_factory=list)
    members: set[str] = field(default_factory=set)

    @property
    def head(self) -> int:
        return self.entries[-1].seq if self.entries else 0

    def view(self, login: str) -> m.RoomView:
        return m.RoomView(
            id=self.id,
            name=self.name,
            kept=True,
            private=False,
            open=False,
            subject="",
            creator=None,
            head=self.head,
            online=len(self.members),
            joined=login in self.members,
            since=0,
        )


class BrokerModel:
    """The rules, as far as a client's core depends on them. `publish(topic, event, key)` reaches who holds it."""

    def __init__(self, publish: Callable[[str, m.Event], None]) -> None:
        self._publish = publish
        self._seq = itertools.count(1)
        self._ids = itertools.count(1)
        self.run = "run-0"
        self.now = 0.0
        self.logins: dict[str, str] = {}
        self.currents: dict[str, str] = {}
        self.inboxes: dict[str, list[m.DirectMessage | m.Invited]] = {}
        self.rooms: dict[str, ModelRoom] = {}
        self.nonces: dict[tuple[str, bytes], m.Sent] = {}
        self.judge: Callable[[m.Command], None] = lambda command: None
        """Raises what a request is refused with before it is looked at."""
        self.make("lobby")

    @property
    def time(self) -> int:
        """Milliseconds by the broker's clock."""
        return EPOCH_MS + round(self.now * 1000)

    def make(self, name: str) -> ModelRoom:
        """A new room."""
        self.rooms[name] = room = ModelRoom(next(self._ids), name)
        return room

    def beacon(self, key: str) -> str:
        """The beacon of the session with this key: the same over restarts."""
        return topics.beacon(key.encode().rjust(16, b"_")[:16])

    def may_hear(self, key: str, log: str) -> bool:
        """Whether the session with this key is entitled to a log's topic."""
        if log == self.beacon(key):
            return True
        login = self.logins.get(key)
        if login is None:
            return False
        return log == topics.inbox(login) or (log in self.rooms and login in self.rooms[log].members)

    def marker(self, key: str, log: str) -> m.Live:
        """The `live` marker for a granted log."""
        if log.startswith(topics.BEACON):
            return m.Live(log=log, id=0, head=0, run=self.run)
        if log.startswith(topics.INBOX):
            inbox = self.inboxes[log]
            return m.Live(log=log, id=0, head=inbox[-1].seq if inbox else 0, run=self.run)
        room = self.rooms[log]
        return m.Live(log=log, id=room.id, head=room.head, run=self.run)

    def state(self, key: str) -> m.SessionState | None:
        """Where a session stands."""
        login = self.logins.get(key)
        if login is None:
            return None
        inbox = self.inboxes[topics.inbox(login)]
        return m.SessionState(
            login=login,
            operator=False,
            current=self.currents[key],
            rooms=[room.view(login) for room in self.rooms.values() if login in room.members],
            inbox=inbox[-1].seq if inbox else 0,
        )

    def answer(self, key: str, frame: bytes) -> bytes:
        """Carry out a request; returns the reply frame."""
        request = codec.decode_request(frame)
        try:
            self.judge(request.command)
            reply = self._carry_out(key, request.command)
        except errors.ChatError as error:
            return codec.encode_error(request.id, error)
        reply.id = request.id
        return codec.encode_reply(reply)

    def _carry_out(self, key: str, command: m.Command) -> m.Reply:
        if isinstance(command, m.Hello):
            return m.Welcome(
                server="model",
                version=1,
                run=self.run,
                time=self.time,
                beacon=self.beacon(key),
                default_room="lobby",
                registration="open",
                session=self.state(key),
            )
        if isinstance(command, m.Login):
            return self._log_in(key, command.login)
        login = self.logins.get(key)
        if login is None:
            raise errors.NotLoggedIn
        if isinstance(command, m.Ping):
            heads = {room.name: room.head for room in self.rooms.values() if login in room.members}
            inbox = self.inboxes[topics.inbox(login)]
            return m.Pong(
                time=self.time, run=self.run, heads={topics.inbox(login): inbox[-1].seq if inbox else 0, **heads}
            )
        if isinstance(command, m.Send):
            return self._send(login, command)
        if isinstance(command, m.Direct):
            return self._direct(login, command)
        if isinstance(command, (m.Edit, m.Retract, m.React)):
            return self._revise(login, command)
        if isinstance(command, m.History):
            return self._history(login, command)
        return self._move(key, login, command)

    def _log_in(self, key: str, login: str) -> m.LoggedIn:
        self.logins[key] = login
        self.currents[key] = "lobby"
        self.inboxes.setdefault(topics.inbox(login), [])
        self.join(login, "lobby")
        state = self.state(key)
        assert state is not None
        return m.LoggedIn(session=state)

    def _move(self, key: str, login: str, command: m.Command) -> m.Reply:
        if isinstance(command, (m.Join, m.Enter)):
            if command.room not in self.rooms:
                raise errors.NoSuchRoom
            self.join(login, command.room)
            if isinstance(command, m.Enter):
                before, self.currents[key] = self.currents[key], command.room
                if before != command.room and before != "lobby":
                    self.leave(login, before, "left")
            return m.RoomReply(room=self.rooms[command.room].view(login), current=self.currents[key])
        if isinstance(command, m.Leave):
            if command.room == "lobby":
                raise errors.DefaultRoom
            if command.room not in self.rooms:
                raise errors.NoSuchRoom
            if login not in self.rooms[command.room].members:
                raise errors.NotMember
            self.leave(login, command.room, "left")
            if self.currents[key] == command.room:
                self.currents[key] = "lobby"
            return m.Left(current=self.currents[key])
        if isinstance(command, m.Users):
            return m.UserList(users=[], more=False)
        if isinstance(command, m.Logout):
            del self.logins[key]
            return m.Reply()
        raise errors.UnknownOp

    def join(self, login: str, name: str) -> None:
        """Make somebody a member."""
        room = self.rooms[name]
        if login not in room.members:
            room.members.add(login)
            self._publish(topics.inbox(login), m.JoinedRoom(room=room.view(login)))

    def leave(self, login: str, name: str, reason: str) -> None:
        """Make somebody a member no longer."""
        room = self.rooms[name]
        if login in room.members:
            room.members.discard(login)
            self._publish(topics.inbox(login), m.LeftRoom(id=room.id, name=name, reason=reason))  # type: ignore[arg-type]

    def delete(self, name: str) -> None:
        """Delete a room, and its log with it."""
        room = self.rooms.pop(name)
        self._publish(name, m.Deleted(time=self.time, id=room.id, by="root", reason="deleted"))
        for login in sorted(room.members):
            self._publish(topics.inbox(login), m.LeftRoom(id=room.id, name=name, reason="deleted"))

    def _send(self, login: str, command: m.Send) -> m.Sent:
        room = self.rooms.get(command.room)
        if room is None or login not in room.members:
            raise errors.NotMember
        known = self.nonces.get((login, command.nonce))
        if known is not None:
            return m.Sent(seq=known.seq, time=known.time)
        message = m.Message(
            seq=next(self._seq),
            prev=room.head,
            time=self.time,
            sender=login,
            text=command.text,
            nonce=command.nonce,
        )
        room.entries.append(message)
        self.nonces[login, command.nonce] = m.Sent(seq=message.seq, time=message.time)
        self._publish(room.name, message)
        return m.Sent(seq=message.seq, time=message.time)

    def _revise(self, login: str, command: m.Edit | m.Retract | m.React) -> m.Sent:
        """Change a message of a room, and say so in an entry."""
        room = self.rooms.get(command.log)
        if room is None or login not in room.members:
            raise errors.NotMember
        known = self.nonces.get((login, command.nonce))
        if known is not None:
            return m.Sent(seq=known.seq, time=known.time)
        at = next((at for at, entry in enumerate(room.entries) if entry.seq == command.seq), None)
        message = None if at is None else room.entries[at]
        if at is None or not isinstance(message, m.Message) or (message.retracted and isinstance(command, m.Edit)):
            raise errors.NoSuchMessage
        place = {"seq": next(self._seq), "prev": room.head, "time": self.time}
        said = {"sender": login, "target": command.seq, "nonce": command.nonce}
        entry: m.Edited | m.Retracted | m.Reacted
        if isinstance(command, m.Edit):
            entry = m.Edited(**place, **said, text=command.text)
            message = structs.replace(message, text=command.text, edited=self.time)
        elif isinstance(command, m.Retract):
            entry = m.Retracted(**place, **said)
            message = structs.replace(message, text="", retracted=True)
        else:
            entry = m.Reacted(**place, **said, emoji=command.emoji, on=command.on, count=int(command.on))
        # A page that is on its way already shows it as it was.
        room.entries[at] = structs.replace(message, changed=entry.seq)
        room.entries.append(entry)
        self.nonces[login, command.nonce] = m.Sent(seq=entry.seq, time=entry.time)
        self._publish(room.name, entry)
        return m.Sent(seq=entry.seq, time=entry.time)

    def _direct(self, login: str, command: m.Direct) -> m.Sent:
        known = self.nonces.get((login, command.nonce))
        if known is not None:
            return m.Sent(seq=known.seq, time=known.time)
        if topics.inbox(command.to) not in self.inboxes:
            raise errors.NoSuchUser
        first = None
        for owner in dict.fromkeys((login, command.to)):
            inbox = self.inboxes[topics.inbox(owner)]
            entry = m.DirectMessage(
                seq=next(self._seq),
                prev=inbox[-1].seq if inbox else 0,
                time=self.time,
                sender=login,
                to=command.to,
                text=command.text,
                nonce=command.nonce,
            )
            inbox.append(entry)
            self._publish(topics.inbox(owner), entry)
            first = first or m.Sent(seq=entry.seq, time=entry.time)
        assert first is not None
        self.nonces[login, command.nonce] = first
        return m.Sent(seq=first.seq, time=first.time)

    def _history(self, login: str, command: m.History) -> m.Entries:
        entries: list[m.AnyEntry]
        if command.log == topics.inbox(login):
            entries = list(self.inboxes[command.log])
        elif command.log in self.rooms and login in self.rooms[command.log].members:
            entries = list(self.rooms[command.log].entries)
        else:
            raise errors.NotMember
        low = -1 if command.after is None else command.after
        high = math.inf if command.before is None else command.before
        found = [entry for entry in entries if low < entry.seq < high]
        # Short pages, so that a simulation pages often.
        limit = min(command.limit, 7)
        page = found[-limit:] if command.after is None else found[:limit]
        return m.Entries(entries=page, more=len(found) > len(page))


@dataclass
class Faults:
    """How the network misbehaves: chances per frame, and seconds between cuts and restarts on average."""

    lost_event: float = 0.0
    doubled_event: float = 0.0
    late_event: float = 0.0
    lost_reply: float = 0.0
    withheld_grant: float = 0.0
    busy: float = 0.0
    limited: float = 0.0
    cut_every: float = math.inf
    restart_every: float = math.inf


class Waits:
    """Sees to it that a client which was told to wait asks nothing of that kind before."""

    def __init__(self) -> None:
        self._kinds: dict[int, str] = {}
        self._until: dict[str, float] = {}
        self.told_to = 0

    def asked(self, frame: bytes, now: float) -> None:
        """A request goes out."""
        request = codec.decode_request(frame)
        command = request.command
        kind = "post" if isinstance(command, Posts) else command.op
        self._kinds[request.id] = kind
        assert now >= self._until.get(kind, 0.0), f"{kind} at {now}, and not before {self._until[kind]}"

    def told(self, frame: bytes, now: float) -> None:
        """A reply comes in."""
        id, outcome = codec.decode_reply(frame, dict.fromkeys(self._kinds, m.Reply))
        if isinstance(outcome, (errors.RateLimited, errors.Busy)):
            assert outcome.retry_after is not None
            self.told_to += 1
            self._until[self._kinds[id]] = now + outcome.retry_after


class SimulatedClient:
    """A session on simulated sockets that behave like libzmq's, and a record of what its application is told."""

    def __init__(self, world: World, key: str, login: str) -> None:
        self.world = world
        self.key = key
        self.login = login
        self.session = Session(
            client="simulated",
            clock=Clock(lambda: world.now, lambda: EPOCH_MS / 1000 + world.now),
            random=lambda count: world.chance.randbytes(count),
        )
        self.waits = Waits()
        self.asked: dict[bytes, None] = {}
        self.granted: set[bytes] = set()
        self.commands = 0
        self.broadcast = 0
        """Number of the present connection, 0 for none."""
        self.answers: dict[int, m.Reply | errors.ChatError] = {}
        self.updates: list[Update] = []
        self.posts: list[Posts] = []
        self._timer = math.inf

    def do(self, step: Callable[[float], None]) -> None:
        """Let the session take a step, and do what it wants."""
        step(self.world.now)
        for action in self.session.take():
            if isinstance(action, Transmit):
                self.world.to_broker(self, action.frame)
            elif isinstance(action, Subscribe):
                self.asked[action.topic] = None
                self.world.subscribe(self, action.topic)
            elif isinstance(action, Unsubscribe):
                self.asked.pop(action.topic, None)
                self.world.unsubscribe(self, action.topic)
            elif isinstance(action, Answered):
                self.answers[action.call] = action.outcome
            else:
                self.updates.append(action)
        due = self.session.deadline()
        if due < self._timer:
            self._timer = due
            self.world.at(due, lambda: self._tick(due))

    def _tick(self, due: float) -> None:
        if due == self._timer:
            self._timer = math.inf
        self.do(self.session.tick)

    def request(self, command: m.Command) -> None:
        """As the application would."""
        self.do(lambda now: void(self.session.request(command, now)))

    def post(self, room: str, text: str) -> None:
        """As the application would."""
        command: m.Send | m.Direct
        if room.startswith(topics.INBOX):
            command = m.Direct(to=room[1:], text=text, nonce=self.session.nonce())
        else:
            command = m.Send(room=room, text=text, nonce=self.session.nonce())
        self.posts.append(command)
        self.do(lambda now: self.session.post(command, now))

    def revise(self, room: str) -> None:
        """Change one of the messages that the application was shown: edit or take back an own one, or react to it."""
        shown = [each.entry for each in self.updates if isinstance(each, Arrived) and each.log == room]
        own = [entry for entry in shown if isinstance(entry, m.Message) and entry.sender == self.login]
        if not own:
            return
        seq, nonce = self.world.chance.choice(own).seq, self.session.nonce()
        command: Posts = self.world.chance.choice(
            [
                m.Edit(log=room, seq=seq, text=f"changed at {self.world.now:.1f}", nonce=nonce),
                m.Edit(log=room, seq=seq, text=f"and changed at {self.world.now:.1f}", nonce=nonce),
                m.Retract(log=room, seq=seq, nonce=nonce),
                m.React(log=room, seq=seq, emoji="👍", nonce=nonce),
            ]
        )
        self.posts.append(command)
        self.do(lambda now: self.session.post(command, now))

    def settled(self) -> dict[bytes, m.Sent | errors.ChatError]:
        """What became of the posts, by nonce."""
        return {update.nonce: update.outcome for update in self.updates if isinstance(update, Settled)}

    def stays(self) -> list[Stay]:
        """What the application saw: each stay in a log with the entries in it, the inbox's first."""
        current: dict[str, Stay] = {}
        found: list[Stay] = []
        for update in self.updates:
            if isinstance(update, RoomJoined):
                assert update.view.name not in current, f"joined {update.view.name} twice"
                current[update.view.name] = stay = Stay(update.view.name, update.view.id, update.view.head)
                found.append(stay)
            elif isinstance(update, RoomLeft):
                current.pop(update.name).over = True
            elif isinstance(update, SessionEnded):
                for stay in current.values():
                    stay.over = True
                current.clear()
            elif isinstance(update, Arrived):
                if update.log.startswith(topics.INBOX) and update.log not in current:
                    current[update.log] = Stay(update.log, 0, 0)
                    found.append(current[update.log])
                current[update.log].entries.append(update.entry)
        return found


def void(_: object) -> None:
    """A step's result that nobody wants."""


@dataclass
class Stay:
    """One stay of a client in a log, as its application saw it."""

    log: str
    id: int
    start: int
    entries: list[m.AnyEntry] = field(default_factory=list)
    over: bool = False


class World:
    """Simulated time, the network and the broker."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.faults = Faults()
        self.now = 1.0
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._connections = itertools.count(1)
        self.clients: list[SimulatedClient] = []
        self.broker = BrokerModel(self._publish)
        self.broker.judge = self._judge
        self._arrivals: dict[tuple[int, str], float] = {}

    def _judge(self, command: m.Command) -> None:
        if isinstance(command, (m.Send, m.Direct, m.History)) and self.odds("busy"):
            raise errors.Busy(retry_after=0.3)
        if self.odds("limited"):
            raise errors.RateLimited(retry_after=self.chance.choice([0.0, 0.2, 1.0, 3.0]))

    def odds(self, fault: str) -> bool:
        """Whether a fault happens now."""
        return self.chance.random() < getattr(self.faults, fault)

    def at(self, when: float, what: Callable[[], None]) -> None:
        """Have something happen at a time."""
        if when < math.inf:
            heapq.heappush(self._queue, (max(when, self.now), next(self._count), what))

    def run(self, until: float) -> None:
        """Let everything happen up to a time."""
        while self._queue and self._queue[0][0] <= until:
            self.now, _, what = heapq.heappop(self._queue)
            self.broker.now = self.now
            what()
        self.now = self.broker.now = until

    def storm(self, faults: Faults) -> None:
        """From here on, these faults."""
        self.faults = faults
        if faults.restart_every < math.inf:
            self.at(self.chance.expovariate(1 / faults.restart_every) + self.now, self._restart)
        if faults.cut_every < math.inf:
            for client in self.clients:
                self._schedule_cut(client)

    def calm(self) -> None:
        """From here on, none."""
        self.faults = Faults()

    def client(self, login: str, key: str | None = None) -> SimulatedClient:
        """A new client that connects and logs in."""
        client = SimulatedClient(self, key or f"key-{len(self.clients)}", login)
        self.clients.append(client)
        self._connect(client)
        client.request(m.Login(login=login, password="password"))
        return client

    def _connect(self, client: SimulatedClient) -> None:
        self.at(self.now + self.chance.uniform(0.01, 0.4), lambda: self._commands_up(client))
        self.at(self.now + self.chance.uniform(0.01, 0.4), lambda: self._broadcast_up(client))

    def _commands_up(self, client: SimulatedClient) -> None:
        if not client.commands:
            client.commands = next(self._connections)
            client.do(client.session.commands_up)

    def _broadcast_up(self, client: SimulatedClient) -> None:
        if not client.broadcast:
            client.broadcast = next(self._connections)
            client.granted.clear()
            topics = list(client.asked)
            # The handshake comes first, and the monitor may be read before or after the first frames.
            if self.chance.random() < 0.5:
                client.do(client.session.broadcast_up)
                for topic in topics:
                    self.subscribe(client, topic)
            else:
                for topic in topics:
                    self.subscribe(client, topic)
                self.at(self.now + 0.05, lambda: client.do(client.session.broadcast_up))

    def _schedule_cut(self, client: SimulatedClient) -> None:
        def cut() -> None:
            if self.faults.cut_every < math.inf:
                self.cut(client, commands=self.chance.random() < 0.7, broadcast=self.chance.random() < 0.7)
                self._schedule_cut(client)

        self.at(self.now + self.chance.expovariate(1 / self.faults.cut_every), cut)

    def cut(self, client: SimulatedClient, *, commands: bool = True, broadcast: bool = True) -> None:
        """Break a client's connections; what was under way on them is lost; libzmq connects again."""
        if commands and client.commands:
            client.commands = 0
            client.do(client.session.commands_down)
        if broadcast and client.broadcast:
            client.broadcast = 0
            client.granted.clear()
            client.do(client.session.broadcast_down)
        self._connect(client)

    def _restart(self) -> None:
        if self.faults.restart_every < math.inf:
            self.restart()
            self.at(self.now + self.chance.expovariate(1 / self.faults.restart_every), self._restart)

    def restart(self) -> None:
        """Kill the broker and start it again: the logs stay."""
        self.broker.run = f"run-{next(self._count)}"
        for client in self.clients:
            self.cut(client)

    def _later(self, pipe: int, direction: str, what: Callable[[], None], late: bool = False) -> None:
        """Frames of one connection keep their order, unless one is held up."""
        when = self.now + self.chance.expovariate(1 / 0.02)
        if late:
            when += self.chance.uniform(0.1, 1.0)
        else:
            when = max(when, self._arrivals.get((pipe, direction), 0.0))
            self._arrivals[pipe, direction] = when
        self.at(when, what)

    def to_broker(self, client: SimulatedClient, frame: bytes) -> None:
        """A request is on its way; it is lost if the connection breaks before."""
        pipe = client.commands
        client.waits.asked(frame, self.now)

        def arrive() -> None:
            if client.commands == pipe and pipe:
                reply = self.broker.answer(client.key, frame)
                if not self.odds("lost_reply"):
                    self._later(pipe, "reply", lambda: self._reply(client, pipe, reply))

        self._later(pipe, "request", arrive)

    def _reply(self, client: SimulatedClient, pipe: int, frame: bytes) -> None:
        if client.commands == pipe:
            client.waits.told(frame, self.now)
            client.do(lambda now: client.session.reply_received(frame, now))

    def subscribe(self, client: SimulatedClient, topic: bytes) -> None:
        """A subscription is on its way."""
        pipe = client.broadcast

        def arrive() -> None:
            log = topic[:-1].decode()
            if client.broadcast == pipe and pipe and self.broker.may_hear(client.key, log):
                if not self.odds("withheld_grant"):
                    self._grant(client, pipe, log)

        self._later(pipe, "subscription", arrive)

    def _grant(self, client: SimulatedClient, pipe: int, log: str) -> None:
        client.granted.add(topics.topic(log))
        beacon = self.broker.beacon(client.key)
        if topics.topic(beacon) in client.granted:
            # Markers wait for the beacon; with it, those that waited come.
            waiting = sorted(client.granted) if log == beacon else [topics.topic(log)]
            for topic in sorted(waiting, key=lambda topic: topic != topics.topic(beacon)):
                marker = codec.encode_event(beacon, self.broker.marker(client.key, topic[:-1].decode()))
                self._event(client, pipe, topics.topic(beacon), marker)

    def unsubscribe(self, client: SimulatedClient, topic: bytes) -> None:
        """An unsubscription is on its way."""
        pipe = client.broadcast

        def arrive() -> None:
            if client.broadcast == pipe and pipe:
                client.granted.discard(topic)

        self._later(pipe, "subscription", arrive)

    def _publish(self, log: str, event: m.Event) -> None:
        frame = codec.encode_event(log, event)
        for client in self.clients:
            if client.broadcast and topics.topic(log) in client.granted:
                if self.broker.may_hear(client.key, log) or isinstance(event, m.Deleted):
                    self._event(client, client.broadcast, topics.topic(log), frame)

    def _event(self, client: SimulatedClient, pipe: int, topic: bytes, frame: bytes) -> None:
        def arrive() -> None:
            # SUB filters what was unsubscribed meanwhile.
            if client.broadcast == pipe and topic in client.asked:
                client.do(lambda now: client.session.event_received(frame, now))

        if self.odds("lost_event"):
            return
        for _ in range(2 if self.odds("doubled_event") else 1):
            self._later(pipe, "event", arrive, late=self.odds("late_event"))
