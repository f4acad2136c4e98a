"""What somebody wants to be told of: one rule for every program that tells.

A message is worth it in a conversation of which they want to hear all, or if it names them; never what they said
themselves, and nothing while they are not to be disturbed. Must not know how anybody is told.
"""

from __future__ import annotations

import re

from common.messages import Notify, Status


def naming(login: str) -> re.Pattern[str]:
    """What finds `login` as a word of its own in a text, with or without `@`; of an empty login, nothing."""
    return re.compile(rf"(?<!\w)@?{re.escape(login)}(?!\w)" if login else "(?!)", re.IGNORECASE)


def told(notify: Notify | None, *, private: bool) -> Notify:
    """What of a conversation is told: unless they said otherwise, all in private, and in rooms what names them."""
    return notify or ("all" if private else "mentions")


def worth(notify: Notify, status: Status, *, named: bool) -> bool:
    """Whether a message of somebody else is told, where `notify` says what is; `named`: it names the reader."""
    return status != "dnd" and (notify == "all" or (notify == "mentions" and named))
