"""Who really asks: what is believed of X-Forwarded-For and X-Forwarded-Proto, and from whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from client.web.edge.proxies import Asker, Proxies, network, plain

TRUSTED = Proxies([network("127.0.0.1"), network("10.0.0.0/8"), network("fd00::/8")])


def asked(peer: str, *forwarded: str, proto: str | None = None, tls: bool = False, by: Proxies = TRUSTED) -> Asker:
    fields = CIMultiDict([("x-forwarded-for", line) for line in forwarded])
    if proto is not None:
        fields.add("X-Forwarded-Proto", proto)
    return by.asker(peer, tls, fields)


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.7", (), "192.0.2.7"),
        ("192.0.2.7", ("198.51.100.1",), "192.0.2.7"),  # no proxy: anybody's word
        ("127.0.0.1", (), "127.0.0.1"),
        ("127.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("127.0.0.1", ("203.0.113.9, 198.51.100.1",), "198.51.100.1"),  # what the client wrote before is not read
        ("127.0.0.1", ("203.0.113.9", "198.51.100.1"), "198.51.100.1"),  # the same in two lines
        ("127.0.0.1", ("198.51.100.1, 10.1.2.3",), "198.51.100.1"),  # through two trusted ones
        ("127.0.0.1", ("198.51.100.1, 192.0.2.7, 10.1.2.3",), "192.0.2.7"),  # the second is not
        ("127.0.0.1", ("10.1.1.1, 10.1.2.3",), "10.1.1.1"),
        ("127.0.0.1", ("198.51.100.1, unknown",), "127.0.0.1"),
        ("127.0.0.1", ("198.51.100.1, _hidden, 10.1.2.3",), "10.1.2.3"),
        ("127.0.0.1", ("",), "127.0.0.1"),
        ("127.0.0.1", (" , ,198.51.100.1",), "198.51.100.1"),
        ("127.0.0.1", ("198.51.100.1:4711",), "198.51.100.1"),
        ("127.0.0.1", ("[2001:db8::1]:4711",), "2001:db8::1"),
        ("127.0.0.1", ("2001:DB8:0::1",), "2001:db8::1"),
        ("::ffff:127.0.0.1", ("::ffff:198.51.100.1",), "198.51.100.1"),
        ("fd00::1%eth0", ("2001:db8::2",), "2001:db8::2"),
        ("127.0.0.1", ("1.2.3.4/8",), "127.0.0.1"),
        ("127.0.0.1", ("١٢٧.0.0.1",), "127.0.0.1"),
        ("", (), ""),
    ],
)
def test_only_what_trusted_proxies_have_appended_counts(peer: str, forwarded: tuple[str, ...], address: str) -> None:
    assert asked(peer, *forwarded).address == address


def test_without_trusted_proxies_nothing_is_believed() -> None:
    assert asked("127.0.0.1", "198.51.100.1", proto="https", by=Proxies()) == Asker("127.0.0.1", False)


@pytest.mark.parametrize(
    ("peer", "proto", "tls", "secure"),
    [
        ("127.0.0.1", None, False, False),
        ("127.0.0.1", "http", False, False),
        ("127.0.0.1", "HTTPS", False, True),
        ("127.0.0.1", "http, https", False, True),
        ("127.0.0.1", "https, http", False, False),
        ("192.0.2.7", "https", False, False),
        ("192.0.2.7", None, True, True),
        ("192.0.2.7", "http", True, True),
    ],
)
def test_the_scheme_is_the_connections_or_a_trusted_proxys(
    peer: str, proto: str | None, tls: bool, secure: bool
) -> None:
    assert asked(peer, proto=proto, tls=tls).secure is secure


def test_an_address_more_in_front_changes_nothing_a_thousand_of_them_neither() -> None:
    assert asked("127.0.0.1", ", ".join(["10.0.0.1"] * 1_000)).address == "10.0.0.1"
    assert asked("127.0.0.1", ", ".join(["203.0.113.9"] * 1_000 + ["198.51.100.1"])).address == "198.51.100.1"


@given(st.lists(st.text(max_size=50)), st.text(max_size=20))
def test_whatever_is_sent_an_address_is_one_and_short_enough_for_the_wire(lines: list[str], proto: str) -> None:
    found = asked("127.0.0.1", *lines, proto=proto).address
    assert plain(found) == found != ""
    assert len(found) <= 45


def test_an_ipv6_network_of_one_subscriber_counts_as_one() -> None:
    one, other = (Asker(address, True).neighbourhood for address in ("2001:db8::1", "2001:db8::ffff:0:0:2"))
    assert one == other == "2001:db8::/64"
    assert Asker("2001:db8:0:1::1", True).neighbourhood != one
    assert Asker("192.0.2.7", True).neighbourhood == "192.0.2.7"


@pytest.mark.parametrize("text", ["", "localhost", "10.0.0.0/33", "10.0.0.0/8 10.1.0.0/16", "*"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        network(text)
