"""TLS from files, with a certificate that openssl has made."""

from __future__ import annotations

import shutil
import signal
import ssl
import warnings
from pathlib import Path

import pytest

from client.cli import main
from client.web.edge.tls import BadCertificate, Certificate
from tests.client.web.edge.conftest import Starter, make_certificate
from tests.support.raw_http import Site, connect, head, read


def trusting(certificate: Path) -> ssl.SSLContext:
    """A browser that trusts that certificate and no other."""
    return ssl.create_default_context(cafile=str(certificate))


def test_over_tls_it_stays_so(start: Starter, certificate: tuple[Path, Path]) -> None:
    file, key = certificate
    served = start("--tls-cert", str(file), "--tls-key", str(key))
    assert served.line.startswith("https://127.0.0.1:")
    site = Site(served.port, tls=trusting(file))
    answer = site.get("/")
    assert (answer.status, answer.headers["Strict-Transport-Security"]) == (200, "max-age=15552000")
    assert "Strict-Transport-Security" in site.send(b"NONSENSE\r\n\r\n").headers
    # The page's origin is https now, whatever a field that anybody may send says.
    assert site.post("/api/login", {}).status == 400
    assert site.post("/api/login", {}, Origin=f"http://localhost:{served.port}").status == 403
    assert site.post("/api/login", {}, X_Forwarded_Proto="http").status == 400


def test_what_speaks_no_tls_is_not_answered_and_harms_nobody(start: Starter, certificate: tuple[Path, Path]) -> None:
    file, key = certificate
    served = start("--tls-cert", str(file), "--tls-key", str(key))
    with connect(served.port) as plain:
        plain.sendall(head("GET", "/", {"Host": "x"}))
        assert b"200" not in plain.recv(1_000)
    old = trusting(file)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, OSError)):
        connect(served.port, old)
    assert Site(served.port, tls=trusting(file)).get("/").status == 200
    assert served.program.process.poll() is None


def test_a_renewed_certificate_is_taken_at_a_signal_and_a_broken_one_is_not(start: Starter, tmp_path: Path) -> None:
    file, key = make_certificate(tmp_path)
    served = start("--tls-cert", str(file), "--tls-key", str(key))
    site = Site(served.port, tls=trusting(file))
    assert site.get("/").status == 200
    (tmp_path / "new").mkdir()
    for new, old in zip(make_certificate(tmp_path / "new"), (file, key), strict=True):
        shutil.copy(new, old)
    served.program.process.send_signal(signal.SIGHUP)
    served.program.says("web-certificate-read")
    renewed = Site(served.port, tls=trusting(file))
    assert renewed.get("/").status == 200
    with pytest.raises(ssl.SSLCertVerificationError):
        site.get("/")
    file.write_text("broken")
    served.program.process.send_signal(signal.SIGHUP)
    served.program.says("web-certificate-kept")
    assert renewed.get("/").status == 200


def test_a_connection_that_stands_keeps_what_it_has(start: Starter, tmp_path: Path) -> None:
    file, key = make_certificate(tmp_path)
    served = start("--tls-cert", str(file), "--tls-key", str(key))
    with connect(served.port, trusting(file)) as connection:
        served.program.process.send_signal(signal.SIGHUP)
        served.program.says("web-certificate-read")
        connection.sendall(head("GET", "/healthz", {"Host": "x"}))
        assert read(connection).status == 200


def test_files_that_are_no_certificate_are_refused_with_what_is_wrong(
    tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    file, key = certificate
    (tmp_path / "locked").mkdir()
    _, locked = make_certificate(tmp_path / "locked", "-passout", "pass:secret")
    (tmp_path / "other").mkdir()
    other, _ = make_certificate(tmp_path / "other")
    for pair, said in (
        ((tmp_path / "missing", key), "No such file"),
        ((key, key), "no certificate and its key in PEM"),
        ((other, key), r"KEY_VALUES_MISMATCH"),
        ((file, locked), "the key is encrypted; give one without a passphrase"),
    ):
        with pytest.raises(BadCertificate, match=said):
            Certificate(*pair)


def test_the_command_line_says_what_is_wrong(
    tmp_path: Path, certificate: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    file, key = map(str, certificate)
    for flags, said in (
        (["--tls-cert", file], "--tls-cert and --tls-key belong together"),
        (["--tls-key", key], "--tls-cert and --tls-key belong together"),
        (["--tls-cert", key, "--tls-key", key], "no certificate and its key in PEM"),
        (["--trusted-proxy", "nginx"], "--trusted-proxy nginx: that is no address or network"),
        (["--origin", "chat.example.org"], "--origin chat.example.org: that is no origin"),
        (["--push-contact", "me@example.org"], "--push-contact me@example.org: give mailto:… or https://…"),
    ):
        assert main(["web", "--key", str(tmp_path / "no.key"), *flags]) == 2
        assert said in capsys.readouterr().err
