"""What is written on the full screen: changed, answered, selected, pasted, half written, and never lost."""

from __future__ import annotations

import asyncio
import base64
import os
from pathlib import Path

import pytest

from client.link.updates import LinkChanged, LinkState
from client.tui.typing import terminal
from common import messages as m
from common.errors import Forbidden, NotMember
from common.limits import TEXT_LENGTH
from tests.client.tui.fake_chat import NOW, FakeChat, direct, said, view
from tests.client.tui.test_screen import ALT, F1, PAGE_DOWN, PAGE_UP, Seat, play

UP, DOWN, ESC, CTRL_K, CTRL_F = "\x1b[A", "\x1b[B", "\x1b", "\x0b", "\x06"
PASTE, PASTED = "\x1b[200~", "\x1b[201~"
FOCUS, NO_FOCUS = "\x1b[I", "\x1b[O"


def talking() -> FakeChat:
    lobby = [said("bob", "look: https://example.org/a", 1), said("ana", "my tpyo", 2), said("eva", "hola", 3)]
    return FakeChat(
        rooms={"lobby": view("lobby", 1), "chess": view("chess", 2)}, logs={"lobby": lobby}, users=["ana", "bob", "eva"]
    )


def asked(chat: FakeChat, kind: type[m.Command]) -> list[m.Command]:
    return [command for command in chat.asked if isinstance(command, kind)]


def test_up_on_an_empty_line_edits_the_last_message_and_esc_leaves_it() -> None:
    async def act(seat: Seat) -> None:
        await seat.see("hola")
        await seat.typed("first")
        seat.chat.acknowledge(seat.chat.sent[0], 4)
        await seat.see_no("first …")
        seat.press(UP)
        await seat.see("(edit) ▸ first", "Enter changes the message")
        seat.press(ESC)
        await seat.see("#lobby ▸", "given up")
        await seat.see_no("▸ first")
        seat.press(UP)
        await seat.see("(edit) ▸ first")
        seat.press(" of all\r")
        await seat.see_no("(edit)")
        command = seat.chat.sent[1].command
        assert isinstance(command, m.Edit)
        assert (command.log, command.seq, command.text) == ("lobby", 4, "first of all")
        edited = m.Edited(seq=5, prev=4, time=NOW, sender="ana", target=4, text="first of all", nonce=b"x")
        seat.chat.arrive("lobby", edited)
        await seat.see("first of all")

    play(act, chat=talking())


def test_while_the_last_message_is_on_its_way_an_older_one_is_not_taken_for_it() -> None:
    async def act(seat: Seat) -> None:
        await seat.typed("first")
        seat.chat.acknowledge(seat.chat.sent[0], 4)
        await seat.see_no("first …")
        await seat.typed("secnod")
        seat.press(UP)
        await seat.see("your last message is still on its way", "#lobby ▸")
        await seat.see_no("(edit)")
        for command in ("/edit second", "/retract"):
            await seat.typed(command)
            await seat.see("That message is still on its way; try again when it is sent.")
            await seat.typed("/clear")
            await seat.see_no("That message is still")
        assert len(seat.chat.sent) == 2
        seat.chat.acknowledge(seat.chat.sent[1], 5)
        await seat.see_no("secnod …")
        await seat.typed("/edit second")
        await seat.until(lambda: len(seat.chat.sent) == 3)
        command = seat.chat.sent[2].command
        assert isinstance(command, m.Edit)
        assert (command.seq, command.text) == (5, "second")

    play(act, chat=talking())


def test_up_twice_finds_what_was_typed_before_and_after_a_command_once() -> None:
    async def act(seat: Seat) -> None:
        await seat.typed("one")
        await seat.typed("two")
        for number, sending in enumerate(seat.chat.sent):
            seat.chat.acknowledge(sending, 10 + number)
        await seat.see_no("…")
        seat.press(UP)
        await seat.see("(edit) ▸ two")
        seat.press(UP)
        await seat.see("#lobby ▸ one")
        seat.press("\x03")
        await seat.typed("/clear")
        seat.press(UP)
        await seat.see("#lobby ▸ /clear")

    play(act, chat=talking())


def test_a_refused_edit_comes_back_to_the_line() -> None:
    async def act(seat: Seat) -> None:
        await seat.see("my tpyo")
        await seat.typed("/edit my typo")
        await seat.until(lambda: len(seat.chat.sent) == 1)
        seat.chat.refuse(seat.chat.sent[0], Forbidden())
        await seat.see("Not changed: ", "▸ my typo")

    play(act, chat=talking())


def test_a_refused_message_is_taken_up_again_and_nothing_of_it_is_lost() -> None:
    async def act(seat: Seat) -> None:
        await seat.typed("hello")
        seat.chat.refuse(seat.chat.sent[0], NotMember())
        await seat.see("not sent")
        seat.press(UP)
        await seat.see("▸ hello", "Enter sends it")
        await seat.see_no("✗")
        seat.press("!\r")
        await seat.see("hello! …")
        seat.chat.refuse(seat.chat.sent[1], NotMember())
        await seat.see("not sent")
        await seat.typed("/resend")
        await seat.see("hello! …")
        assert [sending.text for sending in seat.chat.sent] == ["hello", "hello!", "hello!"]

    play(act)


def test_messages_are_selected_by_keys_and_things_done_to_them() -> None:
    async def act(seat: Seat) -> None:
        await seat.see("hola")
        seat.press(ALT + UP)
        await seat.see("r answer, e edit")
        seat.press("r")
        await seat.see("answer to eva) ▸")
        seat.press("sí\r")
        await seat.see_no("answer to")
        answer = seat.chat.sent[0].command
        assert isinstance(answer, m.Send)
        assert (answer.text, answer.reply_to) == ("sí", 3)
        seat.chat.acknowledge(seat.chat.sent[0], 4)
        await seat.see_no("sí …")
        seat.press(ALT + UP)
        await seat.see("r answer")
        seat.press("kk")  # one's own of before
        seat.press("e")
        await seat.see("(edit) ▸ my tpyo")
        seat.press(ESC)
        await seat.see("given up")
        seat.press(ALT + UP)
        await seat.see("r answer")
        seat.press("kke")
        await seat.see("(edit) ▸ my tpyo")
        seat.press("\x03")
        await seat.see("line emptied")
        seat.press(ALT + UP)
        seat.press("kkd")
        await seat.see("d once more takes it back for everybody")
        seat.press("yd")  # something else was done between
        await seat.see("d once more")
        assert len(seat.chat.sent) == 1
        seat.press("d")
        await seat.until(lambda: len(seat.chat.sent) == 2 and not seat.screen.selection)
        taken = seat.chat.sent[1].command
        assert isinstance(taken, m.Retract)
        assert (taken.log, taken.seq) == ("lobby", 2)
        seat.press(ALT + UP)
        seat.press("k+")
        await seat.see("▸ /react ^3 :")
        seat.press("tada:\r")
        await seat.until(lambda: len(seat.chat.sent) == 3)
        put = seat.chat.sent[2].command
        assert isinstance(put, m.React)
        assert (put.seq, put.emoji, put.on) == (3, "🎉", True)

    play(act, chat=talking())


def test_a_selected_message_is_copied_quoted_and_only_ones_own_are_edited() -> None:
    async def act(seat: Seat) -> None:
        await seat.see("hola")
        seat.press(ALT + UP)
        seat.press("e")
        await seat.see("only your own messages")
        seat.press("y")
        await seat.see("copied")
        assert terminal.clipboard("hola") in seat.terminal.written
        seat.press("o")
        await seat.see("there is no link in it")
        seat.press("?")
        await seat.see("While a message is selected", "Esc: back")
        seat.press(F1)
        await seat.see_no("Esc: back")
        seat.press("q")
        await seat.see("> hola")
        assert seat.chat.sent == []

    play(act, rows=70, chat=talking())


def test_no_word_is_lost_by_somebody_who_does_not_know_that_they_select() -> None:
    async def act(seat: Seat) -> None:
        await seat.see("hola")
        seat.press(ALT + UP)
        await seat.see("r answer, e edit")
        seat.press("buenas")
        await seat.see("▸ buenas")
        seat.press("\x03")
        await seat.see("line emptied")
        seat.press(ALT + UP)
        await seat.see("r answer, e edit")
        seat.press(f"{PASTE}what\r\nI said{PASTED}")
        await seat.see("▸ what", "I said")
        assert seat.screen.input.text == "what\nI said"
        assert not seat.screen.selection
        assert seat.chat.sent == []

    play(act, chat=talking())


def test_who_forgets_the_sign_of_a_command_is_told_how_it_begins() -> None:
    async def act(seat: Seat) -> None:
        await seat.see("hola")
        seat.press("Quit\r")
        await seat.see("that was said in #lobby; the command is /quit")
        assert len(seat.chat.sent) == 1
        seat.press("quite\r")
        await seat.see_no("the command is")

    play(act, chat=talking())


def test_a_command_typed_right_after_esc_is_no_message() -> None:
    async def act(seat: Seat) -> None:
        await seat.see("hola")
        for before, begun in (("", ""), (ALT + UP, "r answer, e edit"), (ALT + UP + "ke", "(edit) ▸ my tpyo")):
            seat.press(before)
            await seat.see(begun)
            seat.press(ESC + "#eR")  # arrives together, as Alt would
            await seat.see("#lobby ▸ #eR")
            seat.press("\x03")
            await seat.see("line emptied")
        assert seat.chat.sent == []

    play(act, chat=talking())


def test_in_private_changes_go_to_ones_own_inbox() -> None:
    chat = FakeChat(logs={"@ana": [direct("bob", "ana", "psst", 5), direct("ana", "bob", "what?", 6)]})

    async def act(seat: Seat) -> None:
        await seat.see("@bob")
        await seat.typed("/go bob")
        await seat.see("@bob ▸", "what?")
        await seat.typed("/edit what is it?")
        await seat.typed("/reply yes")
        await seat.typed("/react ^bob :+1:")
        await seat.until(lambda: len(chat.sent) == 3)
        chat.acknowledge(chat.sent[1], 7)
        await seat.see_no("yes …")
        await seat.typed("/retract")
        await seat.until(lambda: len(chat.sent) == 4)
        found = [(type(sending.command).__name__, sending.log) for sending in chat.sent]
        assert found == [("Edit", "@ana"), ("Direct", "@bob"), ("React", "@ana"), ("Retract", "@ana")]
        assert isinstance(chat.sent[1].command, m.Direct)
        assert chat.sent[1].command.reply_to == 5

    play(act, chat=chat)


def test_a_long_paste_is_a_question_and_never_a_flood() -> None:
    lines = "\n".join(f"line {number}" for number in range(12))

    async def act(seat: Seat) -> None:
        seat.press(f"{PASTE}{lines}\n{PASTED}")
        await seat.see("You paste 12 lines", "send it as one message", "line 4")
        seat.press(ESC)
        await seat.see_no("You paste")
        assert seat.chat.sent == []
        assert not seat.screen.input.text
        seat.press(f"{PASTE}{lines}\n{PASTED}")
        await seat.see("You paste 12 lines")
        seat.press("i")
        await seat.see("line 11")
        assert seat.screen.input.text == lines
        seat.press("\x03")
        seat.press(f"{PASTE}{lines}\n{PASTED}")
        await seat.see("You paste 12 lines")
        seat.press("\r")
        await seat.see_no("You paste")
        assert [sending.text for sending in seat.chat.sent] == [lines]
        seat.press(f"{PASTE}{'x' * (TEXT_LENGTH + 1)}{PASTED}")
        await seat.see("too long for one message")
        seat.press("\r")
        await seat.see_no("too long for one message")
        assert len(seat.chat.sent) == 1

    play(act)


def test_a_paste_that_never_ends_ends() -> None:
    async def act(seat: Seat) -> None:
        seat.press(PASTE + "half a text")
        await seat.see("▸ half a text")
        seat.press(" and more")
        await seat.see("▸ half a text and more")

    play(act)


def test_endless_pastes_are_cut_and_the_end_is_found_all_the_same() -> None:
    async def act(seat: Seat) -> None:
        seat.press(PASTE)
        parser = seat.screen.app.input.vt100_parser  # type: ignore[attr-defined]
        await seat.until(lambda: bool(parser._in_bracketed_paste))
        parser.feed("x" * 3 * terminal.PASTE_MOST)
        guard = terminal.PasteGuard(seat.screen.app)
        guard.tick()
        assert len(parser._paste_buffer) == terminal.PASTE_MOST
        seat.press(PASTED)
        await seat.see("too long for one message")

    play(act)


def test_drafts_stay_with_their_rooms_and_over_restarts(tmp_path: Path) -> None:
    async def first(seat: Seat) -> None:
        seat.press("for the lobby")
        await seat.see("▸ for the lobby")
        seat.press(ALT + "2")
        await seat.see("#chess ▸")
        seat.press("for chess")
        await seat.see("▸ for chess")
        seat.chat.link = LinkState.OFFLINE
        seat.chat.tell(LinkChanged(LinkState.OFFLINE))
        await seat.see("offline")
        seat.press("\r")
        await seat.see("for chess …")
        seat.press("and more")
        await seat.see("▸ and more")

    play(first, marks=tmp_path)
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o077 == 0

    async def second(seat: Seat) -> None:
        await seat.see("#lobby ▸ for the lobby")
        seat.press(ALT + "2")
        await seat.see("#chess ▸ for chess", "  and more")
        assert seat.chat.sent == []
        seat.press("\x03")
        await seat.see("line emptied")
        seat.press(ALT + "1")
        await seat.see("▸ for the lobby")
        seat.press("\r")
        await seat.see("for the lobby …")
        seat.chat.acknowledge(seat.chat.sent[0], 9)
        await seat.see_no("for the lobby …")

    play(second, marks=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_no_disk_keeps_is_said_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    async def act(seat: Seat) -> None:
        seat.press("half a thought")
        await seat.see("▸ half a thought")

    farewell = play(act, marks=tmp_path / "file").screen.farewell
    assert farewell.split("\n") == ["This disk keeps no drafts; copy what you did not send:", "half a thought"]


def test_the_persons_editor_writes_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf " and so on\\nfurther" >>"$1"\n')
    editor.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(editor))

    async def act(seat: Seat) -> None:
        seat.press("so")
        await seat.see("▸ so")
        seat.press(ALT + "e")
        await seat.see("▸ so and so on", "  further")
        monkeypatch.setenv("VISUAL", "false")
        seat.press(ALT + "e")
        await seat.see("false failed; your line is as it was.", "▸ so and so on")
        monkeypatch.setenv("VISUAL", "")
        monkeypatch.setenv("EDITOR", "")
        monkeypatch.setenv("PATH", os.devnull)
        seat.press(ALT + "e")
        await seat.see("set EDITOR")

    play(act)


def test_others_are_told_that_one_writes_but_not_of_commands() -> None:
    async def act(seat: Seat) -> None:
        seat.press("/who")
        await seat.see("▸ /who")
        await seat.chat.told()
        assert asked(seat.chat, m.Typing) == []
        seat.press("\x03hel")
        await seat.see("▸ hel")
        seat.press("lo")
        await seat.see("▸ hello")
        await seat.chat.told()
        assert asked(seat.chat, m.Typing) == [m.Typing(talk="lobby", on=True)]
        seat.press("\x15")
        await seat.see_no("▸ hello")
        await seat.chat.told()
        assert asked(seat.chat, m.Typing)[1:] == [m.Typing(talk="lobby", on=False)]

    play(act)


def test_what_is_not_looked_at_is_not_read() -> None:
    async def act(seat: Seat) -> None:
        seat.press(NO_FOCUS)
        await seat.until_unfocused()
        seat.chat.arrive("lobby", said("bob", "are you there, ana?", 9))
        await seat.see("╌ 1 unread ╌", "are you there, ana?")
        await seat.chat.told()
        assert asked(seat.chat, m.Mark) == []
        assert "\x07" in seat.terminal.written
        seat.press(FOCUS)
        await seat.until(lambda: asked(seat.chat, m.Mark) == [m.Mark(talk="lobby", read=9)])
        assert terminal.REPORT_FOCUS in seat.terminal.written

    seat = play(act)
    assert terminal.REPORT_NO_FOCUS in seat.terminal.written


def test_what_is_above_the_end_leaves_the_end_unread() -> None:
    chat = FakeChat(logs={"lobby": [said("bob", f"old {seq}", seq) for seq in range(1, 60)]})

    async def act(seat: Seat) -> None:
        await seat.see("old 59")
        await seat.until(lambda: asked(chat, m.Mark) == [m.Mark(talk="lobby", read=59)])
        seat.press(PAGE_UP)
        await seat.see_no("old 59")
        chat.arrive("lobby", said("bob", "new one", 60))
        await seat.see("↓ 1 new")
        await chat.told()
        assert len(asked(chat, m.Mark)) == 1
        seat.press(ALT + "\x1b[F")
        await seat.see("new one")
        await seat.until(lambda: asked(chat, m.Mark)[-1] == m.Mark(talk="lobby", read=60))

    play(act, chat=chat)


def test_some_letters_lead_to_a_room_or_person() -> None:
    chat = FakeChat(rooms={name: view(name, id) for id, name in enumerate(("lobby", "chess", "ops-night", "ops"), 1)})

    async def act(seat: Seat) -> None:
        seat.press(CTRL_K)
        await seat.see("Go to:", "#ops-night")
        seat.press("ngt")
        await seat.see("Go to: ngt▏")
        seat.press("\r")
        await seat.see("#ops-night ▸")
        seat.press(CTRL_K)
        await seat.see("Go to:")
        seat.press("ops\r")
        await seat.see("#ops ▸")
        seat.press(ALT + "j02")
        await seat.see("#chess ▸")
        await seat.typed("/go 3")
        await seat.see("#ops-night ▸")
        seat.press("/go nowhere\r")
        await seat.see("No room or person here is called nowhere")

    play(act, chat=chat)


def test_what_is_found_is_walked_through_and_gone_to_however_long_ago() -> None:
    log = [said("bob", f"number {seq}", seq) for seq in range(1, 1001)]
    chat = FakeChat(logs={"lobby": log})
    chat.hits = [m.Hit(log="lobby", entry=log[499]), m.Hit(log="lobby", entry=log[9])]

    async def act(seat: Seat) -> None:
        await seat.see("number 1000")
        seat.press(CTRL_F)
        await seat.see("▸ /search")
        seat.press("number\r")
        await seat.see("Found: number", "^500", "^10 ")
        seat.press("\r")
        await seat.see("number 500", "number 501")
        await seat.see_no("Found:")
        seat.press(ESC)
        await seat.until(lambda: not seat.screen.selection)
        for _turn in range(3):
            seat.press(PAGE_DOWN)
        await seat.see("number 540")
        assert len(seat.screen.model.here.records) == 100, "the newest are still as they were"
        seat.press(ALT + "\x1b[F")
        await seat.see("number 1000")
        await seat.typed("/goto ^10")
        await seat.see("number 11", "number 12")
        seat.press(ESC)
        await seat.until(lambda: not seat.screen.selection)
        await seat.typed("on with it")
        await seat.see("number 1000", "on with it …")

    play(act, chat=chat)


def test_an_excerpt_leads_back_to_the_newest_without_a_gap() -> None:
    log = [said("bob", f"number {seq}.", seq) for seq in range(1, 301)]
    chat = FakeChat(logs={"lobby": log})

    async def act(seat: Seat) -> None:
        await seat.see("number 300.")
        await seat.typed("/goto ^30")
        await seat.see("number 30.")
        here = seat.screen.model.here
        for _turn in range(40):
            if here.excerpt is None:
                break
            seat.press(PAGE_DOWN)
            await seat.chat.told()
            await asyncio.sleep(0.01)
        await seat.until(lambda: here.excerpt is None)
        held = [here.records[index].seq for index in range(len(here.records)) if here.records[index].seq]
        assert held == list(range(held[0], 301))
        assert held[0] <= 30

    play(act, chat=chat)


def test_commands_about_attention() -> None:
    async def act(seat: Seat) -> None:
        await seat.typed("/notify off")
        await seat.see("You are told nothing of #lobby.")
        await seat.typed("/away at lunch")
        await seat.see("You are away; others see it. (at lunch)")
        await seat.typed("/seen off")
        await seat.see("Nobody sees when you were last here.")
        seat.chat.arrive("chess", said("bob", "hi", 1))
        await seat.see("chess(1)")
        await seat.typed("/unread")
        await seat.see("#chess: 1 message")
        await seat.typed("/read --all")
        await seat.see("Everything is read.")
        await seat.see_no("chess(1)")
        assert m.Mark(talk="lobby", notify="off") in seat.chat.asked
        assert m.SetStatus(status="away", note="at lunch") in seat.chat.asked
        await seat.until(lambda: m.Mark(talk="chess", read=1) in seat.chat.asked)

    play(act)


def test_a_clipboard_gets_what_was_written_and_no_sequence_of_it() -> None:
    sequence = terminal.clipboard("\x1b]0;x\x07")
    assert base64.b64decode(sequence.removeprefix("\x1b]52;c;").removesuffix("\x07")) == b"\x1b]0;x\x07"
    assert sequence.count("\x1b") == 1


def test_keys_that_people_bring_from_elsewhere() -> None:
    log = [said("bob", "ana: one", 1), said("bob", "two", 2), said("bob", "three, ana", 3), said("bob", "four", 4)]
    chat = FakeChat(rooms={"lobby": view("lobby", 1), "chess": view("chess", 2)}, logs={"lobby": log})

    async def act(seat: Seat) -> None:
        await seat.see("four", "● bob", "1 lobby")
        seat.press("\x1b[17~")  # F6
        await seat.see("#chess ▸")
        seat.press("\x1b[15~")  # F5
        await seat.see("#lobby ▸")
        seat.press(ALT + "N")
        await seat.see_no("● bob")
        seat.press(ALT + "B")
        await seat.see_no("1 lobby")
        seat.press(ALT + "N" + ALT + "B")
        await seat.see("● bob", "1 lobby")
        seat.press(ALT + "=")
        await seat.see("everybody's coming and going is shown")
        seat.press(ALT + "=")
        await seat.see("only who spoke lately")
        for text in ("three, ana", "ana: one"):
            seat.press(ALT + "p")
            await seat.until(lambda text=text: (seat.screen.selection.record or log[1]).text == text)  # type: ignore[misc]
        seat.press(ALT + "p")
        await seat.see("no message before names you")
        seat.press(ALT + "n")
        await seat.until(lambda: (seat.screen.selection.record or log[1]).text == "three, ana")

    play(act, chat=chat)
