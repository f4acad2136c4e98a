"""How the gateway ends and comes back: at a signal, and when it is killed; sessions outlive both."""

from __future__ import annotations

import signal
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from tests.client.web.edge.conftest import Starter
from tests.client.web.edge.test_entering import ANA, Tab, opened
from tests.client.web.push.service import Browser
from tests.support.gateway import Broker, Program, broker
from tests.support.raw_http import Site, connect, head


def upgraded(site: Site, cookie: str) -> socket.socket:
    """A WebSocket that was taken."""
    said = {
        **site.fields, "Origin": site.origin, "Connection": "Upgrade", "Upgrade": "websocket", "Cookie": cookie,
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Protocol": "tertulia.1",
    }  # fmt: skip
    connection = connect(site.port)
    connection.sendall(head("GET", "/ws", said))
    assert connection.recv(12) == b"HTTP/1.1 101"
    return connection


def rest(connection: socket.socket) -> bytes:
    """All that still comes."""
    heard = b""
    with suppress(ConnectionError):
        while more := connection.recv(10_000):
            heard += more
    return heard


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_tells_browsers_and_ends_well(start: Starter, number: signal.Signals) -> None:
    served = start()
    site = Site(served.port)
    cookie = site.post("/api/login", ANA).secret
    sockets = [upgraded(site, cookie) for _ in range(3)]
    idle = connect(site.port)  # says nothing, and never will
    half = connect(site.port)
    half.sendall(
        head("POST", "/api/login", {**site.fields, "Content-Length": "50", "Content-Type": "application/json"})
    )
    served.program.process.send_signal(number)
    for each in sockets:
        told = rest(each)
        assert b'"closing"' in told
        assert b"\x03\xf4" in told  # 1012
    assert served.program.process.wait(30) == 0
    for each in (idle, half):
        rest(each)
        each.close()
    with pytest.raises(ConnectionRefusedError):
        connect(site.port)
    served.start()
    assert Site(served.port).port == site.port
    assert opened(site, cookie)[0] == "hello"


def test_killed_and_started_again_everybody_is_still_logged_in(start: Starter) -> None:
    served = start()
    site = Site(served.port)
    cookie = site.post("/api/login", {**ANA, "keep": True}).secret
    connection = upgraded(site, cookie)
    served.kill()
    rest(connection)
    served.start()
    kind, frame = opened(site, cookie)
    assert (kind, b'"ana"' in frame) == ("hello", True)


def test_a_signal_to_read_anew_ends_nothing_where_there_is_no_certificate(start: Starter) -> None:
    served = start()
    served.program.process.send_signal(signal.SIGHUP)
    assert Site(served.port).get("/healthz").status == 200
    assert served.end() == 0


def test_without_its_broker_it_serves_the_app_and_says_to_come_again(tmp_path: Path) -> None:
    from tests.support.gateway import Served

    with broker(tmp_path / "data", "ana") as started:
        served = Served(tmp_path / "log", started)
        try:
            site = Site(served.port)
            cookie = site.post("/api/login", ANA).secret
            started.end(9)
            while site.get("/healthz").status != 503:
                pass
            assert site.get("/").status == 200
            refused = site.post("/api/login", ANA)
            assert (refused.status, refused.json()["error"]["code"], refused.cookie) == (503, "no-answer", "")
            out = site.post("/api/logout", {}, Cookie=cookie)
            assert (out.status, out.cookie) == (503, "")  # so that it can be tried again
            again = started.again()
            try:
                while site.get("/healthz").status != 200:
                    pass
                assert site.post("/api/logout", {}, Cookie=cookie).status == 200
                assert opened(site, cookie)[0] == "ended"
            finally:
                again.end()
        finally:
            served.end(9)


def test_a_logout_that_does_not_reach_the_broker_leaves_the_session_its_sockets_and_its_notices(tmp_path: Path) -> None:
    from tests.support.gateway import Served

    phone = Browser("phone")
    with broker(tmp_path / "data", "ana") as started:
        served = Served(tmp_path / "log", started)
        kept = tmp_path / "web" / "push.json"
        try:
            site = Site(served.port)
            cookie, elsewhere = (site.post("/api/login", ANA).secret for _ in range(2))
            with Tab(site, cookie) as tab, Tab(site, elsewhere) as other:
                for each in (tab, other):
                    assert each.ask("hello")["ok"]
                assert tab.ask("push-add", subscription=phone.subscription)["ok"]
                assert phone.endpoint in kept.read_text()
                started.end(9)
                while site.get("/healthz").status != 503:
                    pass
                assert site.post("/api/logout", {}, Cookie=cookie).status == 503
                assert phone.endpoint in kept.read_text()
                again = started.again()
                try:
                    for each in (tab, other):
                        each.until(lambda frame: (frame.get("kind"), frame.get("state")) == ("link", "live"))
                        assert each.ask("hello")["session"]["login"] == "ana"
                    seq = other.say("one")
                    tab.until(
                        lambda frame: frame.get("log") == "lobby" and seq in (frame.get("seq"), frame.get("head"))
                    )
                    other.say("two")
                    tab.until(lambda frame: frame.get("text") == "two")
                    assert "ended" not in [frame.get("kind") for frame in tab.told]
                    assert opened(site, cookie)[0] == "hello"
                    assert site.post("/api/logout", {}, Cookie=cookie).status == 200
                    assert tab.until(lambda frame: frame.get("kind") == "ended")["reason"] == "logout"
                    assert phone.endpoint not in kept.read_text()
                finally:
                    again.end()
        finally:
            served.end(9)


def test_it_says_at_the_start_what_will_not_work(one_broker: Broker, tmp_path: Path) -> None:
    gate, hooks = one_broker.key("gate", "gateway"), one_broker.key("hooks")
    (tmp_path / "tertulia").mkdir()
    (tmp_path / "tertulia" / "hooks.json").write_text("{}")
    (tmp_path / "tertulia" / "hooks.json").chmod(0o600)
    for key, flags, said in (
        (gate, ("--listen", "0.0.0.0"), "Without TLS browsers on other machines keep no login"),
        (gate, ("--listen", "127.0.0.1"), "This key is nobody's account, so no webhooks are served."),
        (hooks, ("--listen", "127.0.0.1"), "This key serves webhooks only."),
    ):
        arguments = ("web", *flags, "--port", "0", "--key", str(key), "--data-dir", str(tmp_path / "web"))
        with Program(tmp_path / "log", *arguments) as program:
            assert program.line().startswith("http://")
            assert said in program.words()
            assert program.end() == 0


def test_a_port_that_is_taken_is_named(start: Starter, one_broker: Broker, tmp_path: Path) -> None:
    port = str(start().port)
    arguments = ("web", "--listen", "127.0.0.1", "--port", port, "--key", str(one_broker.key("gate", "gateway")))
    with Program(tmp_path / "log", *arguments, "--data-dir", str(tmp_path / "web")) as program:
        assert program.process.wait(30) == 2
        assert f"127.0.0.1:{port}: cannot listen there" in program.words()
