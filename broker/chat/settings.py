"""What an operator may set about the rules. Must not know where the settings were read from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from common.limits import BOT_POSTS, BOT_REQUESTS, GRACE_S, POSTS, REGISTRATIONS, REQUESTS, STRANGER_REQUESTS, Rate


@dataclass(frozen=True)
class ChatSettings:
    """The rules' settings; every default stands here."""

    server_name: str = "Tertulia"
    """How the broker calls itself in `hello` and on the greeting socket."""
    default_room: str = "lobby"
    """The room in which everybody arrives."""
    registration: Literal["open", "closed"] = "open"
    """Whether people may make accounts for themselves."""
    grace_s: float = GRACE_S
    """Seconds that rooms and memberships outlive the last connection."""
    gateways: frozenset[str] = frozenset()
    """Public keys (Z85) whose connections may carry many sessions."""
    posts: Rate = POSTS
    """Messages of one person."""
    bot_posts: Rate = BOT_POSTS
    """Messages of one bot."""
    requests: Rate = REQUESTS
    """Requests of one session of a person, messages among them."""
    bot_requests: Rate = BOT_REQUESTS
    """Requests of one session of a bot."""
    stranger_requests: Rate = STRANGER_REQUESTS
    """Requests of all who are not logged in from one address."""
    registrations: Rate = REGISTRATIONS
    """New accounts from one address."""
