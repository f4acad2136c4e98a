"""Keys of one's own: made, listed, revoked by the commands, and used in the place of a password."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker.app import EmbeddedBroker
from client import cli, trust
from common import credentials
from tests.support.loopback import RawClient

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def running() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture
def run(
    running: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a command of Ana's, who has an account."""
    monkeypatch.setattr(trust, "default_directory", lambda: tmp_path)
    monkeypatch.setattr("client.config.default_path", lambda: tmp_path / "client.toml")
    monkeypatch.setenv("TERTULIA_ADDRESS", str(running.address))
    monkeypatch.setenv("TERTULIA_LOGIN", "ana")
    monkeypatch.setenv("TERTULIA_PASSWORD", "correct horse")
    for name in ("TERTULIA_KEY", "TERTULIA_LANG", "LC_ALL", "LANG"):
        monkeypatch.delenv(name, raising=False)
    with RawClient(running.address) as ana:
        ana.register("ana")

    def call(*arguments: str) -> tuple[int, str, str]:
        status = cli.main(arguments)
        return (status, *capsys.readouterr())

    return call


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Take away all that says who and where."""

    def take() -> None:
        for name in ("TERTULIA_ADDRESS", "TERTULIA_LOGIN", "TERTULIA_PASSWORD"):
            monkeypatch.delenv(name)

    return take


def test_a_key_is_made_used_listed_and_revoked(
    run: Run, tmp_path: Path, without: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys" / "laptop.key"
    status, out, error = run("keys", "add", "laptop", "read:lobby", "write:lobby")
    assert (status, error) == (0, "")
    assert str(file) in out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert credentials.read(file).login == "ana"
    (listed,) = [json.loads(line) for line in run("keys", "list", "--json")[1].splitlines()]
    assert (listed["name"], listed["scopes"], listed["seen"]) == ("laptop", ["read:lobby", "write:lobby"], None)
    without()
    assert run("send", "--room", "lobby", "--key", str(file), "by key") == (0, "", "")
    monkeypatch.setenv("TERTULIA_KEY", str(file))
    said = [json.loads(line) for line in run("tail", "--room", "lobby", "--json")[1].splitlines()]
    assert [(each["sender"], each["text"]) for each in said] == [("ana", "by key")]
    assert run("rooms")[0] == run("users")[0] == 0
    status, _, error = run("keys", "list")
    assert (status, error) == (1, "tertulia: The key of this session lacks the scope account.\n")


def test_a_key_for_everything_may_revoke_itself(run: Run, tmp_path: Path, without: Callable[[], None]) -> None:
    file = tmp_path / "own.key"
    assert run("keys", "add", "own", "--file", str(file))[0] == 0
    without()
    number = json.loads(run("keys", "list", "--json", "--key", str(file))[1])["id"]
    assert run("keys", "revoke", str(number), "--key", str(file))[0] == 0
    status, out, error = run("rooms", "--key", str(file))
    assert (status, out) == (1, "")
    assert error == "tertulia: The broker does not know this key: it was revoked, or never added; make a new one.\n"


def test_no_file_is_overwritten_and_none_left_of_a_key_that_was_refused(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "keys" / "laptop.key"
    assert run("keys", "add", "laptop", "reed:lobby")[0] == 1
    assert not file.exists()
    assert run("keys", "add", "laptop", "direct")[0] == 0
    before = file.read_bytes()
    status, _, error = run("keys", "add", "laptop", "direct")
    assert (status, "is there already" in error) == (1, True)
    assert file.read_bytes() == before
    assert len(run("keys", "list")[1].splitlines()) == 1


@pytest.mark.parametrize("name", ["../evil", "a/b", ".hidden", ""])
def test_a_name_is_no_path(run: Run, name: str) -> None:
    assert run("keys", "add", name)[0] == 1


def test_a_key_file_and_a_flag_that_says_who_exclude_each_other(run: Run, tmp_path: Path) -> None:
    assert run("rooms", "--key", "x.key", "--login", "bob")[0] == 2
    status, _, error = run("rooms", "--key", str(tmp_path / "none.key"))
    assert (status, "cannot be read" in error) == (1, True)


def test_what_says_who_wins_over_the_environments_key(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERTULIA_KEY", "/nowhere")
    assert run("rooms", "--login", "ana")[0] == 0


def test_the_chat_opens_by_key(
    run: Run, tmp_path: Path, without: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "own.key"
    run("keys", "add", "own", "--file", str(file))
    without()
    seen: list[object] = []
    monkeypatch.setattr(
        "client.commands.chat.run_terminal", lambda entrance, plain: seen.append((entrance, plain)) or 0
    )
    assert run("--key", str(file), "--plain")[0] == 0
    ((entrance, plain),) = seen  # type: ignore[misc]
    assert (entrance.login, entrance.complete, plain) == ("ana", True, True)

    async def arrive() -> str | None:
        from client.tui.app import client

        async with client(entrance, entrance.login, None) as chat:
            return chat.login

    assert asyncio.run(arrive()) == "ana"
