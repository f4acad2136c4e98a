"""A push service on this machine, with TLS, and browsers that subscribe there and read what comes for them.

What arrives is what a real service would see; a browser decrypts it with its own key (RFC 8291).
"""

from __future__ import annotations

import asyncio
import base64
import datetime
import json
import os
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import http_ece
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from multidict import CIMultiDictProxy

HOST = "push.example.net"


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Browser:
    """One browser's subscription, with the secrets that only it has."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.endpoint = f"https://{HOST}/{name}"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = os.urandom(16)

    @property
    def subscription(self) -> dict[str, Any]:
        """As `PushSubscription.toJSON`."""
        form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        point = self._key.public_key().public_bytes(*form)
        keys = {"p256dh": text(point), "auth": text(self._auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def read(self, body: bytes) -> dict[str, Any]:
        """What was encrypted for it."""
        content = http_ece.decrypt(body, private_key=self._key, auth_secret=self._auth, version="aes128gcm")
        found: dict[str, Any] = json.loads(content)
        return found


class Arrived(NamedTuple):
    """One request."""

    path: str
    headers: CIMultiDictProxy[str]
    body: bytes


class Service(AbstractResolver):
    """The service: what has come, and what it answers; as a resolver, it says of every name that it is there."""

    def __init__(self, certificate: Path) -> None:
        self.arrived: asyncio.Queue[Arrived] = asyncio.Queue()
        self.answers: deque[web.Response] = deque()
        """What it answers next; 201 once these are used up."""
        self.port = 0
        self._certificate = certificate

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=self.port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        """As a resolver, it has nothing to close."""

    def connector(self) -> aiohttp.BaseConnector:
        """Leads here whatever the name, and trusts the certificate."""
        return aiohttp.TCPConnector(resolver=self, ssl=ssl.create_default_context(cafile=self._certificate))

    async def take(self, request: web.Request) -> web.Response:
        self.arrived.put_nowait(Arrived(request.path, request.headers, await request.read()))
        return self.answers.popleft() if self.answers else web.Response(status=201)

    def nothing_came(self) -> bool:
        return self.arrived.empty()


def certificate(directory: Path) -> Path:
    """A certificate for the service's name, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM
    secret = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = directory / "service.pem"
    file.write_bytes(secret + made.public_bytes(form))
    return file


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[Service]:
    """The service, within the context."""
    file = certificate(directory)
    service = Service(file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    app = web.Application()

    async def take(request: web.Request) -> web.Response:
        return await service.take(request)

    app.router.add_route("*", "/{name:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        service.port = runner.addresses[0][1]
        yield service
    finally:
        await runner.cleanup()
