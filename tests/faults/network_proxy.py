"""A line that is slow, narrow or loses packets: TCP is carried on late, as retransmissions would make it.

`python -m tests.faults.network_proxy HOST PORT TO SEED` carries HOST:PORT and the port above it to HOST:TO and the port
above that. Each line on standard input is a JSON object with the fields of `Conditions`. Must not know what it carries.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from dataclasses import dataclass
from typing import Final

CHUNK: Final = 16_384
UNDER_WAY: Final = 64
"""Chunks that the line holds in each direction before it takes no more."""


@dataclass(frozen=True)
class Conditions:
    """How the line is."""

    delay_s: float = 0.0
    jitter_s: float = 0.0
    """Up to so much more, each time anew."""
    loss: float = 0.0
    """The share of chunks that come `again_s` later, and all behind them."""
    again_s: float = 0.0
    bytes_per_s: float = 0.0
    """0 for as many as there are."""


class Proxy:
    """The line, in both directions."""

    def __init__(self, host: str, to: int, seed: int) -> None:
        self._host, self._to = host, to
        self._random = random.Random(seed)
        self.conditions = Conditions()

    async def serve(self, port: int) -> None:
        """Take connections on both ports."""
        for above in (0, 1):

            async def joined(
                reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to: int = self._to + above
            ) -> None:
                await self._join(reader, writer, to)

            await asyncio.start_server(joined, self._host, port + above, backlog=1_024)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to: int) -> None:
        try:
            there, back = await asyncio.open_connection(self._host, to)
        except OSError:
            writer.transport.abort()
            return
        ways = {
            asyncio.create_task(each)
            for pipe in (self._carry(reader, back), self._carry(there, writer))
            for each in (pipe,)
        }
        # The end of one way is the end of the connection.
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for end in (writer, back):
            end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clock = asyncio.get_running_loop().time
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(UNDER_WAY)

        async def arrive() -> None:
            while True:
                due, data = await queue.get()
                await asyncio.sleep(max(0.0, due - clock()))
                writer.write(data)
                await writer.drain()
                if not data:
                    return

        arriving = asyncio.create_task(arrive())
        due = 0.0
        try:
            while data := await reader.read(CHUNK):
                due = max(due, clock()) if self.conditions.bytes_per_s else max(due, clock() + self._late())
                if self.conditions.bytes_per_s:
                    due += len(data) / self.conditions.bytes_per_s
                await queue.put((due, data))
        except OSError:
            pass
        finally:
            arriving.cancel()

    def _late(self) -> float:
        now = self.conditions
        lost = self._random.random() < now.loss
        return now.delay_s + self._random.uniform(0, now.jitter_s) + (now.again_s if lost else 0.0)


async def main(host: str, port: int, to: int, seed: int) -> None:
    """Serve until standard input ends."""
    proxy = Proxy(host, to, seed)
    await proxy.serve(port)
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    print("ready", flush=True)
    while line := await orders.readline():
        proxy.conditions = Conditions(**json.loads(line))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
