"""A small real web site on loopback, for the tests of feeds: pages with ETag and Last-Modified, and their 304s.

Must not know who asks.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass
class Page:
    """What is served under a path."""

    body: bytes
    etag: str = ""
    modified: str = ""
    status: int = 200
    location: str = ""


class Site:
    """Serves `pages` from `with` on; `answers` are the status codes that it gave."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.answers: list[int] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = site.pages.get(self.path, Page(b"", status=404))
                known = self.headers.get("If-None-Match"), self.headers.get("If-Modified-Since")
                same = (page.etag and page.etag == known[0]) or (page.modified and page.modified == known[1])
                status = 304 if page.status == 200 and same else page.status
                site.answers.append(status)
                self.send_response(status)
                for name, value in (("ETag", page.etag), ("Last-Modified", page.modified), ("Location", page.location)):
                    if value:
                        self.send_header(name, value)
                self.send_header("Content-Type", "application/xml")
                body = b"" if status == 304 else page.body
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass  # whoever asked has read enough

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def url(self, path: str) -> str:
        """The address of a page."""
        return f"http://127.0.0.1:{self.port}{path}"

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def rss(title: str, number: int, last: int = 50) -> bytes:
    """A feed of entries 1 to `number`, newest first, of which it has the `last` ones."""
    items = "".join(
        f"<item><guid>urn:{n}</guid><title>Entry {n}</title><link>https://example.test/{n}</link></item>"
        for n in range(number, max(0, number - last), -1)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>{title}</title>{items}</channel></rss>'.encode()
