"""What waits for browsers that do not read has a bound for all of them together."""

from __future__ import annotations

import asyncio

from client.web.relay.outlets import SocketOutlet, relieve


class Unread(asyncio.Transport):
    """The transport of a peer that does not read."""

    def __init__(self, waiting: int) -> None:
        super().__init__()
        self.waiting = waiting
        self.cut = False

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def abort(self) -> None:
        self.cut, self.waiting = True, 0


def test_the_fullest_are_cut_off_until_the_rest_is_within_the_bound() -> None:
    peers = [Unread(size) for size in (10, 500, 0, 400, 300)]
    outlets = [SocketOutlet(peer, set()) for peer in peers]
    relieve(outlets, 1_210)
    assert not any(peer.cut for peer in peers)
    relieve(outlets, 400)
    assert [peer.cut for peer in peers] == [False, True, False, True, False]
    relieve(outlets, 309)
    assert [peer.cut for peer in peers] == [False, True, False, True, True]
    assert outlets[1].closed
