"""Files of this user that hold secrets and are written again and again, by several processes.

Reading and writing again is under a lock; a new file takes the place of the old one once it is on disk, so that
whoever reads finds the one or the other. Reading is `common.keys.read_secret`. Must not know what is in them.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


def replace(file: Path, content: bytes) -> None:
    """Put a new file of mode 0600 in the place of the old one, on disk before the old one goes."""
    descriptor, draft = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # mkstemp makes it 0600
    try:
        with os.fdopen(descriptor, "wb") as new:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
        os.replace(draft, file)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft)
        raise


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """One process at a time reads and writes again; on a system without `flock`, each for itself."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(file.with_name(f".{file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
