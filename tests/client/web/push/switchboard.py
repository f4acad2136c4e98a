"""Sessions without a broker, as `client.web.push.ports` has them, and what a test does to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from client.link.failures import LinkLost
from common import messages as m


def room(name: str = "lobby", **fields: Any) -> m.RoomView:
    usual = {
        "id": 1, "name": name, "kept": True, "private": False, "open": False, "subject": "", "creator": None,
        "head": 0, "online": 1, "joined": True, "since": 0,
    }  # fmt: skip
    return m.RoomView(**{**usual, **fields})


def state(login: str = "ana", *rooms: m.RoomView, **fields: Any) -> m.SessionState:
    usual: dict[str, Any] = {"operator": False, "current": "lobby", "inbox": 0, "online": False}
    return m.SessionState(login=login, rooms=list(rooms or (room(),)), **{**usual, **fields})


def message(seq: int = 1, text: str = "hi @ana", sender: str = "ben", **fields: Any) -> m.Message:
    return m.Message(seq=seq, prev=seq - 1, time=1, sender=sender, text=text, nonce=bytes(16), **fields)


def direct(seq: int = 1, text: str = "hola", sender: str = "ben", to: str = "ana", **fields: Any) -> m.DirectMessage:
    return m.DirectMessage(seq=seq, prev=seq - 1, time=1, sender=sender, to=to, text=text, nonce=bytes(16), **fields)


def edited(target: int, text: str) -> m.Edited:
    return m.Edited(seq=target + 100, prev=target, time=2, sender="ben", target=target, text=text, nonce=bytes(16))


def retracted(target: int) -> m.Retracted:
    return m.Retracted(seq=target + 100, prev=target, time=2, sender="ben", target=target, nonce=bytes(16))


class FakeSession:
    def __init__(self, label: str, state: m.SessionState) -> None:
        self.label = label
        self.state = state

    @property
    def login(self) -> str:
        return self.state.login

    def entitled(self, log: str, seq: int) -> bool:
        if log.startswith("@"):
            return log == f"@{self.login}"
        return any(view.name == log and seq > view.since for view in self.state.rooms)


class Switchboard:
    """The relay's double: `known` are the labels that are logged in."""

    def __init__(self, **known: m.SessionState) -> None:
        self.overheard: list[Callable[[str, m.AnyEvent], None]] = []
        self.own_ops: dict[str, Callable[[Any, dict[str, Any]], Awaitable[dict[str, Any]]]] = {}
        self.known = {label: FakeSession(label, state) for label, state in known.items()}
        self.adopted: set[str] = set()
        self.visible: set[str] = set()
        self.present: set[str] = set()
        """Accounts that are present by a session of another program."""
        self.away = False

    def session(self, label: str) -> FakeSession | None:
        return self.known.get(label) if label in self.adopted else None

    def active(self, login: str) -> bool:
        return login in self.visible

    async def adopt(self, label: str) -> FakeSession | None:
        if self.away:
            raise LinkLost
        if label in self.known:
            self.adopted.add(label)
        return self.known.get(label)

    def release(self, label: str) -> None:
        self.adopted.discard(label)

    async def elsewhere(self, label: str) -> bool:
        if self.away:
            raise LinkLost
        return self.known[label].login in self.present

    def happens(self, log: str, event: m.AnyEvent) -> None:
        """What the broker tells."""
        for hear in self.overheard:
            hear(log, event)

    async def ask(self, label: str, op: str, **fields: Any) -> dict[str, Any]:
        """What a browser asks over its socket."""
        return await self.own_ops[op](self.known[label], {"op": op, "id": 1, **fields})
