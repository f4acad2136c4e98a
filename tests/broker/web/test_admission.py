"""The key by which the broker's own gateway is let in."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from broker.chat.bots import AddBot, ListBots, RevokeBot
from broker.web.admission import LOGINS, admit
from common import addresses, credentials, keys, messages
from common.errors import ChatError, Forbidden
from common.keys import BadSecretFile
from tests.support.circle import Circle

HERE = addresses.Address("127.0.0.1", 5570, keys.generate().public)
ELSEWHERE = addresses.Address("127.0.0.1", 6570, HERE.key)
HELLO = messages.Hello(versions=[1], client="phone")


@pytest.fixture
def circle() -> Circle:
    return Circle()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "web.key"


def let_in(circle: Circle, file: Path, address: addresses.Address = HERE) -> credentials.Credential:
    def ask(command: messages.Command) -> messages.Reply:
        outcome = circle.operate(command)
        if isinstance(outcome, ChatError):
            raise outcome
        assert isinstance(outcome, messages.Reply)
        return outcome

    admit(ask, file, address)
    return credentials.read(file)


def carries(circle: Circle, credential: credentials.Credential) -> bool:
    return bool(circle.ask(keys.user_id(credential.keys.public), HELLO, session="s1").ok)


def test_a_key_is_made_and_carries_people(circle: Circle, file: Path) -> None:
    made = let_in(circle, file)
    assert made.address == HERE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["web.key"]
    assert carries(circle, made)


def test_it_is_kept_and_told_where_the_broker_is_now(circle: Circle, file: Path) -> None:
    first = let_in(circle, file)
    again = let_in(circle, file, ELSEWHERE)
    assert (again.keys, again.address) == (first.keys, ELSEWHERE)
    assert carries(circle, again)


def test_a_revoked_key_is_replaced_and_never_let_in_again(circle: Circle, file: Path) -> None:
    first = let_in(circle, file)
    circle.operate(RevokeBot(login="web"))
    second = let_in(circle, file)
    assert second.keys != first.keys
    assert carries(circle, second)
    assert circle.ask(keys.user_id(first.keys.public), HELLO, session="s1").code == "forbidden"


def test_a_key_without_the_scope_is_none_of_a_gateway(circle: Circle, file: Path) -> None:
    pair = keys.generate()
    credentials.write(file, credentials.Credential(HERE, "web", pair))
    circle.operate(AddBot(login="web", key=pair.public, key_name="web.key", scopes=["read:*"]))
    assert let_in(circle, file).keys != pair


def test_a_persons_name_is_left_to_them(circle: Circle, file: Path) -> None:
    circle.register("web")
    made = let_in(circle, file)
    assert made.login == "web-2"
    assert carries(circle, made)
    assert [bot.login for bot in circle.operate(ListBots()).bots] == ["web-2"]


def test_where_every_name_is_a_persons_it_is_said(circle: Circle, file: Path) -> None:
    for login in LOGINS:
        circle.register(login)
    with pytest.raises(Forbidden):
        let_in(circle, file)


def test_a_file_that_others_can_read_is_refused(circle: Circle, file: Path) -> None:
    let_in(circle, file)
    file.chmod(0o644)
    with pytest.raises(BadSecretFile):
        let_in(circle, file)
