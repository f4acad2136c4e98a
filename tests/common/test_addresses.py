"""Addresses: what the vectors do not say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import addresses
from common.addresses import Address, BadAddress
from common.limits import PORT

KEYS = st.binary(min_size=32, max_size=32)
HOSTS = st.from_regex(r"[a-z0-9][a-z0-9.-]{0,30}[a-z0-9]", fullmatch=True) | st.ip_addresses().map(str)


@given(HOSTS, st.integers(1, 65_533), st.none() | KEYS)
def test_what_is_written_is_read(host: str, port: int, key: bytes | None) -> None:
    address = Address(host, port, key)
    assert addresses.parse(str(address)) == address
    assert addresses.parse(str(address).removeprefix("tertulia://")) == address


@given(st.text(max_size=80) | st.from_regex(r"tertulia://.{0,60}"))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = addresses.parse(text)
    except BadAddress as refused:
        error = refused
    else:
        assert addresses.parse(str(address)) == address
        assert address.commands.isprintable()
        assert " " not in address.commands
        return
    assert error.message.isprintable()


@given(KEYS)
def test_a_key_has_one_spelling(key: bytes) -> None:
    text = addresses.encode_key(key)
    assert len(text) == 52
    assert addresses.decode_key(text) == key
    others = [text[:-1] + last for last in "abcdefghijklmnopqrstuvwxyz234567" if last != text[-1]]
    read = []
    for other in others:
        try:
            read.append(addresses.decode_key(other))
        except BadAddress:
            continue
    assert len(read) == 1, "the last character carries one bit"
    assert read[0] != key


@given(KEYS)
def test_a_fingerprint_has_eight_groups(key: bytes) -> None:
    groups = addresses.fingerprint(key).split(" ")
    assert [len(group) for group in groups] == [4] * 8
    assert int("".join(groups), 16) >= 0


def test_the_ports_are_in_a_row() -> None:
    address = Address("h")
    assert address.commands == f"tcp://h:{PORT}"
    assert address.broadcast == f"tcp://h:{PORT + 1}"
    assert address.greeting == f"tcp://h:{PORT + 2}"


@pytest.mark.parametrize("text", ["h:99999", "h:0", "http://h", "h/short", "[::1"])
def test_the_sentence_says_what_is_expected(text: str) -> None:
    with pytest.raises(BadAddress) as refused:
        addresses.parse(text)
    assert any(word in refused.value.message.lower() for word in ("port", "52 characters", "host", "ipv6"))
