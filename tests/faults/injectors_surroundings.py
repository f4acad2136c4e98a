"""What the processes stand on, made so that it can go wrong: a small disk, and a wall clock of their own.

Must not know when, nor what is right.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.faults.guard import GUARD

FAKETIME: Final = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
SPARE: Final = 16_384
"""Bytes that a full disk has left."""


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True, text=True)


class Disk:
    """A small file system in memory, to be filled and made read-only."""

    def __init__(self, path: Path, megabytes: int) -> None:
        path.mkdir(parents=True)
        options = f"size={megabytes}m,mode=700"
        _mount("-t", "tmpfs", "-o", options, "tertulia-faults", str(path))
        GUARD.unmake(self, ["umount", "--lazy", str(path)])
        self._path = path
        self._ballast = path / "ballast"
        self._locked = False
        self._changing = threading.Lock()

    def fill(self) -> bool:
        """Leave next to nothing free; False, and nothing done, if it is read-only."""
        with self._changing:
            if self._locked:
                return False
            free = os.statvfs(self._path)
            with self._ballast.open("wb") as file:
                # What the broker takes meanwhile may be what was to be left.
                with contextlib.suppress(OSError):
                    os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_frsize - SPARE))
            return True

    def empty(self) -> None:
        """There is room again."""
        with self._changing:
            if self._ballast.exists():
                self._ballast.unlink()

    def lock(self) -> bool:
        """Make it read-only, while no file is open for writing; False, and nothing done, if it is full."""
        with self._changing:
            if not self._ballast.exists():
                self._remount("ro")
                self._locked = True
            return self._locked

    def unlock(self) -> None:
        """Make it writable again."""
        with self._changing:
            self._remount("rw")
            self._locked = False

    def _remount(self, how: str) -> None:
        _mount("-o", f"remount,{how}", str(self._path))

    def keep(self, copy: Path) -> None:
        """Copy what is on it."""
        shutil.copytree(self._path, copy, ignore=shutil.ignore_patterns("*.sock", "ballast"))

    def close(self) -> None:
        """Unmount it."""
        subprocess.run(["umount", "--lazy", str(self._path)], check=True)
        GUARD.release(self)


class FalseClock:
    """The wall clock of the processes that run with `environment`; their monotonic clock stays the true one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.set(0)
        self._since = path.stat().st_mtime
        self.environment: Mapping[str, str] = (
            {}
            if FAKETIME is None
            else {
                "LD_PRELOAD": str(FAKETIME),
                "FAKETIME_TIMESTAMP_FILE": str(path),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
        )

    def set(self, seconds: int) -> None:
        """Let it be wrong by so much, within a second."""
        draft = self._path.with_suffix(".new")
        draft.write_text(f"{seconds:+d}\n")
        draft.replace(self._path)

    def close(self) -> None:
        """Take away what the library leaves of processes that were killed."""
        for left in Path("/dev/shm").glob("*faketime_*_*"):
            number = left.name.rpartition("_")[2]
            if left.stat().st_mtime >= self._since and not Path(f"/proc/{number}").exists():
                left.unlink(missing_ok=True)
