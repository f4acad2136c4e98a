"""What a typed line means: the `#` commands of the assignment in every spelling, and mistakes that stay at home."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.typed.grammar import Call, Mistake, Say
from client.typed.table import TABLE


@pytest.mark.parametrize(
    ("line", "name", "values"),
    [
        ("#cR chess", "#cR", {"room": "chess"}),
        ("#CR chess", "#cR", {"room": "chess"}),
        ("#cr   #chess  ", "#cR", {"room": "chess"}),
        ("  #gR chess", "#gR", {"room": "chess"}),
        ("#eR", "#eR", {}),
        ("#exit", "#exit", {}),
        ("#EXIT", "#exit", {}),
        ("#lR", "#lR", {}),
        ("#dR canción", "#dR", {"room": "canción"}),
        ("#show users", "#show users", {}),
        ("#Show   Users", "#show users", {}),
        (r"#\private<ana> hi there", r"#\private", {"user": "ana", "text": "hi there"}),
        (r"#\private<ana>hi", r"#\private", {"user": "ana", "text": "hi"}),
        (r"#\private ana hi", r"#\private", {"user": "ana", "text": "hi"}),
        (r"#\private <ana> hi", r"#\private", {"user": "ana", "text": "hi"}),
        (r"#\private < ana > hi", r"#\private", {"user": "ana", "text": "hi"}),
        (r"#\privateana hi", r"#\private", {"user": "ana", "text": "hi"}),
        (r"#\PRIVATE<Ana> a > b", r"#\private", {"user": "Ana", "text": "a > b"}),
        ("#private ana hi", r"#\private", {"user": "ana", "text": "hi"}),
        ("/msg @ana one\ntwo", "/msg", {"user": "ana", "text": "one\ntwo"}),
        ("/m ana: hi", "/msg", {"user": "ana", "text": "hi"}),
        ("/msg ana\nhi", "/msg", {"user": "ana", "text": "hi"}),
        ("/msg ana", "/msg", {"user": "ana"}),
        ("/leave", "/leave", {}),
        ("/topic  Openings, -- and more ", "/topic", {"subject": "Openings, -- and more "}),
        ("/revoke 12", "/revoke", {"number": "12"}),
        ("/help #show users", "/help", {"command": "#show users"}),
        ("/exit", "/quit", {}),
    ],
)
def test_commands(line: str, name: str, values: dict[str, str]) -> None:
    call = TABLE.parse(line)
    assert isinstance(call, Call)
    assert call.spec.name == name
    assert dict(call.values) == values


def test_options_may_stand_before_and_after() -> None:
    for line in ("/create --keep --private chess", "/create chess --keep --private", "/create --KEEP chess --private"):
        call = TABLE.parse(line)
        assert isinstance(call, Call)
        assert call.values == {"room": "chess"}
        assert call.flags == {"--keep", "--private"}


@pytest.mark.parametrize(
    ("line", "text"),
    [("hello", "hello"), ("//etc/hosts", "/etc/hosts"), ("##tag", "#tag"), ("a #cR b", "a #cR b"), ("  x", "  x")],
)
def test_messages(line: str, text: str) -> None:
    assert TABLE.parse(line) == Say(text)


@pytest.mark.parametrize("line", ["", "  ", "\n \n"])
def test_nothing(line: str) -> None:
    assert TABLE.parse(line) is None


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("#gx chess", "#gR <room>"),
        ("/jion chess", "/join <room>"),
        ("#join chess", "/join <room>"),
        ("#showusers", "#show users"),
        ("#show rooms", "#show users"),
        ("/", "/help"),
        ("# heading", "##"),
        ("#!/bin/sh\nrm", "##"),
        ("/usr/bin/python is broken", "//"),
        ("#cR", "#cR <room>"),
        ("#cR my room", "my-room"),
        ("#cR a/b", "#cR <room>"),
        ("#eR chess", "too much"),
        (r"#\private ana", r"#\private<ana> hello"),
        (r"#\private<ana bob> hi", r"#\private<ana> hello"),
        (r"#\private<>", r"#\private<ana> hello"),
        (r"#\private< > hi", r"#\private<ana> hello"),
        ("/create --forever chess", "--keep"),
        ("/join --keep chess", "no options"),
        ("/revoke twelve", "no number"),
        ("/revoke ١٢", "no number"),
    ],
)
def test_mistakes_say_what_to_type(line: str, advice: str) -> None:
    mistake = TABLE.parse(line)
    assert isinstance(mistake, Mistake)
    assert advice in "\n".join(mistake.lines)


@given(st.text())
def test_what_begins_like_a_command_is_never_said(text: str) -> None:
    for sign in "#/":
        parsed = TABLE.parse(sign + text)
        assert not isinstance(parsed, Say) or text.startswith(sign)


def test_every_example_is_a_call_of_its_command() -> None:
    for spec in TABLE:
        call = TABLE.parse(spec.example)
        assert isinstance(call, Call), spec.name
        assert call.spec is spec
        assert spec.help.endswith(".")
        assert spec.usage.startswith(spec.name)


def test_the_commands_of_the_assignment_are_there() -> None:
    usages = {spec.usage for spec in TABLE if spec.name.startswith("#")}
    assert usages == {
        "#cR <room>",
        "#gR <room>",
        "#eR",
        "#exit",
        "#lR",
        "#dR <room>",
        "#show users",
        r"#\private<user> <text>",
    }


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("/reply ^12 yes", {"message": "^12", "text": "yes"}),
        ("/reply ^ana yes\nno", {"message": "^ana", "text": "yes\nno"}),
        ("/reply 5 apples", {"text": "5 apples"}),
        ("/reply @bob is right", {"text": "@bob is right"}),
        ("/edit", {}),
        ("/edit ^12", {"message": "^12"}),
        ("/react :+1:", {"emoji": ":+1:"}),
        ("/react ^ 👍", {"message": "^", "emoji": "👍"}),
        ("/notify ALL", {"level": "all"}),
        ("/search --here two words", {"words": "two words"}),
    ],
)
def test_messages_and_choices_as_arguments(line: str, values: dict[str, str]) -> None:
    call = TABLE.parse(line)
    assert isinstance(call, Call)
    assert call.values == values


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/notify sometimes", "'sometimes' is none of all, mentions, off."),
        ("/react", "/react needs"),
        ("/delete", "/delete needs a room's name."),
        ("/goto", "/goto needs"),
        ("/retract this", "/retract takes no more than that"),
    ],
)
def test_what_is_no_message_and_no_choice(line: str, said: str) -> None:
    mistake = TABLE.parse(line)
    assert isinstance(mistake, Mistake)
    assert said in mistake.lines[0]
    assert "for example: " in mistake.lines[1]
