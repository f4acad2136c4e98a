"""The operator's command line: what it prints, where passwords come from, and its exit status."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker import cli, config
from broker.app import EmbeddedBroker
from common import messages, texts
from common.errors import AccountDisabled
from tests.support.loopback import RawClient

ANA = ["--first-names", "Ana", "--surnames", "Ruiz", "--age", "30"]
NO_TEXT = f"tertulia-broker: {texts.NO_TEXT}\n"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(params=["running", "stopped"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedBroker | Path]:
    """A data directory, with and without a broker: the commands do the same."""
    if request.param == "stopped":
        yield tmp_path
        return
    with EmbeddedBroker(data_dir=tmp_path) as broker:
        yield broker


@pytest.fixture
def run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: EmbeddedBroker | Path
) -> Run:
    monkeypatch.setenv("TERTULIA_PASSWORD", "correct horse")
    monkeypatch.setenv("TERTULIA_BROKER_BCRYPT_COST", "4")
    monkeypatch.setattr(config, "default_file", lambda: tmp_path / "none.toml")

    def call(*arguments: str) -> tuple[int, str, str]:
        status = cli.main([*arguments, "--data-dir", str(tmp_path)])
        return (status, *capsys.readouterr())

    return call


def test_an_account_is_made_listed_disabled_and_enabled(run: Run) -> None:
    assert run("user", "add", "ana", *ANA, "--operator") == (0, "", "")
    assert run("user", "add", "bob", *ANA) == (0, "", "")
    _, out, _ = run("user", "list")
    assert out.splitlines()[1].split() == ["ana", "Ana", "Ruiz", "offline,", "operator"]
    assert run("user", "disable", "bob") == (0, "", "")
    status, out, _ = run("user", "list", "--json")
    ana, bob = (json.loads(line) for line in out.splitlines())
    assert status == 0
    assert (ana["login"], ana["operator"], ana["disabled"]) == ("ana", True, False)
    assert bob["disabled"]
    assert "disabled" in run("user", "list")[1]
    run("user", "enable", "bob")
    assert not json.loads(run("user", "list", "--json")[1].splitlines()[1])["disabled"]


def test_what_the_rules_refuse_is_said_in_one_sentence(run: Run) -> None:
    run("user", "add", "ana", *ANA)
    status, out, error = run("user", "add", "ANA", *ANA)
    assert (status, out) == (1, "")
    assert error.startswith("tertulia-broker: The login 'ana' exists already")
    assert error.count("\n") == 1
    assert run("user", "passwd", "nobody")[0] == 1


def test_every_page_of_a_long_list_is_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_PAGE", 2)
    for name in ("ana", "bob", "cleo", "dora", "eva"):
        run("user", "add", name, *ANA)
    assert len(run("user", "list", "--json")[1].splitlines()) == 5


def test_a_password_comes_from_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TERTULIA_PASSWORD")
    monkeypatch.setattr(sys, "stdin", io.StringIO("from a pipe\nnot this\n"))
    assert run("user", "add", "ana", *ANA)[0] == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    status, _, error = run("user", "passwd", "ana")
    assert status == 1
    assert "8 to 256" in error


def test_what_is_no_text_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERTULIA_PASSWORD", "long enough \udcff")
    assert run("user", "add", "ana", *ANA) == (1, "", NO_TEXT)
    monkeypatch.setenv("TERTULIA_PASSWORD", "correct horse")
    assert run("user", "add", "ana", *ANA, "--first-names", "\udcff") == (1, "", NO_TEXT)
    monkeypatch.delenv("TERTULIA_PASSWORD")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"long enough \xff\n"), "utf-8"))
    assert run("user", "add", "ana", *ANA) == (1, "", NO_TEXT)


def test_fields_have_the_same_bounds_with_and_without_a_broker(run: Run) -> None:
    for wrong in (["--age", "151"], ["--first-names", "x" * 101]):
        status, _, error = run("user", "add", "ana", *ANA, *wrong)
        assert (status, "The request is malformed" in error) == (1, True)
    assert run("user", "list", "--json") == (0, "", "")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "status"), [(("a secret", "a secret"), 0), (("a secret", "another"), 1)])
def test_on_a_terminal_it_is_asked_for_twice(
    run: Run, monkeypatch: pytest.MonkeyPatch, typed: tuple[str, ...], status: int
) -> None:
    monkeypatch.delenv("TERTULIA_PASSWORD")
    monkeypatch.setattr(sys, "stdin", Terminal())
    lines = iter(typed)
    monkeypatch.setattr("getpass.getpass", lambda _: next(lines))
    assert run("user", "add", "ana", *ANA)[0] == status


def test_an_interrupted_prompt_changes_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.delenv("TERTULIA_PASSWORD")
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", interrupt)
    assert run("user", "add", "ana", *ANA)[0] == 1
    assert run("user", "list", "--json")[1] == ""


def test_the_address_is_that_of_the_broker_that_runs(run: Run, place: EmbeddedBroker | Path) -> None:
    status, out, error = run("address")
    if isinstance(place, EmbeddedBroker):
        assert (status, out) == (0, f"{place.address}\n")
    else:
        assert (status, out) == (1, "")
        assert "No broker runs" in error


def test_a_reader_that_went_away_is_no_crash(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("user", "add", "ana", *ANA)

    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Closed())
        assert run("user", "list")[0] == 1


def test_a_disabled_account_is_ended_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with EmbeddedBroker(data_dir=tmp_path) as broker, RawClient(broker.address) as client:
        client.register("ana")
        assert cli.main(["user", "disable", "ana", "--data-dir", str(tmp_path)]) == 0
        assert client.event(messages.Ended, client.beacon).reason == "disabled"
        command = messages.Login(login="ana", password="correct horse")
        assert client.try_ask(command).code == AccountDisabled.code


def test_what_was_done_without_a_broker_counts_when_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERTULIA_PASSWORD", "set offline")
    monkeypatch.setenv("TERTULIA_BROKER_BCRYPT_COST", "4")
    assert cli.main(["user", "add", "ana", *ANA, "--data-dir", str(tmp_path)]) == 0
    with EmbeddedBroker(data_dir=tmp_path) as broker, RawClient(broker.address) as client:
        client.hello()
        assert client.ask(messages.Login(login="ana", password="set offline")).session.login == "ana"


@pytest.mark.parametrize(
    "arguments",
    [[], ["serve", "--port", "many"], ["user"], ["user", "add"], ["nonsense"], ["serve", "--log-format", "x"]],
)
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--port", "70000"], "command line: port: expected a whole number from 0 to 65533"),
        (["--config", "/nonexistent/broker.toml"], "there is no such file"),
        (["--database", "postgres://host/db"], "PostgreSQL is not supported"),
        (["--metrics-port", "9100"], "Metrics are not available in this version"),
        (["--listen", "no such host"], "neither an address nor a name"),
    ],
)
def test_a_broker_that_cannot_start_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert cli.main(["serve", "--data-dir", str(tmp_path), *arguments]) == 1
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_help_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["serve", "--help"], ["user", "add", "--help"]):
        with pytest.raises(SystemExit) as caught:
            cli.main(arguments)
        assert caught.value.code == 0
    assert "--idle-exit" in capsys.readouterr().out


def test_the_module_is_the_program() -> None:
    ended = subprocess.run([sys.executable, "-m", "broker", "nonsense"], capture_output=True, text=True)
    assert ended.returncode == 2
    assert "tertulia-broker: error" in ended.stderr
