"""Malformed input, a million of each kind: to the decoder, before the handshake, and after it.

Promised: no exception past the decoder, no abort of the broker, less than 16 MiB more memory, nothing lost between
honest members, and their messages delivered in under 50 ms (p99) meanwhile.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from common import codec, messages
from common.errors import BadRequest
from tests.faults import malformed_bytes, malformed_connections, malformed_frames
from tests.faults.broker_process import BrokerProcess
from tests.faults.honest import Meanwhile, Members
from tests.support import bad_input

COUNT: Final = 1_000_000
GROWTH: Final = 16 * 2**20
"""Bytes that the broker may have grown by when all is over."""
P99_MS: Final = 50.0
CALM_S: Final = 5.0

Read = Callable[[bytes], object]
_KINDS: Final[list[dict[int, type[messages.Reply]]]] = [
    {bad_input.NUMBER: kind} for kind in (messages.LoggedIn, messages.Pong, messages.Entries)
]


@dataclass
class Report:
    """What broke, by promise; timings apart, which depend on the machine."""

    broken: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much, and from which seed."""
    parser.add_argument("--count", type=int, default=COUNT, help="inputs of each kind (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="where chance begins (default: %(default)s)")
    parser.add_argument("--rounds", type=float, default=5.0, help="seconds of an honest measurement")


def run(arguments: argparse.Namespace) -> int:
    """Try all three; 1 if a promise was broken."""
    report = Report()
    decoders(arguments.count, arguments.seed, report)
    with BrokerProcess() as broker, Members(str(broker.address)) as members:
        # An attacker has a machine of its own: on this one it gets what the broker and the honest leave.
        os.nice(10)
        network(broker, members, arguments.count, arguments.seed, arguments.rounds, report)
    for sentence in report.broken + report.slow:
        print(f"BROKEN: {sentence}")
    return 1 if report.broken or report.slow else 0


def decoders(count: int, seed: int, report: Report) -> None:
    """Every decoder that reads what strangers write: nothing leaves it but a message or its one error."""
    numbers = iter(range(count))
    each: tuple[tuple[str, list[bytes], Read], ...] = (
        ("requests", malformed_bytes.requests(), codec.decode_request),
        ("events", malformed_bytes.events(), codec.decode_event),
        (
            "replies",
            malformed_bytes.replies(),
            lambda frame: codec.decode_reply(frame, _KINDS[next(numbers) % len(_KINDS)]),
        ),
    )
    for name, frames, read in each:
        began = time.monotonic()
        mutated = malformed_bytes.Mutator(frames, seed)
        read_well = 0
        others: Counter[str] = Counter()
        for _ in range(count):
            frame = mutated()
            try:
                read(frame)
                read_well += 1
            except BadRequest:
                pass
            except Exception as error:
                others[f"{type(error).__name__}: {error} for {frame[:40].hex()}"] += 1
        print(
            f"decoder, {name}: {count} changed frames, {read_well} still readable, {others.total()} exceptions beside "
            f"the decoder's own, {time.monotonic() - began:.0f} s"
        )
        report.broken += [f"the decoder of {name} raised {what}" for what, _ in others.most_common(3)]


def network(
    broker: BrokerProcess, members: Members, count: int, seed: int, round_s: float, report: Report
) -> tuple[malformed_connections.Outcome, malformed_frames.Outcome]:
    """Connections and frames against a real broker, and what honest members see of it."""
    print(f"honest members before: {members.measure(min(CALM_S, round_s))}")
    before, descriptors = broker.memory(), broker.descriptors()
    connections = malformed_connections.Attack(broker.address, count, seed)
    frames = malformed_frames.Attack(broker.address, count, seed)
    for name, attack in (("connections", connections.run), ("frames", frames.run)):
        began, cpu = time.monotonic(), broker.cpu()
        with Meanwhile(members, round_s) as meanwhile:
            outcome = attack()
            took = time.monotonic() - began
        if not broker.alive:
            report.broken.append(f"the broker ended with status {broker.process.poll()} under malformed {name}")
            break
        print(f"malformed {name}: {outcome}, {took:.0f} s, {count / took:.0f}/s, broker {broker.cpu() - cpu:.0f} s CPU")
        print(f"  honest members meanwhile: {meanwhile}")
        print(f"  broker: {broker.memory() / 2**20:.1f} MiB, {broker.descriptors()} descriptors")
        if meanwhile.lost:
            report.broken.append(f"{meanwhile.lost} honest messages were lost under malformed {name}")
        if meanwhile.p99 >= P99_MS:
            report.slow.append(f"honest members' p99 was {meanwhile.p99:.0f} ms under malformed {name}")
    if broker.alive:
        after = members.measure(min(CALM_S, round_s))
        growth = broker.memory() - before
        print(f"honest members after: {after}")
        print(f"broker grew by {growth / 2**20:.1f} MiB; descriptors {descriptors}, now {broker.descriptors()}")
        if growth >= GROWTH:
            report.broken.append(f"the broker grew by {growth / 2**20:.1f} MiB")
        if "Traceback" in broker.log_text():
            report.broken.append("the broker logged a fault")
    return connections.outcome, frames.outcome
