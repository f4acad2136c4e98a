"""The examples of `config/` for nginx and Caddy, in front of a gateway, with the programs themselves."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.client.web.edge.conftest import Starter
from tests.client.web.edge.test_entering import ANA, opened
from tests.generated import ROOT
from tests.support.gateway import Served
from tests.support.patience import PATIENCE_S
from tests.support.raw_http import Site

TRUST = ("--trusted-proxy", "127.0.0.1")


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    """The example with other names; each has to be in it."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


@contextmanager
def running(command: list[str], port: int, log: Path, **environment: str) -> Iterator[None]:
    """A proxy of its own process, until it listens and as long as it is used."""
    with open(log, "w", encoding="utf-8") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **environment})
    try:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, log.read_text(encoding="utf-8")
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


@contextmanager
def nginx(directory: Path, gateway: int, certificate: tuple[Path, Path]) -> Iterator[int]:
    """`config/nginx.conf` on a port of its own, without rights."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    port, plain = free_port(), free_port()
    site = replaced(
        (ROOT / "config" / "nginx.conf").read_text(encoding="utf-8"),
        ("127.0.0.1:8570", f"127.0.0.1:{gateway}"),
        ("    listen [::]:80;\n", ""),
        ("    listen [::]:443 ssl http2;\n", ""),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("chat.example.org;", "localhost;"),
        ("/etc/letsencrypt/live/chat.example.org/fullchain.pem", str(certificate[0])),
        ("/etc/letsencrypt/live/chat.example.org/privkey.pem", str(certificate[1])),
    )
    places = "".join(
        f"{what}_temp_path {directory}/{what};\n" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = f"pid {directory}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{places}{site}\n}}\n"
    file = directory / "nginx.conf"
    file.write_text(whole, encoding="utf-8")
    with running([program, "-p", str(directory), "-c", str(file), "-g", "daemon off;"], port, directory / "log"):
        yield port


@contextmanager
def caddy(directory: Path, gateway: int, certificate: tuple[Path, Path]) -> Iterator[int]:
    """`config/Caddyfile` on a port of its own, with a certificate that is there already."""
    program = shutil.which("caddy")
    if program is None:
        pytest.skip("caddy is not installed")
    port = free_port()
    site = replaced(
        (ROOT / "config" / "Caddyfile").read_text(encoding="utf-8"),
        ("127.0.0.1:8570\n", f"127.0.0.1:{gateway}\n\ttls {certificate[0]} {certificate[1]}\n\tbind 127.0.0.1\n"),
        ("chat.example.org {", f"https://localhost:{port} {{"),
    )
    file = directory / "Caddyfile"
    file.write_text("{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + site, encoding="utf-8")
    command = [program, "run", "--config", str(file), "--adapter", "caddyfile"]
    with running(command, port, directory / "log", XDG_DATA_HOME=str(directory), XDG_CONFIG_HOME=str(directory)):
        yield port


@pytest.fixture(scope="module")
def behind(start: Starter) -> Served:
    """A gateway that trusts a proxy of this machine."""
    return start(*TRUST)


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def through(
    request: pytest.FixtureRequest, behind: Served, tmp_path: Path, certificate: tuple[Path, Path]
) -> Iterator[Site]:
    """The gateway, seen through the proxy, from an address that is not the proxy's."""
    with request.param(tmp_path, behind.port, certificate) as port:
        yield Site(port, tls=ssl.create_default_context(cafile=str(certificate[0])), source="127.0.0.9")


def test_the_app_is_served_as_over_tls(through: Site) -> None:
    answer = through.get("/")
    assert (answer.status, answer.headers["Strict-Transport-Security"]) == (200, "max-age=15552000")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    packed = through.get("/", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert through.get("/", Accept_Encoding="gzip", If_None_Match=packed.headers["ETag"]).status == 304
    assert through.get("/app/..%2fapp.py").status in (400, 404)
    assert through.get("/app/%2e%2e/app.py").status in (400, 404)


def test_people_log_in_and_talk_through_it(through: Site) -> None:
    answer = through.post("/api/login", ANA)
    assert answer.status == 200
    assert "; Secure" in answer.cookie
    kind, frame = opened(through, answer.secret)
    assert (kind, b'"ana"' in frame) == ("hello", True)
    assert through.socket(Origin="https://evil.example", Cookie=answer.secret).status == 403
    assert through.post("/api/login", ANA, Origin=through.origin.replace("https", "http")).status == 403
    assert through.post("/api/logout", {}, Cookie=answer.secret).status == 200


def test_the_address_is_the_browsers_whatever_it_says_itself(through: Site, behind: Served) -> None:
    before = len(behind.program.words())
    form = {**ANA, "password": "wrong password"}
    assert through.post("/api/login", form, X_Forwarded_For="198.51.100.99", X_Forwarded_Proto="http").status == 403
    behind.program.says("web-refused")
    said = behind.program.words()[before:]
    assert ("127.0.0.9" in said, "198.51.100.99" in said) == (True, False)


def test_an_origin_that_the_operator_names_is_let_in_where_a_proxy_changes_the_host(start: Starter) -> None:
    site = Site(start("--origin", "https://chat.example.org").port)
    assert site.post("/api/login", ANA, Origin="https://chat.example.org").status == 200
    assert site.post("/api/login", ANA, Origin="https://evil.example.org").status == 403
