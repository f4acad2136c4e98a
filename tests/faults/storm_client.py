"""A client cut down to the wire that takes every step a real one does, at a fraction of the price.

Its parts are the real one's (`Log`, `Subscriptions`, the waits); what it leaves out is typed decoding of what it does
not need, the socket monitors, and ZMTP heartbeats, whose timers cost by the square of the connections in a process.
It connects by libzmq, says `hello`, awaits its markers, asks for what it missed, and pings. Whoever cuts it says so
with `cut`. Must not know how many of its like there are.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from typing import Final

import msgspec
import zmq
from zmq.utils import z85

from client.link.actions import Subscribe, Unsubscribe
from client.link.failures import pause
from client.link.logs import Hole, Log
from client.link.subscriptions import Subscriptions
from client.link.watch import RECONNECT_S
from common import codec, limits, topics
from common import messages as m
from common.addresses import Address
from common.errors import BadRequest, ChatError
from tests.faults.storm_accounts import Client

HELLO_S: Final = 2.0
RESEND_S: Final = 4.0
GONE_S: Final = 0.05
Context = zmq.Context[zmq.Socket[bytes]]


class _Event(msgspec.Struct):
    kind: str
    seq: int = 0
    prev: int = 0
    log: str = ""
    head: int = 0
    run: str = ""


_decode = msgspec.msgpack.Decoder(_Event).decode


class _Open(msgspec.Struct):
    command: m.Command
    sent: float
    log: Log | None = None
    hole: Hole | None = None


class StormClient:
    """One logged-in client. `spread` draws its pauses between attempts to connect, as a real one does."""

    def __init__(self, context: Context, address: Address, who: Client, *, heartbeats: bool = False) -> None:
        self.login = who.login
        factor = random.uniform(0.5, 1.5)
        self.dealer = _socket(context, zmq.DEALER, address, who, factor, heartbeats)
        self.sub = _socket(context, zmq.SUB, address, who, factor, heartbeats)
        self._address = address
        self.begun = False
        self.logs: dict[str, Log] = {}
        self.delivered: dict[str, int] = {}
        """Entries given out, by log: each once and in order, or `Log` is broken."""
        self.subscriptions = Subscriptions(self._act, os.urandom)
        self.run = ""
        self.hellos = 0
        self.waits = 0
        """Times that it was told to wait."""
        self._open: dict[int, _Open] = {}
        self._touched = False
        """Whether anything was done with a socket since it was read: news may have been lost by that."""
        self._number = 0
        self._hello_due = 0.0
        self._hello_wait = HELLO_S
        self._hello: int | None = None
        self._greeted = False
        self._ping_due = float("inf")

    def _act(self, action: Subscribe | Unsubscribe) -> None:
        self._touched = True
        self.sub.setsockopt(zmq.SUBSCRIBE if isinstance(action, Subscribe) else zmq.UNSUBSCRIBE, action.topic)

    def begin(self) -> None:
        """Begin to connect."""
        self.dealer.connect(self._address.commands)
        self.sub.connect(self._address.broadcast)
        self.begun = True

    def cut(self) -> None:
        """Its connections are gone, and what was under way on them."""
        for request in self._open.values():
            if request.log is not None:
                request.log.fetching = False
        self._open.clear()
        self.subscriptions.lost()
        # Not into the connection that is about to go: a real client's monitor tells when there is another.
        self._hello_due = monotonic() + GONE_S
        self._greeted, self._hello, self._hello_wait = False, None, HELLO_S

    @property
    def greeted(self) -> bool:
        """Whether the broker has answered on this connection."""
        return self._greeted

    @property
    def live(self) -> bool:
        """Whether everything is granted, and nothing is known to be missing."""
        return self._greeted and self.subscriptions.complete and not any(log.behind for log in self.logs.values())

    def _ask(self, command: m.Command, now: float, log: Log | None = None, hole: Hole | None = None) -> int | None:
        self._number += 1
        self._touched = True
        try:
            self.dealer.send(codec.encode_request(self._number, command), zmq.NOBLOCK)
        except zmq.Again:
            return None
        self._open[self._number] = _Open(command, now, log, hole)
        return self._number

    def tick(self, now: float) -> None:
        """Let time pass."""
        if not self._greeted and now >= self._hello_due:
            if self._hello is not None:
                self._open.pop(self._hello, None)
                self._hello_wait = min(2 * self._hello_wait, limits.SILENCE_S)
            self._hello = self._ask(m.Hello(versions=[1], client="storm"), now)
            if self._hello is not None:
                self.hellos += 1
                self._hello_due = now + self._hello_wait
        self.subscriptions.tick(now)
        if self._greeted:
            if now >= self._ping_due and self._ask(m.Ping(), now) is not None:
                self._ping_due = now + limits.HEARTBEAT_S * random.uniform(0.9, 1.1)
            for number, request in list(self._open.items()):
                if now >= request.sent + RESEND_S:
                    del self._open[number]
                    if request.log is not None:
                        request.log.fetching = False
            for log in self.logs.values():
                self._pump(log, now)

    def _pump(self, log: Log, now: float) -> None:
        hole = log.hole(now)
        if hole is not None and self._greeted:
            command = m.History(log=log.name, after=hole.after, before=hole.before)
            log.fetching = self._ask(command, now, log, hole) is not None

    def read_replies(self, now: float) -> None:
        """Take all that came on the command socket."""
        _drain(self.dealer, self._reply, now)

    def read_events(self, now: float) -> None:
        """Take all that came on the broadcast socket."""
        _drain(self.sub, self._event, now)

    def look_again(self) -> None:
        """Read both, as long as anything is done with them."""
        while self._touched:
            self._touched = False
            now = monotonic()
            self.read_events(now)
            self.read_replies(now)

    def _reply(self, frame: bytes, now: float) -> None:
        kinds = {number: m.OPS[request.command.op][1] for number, request in self._open.items()}
        try:
            number, outcome = codec.decode_reply(frame, kinds)
        except BadRequest:
            return  # to a question that was asked again meanwhile
        request = self._open.pop(number)
        if isinstance(outcome, ChatError):
            self.waits += 1
            wait = pause(outcome, 1.0, os.urandom)
            if number == self._hello:
                self._hello, self._hello_due = None, now + wait
            elif request.log is not None:
                request.log.fetching = False
                request.log.failed(now, wait)
        elif isinstance(outcome, m.Welcome):
            self._welcome(outcome, now)
        elif isinstance(outcome, m.Pong):
            self._heads(outcome.heads, now)
        elif isinstance(outcome, m.Entries):
            assert request.log is not None
            assert request.hole is not None
            request.log.fetching = False
            self._deliver(request.log, request.log.page(request.hole, outcome.entries, outcome.more))
            self._pump(request.log, now)

    def _welcome(self, welcome: m.Welcome, now: float) -> None:
        state = welcome.session
        if state is None:
            raise RuntimeError(f"{self.login} is not logged in any more")
        self.run, self._hello, self._greeted = welcome.run, None, True
        self._ping_due = now + random.uniform(0.0, limits.HEARTBEAT_S)
        heads = {topics.inbox(state.login): state.inbox, **{view.name: view.head for view in state.rooms}}
        self.subscriptions.beacon = welcome.beacon
        self.subscriptions.connected(now)
        self.subscriptions.want(welcome.beacon, now)
        for name, head in heads.items():
            if name not in self.logs:
                self.logs[name], self.delivered[name] = Log(name, 0, head), 0
            self.subscriptions.want(name, now)
        self._heads(heads, now)

    def _heads(self, heads: dict[str, int], now: float) -> None:
        for name, head in heads.items():
            if name in self.logs:
                self.logs[name].rumoured(head, now, 0.3)

    def _deliver(self, log: Log, entries: list[m.AnyEntry]) -> None:
        self.delivered[log.name] += len(entries)

    def _event(self, frame: bytes, now: float) -> None:
        end = frame.index(b"\0")
        event = _decode(memoryview(frame)[end + 1 :])
        if event.kind == "message":
            log = self.logs[frame[:end].decode()]
            self._deliver(log, log.heard(event))  # type: ignore[arg-type]
            if log.behind:
                self._pump(log, now)
        elif event.kind == "live" and event.log in self.subscriptions:
            again = self.subscriptions.granted(event.log)
            if event.log == self.subscriptions.beacon and again:
                self.subscriptions.remade(now)
            if event.log in self.logs:
                self.logs[event.log].ends_at(event.head)
                self._pump(self.logs[event.log], now)


def _drain(source: zmq.Socket[bytes], take: Callable[[bytes, float], None], now: float) -> None:
    while True:
        try:
            frame = source.recv(zmq.NOBLOCK)
        except zmq.Again:
            return
        take(frame, now)


def _socket(
    context: Context, kind: int, address: Address, who: Client, factor: float, heartbeats: bool
) -> zmq.Socket[bytes]:
    assert address.key is not None
    made = context.socket(kind)
    made.setsockopt(zmq.CURVE_PUBLICKEY, z85.encode(who.keys.public))
    made.setsockopt(zmq.CURVE_SECRETKEY, z85.encode(who.keys.secret))
    made.setsockopt(zmq.CURVE_SERVERKEY, z85.encode(address.key))
    for option, value in (
        (zmq.RCVHWM, 0),
        (zmq.SNDHWM, 0 if kind == zmq.SUB else 1_000),
        (zmq.IMMEDIATE, 1),
        (zmq.LINGER, 0),
        (zmq.RECONNECT_IVL, round(1_000 * factor * RECONNECT_S[0])),
        (zmq.RECONNECT_IVL_MAX, round(1_000 * factor * RECONNECT_S[1])),
        (zmq.HEARTBEAT_IVL, 5_000 if heartbeats else 0),
        (zmq.HEARTBEAT_TIMEOUT, 15_000 if heartbeats else 0),
    ):
        made.setsockopt(option, value)
    return made


def monotonic() -> float:
    """CLOCK_MONOTONIC, which all processes of a machine share."""
    return time.monotonic()
