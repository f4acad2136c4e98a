"""SQLite's locks are the process's, and any thread that closes any copy of a file's descriptor drops them all.

Without them another program that reads the database (a backup, the doctor, a shell) takes the shared memory for
left behind and cuts it short under the broker, which dies; and a second broker may start on the same directory.
"""

from __future__ import annotations

import sys
from pathlib import Path

import apsw
import pytest

from broker.store.connections import lock_directory
from broker.store.migrations import DatabaseUnusable
from tests.faults.broker_process import BrokerProcess
from tests.support.loopback import RawClient

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/locks")


def locked(broker: BrokerProcess) -> set[str]:
    """Which of its files the broker holds locks on."""
    inodes = {path.stat().st_ino: path.name for path in broker.data.iterdir()}
    held = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    # Number, kind, advisory, mode, process, device:inode, from, to; a blocked one has an arrow more.
    return {
        inodes[inode]
        for fields in held
        if fields[1] == "POSIX" and int(fields[4]) == broker.pid
        if (inode := int(fields[5].rpartition(":")[2])) in inodes
    }


def test_a_broker_with_clients_keeps_its_locks() -> None:
    with BrokerProcess() as broker:
        with RawClient(broker.address) as ana:
            ana.register("ana")
            ana.say("lobby", "hola")
            assert locked(broker) >= {"lock", "tertulia.db", "tertulia.db-shm"}
            with pytest.raises(DatabaseUnusable, match="in use by another broker"):
                lock_directory(broker.data)
            reader = apsw.Connection(str(broker.data / "tertulia.db"), flags=apsw.SQLITE_OPEN_READONLY)
            assert reader.execute("SELECT count(*) FROM entry").get == 1
            reader.close()
            ana.say("lobby", "still here")
        assert broker.alive
