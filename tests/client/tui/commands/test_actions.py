"""The terminal does something for every command of the table."""

from __future__ import annotations

from client.tui.commands.actions import ACTIONS
from client.typed.table import TABLE


def test_every_command_has_an_action_and_every_action_a_command() -> None:
    assert list(ACTIONS) == [spec.name for spec in TABLE]
