"""Print the figures: throughput, durable latency, CPU, memory, reconnects, the terminal's, and the bare floor's.

    python -m bench [--quick]

Everything runs in processes of its own, on loopback, with CURVE. Machines are noisy: read ratios first.
"""

from __future__ import annotations

import argparse
import time

import zmq

from bench import bots, frames, load, page, sockets, terminal
from bench.members import ROOM, Member, logins
from bench.processes import Floor, broker
from bench.revoking import revoking
from common import codec, topics


def context() -> zmq.Context[zmq.Socket[bytes]]:
    made: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    made.set(zmq.MAX_SOCKETS, 8_192)
    return made


def throughput(quick: bool) -> None:
    """Acknowledged messages through one room, and a lone one."""
    ctx = context()
    with broker() as server:
        senders = [Member(ctx, server.address, login, ears=False) for login in logins("sender", 4)]
        load.stream(server, senders, 2_000, 64)
        result = load.stream(server, senders, 20_000 if quick else 100_000, 128)
        print(f"acknowledged, one room, 4 senders pipelined   {result.rate:9,.0f} /s   {result.cpu:6.1f} µs CPU each")
        median, high = load.lone(senders[0], 300 if quick else 2_000)
        print(f"lone durable send                             {median:9.2f} ms median   {high:.2f} ms p99")
    ctx.destroy(0)


def fans(quick: bool) -> None:
    """Deliveries to full rooms, beside the floor's."""
    seconds = 2.0 if quick else 5.0
    for size in (10, 100) if quick else (10, 100, 500):
        for pace, kind in ((20_000.0, "paced 20,000/s"), (0.0, "saturated")):
            figures, memory = [], []
            for start in (broker, Floor):
                ctx = context()
                with start() as process:
                    before = process.memory()
                    sender = Member(ctx, process.address, "speaker", ears=False)
                    listeners = [Member(ctx, process.address, login) for login in logins("member", size)]
                    memory.append((process.memory() - before) / 1024 / (size + 1))
                    load.fan(process, sender, listeners, 0.5, pace)
                    figures.append(load.fan(process, sender, listeners, seconds, pace))
                ctx.destroy(0)
            ours, floor = figures
            if size >= 100 and pace:
                name = f"memory, {size} members"
                print(f"{name:45} {memory[0]:9.1f} KiB each   floor {memory[1]:.1f}")
            print(
                f"{f'{size} members, {kind}':45} {ours.deliveries:9,.0f} /s   {ours.cpu:6.2f} µs CPU a delivery   "
                f"floor {floor.deliveries:9,.0f} /s {floor.cpu:6.2f} µs   ratio {ours.cpu / floor.cpu:.2f}"
                + (f"   ({ours.lost} dropped)" if ours.lost else "")
            )


def storm(quick: bool) -> None:
    """A broker is killed under its clients: how fast they are all live again."""
    size = 100 if quick else 500
    ctx = context()
    with broker() as server:
        members = [Member(ctx, server.address, login) for login in logins("member", size)]
        server.kill()
        server.start()
        begun, cpu = time.perf_counter(), server.cpu()
        poller = zmq.Poller()
        waiting = {member.sub: member for member in members}
        for socket in waiting:
            poller.register(socket, zmq.POLLIN)
        while waiting:
            for socket, _ in poller.poll(30_000):
                frame = socket.recv()
                if socket in waiting and frame.startswith(topics.topic(waiting[socket].beacon)):
                    event = codec.decode_event(frame).event
                    if getattr(event, "log", "") == ROOM:
                        del waiting[socket]
        taken = time.perf_counter() - begun
        print(
            f"sessions resumed after a kill, {size} at once    {size / taken:9,.0f} /s   {taken:.2f} s in all"
            f"   {(server.cpu() - cpu) * 1e6 / size:.0f} µs CPU each"
        )
    ctx.destroy(0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs")
    parts = {
        "throughput": throughput,
        "fans": fans,
        "storm": storm,
        "revoking": revoking,
        "terminal": terminal.first_paint,
        "frames": frames.frames,
        "bots": bots.bots,
        "sockets": sockets.sockets,
        "page": page.page,
    }
    parser.add_argument("only", nargs="*", help=f"{', '.join(parts)}; all unless named")
    arguments = parser.parse_args()
    for name, part in parts.items():
        if not arguments.only or name in arguments.only:
            part(arguments.quick)


if __name__ == "__main__":
    main()
