"""What the session asks its shell to do. Must not know how it is done."""

from __future__ import annotations

from dataclasses import dataclass

from client.link.updates import Update
from common.errors import ChatError
from common.messages import Reply


@dataclass(frozen=True, slots=True)
class Transmit:
    """Send this frame on the command socket."""

    frame: bytes


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Ask the broadcast socket for this topic."""

    topic: bytes


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Take that back."""

    topic: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """The application's request number `call` has its outcome."""

    call: int
    outcome: Reply | ChatError


Action = Transmit | Subscribe | Unsubscribe | Answered | Update
