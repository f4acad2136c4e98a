"""What goes on beside the messages: notices, drafts on disk, other programs, who writes, marks on their way."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from client.link.failures import NoAnswer
from client.link.updates import LinkState
from client.tui.commands import opening
from client.tui.model import switching
from client.tui.model.conversations import Conversation
from client.tui.model.marks import Marks
from client.tui.notify import PAUSE_S, SHOWN, Notifier
from client.tui.receipts import Receipts
from client.tui.typing import drafts, editor
from client.tui.typing.writing import AGAIN_S, Writing
from common import messages as m
from common.errors import NotMember
from tests.client.tui.fake_chat import FakeChat, view


class Terminal:
    """Where notices arrive."""

    def __init__(self) -> None:
        self.bells = 0
        self.written: list[str] = []
        self.run: list[list[str]] = []

    def bell(self) -> None:
        self.bells += 1

    async def runs(self, command: list[str]) -> bool:
        self.run.append(command)
        return True

    def notifier(self, *ways: str, **environment: str) -> Notifier:
        return Notifier(ways, self.bell, self.written.append, self.runs, environment)


def tell(notifier: Notifier, *given: Any) -> None:
    asyncio.run(notifier.tell(*given))


def test_each_way_of_telling() -> None:
    at = Terminal()
    tell(at.notifier("bell"), "bob", "hi", 10.0)
    assert (at.bells, at.written, at.run) == (1, [], [])
    tell(at.notifier("osc9", "osc777"), "bob; #x", "hi; you", 10.0)
    assert at.written == ["\x1b]9;bob; #x: hi; you\x07", "\x1b]777;notify;bob, #x;hi, you\x07"]
    tell(at.notifier("none"), "bob", "hi", 10.0)
    assert (at.bells, len(at.written), at.run) == (1, 2, [])
    tell(at.notifier("osc9", TMUX="/tmp/x"), "bob", "hi", 10.0)
    assert at.written[-1] == "\x1bPtmux;\x1b\x1b]9;bob: hi\x07\x1b\\"


def test_the_desktop_is_told_by_its_own_program_and_else_the_bell_rings(tmp_path: Path) -> None:
    program = tmp_path / "notify-send"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    at = Terminal()
    tell(at.notifier("desktop", PATH=str(tmp_path)), "-bob", "--help", 10.0)
    assert at.run == [[str(program), "--app-name=tertulia", "--", "-bob", "--help"]]
    tell(at.notifier("desktop", PATH=str(tmp_path)), "bob", "<a href='file:///x'>me & you</a> \\033]0;x", 10.0)
    assert at.run.pop()[-1] == "&lt;a href='file:///x'&gt;me &amp; you&lt;/a&gt; \\\\033]0;x"
    tell(at.notifier("desktop", PATH="/nowhere"), "bob", "hi", 10.0)
    assert (len(at.run), at.bells) == (1, 1)


def test_a_flood_is_told_of_once_in_a_while_and_nothing_in_it_steers_the_terminal() -> None:
    at = Terminal()
    notifier = at.notifier("bell", "osc9")
    tell(notifier, "bob", "\x1b]0;x\x07\n" + "y" * 1_000, 10.0)
    tell(notifier, "bob", "again", 10.0 + PAUSE_S / 2)
    assert (at.bells, len(at.written)) == (1, 1)
    assert at.written[0].count("\x1b") == at.written[0].count("\x07") == 1
    assert "\n" not in at.written[0]
    assert len(at.written[0]) < SHOWN + 40
    tell(notifier, "bob", "later", 10.0 + PAUSE_S)
    assert at.bells == 2


def test_drafts_are_kept_in_a_private_file_that_goes_with_the_last(tmp_path: Path) -> None:
    file = tmp_path / "new" / "drafts.json"
    assert drafts.load(file) == {}
    room, person = Conversation("lobby", view("lobby", 7)), Conversation("@Bob")
    drafts.save({drafts.key(room): "half\na thought ñ", drafts.key(person): "x"}, file)
    assert drafts.load(file) == {"room 7": "half\na thought ñ", "@bob": "x"}
    assert file.stat().st_mode & 0o077 == 0
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    drafts.save({}, file)
    assert not file.exists()


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1, "b": ""}'])
def test_a_spoilt_file_of_drafts_is_as_none(tmp_path: Path, content: str) -> None:
    file = tmp_path / "drafts.json"
    file.write_text(content)
    assert drafts.load(file) == {}


def test_a_disk_that_refuses_drafts_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert not drafts.save({"@": "x"}, tmp_path / "file" / "drafts.json")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "x").write_text("")
    assert not drafts.save({"@": "x"}, tmp_path / "taken")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "taken"]


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        ({"VISUAL": "code --wait", "EDITOR": "vi"}, ["code", "--wait"]),
        ({"EDITOR": "vi"}, ["vi"]),
        ({"VISUAL": "'", "EDITOR": "vi"}, ["vi"]),
        ({"PATH": "/nowhere"}, None),
    ],
)
def test_the_editor_is_the_persons(environment: dict[str, str], command: list[str] | None) -> None:
    assert editor.chosen(environment) == command


def test_an_editor_that_is_not_there_changes_nothing() -> None:
    assert asyncio.run(editor.write(["/nowhere/editor"], "text")) is None
    assert asyncio.run(editor.write(["true"], "text\n")) == "text"


def test_other_programs_say_whether_they_did_it() -> None:
    assert asyncio.run(opening.run_beside(["true"]))
    assert not asyncio.run(opening.run_beside(["false"]))
    assert not asyncio.run(opening.run_beside(["/nowhere/program"]))


def test_links_are_opened_on_a_desktop_only(tmp_path: Path) -> None:
    program = tmp_path / "xdg-open"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    assert opening.opener({"PATH": str(tmp_path)}) in (None, ["open"])
    assert opening.opener({"PATH": str(tmp_path), "DISPLAY": ":0"}) in ([str(program)], ["open"])
    assert opening.opener({"PATH": "/nowhere", "DISPLAY": ":0"}) in (None, ["open"])


@pytest.mark.parametrize(
    ("letters", "found"),
    [
        ("ops", ["ops", "ops-night", "devops"]),
        ("#ops", ["ops", "ops-night", "devops"]),
        ("night", ["ops-night"]),
        ("nt", ["ops-night"]),
        ("BOB", ["@Bob"]),
        ("@bo", ["@Bob"]),
        ("zz", []),
        ("", ["devops", "ops-night", "ops", "@Bob"]),
    ],
)
def test_some_letters_mean_a_conversation(letters: str, found: list[str]) -> None:
    talks = [Conversation(log) for log in ("devops", "ops-night", "ops", "@Bob")]
    assert [talk.log for talk in switching.matching(talks, letters)] == found


def test_with_no_letters_news_come_first() -> None:
    talks = [Conversation("a"), Conversation("b", unread=1), Conversation("c", unread=1, mentions=1)]
    assert [talk.log for talk in switching.matching(talks, "")] == ["c", "b", "a"]


def test_that_one_writes_is_said_once_in_a_while_and_its_end_once() -> None:
    writing = Writing()
    assert writing.typed("lobby", "/who", 0.0) == []
    assert writing.typed("lobby", "h", 0.0) == [("lobby", True)]
    assert writing.typed("lobby", "he", AGAIN_S / 2) == []
    assert writing.typed("lobby", "hel", AGAIN_S) == [("lobby", True)]
    assert writing.typed("@bob", "hey", AGAIN_S) == [("lobby", False), ("@bob", True)]
    assert writing.typed("@bob", "", AGAIN_S) == [("@bob", False)]
    assert writing.typed("@bob", "", AGAIN_S) == []
    assert writing.typed("@bob", "x", AGAIN_S) == [("@bob", True)]
    writing.sent()
    assert writing.typed("@bob", "", AGAIN_S) == [], "whoever hears it knows that it is written"


def test_marks_that_could_not_be_told_are_told_later_and_those_of_rooms_one_has_left_are_not() -> None:
    async def run() -> None:
        chat, marks = FakeChat(), Marks()
        receipts = Receipts(chat, marks)
        marks.seen("lobby", 5)
        chat.link = LinkState.OFFLINE
        assert not receipts.wanted()
        await receipts.finish()
        assert chat.asked == []
        chat.link = LinkState.LIVE
        assert receipts.wanted()
        assert not receipts.wanted(), "somebody does it already"
        chat.refusals[m.Mark] = NoAnswer()
        await receipts.finish()
        assert marks.due
        chat.refusals[m.Mark] = NotMember()
        await receipts.finish()
        assert not marks.due
        assert chat.asked == [m.Mark(talk="lobby", read=5)] * 2

    asyncio.run(run())
