"""Which addresses a hook may lead to, and that whatever stands in a URL or in a name server leads nowhere else."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from client.web.public import is_public
from client.web.webhooks.hooks import Outgoing
from client.web.webhooks.payloads import Event
from client.web.webhooks.sending import Sender

EVENT = Event("message", b"{}", 0, "x", 1)


@pytest.mark.parametrize(
    "address",
    """127.0.0.1 127.255.255.254 0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 169.254.169.254 172.16.0.1 172.31.255.255
    192.168.1.1 192.0.0.8 192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.1.1.1 240.0.0.1
    255.255.255.255
    :: ::1 fe80::1 fe80::1%eth0 fec0::1 fc00::1 fd12:3456::1 ff02::1 ff0e::1 100::1 2001:db8::1 3fff::1 5f00::1
    ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:a9fe:a9fe ::127.0.0.1 ::ffff:0:127.0.0.1
    64:ff9b::127.0.0.1 64:ff9b::a00:1 64:ff9b:1::808:808 2002:7f00:1:: 2002:a00:1::1 2001:0:808:808::1
    no.address 1.2.3 """.split(),
)
def test_what_is_not_of_the_public_internet_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    """1.1.1.1 8.8.8.8 172.15.0.1 172.32.0.1 100.63.255.255 100.128.0.1 192.0.1.1 223.255.255.255
    2606:4700::1111 2a00:1450::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1""".split(),
)
def test_the_public_internet_is_not(address: str) -> None:
    assert is_public(address)


@pytest.fixture
async def reached() -> AsyncIterator[tuple[int, list[str]]]:
    """A server on this machine, on all its addresses: its port, and who has come."""
    came: list[str] = []

    async def take(request: web.Request) -> web.Response:
        came.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", take)
    async with TestServer(app, host="127.0.0.1") as server:
        assert server.port is not None
        yield server.port, came


def hook(url: str, private: bool = False) -> Outgoing:
    return Outgoing(
        id="0" * 16, name="x", room="lobby", url=url, events=("message",), secret="s", private=private, plain=True
    )


@pytest.mark.parametrize(
    "host",
    "127.0.0.1 localhost [::1] [::ffff:127.0.0.1] 2130706433 0x7f.1 127.1 0177.0.0.1 0 0.0.0.0".split(),
)
async def test_this_machine_is_not_reached_however_it_is_written(host: str, reached: tuple[int, list[str]]) -> None:
    port, came = reached
    sender = Sender()
    outcome = await sender.post(hook(f"http://{host}:{port}/x"), EVENT, 0)
    await sender.close()
    assert not outcome.delivered
    assert came == []
    assert outcome.cause in ("address-not-public", "name-not-found", "InvalidUrlClientError")


async def test_what_a_name_leads_to_counts_each_time(
    reached: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, came = reached
    real: Callable[..., object] = socket.getaddrinfo

    def lying(host: object, *rest: object, **more: object) -> object:
        return real("127.0.0.1" if host == "rebinds.example" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", lying)
    sender = Sender()
    url = f"http://rebinds.example:{port}/x"
    assert (await sender.post(hook(url), EVENT, 0)).cause == "address-not-public"
    assert came == []
    # The same name is reached by a hook that may, which shows that the name led there.
    assert (await sender.post(hook(url, private=True), EVENT, 0)).cause == "302"
    assert came == ["/x"], "a redirect is not followed"
    assert (await sender.post(hook(url), EVENT, 0)).cause == "address-not-public", "nor is a connection shared"
    await sender.close()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")
async def test_whoever_proves_no_known_certificate_is_told_nothing(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate", tmp_path / "key"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    made = [*command.split(), "-keyout", str(key), "-out", str(certificate)]
    await asyncio.to_thread(subprocess.run, made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    came: list[str] = []

    async def take(request: web.Request) -> web.Response:
        came.append(request.path)
        return web.Response()

    app = web.Application()
    app.router.add_post("/x", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    sender = Sender()
    try:
        port = runner.addresses[0][1]
        outcome = await sender.post(hook(f"https://localhost:{port}/x", private=True), EVENT, 0)
        assert (outcome.delivered, outcome.cause) == (False, "certificate")
        assert came == []
    finally:
        await sender.close()
        await runner.cleanup()


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nhalf", b"HTTP/1.1 500\r\n\r\n"])
async def test_whatever_a_server_answers_is_an_outcome(answer: bytes) -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(reply, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sender = Sender()
    try:
        outcome = await sender.post(hook(f"http://127.0.0.1:{port}/", private=True), EVENT, 0)
        assert not outcome.delivered
        assert outcome.cause
    finally:
        await sender.close()
        server.close()
