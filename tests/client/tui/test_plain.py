"""`--plain`: lines in, lines out, acknowledged before the end, and refusals in the exit status."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator, Callable
from typing import Any

from client.link.updates import LinkChanged, LinkState, RoomJoined, RoomLeft, SessionEnded
from client.tui.plain import PlainSitting, read_lines
from client.tui.view.render import clock
from common import messages as m
from common.errors import NotMember
from common.limits import TEXT_LENGTH
from tests.client.tui.fake_chat import NOW, FakeChat, FakeSending, direct, said, view
from tests.support.patience import PATIENCE_S


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
        status = await asyncio.wait_for(sitting.run(all_lines()), PATIENCE_S)
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


class Far(FakeChat):
    """Acknowledges what is sent when a script that does not wait has long gone on."""

    def _send(self, log: str, text: str, command: m.Command) -> FakeSending:
        sending = super()._send(log, text, command)
        seq = len(self.sent)

        async def answer() -> None:
            await self.told()
            self.acknowledge(sending, seq)

        self.answering = asyncio.ensure_future(answer())
        return sending


def test_what_is_done_to_the_last_message_waits_until_that_is_sent() -> None:
    chat = Far()
    assert play(["helo", "/edit hello", "bye", "/retract"], chat)[0] == 0
    found = [sending.command for sending in chat.sent]
    assert [(type(command).__name__, getattr(command, "seq", 0)) for command in found] == [
        ("Send", 0),
        ("Edit", 1),
        ("Send", 0),
        ("Retract", 3),
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


def test_messages_are_changed_by_number_and_what_happens_to_them_is_printed() -> None:
    chat = FakeChat(rooms={"lobby": view("lobby")})

    def happen(chat: FakeChat) -> None:
        entry = {"prev": 0, "time": NOW, "sender": "bob", "target": 4, "nonce": b""}
        chat.arrive("lobby", said("bob", "hi", 4))
        chat.arrive("lobby", m.Edited(seq=5, text="hi all", **entry))  # type: ignore[arg-type]
        chat.arrive("lobby", m.Reacted(seq=6, emoji="👍", on=True, count=1, **entry))  # type: ignore[arg-type]
        chat.arrive("lobby", m.Reacted(seq=7, emoji="👍", on=False, count=0, **entry))  # type: ignore[arg-type]
        chat.arrive("lobby", m.Retracted(seq=8, **entry))  # type: ignore[arg-type]

    status, out, _ = play([], chat, then=happen)
    assert status == 0
    assert out == [
        "#lobby bob: hi",
        "#lobby · bob changed ^4: hi all",
        "#lobby · bob put 👍 to ^4",
        "#lobby · bob took 👍 from ^4",
        "#lobby · bob took ^4 back",
    ]


def test_what_was_said_before_can_be_found_answered_and_changed() -> None:
    log = [said("bob", "hello", 1), said("ana", "hi", 2), said("eva", "good day", 3)]
    chat = Answering(rooms={"lobby": view("lobby")}, logs={"lobby": log})
    chat.hits = [m.Hit(log="lobby", entry=log[2])]
    lines = [
        "/last 2",
        "/reply ^1 hello bob",
        "/edit hi all",
        "/react ^eva :+1:",
        "/retract ^2",
        "/search day",
        "/keyboard",
    ]
    status, out, errors = play(lines, chat)
    assert status == 1
    assert errors == ["! /keyboard needs the full screen."]
    assert [line.split(" ", 1)[1] for line in out[:3]] == [
        "│ The last 2 messages here, with their numbers:",
        f"│ ^2 {clock(NOW + 2)} ana: hi",
        f"│ ^3 {clock(NOW + 3)} eva: good day",
    ]
    assert any("│ #lobby ^3 " in line for line in out)
    found = [sending.command for sending in chat.sent]
    assert [type(command).__name__ for command in found] == ["Send", "Edit", "React", "Retract"]
    assert [getattr(command, "seq", 0) for command in found] == [0, 2, 3, 2]
    assert isinstance(found[0], m.Send)
    assert found[0].reply_to == 1


def test_a_person_at_a_terminal_is_shown_what_they_have_missed_and_it_is_read() -> None:
    log = [said("bob", "old", 1), said("bob", "new", 2)]

    def chat() -> FakeChat:
        return FakeChat(rooms={"lobby": view("lobby", head=2, read=1)}, logs={"lobby": log})

    person, script = chat(), chat()
    assert play([], person, then=lambda chat: None, may_ask=True)[1] == ["#lobby bob: new"]
    assert m.Mark(talk="lobby", read=2) in person.asked
    assert play([], script, then=lambda chat: None)[1] == []
    assert not any(isinstance(command, m.Mark) for command in script.asked)
