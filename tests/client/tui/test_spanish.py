"""The real screens in Spanish: nothing English is left on them, and nothing is too wide for its place."""

from __future__ import annotations

import asyncio
import re

import pytest

from broker.app import EmbeddedBroker
from client import language
from client.language import LANGUAGES
from client.tui import app
from client.tui.app import Entrance
from client.tui.forms import form, login
from client.tui.forms.login import Credentials
from client.tui.model.crowd import Crowd
from client.tui.text.wrap import cells
from client.typed import grammar
from client.typed.table import TABLE
from common.addresses import Address
from common.errors import NameTaken, RateLimited
from common.limits import PERSON_NAME_LENGTH
from common.messages import Change, Register
from scripts import catalogs
from tests.client.tui.forms.test_login import ACCOUNT, F2, ask
from tests.client.tui.headless import Headless, headless
from tests.client.tui.test_app import PASSWORD, made
from tests.support.patience import PATIENCE_S

SIZES = pytest.mark.parametrize("size", [(100, 30), (40, 10)], ids=lambda size: f"{size[0]}x{size[1]}")


@pytest.mark.usefixtures("spanish")
@SIZES
def test_registering_in_spanish(size: tuple[int, int]) -> None:
    async def act(terminal: Headless) -> None:
        await terminal.see(
            "Cuenta nueva · plaza", "▸ Usuario", "Con letras, cifras, _ - y punto.", "¿Recordarte?     ✓ sí"
        )
        terminal.press("ana\rcorta")
        await terminal.see("Contraseña: de 8 a 256 caracteres.")
        terminal.press("\x15" + "\r".join(ACCOUNT[1:]) + "\r")
        await terminal.see("✓ Gómez", "✓ femenino", "▸ ¿Recordarte?")
        terminal.press("n\r")

    account = Register(
        login="ana", password="correct horse", first_names="Ana María", surnames="Gómez", age=29, gender="female"
    )
    assert ask(act, size=size, may_remember=True) == (True, [Credentials("ana", "correct horse", account, False)])


@pytest.mark.usefixtures("spanish")
def test_each_gender_is_sent_as_the_wire_calls_it() -> None:
    chosen = []
    for letter in "fmos":

        async def act(terminal: Headless, letter: str = letter) -> None:
            terminal.press("\r".join([*ACCOUNT[:6], letter]) + "\r")

        _ended, given = ask(act)
        assert given[0].register
        chosen.append(given[0].register.gender)
    assert tuple(chosen) == login.GENDERS


@pytest.mark.usefixtures("spanish")
@pytest.mark.parametrize(
    ("before", "typed", "fault"),
    [
        (0, "a b", "pero no ' '"),
        (0, "_ana", "empieza por una letra o una cifra"),
        (2, "correct horsf", "No es la misma contraseña"),
        (3, "x" * (PERSON_NAME_LENGTH + 1), f"Nombre: como mucho {PERSON_NAME_LENGTH} caracteres"),
        (5, "151", "de 0 a 150"),
        (6, "x", "f, m, o o s: femenino"),
    ],
)
def test_faults_are_said_in_spanish(before: int, typed: str, fault: str) -> None:
    async def act(terminal: Headless) -> None:
        terminal.press("".join(value + "\r" for value in ACCOUNT[:before]) + typed)
        await terminal.see(fault)
        terminal.press("\x03")

    assert ask(act) == (False, [])


@pytest.mark.usefixtures("spanish")
def test_refusals_are_said_in_spanish() -> None:
    async def act(terminal: Headless) -> None:
        await terminal.see("Entrar · plaza", "Intro: seguir", "F2: no tengo cuenta   Ctrl+C: salir")
        terminal.press("correct horse\r")
        await terminal.see("! Ese nombre, o uno que se le parece, ya está en uso", "▸ Usuario")
        terminal.press("\r\r")
        await terminal.see("! Demasiados intentos; espera un poco. Inténtalo otra vez dentro de 3 s.")
        terminal.press(F2)
        await terminal.see("F2: ya tengo cuenta")
        terminal.press("\x03")

    ended, given = ask(act, [NameTaken(), RateLimited(retry_after=2.5)], login="ana")
    assert (ended, len(given)) == (False, 2)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_forms_fit_in_every_language(lang: str) -> None:
    try:
        language.use(lang)
        for page in login.pages("plaza", "ana", True, lambda login: True):
            for field in page.fields:
                assert cells(field.label) <= form.LABEL_WIDTH - 4
                assert len({choice[0] for choice in field.choices}) == len(field.choices), "a letter picks one"
                assert all(choice.isascii() or choice[0].isascii() for choice in field.choices)
            keys = language._("F2: {other}   Ctrl+C: quit").format(other=page.other)
            assert cells(f"   {keys}") <= 40
            assert cells(f"   {language._('Enter: on   ↑ ↓: back and forth')}   {keys}") <= form.WIDE
    finally:
        language.use("en")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_examples_of_the_help_are_right_in_every_language(lang: str) -> None:
    try:
        language.use(lang)
        for spec in TABLE:
            call = TABLE.parse(language._(spec.example))
            assert isinstance(call, grammar.Call), spec.name
            assert call.spec is spec
            assert call.values or not any(not arg.optional for arg in spec.args)
    finally:
        language.use("en")


def english_left(screen: str) -> list[str]:
    """The sentences of the catalog, two words and more of each, that are on the screen in English."""
    text = " ".join(screen.split())
    pieces = {
        (piece.strip(), message.string if isinstance(message.string, str) else " ".join(message.string))
        for message in catalogs.read(catalogs.catalogs()[0])
        for whole in (message.id if isinstance(message.id, tuple) else (message.id,))
        for piece in re.split(r"\{[^}]*\}", whole)
    }
    return [
        piece
        for piece, spanish in pieces
        if re.search(r"[a-z]{2} [a-z]{2}", piece) and piece in text and piece not in spanish
    ]


@pytest.mark.usefixtures("spanish")
@SIZES
def test_the_chat_in_spanish(size: tuple[int, int]) -> None:
    async def run(address: Address) -> None:
        await made(address, "ana", "bruno")
        columns, rows = size
        with headless(columns, rows) as terminal:
            running = asyncio.ensure_future(app._full_screen(Entrance(address, "ana", PASSWORD)))
            screens = [await terminal.see("#lobby ▸", "● en línea")]
            for typed, expected in (
                ("/rooms", "sala común"),
                ("/whois bruno", "bruno es bruno S"),
                ("/jion", "¿Querías"),
                ("#gR nada", "No hay ninguna sala con ese nombre."),
                ("/help join", "por ejemplo: /join ajedrez"),
            ):
                terminal.press(f"\x15{typed}\r")
                screens.append(await terminal.see(expected))
            assert [left for screen in screens for left in english_left(screen)] == []
            terminal.press("\x15\x04")
            assert await asyncio.wait_for(running, PATIENCE_S) == 0

    with EmbeddedBroker() as broker:
        asyncio.run(run(broker.address))


def test_english_would_be_noticed() -> None:
    assert english_left("│ Create a room and\n go into it. │") == ["Create a room and go into it."]


@pytest.mark.usefixtures("spanish")
def test_what_came_and_went_is_counted() -> None:
    def said(*logins: str) -> list[str]:
        crowd = Crowd()
        for name in logins:
            crowd.add(Change(login=name, change="joined"))
        return crowd.sentences()

    assert said("ana") == ["ana ha entrado"]
    assert said("ana", "bruno") == ["ana y bruno han entrado"]
