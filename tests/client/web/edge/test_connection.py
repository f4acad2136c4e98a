"""Connections: how many one address may have, and how long one may dawdle. In this process, with short times."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from client.web.edge import bounds
from client.web.edge.allowances import Places
from client.web.edge.connection import Connection, server_log
from client.web.edge.proxies import Proxies, network

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@asynccontextmanager
async def listening(
    places: Places, *, proxies: Proxies | None = None, answer: Callable[[], Awaitable[web.Response]] | None = None
) -> AsyncIterator[int]:
    """A server of such connections; its port."""

    async def handle(request: web.Request) -> web.Response:
        connection = request.protocol
        assert isinstance(connection, Connection)
        connection.busy()
        try:
            return await answer() if answer else web.Response(text="ok")
        finally:
            connection.idle()

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    handlers = runner.server
    assert handlers is not None
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(handlers, server_log(), places, proxies or Proxies()), "127.0.0.1", 0
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await runner.cleanup()


async def until_taken(places: Places, number: int = 0) -> None:
    """Wait until no more places than that are taken."""
    async with asyncio.timeout(60):
        while places.taken > number:  # noqa: ASYNC110 - a table has no event
            await asyncio.sleep(0.01)


async def test_a_head_that_comes_byte_by_byte_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "HEAD_S", 0.3)
    places = Places(10, 10)
    async with listening(places) as port, asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nX: ")
        with pytest.raises(ConnectionError):
            while not reader.at_eof():
                writer.write(b"a")
                await writer.drain()
                await asyncio.sleep(0.02)
            raise ConnectionError
        await until_taken(places)


async def test_a_connection_that_says_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "HEAD_S", 0.1)
    async with listening(Places(10, 10)) as port, asyncio.timeout(60):
        reader, _writer = await asyncio.open_connection("127.0.0.1", port)
        with pytest.raises(ConnectionError):
            if await reader.read() == b"":
                raise ConnectionError


async def test_who_was_answered_has_time_for_the_next_request_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "HEAD_S", 60.0)
    monkeypatch.setattr(bounds, "IDLE_S", 0.3)
    async with listening(Places(10, 10)) as port, asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(REQUEST)
            assert b"200 OK" in await reader.readuntil(b"\r\n\r\nok")
        writer.write(REQUEST[:-2])  # the beginning of one more
        with pytest.raises(ConnectionError):
            if await reader.read() == b"":
                raise ConnectionError


async def test_who_does_not_read_an_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "IDLE_S", 0.3)
    places = Places(10, 10)

    async def long() -> web.Response:
        return web.Response(body=b"x" * 50_000_000)

    async with listening(places, answer=long) as port:
        _reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_024)
        writer.write(REQUEST)
        await until_taken(places)
        writer.close()


async def test_what_takes_long_here_is_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "HEAD_S", 0.2)
    monkeypatch.setattr(bounds, "IDLE_S", 0.2)
    done = asyncio.Event()

    async def slow() -> web.Response:
        await done.wait()
        return web.Response(text="ok")

    async with listening(Places(10, 10), answer=slow) as port, asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        for _ in range(3):  # others come and are cut off meanwhile, one after the other
            other, _writer = await asyncio.open_connection("127.0.0.1", port)
            with pytest.raises(ConnectionError):
                if await other.read() == b"":
                    raise ConnectionError
        done.set()
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\nok")


async def test_an_address_has_so_many_connections_and_no_more() -> None:
    places = Places(2, 10)
    async with listening(places) as port, asyncio.timeout(60):
        kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for _reader, writer in kept:
            writer.write(REQUEST)
            await _reader.readuntil(b"\r\n\r\nok")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        with pytest.raises(ConnectionError):
            if await reader.read() == b"":
                raise ConnectionError
        kept[0][1].close()
        await until_taken(places, 1)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\nok")


async def test_a_trusted_proxy_has_all_there_are() -> None:
    places = Places(1, 3)
    async with listening(places, proxies=Proxies([network("127.0.0.1")])) as port, asyncio.timeout(60):
        kept = []
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            kept.append(writer)
            writer.write(REQUEST)
            await reader.readuntil(b"\r\n\r\nok")
        assert places.taken == 3
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with pytest.raises(ConnectionError):
            if await reader.read() == b"":
                raise ConnectionError
