"""Frames that are no requests are counted, however they are cut into pieces."""

from __future__ import annotations

import random
import struct

import pytest

from client.web.edge import bounds
from client.web.edge.trifles import Counted
from tests.support.patience import PATIENCE_S
from tests.support.raw_http import Site, connect, head


class Reader:
    def __init__(self) -> None:
        self.got = b""
        self.cut = False
        self.now = 0.0
        self.counted = Counted(self, lambda: self.now, self.end)

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.got += data
        return False, b""

    def feed_eof(self) -> None:
        pass

    def end(self) -> None:
        self.cut = True


def frame(content: bytes, opcode: int = 1) -> bytes:
    size = len(content)
    if size < 126:
        length = struct.pack("!B", 0x80 | size)
    else:
        length = struct.pack("!BH", 0xFE, size) if size < 65_536 else struct.pack("!BQ", 0xFF, size)
    return bytes((0x80 | opcode,)) + length + bytes(4) + content


def test_requests_of_every_length_pass_however_they_are_cut() -> None:
    chance = random.Random(7)
    sizes = (bounds.FRAME_BYTES, 125, 126, 200, 65_535, 65_536, 90_000)
    # What stands in them looks like the heads of pings.
    sent = b"".join(frame(b"\x89\x80" * (size // 2) + b"x" * (size % 2)) for size in sizes * 40)
    reader, at = Reader(), 0
    while at < len(sent):
        step = chance.choice((1, 2, 3, 7, 5_000, 70_000))
        reader.counted.feed_data(sent[at : at + step])
        at += step
    assert reader.got == sent
    assert not reader.cut


@pytest.mark.parametrize("trifle", [frame(b"", 9), frame(b"", 10), frame(b"x" * 125, 9), frame(b""), frame(b"{}", 2)])
def test_trifles_are_borne_up_to_a_number_and_come_back_with_time(trifle: bytes) -> None:
    reader, most = Reader(), int(bounds.TRIFLES.burst)
    reader.counted.feed_data(trifle * most)
    assert not reader.cut
    reader.now = 10 / bounds.TRIFLES.per_s
    reader.counted.feed_data(trifle * 10)
    assert not reader.cut
    before = reader.got
    for byte in trifle * 2:
        reader.counted.feed_data(bytes((byte,)))
    assert reader.cut
    assert len(reader.got) - len(before) < len(trifle)


def test_a_socket_that_floods_the_gateway_with_pings_is_cut_off(site: Site) -> None:
    fields = {
        **site.fields, "Origin": site.origin, "Connection": "Upgrade", "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Protocol": "tertulia.1", "Cookie": "__Host-tertulia=t" + "A" * 43,
    }  # fmt: skip
    with connect(site.port) as connection:
        connection.settimeout(PATIENCE_S)
        connection.sendall(head("GET", "/ws", fields))
        assert connection.recv(16).startswith(b"HTTP/1.1 101")
        with pytest.raises(ConnectionError):
            for _ in range(1_000):
                connection.sendall(frame(b"", 9) * 1_000)
            raise AssertionError("a million pings were taken")
