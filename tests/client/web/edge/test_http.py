"""What the gateway answers to browsers, and to those who are none, over real connections, byte by byte."""

from __future__ import annotations

import gzip
import json
import random
import re
import socket
from contextlib import suppress

import pytest

from client.web.edge import bounds
from tests.support.gateway import Served
from tests.support.raw_http import Site, connect, head, read

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Server": "tertulia",
}


def test_the_shell_is_served_and_not_sent_twice(site: Site) -> None:
    first = site.get("/")
    assert (first.status, first.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"<!doctype html>" in first.body.lower()
    assert first.headers["Cache-Control"] == "no-cache"
    again = site.get("/", If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    packed = site.get("/", Accept_Encoding="gzip")
    assert gzip.decompress(packed.body) == first.body
    assert site.get("/?talk=lobby").body == first.body


def test_head_tells_what_get_would_and_sends_nothing(site: Site) -> None:
    asked = site.get("/", method="HEAD")
    assert (asked.status, asked.body) == (200, b"")
    assert asked.headers["Content-Length"] == str(len(site.get("/").body))


def test_the_service_worker_names_files_that_are_there(site: Site) -> None:
    worker = site.get("/sw.js").body.decode()
    found = re.search(r"\bconst FILES ?= ?(\[.*?\]);", worker)
    assert found
    files = json.loads(found[1])
    assert "/manifest.webmanifest" in files
    assert {site.get(path).status for path in files} == {200}
    assert '"{{version}}"' not in worker


def test_facts_come_in_each_language(site: Site) -> None:
    assert [site.get(f"/facts/{lang}.json").json()["lang"] for lang in ("en", "es")] == ["en", "es"]
    assert site.get("/facts/xx.json").status == 404
    assert site.get("/facts/emoji.json").json()["smile"] == "😄"


@pytest.mark.parametrize(
    "path",
    [
        "/app/../app.py",
        "/app/..%2fapp.py",
        "/app/%2e%2e/app.py",
        "/app/%252e%252e/app.py",
        "/app/..\\app.py",
        "/app/..%5capp.py",
        "/app//etc/passwd",
        "/app/%2fetc%2fpasswd",
        "//etc/passwd",
        "/../../../../../../../../etc/passwd",
        "/app/sw.js%00.png",
        "/app/view/dom.js%00",
        "/app/view/./dom.js",
        "/app/view/dom%2ejs",
        "/app/view/dom.js/",
        "/app/view/DOM.js",
        "/app/",
        "/app/view",
        "/app/__init__.py",
        "/app/view/dom.js;x",
        "/static/app.py",
        "/.git/config",
        "/index.html/..",
        "/%",
        "/%zz",
        "/%ff%fe",
        "/app/" + "a" * 3_000,
    ],
)
def test_no_path_leads_out_of_the_table(site: Site, path: str) -> None:
    answer = site.get(path)
    assert (answer.status, b"aiohttp" in answer.body, b"root:" in answer.body) == (404, False, False)


@pytest.mark.parametrize(
    "path", [b"/app/\x00sw.js", b"/app/\xff", b"http://localhost/../etc/passwd", b"app/view/dom.js", b"", b"*", b"/a b"]
)
def test_what_is_no_path_gets_no_file(site: Site, path: bytes) -> None:
    assert site.get(path).status in (400, 404)


def test_a_whole_url_in_the_first_line_is_the_same_path(site: Site) -> None:
    assert site.get(f"http://localhost:{site.port}/sw.js").body == site.get("/sw.js").body


def test_every_answer_has_the_headers_that_keep_other_sites_out(site: Site) -> None:
    tag = site.get("/").headers["ETag"]
    answers = {
        "200": site.get("/"),
        "304": site.get("/", If_None_Match=tag),
        "404": site.get("/nothing"),
        "405": site.get("/", method="DELETE"),
        "405 api": site.get("/api/login"),
        "400": site.send(b"NONSENSE\r\n\r\n"),
        "400 head": site.send(head("GET", "/", {"Host": "x", "Bad Name": "y"})),
        "400 long": site.get("/" + "a" * 2 * bounds.LINE_BYTES),
        "403": site.post("/api/login", {}, Origin="https://evil.example"),
        "415": site.post("/api/login", b"x", Content_Type="text/plain"),
        "400 form": site.post("/api/login", {}),
        "404 hook": site.post("/hook/x", {}),
        "403 ws": site.socket(Origin="https://evil.example"),
        "200 health": site.get("/healthz"),
        "200 server": site.get("/api/server"),
    }
    for name, answer in answers.items():
        assert answer.status == int(name.split()[0]), name
        assert {field: answer.headers[field] for field in EVERYWHERE} == EVERYWHERE, name
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; "), name
        assert ("unsafe" in policy, "frame-ancestors 'none'" in policy) == (False, True), name
        assert "Strict-Transport-Security" not in answer.headers, name
        assert answer.headers["Cache-Control"] == ("no-cache" if name in ("200", "304") else "no-store"), name


def test_who_is_not_logged_in_is_told_whose_server_it_is_and_nothing_else(site: Site) -> None:
    assert json.loads(site.get("/api/server").body) == {"ok": True, "server": "Tertulia", "registration": "open"}


def test_the_first_line_and_the_head_are_bounded(site: Site) -> None:
    assert site.get("/", X_Long="a" * 2 * bounds.FIELD_BYTES).status == 400
    assert site.send(head("GET", "/", {f"X-{n}": "a" for n in range(2 * bounds.FIELDS)})).status == 400
    assert site.get("/", X_Long="a" * (bounds.FIELD_BYTES // 2)).status == 200


def test_two_ways_to_tell_a_bodys_length_are_refused(site: Site) -> None:
    fields = {"Host": "x", "Origin": site.origin, "Content-Type": "application/json"}
    both = head("POST", "/api/login", {**fields, "Content-Length": "4", "Transfer-Encoding": "chunked"})
    assert site.send(both + b"0\r\n\r\n").status == 400
    twice = both.replace(b"Transfer-Encoding: chunked", b"Content-Length: 5")
    assert site.send(twice + b"abcd").status == 400


def test_forms_are_bounded_however_their_length_is_told(site: Site) -> None:
    most = b'{"login":"' + b"a" * bounds.FORM_BYTES + b'"}'
    assert site.post("/api/login", most).status == 413
    fields = {**site.fields, "Origin": site.origin, "Content-Type": "application/json", "Connection": "close"}
    chunked = head("POST", "/api/login", {**fields, "Transfer-Encoding": "chunked"})
    assert site.send(chunked + b"%x\r\n%s\r\n0\r\n\r\n" % (len(most), most)).status == 413


def test_a_bomb_is_not_unpacked(site: Site) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    assert site.post("/api/login", bomb, Content_Encoding="gzip").status == 415


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "malformed"),
        (b"[]", "Expected `object`"),
        (b"{", "malformed"),
        (b'{"login": "ana"}', "password"),
        (b'{"login": 1, "password": "x"}', "$.login"),
        (b'{"login": "ana", "password": "\xff"}', "malformed"),
        (b'{"login": "", "password": "x"}', "$.login"),
        (b'{"login": "ana", "password": "' + b"x" * 300 + b'"}', "$.password"),
        (b'{"login": "ana", "password": null}', "$.password"),
        (b"[" * 8_000, "malformed"),
    ],
)
def test_what_is_no_form_is_refused_with_what_is_wrong(site: Site, body: bytes, said: str) -> None:
    answer = site.post("/api/login", body)
    assert answer.status == 400
    error = answer.json()["error"]
    assert error["code"] == "bad-request"
    assert said in error["message"]
    assert answer.cookie == ""


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"]
)
def test_what_a_form_of_another_site_could_send_is_refused(site: Site, kind: str) -> None:
    assert site.post("/api/login", {"login": "ana", "password": "x"}, Content_Type=kind).status == 415


@pytest.mark.parametrize("path", ["/api/login", "/api/register", "/api/logout"])
@pytest.mark.parametrize(
    "fields",
    [
        {"Origin": ""},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Host": "evil.example"},
    ],
)
def test_no_other_sites_page_logs_anybody_in_or_out(site: Site, path: str, fields: dict[str, str]) -> None:
    answer = site.post(path, {}, **fields)
    assert (answer.status, answer.json()["error"]["code"], answer.cookie) == (403, "forbidden", "")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_other_sites_page_is_told_whose_server_it_is(site: Site, method: str) -> None:
    for fields in (
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost"},
        {"Sec_Fetch_Site": "cross-site"},
    ):  # fmt: skip
        assert site.get("/api/server", method, **fields).status == 403, fields
    for fields in ({"Sec_Fetch_Site": "same-origin"}, {"Origin": site.origin}):
        assert site.get("/api/server", method, **fields).status == 200, fields


@pytest.mark.parametrize(
    "origin", ["", "null", "https://evil.example", "http://localhost", "http://localhost:1", "http://127.0.0.1"]
)
def test_no_other_sites_page_opens_a_socket(site: Site, origin: str) -> None:
    assert site.socket(Origin=origin).status == 403


def test_a_faulty_request_leaves_nothing_of_itself_in_the_answer_or_the_log(site: Site, served: Served) -> None:
    mark = "dont-repeat-this"
    for content in (
        f"GET /{mark} HTTP/9.9\r\n\r\n".encode(),
        f"{mark} {mark}\r\n\r\n".encode(),
        head("GET", "/", {"Host": "x", f"{mark} x": "y"}),
        head("POST", "/api/login", {"Host": "x", "Content-Length": mark}),
    ):
        answer = site.send(content)
        assert (answer.status, mark.encode() in answer.body) == (400, False)
    assert mark not in served.program.words()


def test_one_connection_serves_many_requests_also_several_at_once(site: Site) -> None:
    with connect(site.port) as connection:
        for _ in range(3):
            connection.sendall(head("GET", "/healthz", site.fields))
            assert read(connection).status == 200
        connection.sendall(head("GET", "/healthz", site.fields) * 20)
        buffer = connection.makefile("rb")
        seen = 0
        while seen < 20:
            line = buffer.readline()
            assert line
            seen += line.count(b"HTTP/1.1 200")


def test_no_garbage_makes_it_fail_or_fill_its_log(site: Site, served: Served) -> None:
    chance = random.Random(7)
    good = [
        head("GET", "/", {**site.fields, "Accept-Encoding": "gzip", "Cookie": "__Host-tertulia=x; a=b"}),
        head("POST", "/api/login", {**site.fields, "Origin": site.origin, "Content-Length": "2"}) + b"{}",
        head("POST", "/api/logout", {**site.fields, "Origin": site.origin, "Transfer-Encoding": "chunked"})
        + b"2\r\n{}",
        head("GET", "/ws?lang=%F0", {**site.fields, "Upgrade": "websocket", "Connection": "upgrade"}),
    ]
    before = len(served.program.words())
    for _ in range(400):
        content = bytearray(chance.choice(good))
        for _ in range(chance.randrange(1, 12)):
            content[chance.randrange(len(content))] = chance.choice(b'\r\n\0\xff :/%?;={["A9')
        with connect(site.port) as connection:
            connection.sendall(content)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(0.02)  # whatever it says, if it says anything by now
            with suppress(OSError):
                assert b" 500 " not in connection.recv(20)
    assert site.get("/healthz").status == 200
    assert "level=error" not in served.program.words()[before:]
