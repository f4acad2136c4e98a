"""What the broker does for programs, on real sockets: loops are stopped, the store outlives a kill, order is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from broker.app import EmbeddedBroker
from broker.chat.bots import AddBot
from broker.datadir import DataDir
from broker.wire.operator_client import OperatorClient
from common import messages as m
from common.addresses import Address, parse
from common.errors import Forbidden, Loop
from common.keys import generate
from common.limits import HOPS
from tests.support.loopback import RawClient

SCOPES = ["read:*", "write:*", "direct", "admin"]


def program(broker: EmbeddedBroker, login: str) -> RawClient:
    """A bot that the operator has made, logged in by its key and hearing the lobby and its inbox."""
    keys = generate()
    with OperatorClient(DataDir(broker.data_dir).operator) as operator:
        operator.ask(AddBot(login=login, key=keys.public, key_name="test", scopes=SCOPES))
    client = RawClient(broker.address, keys)
    welcome = client.hello()
    assert welcome.session is not None
    assert welcome.session.bot
    client.enter("lobby", f"@{login}")
    return client


@pytest.fixture
def ana(broker: EmbeddedBroker) -> Iterator[RawClient]:
    """A person in the lobby."""
    with RawClient(broker.address) as ana:
        ana.register("ana")
        ana.enter("lobby", "@ana")
        yield ana


@contextmanager
def two_programs(broker: EmbeddedBroker) -> Iterator[tuple[RawClient, RawClient]]:
    with ExitStack() as stack:
        yield stack.enter_context(program(broker, "echo")), stack.enter_context(program(broker, "parrot"))


def answers_until_refused(first: str, bots: tuple[RawClient, RawClient], *, honest: bool, private: bool = False) -> int:
    """Echo answers what `first` said, and each bot what the other says, for as long as it may; how often one did.

    Honest ones declare one hop more than what they answer has; the others declare none, and answer with `reply_to`.
    """
    speakers = ("parrot", "echo")
    done = 0
    while done <= HOPS:
        bot, other = bots[done % 2], speakers[done % 2] if done else first
        heard = bot.event(m.DirectMessage if private else m.Message)
        while heard.sender != other:
            heard = bot.event(type(heard))
        fields: dict[str, Any] = {"hops": heard.hops + 1} if honest else {"hops": 0, "reply_to": heard.seq}
        fields |= {"text": "and so?", "nonce": os.urandom(16)}
        answer = bot.try_ask(m.Direct(to=other, **fields) if private else m.Send(room="lobby", **fields))
        if isinstance(answer, Loop):
            return done
        assert isinstance(answer, m.Sent), answer
        done += 1
    raise AssertionError("nobody stops them")


@pytest.mark.parametrize("honest", [True, False], ids=["honest", "lying"])
def test_two_programs_that_answer_one_another_are_stopped(broker: EmbeddedBroker, ana: RawClient, honest: bool) -> None:
    with two_programs(broker) as bots:
        ana.say("lobby", "who is there?")
        assert answers_until_refused("ana", bots, honest=honest) == HOPS
        entries = ana.ask(m.History(log="lobby")).entries
        assert [entry.hops for entry in entries] == list(range(HOPS + 1))
        # A person says something, and they may again.
        ana.say("lobby", "enough")
        newest = ana.ask(m.History(log="lobby", limit=1)).entries[0]
        fields: dict[str, Any] = {"hops": newest.hops + 1} if honest else {"hops": 0, "reply_to": newest.seq}
        assert bots[0].ask(m.Send(room="lobby", text="as you like", nonce=os.urandom(16), **fields)).seq


@pytest.mark.parametrize("honest", [True, False], ids=["honest", "lying"])
def test_in_private_too(broker: EmbeddedBroker, honest: bool) -> None:
    with two_programs(broker) as bots:
        bots[1].ask(m.Direct(to="echo", text="psst", nonce=os.urandom(16)))
        assert answers_until_refused("parrot", bots, honest=honest, private=True) == HOPS - 1, (
            "the first was a program's"
        )
        found = bots[0].ask(m.History(log="@echo")).entries
        assert [entry.hops for entry in found] == list(range(1, HOPS + 1))


def test_who_keeps_order_does_so_and_nobody_else(broker: EmbeddedBroker, ana: RawClient) -> None:
    with program(broker, "warden") as warden, RawClient(broker.address) as bob, RawClient(broker.address) as eva:
        for client, login in ((bob, "bob"), (eva, "eva")):
            client.register(login)
        ana.ask(m.Create(room="den", kept=True))
        for client in (warden, bob, eva):
            client.ask(m.Join(room="den"))
            client.enter("den")
        bob.enter("@bob")
        said = bob.say("den", "buy now")
        take_back = m.Retract(log="den", seq=said.seq, nonce=os.urandom(16))
        with pytest.raises(Forbidden):
            warden.ask(take_back)
        with pytest.raises(Forbidden):
            bob.ask(m.Moderate(room="den", login="bob"))
        ana.ask(m.Moderate(room="den", login="warden"))
        event = eva.event(m.ModeratorsChanged, "den")
        assert (event.by, event.moderators) == ("ana", ["warden"])
        warden.ask(take_back)
        assert eva.event(m.Retracted, "den").target == said.seq
        warden.ask(m.Subject(room="den", subject="No adverts"))
        assert eva.event(m.SubjectChanged, "den").by == "warden"
        warden.ask(m.Remove(room="den", login="bob"))
        assert bob.event(m.LeftRoom).reason == "removed"
        for mine in (m.Delete(room="den"), m.Remove(room="den", login="ana"), m.Moderate(room="den", login="eva")):
            with pytest.raises(Forbidden):
                warden.ask(mine)
        ana.ask(m.Moderate(room="den", login="warden", on=False))
        with pytest.raises(Forbidden):
            warden.ask(m.Remove(room="den", login="eva"))
        members = [(view.login, view.bot) for view in ana.ask(m.Members(room="den")).members]
        assert members == [("ana", False), ("eva", False), ("warden", True)]


def test_a_mark_of_the_inbox_is_where_a_program_goes_on(broker: EmbeddedBroker, ana: RawClient) -> None:
    keys = generate()
    with OperatorClient(DataDir(broker.data_dir).operator) as operator:
        operator.ask(AddBot(login="clerk", key=keys.public, key_name="test", scopes=["direct"]))
    seen = []
    for text in ("one", "two", "three"):
        with RawClient(broker.address, keys) as clerk:
            session = clerk.hello().session
            assert session is not None
            done = next((talk.read for talk in session.talks if talk.talk == "@clerk"), 0)
            ana.ask(m.Direct(to="clerk", text=text, nonce=os.urandom(16)))
            entries = clerk.ask(m.History(log="@clerk", after=done)).entries
            seen += [entry.text for entry in entries]
            clerk.ask(m.Mark(talk="@clerk", read=entries[-1].seq))
    assert seen == ["one", "two", "three"]


@contextmanager
def broker_process(data: Path) -> Iterator[tuple[Address, subprocess.Popen[str]]]:
    """A broker in a process of its own, killed at the end if it was not before."""
    command = [sys.executable, "-m", "broker", "serve", "--listen", "127.0.0.1", "--port", "0", "--data-dir", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield parse(process.stdout.readline()), process
        finally:
            process.kill()


def test_what_was_acknowledged_is_kept_when_the_broker_is_killed(tmp_path: Path) -> None:
    keys = generate()
    kept: dict[str, bytes] = {}
    for run in range(3):
        with broker_process(tmp_path) as (address, process):
            with RawClient(address, keys) as ana:
                if run == 0:
                    ana.register("ana")
                else:
                    ana.hello()
                for key, value in kept.items():
                    assert ana.ask(m.StoreGet(key=key)).value == value
                listed = ana.ask(m.StoreList())
                assert listed.keys == sorted(kept)
                assert listed.bytes == sum(len(key.encode()) + len(value) for key, value in kept.items())
                for number in range(20):
                    key, value = f"score {number}", os.urandom(500)
                    ana.ask(m.StorePut(key=key, value=value))
                    kept[key] = value
                ana.ask(m.StorePut(key=f"score {run}", value=None))
                del kept[f"score {run}"]
                for number in range(20):
                    ana.send(m.StorePut(key=f"unheard {run}", value=str(number).encode()))
            process.kill()
            process.wait()
        # Of what was never acknowledged, some is there: in the order in which it was asked, and never half.
        with broker_process(tmp_path) as (address, _), RawClient(address, keys) as ana:
            ana.hello()
            found = ana.ask(m.StoreGet(key=f"unheard {run}")).value
            assert found is None or found in [str(number).encode() for number in range(20)]
            ana.ask(m.StorePut(key=f"unheard {run}", value=None))
