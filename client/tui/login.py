"""The first thing a person sees without an account, a password or a token at hand: log in, or make an account.

Every field is judged by the rules of the broker (`common.names`, `common.texts`, `common.limits`). Must not know
how a login is carried out, nor where a token is kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import ceil
from typing import Final, get_args

from prompt_toolkit.input import Input
from prompt_toolkit.output import Output

from client.tui import clean
from client.tui.fields import Field, FieldRefused, Page, Values
from client.tui.form import Form
from common import names, texts
from common.errors import (
    BadName,
    BadPassword,
    BadProfile,
    ChatError,
    NameTaken,
    RateLimited,
    RegistrationClosed,
    WrongPassword,
)
from common.limits import AGE_RANGE, PASSWORD_LENGTH, PERSON_NAME_LENGTH
from common.messages import Gender, Register


@dataclass(frozen=True)
class Credentials:
    """What the person typed: a login with its password, or a whole new account."""

    login: str
    password: str
    """Empty for a login that is remembered."""
    register: Register | None
    remember: bool
    """Whether to stay logged in on this machine."""


Connect = Callable[[Credentials], Awaitable[None]]
"""Logs in, or raises why not."""

LOG_IN, NEW_ACCOUNT = 0, 1
"""The pages, in their order."""

Remembered = Callable[[str], object]
"""Whether a login is remembered on this machine, so that its password may be left empty."""

YES_OR_NO: Final = ("yes", "no")
GENDERS: Final[tuple[Gender, ...]] = get_args(Gender)


def _login(text: str, _: Values) -> str:
    return names.parse(text.strip())


def _password(remembered: Remembered) -> Callable[[str, Values], str]:
    def check(text: str, others: Values) -> str:
        if not text and not remembered(others["login"].strip()):
            raise BadPassword("The password is missing.")
        return _sendable(text)

    return check


def _sendable(text: str) -> str:
    if clean.typed(text) != text:
        raise BadPassword("There is a character in it that is no text.")
    return text


def _new_password(text: str, _: Values) -> str:
    if not PASSWORD_LENGTH[0] <= len(text) <= PASSWORD_LENGTH[1]:
        raise BadPassword
    return _sendable(text)


def _again(text: str, others: Values) -> str:
    if text != others["new password"]:
        raise BadPassword("That is not the same password.")
    return text


def _person(what: str) -> Callable[[str, Values], str]:
    def check(text: str, _: Values) -> str:
        text = " ".join(text.split())
        if len(text) > PERSON_NAME_LENGTH:
            raise BadProfile(f"{what}: at most {PERSON_NAME_LENGTH} characters.")
        return texts.check_line(text, what, required=True, error=BadProfile)

    return check


def _age(text: str, _: Values) -> str:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and AGE_RANGE[0] <= int(text[:9]) <= AGE_RANGE[1]):
        raise BadProfile(f"An age is a number from {AGE_RANGE[0]} to {AGE_RANGE[1]}.")
    return str(int(text))


def _gender(text: str, _: Values) -> str:
    if text not in GENDERS:
        raise BadProfile(f"One of {', '.join(GENDERS)}; the first letter will do.")
    return text


def _yes(text: str, _: Values) -> str:
    if text not in YES_OR_NO:
        raise BadProfile("Yes or no; y or n will do.")
    return text


def pages(server: str, login: str, may_remember: bool, remembered: Remembered) -> list[Page]:
    """The two forms, for the broker called `server`."""
    who = Field("login", "Login", "Your name here: letters, digits, _ - and a dot.", _login, initial=login)
    stay = Field(
        "stay",
        "Stay logged in?",
        "y or n. Yes: the next start on this machine asks for nothing.",
        _yes,
        initial="yes",
        choices=YES_OR_NO,
    )
    last = [stay] if may_remember else []
    hint = "It is not shown."
    if login and remembered(login):
        hint += f" {login} is remembered here: Enter will do."
    old = [who, Field("password", "Password", hint, _password(remembered), hidden=True), *last]
    fewest = PASSWORD_LENGTH[0]
    new = [
        who,
        Field(
            "new password", "Password", f"At least {fewest} characters; it is not shown.", _new_password, hidden=True
        ),
        Field("again", "Password again", "The same once more.", _again, hidden=True),
        Field("first names", "First names", "Everybody sees them.", _person("First names")),
        Field("surnames", "Surnames", "Everybody sees them.", _person("Surnames")),
        Field("age", "Age", "In years; you and the operator see it.", _age),
        Field(
            "gender",
            "Gender",
            f"f, m, o or u: {', '.join(GENDERS)}; you and the operator see it.",
            _gender,
            choices=GENDERS,
        ),
        *last,
    ]
    return [
        Page(f"Tertulia · {server} · Log in", "I am new here", old),
        Page(f"Tertulia · {server} · New account", "I have an account", new),
    ]


def credentials(values: Values) -> Credentials:
    """What the values of either form amount to."""
    remember = values.get("stay") == "yes"
    if "age" not in values:
        return Credentials(values["login"], values["password"], None, remember)
    gender: Gender = next(gender for gender in GENDERS if gender == values["gender"])
    account = Register(
        login=values["login"],
        password=values["new password"],
        first_names=values["first names"],
        surnames=values["surnames"],
        age=int(values["age"]),
        gender=gender,
    )
    return Credentials(values["login"], values["new password"], account, remember)


def _at_fault(error: ChatError, new: bool) -> ChatError:
    """The same refusal, with the field that it is about."""
    if isinstance(error, (NameTaken, BadName, RegistrationClosed)):
        return FieldRefused(error.message, "login")
    if isinstance(error, (WrongPassword, BadPassword)):
        return FieldRefused(error.message, "new password" if new else "password")
    if isinstance(error, RateLimited) and error.retry_after is not None:
        return RateLimited(f"{error.message} Try again in {ceil(error.retry_after)} s.")
    return error


async def ask(
    server: str,
    connect: Connect,
    *,
    login: str = "",
    may_remember: bool = False,
    remembered: Remembered = lambda login: False,
    wrong: str = "",
    input: Input | None = None,
    output: Output | None = None,
) -> bool:
    """Show the forms until `connect` has succeeded. False if the person gave up.

    Where no login is known, people are most likely new: the form for a new account comes first.
    """

    async def submit(page: Page, values: Values) -> None:
        try:
            await connect(credentials(values))
        except ChatError as error:
            raise _at_fault(error, "age" in values) from None

    forms = pages(clean.line(server), login, may_remember, remembered)
    return await Form(
        forms, submit, start=LOG_IN if login else NEW_ACCOUNT, wrong=wrong, input=input, output=output
    ).run()
