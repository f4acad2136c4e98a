"""`tertulia-broker serve --web`: one command that serves terminals and browsers, in real processes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from broker.cli import main
from broker.web import child
from broker.web.settings import WebSettings
from tests.generated import ROOT
from tests.support.patience import PATIENCE_S

pytest.importorskip("aiohttp", reason="the gateway needs aiohttp")


class Served:
    """A broker with its gateway."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.data = directory / "data"
        self._log = directory / "log"
        command = [sys.executable, "-m", "broker", "serve", "--data-dir", str(self.data), "--listen", "127.0.0.1"]
        command += ["--port", "0", "--web", "--web-port", "0", *arguments]
        with open(self._log, "ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "XDG_CONFIG_HOME": str(directory)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def gateway(self, number: int = 1) -> tuple[str, int]:
        """The URL and the process of the gateway that was started as the `number`th."""
        found: list[tuple[str, str]] = []

        def told() -> bool:
            found[:] = re.findall(r"event=web url=(\S+) pid=(\d+)", self.log)
            return len(found) >= number

        self.until(told)
        url, pid = found[number - 1]
        return url, int(pid)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def served(directory: Path, *arguments: str) -> Iterator[Served]:
    running = Served(directory, *arguments)
    try:
        yield running
    finally:
        running.end()


def answers(url: str) -> bool:
    """Whether the gateway is there, and has a broker."""
    with urllib.request.urlopen(f"{url}/healthz", timeout=PATIENCE_S) as answer:
        return bool(answer.status == 200)


def registers(url: str, login: str) -> bool:
    """Whether somebody who registers through the gateway is let in by the broker."""
    account = {"login": login, "password": "correct horse", "first_names": "A", "surnames": "B", "age": 30}
    body = json.dumps({**account, "gender": "other", "keep": False, "lang": "en"}).encode()
    headers = {"Content-Type": "application/json", "Origin": url}
    asked = urllib.request.Request(f"{url}/api/register", body, headers)
    with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
        return bool(json.load(answer)["ok"])


def lives(pid: int) -> bool:
    """Whether that process runs; one that nobody has waited for yet does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_one_command_serves_browsers_too(tmp_path: Path) -> None:
    with served(tmp_path) as running:
        url, pid = running.gateway()
        assert answers(url)
        assert registers(url, "ana")
        running.process.terminate()
        assert running.process.wait(PATIENCE_S) == 0
        assert not lives(pid)
        assert running.process.stdout is not None
        lines = running.process.stdout.read().splitlines()
        assert [line.split(":")[0] for line in lines] == ["tertulia"], "the address, and nothing else"
        assert "web-killed" not in running.log, "it ended by itself"
        assert (running.data / "web.key").stat().st_mode & 0o777 == 0o600


def test_a_gateway_that_was_killed_comes_back(tmp_path: Path) -> None:
    with served(tmp_path) as running:
        _url, pid = running.gateway()
        os.kill(pid, signal.SIGKILL)
        url, second = running.gateway(2)
        assert second != pid
        assert registers(url, "ana")
        assert running.log.count("event=key-added") == 1, "by the same key"


def test_a_broker_that_was_killed_leaves_no_gateway_behind(tmp_path: Path) -> None:
    with served(tmp_path) as running:
        _url, pid = running.gateway()
        running.process.kill()
        running.process.wait(PATIENCE_S)
        running.until(lambda: not lives(pid))
    with served(tmp_path) as again:
        assert answers(again.gateway(2)[0])


def test_a_gateway_that_hangs_is_ended_by_force(tmp_path: Path) -> None:
    with served(tmp_path) as running:
        _url, pid = running.gateway()
        os.kill(pid, signal.SIGSTOP)
        running.process.terminate()
        assert running.process.wait(PATIENCE_S) == 0
        assert not lives(pid)
        assert "event=web-killed" in running.log


def test_a_gateway_that_cannot_be_is_told_of_and_the_broker_serves(tmp_path: Path) -> None:
    certificate = tmp_path / "cert.pem"
    certificate.write_text("no certificate")
    settings = tmp_path / "broker.toml"
    settings.write_text(f'[web]\ntls_cert = "{certificate}"\ntls_key = "{certificate}"\n')
    with served(tmp_path, "--config", str(settings)) as running:
        running.until(lambda: running.log.count("event=web-ended") >= 2)
        assert "event=web url" not in running.log
        assert str(certificate) in running.log
        assert running.process.poll() is None
        running.process.terminate()
        assert running.process.wait(PATIENCE_S) == 0


def test_what_is_not_installed_is_said_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(child.importlib.util, "find_spec", lambda name: None if name == "aiohttp" else object())
    assert main(["serve", "--data-dir", str(tmp_path / "data"), "--web"]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == (
        "",
        "tertulia-broker: --web needs aiohttp, which is not installed: pip install 'tertulia[web]'\n",
    )
    assert not (tmp_path / "data").exists()


def test_the_settings_are_the_flags_of_the_gateway() -> None:
    everything = WebSettings(
        serve=True,
        listen="0.0.0.0",
        port=443,
        tls_cert=Path("/c.pem"),
        tls_key=Path("/k.pem"),
        trusted_proxies=frozenset({"10.0.0.0/8", "::1"}),
        origins=frozenset({"https://chat.example.org"}),
        push_contact="mailto:ops@example.org",
        per_address=7,
    )
    from client.command_line import parser

    read = parser().parse_args(["web", *everything.flags()])
    assert (read.listen, read.port, read.tls_cert, read.tls_key) == ("0.0.0.0", 443, Path("/c.pem"), Path("/k.pem"))
    assert (read.trusted_proxy, read.origin) == (["10.0.0.0/8", "::1"], ["https://chat.example.org"])
    assert (read.push_contact, read.per_address) == ("mailto:ops@example.org", 7)
    assert list(WebSettings().flags()) == []
