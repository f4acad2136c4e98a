"""`tertulia bot run` and `tertulia bot new`, from the command line to a real broker and a person there."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from client import ChatClient
from client.cli import main
from client.link.room import Room
from common import addresses, credentials
from common.keys import generate
from common.messages import Message
from tests.generated import ROOT
from tests.support.gateway import PASSWORD, Broker, Program, broker

BOT = """\
import asyncio

from client.bot import Bot

bot = Bot()


@bot.command
async def {name}(ctx):
    {body}


if {guard}:
    bot.run(rooms=["lobby"])
"""

REFUSES = """while True:
        try:
            await asyncio.sleep(1)
        except BaseException:
            pass"""
"""A handler's body that refuses to be cancelled."""


def bot_file(place: Path, name: str, body: str = "await ctx.reply('here')", guard: str = "True") -> Path:
    file = place / f"{name}.py"
    file.write_text(BOT.format(name=name, body=body, guard=guard))
    return file


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with broker(tmp_path_factory.mktemp("broker") / "data", "ana") as started:
        yield started


@pytest.fixture
async def lobby(running: Broker) -> AsyncIterator[Talk]:
    async with ChatClient(running.address, "ana", PASSWORD) as ana:
        room = ana.room("lobby")
        assert room is not None
        yield Talk(room)


class Talk:
    """Ana in the lobby: what she says, and what she hears of others."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._messages = room.messages()

    async def say(self, text: str) -> None:
        await self._room.send(text)

    async def hears(self) -> Message:
        async with asyncio.timeout(30):
            async for message in self._messages:
                if message.sender != "ana":
                    return message
        raise AssertionError

    async def until(self, question: str, answer: str) -> None:
        """Ask again and again until that is the answer."""
        async with asyncio.timeout(60):
            while True:
                await self.say(question)
                try:
                    async with asyncio.timeout(1):
                        if (await self.hears()).text == answer:
                            return
                except TimeoutError:
                    pass


def bots(log: Path, *arguments: str) -> Program:
    return Program(log, "bot", "run", *arguments)


async def there(program: Program, count: int = 1) -> None:
    """Wait until so many bots hear their rooms."""
    while program.words().count(" event=serving ") < count:
        assert program.process.poll() is None, program.words()
        await asyncio.to_thread(program.says, " event=serving ")


async def test_bots_of_several_files_run_in_one_process_each_by_its_key_and_finish_what_they_began(
    running: Broker, lobby: Talk, tmp_path: Path
) -> None:
    begun = "await ctx.reply('begun'); await asyncio.sleep(1); await ctx.reply('finished')"
    one, two = bot_file(tmp_path, "one"), bot_file(tmp_path, "two", begun)
    shutil.copy(running.key("one"), tmp_path / "one.key")
    with bots(tmp_path / "log", str(one), f"{two}={running.key('two')}") as program:
        await there(program, 2)
        await lobby.say("!one")
        answer = await lobby.hears()
        assert (answer.sender, answer.text) == ("one", "here")
        await lobby.say("!two")
        assert (await lobby.hears()).text == "begun"
        program.process.send_signal(signal.SIGTERM)
        answer = await lobby.hears()
        assert (answer.sender, answer.text) == ("two", "finished")
        assert await asyncio.to_thread(program.end) == 0
        assert program.line() == "", "there is nothing on stdout"
        for login in ("one", "two"):
            secret = running.key(login).read_text().split('secret = "')[1].split('"')[0]
            assert secret not in program.words()


async def test_a_second_signal_ends_it_at_once(running: Broker, lobby: Talk, tmp_path: Path) -> None:
    file = bot_file(tmp_path, "hangs", "await ctx.reply('begun'); await asyncio.sleep(600)")
    with bots(tmp_path / "log", str(file), "--key", str(running.key("hangs"))) as program:
        await there(program)
        await lobby.say("!hangs")
        assert (await lobby.hears()).text == "begun"
        program.process.send_signal(signal.SIGTERM)
        program.process.send_signal(signal.SIGINT)  # another one, for two of the same may arrive as one
        assert await asyncio.to_thread(program.process.wait, 8) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("from client.bot import Bot\nbot = = Bot()\n", r"broken.py:2: invalid syntax"),
        ("x = 1\n", r"broken.py: there is no bot in it; a file of a bot has: bot = Bot\(\)"),
        ("x = 1\n\n\nnothing\n", r"broken.py:4: NameError: name 'nothing' is not defined"),
        ("import no_such_module\n", r"broken.py:1: ModuleNotFoundError: No module named 'no_such_module'"),
        ("import beside\n", r"beside.py:2: ZeroDivisionError"),
        ("raise SystemExit(3)\n", r"broken.py:1: SystemExit: 3"),
        (None, r"broken.py: there is no such file"),
    ],
)
def test_a_file_that_is_broken_is_told_with_its_line(
    content: str | None, said: str, tmp_path: Path, running: Broker
) -> None:
    (tmp_path / "beside.py").write_text("\n1 / 0\n")
    if content is not None:
        (tmp_path / "broken.py").write_text(content)
    with bots(tmp_path / "log", str(tmp_path / "broken.py"), "--key", str(running.key("one"))) as program:
        assert program.process.wait(30) == 2
    last = program.words().splitlines()[-1]
    assert last.startswith("tertulia: ")
    assert re.search(said, last), last


def test_how_it_ends_tells_why(tmp_path: Path, running: Broker) -> None:
    file, other = bot_file(tmp_path, "lonely"), bot_file(tmp_path, "other")
    key = running.key("lonely")

    def ended(*arguments: str) -> tuple[int, str]:
        with bots(tmp_path / "log", *arguments) as program:
            status = program.process.wait(30)
        words = program.words()
        program.log.unlink()
        return status, words

    assert ended(str(file))[0] == 2
    status, words = ended(str(file), str(other), "--key", str(key))
    assert (status, "of several, give each its own" in words) == (2, True)
    status, words = ended(f"{file}={key}", f"{other}={key}")
    assert (status, "would be the same account" in words) == (2, True)
    status, words = ended(f"{file}={key}", f"{file}={key}")
    assert (status, "would be the same account" in words) == (2, True)
    status, words = ended(f"{file}:nobody={key}")
    assert (status, "there is no bot 'nobody' in it; there is bot" in words) == (2, True)
    unreadable = tmp_path / "open.key"
    unreadable.write_bytes(key.read_bytes())
    unreadable.chmod(0o644)
    status, words = ended(f"{file}={unreadable}")
    assert (status, "chmod 600" in words) == (2, True)
    away = tmp_path / "away.key"
    away.write_text(key.read_text().replace(f":{running.port}/", ":9/"))
    away.chmod(0o600)
    assert ended(f"{file}={away}")[0] == 3
    running.operator("bot", "revoke", "lonely")
    status, words = ended(f"{file}={key}")
    assert (status, "The broker does not know this key" in words) == (1, True)


async def test_an_operators_cooldown_that_is_none_is_told_by_its_variable(running: Broker, tmp_path: Path) -> None:
    file, key = bot_file(tmp_path, "hasty"), str(running.key("hasty"))
    wrong = {"TERTULIA_BOT_COOLDOWN_HASTY": "often"}
    with Program(tmp_path / "log", "bot", "run", str(file), "--key", key, **wrong) as program:
        assert await asyncio.to_thread(program.process.wait, 30) == 2
        assert "TERTULIA_BOT_COOLDOWN_HASTY: 'often' is no cooldown" in program.words()
        assert "Traceback" not in program.words()


async def test_the_log_says_that_the_broker_is_away_and_that_it_is_back(tmp_path: Path) -> None:
    with broker(tmp_path / "data") as first:
        file, key = bot_file(tmp_path, "patient"), str(first.key("patient"))
        with bots(tmp_path / "log", str(file), "--key", key) as program:
            await there(program)
            first.end(signal.SIGKILL)
            await asyncio.to_thread(program.says, " event=broker-away ")
            again = first.again()
            try:
                await asyncio.to_thread(program.says, " event=broker-back ")
            finally:
                again.end()
            assert program.words().count("event=broker-away") >= program.words().count("event=broker-back") > 0


async def test_it_starts_anew_when_a_file_changes_and_waits_while_one_is_broken(
    running: Broker, lobby: Talk, tmp_path: Path
) -> None:
    (tmp_path / "words.py").write_text("SAID = 'first'\n")
    file = bot_file(tmp_path, "live", "await ctx.reply(__import__('words').SAID)")
    file.write_text(f"import words\n{file.read_text()}")
    with bots(tmp_path / "log", str(file), "--key", str(running.key("live")), "--reload") as program:
        await there(program)
        await lobby.until("!live", "first")
        (tmp_path / "words.py").write_text("SAID = 'second, of a module'\n")
        await lobby.until("!live", "second, of a module")
        whole = file.read_text()
        file.rename(tmp_path / "elsewhere")
        await asyncio.to_thread(program.says, "live.py: No such file or directory")
        await lobby.until("!live", "second, of a module")
        file.write_text("def (\n")
        await asyncio.to_thread(program.says, "live.py:1: ")
        await lobby.until("!live", "second, of a module")
        file.write_text(f"{whole}\nraise KeyError('once it runs')\n")
        await asyncio.to_thread(program.says, "event=ended-until-a-change")
        assert "once it runs" in program.words()
        file.write_text(whole.replace("words').SAID", "words').SAID.upper()"))
        await lobby.until("!live", "SECOND, OF A MODULE")
        assert await asyncio.to_thread(program.end) == 0


async def test_whoever_loses_its_parent_ends_too(running: Broker, lobby: Talk, tmp_path: Path) -> None:
    file = bot_file(tmp_path, "orphan")
    with bots(tmp_path / "log", str(file), "--key", str(running.key("orphan")), "--reload") as program:
        await there(program)
        program.end(signal.SIGKILL)
        async with asyncio.timeout(30):
            assert await asyncio.to_thread(program.line) == "", "nobody has its stdout any more"


@pytest.mark.parametrize(
    ("body", "signals"),
    [
        ("await asyncio.to_thread(__import__('threading').Event().wait)", 2),
        ("__import__('time').sleep(1000)", 2),
        (REFUSES, 2),
        (REFUSES, 1),
    ],
    ids=["thread", "blocks the loop", "refuses to be cancelled", "refuses, with one signal"],
)
async def test_what_does_not_end_is_ended(
    body: str, signals: int, running: Broker, lobby: Talk, tmp_path: Path
) -> None:
    file = bot_file(tmp_path, "stubborn", f"await ctx.reply('begun')\n    {body}")
    with bots(tmp_path / "log", str(file), "--key", str(running.key("stubborn"))) as program:
        await there(program)
        await lobby.say("!stubborn")
        assert (await lobby.hears()).text == "begun"
        for _ in range(signals):
            program.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.5)  # two signals at once may be one
        assert await asyncio.to_thread(program.process.wait, 30) == 0
        assert "event=ended-by-force" in program.words()


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("", "tertulia://h:1/KEY"),
        ("h", "tertulia://h:1/KEY"),
        ("h:2", "tertulia://h:1/KEY"),
        ("other", "tertulia://other:5570/KEY"),
        ("other:2", "tertulia://other:2/KEY"),
        ("tertulia://h:2/NEW", "tertulia://h:2/NEW"),
    ],
)
def test_a_key_files_address_holds_unless_a_whole_one_or_another_host_is_given(given: str, used: str) -> None:
    def whole(text: str) -> str:
        return text.replace("KEY", addresses.encode_key(bytes(32))).replace("NEW", addresses.encode_key(b"\1" * 32))

    credential = credentials.Credential(addresses.parse(whole("tertulia://h:1/KEY")), "dice", generate())
    assert str(credentials.broker(credential, whole(given))) == whole(used)


async def test_an_address_in_the_environment_takes_no_bot_away_from_its_broker(
    running: Broker, lobby: Talk, tmp_path: Path
) -> None:
    file = bot_file(tmp_path, "placed")
    key = str(running.key("placed"))
    with Program(tmp_path / "log", "bot", "run", str(file), "--key", key, TERTULIA_ADDRESS="127.0.0.1") as program:
        await there(program)
    with Program(tmp_path / "else", "bot", "run", str(file), "--key", key, TERTULIA_ADDRESS="localhost:9") as program:
        assert await asyncio.to_thread(program.process.wait, 30) == 3
        assert "event=address-given address=tertulia://localhost:9/" in program.words()


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """The directory of a new bot."""
    monkeypatch.chdir(tmp_path)
    assert main(["bot", "new", "shopping"]) == 0
    made = capsys.readouterr().out.splitlines()
    assert sorted(made) == sorted(f"shopping/{path.name}" for path in (tmp_path / "shopping").iterdir())
    return tmp_path / "shopping"


def test_a_new_bot_passes_its_own_tests(begun: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore"],
        cwd=begun,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
@pytest.mark.parametrize("place", ["plain", "with a space, 5 %h and $HOME"])
def test_its_unit_is_sound(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / place).mkdir()
    monkeypatch.chdir(tmp_path / place)
    assert main(["bot", "new", "shopping"]) == 0
    unit = tmp_path / "shopping.service"
    (tmp_path / place / "shopping" / unit.name).rename(unit)
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    assert "shopping.service" not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr


async def test_a_new_bot_works(running: Broker, lobby: Talk, begun: Path, tmp_path: Path) -> None:
    shutil.copy(running.key("shopping", "read:lobby", "write:lobby", "direct"), begun)
    with bots(tmp_path / "log", str(begun / "shopping.py"), "--rooms", "lobby") as program:
        await there(program)
        await lobby.say("!add oat milk")
        assert (await lobby.hears()).text == "1. oat milk"
        assert await asyncio.to_thread(program.end) == 0


def test_nothing_that_is_there_is_touched(begun: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in begun.iterdir()}
    assert main(["bot", "new", "shopping"]) == 2
    assert "nothing in it was touched" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in begun.iterdir()} == before


def test_its_unit_names_the_bot_wherever_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / 'a "b" 5 %h $HOME'
    place.mkdir()
    monkeypatch.chdir(place)
    assert main(["bot", "new", "shopping"]) == 0
    unit = (place / "shopping" / "shopping.service").read_text()
    (command,) = re.findall(r"^ExecStart=(.*)", unit, re.MULTILINE)
    assert command.endswith(f' bot run "{tmp_path}/a \\"b\\" 5 %%h $$HOME/shopping/shopping.py"')
    (directory,) = re.findall(r"^WorkingDirectory=(.*)", unit, re.MULTILINE)
    assert directory == f'{tmp_path}/a "b" 5 %%h $HOME/shopping'


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("random", "another module"),
        ("zmq", "another module"),
        ("conftest", "another module"),
        ("client", "another module"),
        ("class", "cannot be a module"),
        ("Big", "cannot be a module"),
        ("a-b", "cannot be a module"),
        ("1a", "cannot be a module"),
        ("../x", "A name"),
        ("x" * 33, "A name"),
        ("", "A name"),
    ],
)
def test_a_bot_has_a_name_that_works(
    name: str, said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["bot", "new", name]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
