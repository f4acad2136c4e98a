"""The files that the browser runs: read and packed once, known by their hashes, and served from a table of known paths.

What is not in the table is not there, however its path is written. The service worker is filled in with the list of
all and with one hash over all. Scripts go out without their comments and their indentation, which on a slow phone would
be a third of the way to the first message. Must not know what is in the files.

Sources: RFC 9110, sections 8.8.3 (ETag), 12.5.3 (Accept-Encoding), 13.1.2 (If-None-Match).
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import rjsmin  # type: ignore[import-untyped]
from aiohttp import web

BROWSER: Final = Path(__file__).parent.parent / "browser"
"""Where the files are."""

TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
    ".json": "application/json",
}
_PACKED_ALREADY: Final = frozenset({".png"})
_AT_TOP: Final = {"index.html": "/", "sw.js": "/sw.js", "manifest.webmanifest": "/manifest.webmanifest"}
_WORKER: Final = "/sw.js"
_TO_FILL: Final = ('const VERSION = "{{version}}";', "const FILES = [];")
"""What of the service worker is filled in."""


class BadPages(Exception):
    """The files are not as they have to be."""


@dataclass(frozen=True)
class Page:
    """One file, ready to be sent."""

    kind: str
    body: bytes
    packed: bytes | None
    """The same by gzip, if that is less."""
    tag: str

    def answer(self, request: web.Request) -> web.Response:
        """The answer to a request for it; nothing but 304 to who has it."""
        packs = self.packed is not None and _takes_gzip(request.headers.get("Accept-Encoding", ""))
        tag = f'"{self.tag}-gz"' if packs else f'"{self.tag}"'
        headers = {"Cache-Control": "no-cache", "ETag": tag}
        if self.packed is not None:
            headers["Vary"] = "Accept-Encoding"
        if _has(request.headers.getall("If-None-Match", []), tag):
            return web.Response(status=304, headers=headers)
        if packs:
            headers["Content-Encoding"] = "gzip"
        headers["Content-Type"] = self.kind
        return web.Response(body=self.packed if packs else self.body, headers=headers)


class Pages:
    """The table of what is served.

    With `fresh`, for whoever works on the files, they go out as they are written, and anew when one changes.
    """

    def __init__(self, extra: Mapping[str, bytes], directory: Path = BROWSER, *, fresh: bool = False) -> None:
        """`extra` is what is served besides the files, JSON by its path. Raises `BadPages`."""
        self._extra = dict(extra)
        self._directory = directory
        self._fresh = fresh
        self._seen = self._stamps()
        self._table = self._read()

    def find(self, path: str) -> Page | None:
        """What is served under a path, as the request has it before anything is decoded."""
        if self._fresh and (stamps := self._stamps()) != self._seen:
            self._table, self._seen = self._read(), stamps
        return self._table.get(path)

    def paths(self) -> list[str]:
        """Every path that is served, in order."""
        return sorted(self._table)

    def _stamps(self) -> list[tuple[str, int, int]]:
        if not self._fresh:
            return []
        stats = [(file, file.stat()) for file in self._directory.rglob("*") if file.is_file()]
        return sorted((str(file), stat.st_mtime_ns, stat.st_size) for file, stat in stats)

    def _read(self) -> dict[str, Page]:
        files: dict[str, tuple[str, bytes]] = {}
        for file in sorted(self._directory.rglob("*")):
            name = file.relative_to(self._directory).as_posix()
            if file.is_file() and file.suffix in TYPES and not any(part.startswith(".") for part in name.split("/")):
                files[_AT_TOP.get(name, f"/app/{name}")] = file.suffix, file.read_bytes()
        for path, body in self._extra.items():
            files[path] = ".json", body
        if _WORKER in files:
            suffix, worker = files.pop(_WORKER)
            files[_WORKER] = suffix, _filled(worker, files)
        return {path: _page(suffix, self._shortened(suffix, body)) for path, (suffix, body) in files.items()}

    def _shortened(self, suffix: str, body: bytes) -> bytes:
        return rjsmin.jsmin(body) if suffix == ".js" and not self._fresh else body


def _filled(worker: bytes, files: Mapping[str, tuple[str, bytes]]) -> bytes:
    """The service worker with the list of all files and the hash over them and itself in its line for them."""
    digest = hashlib.sha256(worker)
    for path in sorted(files):
        digest.update(f"\n{path} {len(files[path][1])}\n".encode() + files[path][1])
    text, listed = worker.decode(), json.dumps(sorted(path for path in files if _in_shell(path)))
    filled = (f'const VERSION = "{digest.hexdigest()[:16]}";', f"const FILES = {listed};")
    for line, full in zip(_TO_FILL, filled, strict=True):
        if text.count(line) != 1:
            raise BadPages(f"sw.js: this has to be there, once: {line}")
        text = text.replace(line, full)
    return text.encode()


def _in_shell(path: str) -> bool:
    """Whether the service worker is told of it: of all but the start, which it knows, and of the facts, of which it
    keeps those in the language that is spoken."""
    return path != "/" and not path.startswith("/facts/")


def _page(suffix: str, body: bytes) -> Page:
    packed = None if suffix in _PACKED_ALREADY else gzip.compress(body, 9, mtime=0)
    if packed is not None and len(packed) >= len(body):
        packed = None
    return Page(TYPES[suffix], body, packed, hashlib.sha256(body).hexdigest()[:32])


def _takes_gzip(said: str) -> bool:
    for coding in said.split(","):
        name, _, weight = coding.partition(";")
        if name.strip().casefold() in ("gzip", "*"):
            return weight.replace(" ", "").casefold() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _has(said: list[str], tag: str) -> bool:
    """Whether whoever asks has it, also if a proxy on the way has made the tag a weak one."""
    tags = {part.strip().removeprefix("W/") for line in said for part in line.split(",")}
    return tag in tags or "*" in tags
