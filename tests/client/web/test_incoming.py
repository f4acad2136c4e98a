"""Incoming webhooks, from a real HTTP client through the gateway's process to a real broker and a person there."""

from __future__ import annotations

import asyncio
import gzip
import json
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from client import ChatClient
from client.cli import main
from client.link.room import Room
from client.web.webhooks import bounds
from common.messages import Message
from tests.support.gateway import PASSWORD, Broker, Program, broker, gateway, make_hook
from tests.support.patience import PATIENCE_S


@pytest.fixture
def path(hooks: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The secret path of a hook of the lobby."""
    url = make_hook(capsys, hooks, "in", "--room", "lobby", "--name", "ci", "--public", "https://chat.example.org/")
    assert url.startswith("https://chat.example.org/hook/")
    return url.removeprefix("https://chat.example.org")


@pytest.fixture
def web(running: Broker, hooks: Path, path: str, tmp_path: Path) -> Iterator[Program]:
    with gateway(tmp_path / "log", running, hooks) as started:
        yield started


@pytest.fixture
async def http(web: Program) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the gateway."""
    url = await asyncio.to_thread(web.line)
    async with aiohttp.ClientSession(url) as session:
        yield session


@pytest.fixture
def heard(ana: ChatClient) -> Heard:
    room = ana.room("lobby")
    assert room is not None
    return Heard(room)


class Heard:
    """What Ana hears in a room."""

    def __init__(self, room: Room) -> None:
        self._messages = room.messages()

    async def next(self) -> Message:
        async with asyncio.timeout(PATIENCE_S):
            return await anext(self._messages)


async def test_what_is_posted_is_said_and_acknowledged_once_it_is_on_disk(
    http: aiohttp.ClientSession, path: str, heard: Heard, ana: ChatClient, web: Program
) -> None:
    for post, said in (
        ({"json": {"text": "build 7 is green", "username": "CI"}}, "CI: build 7 is green"),
        ({"data": {"payload": json.dumps({"text": "a form"})}}, "a form"),
        ({"data": {"text": "fields"}}, "fields"),
        ({"data": b"plain", "headers": {"Content-Type": "text/plain"}}, "plain"),
        (
            {
                "json": {"repository": {"full_name": "ana/web"}, "sender": {"login": "ana"}},
                "headers": {"X-GitHub-Event": "ping"},
            },
            "ana/web tells its events here now",
        ),
    ):
        async with http.post(path, **post) as answer:  # type: ignore[arg-type]
            assert (answer.status, await answer.text()) == (200, "ok")
        room = ana.room("lobby")
        assert room is not None
        assert (await room.history(limit=1))[0].text == said
        message = await heard.next()
        assert (message.sender, message.text) == ("hooks", said)
        assert message.hops == 1, "so that no program takes it for a person's"
    async with http.post(path, json={"text": "x" * 9_000}) as answer:
        assert answer.status == 200
    assert [len((await heard.next()).text), len((await heard.next()).text)] == [8_000, 1_000]
    assert path.removeprefix("/hook/") not in web.words()


async def test_who_does_not_know_a_secret_learns_nothing(http: aiohttp.ClientSession, path: str) -> None:
    answers = set()
    for wrong in ("/hook/x", path[:-1], f"{path}x", "/hook/%00", f"/hook/{path[6:].upper()}"):
        async with http.post(wrong, json={"text": "x"}) as answer:
            answers.add((answer.status, await answer.text()))
    assert answers == {(404, "There is no such hook.")}
    async with http.get(path) as answer:
        assert answer.status == 405
    async with http.post(f"{path}/more", json={"text": "x"}) as answer:
        assert answer.status == 404


async def test_what_is_wrong_is_answered_with_a_sentence(http: aiohttp.ClientSession, path: str, web: Program) -> None:
    async with http.post(path, data=b"{", headers={"Content-Type": "application/json"}) as answer:
        assert (answer.status, "no JSON" in await answer.text()) == (400, True)
    async with http.post(path, data=b"x", headers={"Content-Type": "image/png"}) as answer:
        assert (answer.status, "expected application/json" in await answer.text()) == (415, True)
    async with http.post(path, data=b" " * (bounds.BODY_BYTES + 1)) as answer:
        assert (answer.status, str(bounds.BODY_BYTES) in await answer.text()) == (413, True)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b" " * 65_536

    try:
        async with http.post(path, data=endless()) as answer:
            assert answer.status == 413
    except aiohttp.ClientConnectionError:
        pass  # it hung up on us while we still wrote
    async with http.get("/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"broker": "live"})


async def test_what_cannot_be_read_says_nothing_in_the_log_least_of_all_a_secret(
    http: aiohttp.ClientSession, path: str, web: Program
) -> None:
    port = URL(str(http._base_url)).port

    async def answered(request: str, body: bytes = b"") -> int:
        """The status of the answer; 0 if it hangs up at once."""
        head = f"POST {request}\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        head += "Content-Encoding: gzip\r\n\r\n" if body else "\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(head.encode() + body)
            async with asyncio.timeout(PATIENCE_S):
                return int((await reader.readline()).split()[1])
        finally:
            writer.close()

    whole = f"{path} HTTP/1.1"
    assert await answered(whole, gzip.compress(b'{"text": "packed"}')) == 200
    assert await answered(whole, gzip.compress(b" " * 10_000_000)) == 413, "what is packed counts as what comes out"
    assert await answered(whole, b"not packed") == 400
    for wrong in (f"{path}?{'a' * 9_000} HTTP/1.1", f"{path}\x01 HTTP/1.1", f"{path} HTP/9", path):
        assert await answered(wrong) == 400
    _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f'POST {whole}\r\nHost: x\r\nContent-Length: 50\r\n\r\n{{"text'.encode())
    await writer.drain()
    writer.transport.abort()
    async with http.get("/healthz") as health:
        assert health.status == 200
    await asyncio.to_thread(web.says, " event=hook-refused hook=ci status=400\n")
    assert path.removeprefix("/hook/") not in web.words()
    assert "raceback" not in web.words()


async def test_who_calls_too_often_has_to_wait(http: aiohttp.ClientSession, path: str) -> None:
    statuses = []
    for _ in range(int(bounds.RATE.burst) + 20):
        async with http.post(path, data=b"") as answer:
            statuses.append(answer.status)
            if answer.status == 429:
                assert int(answer.headers["Retry-After"]) >= 1
    assert set(statuses) == {400, 429}
    assert statuses.index(429) >= bounds.RATE.burst


async def test_a_hook_is_there_as_soon_as_it_is_made_and_gone_as_soon_as_it_is_removed(
    http: aiohttp.ClientSession, path: str, hooks: Path, capsys: pytest.CaptureFixture[str], heard: Heard
) -> None:
    url = make_hook(capsys, hooks, "in", "--room", "lobby", "--name", "second")
    second = url.removeprefix("http://127.0.0.1:8570")
    async with http.post(second, json={"text": "second"}) as answer:
        assert answer.status == 200
    assert (await heard.next()).text == "second"
    assert main(["web", "hook", "remove", "SECOND", "--hooks", str(hooks)]) == 0
    async with http.post(second, json={"text": "second"}) as answer:
        assert answer.status == 404
    await asyncio.to_thread(hooks.write_text, "{")
    async with http.post(path, json={"text": "still"}) as answer:
        assert answer.status == 200, "a file that was spoilt does not end what worked"


async def test_a_file_that_others_may_read_is_read_again_once_they_may_not(
    http: aiohttp.ClientSession,
    path: str,
    hooks: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    web: Program,
) -> None:
    other = tmp_path / "other.json"
    second = make_hook(capsys, other, "in", "--room", "lobby", "--name", "second").removeprefix("http://127.0.0.1:8570")
    await asyncio.to_thread(other.chmod, 0o644)
    await asyncio.to_thread(other.replace, hooks)
    async with http.post(second, json={"text": "second"}) as answer:
        assert answer.status == 404
    assert f"chmod 600 {hooks}" in web.words()
    await asyncio.to_thread(hooks.chmod, 0o600)
    async with http.post(second, json={"text": "second"}) as answer:
        assert answer.status == 200


async def test_a_room_that_is_not_there_is_said_to_be_and_found_once_it_is(
    http: aiohttp.ClientSession, hooks: Path, capsys: pytest.CaptureFixture[str], ana: ChatClient
) -> None:
    url = make_hook(capsys, hooks, "in", "--room", "cellar", "--name", "cellar")
    path = url.removeprefix("http://127.0.0.1:8570")
    async with http.post(path, json={"text": "anybody?"}) as answer:
        assert (answer.status, await answer.text()) == (404, "There is no such room.")
    room = await ana.create("cellar")
    async with http.post(path, json={"text": "anybody?"}) as answer:
        assert answer.status == 200
    assert (await room.history())[-1].text == "anybody?"


async def test_the_key_bounds_what_a_hook_may_do(
    running: Broker, hooks: Path, path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], ana: ChatClient
) -> None:
    await ana.create("attic")
    url = make_hook(capsys, hooks, "in", "--room", "attic", "--name", "attic")
    key = running.key("narrow", "write:lobby")
    with gateway(tmp_path / "log", running, hooks, "--key", str(key)) as web:
        base = await asyncio.to_thread(web.line)
        async with aiohttp.ClientSession(base) as http:
            async with http.post(path, json={"text": "x"}) as answer:
                assert answer.status == 200
            async with http.post(url.removeprefix("http://127.0.0.1:8570"), json={"text": "x"}) as answer:
                assert answer.status == 403
                assert "write:attic" in await answer.text()


async def test_a_request_that_is_known_again_is_said_once(
    http: aiohttp.ClientSession, path: str, ana: ChatClient
) -> None:
    for key in ("one", "one", "two"):
        async with http.post(path, json={"text": "once"}, headers={"Idempotency-Key": key}) as answer:
            assert answer.status == 200
    for _ in range(2):
        async with http.post(path, json={"text": "twice"}) as answer:
            assert answer.status == 200
    room = ana.room("lobby")
    assert room is not None
    assert [message.text for message in await room.history(limit=4)] == ["once", "once", "twice", "twice"]


async def test_while_the_broker_is_away_senders_are_told_to_come_again_and_nothing_is_said_twice(
    tmp_path: Path, hooks: Path, path: str
) -> None:
    with broker(tmp_path / "data", "ana") as running:
        with gateway(tmp_path / "log", running, hooks) as web:
            url = await asyncio.to_thread(web.line)
            async with aiohttp.ClientSession(url) as http:
                running.end(signal.SIGKILL)
                body = {"text": "the broker was away"}
                async with http.post(path, json=body) as answer:
                    assert answer.status == 503
                    assert int(answer.headers["Retry-After"]) > 0
                async with http.get("/healthz") as answer:
                    assert answer.status == 503
                back = await asyncio.to_thread(running.again)
                try:
                    status = 503
                    async with asyncio.timeout(60):
                        while status == 503:
                            async with http.post(path, json=body) as answer:
                                status = answer.status
                    assert status == 200
                    async with ChatClient(back.address, "ana", PASSWORD) as ana:
                        room = ana.room("lobby")
                        assert room is not None
                        assert [message.text for message in await room.history()] == ["the broker was away"]
                    assert await asyncio.to_thread(web.end) == 0
                finally:
                    await asyncio.to_thread(back.end)
