"""What an examination finds, and what it is given to look at. Must not know any check."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from broker.config import BrokerConfig
from broker.datadir import DataDir

Verdict = Literal["ok", "warning", "problem"]


class Finding(NamedTuple):
    """One line: what was looked at, how it is, and, unless it is well, what to do."""

    check: str
    verdict: Verdict
    sentence: str
    advice: str = ""


@dataclass(frozen=True)
class Premises:
    """What is examined: a broker's settings, and its data directory."""

    config: BrokerConfig
    data: DataDir
    running: bool
    """Whether a broker listens there."""


Check = Callable[[Premises], Iterator[Finding]]


def owned_by(path: Path) -> str:
    """The name of a file's owner, or the number of one without a name."""
    number = os.stat(path).st_uid
    try:
        import pwd

        return pwd.getpwuid(number).pw_name
    except (ImportError, KeyError):
        return str(number)


def size(amount: float) -> str:
    """Bytes, for people: `3 kB`, `1.5 GB`."""
    units = iter(("bytes", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while amount >= 1_000 and unit != "TB":
        amount /= 1_000
        unit = next(units)
    return f"{amount:.1f} {unit}" if amount < 10 and unit != "bytes" else f"{amount:.0f} {unit}"
