"""What runs at the user's end: the headless link, and the programs built on it.

Importing this package is cheap; `ChatClient` and `Bot` are loaded when they are first asked for. Must not know the
broker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from client.bot import Bot
    from client.link.chat import ChatClient

__all__ = ["Bot", "ChatClient"]


def __getattr__(name: str) -> Any:
    if name == "ChatClient":
        from client.link.chat import ChatClient

        return ChatClient
    if name == "Bot":
        from client.bot import Bot

        return Bot
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
