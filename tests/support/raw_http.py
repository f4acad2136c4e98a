"""HTTP by the byte, for requests that a client's library would mend before it sends them."""

from __future__ import annotations

import json
import socket
import ssl
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPResponse
from typing import Any

from tests.support.patience import PATIENCE_S


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def cookie(self) -> str:
        """The whole of the cookie that is set; empty if there is none."""
        return self.headers.get("Set-Cookie", "")

    @property
    def secret(self) -> str:
        """The cookie as the browser sends it back: `name=value`."""
        return self.cookie.partition(";")[0]


def connect(port: int, tls: ssl.SSLContext | None = None, source: str = "127.0.0.1") -> socket.socket:
    """A connection to a port of this machine, from one of its addresses."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S, source_address=(source, 0))
    return tls.wrap_socket(plain, server_hostname="localhost") if tls else plain


def read(connection: socket.socket, method: str = "GET") -> Answer:
    """The next answer on a connection."""
    response = HTTPResponse(connection, method=method)
    response.begin()
    body = b"" if response.status == 101 else response.read()
    return Answer(response.status, response.headers, body)


def head(method: str, path: str | bytes, fields: dict[str, str] | None = None) -> bytes:
    """The head of a request; the path goes as it is."""
    written = path if isinstance(path, bytes) else path.encode("latin-1")
    lines = [method.encode() + b" " + written + b" HTTP/1.1"]
    lines += [f"{name}: {value}".encode("latin-1") for name, value in (fields or {}).items()]
    return b"\r\n".join(lines) + b"\r\n\r\n"


class Site:
    """A gateway as somebody who knows HTTP well sees it; each request has a connection of its own."""

    def __init__(self, port: int, *, tls: ssl.SSLContext | None = None, source: str = "127.0.0.1") -> None:
        self.port = port
        self.tls = tls
        self.source = source
        self.origin = f"{'https' if tls else 'http'}://localhost:{port}"
        self.fields = {"Host": f"localhost:{port}"}

    def send(self, content: bytes, method: str = "GET") -> Answer:
        """Send bytes, and read what comes back."""
        with connect(self.port, self.tls, self.source) as connection:
            connection.sendall(content)
            return read(connection, method)

    def get(self, path: str | bytes, method: str = "GET", **fields: str) -> Answer:
        """Ask for a path, as it is written."""
        return self.send(head(method, path, {**self.fields, "Connection": "close", **_dashed(fields)}), method)

    def post(self, path: str, body: object, **fields: str) -> Answer:
        """Post a body as a page does; `Origin=""` leaves that field out, as for any other."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        said = {
            **self.fields, "Origin": self.origin, "Content-Type": "application/json",
            "Content-Length": str(len(content)), "Connection": "close", **_dashed(fields),
        }  # fmt: skip
        return self.send(head("POST", path, {name: value for name, value in said.items() if value}) + content)

    def socket(self, **fields: str) -> Answer:
        """Ask for a WebSocket as a page does."""
        said = {
            **self.fields, "Origin": self.origin, "Connection": "Upgrade", "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Protocol": "tertulia.1", **_dashed(fields),
        }  # fmt: skip
        return self.send(head("GET", "/ws", {name: value for name, value in said.items() if value}))


def _dashed(fields: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in fields.items()}
