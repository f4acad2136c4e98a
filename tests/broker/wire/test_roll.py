"""A frame that is read late harms nobody: neither whoever has its descriptor by now, nor its sender twice."""

from __future__ import annotations

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


def test_what_is_left_of_a_connection_that_was_cut_is_known_by_key_and_descriptor_for_a_moment(
    roll: Roll, flooder: socket.socket
) -> None:
    connection = known(flooder)
    assert not roll.was_cut(connection[0], "flooder")
    roll.cut(connection, "flooder")
    assert flooder.recv(1) == b"", "it is shut"
    assert roll.was_cut(connection[0], "flooder")
    assert not roll.was_cut(connection[0], "whoever has the descriptor next")
    roll.prune()
    roll.count_anew()
    assert roll.was_cut(connection[0], "flooder"), "for more than a moment"
    roll.count_anew()
    assert not roll.was_cut(connection[0], "flooder"), "but not for ever: the same key may come back"


def test_a_line_is_known_by_its_own_key_only(roll: Roll, flooder: socket.socket) -> None:
    connection = known(flooder)
    assert roll.known(connection, "ana") is None
    line = roll.line(connection, "ana", "192.0.2.1")
    assert roll.known(connection, "ana") is line
    assert roll.known(connection, "bob") is None
