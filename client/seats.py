"""Which logins of a broker are in use at the terminals of this user on this machine, and which were before.

A directory for each broker, by its key, in the user's state directory. A login that was used once has a file
there with its name; a running terminal holds a lock on it, which ends with the process, whatever ends it. So a
terminal that is opened beside another one does not become the same person unasked. Must not know passwords or
tokens.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from common import names
from common.addresses import encode_key

_PREFIX = "login-"


def default_directory() -> Path:
    """The user's state directory of Tertulia."""
    import platformdirs

    return platformdirs.user_state_path("tertulia", appauthor=False)


class Seats:
    """The logins of one broker on this machine; this process sits at one of them at most."""

    def __init__(self, broker: bytes, directory: Path | None = None) -> None:
        self.directory = (directory or default_directory()) / encode_key(broker)
        """What is kept about this broker."""
        self._held: tuple[Path, int] | None = None

    def take(self, login: str) -> bool:
        """Sit down as `login`, and get up from any other. Returns False if another terminal has it.

        A disk that refuses keeps nobody from chatting: then it counts as done.
        """
        path = self.directory / f"{_PREFIX}{names.key(login)}"
        if self._held is not None and self._held[0] == path:
            return True
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return True
        if not _locked(descriptor):
            os.close(descriptor)
            return False
        with contextlib.suppress(OSError):
            os.truncate(descriptor, 0)
            os.write(descriptor, login.encode())  # which also says when it was used last
        self.leave()
        self._held = (path, descriptor)
        return True

    def leave(self) -> None:
        """Get up; the end of the process does it as well."""
        if self._held is not None:
            os.close(self._held[1])
            self._held = None

    def last(self) -> str | None:
        """The login that was used last on this machine, whether it has a terminal now or not."""
        return next((login for login in map(_name, self._files()) if login), None)

    def free(self) -> list[str]:
        """The logins that were used on this machine and have no terminal now, the one used last first."""
        return [login for file in self._files() if _is_free(file) and (login := _name(file))]

    def _files(self) -> list[Path]:
        return sorted(self.directory.glob(f"{_PREFIX}*"), key=lambda path: path.stat().st_mtime_ns, reverse=True)


def _name(file: Path) -> str:
    return file.read_bytes()[:1_024].decode(errors="replace")


def _is_free(file: Path) -> bool:
    descriptor = os.open(file, os.O_RDWR)
    try:
        return _locked(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Lock a file without waiting. Where files cannot be locked, nobody is in anybody's way."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
