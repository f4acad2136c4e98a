"""An owner and a guest of one private room: the guest comes in, hears something, and has to go; again and again.

Each message carries its number, and the pair knows of each whether the guest was a member when it was sent: what was
said between the answer to the expulsion and the next invitation must not arrive. The guest asks for subscriptions as
`client.link` does, with its own class. Must not know who attacks.
"""

from __future__ import annotations

import re
import time
from typing import Final, Self

import zmq
from zmq.utils.monitor import parse_monitor_message

from client.link.actions import Subscribe, Unsubscribe
from client.link.subscriptions import Subscriptions
from common import codec, messages
from common.addresses import Address
from tests.support.loopback import RawClient
from tests.support.patience import PATIENCE_S

MARK: Final = "a secret of the room, number"
_NUMBER: Final = re.compile(rf"{MARK} (\d+)".encode())
RECONNECT_MS: Final = 200
"""As clients are told to: `docs/PROTOCOL.md`, section 3."""


class Pair:
    """The two, each with a connection of its own kind to both sockets."""

    def __init__(self, address: Address, room: str) -> None:
        self._room = room
        self._owner = RawClient(address)
        self._guest = RawClient(address)
        self._owner.register(f"owner-{room}"[:32])
        self._guest.sub.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
        self._monitor = self._guest.sub.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED)
        self._poller = zmq.Poller()
        self._poller.register(self._guest.sub, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)
        self._guest.register(f"guest-{room}"[:32])
        self._owner.ask(messages.Create(room=room, private=True, kept=True))
        self._subscriptions = Subscriptions(self._act, lambda count: b"\x80" * count)
        self._subscriptions.connected(time.monotonic())
        self._subscriptions.want(self._guest.beacon, time.monotonic())
        self._subscriptions.beacon = self._guest.beacon
        self._subscriptions.granted(self._guest.beacon)
        self._news()
        self._said = 0
        self._meant: set[int] = set()
        """The numbers of messages that the guest may hear."""
        self._heard: set[int] = set()
        self.only_meant_for_others = False
        """Planted by the tests: everything that the guest hears then counts as overheard."""
        self._pinged = 0.0
        self.rounds = self.retries = self.cuts = 0
        self.waits: list[float] = []
        self.overheard: list[str] = []

    @property
    def heard_rightly(self) -> int:
        """Messages that the guest heard as a member."""
        return len(self._heard & self._meant)

    def _act(self, action: Subscribe | Unsubscribe) -> None:
        if isinstance(action, Subscribe):
            self._guest.sub.setsockopt(zmq.SUBSCRIBE, action.topic)
        else:
            self._guest.sub.setsockopt(zmq.UNSUBSCRIBE, action.topic)

    def round(self, *, expelled: bool) -> None:
        """Let in, told something, out again; and something said that is not for the guest."""
        self._ping()
        self._owner.ask(messages.Invite(room=self._room, login=f"guest-{self._room}"[:32]))
        self._guest.ask(messages.Join(room=self._room))
        self._come_in()
        self._hear_until(self._say(for_guest=True))
        if expelled:
            self._owner.ask(messages.Remove(room=self._room, login=f"guest-{self._room}"[:32]))
            self._say(for_guest=False)
            self._subscriptions.drop(self._room)
        else:
            self._subscriptions.drop(self._room)
            self._guest.ask(messages.Leave(room=self._room))
            self._say(for_guest=False)
        self._listen(0.0)
        self.rounds += 1

    def finish(self) -> None:
        """Hear whatever is still on its way: the beacon is asked for anew, and its marker comes behind all of it."""
        self._say(for_guest=False)
        for _ in range(2):
            self._subscriptions.renew(self._guest.beacon, time.monotonic())
            self._listen(PATIENCE_S, until=self._guest.beacon)

    def _say(self, *, for_guest: bool) -> int:
        self._said += 1
        if for_guest and not self.only_meant_for_others:
            self._meant.add(self._said)
        self._owner.say(self._room, f"{MARK} {self._said}")
        return self._said

    def _come_in(self) -> None:
        """Subscribe until it is granted, and note how long that took."""
        began = time.monotonic()
        self._subscriptions.want(self._room, began)
        self._listen(PATIENCE_S, until=self._room)
        self.waits.append(time.monotonic() - began)

    def _hear_until(self, number: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while number not in self._heard:
            assert time.monotonic() < deadline, "a member did not hear what was said"
            self._listen(0.1, once=True)

    def _listen(self, seconds: float, *, until: str = "", once: bool = False) -> None:
        """Take in what comes, for so long or until the marker of a log; ask again for what is not granted."""
        deadline = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            if now >= self._subscriptions.deadline():
                self.retries += 1
                self._subscriptions.tick(now)
            wait = min(deadline, self._subscriptions.deadline()) - now
            ready = dict(self._poller.poll(max(0, int(wait * 1_000) + 1) if seconds else 0))
            if self._monitor in ready:
                self._news()
            if self._guest.sub not in ready:
                assert not until or time.monotonic() < deadline, f"{until[:6]} was never granted"
                if time.monotonic() >= deadline:
                    return
                continue
            if self._take(self._guest.sub.recv()) == until and until:
                return
            if once:
                return

    def _news(self) -> None:
        """Whether the connection went, or came back: libzmq connects and subscribes by itself, and tells."""
        while self._monitor.poll(0):
            if parse_monitor_message(self._monitor.recv_multipart())["event"] == zmq.EVENT_DISCONNECTED:
                self.cuts += 1
                self._subscriptions.lost()
            else:
                self._subscriptions.connected(time.monotonic())

    def _take(self, frame: bytes) -> str:
        """One frame: a secret, or a marker, whose log is returned."""
        found = _NUMBER.search(frame)
        if found is not None:
            number = int(found[1])
            self._heard.add(number)
            if number not in self._meant:
                self.overheard.append(f"the guest of {self._room}, expelled or gone, heard message {number}")
            return ""
        event = codec.decode_event(frame).event
        if not isinstance(event, messages.Live) or event.log not in self._subscriptions:
            return ""
        if self._subscriptions.granted(event.log) and event.log == self._guest.beacon:
            self._subscriptions.remade(time.monotonic())
        return event.log

    def _ping(self) -> None:
        """Both stay present; once in a while is enough."""
        now = time.monotonic()
        if now - self._pinged > 2:
            self._pinged = now
            self._owner.ask(messages.Ping())
            self._guest.ask(messages.Ping())

    def close(self) -> None:
        """Both vanish."""
        self._monitor.close(0)
        self._owner.close()
        self._guest.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
