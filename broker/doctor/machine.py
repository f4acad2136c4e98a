"""The machine under the broker: space on its disk, its clock, its descriptors, and the libraries that carry it."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from broker.doctor.findings import Finding, Premises, size
from broker.machine import OWN_DESCRIPTORS, descriptor_limit
from broker.store.inspection import WAL_BYTES, Inspection, check_sqlite
from broker.store.migrations import DatabaseUnusable
from broker.wire import probe
from broker.wire.sockets import CannotListen

LEAST_BYTES: Final = WAL_BYTES
"""Free bytes below which the write-ahead log may find no room."""
AMPLE_BYTES: Final = 4 * WAL_BYTES
LEAST_FILES: Final = 100
YEARS: Final = (2025, 2100)
AHEAD_S: Final = 60.0
"""Seconds that the newest entry may be ahead of the clock: as much as a clock is set by without harm."""
LEAST_DESCRIPTORS: Final = 1_024
"""Below this even a small circle comes to the limit, where listeners spin and SQLite opens nothing."""
_RAISE: Final = "Raise the limit (LimitNOFILE= of the service, ulimit -Hn)."

_TIMEX_BYTES: Final = 512
"""More than `struct timex` has anywhere."""
_TIME_ERROR: Final = 5
"""What adjtimex(2) returns while nothing keeps the clock right."""


def versions(premises: Premises) -> Iterator[Finding]:
    """libzmq and SQLite: recent enough to be relied on."""
    try:
        yield Finding("libraries", "ok", f"SQLite {check_sqlite()}.")
    except DatabaseUnusable as error:
        yield Finding("libraries", "problem", str(error))
    try:
        yield Finding("libraries", "ok", f"libzmq {probe.libzmq()}.")
    except CannotListen as error:
        yield Finding("libraries", "problem", str(error))


def space(premises: Premises) -> Iterator[Finding]:
    """Free bytes and inodes where the database and the directory are."""
    database = premises.config.database_path
    held = database.stat().st_size if database.exists() else 0
    seen = set()
    for path in (_existing(database.parent), _existing(premises.data.path)):
        if os.stat(path).st_dev not in seen:
            seen.add(os.stat(path).st_dev)
            yield _room(path, held)


def _existing(path: Path) -> Path:
    """The directory, or the next one above it that is there."""
    return next((each for each in (path, *path.parents) if each.is_dir()), Path("/"))


def _room(path: Path, held: int) -> Finding:
    found = os.statvfs(path)
    free = found.f_bavail * found.f_frsize
    # Some file systems make inodes as they need them, and count none.
    files = found.f_favail if found.f_files else None
    sentence = f"{size(free)} are free at {path}, beside a database of {size(held)}"
    advice = "Make room; nobody can write while there is none, and nothing that was acknowledged is lost."
    if free < LEAST_BYTES:
        return Finding("space", "problem", f"Only {sentence}.", advice)
    if files is not None and files < LEAST_FILES:
        return Finding("space", "problem", f"Only {files} more files can be made at {path}.", advice)
    if free < max(AMPLE_BYTES, held // 10):
        return Finding("space", "warning", f"Only {sentence}.", advice)
    return Finding("space", "ok", f"{sentence}.")


def clock(premises: Premises) -> Iterator[Finding]:
    """The wall clock: in this century, not before what was said last, and kept right by something."""
    now = time.time()
    year = time.gmtime(now).tm_year
    if not YEARS[0] <= year < YEARS[1]:
        yield Finding("clock", "problem", f"The clock says it is {year}.", "Set it before the broker starts.")
        return
    ahead = _newest(premises) - now
    if ahead > AHEAD_S:
        yield Finding(
            "clock",
            "problem",
            f"The newest message in the log is {_span(ahead)} ahead of the clock: one of the two is wrong.",
            "Set the clock. Order never hangs on it; the times that people see do.",
        )
        return
    if _synchronised() is False:
        yield Finding(
            "clock",
            "warning",
            "Nothing keeps the clock right: the kernel says that it is not synchronised.",
            "Run a time service (systemd-timesyncd, chrony), unless the host of this container does.",
        )
        return
    yield Finding("clock", "ok", f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(now))} UTC.")


def _newest(premises: Premises) -> float:
    """When the last entry was written, in seconds UTC; 0 if that cannot be told."""
    path = premises.config.database_path
    try:
        if not path.exists():
            return 0.0
        with Inspection(path) as inspection:
            return (inspection.newest() or 0) / 1_000 if all(inspection.steps()) else 0.0
    except DatabaseUnusable:
        return 0.0  # the check of the database says why


def _span(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _synchronised() -> bool | None:
    """Whether the kernel believes its clock; None if it cannot be asked."""
    if sys.platform != "linux":
        return None
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    # All zero: nothing is to be changed, only to be told.
    state = adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return None if state < 0 else state != _TIME_ERROR


def descriptors(premises: Premises) -> Iterator[Finding]:
    """How many files and connections the system lets this user's processes have, against what the settings allow."""
    limit = descriptor_limit()
    if limit is None:
        return
    most = limit[1]
    connections = premises.config.network.connections
    sentence = f"{most} descriptors, for up to {connections} connections (network.connections) and the broker's own"
    if most < LEAST_DESCRIPTORS:
        yield Finding("descriptors", "problem", f"Only {sentence}.", _RAISE)
    elif most < connections + OWN_DESCRIPTORS:
        yield Finding("descriptors", "warning", f"Only {sentence}.", f"{_RAISE} Or lower network.connections.")
    else:
        yield Finding("descriptors", "ok", f"{sentence}.")
