"""Connections as the system sees them."""

from __future__ import annotations

import os
import socket

import pytest

from broker.wire import peers


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("::1", "::1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("nonsense", "nonsense"),
    ],
)
def test_a_peer_counts_by_its_host(address: str, host: str) -> None:
    assert peers.host(address) == host


def test_a_cut_connection_is_shut_for_both_ends() -> None:
    here, there = socket.socketpair()
    with here, there:
        connection = peers.identify(here.fileno())
        assert connection is not None
        assert peers.stands(connection)
        assert peers.cut(connection)
        assert there.recv(1) == b""


def test_a_descriptor_that_is_used_again_is_not_cut() -> None:
    here, there = socket.socketpair()
    other, far = socket.socketpair()
    with here, there, other, far:
        connection = peers.identify(here.fileno())
        assert connection is not None
        os.dup2(other.fileno(), here.fileno())
        assert not peers.stands(connection)
        assert not peers.cut(connection)
        far.send(b"x")
        assert other.recv(1) == b"x"


def test_what_is_closed_or_no_socket_is_not_cut() -> None:
    reading, writing = os.pipe()
    pipe = peers.identify(reading)
    assert pipe is not None
    assert not peers.cut(pipe)
    os.close(reading)
    os.close(writing)
    assert peers.identify(reading) is None
    assert not peers.cut(pipe)


def test_what_went_down_meanwhile_is_no_fault() -> None:
    with socket.socket() as unconnected:
        connection = peers.identify(unconnected.fileno())
        assert connection is not None
        assert not peers.cut(connection)
