"""Settings without limits on rates, for tests whose clients do what no person could."""

from __future__ import annotations

from dataclasses import fields

from broker.chat.settings import ChatSettings
from broker.wire.bounds import Bounds
from common.limits import Rate

NO_LIMIT = Rate(0, 0)
CHAT = ChatSettings(
    posts=NO_LIMIT,
    bot_posts=NO_LIMIT,
    requests=NO_LIMIT,
    bot_requests=NO_LIMIT,
    stranger_requests=NO_LIMIT,
    registrations=NO_LIMIT,
)
NETWORK = Bounds(
    handshakes=NO_LIMIT,
    stranger_bytes=NO_LIMIT,
    member_bytes=NO_LIMIT,
    address_bytes=NO_LIMIT,
    flood_requests=0,
    strangers=10_000,
    strangers_per_address=10_000,
)


def toml(grace_s: float = ChatSettings.grace_s) -> str:
    """The same as a file, for brokers in a process of their own."""
    lines = [f"[chat]\ngrace_s = {grace_s}", *_changed(CHAT, ChatSettings()), "[network]", *_changed(NETWORK, Bounds())]
    return "\n".join(lines) + "\n"


def _changed(settings: ChatSettings | Bounds, defaults: ChatSettings | Bounds) -> list[str]:
    each = [(field.name, getattr(settings, field.name)) for field in fields(settings)]
    # A rate prints as the pair that it is.
    return [
        f"{name} = {list(value) if isinstance(value, Rate) else value}"
        for name, value in each
        if value != getattr(defaults, name)
    ]
