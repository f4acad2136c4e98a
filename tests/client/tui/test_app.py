"""From the entrance to the end with a real broker: two people at screens, a script at a pipe, a restart."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from broker.app import EmbeddedBroker
from client.link.chat import ChatClient
from client.link.failures import NoBroker
from client.tui import app
from client.tui.app import Entrance
from common.addresses import Address
from common.keys import generate
from common.messages import Invite, Register
from tests.client.tui.headless import Headless, headless
from tests.support.patience import PATIENCE_S

ROOT = Path(__file__).parents[3]
PASSWORD = "correct horse"


class Person:
    """Somebody at a terminal of their own."""

    def __init__(self, terminal: Headless, running: asyncio.Future[int]) -> None:
        self.terminal, self.running = terminal, running
        self.see, self.press = terminal.see, terminal.press

    async def typed(self, line: str) -> None:
        self.press(line)
        await self.see(f"▸ {line}")
        self.press("\r")
        await self.terminal.see_no(f"▸ {line}")

    async def acknowledged(self, text: str) -> None:
        """Wait until a message of one's own stands on one's own screen, and the broker has it."""
        await self.terminal.until(
            lambda screen: any(text in row and f"{text} …" not in row and "▸" not in row for row in screen.split("\n"))
        )

    async def said(self, text: str) -> None:
        await self.typed(text)
        await self.acknowledged(text)

    async def registered(self, login: str) -> None:
        await self.see("New account")
        self.press("\r".join([login, PASSWORD, PASSWORD, login.title(), "Pérez", "30", "o"]) + "\r")
        await self.see("✓ other")
        self.press("\r")
        await self.see("#lobby ▸", "live")

    async def left(self) -> int:
        self.press("\x04")
        return await asyncio.wait_for(self.running, PATIENCE_S)


@asynccontextmanager
async def sitting_down(entrance: Entrance, columns: int = 120) -> AsyncIterator[Person]:
    with headless(columns) as terminal:
        running = asyncio.ensure_future(app._full_screen(entrance))
        try:
            yield Person(terminal, running)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def made(address: Address, *logins: str) -> None:
    """Accounts, made beforehand."""
    for login in logins:
        account = Register(
            login=login, password=PASSWORD, first_names=login, surnames="S", age=30, gender="undisclosed"
        )
        async with ChatClient(address, register=account):
            pass


def test_two_newcomers_meet() -> None:
    tokens: dict[str, bytes | None] = {}

    async def run(address: Address) -> None:
        entrance = Entrance(address, keep_token=tokens.__setitem__)
        async with sitting_down(entrance) as ana, sitting_down(entrance, 80) as bob:
            await asyncio.gather(ana.registered("ana"), bob.registered("bob"))
            await ana.see("● bob", "2 here")
            await ana.typed("hola bob")
            await bob.see("ana        hola bob")
            await bob.typed(r"#\private<ana> psst")
            await ana.see("unread", "@bob(1)")
            await bob.typed("#cR chess")
            await bob.see("#chess ▸")
            await ana.see("bob left")
            await ana.typed("#lR")
            await ana.see("#chess", "by bob")
            await ana.typed("#gR chess")
            await ana.see("#chess ▸", "2 here")
            await ana.typed("#dR chess")
            await ana.see("#chess is not yours, so it only went off your own list")
            await ana.typed("mate")
            await bob.see("ana        mate")
            assert await bob.left() == 0
            await ana.see("#lobby ▸", "#chess is gone, because whoever made it has left.")
            await ana.typed("#eR")
            await ana.typed("#show users")
            await ana.see("2 users, 1 here now:")
            assert await ana.left() == 0

        token = tokens["ana"]
        assert token is not None
        async with sitting_down(Entrance(address, "ana", token=token, keep_token=tokens.__setitem__)) as ana:
            await ana.see("#lobby ▸", "● live", "hola bob")
            assert tokens["ana"] not in (None, token)
            assert await ana.left() == 0

        async with sitting_down(Entrance(address, "ana", token=token, keep_token=tokens.__setitem__)) as ana:
            await ana.see("Being remembered has run out", "✓ ana")
            ana.press(PASSWORD + "\r\r")
            await ana.see("#lobby ▸", "● live")
            await ana.typed("/logout")
            assert await asyncio.wait_for(ana.running, 10) == 0
            assert tokens["ana"] is None

    with EmbeddedBroker() as broker:
        asyncio.run(run(broker.address))


def test_what_came_while_one_was_away_is_unread(tmp_path: Path) -> None:
    async def run(address: Address) -> None:
        await made(address, "ana", "bob", "eva")
        bobs = Entrance(address, "bob", PASSWORD, marks=tmp_path)
        async with sitting_down(bobs) as bob:
            await bob.see("● live", "1 here")
            assert await bob.left() == 0
        async with ChatClient(address, "ana", PASSWORD) as ana, ChatClient(address, "eva", PASSWORD) as eva:
            await ana.direct("bob", "while you were away")
            await eva.direct("bob", "me too")
            await ana.create("secret", private=True, kept=True)
            await ana.request(Invite(room="secret", login="bob"))
            await ana.post("lobby", "anybody there?")
        async with sitting_down(bobs) as bob:
            await bob.see("@ana(1)", "@eva(1)", "╌ 1 unread ╌", "anybody there?", "ana invites you to #secret")
            bob.press("\x1ba")
            # Read is what was drawn, and that is the case once the other conversation stands on the screen.
            await bob.terminal.until(lambda screen: "@ana ▸" in screen or "@eva ▸" in screen)
            await bob.see("╌ 1 unread ╌", "private")
            assert await bob.left() == 0
        async with sitting_down(bobs) as bob:
            screen = await bob.see("unread", "(1)", "anybody there?")
            assert screen.count("(1)") == 1
            assert "╌" not in screen
            assert "invites" not in screen

    with EmbeddedBroker() as broker:
        asyncio.run(run(broker.address))


def test_a_token_opens_the_door_once_and_one_that_is_refused_is_forgotten() -> None:
    tokens: dict[str, bytes] = {}
    came: list[str] = []

    def keep(login: str, token: bytes | None) -> None:
        if token is None:
            tokens.pop(login, None)
        else:
            tokens[login] = token

    async def run(address: Address) -> None:
        await made(address, "ana")
        async with ChatClient(address, "ana", PASSWORD, remember=True) as chat:
            assert chat.token is not None
            first = tokens["ana"] = chat.token
        asked = Entrance(address, "ana", keep_token=keep, remembered=tokens.get, arrived=came.append)
        async with sitting_down(asked) as ana:
            await ana.see("▸ Password", "ana is remembered here")
            ana.press("\r\r")
            await ana.see("#lobby ▸", "● live")
            assert await ana.left() == 0
        assert tokens["ana"] != first
        tokens["ana"] = first
        async with sitting_down(asked) as ana:
            await ana.see("▸ Password")
            ana.press("\r\r")
            await ana.see("! Being remembered has run out", "▸ Password")
            assert tokens == {}
            ana.press("\x03")
        tokens["ana"] = first
        async with sitting_down(replace(asked, token=first)) as ana:
            await ana.see("! Being remembered has run out", "✓ ana", "▸ Password")
            assert tokens == {}
            ana.press(f"{PASSWORD}\r\r")
            await ana.see("#lobby ▸", "● live")
            assert await ana.left() == 0
        assert tokens.keys() == {"ana"}
        assert came == ["ana", "ana"]

    with EmbeddedBroker() as broker:
        asyncio.run(run(broker.address))


def test_a_broker_that_restarts_loses_nothing_that_was_typed(tmp_path: Path) -> None:
    async def run(running: ExitStack) -> None:
        address = running.enter_context(EmbeddedBroker(data_dir=tmp_path / "data")).address
        await made(address, "ana")
        async with sitting_down(Entrance(address, "ana", PASSWORD)) as ana:
            await ana.see("● live")
            await asyncio.to_thread(running.close)
            await ana.see("○ offline")
            await ana.typed("said meanwhile")
            await ana.see("said meanwhile …", "1 message waits")
            running.enter_context(EmbeddedBroker(data_dir=tmp_path / "data", port=address.port))
            await ana.see("● live")
            await ana.terminal.see_no("said meanwhile …")
            await ana.see("ana        said meanwhile")
            assert await ana.left() == 0

    # Whatever fails, no broker may be left running: its thread would keep the process from ending.
    with ExitStack() as running:
        asyncio.run(run(running))


SCRIPT = """
import sys
import threading
from client.tui.app import Entrance, run_terminal
from common.addresses import parse
sys.exit(run_terminal(Entrance(parse(sys.argv[1]), *sys.argv[2:4])))
"""


def piped(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        input=text,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=PATIENCE_S,
    )


def test_a_pipe_is_served_line_by_line() -> None:
    with EmbeddedBroker() as broker:
        asyncio.run(made(broker.address, "ana"))
        address = str(broker.address)
        done = piped("hola\n", address, "ana", PASSWORD)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout[6:] == "#lobby ana: hola\n"
        refused = piped("#gR nowhere\n", address, "ana", PASSWORD)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.startswith("! There is no such room")
        wrong = piped("hola\n", address, "ana", "wrong horse")
        assert (wrong.returncode, wrong.stdout) == (1, "")
        assert wrong.stderr == "tertulia: Login and password do not belong together.\n"
        assert piped("hola\n", address).returncode == 2


@pytest.mark.parametrize("screen", [True, False])
def test_no_broker_is_said_and_is_the_status(screen: bool, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = Entrance(Address("127.0.0.1", 1, generate().public), "ana", PASSWORD)

    async def run() -> int:
        if not screen:
            return await app._plain(nowhere)
        async with sitting_down(nowhere) as person:
            await person.see("◌ connecting")
            return await asyncio.wait_for(person.running, PATIENCE_S)

    assert asyncio.run(run()) == 3
    assert "No broker" in capsys.readouterr().err


def test_what_is_typed_before_there_is_a_client_is_kept() -> None:
    may_go_on = threading.Event()

    async def run(address: Address) -> None:
        def settle() -> Address:
            assert may_go_on.wait(PATIENCE_S)
            return address

        await made(address, "ana")
        elsewhere = replace(address, port=1)
        async with sitting_down(Entrance(elsewhere, "ana", PASSWORD, settle=settle)) as ana:
            await ana.see("◌ connecting")
            ana.press("hola\r")
            await ana.see("not connected yet; your line is kept", "▸ hola")
            may_go_on.set()
            await ana.see("● live", "▸ hola")
            ana.press("\r")
            await ana.see("ana        hola")
            assert await ana.left() == 0

    with EmbeddedBroker() as broker:
        asyncio.run(run(broker.address))


def test_leaving_before_there_is_a_client_is_no_failure() -> None:
    may_go_on = threading.Event()

    def settle() -> Address:
        assert may_go_on.wait(PATIENCE_S)
        raise NoBroker

    async def run() -> int:
        nowhere = Address("127.0.0.1", 1, generate().public)
        async with sitting_down(Entrance(nowhere, "ana", PASSWORD, settle=settle)) as ana:
            await ana.see("◌ connecting")
            ana.press("\x04")
            try:
                return await asyncio.wait_for(ana.running, PATIENCE_S)
            finally:
                may_go_on.set()

    assert asyncio.run(run()) == 0


def test_giving_up_on_the_form_is_no_failure() -> None:
    async def run() -> int:
        async with sitting_down(Entrance(Address("127.0.0.1", 1, generate().public))) as person:
            await person.see("New account")
            person.press("\x03")
            return await asyncio.wait_for(person.running, PATIENCE_S)

    assert asyncio.run(run()) == 0


def test_importing_the_package_loads_nothing_slow() -> None:
    script = "import sys; import client.tui; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert not {"prompt_toolkit", "zmq", "msgspec", "asyncio", "peewee", "aiohttp"} & set(done.stdout.split())
    lean = script.replace("client.tui", "client.tui.plain", 1)
    done = subprocess.run([sys.executable, "-c", lean], capture_output=True, text=True, cwd=ROOT, check=True)
    assert not {"prompt_toolkit", "zmq", "peewee", "bcrypt", "aiohttp", "apsw"} & set(done.stdout.split())
    painted = script.replace("client.tui", "client.commands.chat, client.tui.screen, client.tui.late", 1)
    done = subprocess.run([sys.executable, "-c", painted], capture_output=True, text=True, cwd=ROOT, check=True)
    assert not {"zmq", "peewee", "bcrypt", "aiohttp", "apsw"} & set(done.stdout.split())
