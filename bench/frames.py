"""What the terminal client costs while one writes: key press to frame, a flood's CPU and frames, and memory.

A real client on a pseudo-terminal, with a real broker. Linux only, as what a process uses is looked up so.
"""

from __future__ import annotations

import os
import pty
import re
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from fcntl import ioctl
from types import TracebackType
from typing import Self

import zmq

from bench import load
from bench.members import Member, logins, send_frame
from bench.processes import broker
from common.addresses import Address
from tests.client.tui.headless import Glass
from tests.support import usage

LOGIN = "reader"
ROWS, COLUMNS = 45, 160
FRAME = b"\x1b[?25l"
"""The cursor is hidden once in each frame."""
WHERE = b"\x1b[6n"
"""The terminal is asked where its cursor is."""
PAGE = 2_000
"""Messages that one `/history` brings in."""
FLOOD = 1_000
"""Messages a second."""


class Terminal:
    """The client on a terminal of its own."""

    def __init__(self, address: Address, home: str) -> None:
        self._leader, follower = pty.openpty()
        ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "HOME": home,
            "TERTULIA_ADDRESS": str(address),
            "TERTULIA_LOGIN": LOGIN,
            "TERTULIA_PASSWORD": "correct horse",
            "LC_ALL": "C.UTF-8",
        }
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "NO_COLOR"):
            environment.pop(name, None)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "client"],
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env=environment,
            start_new_session=True,
        )
        os.close(follower)
        self.read_until(b"live")
        self.read_for(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._leader)

    def write(self, text: str) -> None:
        os.write(self._leader, text.encode())

    def read_until(self, pattern: bytes, patience: float = 20.0) -> bytes:
        """What comes up to and with the first match of a pattern."""
        seen, end = b"", time.perf_counter() + patience
        while not re.search(pattern, seen):
            left = end - time.perf_counter()
            if left <= 0:
                raise RuntimeError(f"{pattern!r} was not seen in {seen[-2000:]!r}")
            if select.select([self._leader], [], [], left)[0]:
                seen += os.read(self._leader, 65_536)
            if seen.endswith(WHERE):
                os.write(self._leader, b"\x1b[1;1R")
        return seen

    def read_for(self, seconds: float) -> bytes:
        """What comes within so many seconds."""
        seen, end = b"", time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if select.select([self._leader], [], [], left)[0]:
                seen += os.read(self._leader, 65_536)
        return seen

    def settle(self) -> None:
        """Read on until the client has nothing more to do."""
        quiet, used = 0, self.cpu()
        while quiet < 3:
            self.read_for(0.1)
            quiet = quiet + 1 if self.cpu() - used < 0.02 else 0
            used = self.cpu()

    def screen(self) -> str:
        """What is seen, drawn anew."""
        self.write("\x0c")
        glass = Glass(COLUMNS, ROWS)
        glass.feed(self.read_for(0.5).decode(errors="replace"))
        return "\n".join(glass.lines())

    def pressed(self, key: str) -> float:
        """Milliseconds from a key press to the frame in which its letter is seen."""
        begun = time.perf_counter()
        self.write(key)
        self.read_until(key.encode())
        return (time.perf_counter() - begun) * 1000

    def cpu(self) -> float:
        return usage.cpu(self._process.pid)

    def memory(self) -> float:
        """MiB of resident memory."""
        return usage.memory(self._process.pid) / 2**20


def _typed(terminal: Terminal, count: int = 40, pause: float = 0.05, alone: bool = True) -> str:
    """How long each of some key presses takes, and what it costs. The letters stand nowhere else on the screen."""
    taken, used = [], terminal.cpu()
    for index in range(count):
        taken.append(terminal.pressed("ñøßþ"[index % 4]))
        terminal.read_for(pause)
    used = (terminal.cpu() - used) * 1000 / count
    terminal.write("\x03")
    terminal.read_for(0.2)
    high = sorted(taken)[int(count * 0.95)]
    cost = f"   {used:.1f} ms CPU each" if alone else ""
    return f"{statistics.median(taken):9.1f} ms median   {high:.1f} ms p95{cost}"


class _Flood(threading.Thread):
    """Somebody who says so much a second, until it is enough."""

    def __init__(self, sender: Member, rate: int) -> None:
        super().__init__(daemon=True)
        self._sender, self._rate = sender, rate
        self.enough = threading.Event()
        self.sent = 0
        self.start()

    def run(self) -> None:
        begun = time.perf_counter()
        while not self.enough.is_set():
            while self.sent < (time.perf_counter() - begun) * self._rate:
                self.sent += 1
                self._sender.dealer.send(send_frame(self.sent, f"{self.sent}: {load.TEXT}"))
            while self._sender.dealer.poll(5):
                self._sender.dealer.recv()


def _load(terminal: Terminal, messages: int) -> None:
    """Have the client read so many messages back, and see that it has them."""
    held = 0
    for _ in range(2 * messages // PAGE):
        terminal.write(f"/history {PAGE}\r")
        terminal.settle()
        terminal.write("\x1b\x1b[1~")
        terminal.settle()
        below = re.search(r"(\d+) below", terminal.screen())
        held = int(below[1]) if below else 0
        if held > messages - ROWS:
            return
    raise RuntimeError(f"only {held} messages are held")


def frames(quick: bool) -> None:
    """Print what is measured: after the start, with a hundred thousand messages, and under a flood."""
    many = 20_000 if quick else 100_000
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with broker() as server, tempfile.TemporaryDirectory(prefix="tertulia-bench-") as home:
        reader = Member(context, server.address, LOGIN, ears=False)
        reader.dealer.close()
        senders = [Member(context, server.address, login, ears=False) for login in logins("sender", 4)]
        load.stream(server, senders, many, 128)
        with Terminal(server.address, home) as terminal:
            before = terminal.memory()
            print(f"{'key press to frame':45} {_typed(terminal)}")
            _load(terminal, many)
            print(f"{f'memory with {many:,} messages':45} {terminal.memory():9.1f} MiB   after the start {before:.1f}")
            print(f"{f'key press to frame, {many:,} messages':45} {_typed(terminal)}")
            terminal.write("\x1b\x1b[4~")
            flood = _Flood(senders[0], FLOOD)
            terminal.read_for(1)
            seconds, used, sent = 3.0 if quick else 8.0, terminal.cpu(), flood.sent
            drawn = terminal.read_for(seconds).count(FRAME)
            used, sent = terminal.cpu() - used, flood.sent - sent
            print(
                f"{f'flood of {sent / seconds:,.0f} messages a second':45} {used / seconds * 100:9.1f} % of a core   "
                f"{drawn / seconds:.1f} frames a second"
            )
            print(f"{'key press to frame, under that flood':45} {_typed(terminal, alone=False)}")
            flood.enough.set()
            flood.join()
    context.destroy(0)
