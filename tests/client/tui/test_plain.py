"""`--plain`: lines in, lines out, acknowledged before the end, and refusals in the exit status."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator, Callable
from typing import Any

from client.link.updates import LinkChanged, LinkState, RoomJoined, RoomLeft, SessionEnded
from client.tui.plain import PlainSitting, read_lines
from common import messages as m
from common.errors import NotMember
from common.limits import TEXT_LENGTH
from tests.client.tui.fake_chat import FakeChat, FakeSending, direct, said, view


class Answering(FakeChat):
    """Acknowledges what is sent as soon as the program waits; refuses what says `no`."""

    def _send(self, log: str, text: str, command: m.Command) -> FakeSending:
        sending = super()._send(log, text, command)
        seq = len(self.sent)
        asyncio.get_running_loop().call_soon(
            lambda: self.refuse(sending, NotMember()) if text == "no" else self.acknowledge(sending, seq)
        )
        return sending


async def given(lines: list[str]) -> AsyncIterator[str]:
    for line in lines:
        yield line


def play(
    lines: list[str], chat: FakeChat | None = None, then: Callable[[FakeChat], None] | None = None, **options: Any
) -> tuple[int, list[str], list[str]]:
    """Run lines through; returns the status and both outputs, without the time of day."""
    out, errors = io.StringIO(), io.StringIO()

    async def run() -> int:
        talking = chat or Answering(rooms={"lobby": view("lobby"), "chess": view("chess", 2)})

        async def all_lines() -> AsyncIterator[str]:
            async for line in given(lines):
                yield line
            if then is not None:
                then(talking)
                await talking.told()

        sitting = PlainSitting(talking, out, errors, **{"may_ask": False, **options})
        status = await asyncio.wait_for(sitting.run(all_lines()), 10)
        assert talking.closed
        return status

    status = asyncio.run(run())
    return status, [line[6:] for line in out.getvalue().splitlines()], errors.getvalue().splitlines()


def test_a_line_is_sent_and_printed_once_it_is_acknowledged() -> None:
    assert play(["hola", "", "one\ttwo"]) == (0, ["#lobby ana: hola", "#lobby ana: one    two"], [])


def test_a_refusal_is_said_and_is_the_exit_status() -> None:
    status, out, errors = play(["no", "yes"])
    assert (status, out) == (1, ["#lobby ana: yes"])
    assert errors == ["! Not sent: Join the room first."]
    assert play(["x" * (TEXT_LENGTH + 1)])[0] == 1


def test_commands_and_where_messages_go() -> None:
    status, out, errors = play(
        ["#gR chess", "to chess", r"#\private<bob> psst", "/msg bob", "to bob", "/join lobby", "back"]
    )
    assert (status, errors) == (0, [])
    assert [line for line in out if "ana:" in line] == [
        "#chess ana: to chess",
        "@bob ana: psst",
        "@bob ana: to bob",
        "#lobby ana: back",
    ]


def test_answers_are_a_line_each() -> None:
    _, out, _ = play(["#show users"])
    assert out == [
        "#lobby │ 2 users, 2 here now:",
        "#lobby │ ● ana                Ana S",
        "#lobby │ ● bob                Bob S",
    ]


def test_mistakes_and_refused_commands() -> None:
    for line in ("#gx chess", "/whois nobody", "#gR nowhere", "/password"):
        status, out, errors = play([line])
        assert (status, out) == (1, [])
        assert errors[0].startswith("! ")


def test_events_are_lines_without_controls() -> None:
    def then(chat: FakeChat) -> None:
        chat.arrive("lobby", said("bob", "\x1b[2Jx\ny", 1))
        chat.arrive("@ana", direct("bob", "ana", "psst", 1))
        chat.tell(RoomJoined(view("dev", 7)), RoomLeft("dev", "deleted"))
        chat.tell(LinkChanged(LinkState.OFFLINE))

    status, out, errors = play([], then=then)
    assert status == 0
    assert out == ["#lobby bob: ␛[2Jx ⏎ y", "@bob bob: psst", "#lobby · #dev was deleted."]
    assert errors == ["~ offline"]


def test_exit_and_the_sessions_end_stop_the_reading() -> None:
    assert play(["one", "#exit", "two"])[1] == ["#lobby ana: one"]

    def then(chat: FakeChat) -> None:
        chat.tell(SessionEnded("revoked"))

    status, _, errors = play([], then=then)
    assert (status, errors) == (1, ["! This session was ended from another one of yours."])


def test_logging_out() -> None:
    assert play(["/logout"])[0] == 0


def test_rooms_at_the_start_and_many_lines() -> None:
    status, out, _ = play([f"line {number}" for number in range(300)], rooms=("chess",))
    assert status == 0
    assert out == [f"#chess ana: line {number}" for number in range(300)]


def test_reading_lines() -> None:
    async def run(content: bytes) -> list[str]:
        reading, writing = os.pipe()
        os.write(writing, content)
        os.close(writing)
        with os.fdopen(reading) as source:
            return [line async for line in read_lines(source)]

    assert asyncio.run(run(b"one\r\ntwo\n\xff\n\nlast")) == ["one", "two", "\ufffd", "", "last"]
    long = asyncio.run(run(b"x" * 64_000 + b"\n"))
    assert len(long[0]) == 64_000
    assert asyncio.run(run(b"")) == []
