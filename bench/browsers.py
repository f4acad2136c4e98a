"""Browsers' WebSockets cut down to the wire, a thousand of them in one loop over epoll: the driver of `sockets`.

They answer nothing but what a server asks (pings of either kind), and look into no frame beyond its length and the time
that the sender wrote into it. They cannot inflate.
Must not know what is measured.
"""

from __future__ import annotations

import base64
import json
import os
import selectors
import socket
import struct
import time
from collections.abc import Callable
from typing import Any, Final

STAMP: Final = b"sent-at-"
"""What stands before the sender's clock, in ns, in a text; 19 figures follow."""
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10


class Browser:
    """One WebSocket: blocking while it opens, not afterwards."""

    def __init__(self, host: str, port: int, path: str, source: str, headers: dict[str, str]) -> None:
        """`source` is the loopback address that it comes from."""
        self.socket = socket.create_connection((host, port), 60, (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket", "Connection: Upgrade"]
        lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self._read = bytearray()
        while b"\r\n\r\n" not in self._read:
            self._more()
        head, _, rest = bytes(self._read).partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise RuntimeError(f"no WebSocket: {head[:200]!r} {rest[:200]!r}")
        if b"permessage-deflate" in head:
            raise RuntimeError("the server compresses, and this driver cannot inflate")
        self._read = bytearray(rest)
        self.frames = 0

    def _more(self) -> None:
        new = self.socket.recv(65_536)
        if not new:
            raise RuntimeError(f"the server hung up: {bytes(self._read[-200:])!r}")
        self._read += new

    def send(self, text: bytes, kind: int = _TEXT) -> None:
        """A frame to the server, masked with nothing: the mask is none of what is measured."""
        size = len(text)
        length = struct.pack("!B", 0x80 | size) if size < 126 else struct.pack("!BH", 0x80 | 126, size)
        self.socket.sendall(bytes([0x80 | kind]) + length + b"\0\0\0\0" + text)

    def take(self) -> list[bytes]:
        """The texts that have come whole. Raises `RuntimeError` if the server closes."""
        found: list[bytes] = []
        read, place = self._read, 0
        while len(read) - place >= 2:
            size, start = read[place + 1], place + 2
            if size == 126:
                size, start = int.from_bytes(read[start : start + 2], "big"), start + 2
            elif size == 127:
                size, start = int.from_bytes(read[start : start + 8], "big"), start + 8
            if len(read) < start + size:
                break
            kind, place = read[place] & 0x0F, start + size
            text = bytes(read[start:place])
            if kind == _TEXT:
                found.append(text)
            elif kind == _PING:
                self.send(text, _PONG)
            elif kind == _CLOSE:
                raise RuntimeError(f"the server closed: {text!r}")
        del read[:place]
        self.frames += len(found)
        return found

    def next(self) -> bytes:
        """Wait for a text."""
        while not (found := self.take()):
            self._more()
        return found[0]

    def until(self, wanted: Callable[[Any], bool]) -> Any:
        """Wait for a JSON text that is `wanted`; those before it are dropped."""
        while True:
            for text in self.take():
                if wanted(decoded := json.loads(text)):
                    return decoded
            self._more()

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


class Crowd:
    """Many browsers, read as their bytes come."""

    def __init__(self, answer: Callable[[Browser, bytes], None]) -> None:
        """`answer` is given every text that is not a stamped message."""
        self.browsers: list[Browser] = []
        self.waits_ms: list[float] = []
        self._answer = answer
        self._selector = selectors.EpollSelector()

    def add(self, browser: Browser) -> None:
        """One more; it must not be waited for any longer."""
        self.browsers.append(browser)
        browser.socket.setblocking(False)
        self._selector.register(browser.socket, selectors.EVENT_READ, browser)

    def turn(self, wait_s: float) -> int:
        """Read what has come, waiting `wait_s` for the first; how many stamped messages it were."""
        heard = 0
        for key, _ in self._selector.select(max(0.0, wait_s)):
            browser: Browser = key.data
            try:
                browser._more()
            except BlockingIOError:
                continue
            for text in browser.take():
                place = text.find(STAMP)
                if place < 0:
                    self._answer(browser, text)
                    continue
                heard += 1
                sent = int(text[place + len(STAMP) : place + len(STAMP) + 19])
                self.waits_ms.append((time.time_ns() - sent) / 1e6)
        return heard

    def settle(self, quiet_s: float) -> None:
        """Read until nothing came for so long."""
        while self._selector.select(quiet_s):
            self.turn(0)

    def close(self) -> None:
        """Hang up, all."""
        self._selector.close()
        for browser in self.browsers:
            browser.close()


def source(number: int) -> str:
    """A loopback address for the browser of that number: four of them share one, as the people of a household do."""
    house = number // 4
    return f"127.0.{1 + house // 250}.{1 + house % 250}"
