"""Hostile text in every field of every operation: refused, or harmless by the time that somebody sees it."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from client.tui.text import clean
from common import codec, messages, texts
from common.errors import ChatError
from tests.faults.broker_process import BrokerProcess
from tests.faults.texts import ATTACKS, MEBIBYTE, NOT_UTF8, Place, harm, holds_text, places, strings
from tests.faults.zmtp import Violation
from tests.faults.zmtp_peer import Peer
from tests.generated import ROOT
from tests.support import bad_input, unlimited
from tests.support.loopback import RawClient
from tests.support.patience import PATIENCE_MS, PATIENCE_S

MAY_HOLD_ANYTHING = {("message", "text"), ("direct", "text")}
"""Kinds of entries, and their field that is kept as it was written: whoever shows it makes it harmless."""


@pytest.fixture(scope="module")
def broker() -> Iterator[BrokerProcess]:
    # What a hundred people do in a day is done here in a second.
    with BrokerProcess(unlimited.toml()) as broker:
        yield broker


@pytest.fixture(scope="module")
def ana(broker: BrokerProcess) -> Iterator[RawClient]:
    """The victim: in the same rooms as the attacker, hearing all that is said there."""
    with RawClient(broker.address) as ana:
        ana.register("ana")
        ana.enter("lobby", "@ana")
        yield ana


@pytest.fixture(scope="module")
def eva(broker: BrokerProcess, ana: RawClient) -> Iterator[RawClient]:
    """The attacker, with a room of her own."""
    with RawClient(broker.address) as eva:
        eva.register("eva")
        eva.ask(messages.Create(room="den", kept=True))
        ana.ask(messages.Join(room="den"))
        ana.enter("den")
        yield eva


def test_no_place_for_a_text_is_forgotten() -> None:
    found = set(places())
    assert Place("send", "text") in found
    assert Place("register", "gender") in found, "one of several words is a text, too"
    assert Place("hello", "client") in found
    for op, (command, _) in messages.OPS.items():
        assert (op, "as") in found
        for field in msgspec.structs.fields(command):
            value = msgspec.inspect.type_info(field.type)
            assert ((op, field.encode_name) in found) == holds_text(value)


def body(place: Place, value: Any) -> dict[str, Any]:
    """A request that means well but for one field."""
    fresh: dict[str, Any] = {"nonce": secrets.token_bytes(16)} if place.op in ("send", "direct") else {}
    if place.op in ("subject", "send"):
        fresh["room"] = "den"
    if place.op in ("create", "register"):
        name = "login" if place.op == "register" else "room"
        fresh[name] = f"x{secrets.token_hex(5)}"
    return {"op": place.op, "id": bad_input.NUMBER, **bad_input.VALID[place.op], **fresh, place.field: value}


def answered(client: RawClient, frame: bytes) -> Any:
    client.dealer.send(frame)
    assert client.dealer.poll(PATIENCE_MS), f"no answer to {frame[:200]!r}"
    return msgspec.msgpack.decode(client.dealer.recv())


def test_every_text_is_refused_or_harmless(broker: BrokerProcess, ana: RawClient, eva: RawClient) -> None:
    with RawClient(broker.address) as stranger:
        stranger.hello()
        for place in places():
            for name, attack in ATTACKS.items():
                who = stranger if place.op in bad_input.WITHOUT_LOGIN else eva
                reply = answered(who, msgspec.msgpack.encode(body(place, attack)))
                if not reply["ok"]:
                    assert harm(reply["error"]["message"]) == set(), (place, name)
                elif place.op == "register":
                    stranger.ask(messages.Logout())
            for name, raw in NOT_UTF8.items():
                marked = msgspec.msgpack.encode(body(place, "MARK"))
                frame = marked.replace(b"\xa4MARK", bytes([0xA0 + len(raw)]) + raw)
                assert frame != marked
                reply = answered(eva, frame)
                assert not reply["ok"], (place, name)
                assert harm(reply["error"]["message"]) == set()
    look_around(ana)
    assert harm(broker.log_text(), lines=True) == set(), "nor is anything in the operator's log"


def look_around(ana: RawClient) -> None:
    """All that the broker hands on to somebody else: lists, profiles, history, events."""
    asked: list[messages.Command] = [messages.Rooms(), messages.Users(), messages.Sessions()]
    asked += [messages.Members(room="den"), messages.Profile(login="eva"), messages.Hello(versions=[1])]
    asked += [messages.History(log=log) for log in ("lobby", "den", "@ana")]
    for command in asked:
        ana.dealer.send(codec.encode_request(1, command))
        assert ana.dealer.poll(PATIENCE_MS)
        inspect(msgspec.msgpack.decode(ana.dealer.recv()))
    ana.say("lobby", "barrier")
    heard = 0
    while ana.sub.poll(PATIENCE_MS):
        _, _, event = ana.sub.recv().partition(b"\0")
        decoded = msgspec.msgpack.decode(event)
        heard += 1
        if decoded.get("text") == "barrier":
            break
        inspect(decoded)
    assert heard > len(ATTACKS), "there was something to hear"


def inspect(value: Any) -> None:
    """Harmless as it is, but for what people write to each other, which is harmless once it is cleaned."""
    if isinstance(value, dict):
        for field, each in value.items():
            if (value.get("kind"), field) in MAY_HOLD_ANYTHING:
                assert harm(texts.visible(each)) == set()
                assert harm(clean.text(each), lines=True) == set()
                assert harm(clean.line(each)) == set()
            else:
                inspect(each)
    elif isinstance(value, list):
        for each in value:
            inspect(each)
    for text in strings(value) if isinstance(value, str) else ():
        assert harm(text) == set(), repr(text)


def test_a_mebibyte_of_name_costs_the_connection_and_nothing_else(broker: BrokerProcess, ana: RawClient) -> None:
    for number, place in enumerate(places()):
        frame = msgspec.msgpack.encode(body(place, "n" * MEBIBYTE))
        with Peer(broker.address, source=f"127.60.0.{1 + number}").handshake() as peer:
            with suppress(Violation):
                peer.message(frame)
            assert peer.hung_up(), place
    assert ana.ask(messages.Ping()).ok
    assert broker.alive


def test_what_the_commands_print_holds_no_control_but_line_feeds(
    broker: BrokerProcess, ana: RawClient, eva: RawClient, tmp_path: Path
) -> None:
    said = [attack for attack in ATTACKS.values() if said_in(eva, attack)]
    assert len(said) > 10
    tail = ["tail", "--room", "lobby", "--count", "40"]
    for command in (tail, [*tail, "--json"], ["users"], ["rooms"]):
        printed = tertulia(broker, tmp_path, command).communicate(timeout=PATIENCE_S)[0]
        assert printed
        assert harm(printed.decode(), lines=True) == set(), command
    with tertulia(broker, tmp_path, ["--plain"]) as plain:
        assert plain.stdin is not None
        assert plain.stdout is not None
        plain.stdin.write(b"/msg eva hola\n")
        plain.stdin.flush()
        seen = b""
        while b"hola" not in seen:
            seen += os.read(plain.stdout.fileno(), 65_536)
        for attack in said:
            said_in(eva, attack)
        said_in(eva, "the last of them")
        while b"the last of them" not in seen:
            more = os.read(plain.stdout.fileno(), 65_536)
            assert more, "the terminal client ended"
            seen += more
        plain.stdin.close()
        seen += plain.stdout.read()
    assert plain.returncode == 0
    assert harm(seen.decode(), lines=True) == set()


def said_in(eva: RawClient, text: str) -> bool:
    """Whether a text may be said in the lobby, and then it is; and to Ana besides."""
    sent = eva.try_ask(messages.Send(room="lobby", text=text[:8_000], nonce=secrets.token_bytes(16)))
    eva.try_ask(messages.Direct(to="ana", text=text[:8_000], nonce=secrets.token_bytes(16)))
    return not isinstance(sent, ChatError)


def tertulia(broker: BrokerProcess, home: Path, arguments: list[str]) -> subprocess.Popen[bytes]:
    """The client as a process, Ana's."""
    settings = {"TERTULIA_ADDRESS": str(broker.address), "TERTULIA_LOGIN": "ana", "TERTULIA_PASSWORD": "correct horse"}
    homes = {name: str(home) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")}
    return subprocess.Popen(
        [sys.executable, "-m", "client", *arguments],
        cwd=ROOT,
        env={**os.environ, **settings, **homes},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
