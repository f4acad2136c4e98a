"""What is asked of a broker: a pipelined stream, lone messages, a room full of listeners.

Each function runs in the driver's process and returns plain numbers. Must not know which server it drives.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import NamedTuple

import zmq

from bench.members import Member, send_frame
from bench.processes import Measured, Stopwatch

TEXT = (
    "An ordinary message of a hundred and twenty bytes, "
    "which is about what people write in a room when they talk to others."
)


class Stream(NamedTuple):
    """A pipelined stream of messages."""

    rate: float
    """Acknowledged messages a second."""
    cpu: float
    """The server's CPU per acknowledged message, µs."""


class Fan(NamedTuple):
    """A room with listeners."""

    deliveries: float
    """Deliveries a second."""
    cpu: float
    """The server's CPU per delivery, µs, the messages' own cost included."""
    lost: int


def stream(process: Measured, senders: Sequence[Member], messages: int, window: int) -> Stream:
    """Have each sender keep `window` messages under way, until `messages` in all are acknowledged."""
    poller = zmq.Poller()
    by_socket = {sender.dealer: sender for sender in senders}
    for socket in by_socket:
        poller.register(socket, zmq.POLLIN)
    watch, begun = Stopwatch(process), time.perf_counter()
    sent = acknowledged = 0
    for _ in range(window):
        for sender in senders:
            sender.dealer.send(send_frame(sent + 1, TEXT))
            sent += 1
    while acknowledged < messages:
        for socket, _ in poller.poll(10_000):
            try:
                while True:
                    reply = socket.recv(zmq.NOBLOCK)
                    if b"\xa5error" in reply:
                        raise RuntimeError(reply)
                    acknowledged += 1
                    if sent < messages:
                        sent += 1
                        socket.send(send_frame(sent, TEXT))
            except zmq.Again:
                pass
    return Stream(acknowledged / (time.perf_counter() - begun), watch.microseconds(acknowledged))


def lone(sender: Member, messages: int) -> tuple[float, float]:
    """Median and 99th percentile of a message that waits for nothing but its own acknowledgement, ms."""
    times = []
    for number in range(messages):
        begun = time.perf_counter()
        sender.dealer.send(send_frame(number + 1, TEXT))
        sender.dealer.recv()
        times.append((time.perf_counter() - begun) * 1e3)
    ordered = sorted(times)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.99)]


def drain(listeners: Sequence[Member]) -> int:
    """Read what has come; how many messages it were."""
    heard = 0
    for listener in listeners:
        recv = listener.sub.recv
        try:
            while True:
                heard += recv(zmq.NOBLOCK).startswith(b"lobby\0")
        except zmq.Again:
            pass
    return heard


def fan(process: Measured, sender: Member, listeners: Sequence[Member], seconds: float, per_second: float) -> Fan:
    """Have one sender speak so often that `per_second` deliveries come of it, and count them.

    With `per_second` 0 it speaks as fast as a window of 128 allows.
    """
    drain(listeners)
    watch, begun = Stopwatch(process), time.perf_counter()
    sent = acknowledged = heard = 0
    pace = per_second / len(listeners)
    while (passed := time.perf_counter() - begun) < seconds:
        due = int(passed * pace) + 1 if pace else acknowledged + 128
        while sent < due:
            sent += 1
            sender.dealer.send(send_frame(sent, TEXT))
        try:
            while True:
                sender.dealer.recv(zmq.NOBLOCK)
                acknowledged += 1
        except zmq.Again:
            pass
        heard += drain(listeners)
        if pace:
            time.sleep(max(0.0, min(0.002, sent / pace - (time.perf_counter() - begun))))
    while acknowledged < sent:
        sender.dealer.recv()
        acknowledged += 1
    quiet = time.perf_counter()
    while heard < sent * len(listeners) and time.perf_counter() - quiet < 1.0:
        new = drain(listeners)
        heard += new
        if new:
            quiet = time.perf_counter()
    taken = time.perf_counter() - begun - (time.perf_counter() - quiet)
    expected = sent * len(listeners)
    return Fan(heard / taken, watch.microseconds(heard), expected - heard)
