"""The full screen on a headless terminal: what is seen at which size, and what keys do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from client.link.failures import NoBroker
from client.link.updates import LinkChanged, LinkState, RoomJoined, RoomLeft, SessionEnded
from client.tui.screen import FullScreen
from client.tui.typing import keys
from common import messages as m
from common.errors import NoSuchRoom, NotMember, WrongPassword
from tests.client.tui.fake_chat import FakeChat, direct, said, view
from tests.client.tui.headless import Headless, headless
from tests.support.patience import PATIENCE_S

ALT = "\x1b"
PAGE_UP, PAGE_DOWN, F1, F8 = "\x1b[5~", "\x1b[6~", "\x1bOP", "\x1b[19~"
Act = Callable[["Seat"], Awaitable[None]]


class Seat:
    """A person at the screen."""

    def __init__(self, chat: FakeChat, terminal: Headless, screen: FullScreen, running: asyncio.Future[None]) -> None:
        self.chat, self.terminal, self.screen, self.running = chat, terminal, screen, running
        self.see, self.see_no, self.press = terminal.see, terminal.see_no, terminal.press

    async def typed(self, line: str) -> None:
        self.press(line)
        await self.see(f"▸ {line}")
        self.press("\r")
        await self.see_no(f"▸ {line}")

    async def until(self, fact: Callable[[], bool]) -> None:
        """Wait until something is so."""
        await self.terminal.until(lambda _screen: fact())  # it is drawn anew each second at least

    async def until_unfocused(self) -> None:
        await self.until(lambda: not self.screen._focused)

    async def ended(self) -> None:
        await asyncio.wait_for(asyncio.shield(self.running), PATIENCE_S)
        assert self.chat.closed


@asynccontextmanager
async def seated(
    columns: int = 120, rows: int = 24, chat: FakeChat | None = None, **options: object
) -> AsyncIterator[Seat]:
    chat = chat or FakeChat(rooms={"lobby": view("lobby", 1), "chess": view("chess", 2, subject="Openings")})
    with headless(columns, rows) as terminal:
        screen = FullScreen(chat, "ana", started=True, **options)  # type: ignore[arg-type]
        running = asyncio.ensure_future(screen.run())
        try:
            await terminal.see("lobby ▸")
            yield Seat(chat, terminal, screen, running)
        finally:
            if not running.done():
                screen._exit()
            await asyncio.wait_for(running, PATIENCE_S)


def play(act: Act, columns: int = 120, rows: int = 24, chat: FakeChat | None = None, **options: object) -> Seat:
    """Sit down, act, get up."""

    async def run() -> Seat:
        async with seated(columns, rows, chat, **options) as seat:
            await act(seat)
        return seat

    return asyncio.run(run())


def test_what_is_seen_depends_on_the_size() -> None:
    async def act(seat: Seat) -> None:
        await seat.see("#lobby ▸")
        wide = await seat.see("● bob", "1 lobby", "#lobby", "live 12 ms")
        assert wide.splitlines()[0].startswith(" #lobby")

    play(act)

    async def middling(seat: Seat) -> None:
        screen = await seat.see("1 lobby", "live")
        assert "bob" not in screen

    play(middling, 109)

    async def narrow(seat: Seat) -> None:
        screen = await seat.see("live")
        assert "1 lobby" not in screen
        assert screen.startswith(" #lobby")

    play(narrow, 79)

    async def low(seat: Seat) -> None:
        assert not (await seat.see("live")).startswith(" #lobby")

    play(low, 79, 11)


@pytest.mark.parametrize(("columns", "rows"), [(20, 5), (10, 3), (1, 1), (300, 100)])
def test_no_size_breaks_it(columns: int, rows: int) -> None:
    async def run() -> None:
        with headless(columns, rows) as terminal:
            chat = FakeChat()
            screen = FullScreen(chat, "ana", started=True)
            running = asyncio.ensure_future(screen.run())
            chat.arrive("lobby", said("bob", "hello " * 50, 1))
            await terminal.until(lambda _: screen.app.render_counter > 2)
            screen._exit()
            await asyncio.wait_for(running, PATIENCE_S)

    asyncio.run(run())


def test_messages_appear_and_own_ones_wait_for_their_acknowledgement() -> None:
    async def act(seat: Seat) -> None:
        seat.chat.arrive("lobby", said("bob", "hola", 1))
        await seat.see("bob        hola")
        await seat.typed("hi bob")
        await seat.see("ana        hi bob …")
        seat.chat.acknowledge(seat.chat.sent[0], 2)
        await seat.see_no("hi bob …")
        await seat.typed("again")
        seat.chat.refuse(seat.chat.sent[1], NotMember())
        await seat.see("again  ✗ not sent: Join the room first.")

    play(act)


def test_nothing_that_others_write_steers_the_terminal() -> None:
    async def act(seat: Seat) -> None:
        seat.chat.arrive("lobby", said("bob", "\x1b[2J\x1b]0;owned\x07\x9b31m\u202eevil", 1))
        await seat.see("␛[2J␛]0;owned␇")
        seat.chat.tell(RoomJoined(view("x\x1b[31m", 9, subject="\x1b[5m")))
        await seat.see("x␛[31m")
        await seat.chat.told()
        assert "\x1b]0;owned" not in seat.terminal.written
        assert "\x1b[5m" not in seat.terminal.written

    play(act)


def test_unread_is_shown_and_alt_a_goes_there() -> None:
    async def act(seat: Seat) -> None:
        for seq in (1, 2):
            seat.chat.arrive("chess", said("bob", f"move {seq}", seq))
        await seat.see("2 chess        2", "unread 2:chess(2)")
        seat.chat.arrive("@ana", direct("bob", "ana", "psst", 1))
        await seat.see("3 @bob         1")
        seat.press(ALT + "a")
        await seat.see("@bob ▸", "psst", "private, here now")
        seat.press(ALT + "a")
        await seat.see("#chess ▸", "Openings", "╌ 2 unread ╌")
        seat.press(ALT + "a")
        await seat.see("nothing is unread")
        seat.press(ALT + "/")
        await seat.see("@bob ▸")
        await seat.typed("hello")
        assert seat.chat.sent[0].log == "@bob"

    play(act)


def test_going_about() -> None:
    async def act(seat: Seat) -> None:
        seat.press(ALT + "2")
        await seat.see("#chess ▸")
        seat.press(ALT + "7")
        seat.press("\x10")
        await seat.see("#lobby ▸")
        seat.press("\x10")
        await seat.see("#chess ▸")
        seat.press("\x1b[1;3C")
        await seat.see("#lobby ▸")
        seat.press("half a thought")
        await seat.see("#lobby ▸ half a thought")
        seat.press("\x0e")
        await seat.see("#chess ▸")
        await seat.see_no("half a thought")
        seat.press("\x0e")
        await seat.see("#lobby ▸ half a thought")
        seat.press(ALT + "u")
        await seat.see("nothing is unread here")

    play(act)


def test_commands_and_mistakes() -> None:
    async def act(seat: Seat) -> None:
        await seat.typed("#gR chess")
        await seat.see("#chess ▸")
        seat.press("#gx chess\r")
        await seat.see("There is no command #gx. Did you mean #gR <room>?", "▸ #gx chess")
        assert seat.chat.sent == []
        seat.press("\x03")
        await seat.see("line emptied")
        await seat.typed("/whois nobody")
        await seat.see("There is no user of that login")
        await seat.typed("##tag")
        assert seat.chat.sent[0].text == "#tag"

    play(act)


def test_what_follows_a_command_waits_for_it() -> None:
    async def act(seat: Seat) -> None:
        seat.press("#gR chess\rhello chess\r")
        await seat.see("hello chess …")
        assert [(sending.log, sending.text) for sending in seat.chat.sent] == [("chess", "hello chess")]

    play(act)


def test_reading_back() -> None:
    chat = FakeChat()
    chat.logs["lobby"] = [said("bob", f"line {seq}.", seq) for seq in range(1, 401)]

    async def act(seat: Seat) -> None:
        await seat.see("line 400.")
        seat.press(PAGE_UP)
        await seat.see("below")
        await seat.see_no("line 400.")
        seat.chat.arrive("lobby", said("bob", "news", 401))
        await seat.see("↓ 1 new")
        seat.press(ALT + "\x1b[H")
        await seat.see("line 290.")
        for _ in range(10):
            seat.press(PAGE_UP)
        await seat.see("line 100.")
        for _ in range(5):
            seat.press(PAGE_UP)
        await seat.see("line 1.")
        seat.press(ALT + "\x1b[F")
        await seat.see("news")
        await seat.typed("/clear")
        await seat.see_no("news")

    play(act, chat=chat)


def test_a_paste_is_one_message() -> None:
    async def act(seat: Seat) -> None:
        seat.press("\x1b[200~one\r\n#cR two\nthr\x07ee\x1b[201~")
        await seat.see("▸ one", "  #cR two", "  three")
        seat.press("\r")
        await seat.see("ana        one")
        assert [sending.text for sending in seat.chat.sent] == ["one\n#cR two\nthree"]
        seat.press("a\x1b\rb\nc\r")
        await seat.see("                 b", "                 c")
        assert seat.chat.sent[1].text == "a\nb\nc"

    play(act)


def test_completion() -> None:
    async def act(seat: Seat) -> None:
        seat.press("/wh")
        await seat.see("/whois <user>  Show who somebody is")
        seat.press("\t")
        await seat.see("▸ /whois")
        seat.press("b\t")
        await seat.see("▸ /whois bob")
        seat.press("\x03bo\t")
        await seat.see("▸ bob:")

    play(act)


def test_quitting() -> None:
    async def by_ctrl_c(seat: Seat) -> None:
        seat.press("\x03")
        await seat.see("Ctrl+C again quits")
        seat.press("\x03")
        await seat.ended()

    async def by_ctrl_d(seat: Seat) -> None:
        seat.press("x\x04")
        await seat.see("▸ x")
        seat.press("\x7f\x04")
        await seat.ended()

    async def by_command(seat: Seat) -> None:
        seat.press("#exit\r")
        await seat.ended()

    for act in (by_ctrl_c, by_ctrl_d, by_command):
        assert play(act).screen.status == 0


def test_unsent_messages_are_not_given_up_unasked() -> None:
    async def act(seat: Seat) -> None:
        seat.chat.link = LinkState.OFFLINE
        seat.chat.tell(LinkChanged(LinkState.OFFLINE))
        await seat.see("○ offline for")
        await seat.typed("hello?")
        await seat.see("1 message waits")
        await seat.typed("/quit")
        await seat.see("1 message is not sent yet. Quit once more")
        assert not seat.chat.closed
        seat.press("/quit\r")
        await seat.ended()

    play(act)


def test_the_session_may_end_from_elsewhere() -> None:
    async def act(seat: Seat) -> None:
        seat.chat.tell(SessionEnded("revoked"))
        await seat.ended()

    seat = play(act)
    assert (seat.screen.status, seat.screen.farewell) == (1, "This session was ended from another one of yours.")


def test_the_password_is_not_shown_and_not_remembered() -> None:
    async def act(seat: Seat) -> None:
        seat.press("/password\r")
        await seat.see("Password now:")
        seat.press("old secret\r")
        await seat.see("New password:")
        seat.press("new secret\r")
        await seat.see("New password again:")
        seat.press("new secret\r")
        await seat.see("Your password is changed", "#lobby ▸")
        assert m.Password(old="old secret", new="new secret") in seat.chat.asked
        assert "secret" not in seat.terminal.written
        seat.press("\x1b[A")
        await seat.see("▸ /password")
        seat.press("\r")
        await seat.see("Password now:")
        seat.press("\x03")
        await seat.see("Your password stays as it was.", "#lobby ▸")

    play(act)


def test_logging_out_forgets_the_token() -> None:
    kept: list[tuple[str, bytes | None]] = []
    chat = FakeChat()
    chat.token = b"t" * 32

    async def act(seat: Seat) -> None:
        seat.press("/logout\r")
        await seat.ended()

    play(act, chat=chat, keep_token=lambda login, token: kept.append((login, token)))
    assert kept == [("ana", b"t" * 32), ("ana", None)]
    assert m.Logout(token=b"t" * 32) in chat.asked


def test_newcomers_are_told_how_it_works_in_few_lines() -> None:
    async def act(seat: Seat) -> None:
        await seat.see("Enter sends it to everybody in #lobby", "/help all commands")

    play(act, newcomer=True)


def test_keys_are_explained_and_views_changed() -> None:
    async def act(seat: Seat) -> None:
        seat.press(F1)
        await seat.see("Alt+a", "to what is unread", "Esc: back")
        seat.press(F1)
        await seat.see_no("Esc: back")
        seat.press(ALT + "l")
        await seat.see_no("1 lobby")
        seat.press(ALT + "l")
        await seat.see("1 lobby")
        seat.press(F8)
        await seat.see("mouse on")
        seat.press(F8)
        await seat.see("mouse off")
        seat.press("\x0c")
        await seat.see("1 lobby")

    play(act, rows=40)
    assert all(key.help for key in keys.KEYS if key.shown)


def test_rooms_given_at_the_start_are_joined() -> None:
    async def act(seat: Seat) -> None:
        await seat.see("#chess ▸")

    play(act, rooms=("chess",))


def test_a_left_room_gives_way_to_another() -> None:
    async def act(seat: Seat) -> None:
        seat.press(ALT + "2")
        await seat.see("#chess ▸")
        seat.chat.tell(RoomLeft("chess", "creator-gone"))
        await seat.see("#lobby ▸", "#chess is gone")

    play(act)


def test_what_was_meant_for_a_room_that_went_is_not_said_in_another() -> None:
    async def act(seat: Seat) -> None:
        seat.press(ALT + "2")
        await seat.see("#chess ▸")
        seat.press("for chess alone")
        await seat.see("▸ for chess alone")
        seat.chat.tell(RoomLeft("chess", "removed"))
        await seat.see("#lobby ▸ for chess alone")
        seat.press("\r")
        await seat.see("this goes to #lobby now; Enter once more sends it")
        assert seat.chat.sent == []
        seat.press("\r")
        await seat.see_no("▸ for chess alone")
        assert [sending.log for sending in seat.chat.sent] == ["lobby"]

    play(act)


def test_what_is_typed_while_a_command_is_under_way_comes_along() -> None:
    async def act(seat: Seat) -> None:
        go = asyncio.Event()
        enter = seat.chat.enter

        async def slow(name: str) -> None:
            await go.wait()
            await enter(name)

        seat.chat.enter = slow  # type: ignore[method-assign]
        await seat.typed("#gR chess")
        seat.press("hello")
        await seat.see("#lobby ▸ hello")
        go.set()
        await seat.see("#chess ▸ hello")
        seat.press("\r")
        await seat.see("hello …")
        assert seat.chat.sent[0].log == "chess"

    play(act)


def test_the_first_frame_does_not_wait_for_the_broker() -> None:
    class Slow(FakeChat):
        async def start(self) -> None:
            self.go = asyncio.Event()
            await self.go.wait()
            self.login = "ana"
            self.link = LinkState.LIVE

    async def run() -> None:
        chat = Slow(login=None)
        chat.link = LinkState.CONNECTING
        with headless() as terminal:
            screen = FullScreen(chat, "ana", started=False)
            running = asyncio.ensure_future(screen.run())
            await terminal.see("◌ connecting for", "#lobby ▸")
            terminal.press("early\r")
            await terminal.see("not connected yet", "▸ early")
            chat.go.set()
            await terminal.see("● live")
            terminal.press("\r")
            await terminal.see("ana        early")
            screen._exit()
            await running

    asyncio.run(run())


@pytest.mark.parametrize("error", [WrongPassword(), NoBroker()])
def test_a_failed_start_ends_the_screen(error: Exception) -> None:
    class Refusing(FakeChat):
        async def start(self) -> None:
            raise error

    async def run() -> None:
        with headless():
            screen = FullScreen(Refusing(login=None), "ana", started=False)
            await asyncio.wait_for(screen.run(), PATIENCE_S)
            assert screen.failure is error

    asyncio.run(run())


def test_a_refused_private_message_is_said_where_one_looks() -> None:
    async def act(seat: Seat) -> None:
        await seat.typed("/msg bob hello")
        await seat.see("to bob in private: hello")
        seat.chat.refuse(seat.chat.sent[0], NoSuchRoom())
        await seat.see("Not sent to bob")

    play(act)


def test_colours_that_are_pasted_without_a_mark_do_no_harm() -> None:
    async def act(seat: Seat) -> None:
        seat.press("red \x1b[31mrose\x1b[0m")
        await seat.see("▸ red rose")

    play(act)


def test_what_is_typed_is_drawn_of_signs_that_stand_alone() -> None:
    family, thumb, heart, flag = (
        "\U0001f469\u200d\U0001f467",
        "\U0001f44d\U0001f3fd",
        "\u2764\ufe0f",
        "\U0001f1ea\U0001f1f8",
    )

    async def act(seat: Seat) -> None:
        seat.press(f"a{family}{thumb}{heart}{flag}e")
        await seat.see("▸ a\U0001f469\U0001f467\U0001f44d\u2764ESe")
        seat.press("\x1b[D" * 3 + "x" + "\x1b[D" * 3 + "y")
        await seat.see("▸ a\U0001f469\U0001f467\U0001f44dy\u2764xESe")
        assert not set(seat.terminal.written) & set("\u200d\ufe0f\U0001f3fd\U0001f1ea")
        seat.press("\r")
        await seat.see_no("▸ a")
        assert seat.chat.sent[0].text == f"a{family}{thumb}y{heart}x{flag}e"

    play(act)
