"""Whether the database is sound, and holds together what was said.

A further check of the same kind is one more row of `DEEP`. Must not know SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from broker.doctor.findings import Finding, Premises, size
from broker.store.inspection import WAL_BYTES, Inspection
from broker.store.migrations import DatabaseUnusable

BIG: Final = 2_000_000_000
"""Bytes of database from which on its indexes are not compared row by row, which takes minutes. All that time the
write-ahead log of a broker that runs beside could not be emptied."""

_RESTORE: Final = "Stop the broker, move the database away with its -wal, and restore a backup."


class Deep(NamedTuple):
    """A check that reads the whole database."""

    name: str
    look: Callable[[Inspection], list[str]]
    well: str
    broken: str
    advice: str
    compares: bool = False
    """Whether it compares an index row by row, as is left out if the database is big."""


DEEP: Final = (
    Deep(
        "references",
        Inspection.dangling,
        "Every row refers to rows that are there.",
        "Rows refer to what is missing",
        _RESTORE,
    ),
    Deep(
        "logs",
        Inspection.breaks,
        "Every log is unbroken: each entry follows the one before it.",
        "A log is broken",
        _RESTORE,
    ),
    Deep(
        "search",
        Inspection.misindexed,
        "The full-text index has every word that was indexed, and none that was taken back.",
        "The full-text index does not fit the messages, which are whole themselves",
        _RESTORE,
        compares=True,
    ),
)
"""In this order, once the file itself is sound."""


def database(premises: Premises) -> Iterator[Finding]:
    """The database's file and what is in it."""
    path = premises.config.database_path
    if not path.exists():
        yield _missing(premises, path)
        return
    if not path.stat().st_size and not path.with_name(path.name + "-wal").exists():
        yield Finding(
            "database",
            "warning",
            f"{path} is empty: a broker would start without accounts.",
            "If there were any, restore a backup.",
        )
        return
    try:
        with Inspection(path) as inspection:
            yield from _examined(inspection, path.stat().st_size)
    except DatabaseUnusable as error:
        yield Finding("database", "problem", str(error))


def _missing(premises: Premises, path: Path) -> Finding:
    if premises.data.key.exists():
        return Finding(
            "database",
            "warning",
            f"There is no {path}, though a broker was here before: it would start without accounts.",
            "If there were any, restore a backup, or name the database: --database sqlite:///PATH.",
        )
    return Finding("database", "ok", f"{path} will be made at the first start.")


def _examined(inspection: Inspection, bytes_: int) -> Iterator[Finding]:
    had, steps = inspection.steps()
    if not had:
        yield Finding("database", "ok", f"{inspection.path} has nothing in it yet.")
        return
    quick = bytes_ > BIG
    damage = inspection.damage(quick)
    if damage:
        yield Finding("database", "problem", f"{inspection.path} is damaged: {'; '.join(damage)}.", _RESTORE)
        return
    how = "its indexes were not compared, for its size" if quick else "every page and index was read"
    yield Finding("database", "ok", f"{inspection.path} is sound, {size(bytes_)}: {how}.")
    yield _write_ahead(inspection.log_bytes)
    if had < steps:
        yield Finding(
            "schema",
            "warning",
            f"The schema is of an older version ({had} of {steps} steps); its logs were not examined.",
            "The next start brings it up to date; make a backup first.",
        )
        return
    for deep in DEEP:
        if quick and deep.compares:
            continue
        found = deep.look(inspection)
        if found:
            yield Finding(deep.name, "problem", f"{deep.broken}: {'; '.join(found)}.", deep.advice)
        else:
            yield Finding(deep.name, "ok", deep.well)


def _write_ahead(bytes_: int) -> Finding:
    if bytes_ > 2 * WAL_BYTES:
        return Finding(
            "wal",
            "warning",
            f"The write-ahead log has grown to {size(bytes_)}: something keeps it from being moved to the database.",
            "End other programs that read the database (a backup, a shell), or restart the broker.",
        )
    return Finding("wal", "ok", f"The write-ahead log has {size(bytes_)}.")
