"""`tertulia-broker bot …`: the key file, what is printed, and what is refused."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker import cli, config
from broker.app import EmbeddedBroker
from broker.chat.bots import AddBot
from broker.office import office
from common import credentials, keys
from common.errors import ChatError
from common.limits import KEYS_PER_ACCOUNT, NAME_LENGTH, SCOPES
from tests.support.loopback import RawClient

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(params=["running", "stopped"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedBroker | None]:
    """A data directory, with and without a broker: the commands do the same."""
    if request.param == "stopped":
        yield None
        return
    with EmbeddedBroker(data_dir=tmp_path / "data") as broker:
        yield broker


@pytest.fixture
def run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: EmbeddedBroker | None
) -> Run:
    monkeypatch.setenv("TERTULIA_BROKER_BCRYPT_COST", "4")
    monkeypatch.setattr(config, "default_file", lambda: tmp_path / "none.toml")
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        status = cli.main([*arguments, "--data-dir", str(tmp_path / "data")])
        return (status, *capsys.readouterr())

    return call


def test_a_bot_is_made_with_a_key_file_listed_and_revoked(run: Run, tmp_path: Path) -> None:
    assert run("bot", "add", "dice", "--scopes", "write:lobby", "read:lobby", "--name", "The dice") == (
        0,
        "dice: key 1 is in dice.key\n",
        "",
    )
    file = tmp_path / "dice.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = credentials.read(file)
    assert (found.login, found.address.key) == ("dice", keys.load_or_make(tmp_path / "data" / "broker.key").public)
    (bot,) = [json.loads(line) for line in run("bot", "list", "--json")[1].splitlines()]
    assert (bot["login"], bot["name"], bot["online"]) == ("dice", "The dice", False)
    assert [key["scopes"] for key in bot["keys"]] == [["read:lobby", "write:lobby"]]
    assert run("bot", "add", "DICE", "--scopes", "direct", "--key-file", "second.key")[0] == 0
    assert credentials.read(tmp_path / "second.key").login == "dice"
    assert "second.key" in run("bot", "list")[1]
    assert run("bot", "revoke", "dice", "1") == (0, "dice: 1 key revoked\n", "")
    assert run("bot", "revoke", "dice")[1] == "dice: 1 key revoked\n"
    assert run("bot", "revoke", "dice")[1] == "dice: 0 keys revoked\n"
    assert "has no key" in run("bot", "list")[1]
    assert "bot" in run("user", "list")[1]


def test_no_file_is_overwritten(run: Run, tmp_path: Path) -> None:
    run("bot", "add", "dice", "--scopes", "direct")
    before = (tmp_path / "dice.key").read_bytes()
    status, _, error = run("bot", "add", "dice", "--scopes", "direct")
    assert status == 1
    assert error == "tertulia-broker: dice.key is there already; name another file with --key-file, or remove it.\n"
    assert (tmp_path / "dice.key").read_bytes() == before
    assert len(json.loads(run("bot", "list", "--json")[1])["keys"]) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dice", "--scopes", "reed:lobby"), "is no scope; expected"),
        (("dice", "--scopes", "read:lobby", "account"), "cannot have the scope account"),
        (("ana", "--scopes", "direct"), "is a person's account"),
        (("../dice", "--scopes", "direct"), "A name begins with"),
        (("lo\nng", "--scopes", "direct"), "A name holds"),
    ],
)
def test_what_is_refused_leaves_no_file_and_no_account(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.setenv("TERTULIA_PASSWORD", "correct horse")
    run("user", "add", "ana", "--first-names", "A", "--surnames", "B", "--age", "30")
    status, out, error = run("bot", "add", *arguments)
    assert (status, out, error.count("\n")) == (1, "", 1)
    assert said in error
    assert list(tmp_path.glob("*.key")) == []
    assert run("bot", "list", "--json")[1] == ""


def test_a_bot_or_key_that_is_not_there_is_said(run: Run) -> None:
    assert "There is no user" in run("bot", "revoke", "dice")[2]
    run("bot", "add", "dice", "--scopes", "direct")
    assert "has no key 9" in run("bot", "revoke", "dice", "9")[2]
    assert "too large" in run("bot", "revoke", "dice", "9" * 30)[2]


def test_a_port_that_is_not_known_yet_is_said(
    run: Run, place: EmbeddedBroker | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERTULIA_BROKER_PORT", "0")
    status, _, error = run("bot", "add", "dice", "--scopes", "direct")
    assert (status, "start it first" in error) == ((0, False) if place else (1, True))


def test_every_page_of_a_long_list_is_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.bots._PAGE", 2)
    for name in ("a", "b", "c", "d", "e"):
        run("bot", "add", name, "--scopes", "direct")
    assert len(run("bot", "list", "--json")[1].splitlines()) == 5


def test_however_much_the_keys_of_bots_are_for_the_list_is_shown(run: Run, tmp_path: Path) -> None:
    rooms = [f"read:{chr(0x20000 + number) * NAME_LENGTH}" for number in range(SCOPES)]
    bots = 3
    with office(config.load(None, {}, {"data_dir": tmp_path / "data"})) as ask:
        for number in range(bots):
            for _ in range(KEYS_PER_ACCOUNT):
                public = keys.generate().public
                ask(AddBot(login=f"bot{number}", key=public, key_name="a file", scopes=rooms))
    status, listed, error = run("bot", "list", "--json")
    assert (status, error) == (0, "")
    assert [len(json.loads(line)["keys"]) for line in listed.splitlines()] == [KEYS_PER_ACCOUNT] * bots


def test_whoever_has_the_file_is_in(run: Run, tmp_path: Path, place: EmbeddedBroker | None) -> None:
    run("bot", "add", "dice", "--scopes", "read:lobby")
    found = credentials.read(tmp_path / "dice.key")
    if place is None:
        place = EmbeddedBroker(data_dir=tmp_path / "data")
        with place as broker:
            _enters(broker, found)
    else:
        _enters(place, found)
        run("bot", "revoke", "dice")
        with RawClient(place.address, found.keys) as revoked, pytest.raises(ChatError, match="Log in first"):
            revoked.hello()
            revoked.say("lobby", "x")


def _enters(broker: EmbeddedBroker, found: credentials.Credential) -> None:
    with RawClient(broker.address, found.keys) as bot:
        session = bot.hello().session
        assert session is not None
        assert (session.login, session.bot) == ("dice", True)
