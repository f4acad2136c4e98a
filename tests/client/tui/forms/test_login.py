"""Logging in and registering: each field judged as it is typed, by the broker's own rules; nothing typed is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from client.tui.forms import login
from client.tui.forms.login import Credentials
from common.errors import ChatError, NameTaken, RegistrationClosed, WrongPassword
from common.limits import PERSON_NAME_LENGTH
from common.messages import Register
from tests.client.tui.headless import Headless, headless
from tests.support.patience import PATIENCE_S

F2, UP, DOWN = "\x1bOQ", "\x1b[A", "\x1b[B"
ACCOUNT = ["ana", "correct horse", "correct horse", "Ana María", "Gómez", "29", "f"]


def ask(
    act: Callable[[Headless], Awaitable[None]],
    refusals: list[ChatError] | None = None,
    size: tuple[int, int] = (90, 20),
    **options: object,
) -> tuple[bool, list[Credentials]]:
    """Fill in the forms; returns how it ended and what was handed over."""
    given: list[Credentials] = []

    async def connect(credentials: Credentials) -> None:
        given.append(credentials)
        if refusals:
            raise refusals.pop(0)

    columns, rows = size

    async def run() -> bool:
        with headless(columns, rows) as terminal:
            asked = asyncio.ensure_future(login.ask("plaza", connect, **options))  # type: ignore[arg-type]
            await act(terminal)
            return await asyncio.wait_for(asked, PATIENCE_S)

    return asyncio.run(run()), given


def test_logging_in() -> None:
    async def act(terminal: Headless) -> None:
        await terminal.see("New account", "F2: I have an account")
        terminal.press(F2)
        await terminal.see("Log in · plaza · Tertulia", "▸ Login", "F2: I am new here")
        terminal.press("ana\r")
        await terminal.see("✓ ana", "▸ Password", "It is not shown")
        terminal.press("correct horse\r")

    assert ask(act) == (True, [Credentials("ana", "correct horse", None, False)])


def test_registering() -> None:
    async def act(terminal: Headless) -> None:
        await terminal.see("New account · plaza · Tertulia")
        terminal.press("\r".join(ACCOUNT) + "\r")
        await terminal.see("✓ female", "✓ yes", "▸ Stay logged in?")
        assert "correct horse" not in terminal.written
        terminal.press("\r")

    account = Register(
        login="ana", password="correct horse", first_names="Ana María", surnames="Gómez", age=29, gender="female"
    )
    assert ask(act, may_remember=True) == (True, [Credentials("ana", "correct horse", account, True)])


@pytest.mark.parametrize(
    ("before", "typed", "fault"),
    [
        (0, "a b", "but not ' '"),
        (0, "_ana", "begins with a letter or a digit"),
        (1, "short", "8 to 256 characters"),
        (2, "correct horsf", "not the same password"),
        (3, "x" * (PERSON_NAME_LENGTH + 1), f"at most {PERSON_NAME_LENGTH} characters"),
        (5, "151", "from 0 to 150"),
        (5, "1e1", "from 0 to 150"),
        (6, "x", "f, m, o or u"),
    ],
)
def test_faults_are_said_while_typing(before: int, typed: str, fault: str) -> None:
    async def act(terminal: Headless) -> None:
        terminal.press("".join(value + "\r" for value in ACCOUNT[:before]) + typed)
        await terminal.see(fault)
        terminal.press("\r")
        await terminal.see(fault)
        terminal.press("\x03")

    assert ask(act) == (False, [])


def test_one_can_go_back_and_nothing_is_lost() -> None:
    async def act(terminal: Headless) -> None:
        terminal.press("".join(value + "\r" for value in ACCOUNT[:4]))
        await terminal.see("▸ Surnames")
        terminal.press(UP + UP + UP + UP)
        await terminal.see("▸ Login")
        terminal.press("b" + F2)
        await terminal.see("Log in", "✓ anab")
        terminal.press(F2)
        await terminal.see("New account", "✓ Ana María", "▸ Surnames")
        terminal.press("\x1b[200~Gó\nmez\x1b[201~")
        await terminal.see("Gó ⏎ mez")
        terminal.press("\x04")

    assert ask(act) == (False, [])


@pytest.mark.parametrize(
    ("error", "field"), [(NameTaken(), "Login"), (RegistrationClosed(), "Login"), (ChatError("Odd."), "Gender")]
)
def test_a_refusal_is_shown_at_its_field_and_can_be_mended(error: ChatError, field: str) -> None:
    async def act(terminal: Headless) -> None:
        terminal.press("".join(value + "\r" for value in ACCOUNT))
        await terminal.see(f"! {error.message}", f"▸ {field}")
        terminal.press(DOWN * 6 + "\r")

    asked, given = ask(act, [error])
    assert asked
    assert len(given) == 2


def test_a_wrong_password_leads_back_to_it() -> None:
    async def act(terminal: Headless) -> None:
        await terminal.see("! Log in once more.", "✓ ana", "▸ Password")
        terminal.press("wrong\r")
        await terminal.see("▸ Stay")
        terminal.press("n\r")
        await terminal.see("! Login and password do not belong together.", "▸ Password", "✓ no")
        terminal.press("\x15right\r\r")

    asked, given = ask(act, [WrongPassword()], login="ana", may_remember=True, wrong="Log in once more.")
    assert asked
    assert [(each.password, each.remember) for each in given] == [("wrong", False), ("right", False)]


def test_whoever_is_remembered_leaves_the_password_empty() -> None:
    async def act(terminal: Headless) -> None:
        await terminal.see("Log in", "✓ ana", "▸ Password", "ana is remembered here: Enter will do.")
        terminal.press("\r\r")
        await terminal.see("! Odd.", "▸ Stay")
        terminal.press(UP + UP + "\x15bob\r\r")
        await terminal.see("! The password is missing.", "✓ bob", "▸ Password")
        terminal.press("right\r\r")

    asked, given = ask(act, [ChatError("Odd.")], login="ana", may_remember=True, remembered=lambda who: who == "ana")
    assert asked
    assert [(each.login, each.password) for each in given] == [("ana", ""), ("bob", "right")]


def test_choices_are_picked_by_letter_or_space() -> None:
    async def act(terminal: Headless) -> None:
        terminal.press("".join(value + "\r" for value in ACCOUNT[:6]) + "o")
        await terminal.see("✓ other")
        terminal.press(" ")
        await terminal.see("✓ undisclosed")
        terminal.press(" z")
        await terminal.see("✓ female")
        terminal.press("\x03")

    assert ask(act)[0] is False


def test_a_small_terminal_shows_what_matters() -> None:
    async def act(terminal: Headless) -> None:
        await terminal.see("New account", "▸ Login", "Stay logged in?", "Your name here", "F2: I have an account")
        terminal.press(F2)
        await terminal.see("Log in", "F2: I am new here", "Ctrl+C: quit")
        terminal.press("\x03")

    assert ask(act, size=(44, 12), may_remember=True)[0] is False


def test_colours_that_are_pasted_without_a_mark_do_no_harm() -> None:
    async def act(terminal: Headless) -> None:
        terminal.press("a\x1b[31mna")
        await terminal.see("✓ ana")
        terminal.press("\x03")

    assert ask(act)[0] is False
