"""A stolen data directory holds no password, token or client's secret key; and the search would find one."""

from __future__ import annotations

import base64

import pytest
from zmq.utils import z85

from tests.faults.broker_process import BrokerProcess
from tests.faults.stolen import Loot, encodings, found, readable, steal


@pytest.fixture(scope="module")
def loot() -> Loot:
    with BrokerProcess("verbose = true\n") as broker:
        return steal(broker)


def test_no_secret_of_the_people_is_in_any_file(loot: Loot) -> None:
    assert {"tertulia.db", "tertulia.db-wal", "broker.key", "pepper", "broker.log"} <= set(loot.files)
    assert len(loot.secrets) >= 14
    assert found(loot) == []


def test_what_can_be_read_is_what_is_said_to_be(loot: Loot) -> None:
    """Whoever writes a promise about the files begins here."""
    for what, names in readable(loot):
        assert names, f"{what}: cannot be read any more, and the guarantees say that it can"


SECRET = b"such a secret \xc3\xb1, and long enough"


@pytest.mark.parametrize("before", [b"", b"x", b"xy", b"xyz"])
def test_the_search_finds_what_is_there_in_any_form(before: bytes) -> None:
    for content in (
        before + SECRET,
        before + SECRET.hex().encode(),
        base64.b64encode(before + SECRET + b"and more"),
        base64.urlsafe_b64encode(before + SECRET + b"and more"),
        before + z85.encode(SECRET[: len(SECRET) // 4 * 4]),
        before + SECRET.decode().encode("utf-16-le"),
    ):
        assert found(Loot({"file": content}, {"it": SECRET})), content


def test_no_form_is_so_short_that_it_says_nothing() -> None:
    assert all(len(needle) > 12 for _, needle in encodings(SECRET[:16]))
