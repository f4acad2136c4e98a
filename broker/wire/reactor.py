"""The one thread that owns every network socket, and with them all that the rules hold in memory.

Each turn reads a bounded batch from each socket that has something, so that no kind of work starves another,
then carries on with what the journal and the workers have done. Must not know rules, SQL or passwords.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable
from typing import Final

import zmq

from broker import log
from broker.chat.chat import Chat
from broker.chat.effects import Now, Origin
from broker.wire import peers
from broker.wire.bell import Bell
from broker.wire.broadcast import BeaconLost, Broadcast, Change, Granted, Withdrawn
from broker.wire.carrier import Carrier
from broker.wire.commands import Commands
from broker.wire.greeting import Greeting
from broker.wire.operator import Operator
from broker.wire.roll import Roll
from broker.wire.sockets import Sockets
from common import codec
from common.errors import ChatError
from common.messages import Send

BATCH: Final = 256
"""Requests in a turn: enough to spread the cost of a turn, few enough that replies leave within milliseconds."""
SUBSCRIPTIONS: Final = 256
"""Subscription frames of each listening socket in a turn: a reconnect storm is thousands of them, each cheap."""
PART: Final = 16
TURN_S: Final = 0.008
"""Costly requests end a turn after this long, looked at every `PART`: what others wait for is not held up by them."""
GREETINGS: Final = 32
TICK_S: Final = 0.1
SWEEP_S: Final = 1.0
PRUNE_S: Final = 10.0
LOOKS: Final = 20
"""Ticks for which a lost beacon's connection is looked for; the sweep finds what is later."""


def wall_clock() -> Now:
    """The moment, by the system's clocks."""
    return Now(time.time_ns() // 1_000_000, time.monotonic())


class Reactor:
    """Turns until `stop` is called, or nobody has been there for `idle_exit_s`."""

    def __init__(
        self,
        chat: Chat,
        carrier: Carrier,
        sockets: Sockets,
        commands: Commands,
        broadcast: Broadcast,
        greeting: Greeting,
        operator: Operator,
        bell: Bell,
        roll: Roll,
        *,
        idle_exit_s: float | None = None,
        wakeup: int | None = None,
        clock: Callable[[], Now] = wall_clock,
    ) -> None:
        self._chat = chat
        self._carrier = carrier
        self._sockets = sockets
        self._commands = commands
        self._broadcast = broadcast
        self._greeting = greeting
        self._operator = operator
        self._bell = bell
        self._roll = roll
        self._idle_exit_s = idle_exit_s
        self._wakeup = wakeup
        self._clock = clock
        self._now = clock()
        self._stopping = False
        self._next_tick = self._now.mono + TICK_S
        self._next_sweep = self._now.mono + SWEEP_S
        self._next_prune = self._now.mono + PRUNE_S
        self._last_busy = self._now.mono
        self._requests_then = 0
        self._lost: dict[bytes, int] = {}
        self.requests = 0
        """Requests read since the start."""
        self.failed = False
        """Whether it stopped because nothing can be written any more."""

    def stop(self) -> None:
        """Make `run` return; from any thread, and from a signal handler."""
        self._stopping = True
        self._bell.ring()

    def run(self) -> None:
        """Serve until told to stop."""
        self._carrier.perform(None, lambda: self._chat.started)
        poller = zmq.Poller()
        for each in (self._sockets.commands, *self._sockets.broadcast, self._sockets.greeting, self._bell.socket):
            poller.register(each, zmq.POLLIN)
        poller.register(self._operator.socket, zmq.POLLIN)
        if self._wakeup is not None:
            poller.register(self._wakeup, zmq.POLLIN)
        poll = poller.poll
        while not self._stopping:
            wait = min(self._next_tick, self._carrier.due) - time.monotonic()
            self._turn({ready for ready, _ in poll(max(0, int(wait * 1_000) + 1))})

    def finish(self, timeout: float) -> None:
        """Read no more requests, settle what was accepted, and tell the clients. `timeout` in seconds for all."""
        deadline = time.monotonic() + timeout
        self._settle_all(deadline)
        self._carrier.carry_on(math.inf)
        self._now = self._clock()
        self._carrier.perform(None, self._chat.close, self._now)
        self._settle_all(deadline)

    def _settle_all(self, deadline: float) -> None:
        while not self._carrier.idle and (left := deadline - time.monotonic()) > 0:
            self._bell.socket.poll(max(1, int(left * 1_000)))
            self._bell.hush()
            self._carrier.settle(self._clock())

    def _turn(self, ready: set[object]) -> None:
        now = self._now = self._clock()
        carrier, sockets = self._carrier, self._sockets
        if self._bell.socket in ready:
            self._bell.hush()
        carrier.settle(now)
        carrier.collect(now)
        if not ready.isdisjoint(sockets.broadcast):
            for change in self._broadcast.drain(ready, SUBSCRIPTIONS):
                self._changed(change, now)
        if sockets.commands in ready:
            self._read_requests(now.mono + TURN_S)
        if sockets.greeting in ready:
            self._greeting.drain(GREETINGS)
        if self._operator.socket in ready:
            self._operator.drain(BATCH, self._operate, self._malformed)
        if self._wakeup in ready and self._wakeup is not None:
            os.read(self._wakeup, 4_096)
        carrier.perform(None, self._chat.flush, now)
        carrier.carry_on(now.mono)
        if now.mono >= self._next_tick:
            self._tick(now)

    def _read_requests(self, until: float) -> None:
        for _ in range(BATCH // PART):
            read = self._commands.drain(PART, self._request, self._malformed)
            self.requests += read
            if read < PART or self._clock().mono >= until:
                return

    def _request(self, origin: Origin, request: codec.Request) -> None:
        # Clients measure the broker's clock by replies, so that these carry the moment itself; messages, of which
        # there are many, carry the turn's.
        now = self._now if type(request.command) is Send else self._clock()
        self._carrier.perform(origin, self._chat.request, origin, request, now)

    def _malformed(self, origin: Origin, error: ChatError) -> None:
        self._carrier.refuse(origin, error)
        log.event("refused", code=error.code, address=origin.address, key=origin.key)

    def _operate(self, origin: Origin, request: codec.Request) -> None:
        self._carrier.perform(origin, self._chat.operate, origin, request, self._now)

    def _changed(self, change: Change, now: Now) -> None:
        match change:
            case Granted(key, topic, connection):
                self._carrier.perform(None, self._chat.subscribed, key, topic, connection, now)
            case Withdrawn(topic, connection):
                self._carrier.perform(None, self._chat.unsubscribed, topic, connection, now)
            case BeaconLost(topic):
                if not self._find_lost(topic, now):
                    self._lost[topic] = LOOKS

    def _find_lost(self, topic: bytes, now: Now) -> bool:
        """Tell the rules which of the beacon's connections is gone; False if all still stand.

        libzmq tells of the loss a moment before it closes the descriptor, or a guesser lost a connection that
        never held the beacon: so nothing is concluded from the news alone.
        """
        key = self._chat.beacon_key(topic)
        if key is None:
            return True
        gone = [each for each in self._chat.connections(key) if not peers.stands(each)]
        for connection in gone:
            self._carrier.perform(None, self._chat.connection_lost, connection, now)
        return bool(gone)

    def _tick(self, now: Now) -> None:
        self._next_tick = now.mono + TICK_S
        for topic, looks in list(self._lost.items()):
            if looks == 0 or self._find_lost(topic, now):
                del self._lost[topic]
            else:
                self._lost[topic] = looks - 1
        if now.mono >= self._next_sweep:
            self._next_sweep = now.mono + SWEEP_S
            self._sweep(now)
        self._carrier.perform(None, self._chat.tick, now)
        if not self._carrier.can_write:
            log.event("journal-ended", logging.CRITICAL, advice="look for the cause above, and start again")
            self._stopping = self.failed = True

    def _sweep(self, now: Now) -> None:
        connections = self._chat.all_connections()
        for connection in [each for each in connections if not peers.stands(each)]:
            self._carrier.perform(None, self._chat.connection_lost, connection, now)
        self._commands.review()
        if now.mono >= self._next_prune:
            self._next_prune = now.mono + PRUNE_S
            self._roll.prune()
            self._commands.forget_gone()
            self._broadcast.forget(self._chat.holders())
        if self._idle_exit_s is None:
            return
        if connections or self.requests != self._requests_then:
            self._requests_then, self._last_busy = self.requests, now.mono
        elif now.mono - self._last_busy >= self._idle_exit_s:
            self._stopping = True
