"""Outgoing webhooks, from a person at a real broker through the gateway's process to a real HTTP server."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import json
import random
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from client import ChatClient
from client.cli import main
from client.link.room import Room
from client.web.rooms import Rooms
from client.web.webhooks import bounds
from client.web.webhooks.cursors import Cursors
from client.web.webhooks.hooks import Outgoing, read
from client.web.webhooks.outgoing import Delivery
from client.web.webhooks.payloads import Event
from client.web.webhooks.sending import Sender
from tests.support.gateway import PASSWORD, Broker, Program, broker, gateway, make_hook
from tests.support.patience import PATIENCE_S


class Receiver:
    """A server that keeps what it is sent, and answers as it was told to."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[tuple[dict[str, Any], web.Request, bytes]] = asyncio.Queue()
        self.answers: list[web.Response] = []
        """What it answers next; 204 once there is none left."""

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.came.put_nowait((json.loads(body), request, body))
        return self.answers.pop(0) if self.answers else web.Response(status=204)

    async def next(self) -> dict[str, Any]:
        """The next event that came."""
        async with asyncio.timeout(PATIENCE_S):
            return (await self.came.get())[0]


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    """A receiver and its URL."""
    made = Receiver()
    app = web.Application()
    app.router.add_post("/take", made.take)
    async with TestServer(app, host="127.0.0.1") as server:
        yield made, str(server.make_url("/take"))


@pytest.fixture
async def room(ana: ChatClient) -> Room:
    found = ana.room("lobby")
    assert found is not None
    return found


LOCAL = ("--allow-private", "--allow-http")


async def started(program: Program, *hooks: str) -> str:
    """The URL of a gateway once its outgoing hooks are at work."""
    url = await asyncio.to_thread(program.line)
    assert url, program.words()
    for hook in hooks:
        await asyncio.to_thread(program.says, f"event=hook-begins hook={hook} ")
    return url


async def test_what_happens_in_a_room_is_posted_signed_and_in_order(
    running: Broker,
    hooks: Path,
    tmp_path: Path,
    room: Room,
    ana: ChatClient,
    receiver: tuple[Receiver, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    taker, url = receiver
    events = "join,leave,reaction,retract,edit,message"
    secret = make_hook(
        capsys, hooks, "out", "--room", "lobby", "--name", "log", "--url", url, "--events", events, *LOCAL
    )
    with gateway(tmp_path / "log", running, hooks) as program:
        await started(program, "log")
        first = await room.send("hola\ntodos")
        told, request, body = await taker.came.get()
        assert told == {
            "text": "ana: hola\ntodos",
            "content": "ana: hola\ntodos",
            "allowed_mentions": {"parse": []},
            "event": "message",
            "user_name": "ana",
            "channel_name": "lobby",
            "timestamp": first.time,
            "seq": first.seq,
            "id": told["id"],
        }
        stamp = request.headers["X-Tertulia-Timestamp"]
        assert abs(int(stamp) - time.time()) < 60
        signed = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        assert request.headers["X-Tertulia-Signature"] == f"sha256={signed}"
        assert request.headers["X-Tertulia-Delivery"] == told["id"]
        assert request.headers["X-Tertulia-Event"] == "message"
        assert request.content_type == "application/json"
        await room.edit(first.seq, "hello")
        said = [await taker.next()]
        await room.react(first.seq, "👍")
        await room.react(first.seq, "👍", on=False)
        await room.retract(first.seq)
        said += [await taker.next() for _ in range(3)]
        assert [(each["event"], each["text"], each["target"]) for each in said] == [
            ("edit", "ana edited a message: hello", first.seq),
            ("reaction", "ana put 👍 to a message", first.seq),
            ("reaction", "ana took 👍 away from a message", first.seq),
            ("retract", "ana took a message back", first.seq),
        ]
        assert said[0]["text"] == "ana edited a message: hello"
        assert len({each["id"] for each in (told, *said)}) == 5
        running.register("bruno")
        async with ChatClient(running.address, "bruno", PASSWORD):
            come = await taker.next()
            assert (come["event"], come["text"], come["user_name"]) == ("join", "bruno came in", "bruno")
        gone = await taker.next()
        assert (gone["event"], gone["text"]) == ("leave", "bruno left")
        assert await asyncio.to_thread(program.end) == 0
    assert url.rpartition("/")[2] not in program.words().replace("hook-take", "")
    assert secret not in program.words()


async def test_what_programs_said_goes_out_by_no_hook(
    running: Broker,
    hooks: Path,
    tmp_path: Path,
    room: Room,
    ana: ChatClient,
    receiver: tuple[Receiver, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    taker, url = receiver
    make_hook(
        capsys, hooks, "out", "--room", "lobby", "--name", "log", "--url", url, "--events", "message,edit", *LOCAL
    )
    path = make_hook(capsys, hooks, "in", "--room", "lobby", "--name", "ci").removeprefix("http://127.0.0.1:8570")
    with gateway(tmp_path / "log", running, hooks) as program:
        base = await started(program, "log")
        async with aiohttp.ClientSession(base) as http, http.post(path, json={"text": "from outside"}) as answer:
            assert answer.status == 200
        program_said = await ana.post(room, "of a program", hops=1)
        await room.edit(program_said.seq, "of a program still")
        await room.send("of a person")
        assert (await taker.next())["text"] == "ana: of a person"


async def test_what_was_not_taken_is_sent_again_in_order_and_what_is_refused_for_good_is_passed_over(
    running: Broker,
    hooks: Path,
    tmp_path: Path,
    room: Room,
    receiver: tuple[Receiver, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    taker, url = receiver
    make_hook(capsys, hooks, "out", "--room", "lobby", "--name", "log", "--url", url, *LOCAL)
    taker.answers = [
        web.Response(status=500),
        web.Response(status=302, headers={"Location": url}),
        web.Response(status=204),
        web.Response(status=422),
        web.Response(status=429, headers={"Retry-After": "1"}),
    ]
    with gateway(tmp_path / "log", running, hooks) as program:
        await started(program, "log")
        for word in ("one", "two", "three"):
            await room.send(word)
        came = [await taker.next() for _ in range(6)]
    assert [each["text"] for each in came] == [f"ana: {word}" for word in "one one one two three three".split()]
    assert came[0]["id"] == came[1]["id"] == came[2]["id"]
    assert "cause=422" in program.words()
    assert "given_up=True" in program.words()


async def test_what_was_taken_back_while_it_waited_is_not_sent_and_what_was_edited_as_it_is_now(
    running: Broker,
    hooks: Path,
    tmp_path: Path,
    room: Room,
    receiver: tuple[Receiver, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    taker, url = receiver
    events = ("--events", "message,edit,retract")
    make_hook(capsys, hooks, "out", "--room", "lobby", "--name", "log", "--url", url, *LOCAL, *events)
    taker.answers = [web.Response(status=503, headers={"Retry-After": "4"})]
    with gateway(tmp_path / "log", running, hooks) as program:
        await started(program, "log")
        taken_back = await room.send("a slip of the tongue")
        assert (await taker.next())["text"] == "ana: a slip of the tongue"
        behind, edited = await room.send("another one"), await room.send("a typo")
        await room.edit(behind.seq, "another one, edited")
        await room.edit(edited.seq, "no typo")
        await room.retract(taken_back.seq)
        await room.retract(behind.seq)
        await room.send("the end")
        came = [await taker.next()]
        while came[-1]["text"] != "ana: the end":
            came.append(await taker.next())
    told = [(each["event"], each["text"].partition(": ")[2]) for each in came]
    retracted = ("retract", "")
    assert told == [("message", "no typo"), ("edit", "no typo"), retracted, retracted, ("message", "the end")]


async def test_a_hook_leads_nowhere_private_unless_it_may(
    running: Broker,
    hooks: Path,
    tmp_path: Path,
    room: Room,
    receiver: tuple[Receiver, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    taker, url = receiver
    make_hook(capsys, hooks, "out", "--room", "lobby", "--name", "log", "--url", url, "--allow-http")
    with gateway(tmp_path / "log", running, hooks) as program:
        await started(program, "log")
        await room.send("to this machine")
        await asyncio.to_thread(program.says, "cause=address-not-public")
    assert taker.came.empty()


@pytest.mark.parametrize("seed", range(3))
async def test_after_kill_9_at_any_moment_nothing_is_missed_and_the_order_is_kept(
    seed: int, tmp_path: Path, hooks: Path, receiver: tuple[Receiver, str], capsys: pytest.CaptureFixture[str]
) -> None:
    taker, url = receiver
    chance = random.Random(seed)
    with broker(tmp_path / "data", "ana") as running:
        make_hook(capsys, hooks, "out", "--room", "lobby", "--name", "log", "--url", url, *LOCAL)
        async with ChatClient(running.address, "ana", PASSWORD) as ana:
            room = ana.room("lobby")
            assert room is not None
            with gateway(tmp_path / "log", running, hooks) as program:
                await started(program, "log")

            async def talk() -> None:
                for number in range(60):
                    await room.send(str(number))
                    await asyncio.sleep(chance.random() / 20)

            talking = asyncio.create_task(talk())
            came: list[dict[str, Any]] = []
            for _ in range(3):
                with gateway(tmp_path / "log", running, hooks) as program:
                    for _ in range(chance.randint(1, 12)):
                        came.append(await taker.next())
                    program.end(signal.SIGKILL)
            await talking
            with gateway(tmp_path / "log", running, hooks) as program:
                while not came or came[-1]["text"] != "ana: 59":
                    came.append(await taker.next())
                assert await asyncio.to_thread(program.end) == 0
    seen: dict[str, str] = {}
    for each in came:
        seen.setdefault(each["id"], each["text"])
    assert list(seen.values()) == [f"ana: {number}" for number in range(60)]
    assert len(came) - len(seen) <= 3, "of each kill, at most what was under way is sent again"


async def test_what_cannot_be_delivered_for_long_is_given_up_and_what_is_behind_it_as_well(
    ana: ChatClient, receiver: tuple[Receiver, str], tmp_path: Path, hooks: Path, caplog: pytest.LogCaptureFixture
) -> None:
    taker, url = receiver
    hook = Outgoing(
        id="0" * 16, name="log", room="lobby", url=url, events=("message",), secret="s", private=True, plain=True
    )
    sender, cursors = Sender(), Cursors(hooks)
    try:
        delivery = Delivery(hook, ana, Rooms(ana), cursors, sender)
        old = ana.clock.now() - bounds.GIVE_UP_H * 3_600_000 - 1
        taker.answers = [web.Response(status=500) for _ in range(2)]
        assert await delivery.send(Event("message", b'{"id": "first"}', old, "first", 1))
        assert await delivery.send(Event("message", b'{"id": "second"}', old, "second", 2))
        assert await delivery.send(Event("message", b'{"id": "third"}', ana.clock.now(), "third", 3))
        assert await delivery.send(Event("message", b'{"id": "fourth"}', old, "fourth", 4))
        came = [(await taker.next())["id"] for _ in range(taker.came.qsize())]
        assert came == ["first", "third", "third", "fourth"], "an old one is tried as long as nothing has failed"
        assert [each.fields["id"] for each in caplog.records if each.getMessage() == "hook-gave-up"] == [  # type: ignore[attr-defined]
            "first",
            "second",
        ]
    finally:
        await sender.close()
        cursors.close()


async def test_what_was_said_while_the_gateway_could_not_reach_the_broker_goes_out_once_it_can(
    tmp_path: Path, hooks: Path, receiver: tuple[Receiver, str], capsys: pytest.CaptureFixture[str]
) -> None:
    taker, url = receiver
    make_hook(capsys, hooks, "out", "--room", "lobby", "--name", "log", "--url", url, *LOCAL)
    with broker(tmp_path / "data", "ana") as running, gateway(tmp_path / "log", running, hooks) as program:
        await started(program, "log")
        program.process.send_signal(signal.SIGSTOP)  # it hears nothing, as if the cable were cut
        await asyncio.to_thread(running.end, signal.SIGKILL)
        back = await asyncio.to_thread(running.again)
        try:
            async with ChatClient(back.address, "ana", PASSWORD) as ana:
                room = ana.room("lobby")
                assert room is not None
                for number in range(3):
                    await room.send(str(number))
                program.process.send_signal(signal.SIGCONT)
                assert [(await taker.next())["text"] for _ in range(3)] == ["ana: 0", "ana: 1", "ana: 2"]
            assert await asyncio.to_thread(program.end) == 0
        finally:
            await asyncio.to_thread(back.end)


def test_a_url_that_is_a_secret_comes_by_the_input_and_is_listed_nowhere(
    hooks: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "https://hooks.example.org/services/T0/B0/secret"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{url}\n"))
    make_hook(capsys, hooks, "out", "--room", "lobby", "--name", "log", "--url", "-")
    assert [hook.url for hook in read(hooks).outgoing] == [url]
    assert main(["web", "hook", "list", "--hooks", str(hooks)]) == 0
    assert capsys.readouterr().out == "log  out  lobby  hooks.example.org  message\n"


async def test_one_process_at_a_time_works_with_a_file_of_hooks(
    running: Broker, hooks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = tmp_path / "link" / "hooks.json"
    await asyncio.to_thread(link.parent.mkdir)
    await asyncio.to_thread(link.symlink_to, hooks)
    make_hook(capsys, link, "in", "--room", "lobby", "--name", "ci")
    assert await asyncio.to_thread(link.is_symlink), "what the link leads to was written, and not the link"
    assert [hook.name for hook in read(hooks).incoming] == ["ci"]
    with gateway(tmp_path / "log", running, hooks) as first:
        await started(first)
        with gateway(tmp_path / "second", running, link) as second:
            assert await asyncio.to_thread(second.process.wait, 30) == 2
            assert "another process works with these hooks" in second.words()
        assert await asyncio.to_thread(first.end, signal.SIGINT) == 0


async def test_how_it_ends_tells_why(hooks: Path, tmp_path: Path) -> None:
    with broker(tmp_path / "data") as running:
        key = running.key("hooks")
        with gateway(tmp_path / "two", running, hooks, "--address", "elsewhere") as program:
            assert await asyncio.to_thread(program.process.wait, 30) == 2
            assert "leave out --login and --address" in program.words()
        with gateway(tmp_path / "log", running, hooks) as program:
            await started(program)
            await asyncio.to_thread(running.operator, "bot", "revoke", "hooks")
            assert await asyncio.to_thread(program.process.wait, 30) == 1
            assert "session has ended" in program.words()
        with gateway(tmp_path / "revoked", running, hooks) as program:
            assert await asyncio.to_thread(program.process.wait, 30) == 1
            assert "The broker does not know this key" in program.words()
    with gateway(tmp_path / "gone", running, hooks) as program:
        assert await asyncio.to_thread(program.process.wait, 30) == 3
    key.write_text("nothing")
    with gateway(tmp_path / "damaged", running, hooks) as program:
        assert await asyncio.to_thread(program.process.wait, 30) == 2
        assert "is no key file" in program.words()
