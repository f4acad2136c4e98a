"""Logging in, registering and logging out over HTTP, with the cookies that follow; real broker, real gateway."""

from __future__ import annotations

import hashlib
import json
import re
import socket
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from itertools import count
from os import urandom
from typing import Any, BinaryIO, Self

from client.web.edge import bounds, cookies
from common import limits
from tests.client.web.edge.conftest import PERSON, Starter
from tests.support.gateway import PASSWORD, Served
from tests.support.raw_http import Answer, Site, connect, head

ANA = {"login": "ana", "password": PASSWORD}


class Tab:
    """A WebSocket with a cookie, as a page has it."""

    def __init__(self, site: Site, cookie: str) -> None:
        said = {
            **site.fields, "Origin": site.origin, "Connection": "Upgrade", "Upgrade": "websocket", "Cookie": cookie,
            "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Protocol": "tertulia.1",
        }  # fmt: skip
        self._connection = connect(site.port, site.tls, site.source)
        self._connection.sendall(head("GET", "/ws", said))
        self._lines = self._connection.makefile("rb")
        self.told: list[dict[str, Any]] = []
        """Every frame so far."""
        assert b"101" in self._lines.readline()
        while self._lines.readline() != b"\r\n":
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._connection.close()

    def send(self, said: bytes) -> None:
        """Send a frame."""
        size = bytes([0x80 | len(said)]) if len(said) < 126 else b"\xfe" + len(said).to_bytes(2, "big")
        self._connection.sendall(b"\x81" + size + bytes(4) + said)  # masked by nothing

    def next(self) -> bytes:
        """The next frame."""
        frame = next_frame(self._lines)
        self.told.append(json.loads(frame))
        return frame

    def until(self, fact: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read until a frame of which that is so."""
        while not fact(json.loads(self.next())):
            pass
        return self.told[-1]

    def ask(self, op: str, **fields: object) -> dict[str, Any]:
        """Make a request; its answer."""
        number = 100 + len(self.told)
        self.send(json.dumps({"op": op, "id": number, **fields}).encode())
        return self.until(lambda frame: frame.get("id") == number)

    def say(self, text: str) -> int:
        """Post in the lobby; the place in the log."""
        sent = self.ask("send", room="lobby", text=text, nonce=b64encode(urandom(16)).decode())
        return int(sent["seq"])


def opened(site: Site, cookie: str, question: bytes = b"") -> tuple[str, bytes]:
    """What a WebSocket with that cookie is told first, or last if it has a question: the kind of the frame, and it."""
    with Tab(site, cookie) as tab:
        for said in filter(None, (b'{"op":"hello","id":1}', question)):
            tab.send(said)
            frame = tab.next()
        while question and b'"id":2' not in frame:
            frame = tab.next()
        return ("ended" if b'"ended"' in frame else "hello" if b'"session"' in frame else "other"), frame


def next_frame(lines: BinaryIO) -> bytes:
    """The next frame of a WebSocket, a text."""
    first, size = lines.read(2)
    if size == 126:
        size = int.from_bytes(lines.read(2), "big")
    elif size == 127:
        size = int.from_bytes(lines.read(8), "big")
    assert first == 0x81
    return lines.read(size)


def test_the_list_of_sessions_says_which_browser_it_is(site: Site) -> None:
    android = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"
    answer = site.post("/api/login", ANA, **{"User-Agent": android})
    assert b'"client":"Firefox on Android"' in opened(site, answer.secret, b'{"op":"sessions","id":2}')[1]


def test_who_logs_in_gets_a_cookie_that_is_their_session(site: Site) -> None:
    answer = site.post("/api/login", ANA)
    assert (answer.status, answer.json()) == (200, {"ok": True, "login": "ana"})
    assert re.fullmatch(r"__Host-tertulia=t[A-Za-z0-9_-]{43}; HttpOnly; Path=/; SameSite=Strict; Secure", answer.cookie)
    assert answer.headers["Cache-Control"] == "no-store"
    kind, frame = opened(site, answer.secret)
    assert (kind, b'"ana"' in frame) == ("hello", True)


def test_who_stays_logged_in_has_a_cookie_that_lasts_and_begins_anew_with_each_visit(site: Site) -> None:
    answer = site.post("/api/login", {**ANA, "keep": True})
    assert f"; Max-Age={limits.SESSION_DAYS * 86_400};" in answer.cookie
    again = site.socket(Cookie=answer.secret)
    assert again.status == 101
    assert (again.cookie, again.secret) == (answer.cookie, answer.secret)
    transient = site.post("/api/login", ANA).secret
    assert site.socket(Cookie=transient).cookie == ""


def test_somebody_new_is_logged_in_at_once(site: Site) -> None:
    form = {**PERSON, "login": "berta", "password": PASSWORD, "keep": False, "lang": "es"}
    answer = site.post("/api/register", form)
    assert (answer.status, answer.json()) == (200, {"ok": True, "login": "berta"})
    assert opened(site, answer.secret)[0] == "hello"
    taken = site.post("/api/register", form)
    assert (taken.status, taken.json()["error"]["code"], taken.cookie) == (409, "name-taken", "")
    for field, value in (("age", 151), ("gender", "x"), ("login", "a b"), ("password", "short")):
        refused = site.post("/api/register", {**form, "login": "clara", field: value})
        assert (refused.status, refused.cookie) == (400, ""), field


def test_a_wrong_password_is_refused_in_the_language_of_the_page_or_the_browser(site: Site) -> None:
    wrong = {**ANA, "password": "wrong password"}
    english = site.post("/api/login", wrong)
    assert (english.status, english.cookie) == (403, "")
    assert english.json()["error"] == {
        "code": "wrong-password", "message": "Login and password do not belong together.",
    }  # fmt: skip
    spanish = "El usuario y la contraseña no se corresponden."
    assert site.post("/api/login", {**wrong, "lang": "es"}).json()["error"]["message"] == spanish
    asked = site.post("/api/login", wrong, Accept_Language="xx, es-AR;q=0.8, en;q=0.5")
    assert asked.json()["error"]["message"] == spanish
    assert site.post("/api/login", {**wrong, "lang": "en"}, Accept_Language="es").json()["error"]["message"] != spanish


def test_nobody_is_logged_in_under_a_secret_that_somebody_else_has_put_there(site: Site) -> None:
    planted = f"{cookies.NAME}=" + cookies.make(keep=True)
    answer = site.post("/api/login", ANA, Cookie=planted)
    assert answer.status == 200
    assert answer.secret != planted
    assert opened(site, planted)[0] == "ended"
    assert opened(site, answer.secret)[0] == "hello"


def test_a_new_login_ends_the_session_of_the_cookie_that_came_along(site: Site) -> None:
    first = site.post("/api/login", ANA)
    second = site.post("/api/login", ANA, Cookie=first.secret)
    assert opened(site, first.secret)[0] == "ended"
    assert opened(site, second.secret)[0] == "hello"
    site.post("/api/login", {**ANA, "password": "wrong password"}, Cookie=second.secret)
    assert opened(site, second.secret)[0] == "hello"  # a login that was refused ends nothing


def test_the_other_tabs_of_a_browser_that_logs_in_anew_are_told_so_and_no_logout(site: Site) -> None:
    first = site.post("/api/login", ANA)
    with Tab(site, first.secret) as tab, Tab(site, first.secret) as other:
        for each in (tab, other):
            assert each.ask("hello")["ok"]
        assert site.post("/api/login", ANA, Cookie=first.secret).status == 200
        for each in (tab, other):
            told = each.until(lambda frame: frame.get("kind") == "ended")
            assert told["reason"] == "replaced"


def test_who_logs_out_is_out_and_the_browser_forgets(site: Site) -> None:
    answer = site.post("/api/login", ANA)
    out = site.post("/api/logout", {}, Cookie=answer.secret)
    assert (out.status, out.json()) == (200, {"ok": True})
    assert "Max-Age=0" in out.cookie
    assert opened(site, answer.secret)[0] == "ended"
    for cookie in (answer.secret, "", f"{cookies.NAME}=nonsense"):
        assert site.post("/api/logout", {}, Cookie=cookie).status == 200


def test_a_cookie_that_was_stolen_or_made_up_opens_nothing(site: Site) -> None:
    good = site.post("/api/login", ANA).secret
    value = good.partition("=")[2]
    digest = hashlib.sha256(urlsafe_b64decode(value[1:] + "=")).digest()
    as_label = "t" + urlsafe_b64encode(digest).decode().rstrip("=")
    for other in (as_label, cookies.make(keep=False), value[:-2] + "AA", value.upper(), value + "A", "", '"' + value):
        assert opened(site, f"{cookies.NAME}={other}")[0] == "ended"
    assert opened(site, f"tertulia={value}")[0] == "ended"
    assert opened(site, good)[0] == "hello"


def test_a_socket_needs_the_pages_origin_even_with_a_good_cookie(site: Site) -> None:
    cookie = site.post("/api/login", ANA).secret
    for origin in ("", "null", "https://evil.example", "http://localhost"):
        assert site.socket(Origin=origin, Cookie=cookie).status == 403


def test_no_password_and_no_secret_stands_in_the_log(site: Site, served: Served) -> None:
    answer = site.post("/api/login", {**ANA, "password": "wrong password"})
    assert answer.status == 403
    answer = site.post("/api/login", ANA)
    site.post("/api/logout", {}, Cookie=answer.secret)
    served.program.says("web-entered")
    words = served.program.words()
    assert (PASSWORD in words, "wrong password" in words) == (False, False)
    assert answer.secret.partition("=")[2][1:] not in words
    assert "address=127.0.0.1" in words


def test_logins_are_slowed_down_for_each_real_address(start: Starter) -> None:
    site = Site(start("--trusted-proxy", "127.0.0.1").port)
    names = (f"nobody{n}" for n in count())  # one account alone is slowed down besides

    def tried(address: str) -> Answer:
        form = {"login": next(names), "password": "x" * 8}
        return site.post("/api/login", form, X_Forwarded_For=f"203.0.113.77, {address}")

    many = [tried("198.51.100.1") for _ in range(int(bounds.LOGINS.burst) + 1)]
    assert many[0].status == 403
    assert many[-1].status == 429
    error = many[-1].json()["error"]
    assert error["code"] == "rate-limited"
    assert error["retry_after"] > 0
    assert int(many[-1].headers["Retry-After"]) >= error["retry_after"]
    assert tried("198.51.100.2").status == 403
    assert site.post("/api/login", ANA, X_Forwarded_For="198.51.100.3").status == 200


def test_whoever_is_no_trusted_proxy_cannot_choose_an_address(site: Site, served: Served) -> None:
    assert site.post("/api/login", ANA, X_Forwarded_For="198.51.100.66").status == 200
    served.program.says("web-entered")
    assert "198.51.100.66" not in served.program.words()


def test_sockets_are_bounded_for_each_address(start: Starter) -> None:
    site = Site(start("--per-address", "2", "--trusted-proxy", "127.0.0.1").port)
    cookie = site.post("/api/login", ANA).secret
    said = {
        **site.fields, "Origin": site.origin, "Connection": "Upgrade", "Upgrade": "websocket", "Cookie": cookie,
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Protocol": "tertulia.1",
    }  # fmt: skip

    def told(address: str, words: bytes) -> socket.socket:
        connection = connect(site.port)
        connection.sendall(head("GET", "/ws", {**said, "X-Forwarded-For": address}))
        heard = b""
        while words not in heard:
            more = connection.recv(1_000)
            assert more, heard
            heard += more
        return connection

    kept = [told("198.51.100.1", b" 101 ") for _ in range(2)]
    told("198.51.100.1", b"\x11\x4d").close()  # 4429
    kept.append(told("198.51.100.2", b" 101 "))
    for each in kept:
        each.close()
