"""Everything that happens to a message, through the real application and a real broker: two people, three screens."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

from broker.app import EmbeddedBroker
from broker.chat.bots import AddBot
from broker.datadir import DataDir
from broker.wire.operator_client import OperatorClient
from client.link.chat import ChatClient
from client.tui.app import Entrance
from common.addresses import Address
from common.keys import generate
from tests.client.tui.test_app import PASSWORD, made, sitting_down
from tests.support.loopback import RawClient
from tests.support.patience import PATIENCE_S

UP, ALT, ESC = "\x1b[A", "\x1b", "\x1b"


def test_what_becomes_of_a_message_is_seen_on_every_screen() -> None:
    async def run(address: Address) -> None:
        await made(address, "ana", "bob")
        at = Entrance(address, "ana", PASSWORD)
        async with sitting_down(at) as ana, sitting_down(Entrance(address, "bob", PASSWORD)) as bob:
            await asyncio.gather(ana.see("● live", "● bob"), bob.see("● live", "● ana"))
            await ana.said("see you at foru")
            await bob.see("see you at foru")
            ana.press(UP)
            await ana.see("(edit) ▸ see you at foru")
            ana.press("\x7f\x7f\x7four\r")
            await bob.see("see you at four (edited)")
            bob.press(ALT + UP)
            await bob.see("r answer")
            bob.press("r")
            await bob.see("answer to ana")
            bob.press("fine\r")
            await ana.see("╭ ana: see you at four", "fine")
            await ana.typed("/react ^bob :+1:")
            await bob.see("👍 1")
            await ana.typed("/react ^bob :+1:")
            await bob.terminal.see_no("👍 1")
            await bob.typed("/retract")
            await ana.see("message deleted")
            await ana.terminal.see_no("fine")
            await ana.typed("/search four")
            await ana.see("Found: four", "see you at four")
            ana.press("\r")
            await ana.terminal.see_no("Found:")
            await ana.typed("/search fine")
            await ana.see("Nothing was found for: fine")
            bob.press("/retract ^ana\r")
            await bob.see("That message is not yours, and neither is the room.")
            bob.press("hmm")
            await ana.see("✎ bob")
            bob.press("\x03")
            await ana.terminal.see_no("✎ bob")
            await bob.typed("/dnd at work")
            await ana.see("⊘ bob")
            await ana.typed("/whois bob")
            await ana.see("not to be disturbed", "says: at work")
            assert (await ana.left(), await bob.left()) == (0, 0)

    with EmbeddedBroker() as broker:
        asyncio.run(run(broker.address))


def test_private_messages_change_for_both() -> None:
    async def run(address: Address) -> None:
        await made(address, "ana", "bob")
        entrances = (Entrance(address, login, PASSWORD) for login in ("ana", "bob"))
        ana_at, bob_at = entrances
        async with sitting_down(ana_at) as ana, sitting_down(bob_at) as bob:
            await asyncio.gather(ana.see("● live", "● bob"), bob.see("● live", "● ana"))
            await ana.typed("/msg bob a secrte")
            await bob.see("@ana")
            bob.press(ALT + "a")
            await bob.see("@ana ▸", "a secrte")
            await ana.typed("/go bob")
            await ana.see("@bob ▸")
            await ana.acknowledged("a secrte")
            await ana.typed("/edit a secret")
            await bob.see("a secret (edited)")
            await bob.typed("/react :eyes:")
            await ana.see("👀 1")
            await ana.typed("/retract")
            await bob.see("message deleted")
            await bob.terminal.see_no("a secret")
            assert (await ana.left(), await bob.left()) == (0, 0)

    with EmbeddedBroker() as broker:
        asyncio.run(run(broker.address))


def test_what_is_read_here_is_read_there() -> None:
    async def run(address: Address) -> None:
        await made(address, "ana", "bob")
        at = Entrance(address, "bob", PASSWORD)
        async with ChatClient(address, "ana", PASSWORD) as ana, sitting_down(at) as desk, sitting_down(at) as phone:
            await asyncio.gather(desk.see("● live"), phone.see("● live"))
            await ana.create("chess")
            await desk.typed("/join chess")
            await desk.see("#chess ▸")
            desk.press(ALT + "1")
            await desk.see("#lobby ▸")
            await ana.post("chess", "bob: your move")
            await asyncio.gather(desk.see("chess(1"), phone.see("chess(1"))
            desk.press(ALT + "a")
            await desk.see("#chess ▸", "your move")
            await phone.terminal.see_no("chess(1")
            phone.press("\x1b[O")
            desk.press("\x1b[O")
            await desk.typed("/notify off")
            await desk.see("You are told nothing of #chess.")
            await ana.post("chess", "I wait")
            await phone.terminal.until(lambda screen: re.search(r"chess +•", screen) is not None)  # knows it, too
            await phone.typed("/go chess")
            await phone.typed("/notify")
            await phone.see("You are told nothing of #chess.")
            assert (await desk.left(), await phone.left()) == (0, 0)

    with EmbeddedBroker() as broker:
        asyncio.run(run(broker.address))


def test_what_was_typed_outlives_a_broker_that_goes_and_a_client_that_ends(tmp_path: Path) -> None:
    async def run(running: ExitStack, again: Callable[[int], Address]) -> None:
        address = again(0)
        await made(address, "ana")
        entrance = Entrance(address, "ana", PASSWORD, marks=tmp_path / "kept")
        async with sitting_down(entrance) as ana:
            await ana.see("● live")
            await ana.said("first")
            await asyncio.to_thread(running.close)
            await ana.see("○ offline")
            await ana.typed("never sent")
            await ana.see("1 message waits")
            ana.press("\x04")
            await ana.see("1 message is not sent yet.", "keep them as drafts")
            ana.press("\x04")
            assert await asyncio.wait_for(ana.running, PATIENCE_S) == 0
        again(address.port)
        async with sitting_down(entrance) as ana:
            await ana.see("● live", "▸ never sent")
            ana.press("\r")
            await ana.see("first", "                 never sent")
            assert await ana.left() == 0

    # Whatever fails, no broker may be left running: its thread would keep the process from ending.
    with ExitStack() as running:
        data = tmp_path / "data"
        asyncio.run(run(running, lambda port: running.enter_context(EmbeddedBroker(data_dir=data, port=port)).address))


def test_what_was_said_long_ago_is_found_and_gone_to() -> None:
    async def run(address: Address) -> None:
        await made(address, "ana")
        async with ChatClient(address, "ana", PASSWORD) as chat:
            texts = [f"number {number}" for number in range(230)]
            texts[20] += " canción"
            for post in [chat.post("lobby", text) for text in texts]:
                await post
        async with sitting_down(Entrance(address, "ana", PASSWORD)) as ana:
            await ana.see("● live", "number 229")
            await ana.typed("/search cancion")
            await ana.see("Found: cancion", "number 20 canción")
            ana.press("\r")
            await ana.see("number 21", "number 22")
            ana.press(ESC)
            ana.press(ALT + "\x1b[F")
            await ana.see("number 229")
            assert await ana.left() == 0

    with EmbeddedBroker() as broker:
        asyncio.run(run(broker.address))


def test_a_moderator_keeps_order_and_a_program_is_known_as_one() -> None:
    async def run(broker: EmbeddedBroker) -> None:
        await made(broker.address, "ana", "bob", "eva")
        keys = generate()
        with OperatorClient(DataDir(broker.data_dir).operator) as operator:
            operator.ask(AddBot(login="dice", key=keys.public, key_name="test", scopes=["read:*", "write:*"]))
        seats = [sitting_down(Entrance(broker.address, login, PASSWORD)) for login in ("ana", "bob", "eva")]
        async with AsyncExitStack() as stack:
            ana, bob, eva = [await stack.enter_async_context(seat) for seat in seats]
            dice = RawClient(broker.address, keys)
            stack.callback(dice.close)
            await asyncio.to_thread(dice.hello)
            await ana.see("● live", "● dice bot")
            await ana.typed("/create --keep den")
            await ana.see("#den", "● ana", "★")
            for guest in (bob, eva):
                await guest.see("● live")
                await guest.typed("/join den")
            await ana.see("● bob", "● eva")
            await eva.typed("buy my boots")
            await bob.see("buy my boots")
            bob.press("/retract ^eva\r")
            await bob.see("That message is not yours, and neither is the room.")
            bob.press("/moderator bob\r")
            await bob.see("Only who made the room, or the operator, may say who keeps order in it.")
            await ana.typed("/moderator bob")
            await ana.see("bob keeps order in #den: may put people out")
            await eva.see("bob keeps order here now, by ana", "☆")
            await bob.typed("/retract ^eva")
            await ana.see("message deleted")
            await bob.typed("/topic No boots")
            await eva.see("bob set the topic: No boots")
            await bob.typed("/remove eva")
            await bob.see("eva is out of #den.")
            bob.press("/remove ana\r")
            await bob.see("ana keeps order here as well")
            await bob.typed("/whois bob")
            await bob.see("keeps order in #den")
            await bob.typed("/whois dice")
            await bob.see("a bot: a program, not a person")
            await ana.typed("/members")
            await ana.see("who keeps order: ana, bob")
            await ana.typed("/moderator bob off")
            await ana.see("bob does not keep order in #den.")
            await bob.see("bob no longer keeps order here, by ana")
            assert [await seat.left() for seat in (ana, bob, eva)] == [0, 0, 0]

    with EmbeddedBroker() as broker:
        asyncio.run(run(broker))
