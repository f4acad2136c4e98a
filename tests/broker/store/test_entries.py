"""Places are given out before the insert; any number of rows goes in with few statements."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from broker.chat.ports import DropRoom, Place
from broker.store.connections import open_writer
from broker.store.entries import LOOKED_UP_AT_ONCE, ROWS_AT_ONCE, Ends, insert, look_up
from tests.contract.store_contract import message


@pytest.fixture
def connection(tmp_path: Path) -> apsw.Connection:
    return open_writer(tmp_path / "chat.db")


@pytest.mark.parametrize("count", [0, 1, 2, 3, 255, 256, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 3 * ROWS_AT_ONCE - 1])
def test_a_batch_takes_few_statements(connection: apsw.Connection, count: int) -> None:
    ran: list[str] = []
    batch = Ends(connection).plan([message(number) for number in range(count)], {})
    connection.trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: ran.append(event["sql"]))
    insert(connection, batch.values)
    connection.trace_v2(0, None)
    assert len(ran) <= count // ROWS_AT_ONCE + ROWS_AT_ONCE.bit_length() - 1
    assert connection.execute("SELECT count(*), max(seq) FROM entry").get == (count, count or None)


def test_a_plan_changes_nothing_until_it_is_accepted(connection: apsw.Connection) -> None:
    ends = Ends(connection)
    first = ends.plan([message(1)], {})
    assert ends.plan([message(2)], {}).places == first.places == [(Place(1, 0, 5_000, False),)]
    ends.accept(first)
    assert (ends.heads, ends.last) == ({1: 1}, 1)
    second = ends.plan([message(3), DropRoom(1), message(4, log=2)], {})
    ends.accept(second)
    assert (ends.heads, ends.last) == ({2: 3}, 3)


def test_ends_are_read_from_what_is_there(connection: apsw.Connection) -> None:
    batch = Ends(connection).plan([message(number, log=number % 3 - 1) for number in range(9)], {})
    insert(connection, batch.values)
    again = Ends(connection)
    assert (again.heads, again.last) == ({-1: 7, 0: 8, 1: 9}, 9)
    connection.execute("DELETE FROM entry WHERE log = 1")
    connection.execute("INSERT INTO dropped VALUES (0)")
    again = Ends(connection)
    assert (again.heads, again.last) == ({-1: 7}, 9), "a number that was given out stays given out"


def test_known_nonces_are_found_however_many_are_asked_for(connection: apsw.Connection) -> None:
    writes = [message(number) for number in range(2 * LOOKED_UP_AT_ONCE + 10)]
    known = writes[:: LOOKED_UP_AT_ONCE // 4]
    batch = Ends(connection).plan(known, {})
    insert(connection, batch.values)
    found = look_up(connection, [*writes, DropRoom(7), *writes[:5]])
    assert set(found) == {(write.sender, write.nonce) for write in known}
    assert all(place.known for places in found.values() for place in places)
