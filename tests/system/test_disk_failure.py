"""A disk that fails to sync: nothing is acknowledged any more, the broker ends, and the next start has it all.

Source: SQLite's "How To Corrupt", section 3.1, and the fsync failures of 2018: after a failed sync the kernel may
have dropped the pages, and a later sync that succeeds proves nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from common import addresses, messages
from common.errors import ChatError
from tests.support.loopback import RawClient
from tests.support.patience import PATIENCE_S

SYNCS_THAT_SUCCEED = 40


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace, to make a sync fail")
def test_a_failed_sync_ends_the_broker_and_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    config = tmp_path / "broker.toml"
    config.write_text("bcrypt_cost = 4\n")
    serve = [sys.executable, "-m", "broker", "serve", "--listen", "127.0.0.1", "--port", "0"]
    serve += ["--data-dir", str(tmp_path / "data"), "--config", str(config)]
    failing = f"inject=fsync,fdatasync:error=EIO:when={SYNCS_THAT_SUCCEED}+"
    acknowledged = []
    with subprocess.Popen(
        ["strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=fsync,fdatasync", "-e", failing, *serve],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as broker:
        assert broker.stdout is not None
        with RawClient(addresses.parse(broker.stdout.readline())) as ana:
            ana.register("ana")
            for number in range(SYNCS_THAT_SUCCEED):
                reply = ana.try_ask(messages.Send(room="lobby", text=str(number), nonce=os.urandom(16)))
                if isinstance(reply, ChatError):
                    assert reply.code == "storage-failed"
                    break
                acknowledged.append(reply.seq)
            else:
                raise AssertionError("no sync failed")
        _, log = broker.communicate(timeout=PATIENCE_S)
        assert broker.returncode == 1
        assert "journal-ended" in log
    with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as broker:
        assert broker.stdout is not None
        with RawClient(addresses.parse(broker.stdout.readline())) as bob:
            bob.register("bob")
            kept = bob.ask(messages.History(log="lobby")).entries
        broker.terminate()
    assert acknowledged
    assert {entry.seq for entry in kept} >= set(acknowledged)
