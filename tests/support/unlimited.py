"""Settings without limits on rates, for tests whose clients do what no person could."""

from __future__ import annotations

from broker.chat.settings import ChatSettings
from broker.wire.bounds import Bounds
from common.limits import Rate

NO_LIMIT = Rate(0, 0)
CHAT = ChatSettings(posts=NO_LIMIT, requests=NO_LIMIT, stranger_requests=NO_LIMIT, registrations=NO_LIMIT)
NETWORK = Bounds(handshakes=NO_LIMIT, member_bytes=NO_LIMIT, address_bytes=NO_LIMIT, flood_requests=0)
TOML = """
[chat]
posts = [0, 0]
requests = [0, 0]
stranger_requests = [0, 0]
registrations = [0, 0]

[network]
handshakes = [0, 0]
member_bytes = [0, 0]
address_bytes = [0, 0]
flood_requests = 0
strangers = 10000
strangers_per_address = 10000
"""
"""The same in a file, for brokers in a process of their own."""
