"""The data directory: private to its owner, and what lies in it.

    broker.key      the broker's key pair          pepper         what passwords are keyed with
    tertulia.db     the database                   lock           held while a broker or a command uses it
    operator.sock   the operator's socket          address        the address, while the broker runs

The store holds the lock. Must not know what is in the files.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from common.errors import ChatError
from common.keys import sync_directory


class BadDataDir(ChatError):
    """A data directory that cannot be used; the sentence says why and what to do."""

    code = "bad-data-dir"
    sentence = "The data directory cannot be used."


class DataDir:
    """The places in a data directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.key = path / "broker.key"
        self.pepper = path / "pepper"
        self.operator = path / "operator.sock"
        self.address = path / "address"

    def make(self) -> None:
        """Make the directory if it is not there, and keep others out. Raises `BadDataDir`."""
        try:
            self._make()
        except OSError as error:
            raise BadDataDir(f"{self.path}: cannot be used as data directory ({error.strerror}).") from None

    def announce(self, address: str) -> None:
        """Leave the address for clients on this machine; whole or not at all. Raises `BadDataDir`."""
        draft = self.path / f".address.{os.getpid()}"
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "w") as file:
                file.write(address + "\n")
            os.replace(draft, self.address)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise BadDataDir(f"{self.address}: cannot be written ({error.strerror}).") from None

    def withdraw(self) -> None:
        """Take the address away."""
        self.address.unlink(missing_ok=True)

    def _make(self) -> None:
        made = [each for each in (self.path, *self.path.parents) if not each.exists()]
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        for each in made:
            sync_directory(each.parent)
        mode = self.path.stat().st_mode
        if os.name != "posix" or not mode & (stat.S_IRWXG | stat.S_IRWXO):
            return
        if self.key.exists() or not any(self.path.iterdir()):
            os.chmod(self.path, 0o700)
        elif mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise BadDataDir(f"{self.path}: others can write here; name a directory of the broker's own.")
