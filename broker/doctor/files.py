"""Who can read and write what the broker keeps: its directory, its two secrets, its files, its settings."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from broker.doctor.findings import Finding, Premises, owned_by
from broker.wire.passwords import PEPPER_BYTES
from common import keys
from common.keys import BadSecretFile

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def settings(file: Path) -> Iterator[Finding]:
    """The settings' file, which was read already: nobody else may change it."""
    if not file.exists():
        yield Finding("settings", "ok", f"There is no {file}: flags, environment and defaults count.")
        return
    for path in (file, file.resolve().parent):
        mode = path.stat().st_mode
        # In a directory like /tmp others can make files, and not replace this one.
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            yield Finding("settings", "problem", f"{path} can be changed by everybody.", f"Run: chmod o-w {path}")
            return
    if file.stat().st_mode & stat.S_IWGRP:
        yield Finding("settings", "warning", f"{file} can be changed by its group.", f"Run: chmod g-w {file}")
        return
    yield Finding("settings", "ok", f"{file} was read, and can be changed only by {owned_by(file)}.")


def directory(premises: Premises) -> Iterator[Finding]:
    """The data directory: there, its owner's, private, and to be written."""
    path = premises.data.path
    if not path.exists():
        yield Finding(
            "directory", "warning", f"There is no {path} yet.", "The first start makes it; or name it: --data-dir DIR."
        )
        return
    if not path.is_dir():
        yield Finding("directory", "problem", f"{path} is no directory.", "Name another: --data-dir DIR.")
        return
    mode = path.stat().st_mode
    if mode & _OTHERS:
        yield Finding(
            "directory",
            "problem",
            f"{path} is open to others (mode {stat.S_IMODE(mode):04o}): what is in it is private.",
            f"Run: chmod 700 {path}",
        )
    elif os.statvfs(path).f_flag & os.ST_RDONLY:
        yield Finding(
            "directory",
            "problem",
            f"{path} is on a file system that is mounted read-only: nothing can be written.",
            "Look into the system's log for a failing disk, then mount it for writing.",
        )
    elif not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(
            "directory",
            "problem",
            f"{path} belongs to {owned_by(path)}, and this user may not use it.",
            f"Run this, and the broker, as {owned_by(path)}.",
        )
    else:
        yield Finding("directory", "ok", f"{path} is private to {owned_by(path)}.")


def secrets(premises: Premises) -> Iterator[Finding]:
    """The key pair and the pepper: there once anything was stored, private, and whole."""
    data = premises.data
    stored = premises.config.database_path.exists()
    readers: tuple[tuple[Path, Callable[[Path], object], str], ...] = (
        (data.key, keys.read_pair, "every client that met this broker will refuse it under a new key"),
        (data.pepper, lambda path: keys.read_secret(path, PEPPER_BYTES), "no password matches without it"),
    )
    for path, read, without in readers:
        if not path.exists():
            if stored:
                yield Finding(
                    "secrets", "problem", f"{path} is missing: {without}.", "Restore it from a backup before a start."
                )
            else:
                yield Finding("secrets", "ok", f"{path} will be made at the first start.")
            continue
        try:
            read(path)
        except BadSecretFile as error:
            yield Finding("secrets", "problem", str(error))
        else:
            yield Finding("secrets", "ok", f"{path} is whole, and private to {owned_by(path)}.")


def private(premises: Premises) -> Iterator[Finding]:
    """The other files: not to be read by others, and the directory's owner's."""
    data, database = premises.data, premises.config.database_path
    beside = [database.with_name(database.name + end) for end in ("", "-wal", "-shm", "-journal")]
    there = [path for path in (*beside, data.path / "lock", data.operator, data.address) if path.exists()]
    well = True
    for path in there:
        found = path.stat()
        if found.st_mode & _OTHERS:
            well = False
            yield Finding(
                "files",
                "problem",
                f"{path} is open to others (mode {stat.S_IMODE(found.st_mode):04o}).",
                f"Run: chmod 600 {path}",
            )
        if found.st_uid != data.path.stat().st_uid:
            well = False
            yield Finding(
                "files",
                "problem",
                f"{path} belongs to {owned_by(path)}, the data directory to {owned_by(data.path)}.",
                f"Run: chown {owned_by(data.path)} {path}",
            )
    if well and there:
        yield Finding("files", "ok", f"All {len(there)} other files are private to {owned_by(data.path)}.")
