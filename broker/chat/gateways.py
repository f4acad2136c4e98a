"""Which keys are gateways: those named in the settings, and those that the operator gave the scope `gateway`.

A gateway carries many people's sessions, each under a name of its own, and tells whose address each request is from. A
registered one is a gateway no longer once its key is revoked or its account is disabled. Must not know what a gateway
may do.
"""

from __future__ import annotations

from collections.abc import Container

from msgspec import structs

from broker.chat.effects import Origin
from broker.chat.entities import Account, Key, Session
from broker.chat.state import State
from common.scopes import GATEWAY


class Gateways(Container[str]):
    """The public keys (Z85) of gateways, as they are now."""

    def __init__(self, configured: frozenset[str], state: State) -> None:
        self._configured = configured
        self._state = state

    def __contains__(self, key: object) -> bool:
        """Whether that key is a gateway's. One look into each of two tables: for any thread."""
        if key in self._configured:
            return True
        registered = self._state.keys.get(key)  # type: ignore[call-overload]
        return registered is not None and GATEWAY in registered.scopes and not registered.account.row.disabled

    def believed(self, origin: Origin) -> Origin:
        """The origin of a request that tells a person's address: that address, if it is a gateway that tells it."""
        return structs.replace(origin, address=origin.person) if origin.key in self else origin


def is_one_only(account: Account) -> bool:
    """Whether an account is there for the sake of gateways alone: it is nobody to talk to."""
    return account.row.bot and bool(account.keys) and not any(key.logs_in for key in account.keys.values())


def carried(state: State, key: Key) -> list[Session]:
    """The sessions that hang on a registered key: its own, and a gateway's people's."""
    peer = state.peers.get(key.row.key)
    sessions = list(peer.sessions.values()) if peer else []
    return sessions if GATEWAY in key.scopes else [session for session in sessions if not session.label]
