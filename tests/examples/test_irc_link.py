"""The bridge's connection to IRC, against a real server: pace, nicks, restarts, and what hostile servers send."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.examples.ircd import CHANNEL, PATIENCE_S, Ircd, IrcPerson

pytest.importorskip("irc")


@pytest.fixture
def irc_link(example: Callable[[str], ModuleType]) -> ModuleType:
    return example("irc_bridge/irc_link")


@pytest.fixture
def ircd(tmp_path: Path) -> Iterator[Ircd]:
    server = Ircd(tmp_path)
    server.start()
    yield server
    server.stop()


class Linked:
    """A link that runs, and what it heard."""

    def __init__(self, module: ModuleType, port: int, **settings: Any) -> None:
        quick = {"pace": 0.01, "backoff": (0.05, 0.2), "nick": "bridge", **settings}
        self.heard: asyncio.Queue[Any] = asyncio.Queue()
        self.link = module.IrcLink(
            module.IrcSettings(host="127.0.0.1", port=port, channel=CHANNEL, **quick), self.heard.put_nowait
        )

    async def hears(self, kind: str) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            while (found := await self.heard.get()).kind != kind:
                pass
            return found


@asynccontextmanager
async def linked(module: ModuleType, port: int, **settings: Any) -> AsyncIterator[Linked]:
    case = Linked(module, port, **settings)
    task = asyncio.create_task(case.link.run())
    try:
        yield case
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_both_sides_hear_each_other(irc_link: ModuleType, ircd: Ircd) -> None:
    person = await IrcPerson.arrive(ircd.port, "zoe")
    async with linked(irc_link, ircd.port) as case:
        await person.hears(r"bridge\S* JOIN")
        await case.link.say(["<ana> hola", "<ana> ¿qué tal?"])
        assert await person.texts_until("<ana> ¿qué tal?") == ["<ana> hola", "<ana> ¿qué tal?"]
        await case.link.say(["<dice> 4"], notice=True)
        assert await person.hears_text("4", "NOTICE") == "<dice> 4"
        person.say("hola, ana")
        assert await case.hears("said") == irc_link.Heard("said", "zoe", "hola, ana")
        person.say("\x01ACTION waves\x01")
        assert await case.hears("did") == irc_link.Heard("did", "zoe", "waves")
        assert case.link.names == {"zoe"}
        person.send("NICK zoe2")
        assert await case.hears("renamed") == irc_link.Heard("renamed", "zoe", "zoe2")
        person.send("PRIVMSG bridge :names")
        assert await case.hears("asked") == irc_link.Heard("asked", "zoe2", "names")
        case.link.answer("zoe2", "ana, bob")
        assert await person.hears_text("ana, bob", "NOTICE") == "ana, bob"
        other = await IrcPerson.arrive(ircd.port, "yan")
        assert await case.hears("joined") == irc_link.Heard("joined", "yan")
        await other.leave()
        assert await case.hears("left") == irc_link.Heard("left", "yan")
        assert case.link.names == {"zoe2"}
    await person.hears(r"bridge\S* QUIT")
    await person.leave()


async def test_latin_1_is_understood_and_what_is_not_irc_is_passed_over(irc_link: ModuleType, ircd: Ircd) -> None:
    person = await IrcPerson.arrive(ircd.port, "zoe")
    async with linked(irc_link, ircd.port) as case:
        await person.hears(r"bridge\S* JOIN")
        person._writer.write(f"PRIVMSG {CHANNEL} :a".encode() + "ñandú".encode("latin-1") + b"\r\n")
        assert (await case.hears("said")).text == "añandú"
    await person.leave()


async def test_a_nick_that_is_taken_is_replaced_and_taken_back_later(irc_link: ModuleType, ircd: Ircd) -> None:
    taken = await IrcPerson.arrive(ircd.port, "bridge")
    also = await IrcPerson.arrive(ircd.port, "bridge2")
    async with linked(irc_link, ircd.port, alive=0.2) as case:
        await taken.hears(r"bridge3\S* JOIN")
        await case.link.say(["<ana> hola"])
        assert case.link.nick == "bridge3"
        await taken.hears_text("<ana> hola")
        await taken.leave()
        await also.hears(r":bridge3\S* NICK :?bridge$")
        await case.link.say(["<ana> still here"])
        assert case.link.nick == "bridge"
    await also.leave()


async def test_a_nick_that_is_too_long_is_shortened(irc_link: ModuleType, ircd: Ircd) -> None:
    person = await IrcPerson.arrive(ircd.port, "zoe")
    async with linked(irc_link, ircd.port, nick="averylongbridge"):
        await person.hears(r"averylon\S* JOIN")
    await person.leave()


async def test_the_server_goes_and_comes_back_and_what_was_said_meanwhile_is_not_lost(
    irc_link: ModuleType, ircd: Ircd
) -> None:
    person = await IrcPerson.arrive(ircd.port, "zoe")
    async with linked(irc_link, ircd.port) as case:
        await person.hears(r"bridge\S* JOIN")
        await case.link.say(["<ana> before"])
        there = case.link.settings
        case.link.settings = dataclasses.replace(there, port=1)  # so that the person is back before the bridge
        ircd.stop()
        await person.leave()
        waiting = asyncio.gather(*(case.link.say([f"<ana> meanwhile {n}"]) for n in range(3)))
        ircd.start()
        person = await IrcPerson.arrive(ircd.port, "zoe")
        case.link.settings = there
        heard = await person.texts_until("<ana> meanwhile 2")
        assert heard == [f"<ana> meanwhile {n}" for n in range(3)]
        await waiting
        await case.link.say(["<ana> after"])
        assert await person.texts_until("<ana> after") == ["<ana> after"]
    await person.leave()


async def test_a_kick_is_no_farewell_for_ever(irc_link: ModuleType, ircd: Ircd) -> None:
    person = await IrcPerson.arrive(ircd.port, "zoe")  # the first one in a channel is its operator
    async with linked(irc_link, ircd.port) as case:
        await person.hears(r"bridge\S* JOIN")
        person.send(f"KICK {CHANNEL} bridge :out")
        await person.hears(r"bridge\S* JOIN")
        await case.link.say(["<ana> back"])
        await person.hears_text("<ana> back")
    await person.leave()


async def test_a_channel_that_lets_nobody_in_is_asked_again(irc_link: ModuleType, ircd: Ircd) -> None:
    person = await IrcPerson.arrive(ircd.port, "zoe")
    person.send(f"MODE {CHANNEL} +k secret")
    await person.hears("MODE")
    async with linked(irc_link, ircd.port, connecting=0.5) as case:
        async with asyncio.timeout(PATIENCE_S):
            while "badchannelkey" not in case.link.trouble:  # noqa: ASYNC110 - nobody is told of it
                await asyncio.sleep(0.01)
        waiting = asyncio.create_task(case.link.say(["<ana> at last"]))
        person.send(f"MODE {CHANNEL} -k secret")
        await person.hears_text("<ana> at last")
        await waiting
    await person.leave()


async def test_lines_go_out_at_a_pace(irc_link: ModuleType) -> None:
    pace = irc_link._Pace(3, 10.0)
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(3):
            await pace.turn()
    waits = asyncio.create_task(pace.turn())
    done, _ = await asyncio.wait([waits], timeout=0.05)
    assert not done
    waits.cancel()


@asynccontextmanager
async def odd_server(*sent: bytes) -> AsyncIterator[tuple[int, asyncio.Queue[bytes]]]:
    """A server that says what it is told to after the greeting, and what it was told."""
    told: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            told.put_nowait(line)
            if line.startswith(b"USER"):
                writer.write(b":irc 001 bridge :hello\r\n")
            elif line.startswith(b"JOIN"):
                writer.write(b":bridge!b@h JOIN " + CHANNEL.encode() + b"\r\n")
                for raw in sent:
                    writer.write(raw)
            elif line.startswith(b"PING said"):
                writer.write(b":irc PONG irc :" + line.split()[1] + b"\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], told
        server.close()


async def test_lines_that_are_no_irc_do_no_harm(irc_link: ModuleType) -> None:
    odd = [
        b" \r\n",
        b":\r\n",
        b"PRIVMSG\r\n",
        b":zoe!z@h PRIVMSG #circle\r\n",
        b":zoe!z@h QUIT\r\n",
        b"\xff\xfe\x00\r\n",
    ]
    good = b":zoe!z@h PRIVMSG #CIRCLE :still there\r\n"
    async with (
        odd_server(*odd, b":zoe!z@h PRIVMSG #other :not ours\r\n", good) as (port, _),
        linked(irc_link, port) as c,
    ):
        assert await c.hears("said") == irc_link.Heard("said", "zoe", "still there")


async def test_what_we_said_ourselves_is_not_heard(irc_link: ModuleType) -> None:
    echo = b":bridge!b@h PRIVMSG #circle :<ana> hola\r\n"
    good = b":zoe!z@h PRIVMSG #circle :hola\r\n"
    async with odd_server(echo, good) as (port, _), linked(irc_link, port) as case:
        assert await case.hears("said") == irc_link.Heard("said", "zoe", "hola")


async def test_a_line_without_an_end_costs_the_connection(irc_link: ModuleType) -> None:
    async with odd_server(b"x" * 40_000) as (port, told), linked(irc_link, port):
        async with asyncio.timeout(PATIENCE_S):
            joins = 0
            while joins < 2:
                joins += (await told.get()).startswith(b"JOIN")


async def test_a_silent_server_is_left(irc_link: ModuleType) -> None:
    async with odd_server() as (port, told), linked(irc_link, port, alive=0.05):
        async with asyncio.timeout(PATIENCE_S):
            joins = 0
            while joins < 2:
                joins += (await told.get()).startswith(b"JOIN")


async def test_a_message_that_was_cut_off_is_said_again(irc_link: ModuleType) -> None:
    """The first connection ends after the message, before the server has said that it was read."""
    told: list[bytes] = []
    visits = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal visits
        visits += 1
        visit = visits
        while line := await reader.readline():
            if line.startswith(b"USER"):
                writer.write(b":irc 001 bridge :hello\r\n")
            elif line.startswith(b"JOIN"):
                writer.write(b":bridge!b@h JOIN " + CHANNEL.encode() + b"\r\n")
            elif line.startswith(b"PRIVMSG"):
                told.append(line.strip())
            elif line.startswith(b"PING said"):
                if visit == 1:
                    break
                writer.write(b":irc PONG irc :" + line.split()[1] + b"\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, linked(irc_link, server.sockets[0].getsockname()[1]) as case:
        async with asyncio.timeout(PATIENCE_S):
            await case.link.say(["<ana> once, and once more"])
        assert told == [b"PRIVMSG #circle :<ana> once, and once more"] * 2
        assert visits == 2
        server.close()
