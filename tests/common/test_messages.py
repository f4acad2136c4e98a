"""The messages as a whole: every op and kind is complete, bounded, and named once."""

from __future__ import annotations

import re
import typing

import msgspec
import pytest
from msgspec import inspect

from common import messages
from tests.support.bad_input import VALID, WITHOUT_LOGIN

COMMANDS = [command for command, _ in messages.OPS.values()]


def subclasses(cls: type[msgspec.Struct]) -> set[type[msgspec.Struct]]:
    found: set[type[msgspec.Struct]] = set()
    for one in cls.__subclasses__():
        if one.__module__ == messages.__name__:
            found |= {one} | subclasses(one)
    return found


def test_every_command_and_every_reply_is_in_the_table() -> None:
    assert set(COMMANDS) == subclasses(messages.Command)
    assert {reply for _, reply in messages.OPS.values()} == subclasses(messages.Reply) | {messages.Reply}


def test_every_event_is_in_the_union_and_every_entry_too() -> None:
    assert set(typing.get_args(messages.AnyEvent)) == subclasses(messages.Event) - {messages.Entry, messages.Said}
    assert set(typing.get_args(messages.AnyEntry)) == subclasses(messages.Entry) - {messages.Said}


def test_ops_and_kinds_are_words_joined_by_hyphens() -> None:
    kinds = [str(cls.__struct_config__.tag) for cls in typing.get_args(messages.AnyEvent)]
    assert len(set(kinds)) == len(kinds)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", word) for word in [*messages.OPS, *kinds])


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.op)
def test_everything_that_is_asked_is_bounded(command: type[messages.Command]) -> None:
    info = inspect.type_info(command)
    assert isinstance(info, inspect.StructType)
    for field in info.fields:
        kinds = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
        for kind in kinds:
            match kind:
                case inspect.StrType(max_length=bound) | inspect.BytesType(max_length=bound):
                    assert bound is not None, field.name
                case inspect.ListType(max_length=bound):
                    assert bound is not None, field.name
                case inspect.IntType(ge=low, le=high):
                    assert low is not None, field.name
                    assert high is not None, field.name
                case _:
                    assert isinstance(kind, (inspect.BoolType, inspect.LiteralType, inspect.NoneType)), field.name


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.op)
def test_a_command_does_not_use_the_names_of_the_envelope(command: type[messages.Command]) -> None:
    assert not {"op", "id", "as"} & set(command.__struct_encode_fields__)
    assert command.__struct_fields__ == command.__struct_encode_fields__
    assert command.__doc__


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.op)
def test_a_command_does_not_change(command: type[messages.Command]) -> None:
    made = msgspec.convert(VALID[command.op], command)
    assert made == msgspec.convert(VALID[command.op], command)
    with pytest.raises(AttributeError):
        setattr(made, "op", "other")  # noqa: B010


def test_there_is_a_well_formed_body_for_every_op() -> None:
    assert list(VALID) == list(messages.OPS)
    assert set(messages.OPS) >= WITHOUT_LOGIN
