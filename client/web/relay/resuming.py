"""What a browser that comes back is given at once, and what it must ask for itself.

Must not know sockets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from client.web.relay import frames
from client.web.relay.bounds import REPLAY_BYTES, REPLAY_FRAMES
from client.web.relay.channels import Channel
from client.web.relay.sessions import Session


class Resumption(NamedTuple):
    """How a browser goes on."""

    how: Literal["resumed", "gap", "reset"]
    gaps: list[str]
    """Logs whose entries behind the cursor are not all given."""
    frames: list[bytes]
    """What follows the answer at once."""


def resume(session: Session, channels: Mapping[str, Channel], greeting: frames.Greeting, run: str) -> Resumption:
    """How the browser of a session goes on which has everything up to the cursors in `greeting`.

    What came after the broker has said where the logs end is given in any case, for nothing else would tell of it.
    """
    same = greeting.run == run
    gaps: list[str] = []
    given: list[bytes] = []
    size = 0
    ends = [(session.inbox, 0, 0, session.state.inbox)]
    ends += [
        (view.name, view.id, session.hearing[view.name].since, view.head)
        for view in session.state.rooms
        if view.name in session.hearing
    ]
    for log, id, since, head in ends:
        channel = channels.get(log)
        ring = channel.ring if channel is not None and channel.id == id and not session.doubtful else None
        cursor = greeting.cursors.get(log) if same else None
        at = head
        if cursor is not None and cursor[0] == id and max(cursor[1], since) < head:
            at = max(cursor[1], since)
        kept = (ring.after(at) if ring is not None else None) if at < head or ring is not None else []
        if kept is not None and len(given) + len(kept) <= REPLAY_FRAMES:
            more = sum(len(entry.frame) for entry in kept)
            if size + more <= REPLAY_BYTES:
                size += more
                given.extend(entry.frame for entry in kept)
                continue
        if at < head:
            gaps.append(log)
        if channel is not None and ring is not None and ring.last > head:
            given.append(frames.live(channel.prefix, id, ring.last))
    how: Literal["resumed", "gap", "reset"] = "reset" if not same else "gap" if gaps else "resumed"
    return Resumption(how, gaps, given)
