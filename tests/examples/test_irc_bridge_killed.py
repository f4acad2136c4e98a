"""The bridge as a process between a real broker and a real ngircd, killed again and again, and the server restarted.

What is said in the room reaches the channel, all of it and in order. What is said in the channel while the bridge is
there reaches the room once. A kill in the instant between IRC's taking a line and the note of it may have that one said
again on IRC, which cannot be asked what it has: never more than one message a kill, and never in the room.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.app import EmbeddedBroker
from client.link.room import Room
from tests.examples.ircd import CHANNEL, Ircd, IrcPerson
from tests.examples.program import Program, guest, hears, key_file

pytest.importorskip("irc")

ROOM = "circle"
KILLS = 6
SEED = 20


@pytest.fixture
def ircd(tmp_path: Path) -> Iterator[Ircd]:
    server = Ircd(tmp_path)
    server.start()
    yield server
    server.stop()


def bridge(broker: EmbeddedBroker, ircd: Ircd, directory: Path) -> Program:
    key = key_file(broker, directory / "irc.key", "irc")
    variables = {
        "TERTULIA_IRC_ROOM": ROOM,
        "TERTULIA_IRC_SERVER": f"127.0.0.1:{ircd.port}",
        "TERTULIA_IRC_CHANNEL": CHANNEL,
        "TERTULIA_IRC_NICK": "bridge",
        "TERTULIA_IRC_PACE": "0.02",
    }
    return Program("irc_bridge/irc_bridge", key, directory, **variables)


async def said(room: Room, sender: str) -> list[str]:
    """All that somebody has said in a room."""
    return [message.text for message in await room.history() if message.sender == sender]


async def test_a_bridge_that_is_killed_loses_nothing_and_repeats_nothing_in_the_room(
    ircd: Ircd, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    with EmbeddedBroker() as broker:
        ana, zoe = await guest(broker, "ana"), await IrcPerson.arrive(ircd.port, "zoe")
        circle = await ana.create(ROOM, kept=True)
        heard: list[str] = []
        out, wanted = 0, []
        async with bridge(broker, ircd, tmp_path) as program:
            for round_ in range(KILLS):
                await zoe.hears(r":bridge\S* JOIN", heard.append)
                zoe.say(f"from irc {round_}")
                await hears(circle, 0, program, f"<zoe> from irc {round_}")
                for _ in range(8):
                    await circle.send(f"to irc {out}")
                    wanted.append(f"<ana> to irc {out}")
                    out += 1
                seen = chance.randrange(8)
                last = wanted[-8 + seen]
                heard += [f":x PRIVMSG {CHANNEL} :{text}" for text in await zoe.texts_until(last)]
                await program.kill()
                await circle.send(f"to irc {out}")
                wanted.append(f"<ana> to irc {out}")
                out += 1
                await program.start()
            await zoe.hears(r":bridge\S* JOIN", heard.append)
            await circle.send("the end")
            heard += [f":x PRIVMSG {CHANNEL} :{text}" for text in await zoe.texts_until("<ana> the end")]
            assert await program.stop() == 0
        got = [line.split(" :", 1)[1] for line in heard if " PRIVMSG " in line]
        assert got.pop() == "<ana> the end"
        assert list(dict.fromkeys(got)) == wanted, "nothing is lost, and nothing is out of order"
        assert sum(count - 1 for count in Counter(got).values()) <= KILLS
        assert await said(circle, "irc") == [f"<zoe> from irc {n}" for n in range(KILLS)]
        await zoe.leave()
        await ana.close()


async def test_a_restart_of_the_irc_server_loses_nothing_of_the_room(ircd: Ircd, tmp_path: Path) -> None:
    with EmbeddedBroker() as broker:
        ana, zoe = await guest(broker, "ana"), await IrcPerson.arrive(ircd.port, "zoe")
        circle = await ana.create(ROOM, kept=True)
        async with bridge(broker, ircd, tmp_path) as program:
            await zoe.hears(r":bridge\S* JOIN")
            await circle.send("before")
            assert await zoe.hears_text("before") == "<ana> before"
            ircd.stop()
            await zoe.leave()
            await program.prints("not in #circle")
            for number in range(5):
                await circle.send(f"meanwhile {number}")
            program.hold()
            ircd.start()
            zoe = await IrcPerson.arrive(ircd.port, "zoe")
            program.release()
            got = await zoe.texts_until("<ana> meanwhile 4")
            # The server may have ended before it had said that it read the first message.
            assert got[got[0] == "<ana> before" :] == [f"<ana> meanwhile {n}" for n in range(5)]
            zoe.say("back")
            await hears(circle, 0, program, "<zoe> back")
            assert await program.stop() == 0
            await zoe.hears(r":bridge\S* QUIT")
        assert await said(circle, "irc") == ["<zoe> back"]
        await zoe.leave()
        await ana.close()


async def test_both_outlive_a_restart_of_the_broker(ircd: Ircd, tmp_path: Path) -> None:
    zoe = await IrcPerson.arrive(ircd.port, "zoe")
    with EmbeddedBroker(data_dir=tmp_path / "broker") as broker:
        ana = await guest(broker, "ana")
        circle = await ana.create(ROOM, kept=True)
        address = broker.address
        program = bridge(broker, ircd, tmp_path)
        await program.start()
        await zoe.hears(r":bridge\S* JOIN")
        await circle.send("before")
        await zoe.hears_text("before")
        await ana.close()
    try:
        zoe.say("is anybody there?")
        with EmbeddedBroker(data_dir=tmp_path / "broker", port=address.port) as broker:
            bob = await guest(broker, "bob")
            circle = await bob.join(ROOM)
            await hears(circle, 0, program, "<zoe> is anybody there?")
            await circle.send("yes")
            assert await zoe.texts_until("<bob> yes") == ["<bob> yes"]
            assert await said(circle, "irc") == ["<zoe> is anybody there?"]
            await bob.close()
    finally:
        await program.kill()
        await zoe.leave()
