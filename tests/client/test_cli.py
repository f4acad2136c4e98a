"""`tertulia` without a screen, against a real broker: what it prints, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from client import ChatClient
from client.cli import main
from client.commands import completion, show
from client.link.room import RoomEntry
from client.trust import Tokens
from common import addresses, texts
from common.messages import Edited, Message, Reacted, ReactionView, Retracted, RoomView, UserView
from tests.generated import ROOT

PASSWORD = "correct horse"
PERSON = ["--first-names", "Ana María", "--surnames", "Ruiz", "--age", "34", "--gender", "female"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker of its own process, with hashes that cost little; `ana` and `bruno` have accounts."""
    data = tmp_path_factory.mktemp("broker") / "data"
    command = [sys.executable, "-m", "broker", "serve", "--data-dir", str(data), "--listen", "127.0.0.1", "--port", "0"]
    command += ["--idle-exit", "60"]  # so that none is left behind when a test run is killed
    environment = {**os.environ, "TERTULIA_BROKER_BCRYPT_COST": "4", "XDG_CONFIG_HOME": str(data.parent)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as broker:
        assert broker.stdout is not None
        ready = broker.stdout.readline().strip()
        try:
            yield ready
        finally:
            broker.terminate()
    assert broker.returncode == 0


@pytest.fixture(autouse=True)
def surroundings(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment of one's own, in which Ana is known."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("TERTULIA_ADDRESS", address)
    monkeypatch.setenv("TERTULIA_LOGIN", "ana")
    monkeypatch.setenv("TERTULIA_PASSWORD", PASSWORD)


@pytest.fixture(scope="module", autouse=True)
def accounts(address: str) -> None:
    for login in ("ana", "bruno"):
        command = ["register", "--address", address, "--login", login, *PERSON]
        done = subprocess.run(
            [sys.executable, "-m", "client", *command], cwd=ROOT, input=f"{PASSWORD}\n", text=True, capture_output=True
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@contextlib.asynccontextmanager
async def bruno(address: str):  # type: ignore[no-untyped-def]
    async with ChatClient(address, "bruno", PASSWORD) as chat:
        yield chat


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out.splitlines()


def objects(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines(capsys)]


# Sending and reading


def test_what_was_sent_is_printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["send", "--room", "lobby", "hola", "a", "todos"]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("two\nlines\n"))
    assert main(["send", "--room", "lobby"]) == 0
    assert lines(capsys) == []
    assert main(["tail", "--room", "lobby", "--count", "2"]) == 0
    first, second, rest = lines(capsys)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ana: hola a todos", first)
    assert second.endswith("ana: two")
    assert rest == "    lines"


def test_tail_counts_and_begins_where_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    for word in ("one", "two", "three"):
        main(["send", "--room", "lobby", word])
    main(["tail", "--room", "lobby", "--json", "--count", "3"])
    told = objects(capsys)
    assert [each["text"] for each in told] == ["one", "two", "three"]
    assert told[0] == {
        "kind": "message",
        "room": "lobby",
        "sender": "ana",
        "text": "one",
        **{name: told[0][name] for name in ("seq", "prev", "time")},
        "reply_to": 0,
        "edited": 0,
        "retracted": False,
        "reactions": [],
    }
    first = told[0]["seq"]
    assert [each["prev"] for each in told[1:]] == [each["seq"] for each in told[:-1]]
    main(["tail", "--room", "lobby", "--json", "--since", str(first)])
    assert [each["text"] for each in objects(capsys)] == ["two", "three"]
    main(["tail", "--room", "lobby", "--json", "--since", str(first), "--count", "1"])
    assert [each["text"] for each in objects(capsys)] == ["two"]
    main(["tail", "--room", "lobby", "--count", "0"])
    assert lines(capsys) == []


def test_tail_follows_until_it_has_counted_enough(capsys: pytest.CaptureFixture[str]) -> None:
    main(["send", "--room", "lobby", "one"])
    main(["tail", "--room", "lobby", "--json", "--count", "1"])
    newest = str(objects(capsys)[0]["seq"])
    main(["send", "--room", "lobby", "two"])
    command = [sys.executable, "-m", "client", "tail", "--room", "lobby", "--json", "--follow", "--since", newest]
    with subprocess.Popen([*command, "--count", "3"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as tail:
        assert tail.stdout is not None
        assert json.loads(tail.stdout.readline())["text"] == "two"
        main(["send", "--room", "lobby", "three"])
        main(["send", "--room", "lobby", "four"])
        assert [json.loads(line)["text"] for line in tail.stdout] == ["three", "four"]
    assert tail.returncode == 0


def test_tail_follows_after_the_newest(capsys: pytest.CaptureFixture[str]) -> None:
    main(["send", "--room", "lobby", "five"])
    command = [sys.executable, "-m", "client", "tail", "--room", "lobby", "--json", "--follow"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as tail:
        assert tail.stdout is not None
        while json.loads(tail.stdout.readline())["text"] != "five":
            pass
        main(["send", "--room", "lobby", "six"])
        assert json.loads(tail.stdout.readline())["text"] == "six"
        tail.send_signal(signal.SIGINT)
    assert tail.returncode == 130


async def test_tail_tells_what_became_of_messages_and_follows_what_becomes_of_them(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with bruno(address) as chat:
        room = await chat.create("cellar", kept=True)
        said = (await room.send("helo")).seq
        await room.edit(said, "hello")
        gone = (await room.send("oops", reply_to=said)).seq
        await room.retract(gone)
        await room.react(said, "👍")
        tail = ["tail", "--room", "cellar"]
        assert await asyncio.to_thread(main, [*tail, "--count", "2", "--json"]) == 0
        first, second = objects(capsys)
        assert (first["text"], first["edited"] != 0, first["reactions"]) == (
            "hello",
            True,
            [{"emoji": "👍", "count": 1, "mine": False}],
        )
        assert (second["text"], second["retracted"], second["reply_to"]) == ("", True, said)
        assert await asyncio.to_thread(main, tail) == 0
        assert [line.split(" ", 2)[2] for line in lines(capsys)] == ["bruno: hello (edited)", "bruno: (taken back)"]
        for shown in (["--json"], []):
            command = [sys.executable, "-m", "client", *tail, "--follow", "--since", str(gone), *shown]
            process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=subprocess.PIPE)
            assert process.stdout is not None
            await room.edit(said, "hello!")
            await room.react(said, "👍", on=False)
            await room.send("done")
            told: list[str] = []
            while "done" not in "".join(told):
                told.append((await process.stdout.readline()).decode().rstrip("\n"))
            process.send_signal(signal.SIGINT)
            await process.wait()
            if shown:
                found = [json.loads(line) for line in told]
                assert [each["kind"] for each in found[-5:]] == ["retract", "reaction", "edit", "reaction", "message"]
                assert [(each["target"], each["sender"]) for each in found[-3:-1]] == [(said, "bruno")] * 2
                assert (found[-3]["text"], found[-2]["emoji"], found[-2]["on"]) == ("hello!", "👍", False)
            else:
                assert [line.split(" ", 2)[2] for line in told[-3:]] == [
                    "* bruno edited a message: hello!",
                    "* bruno took 👍 away again",
                    "bruno: done",
                ]


def test_an_interrupted_tail_ends_quietly(capfd: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "client", "tail", "--room", "lobby", "--follow", "--since", "0", "--json"]
    main(["send", "--room", "lobby", "something"])
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as tail:
        assert tail.stdout is not None
        assert tail.stderr is not None
        assert tail.stdout.readline()
        tail.send_signal(signal.SIGINT)
        assert tail.stderr.read() == ""
    assert tail.returncode == 130


async def test_a_visitor_leaves_again_and_a_member_stays(address: str) -> None:
    async with bruno(address) as chat:
        room = await chat.create("patio", kept=True)
        assert await asyncio.to_thread(main, ["send", "--room", "patio", "just visiting"]) == 0
        assert [message.text for message in await room.history()] == ["just visiting"]
        assert [member.login for member in await room.members()] == ["bruno"]
        async with ChatClient(address, "ana", PASSWORD) as ana:
            await ana.join("patio")
            await asyncio.to_thread(main, ["send", "--room", "patio", "I live here"])
            assert [member.login for member in await room.members()] == ["ana", "bruno"]


async def test_who_made_a_room_stays_in_it(address: str) -> None:
    async with ChatClient(address, "ana", PASSWORD) as ana:
        room = await ana.create("attic", kept=True)
        await room.leave()
        await asyncio.to_thread(main, ["send", "--room", "attic", "mine"])
        assert [view.joined for view in await rooms_named(ana, "attic")] == [True]


async def rooms_named(chat: ChatClient, name: str) -> list[RoomView]:
    from common.messages import Rooms

    return [view for view in (await chat.request(Rooms())).rooms if view.name == name]


# Lists


def test_rooms_and_users(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rooms"]) == 0
    assert "   1  lobby (joined, kept)" in lines(capsys)
    assert main(["rooms", "--json"]) == 0
    names = ["name", "online", "joined", "kept", "private", "creator", "subject", "head"]
    assert [list(each) for each in objects(capsys) if each["name"] == "lobby"] == [names]
    assert main(["users"]) == 0
    assert lines(capsys)[:2] == ["* ana  Ana María Ruiz", "  bruno  Ana María Ruiz"]
    assert main(["users", "--json"]) == 0
    assert objects(capsys)[0] == {"login": "ana", "online": True, "first_names": "Ana María", "surnames": "Ruiz"}


# What others wrote is harmless


def test_nothing_of_others_reaches_the_terminal_raw(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]0;owned\x07\x9b31m\u202eright to left\r\nlast"
    said = {"seq": 1, "prev": 0, "time": 0, "sender": "e\x1bvil", "nonce": bytes(16)}
    entries: list[RoomEntry] = [
        Message(**said, text=evil, reactions=[ReactionView(emoji=evil, count=1, mine=False)]),
        Message(**said, text="", retracted=True),
        Edited(**said, target=1, text=evil),
        Retracted(**said, target=1),
        Reacted(**said, target=1, emoji=evil, on=True, count=1),
        Reacted(**said, target=1, emoji=evil, on=False, count=0),
    ]
    room = RoomView(
        id=1, name="r\x1b", kept=True, private=True, open=False, subject="\x1b[2J", creator=None, head=0, online=0,
        joined=False, since=0,
    )  # fmt: skip
    for as_json in (False, True):
        for entry in entries:
            show.entry("r\x1b", entry, as_json=as_json)
        show.room(room, as_json=as_json)
        show.user(UserView(login="l\x1b", first_names="\x07", surnames="\x9b", online=False), as_json=as_json)
        printed = capsys.readouterr().out
        assert re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", printed) is None
        if as_json:
            assert printed.isascii()
            assert json.loads(printed.splitlines()[0])["text"] == evil


# How it ends


@pytest.mark.parametrize(
    "command",
    [
        ["dance"],
        ["send"],
        ["tail", "--room", "lobby", "--count", "-1"],
        ["tail", "--room", "lobby", "--since", "x"],
        ["register", "--login", "x"],
        ["register", "--login", "x", *PERSON[:-1], "unknown"],
        ["rooms", "--pass", "x"],
        ["completion", "tcsh"],
    ],
)
def test_a_wrong_command_line_ends_with_2(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert ended.value.code == 2
    assert "usage: tertulia" in capsys.readouterr().err


def test_what_cannot_be_done_ends_with_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bad.toml").write_text("plain = 1\n")
    assert main(["rooms", "--config", str(tmp_path / "bad.toml")]) == 2
    assert "bad.toml: 'plain': expected true or false" in capsys.readouterr().err
    assert main(["rooms", "--address", "http://example.org"]) == 2
    assert "is no address" in capsys.readouterr().err
    assert main(["rooms", "--login", "no utf-8: \udc9b"]) == 2
    assert capsys.readouterr().err == f"tertulia: {texts.NO_TEXT}\n"
    monkeypatch.delenv("TERTULIA_PASSWORD")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["rooms"]) == 2
    assert capsys.readouterr().err.startswith("tertulia: no password: set TERTULIA_PASSWORD")
    monkeypatch.delenv("TERTULIA_LOGIN")
    assert main(["rooms"]) == 2
    assert capsys.readouterr().err == "tertulia: who are you? Give --login, or set TERTULIA_LOGIN\n"


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["send", "--room", "nowhere", "x"], "There is no such room"),
        (["send", "--room", "lobby", " "], "The text is empty."),
        (["send", "--room", "lobby", "x" * 8001], "A text has at most 8000 characters"),
        (["send", "--room", "lobby", "no utf-8: \udc9b"], "found '\\udc9b'"),
        (["tail", "--room", "nowhere"], "There is no such room"),
        (["rooms", "--login", "nobody"], "Login and password do not belong together."),
        (["register", *PERSON], "exists already"),
        (["register", *PERSON, "--login", "no good"], "A name"),
    ],
)
def test_what_the_broker_refuses_ends_with_1(
    command: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert sentence in printed.err
    assert printed.err.startswith("tertulia: ")
    assert printed.err.count("\n") == 1


def test_no_broker_ends_with_3(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    key = addresses.parse(address).key
    assert key is not None
    # A port below 1024 on which nothing listens here: discard.
    assert main(["rooms", "--address", f"tertulia://127.0.0.1:9/{addresses.encode_key(key)}"]) == 3
    assert "127.0.0.1:9" in capsys.readouterr().err


def test_another_key_ends_with_3(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    port = addresses.parse(address).port
    assert main(["rooms", "--address", f"tertulia://127.0.0.1:{port}/{addresses.encode_key(bytes(32))}"]) == 3
    assert "does not prove the key" in capsys.readouterr().err


def test_a_reader_that_has_had_enough_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "client", "completion", "bash"], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["--version"], ["--help"], ["tail", "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert not ended.value.code
        assert "tertulia" in capsys.readouterr().out


# Passwords


def test_the_password_may_be_the_first_line_of_the_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TERTULIA_PASSWORD")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    assert main(["users"]) == 0
    assert len(lines(capsys)) >= 2


def at_terminal(command: list[str], *answers: str, prompt: bytes = b": ") -> tuple[int, str]:
    """Run `tertulia` at a terminal, without a password in the environment.

    The first answer follows `prompt`, the others a colon.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        del os.environ["TERTULIA_PASSWORD"]
        os.execv(sys.executable, [sys.executable, "-m", "client", *command])
    seen = b""
    for answer in answers:
        asked = len(seen)
        while not seen.endswith(prompt, asked):
            seen += os.read(terminal, 1)
        os.write(terminal, answer.encode() + b"\n")
        prompt = b": "
    with contextlib.suppress(OSError):  # the end of a terminal is an error on Linux
        while more := os.read(terminal, 1024):
            seen += more
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode()


def test_a_terminal_that_is_dumb_gets_lines_and_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    status, seen = at_terminal(["chat"], "not the password")
    assert status != 0
    assert seen.startswith("Password of ana: ")
    assert "\x1b" not in seen


def test_at_a_terminal_the_password_is_asked_for_and_not_shown() -> None:
    status, seen = at_terminal(["users"], PASSWORD)
    assert status == 0
    assert seen.startswith("Password of ana: ")
    assert "bruno" in seen
    assert PASSWORD not in seen


def test_a_new_password_is_typed_twice() -> None:
    command = ["register", "--login", "carla", *PERSON]
    status, seen = at_terminal(command, PASSWORD, "another horse")
    assert status == 2
    assert "the two passwords differ" in seen
    status, seen = at_terminal(command, PASSWORD, PASSWORD)
    assert status == 0, seen


def test_text_from_the_input_leaves_no_room_for_a_password() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TERTULIA_PASSWORD"}
    done = subprocess.run(
        [sys.executable, "-m", "client", "send", "--room", "lobby"],
        cwd=ROOT,
        env=environment,
        input="hola",
        text=True,
        capture_output=True,
        start_new_session=True,
    )
    assert done.returncode == 2
    assert "the password must be in TERTULIA_PASSWORD" in done.stderr


# The chat, line by line


def chat(*arguments: str, lines: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "client", *arguments]
    return subprocess.run(command, cwd=ROOT, input=lines, capture_output=True, text=True)


def test_a_pipe_into_the_chat_says_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    done = chat("--plain", lines="hola\nqué tal\n")
    assert done.returncode == 0, done.stderr
    assert [line.split(" ", 1)[1] for line in done.stdout.splitlines()] == ["#lobby ana: hola", "#lobby ana: qué tal"]
    done = chat("chat", lines="no terminal, so this is plain\n#exit\n")
    assert done.returncode == 0, done.stderr
    main(["tail", "--room", "lobby", "--count", "1", "--json"])
    assert objects(capsys)[0]["text"] == "no terminal, so this is plain"


def test_a_pipe_into_the_chat_needs_a_login_and_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TERTULIA_LOGIN")
    done = chat(lines="hola\n")
    assert (done.returncode, done.stderr) == (2, "tertulia: who are you? Give --login, or set TERTULIA_LOGIN\n")
    done = chat("--login", "nobody", lines="hola\n")
    assert (done.returncode, done.stderr) == (1, "tertulia: Login and password do not belong together.\n")


async def test_the_chat_uses_the_token_it_was_left_and_forgets_one_that_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = addresses.parse(address).key
    assert key is not None
    async with ChatClient(address, "ana", PASSWORD, remember=True) as client:
        assert client.token is not None
        Tokens().replace(key, "ana", client.token)
    monkeypatch.delenv("TERTULIA_PASSWORD")
    for _ in range(2):
        done = await asyncio.to_thread(chat, lines="remembered\n")
        assert done.returncode == 0, done.stderr
    monkeypatch.delenv("TERTULIA_LOGIN")
    done = await asyncio.to_thread(chat, lines="remembered, as who was here last\n")
    assert done.returncode == 0, done.stderr
    Tokens().replace(key, "ana", bytes(32))
    done = await asyncio.to_thread(chat, lines="forgotten\n")
    assert done.returncode == 1
    assert Tokens().load(key, "ana") is None


# Which broker, and who


def place(address: str) -> str:
    return f"127.0.0.1:{addresses.parse(address).port}"


def test_a_broker_that_was_never_met_is_shown_once_and_remembered(
    address: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    key = addresses.parse(address).key
    assert key is not None
    assert main(["rooms", "--address", place(address)]) == 0
    shown = capsys.readouterr().err
    assert f"The fingerprint of its key: {addresses.fingerprint(key)}\n" in shown
    assert f"/{addresses.encode_key(key)}\n" in shown, "which is what the operator can compare it with"
    assert main(["rooms", "--address", place(address)]) == 0
    assert capsys.readouterr().err == ""
    (known,) = tmp_path.rglob("known_brokers")
    known.write_text(f"{place(address)} {addresses.encode_key(bytes(32))}\n")
    assert main(["rooms", "--address", place(address)]) == 3
    refusal = capsys.readouterr().err
    assert "another key than before" in refusal
    assert f"remove line 1 of {known}" in refusal


def test_a_person_decides_whether_a_fingerprint_is_the_right_one(address: str) -> None:
    command = ["rooms", "--address", place(address)]
    status, seen = at_terminal(command, "no", prompt=b"[yes/no] ")
    assert status == 3
    assert "is not trusted; nothing was sent to it" in seen
    status, seen = at_terminal(command, "yes", PASSWORD, prompt=b"[yes/no] ")
    assert status == 0
    assert "lobby" in seen


def test_nobody_at_a_host_ends_with_3(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("client.link.greeting.ask.__defaults__", (0.2,))
    assert main(["rooms", "--address", "127.0.0.1:9"]) == 3
    assert "No broker answered at 127.0.0.1:9" in capsys.readouterr().err


async def test_what_the_terminal_remembered_logs_in_without_a_password(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = addresses.parse(address).key
    assert key is not None
    async with ChatClient(address, "ana", PASSWORD, remember=True) as chat:
        assert chat.token is not None
        Tokens().replace(key, "ana", chat.token)
    monkeypatch.delenv("TERTULIA_PASSWORD")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    for _ in range(2):  # a token is good once: its successor was kept
        assert await asyncio.to_thread(main, ["rooms"]) == 0
    Tokens().replace(key, "ana", bytes(32))
    capsys.readouterr()
    assert await asyncio.to_thread(main, ["rooms"]) == 2
    assert "no password" in capsys.readouterr().err
    assert Tokens().load(key, "ana") is None


# Completion


def completed(*words: str) -> list[str]:
    """What bash offers after these words."""
    script = completion.bash() + 'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tertulia; echo "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_bash_completes_commands_options_and_choices() -> None:
    assert completed("tertulia", "re") == ["register"]
    assert completed("tertulia", "tail", "--j") == ["--json"]
    assert completed("tertulia", "register", "--gender", "") == ["female", "male", "other", "undisclosed"]
    assert completed("tertulia", "completion", "z") == ["zsh"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_knows_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for name, command in completion.commands().items():
        assert name in script
        for option in command.options:
            assert option[2:] in script
