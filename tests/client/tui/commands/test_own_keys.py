"""`/keys` at a desk: what is asked, what is said, and the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from client import trust
from client.tui.commands import own_keys
from common import credentials
from common import messages as m
from common.errors import Forbidden
from common.scopes import ALL
from tests.client.tui.fake_chat import NOW, FakeChat

VIEW = m.KeyView(id=7, name="laptop", key=bytes(32), scopes=["direct"], created=NOW, seen=None, online=False)


class Desk:
    """What `/keys` uses of a desk."""

    def __init__(self) -> None:
        self.chat = FakeChat()
        self.told: list[str] = []
        self.complained: list[str] = []
        self.chat.answers[m.Keys] = lambda command: m.KeyList(keys=[VIEW])
        self.chat.answers[m.KeyAdd] = lambda command: m.KeyAdded(key=VIEW)

    def tell(self, *lines: str) -> None:
        self.told += lines

    def complain(self, *lines: str) -> None:
        self.complained += lines

    async def type(self, **values: str) -> None:
        await own_keys.keys(self, values, frozenset())  # type: ignore[arg-type]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(trust, "default_directory", lambda: tmp_path)
    return Desk()


async def test_the_keys_are_listed(desk: Desk) -> None:
    await desk.type()
    assert any("laptop" in line and "never used" in line and "direct" in line for line in desk.told)


async def test_a_key_is_made_for_everything_unless_it_is_said(desk: Desk, tmp_path: Path) -> None:
    await desk.type(action="add", name="laptop")
    file = tmp_path / "keys" / "laptop.key"
    assert credentials.read(file).login == "ana"
    assert any(str(file) in line for line in desk.told)
    await desk.type(action="add", name="phone", scopes="read:lobby  direct")
    added = [command for command in desk.chat.asked if isinstance(command, m.KeyAdd)]
    assert [command.scopes for command in added] == [list(ALL), ["read:lobby", "direct"]]


async def test_of_a_key_that_is_refused_no_file_is_left(desk: Desk, tmp_path: Path) -> None:
    desk.chat.refusals[m.KeyAdd] = Forbidden()
    with pytest.raises(Forbidden):
        await desk.type(action="add", name="laptop")
    assert list((tmp_path / "keys").iterdir()) == []


async def test_a_key_is_revoked_by_its_number(desk: Desk) -> None:
    await desk.type(action="revoke", name="7")
    assert desk.chat.asked == [m.KeyRevoke(key=7)]
    await desk.type(action="revoke", name="laptop")
    await desk.type(action="revoke")
    await desk.type(action="add")
    assert len(desk.complained) == 3
    assert len(desk.chat.asked) == 1
