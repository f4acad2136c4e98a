"""How many connections this process may hold: one descriptor each, and the system bounds those.

Beyond it nothing could be accepted or opened any more, so the bound of connections stays below. Must not know what the
connections are for.
"""

from __future__ import annotations

import sys
from typing import Final

OWN: Final = 128
"""Descriptors for all else: the broker's sockets, files, webhooks and push under way."""


def connections_within(wanted: int) -> int:
    """As many of `wanted` as the descriptors allow, of which this takes all that the system gives."""
    if sys.platform == "win32":
        return wanted
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted + OWN if hard == resource.RLIM_INFINITY else min(hard, wanted + OWN)
    if soft != resource.RLIM_INFINITY and soft < most:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        except (ValueError, OSError):
            most = soft  # that must do
    return max(1, min(wanted, most - OWN))
