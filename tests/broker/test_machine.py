"""The machine: the address that others are told, and descriptors enough for the connections."""

from __future__ import annotations

import logging
import resource
import socket
from collections.abc import Iterator

import pytest

from broker import machine
from broker.machine import OWN_DESCRIPTORS, reachable
from common import addresses


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    """The limits as they are; put back afterwards."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("listen", ["127.0.0.1", "::1", "chat.example.org", "192.0.2.9"])
def test_the_host_to_tell_is_what_is_listened_on(listen: str) -> None:
    assert reachable(listen) == listen


@pytest.mark.parametrize("listen", ["*", "0.0.0.0", "::", "[::]"])
def test_for_a_wildcard_it_is_an_address_others_can_use(listen: str) -> None:
    host = reachable(listen)
    assert host
    assert host not in ("*", "0.0.0.0", "::")
    addresses.parse(str(addresses.Address(host, 5570)))


def test_without_a_network_it_is_the_machines_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unplugged:
        def __init__(self, *_: object) -> None:
            raise OSError

    monkeypatch.setattr(socket, "socket", Unplugged)
    assert reachable("*") == socket.gethostname()


def test_the_descriptor_limit_is_raised_to_what_the_system_gives(limits: tuple[int, int]) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limits[1], 1_024), limits[1]))
    machine.prepare_descriptors(100)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == limits[1]


def test_too_few_descriptors_are_told_with_what_to_do(
    limits: tuple[int, int], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "broker"):
        machine.prepare_descriptors(limits[1] - OWN_DESCRIPTORS)
        assert not caplog.records
        machine.prepare_descriptors(limits[1])
    (record,) = caplog.records
    assert record.fields["needed"] == limits[1] + OWN_DESCRIPTORS  # type: ignore[attr-defined]
    assert "LimitNOFILE" in record.fields["advice"]  # type: ignore[attr-defined]


def test_no_more_connections_are_taken_than_there_are_descriptors(limits: tuple[int, int]) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_000, limits[1]))
    assert machine.connections_within(10_000) == 1_000 - OWN_DESCRIPTORS
    assert machine.connections_within(500) == 500
