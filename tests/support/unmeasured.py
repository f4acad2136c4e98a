"""The environment for processes whose coverage is not to be measured, though that of the tests is.

Measuring it loads libraries, and writes a file at the end, with calls of its own.
"""

from __future__ import annotations

import os


def environment() -> dict[str, str]:
    """The tests' own, without what begins to measure."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}
