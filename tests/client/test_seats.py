"""Who sits where on this machine: a login has one terminal, until that ends, whatever ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from client.seats import Seats, default_directory
from tests.generated import ROOT

ONE, OTHER = b"\x01" * 32, b"\x02" * 32
SITTER = "import sys; from client.seats import Seats; Seats(bytes([1]) * 32).take('Ana'); print(flush=True); input()"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def aged(seats: Seats, login: str, seconds: int) -> None:
    (file,) = seats.directory.glob(f"login-{login}")
    os.utime(file, (seconds, seconds))


def test_a_login_has_one_terminal_at_a_time() -> None:
    first, second = Seats(ONE), Seats(ONE)
    assert first.take("ana")
    assert first.take("ANA")
    assert not second.take("Ana")
    assert Seats(OTHER).take("ana")
    assert second.take("bruno")
    first.leave()
    assert second.take("ana")
    assert first.take("bruno")  # who sits down somewhere else gets up first


def test_what_was_used_before_and_is_free_is_known_the_last_one_first() -> None:
    seats = Seats(ONE)
    assert (seats.free(), seats.last()) == ([], None)
    for login, used in (("Ana", 30), ("bruno", 10), ("Émile", 20)):
        assert seats.take(login)
        aged(seats, login.casefold(), used)
    assert Seats(ONE).free() == ["Ana", "bruno"]
    seats.leave()
    assert Seats(ONE).free() == ["Ana", "Émile", "bruno"]
    assert Seats(OTHER).free() == []
    aged(seats, "émile", 40)
    assert seats.take("Émile")
    assert Seats(ONE).last() == "Émile", "who has a terminal, too"


def test_a_killed_terminal_leaves_its_seat() -> None:
    with subprocess.Popen([sys.executable, "-c", SITTER], cwd=ROOT, stdin=-1, stdout=-1) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert not Seats(ONE).take("ana")
        other.send_signal(signal.SIGKILL)
    assert Seats(ONE).take("ana")


def test_a_disk_that_refuses_keeps_nobody_out(state: Path) -> None:
    (state / "tertulia").write_text("no directory")
    assert Seats(ONE).take("ana")
    assert Seats(ONE).free() == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other places")
def test_it_lies_in_the_users_state(state: Path) -> None:
    assert default_directory() == state / "tertulia"
    seats = Seats(ONE)
    seats.take("ana")
    assert seats.directory.stat().st_mode & 0o777 == 0o700
