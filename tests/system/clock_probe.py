"""Run as a program: logs in, then answers each line on stdin with the broker's time by this client, in ms.

The first line that it prints is what this machine's own clock shows.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

from client import ChatClient


async def main() -> None:
    environment = os.environ
    async with ChatClient(
        environment["TERTULIA_ADDRESS"], environment["TERTULIA_LOGIN"], environment["TERTULIA_PASSWORD"]
    ) as chat:
        print(time.time_ns() // 1_000_000, flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(chat.clock.now(), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
