"""What can go wrong on this side of the wire; the broker's refusals are in `common.errors`.

    ChatError
      NoBroker      nobody answered at that address, or not who the key says
      NoAnswer      a request was not answered in time
      LinkLost      the connection broke under a request that must not be made twice
      ClientClosed  this side has closed it, and waits for nothing any more
      KeyUnknown    the broker does not know the key that should log in
      SessionOver   this session is no longer bound to its account

Must not know what a program does about it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from common.errors import ChatError

NOT_REACHED: Final = frozenset({"key-changed", "link-lost", "no-answer", "no-broker", "no-local-broker"})
"""The failures after which a program says that no broker was reached, by code: some are made beyond this package."""

WAIT_MAX_S: Final = 300.0
"""Seconds that a refusal can make this side wait at the most, whatever it says."""
WAIT_MIN_S: Final = 0.05
"""Seconds to wait at least: a refusal that asks for none must not be answered by a loop."""
SPREAD: Final = 0.5
"""The part of a wait that is added to it by chance."""


def pause(error: object, default: float, random: Callable[[int], bytes]) -> float:
    """Seconds to wait before trying again what was refused with `error`; `default` if it does not say.

    Never sooner than it says, and by chance somewhat later: many are refused together, and must not return together.
    """
    wait = error.retry_after if isinstance(error, ChatError) else None
    if wait is None or math.isnan(wait):
        wait = default
    return min(max(WAIT_MIN_S, wait) * (1 + SPREAD * random(1)[0] / 256), WAIT_MAX_S)


class NoBroker(ChatError):
    """Nothing answered within the time given; programs end with exit status 3."""

    code = "no-broker"
    sentence = "No broker answered."


class NoAnswer(ChatError):
    """A request was not answered in time; whether it was carried out is not known."""

    code = "no-answer"
    sentence = "The broker did not answer in time."


class LinkLost(NoAnswer):
    """The connection broke before the answer; the request is one that must not be repeated unasked."""

    code = "link-lost"
    sentence = "The connection broke before the broker answered; look whether it was done, then try again."


class ClientClosed(LinkLost):
    """This side has closed the connection; nothing is asked or waited for any more."""

    sentence = "The client was closed."


class KeyUnknown(ChatError):
    """A client was to log in by its key alone, and the broker does not know it, or for another account."""

    code = "key-unknown"
    sentence = "The broker does not know this key: it was revoked, or never added; make a new one."


class SessionOver(ChatError):
    """The session ended: logged out, revoked, password changed, account disabled, or forgotten."""

    code = "session-over"
    sentence = "This session has ended; log in again."
