"""`client.local`: two terminals that start at once find one broker, and one that died is replaced."""

from __future__ import annotations

import os
import select
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from client import local
from client.local import NoLocalBroker, find, find_or_start
from common import addresses
from common.addresses import Address
from tests.generated import ROOT
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="waits for processes as Linux does")


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data directory; whatever broker uses it at the end is stopped."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    data = tmp_path / "data"
    yield data
    if (data / "address").exists():
        stop(data, signal.SIGTERM)


def process(directory: Path) -> int:
    """The process of the broker that was started for the directory."""
    return int((directory / "start.lock").read_text())


def stop(directory: Path, how: signal.Signals) -> None:
    """End that broker, and wait until it has ended, whoever its parent is."""
    watch = os.pidfd_open(process(directory))
    try:
        os.kill(process(directory), how)
        assert select.select([watch], [], [], PATIENCE_S)[0]
    finally:
        os.close(watch)


def test_the_first_starts_it_and_the_second_finds_it(directory: Path) -> None:
    first = find_or_start(directory)
    assert first.host == "127.0.0.1"
    assert first.key is not None
    running = process(directory)
    assert find_or_start(directory) == first
    assert process(directory) == running
    assert os.getsid(running) == running, "it belongs to no terminal"
    assert stat.S_IMODE((directory / "broker.log").stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_of_several_that_start_at_once_one_starts_it(directory: Path) -> None:
    script = "import sys, pathlib; from client.local import *; print(find_or_start(pathlib.Path(sys.argv[1])))"
    command = [sys.executable, "-c", script, str(directory)]
    starting = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    found = {each.communicate()[0].strip() for each in starting}
    assert found == {(directory / "address").read_text().strip()}
    assert (directory / "broker.log").read_text().count("event=serving") == 1


def test_a_broker_that_died_is_replaced_where_it_was(directory: Path) -> None:
    first = find_or_start(directory)
    stop(directory, signal.SIGKILL)
    assert addresses.parse((directory / "address").read_text()) == first, "it could not take its address away"
    assert find(directory) is None
    assert find_or_start(directory) == first, "whoever is still connected finds it again"


def test_a_broker_that_ended_is_started_anew(directory: Path) -> None:
    first = find_or_start(directory)
    stop(directory, signal.SIGTERM)
    assert not (directory / "address").exists()
    assert find_or_start(directory).key == first.key


def test_a_broker_that_was_noted_is_looked_for_later(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "data_dir", lambda: directory)
    assert local.noted() is None
    first = find_or_start()
    assert local.noted() == first
    stop(directory, signal.SIGKILL)
    assert local.noted() == first, "whether it runs is not looked at"
    assert local.find_again(first) == first
    with pytest.raises(NoLocalBroker, match="a new one with another key"):
        local.find_again(Address(first.host, first.port, bytes(32)))


def test_somebody_else_at_the_old_address_is_not_ours(directory: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    stranger = find_or_start(other)
    try:
        directory.mkdir(mode=0o700)
        (directory / "address").write_text(f"{Address(stranger.host, stranger.port, bytes(32))}\n")
        assert find(directory) is None
        ours = find_or_start(directory)
        assert ours.port != stranger.port
        assert ours.key != stranger.key
    finally:
        stop(other, signal.SIGTERM)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"127.0.0.1:5570", b"\xff\xfe"])
def test_an_address_file_that_says_nothing_is_no_broker(directory: Path, content: bytes) -> None:
    directory.mkdir()
    (directory / "address").write_bytes(content)
    assert find(directory) is None
    (directory / "address").unlink()


def test_why_it_did_not_start_is_said(directory: Path) -> None:
    directory.mkdir(mode=0o700)
    (directory / "broker.key").write_bytes(b"too short")
    (directory / "broker.key").chmod(0o600)
    with pytest.raises(NoLocalBroker) as caught:
        find_or_start(directory)
    assert str(directory / "broker.log") in caught.value.message
    assert "expected 64 bytes, found 9" in caught.value.message


def test_a_long_log_begins_anew(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "LOG_BYTES", 100)
    directory.mkdir(mode=0o700)
    (directory / "broker.log").write_text("old\n" * 100)
    find_or_start(directory)
    assert "old" not in (directory / "broker.log").read_text()


def test_the_usual_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert local.data_dir().name == "broker"
