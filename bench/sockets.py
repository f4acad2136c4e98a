"""A thousand browsers on one gateway, and on Flask-SocketIO, the stack that Tertulia descends from, in the same run.

Ours is all there: a broker in its process, the gateway in its own, a thousand accounts registered over HTTP with
cookies of their own, a WebSocket each, everybody in the lobby, every message on disk before anybody hears it. Only
passwords are hashed cheaply, rates have no bound at the broker, and four browsers share one loopback address. The rival
has no accounts and keeps nothing; it is not offered compression, which it would take from a browser and pay for. Both
are given the same messages at the same pace by the same driver, and their CPU is what the kernel counts for the process
that serves the WebSockets; the broker's is told beside it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any, NamedTuple

from bench.browsers import STAMP, Browser, Crowd, source
from bench.members import ROOM, logins
from bench.processes import broker, gateway
from tests.support import usage
from tests.support.gateway import PASSWORD

FRAME_BYTES = 300
"""How long the frame is, about, that a browser gets for one message."""


BEAT_S = 20
"""Seconds after which the app asks whether its link is alive."""
PAUSE_S = 0.25
"""Between two messages: a slow server must not be given more than it can do."""


class Figures(NamedTuple):
    """What one server needed."""

    cpu: float
    """µs of the server's CPU for each frame delivered, the message's own cost included."""
    behind: float
    """µs of CPU of what stands behind the server, for each frame."""
    memory: float
    """MiB of resident memory with everybody there."""
    each: float
    """KiB of it for each browser."""
    median: float
    """ms from the sender's clock to the receiver's."""
    p99: float
    lost: int


class Served(NamedTuple):
    """A crowd on a server, ready to be measured."""

    pid: int
    behind: int | None
    empty: int
    """Bytes of the server's memory before anybody came."""
    crowd: Crowd
    say: Callable[[str], None]
    """Have the first of the crowd say a text of so many characters."""
    filling: int
    """Characters of text that make a frame as long as it is to be."""
    beat: Callable[[Browser], None] | None
    """What each browser sends every `BEAT_S`, if it is the browsers that ask and not the server."""


def sockets(quick: bool) -> None:
    """Print the figures of both, and their ratios."""
    missing = [name for name in ("flask_socketio", "simple_websocket") if importlib.util.find_spec(name) is None]
    if missing:
        print(f"sockets: needs {' and '.join(missing)} to compare with: pip install 'tertulia[bench]'")
        return
    size = 100 if quick else 1_000
    with ours(size) as served:
        own = measured(served, quick)
    _print(f"{size} browsers, Tertulia's gateway", own)
    rivals = {}
    for mode in _modes():
        with rival(mode, size) as served:
            rivals[mode] = measured(served, quick)
        _print(f"{size} browsers, Flask-SocketIO, {mode}", rivals[mode])
    mode, best = min(rivals.items(), key=lambda item: item[1].cpu)
    whole = own.cpu + own.behind
    print(
        f"Flask-SocketIO at its best ({mode}) to the gateway: CPU a frame {best.cpu / own.cpu:.1f} times"
        f" ({best.cpu / whole:.1f} with the broker), memory a browser {best.each / own.each:.1f} times,"
        f" median latency {best.median / own.median:.1f} times"
    )


def _print(name: str, figures: Figures) -> None:
    print(
        f"{name:45} {figures.cpu:7.2f} µs CPU a frame (+{figures.behind:.2f} behind)   {figures.memory:6.1f} MiB"
        f" ({figures.each:.1f} KiB each)   latency {figures.median:.1f} ms median, {figures.p99:.1f} ms p99"
        + (f"   ({figures.lost} lost)" if figures.lost else ""),
        flush=True,
    )


def _modes() -> list[str]:
    return ["threading", *(name for name in ("gevent", "eventlet") if importlib.util.find_spec(name) is not None)]


def measured(served: Served, quick: bool) -> Figures:
    """A message every `PAUSE_S`, and the browsers' signs of life between them; the first few are not counted."""
    crowd, size = served.crowd, len(served.crowd.browsers)
    crowd.settle(1.0)
    _spoken(served, 3)
    crowd.waits_ms.clear()
    cpu, behind = usage.cpu(served.pid), _cpu(served.behind)
    count = 10 if quick else 40
    heard = _spoken(served, count)
    waits = sorted(crowd.waits_ms)
    memory = usage.memory(served.pid)
    return Figures(
        (usage.cpu(served.pid) - cpu) * 1e6 / heard,
        (_cpu(served.behind) - behind) * 1e6 / heard,
        memory / 2**20,
        (memory - served.empty) / 1_024 / size,
        statistics.median(waits),
        waits[int(len(waits) * 0.99)],
        count * size - heard,
    )


def _spoken(served: Served, count: int) -> int:
    """Have so many messages said; how often one was heard."""
    crowd = served.crowd
    beating = itertools.cycle(crowd.browsers)
    heard = 0
    for _ in range(count):
        due = time.monotonic() + PAUSE_S
        served.say(STAMP.decode() + f"{time.time_ns():019}".ljust(served.filling - len(STAMP), "x"))
        if served.beat is not None:
            for browser in itertools.islice(beating, round(len(crowd.browsers) * PAUSE_S / BEAT_S)):
                served.beat(browser)
        while (left := due - time.monotonic()) > 0:
            heard += crowd.turn(left)
    late = time.monotonic() + 20
    while heard < count * len(crowd.browsers) and time.monotonic() < late:
        heard += crowd.turn(0.5)
    return heard


def _cpu(pid: int | None) -> float:
    return 0.0 if pid is None else usage.cpu(pid)


@contextlib.contextmanager
def ours(size: int) -> Iterator[Served]:
    """The broker and the gateway, and `size` people with browsers in the lobby."""
    with broker() as server, gateway(server) as (process, port):
        empty = usage.memory(process.pid)
        cookies = [_register(port, login, source(i)) for i, login in enumerate(logins("browser", size))]
        crowd = Crowd(_again)
        for i, cookie in enumerate(cookies):
            crowd.add(_connected(port, cookie, source(i)))
            crowd.turn(0)

        def say(text: str) -> None:
            nonce = b64encode(os.urandom(16)).decode()
            send(crowd.browsers[0], {"op": "send", "id": 2, "room": ROOM, "text": text, "nonce": nonce})

        yield Served(process.pid, server.pid, empty, crowd, say, FRAME_BYTES - 150, _ping)
        crowd.close()


def _register(port: int, login: str, address: str) -> str:
    """Make an account as the page does; the cookie."""
    connection = HTTPConnection("127.0.0.1", port, 60, source_address=(address, 0))
    fields = {
        "login": login, "password": PASSWORD, "first_names": "Bench", "surnames": "Mark", "age": 30,
        "gender": "undisclosed", "keep": True, "lang": "en",
    }  # fmt: skip
    origin = {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{port}"}
    connection.request("POST", "/api/register", json.dumps(fields), origin)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{login} was not registered: {answer.status} {text!r}")
    return str(answer.headers["Set-Cookie"]).partition(";")[0]


def _connected(port: int, cookie: str, address: str) -> Browser:
    """A WebSocket that has said hello."""
    headers = {"Origin": f"http://127.0.0.1:{port}", "Cookie": cookie, "Sec-WebSocket-Protocol": "tertulia.1"}
    headers["Sec-WebSocket-Extensions"] = "permessage-deflate; client_max_window_bits"
    browser = Browser("127.0.0.1", port, "/ws?lang=en", address, headers)
    send(browser, {"op": "hello", "id": 1, "run": None, "cursors": {}})
    reply = browser.until(lambda frame: frame.get("id") == 1)
    if not reply["ok"]:
        raise RuntimeError(f"no hello: {reply}")
    return browser


def _again(browser: Browser, text: bytes) -> None:
    """Say hello again where the gateway says that it dropped something."""
    if b'"kind":"gap"' in text:
        send(browser, {"op": "hello", "id": 3, "run": None, "cursors": {}})


def _ping(browser: Browser) -> None:
    send(browser, {"op": "ping", "id": 4})


def send(browser: Browser, frame: dict[str, Any]) -> None:
    """Say something in JSON."""
    browser.send(json.dumps(frame, separators=(",", ":")).encode())


@contextlib.contextmanager
def rival(mode: str, size: int) -> Iterator[Served]:
    """Flask-SocketIO, and `size` browsers on it over WebSocket from the start, without polling first."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.flask_chat", mode], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        crowd = Crowd(_alive)
        crowd.add(_visiting(port, source(0)))
        empty = usage.memory(process.pid)
        for i in range(1, size):
            crowd.add(_visiting(port, source(i)))
            crowd.turn(0)

        def say(text: str) -> None:
            message = {"log": ROOM, "kind": "message", "sender": "browser", "seq": 1, "prev": 0, "text": text}
            crowd.browsers[0].send(("42" + json.dumps(["say", message], separators=(",", ":"))).encode())

        yield Served(process.pid, None, empty, crowd, say, FRAME_BYTES - 90, None)
        crowd.close()
    finally:
        process.kill()
        process.wait(20)


def _visiting(port: int, address: str) -> Browser:
    deadline = time.monotonic() + 20
    while True:
        try:
            browser = Browser("127.0.0.1", port, "/socket.io/?EIO=4&transport=websocket", address, {})
            break
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    browser.next()
    browser.send(b"40")
    browser.next()
    return browser


def _alive(browser: Browser, text: bytes) -> None:
    """Engine.IO's own ping and pong."""
    if text == b"2":
        browser.send(b"3")
