"""Time from the command `tertulia` to the first paint, and to a usable screen, with a running broker."""

from __future__ import annotations

import os
import pty
import select
import statistics
import subprocess
import sys
import tempfile
import time

from bench.processes import broker

_ALTERNATE_SCREEN = b"\x1b[?1049h"


def _once(address: str, home: str) -> tuple[float, float]:
    leader, follower = pty.openpty()
    environment = {
        **os.environ,
        "TERM": "xterm-256color",
        "HOME": home,
        "TERTULIA_ADDRESS": address,
        "TERTULIA_LOGIN": "painter",
        "TERTULIA_PASSWORD": "correct horse",
    }
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        environment.pop(name, None)
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "client"],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment,
        start_new_session=True,
    )
    os.close(follower)
    seen, painted, usable = b"", 0.0, 0.0
    while not usable and time.perf_counter() - begun < 20:
        if not select.select([leader], [], [], 1)[0]:
            continue
        seen += os.read(leader, 65_536)
        if b"\x1b[6n" in seen and not painted:
            os.write(leader, b"\x1b[1;1R")
        if _ALTERNATE_SCREEN in seen and not painted:
            painted = time.perf_counter() - begun
        if painted and b"live" in seen:
            usable = time.perf_counter() - begun
    process.kill()
    process.wait()
    os.close(leader)
    if not usable:
        raise RuntimeError(f"the terminal did not come up: {seen[-2000:]!r}")
    return painted, usable


def first_paint(quick: bool) -> None:
    """Print the medians over several starts."""
    with broker() as server, tempfile.TemporaryDirectory(prefix="tertulia-bench-") as home:
        person = {"--first-names": "First", "--surnames": "Paint", "--age": "1", "--gender": "other"}
        fields = [word for pair in person.items() for word in pair]
        subprocess.run(
            [
                sys.executable,
                "-m",
                "client",
                "register",
                "--address",
                str(server.address),
                "--login",
                "painter",
                *fields,
            ],
            env={**os.environ, "HOME": home, "TERTULIA_PASSWORD": "correct horse"},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        runs = [_once(str(server.address), home) for _ in range(3 if quick else 7)]
    painted, usable = (statistics.median(values) for values in zip(*runs, strict=True))
    print(f"from `tertulia` to the first paint            {painted:9.2f} s   usable after {usable:.2f} s")
