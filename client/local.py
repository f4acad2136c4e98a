"""This user's own broker on this machine: found by its address file, or started and left running.

`tertulia` without an address comes here. The broker keeps its data in the user's data directory, listens on
loopback only, belongs to no terminal, and ends by itself when nobody has used it for a while. Knows the
broker as a program with a command line, and must not import it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from client.language import _
from client.trust import greet
from common import addresses
from common.addresses import Address, BadAddress
from common.errors import ChatError

IDLE_EXIT_S: Final = 600
"""Seconds without any client after which the broker ends."""

START_S: Final = 20.0
"""Seconds that a broker may take to be ready: a slow disk and the first key pair included."""

GREETING_S: Final = 1.0
"""Seconds that a broker on this machine may take to greet before it counts as gone."""

LOG_BYTES: Final = 1_000_000
"""Bytes above which the log begins anew at the next start."""


_started: Final[list[subprocess.Popen[str]]] = []
"""The brokers that this process started: held, because nobody waits for them."""


class NoLocalBroker(ChatError):
    """This user's broker could not be started; the sentence holds its own last words."""

    code = "no-local-broker"
    sentence = "The broker on this machine could not be started."


def data_dir() -> Path:
    """Where this user's broker keeps its data."""
    import platformdirs

    return platformdirs.user_data_path("tertulia", appauthor=False) / "broker"


def find_or_start(directory: Path | None = None) -> Address:
    """The address of this user's broker, started if none answers. Raises `NoLocalBroker`.

    Of several terminals that come here at once, one starts the broker and the others find it.
    """
    directory = directory or data_dir()
    found = find(directory)
    if found is not None:
        return found
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _lock(directory / "start.lock") as note:
        return find(directory) or _start(directory, note)


def noted(directory: Path | None = None) -> Address | None:
    """Where this user's broker was when it ran last, whether it still does or not; with its key."""
    address = _noted(directory or data_dir())
    return address if address is not None and address.key is not None else None


def find_again(address: Address) -> Address:
    """The address of this user's broker, started if none answers. Raises `NoLocalBroker`, also if it is another one."""
    found = find_or_start()
    if found.key != address.key:
        raise NoLocalBroker(
            _("The broker on this machine is a new one with another key; start again to get to know it.")
        )
    return found


def find(directory: Path) -> Address | None:
    """The broker that its address file names, if it answers with the key that stands there."""
    address = _noted(directory)
    if address is None or address.key is None:
        return None
    try:
        greeting = greet(address, GREETING_S)
    except ChatError:
        return None
    return address if greeting.key == address.key else None


def _noted(directory: Path) -> Address | None:
    try:
        return addresses.parse((directory / "address").read_text(encoding="ascii"))
    except (OSError, ValueError, BadAddress):
        return None


def _start(directory: Path, note: IO[str]) -> Address:
    """Start a broker that outlives this process, wait until it is ready, and note its process number."""
    log = directory / "broker.log"
    stale = _noted(directory)
    ports = [stale.port] if stale else []
    # Where the last one listened, terminals that are still open find the new one by themselves.
    for port in [*ports, 0]:
        process = _spawn(directory, log, port)
        line = _first_line(process)
        if line:
            note.truncate(0)
            note.write(f"{process.pid}\n")
            _started.append(process)
            return addresses.parse(line)
    said = _("The broker on this machine could not be started; {log} says:\n{words}")
    raise NoLocalBroker(said.format(log=log, words=_last_words(log)))


def _spawn(directory: Path, log: Path, port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "broker", "serve", "--data-dir", str(directory), "--listen", "127.0.0.1"]
    command += ["--port", str(port), "--idle-exit", str(IDLE_EXIT_S)]
    with _log(log) as stderr:
        return subprocess.Popen(
            command,
            # Where this package lies, the broker's lies too, and no directory of the user's takes its place.
            cwd=Path(__file__).parents[1],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )


def _log(path: Path) -> IO[bytes]:
    """The broker's log, which only this user may read, opened for appending."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    if path.exists() and path.stat().st_size > LOG_BYTES:
        flags |= os.O_TRUNC
    return os.fdopen(os.open(path, flags, 0o600), "ab")


def _first_line(process: subprocess.Popen[str]) -> str:
    """The line by which the broker says that it is ready; empty if it ended or took too long."""
    assert process.stdout is not None
    watch = threading.Timer(START_S, process.kill)
    watch.start()
    try:
        return process.stdout.readline()
    finally:
        watch.cancel()
        process.stdout.close()


def _last_words(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:])


@contextmanager
def _lock(path: Path) -> Iterator[IO[str]]:
    """Hold the lock file `path`; it stays behind, for removing it would let two hold it."""
    with open(path, "a", encoding="ascii") as file:
        try:
            import fcntl
        except ImportError:
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined]
        else:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file
