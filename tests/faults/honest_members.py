"""The process of the honest members: `honest` starts it and says when to measure; this talks, listens and counts.

They behave as clients should: they ping, read the log for what did not come, and subscribe again if nothing does.
Must not know what is done to the broker meanwhile.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from dataclasses import asdict
from typing import Final

import zmq

from common import codec, messages
from common.addresses import parse
from common.limits import HEARTBEAT_S
from tests.faults.honest import Latency, share
from tests.support.loopback import RawClient

ROOM: Final = "lobby"
MARK: Final = b"honestly"
"""What nonces here begin with, so that others' messages need not be decoded."""
LAST_S: Final = 5.0
"""Seconds that the last messages of a measurement have to arrive."""
DOUBT_S: Final = 1.0
"""Seconds without an expected message after which a member reads the log, and after twice as many subscribes again."""


class _Round:
    """One measurement in the members' own process."""

    def __init__(self, clients: list[RawClient], rate: float) -> None:
        self._clients = clients
        self._pause = 1 / rate
        self._began: dict[bytes, float] = {}
        self._waits: list[dict[bytes, float]] = [{} for _ in clients]
        self._requests: dict[tuple[int, int], bytes] = {}
        self._renewed_at = [0.0] * len(clients)
        self._asked_at = [0.0] * len(clients)
        self._latencies: list[float] = []
        self._sent = self._refused = self._renewed = 0

    def run(self, seconds: float) -> Latency:
        poller = zmq.Poller()
        for client in self._clients:
            poller.register(client.dealer, zmq.POLLIN)
            poller.register(client.sub, zmq.POLLIN)
        now = time.monotonic()
        send_at, until, ping_at = now, now + seconds, now
        while now < until or (any(self._waits) and now < until + LAST_S):
            if now >= ping_at:
                ping_at = now + HEARTBEAT_S / 2
                for client in self._clients:
                    client.send(messages.Ping())
            if send_at <= now < until:
                send_at += self._pause
                self._say()
            # The events first: an answer that is read late spoils nothing.
            ready = dict(poller.poll(max(0, min(20, int((send_at - now) * 1_000)))))
            for number, client in enumerate(self._clients):
                if client.sub in ready:
                    self._hear(number, client)
            for number, client in enumerate(self._clients):
                if client.dealer in ready:
                    self._answers(number, client)
            now = time.monotonic()
            self._renew(now)
        return self._found()

    def _say(self) -> None:
        speaker = self._sent % len(self._clients)
        nonce = MARK + secrets.token_bytes(8)
        self._sent += 1
        self._began[nonce] = now = time.monotonic()
        for number, waits in enumerate(self._waits):
            if number != speaker:
                waits[nonce] = now
        sent = self._clients[speaker].send(messages.Send(room=ROOM, text=f"honest words, {self._sent}", nonce=nonce))
        self._requests[speaker, sent] = nonce

    def _hear(self, number: int, client: RawClient) -> None:
        try:
            while True:
                self._arrived(number, client.sub.recv(zmq.NOBLOCK))
        except zmq.Again:
            pass

    def _arrived(self, number: int, frame: bytes) -> None:
        """Note every message in a frame, be it an event or a page of the log."""
        at = frame.find(MARK)
        while at >= 0:
            began = self._waits[number].pop(frame[at : at + 16], None)
            if began is not None:
                self._latencies.append((time.monotonic() - began) * 1_000)
            at = frame.find(MARK, at + 16)

    def _answers(self, number: int, client: RawClient) -> None:
        try:
            while True:
                frame = client.dealer.recv(zmq.NOBLOCK)
                self._arrived(number, frame)
                id, reply = codec.decode_reply(frame, _AnyNumber())
                nonce = self._requests.pop((number, id), None)
                if nonce is not None and not isinstance(reply, messages.Reply):
                    self._refused += 1
                    for waits in self._waits:
                        waits.pop(nonce, None)
        except zmq.Again:
            pass

    def _renew(self, now: float) -> None:
        for number, waits in enumerate(self._waits):
            oldest = next(iter(waits.values()), now)
            client = self._clients[number]
            if now - max(oldest, self._asked_at[number]) > DOUBT_S:
                self._asked_at[number] = now
                client.send(messages.History(log=ROOM))
            if now - max(oldest, self._renewed_at[number]) > 2 * DOUBT_S:
                self._renewed_at[number] = now
                self._renewed += 1
                for log in (client.beacon, ROOM):
                    client.unsubscribe(log)
                    client.subscribe(log)

    def _found(self) -> Latency:
        ordered = sorted(self._latencies)
        lost = sum(map(len, self._waits))
        return Latency(
            self._sent,
            self._refused,
            len(ordered) + lost,
            len(ordered),
            self._renewed,
            share(ordered, 0.5),
            share(ordered, 0.99),
            ordered[-1] if ordered else 0.0,
        )


class _AnyNumber(dict[int, type[messages.Reply]]):
    """Every number is open, and its reply one of no particular class."""

    def __contains__(self, _: object) -> bool:
        return True

    def get(self, *_: object) -> type[messages.Reply]:
        return messages.Reply


def main(address: str, members: str, rate: str) -> None:
    """The members' process: a line of seconds in, a line of figures out, until the input ends."""
    run = secrets.token_hex(3)
    clients = [RawClient(parse(address)) for _ in range(int(members))]
    for number, client in enumerate(clients):
        client.register(f"honest-{run}-{number}")
        client.enter(ROOM)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(asdict(_Round(clients, float(rate)).run(float(line)))), flush=True)
    for client in clients:
        client.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
