"""A `client.tui.commands.ports.Chat` without a broker: it answers from tables, and tells what a test makes it tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from client.link.updates import Arrived, LinkState, RoomJoined, RoomLeft, Settled, Update
from common import addresses
from common import messages as m
from common.errors import ChatError, NoSuchRoom, NoSuchUser

NOW = 1_795_339_386_000


def view(name: str, id: int = 1, **fields: Any) -> m.RoomView:
    """A room as its member sees it."""
    given: dict[str, Any] = {
        "kept": False,
        "private": False,
        "open": False,
        "subject": "",
        "creator": None,
        "head": 0,
        "online": 1,
        "joined": True,
        "since": 0,
    }
    return m.RoomView(id=id, name=name, **{**given, **fields})


def said(sender: str, text: str, seq: int, prev: int | None = None, nonce: bytes = b"", time: int = NOW) -> m.Message:
    """A message in a room's log."""
    return m.Message(
        seq=seq, prev=seq - 1 if prev is None else prev, time=time + seq, sender=sender, text=text, nonce=nonce
    )


def direct(sender: str, to: str, text: str, seq: int, nonce: bytes = b"") -> m.DirectMessage:
    """An entry in an inbox."""
    return m.DirectMessage(seq=seq, prev=seq - 1, time=NOW + seq, sender=sender, to=to, text=text, nonce=nonce)


@dataclass
class FakeClock:
    offset_ms: float = 0.0

    def now(self) -> int:
        return NOW


class FakeSending:
    """A message under way, settled by the test."""

    def __init__(self, nonce: bytes, log: str, text: str, command: m.Command) -> None:
        self.nonce, self.log, self.text, self.command = nonce, log, text, command
        self.done: asyncio.Future[m.Sent] = asyncio.get_running_loop().create_future()

    def __await__(self) -> Generator[Any, None, m.Sent]:
        return self.done.__await__()


@dataclass
class FakeChat:
    """A person `login` in `rooms`, with `logs` to read from. What was asked is in `asked`, what was sent in `sent`."""

    login: str | None = "ana"
    rooms: dict[str, m.RoomView] = field(default_factory=lambda: {"lobby": view("lobby")})
    logs: dict[str, list[Any]] = field(default_factory=dict)
    users: list[str] = field(default_factory=lambda: ["ana", "bob"])
    refusals: dict[type[m.Command], ChatError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.address = addresses.Address("broker", 5570, bytes(32))
        self.clock = FakeClock()
        self.link = LinkState.LIVE
        self.link_since = 0.0
        self.round_trip_ms: float | None = 12.0
        self.token: bytes | None = None
        self.default_room = "lobby"
        self.current = "lobby"
        self.asked: list[m.Command] = []
        self.hits: list[m.Hit] = []
        self.sent: list[FakeSending] = []
        self.closed = False
        self.request: Any = self._request
        self.answers: dict[type[m.Command], Callable[[Any], m.Reply]] = {}
        self._updates: asyncio.Queue[Update | None] = asyncio.Queue()

    @property
    def state(self) -> m.SessionState | None:
        if self.login is None:
            return None
        rooms = [room for room in self.rooms.values() if room.joined]
        return m.SessionState(login=self.login, operator=False, current=self.current, rooms=rooms, inbox=0)

    def tell(self, *updates: Update) -> None:
        """What the broker tells next."""
        for update in updates:
            self._updates.put_nowait(update)

    async def told(self) -> None:
        """Wait until all that was told has been taken in, and what follows is done: no answer here takes time."""
        for _ in range(50):
            await asyncio.sleep(0)

    def hang_up(self) -> None:
        """No update will follow."""
        self._updates.put_nowait(None)

    async def updates(self) -> AsyncIterator[Update]:
        while (update := await self._updates.get()) is not None:
            yield update

    def _send(self, log: str, text: str, command: m.Command) -> FakeSending:
        sending = FakeSending(len(self.sent).to_bytes(16, "big"), log, text, command)
        self.sent.append(sending)
        return sending

    def post(self, log: str, text: str, *, reply_to: int | None = None) -> FakeSending:
        return self._send(log, text, m.Send(room=log, text=text, nonce=b"", reply_to=reply_to))

    def direct(self, to: str, text: str, *, reply_to: int | None = None) -> FakeSending:
        return self._send(f"@{to}", text, m.Direct(to=to, text=text, nonce=b"", reply_to=reply_to))

    def edit(self, log: str, seq: int, text: str) -> FakeSending:
        return self._send(log, text, m.Edit(log=log, seq=seq, text=text, nonce=b""))

    def retract(self, log: str, seq: int) -> FakeSending:
        return self._send(log, "", m.Retract(log=log, seq=seq, nonce=b""))

    def react(self, log: str, seq: int, emoji: str, on: bool = True) -> FakeSending:
        return self._send(log, "", m.React(log=log, seq=seq, emoji=emoji, on=on, nonce=b""))

    def acknowledge(self, sending: FakeSending, seq: int) -> None:
        """The broker has it."""
        sent = m.Sent(seq=seq, time=NOW + seq)
        sending.done.set_result(sent)
        self.tell(Settled(sending.nonce, sent))

    def refuse(self, sending: FakeSending, error: ChatError) -> None:
        """The broker will not have it."""
        sending.done.set_exception(error)
        sending.done.exception()
        self.tell(Settled(sending.nonce, error))

    def arrive(self, log: str, entry: m.AnyEntry, replayed: bool = False) -> None:
        """Something is heard."""
        self.tell(Arrived(log, entry, replayed))

    async def _request(self, command: m.Command, *, timeout: float = 1.0) -> Any:
        self.asked.append(command)
        for _ in range(3):
            await asyncio.sleep(0)  # an answer takes a moment
        if type(command) in self.refusals:
            raise self.refusals[type(command)]
        if type(command) in self.answers:
            return self.answers[type(command)](command)
        match command:
            case m.History():
                entries = [
                    entry
                    for entry in self.logs.get(command.log, [])
                    if (command.before is None or entry.seq < command.before)
                    and (command.after is None or entry.seq > command.after)
                ]
                page = entries[-command.limit :] if command.after is None else entries[: command.limit]
                return m.Entries(entries=page, more=len(entries) > command.limit)
            case m.Search():
                return m.Found(hits=[hit for hit in self.hits if command.query in hit.entry.text], more=False)
            case m.UpdateProfile(show_seen=shown):
                return m.ProfileView(
                    login="ana", first_names="A", surnames="B", created=NOW, online=True, show_seen=shown
                )
            case m.Members():
                return m.MemberList(members=[m.MemberView(login=user, online=True) for user in self.users], more=False)
            case m.Users():
                listed = [m.UserView(login=u, first_names=u.title(), surnames="S", online=True) for u in self.users]
                return m.UserList(users=listed, more=False)
            case m.Rooms():
                return m.RoomList(rooms=list(self.rooms.values()), more=False)
            case m.Profile():
                login = command.login or self.login or ""
                if login.casefold() not in self.users:
                    raise NoSuchUser
                return m.ProfileView(login=login.casefold(), first_names="A", surnames="B", created=NOW, online=True)
        return m.Reply()

    async def _known(self, command: m.Join | m.Enter) -> m.RoomView:
        await self._request(command)
        if command.room not in self.rooms:
            raise NoSuchRoom
        return self.rooms[command.room]

    async def join(self, name: str) -> None:
        self.tell(RoomJoined(await self._known(m.Join(room=name))))

    async def enter(self, name: str) -> None:
        before, room = self.current, await self._known(m.Enter(room=name))
        self.current = name
        self.tell(RoomJoined(room))
        if before != name:
            self.tell(RoomLeft(before, "left"))

    async def create(self, name: str, *, kept: bool = False, private: bool = False, open: bool = False) -> None:
        await self._request(m.Create(room=name, kept=kept, private=private, open=open))
        self.rooms[name] = view(name, 2 + len(self.rooms), creator=self.login, kept=kept, private=private, open=open)
        self.tell(RoomJoined(self.rooms[name]))

    async def leave(self, name: str) -> None:
        await self._request(m.Leave(room=name))
        self.tell(RoomLeft(name, "left"))

    async def log_out(self, token: bytes | None = None) -> None:
        await self._request(m.Logout(token=token))

    async def start(self) -> None:
        await asyncio.sleep(0)

    async def close(self) -> None:
        self.closed = True
        self.hang_up()
