"""The table of files: what is in it, what is filled in, and what is not sent twice."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from client.web.edge.pages import BROWSER, TYPES, BadPages, Page, Pages

NODE = shutil.which("node")
WORKER = 'const VERSION = "{{version}}"; // a hash\nconst FILES = []; // {{files}}\n'


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A small shell."""
    for name, text in {
        "index.html": "<!doctype html>" + " " * 500,
        "sw.js": WORKER,
        "manifest.webmanifest": "{}",
        "core/chat.js": "export {};",
        "icons/192.png": "\x89PNG",
        ".hidden.js": "secret",
        ".git/config.js": "secret",
        "a.md": "not served",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="latin-1")
    return tmp_path


def answer(page: Page | None, **fields: str) -> web.Response:
    assert page is not None
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    return page.answer(make_mocked_request("GET", "/", headers=headers))


def version(pages: Pages) -> str:
    worker = pages.find("/sw.js")
    assert worker is not None
    found = re.search(rb'const VERSION ?= ?"([0-9a-f]{16})";', worker.body)
    assert found
    return found[1].decode()


def test_what_is_served_is_a_table_of_known_types(files: Path) -> None:
    pages = Pages({"/facts/es.json": b"{}"}, files)
    assert pages.paths() == [
        "/", "/app/core/chat.js", "/app/icons/192.png", "/facts/es.json", "/manifest.webmanifest", "/sw.js",
    ]  # fmt: skip
    assert {path: answer(pages.find(path)).headers["Content-Type"] for path in pages.paths()} == {
        "/": "text/html; charset=utf-8",
        "/app/core/chat.js": "text/javascript; charset=utf-8",
        "/app/icons/192.png": "image/png",
        "/facts/es.json": "application/json",
        "/manifest.webmanifest": "application/manifest+json",
        "/sw.js": "text/javascript; charset=utf-8",
    }
    for path in (
        "",
        "/app",
        "/app/",
        "/app/sw.js",
        "/app/index.html",
        "/index.html",
        "/app/.hidden.js",
        "/app/notes.md",
    ):
        assert pages.find(path) is None


def test_every_file_of_the_app_has_a_type_that_is_known() -> None:
    assert [file for file in BROWSER.rglob("*") if file.is_file() and file.suffix not in TYPES] == []


def test_the_service_worker_is_told_all_files_and_one_hash_over_them(files: Path) -> None:
    pages = Pages({"/facts/es.json": b"{}"}, files)
    worker = pages.find("/sw.js")
    assert worker is not None
    listed = re.search(rb"const FILES=(\[[^\]]*\]);", worker.body)
    assert listed
    assert json.loads(listed[1]) == ["/app/core/chat.js", "/app/icons/192.png", "/manifest.webmanifest"]
    first = version(pages)
    assert version(Pages({"/facts/es.json": b"{}"}, files)) == first
    versions = {first, version(Pages({"/facts/es.json": b"{1}"}, files)), version(Pages({}, files))}
    (files / "core" / "chat.js").write_text("export {a};")
    versions.add(version(Pages({"/facts/es.json": b"{}"}, files)))
    (files / "sw.js").write_text(WORKER + "//")
    versions.add(version(Pages({"/facts/es.json": b"{}"}, files)))
    assert len(versions) == 5


@pytest.mark.parametrize("text", ["", "const FILES = [];", 'const VERSION = "{{version}}";', WORKER * 2])
def test_a_service_worker_that_cannot_be_filled_in_stops_the_start(files: Path, text: str) -> None:
    (files / "sw.js").write_text(text)
    with pytest.raises(BadPages, match=r"sw\.js: this has to be there, once: const (VERSION|FILES)"):
        Pages({}, files)


def test_a_file_goes_packed_to_who_takes_that_and_is_known_by_another_tag(files: Path) -> None:
    page = Pages({}, files).find("/")
    plain, packed = answer(page), answer(page, Accept_Encoding="br, GZIP;q=0.5")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert isinstance(packed.body, bytes)
    assert gzip.decompress(packed.body) == plain.body == (files / "index.html").read_bytes()
    assert plain.headers["ETag"] != packed.headers["ETag"]
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in answer(page, Accept_Encoding="gzip;q=0, br").headers
    assert "Content-Encoding" not in answer(page, Accept_Encoding="identity").headers


def test_pictures_and_what_would_grow_are_not_packed(files: Path) -> None:
    pages = Pages({}, files)
    for path in ("/app/icons/192.png", "/manifest.webmanifest"):
        found = answer(pages.find(path), Accept_Encoding="gzip")
        assert ("Content-Encoding" in found.headers, "Vary" in found.headers) == (False, False)


def test_who_has_it_gets_nothing_else(files: Path) -> None:
    page = Pages({}, files).find("/")
    tag = answer(page).headers["ETag"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
    for said in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        found = answer(page, If_None_Match=said)
        assert (found.status, found.body, found.headers["ETag"]) == (304, None, tag)
    for said in ('"x"', tag.strip('"'), answer(page, Accept_Encoding="gzip").headers["ETag"]):
        assert answer(page, If_None_Match=said).status == 200


def test_whoever_works_on_the_files_sees_what_they_change_and_nobody_else_does(files: Path) -> None:
    fresh, fixed = Pages({}, files, fresh=True), Pages({}, files)
    before = version(fresh)
    (files / "core" / "chat.js").write_text("changed();")
    os.utime(files / "core" / "chat.js", ns=(1, 1))
    (files / "core" / "new.js").write_text("")
    assert answer(fresh.find("/app/core/chat.js")).body == b"changed();"
    assert fresh.find("/app/core/new.js") is not None
    assert version(fresh) != before == version(fixed)
    assert answer(fixed.find("/app/core/chat.js")).body == b"export{};"
    assert fixed.find("/app/core/new.js") is None


def test_scripts_go_out_without_comments_unless_they_are_being_worked_on(files: Path) -> None:
    (files / "core" / "chat.js").write_text("/** The chat. */\nexport const a = `x  ${1 + 1}`; // of two\n")
    assert answer(Pages({}, files).find("/app/core/chat.js")).body == b"export const a=`x  ${1 + 1}`;"
    assert b"The chat." in answer(Pages({}, files, fresh=True).find("/app/core/chat.js")).body  # type: ignore[operator]


PARSED = """
import { readFileSync } from "node:fs";
import { SourceTextModule } from "node:vm";
for (const file of process.argv.slice(1)) new SourceTextModule(readFileSync(file, "utf8"), { identifier: file });
"""


def test_every_script_is_still_one_when_it_goes_out(tmp_path: Path) -> None:
    if NODE is None:
        pytest.skip("node is not installed")
    pages = Pages({})
    scripts = [tmp_path / path.replace("/", "_") for path in pages.paths() if path.endswith(".js")]
    for path in pages.paths():
        page = pages.find(path)
        assert page is not None
        (tmp_path / path.replace("/", "_")).write_bytes(page.body)
    command = [NODE, "--experimental-vm-modules", "--input-type=module", "-e", PARSED]
    parsed = subprocess.run([*command, *map(str, scripts)], capture_output=True, text=True)
    assert parsed.returncode == 0, parsed.stderr
    assert scripts


def test_the_whole_app_is_less_than_100_kb_on_its_way() -> None:
    pages = Pages({})
    found = [pages.find(path) for path in pages.paths()]
    assert sum(len(page.packed or page.body) for page in found if page) < 100_000
