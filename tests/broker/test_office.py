"""The operator's commands done without a broker: the same rules, on the opened store."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.app import EmbeddedBroker
from broker.chat.operators import AccountList, AddUser, DisableUser, ListUsers
from broker.config import BrokerConfig
from broker.office import office
from broker.store.migrations import DatabaseUnusable
from common.errors import NameTaken, NoSuchUser

ANA = AddUser(login="ana", password="correct horse", first_names="A", surnames="B", age=30, gender="other")


def config(directory: Path) -> BrokerConfig:
    return BrokerConfig(data_dir=directory, bcrypt_cost=4)


def test_what_is_done_is_kept(tmp_path: Path) -> None:
    with office(config(tmp_path)) as ask:
        ask(ANA)
        with pytest.raises(NameTaken):
            ask(ANA)
    with office(config(tmp_path)) as ask:
        ask(DisableUser(login="ana"))
        with pytest.raises(NoSuchUser):
            ask(DisableUser(login="bob"))
        listed = ask(ListUsers())
        assert isinstance(listed, AccountList)
        assert [(each.login, each.disabled) for each in listed.accounts] == [("ana", True)]


def test_a_directory_that_was_never_used_is_made(tmp_path: Path) -> None:
    with office(config(tmp_path / "new")) as ask:
        assert ask(ListUsers()).ok
    assert (tmp_path / "new" / "broker.key").exists()


def test_with_a_broker_it_is_the_broker_that_does_it(tmp_path: Path) -> None:
    with EmbeddedBroker(data_dir=tmp_path), office(config(tmp_path)) as ask:
        ask(ANA)
        listed = ask(ListUsers())
        assert isinstance(listed, AccountList)
        assert len(listed.accounts) == 1


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    with office(config(tmp_path)), pytest.raises(DatabaseUnusable), office(config(tmp_path)):
        pass
