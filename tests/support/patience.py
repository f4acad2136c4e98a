"""How long a test waits for what must come.

Far above what any machine needs, since only a test that fails waits so long. Whoever shows that something does not come
waits for what comes after it, and needs no time for that. Must not know what is waited for.
"""

from __future__ import annotations

from typing import Final

PATIENCE_S: Final = 60.0
PATIENCE_MS: Final = int(PATIENCE_S * 1_000)
