"""What the edge's tests share: one broker, and gateways before it, each asked by the byte."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.gateway import Broker, Served, broker
from tests.support.raw_http import Site

PERSON = {"first_names": "Ana", "surnames": "Ruiz", "age": 34, "gender": "female"}


@pytest.fixture(scope="session")
def one_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker with Ana, for all tests of the edge."""
    with broker(tmp_path_factory.mktemp("edge") / "data", "ana") as started:
        yield started


Starter = Callable[..., Served]


@pytest.fixture(scope="module")
def start(one_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starter]:
    """Start gateways with flags; they end with the module."""
    started: list[Served] = []

    def start_(*arguments: str) -> Served:
        directory = tmp_path_factory.mktemp("gateway")
        started.append(Served(directory / "log", one_broker, *arguments))
        return started[-1]

    yield start_
    for each in started:
        each.end(9)


@pytest.fixture(scope="module")
def served(start: Starter) -> Served:
    """A gateway that trusts no proxy."""
    return start()


@pytest.fixture
def site(served: Served) -> Site:
    """The same, as a page sees it."""
    return Site(served.port)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost that openssl has made, and its key."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


def make_certificate(directory: Path, *more: str) -> tuple[Path, Path]:
    """Make a certificate for localhost; without openssl, skip the test."""
    certificate, key = directory / "web.crt", directory / "web.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(certificate), *(more or ("-nodes",))]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    assert done.returncode == 0, done.stderr
    return certificate, key
