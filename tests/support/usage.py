"""What a process has used. Linux only, since it is read from /proc. Must not know what the process does."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu(process: int) -> float:
    """Seconds of CPU so far, user and system, all threads."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(process: int) -> int:
    """Bytes of resident memory now."""
    return _status(process, "VmRSS")


def peak_memory(process: int) -> int:
    """The most bytes of resident memory that it ever had."""
    return _status(process, "VmHWM")


def descriptors(process: int) -> int:
    """Open descriptors now."""
    return len(os.listdir(f"/proc/{process}/fd"))


def _status(process: int, field: str) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1_024
    raise ProcessLookupError(f"process {process} has ended")
