"""A frame that is read late harms nobody: neither whoever has its descriptor by now, nor its sender twice."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from broker.chat.effects import Connection
from broker.wire import peers
from broker.wire.roll import Roll


@pytest.fixture
def roll() -> Roll:
    return Roll(lambda key: False)


@pytest.fixture
def flooder() -> Iterator[socket.socket]:
    one, other = socket.socketpair()
    with one, other:
        yield one


def known(connected: socket.socket) -> Connection:
    found = peers.identify(connected.fileno())
    assert found is not None
    return found


def test_whoever_gets_the_descriptor_of_a_connection_that_was_cut_is_told_from_it(
    roll: Roll, flooder: socket.socket
) -> None:
    before = known(flooder)
    assert not roll.departed(before, "flooder")
    assert roll.cut(before, "flooder")
    assert not roll.departed(before, "flooder"), "it still is that connection"
    one, other = socket.socketpair()
    with one, other:
        os.dup2(one.fileno(), flooder.fileno())
        next_user = known(flooder)
        assert next_user != before
        assert roll.departed(next_user, "flooder")
        assert not roll.departed(next_user, "somebody else")
        roll.prune()
        assert roll.departed(next_user, "flooder"), "for more than a moment"
        roll.prune()
        assert not roll.departed(next_user, "flooder"), "but not for ever: the same key may come back"


def test_a_connection_is_cut_once_however_much_of_it_is_left_to_read(roll: Roll, flooder: socket.socket) -> None:
    assert roll.cut(known(flooder), "flooder")
    assert not roll.cut(known(flooder), "flooder")
    roll.prune()
    assert not roll.cut(known(flooder), "flooder")
