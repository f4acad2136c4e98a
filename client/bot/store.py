"""What a bot remembers over restarts: a few keys on the broker, each with a value that JSON can hold.

The broker bounds it (`STORE_KEYS`, `STORE_BYTES`, `STORE_VALUE_BYTES`) and says so with `TooMany`. Must not know what
is kept.
"""

from __future__ import annotations

import json
from typing import Any

from client.link.requests import Request
from common import limits
from common import messages as m
from common.errors import TooMany


class Store:
    """A bot's keys on the broker; all of its processes and rooms share them."""

    waits = True
    """Whether a thread is given a stand-in whose methods block."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def get(self, key: str, default: Any = None) -> Any:
        """What was put under `key`, or `default`."""
        found = await self._request(m.StoreGet(key=key))
        return default if found.value is None else json.loads(found.value)

    async def put(self, key: str, value: Any) -> None:
        """Keep a value that JSON can hold. Raises `TypeError` if it cannot, `TooMany` where the quota ends."""
        written = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        if len(written) > limits.STORE_VALUE_BYTES:
            most = limits.STORE_VALUE_BYTES
            raise TooMany(f"The value under {key!r} has {len(written)} bytes; at most {most} go under one key.")
        await self._request(m.StorePut(key=key, value=written))

    async def delete(self, key: str) -> None:
        """Forget a key; one that is not there is forgotten already."""
        await self._request(m.StorePut(key=key, value=None))

    async def keys(self, prefix: str = "") -> list[str]:
        """The keys that begin with `prefix`, in order."""
        found: list[str] = []
        while True:
            page = await self._request(m.StoreList(prefix=prefix, after=found[-1] if found else ""))
            found += page.keys
            if not page.more or not page.keys:
                return found
