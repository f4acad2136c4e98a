"""What a broker tells, as it may look."""

from __future__ import annotations

from common import messages

LOBBY = messages.RoomView(
    id=1,
    name="lobby",
    kept=True,
    private=False,
    open=False,
    subject="",
    creator=None,
    head=4,
    online=1,
    joined=True,
    since=0,
)
