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

from client.language import N_, _, sentence
from client.tui.forms.fields import Field, FieldRefused, Page, Values
from client.tui.forms.form import Form
from client.tui.text import clean
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

YES_OR_NO: Final = (N_("yes"), N_("no"))
GENDERS: Final[tuple[Gender, ...]] = get_args(Gender)
_WORDS: Final = (N_("female"), N_("male"), N_("other"), N_("undisclosed"))
"""The genders, as they are translated; the same words are on the wire."""


def _login(text: str, others: Values) -> str:
    return names.parse(text.strip())


def _password(remembered: Remembered) -> Callable[[str, Values], str]:
    def check(text: str, others: Values) -> str:
        if not text and not remembered(others["login"].strip()):
            raise BadPassword(_("The password is missing."))
        return _sendable(text)

    return check


def _sendable(text: str) -> str:
    if clean.typed(text) != text:
        raise BadPassword(_("There is a character in it that is no text."))
    return text


def _new_password(text: str, others: Values) -> str:
    if not PASSWORD_LENGTH[0] <= len(text) <= PASSWORD_LENGTH[1]:
        raise BadPassword
    return _sendable(text)


def _again(text: str, others: Values) -> str:
    if text != others["new password"]:
        raise BadPassword(_("That is not the same password."))
    return text


def _person(what: str) -> Callable[[str, Values], str]:
    def check(text: str, others: Values) -> str:
        text = " ".join(text.split())
        if len(text) > PERSON_NAME_LENGTH:
            raise BadProfile(_("{what}: at most {limit} characters.").format(what=_(what), limit=PERSON_NAME_LENGTH))
        return texts.check_line(text, what, required=True, error=BadProfile)

    return check


def _age(text: str, others: Values) -> str:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and AGE_RANGE[0] <= int(text[:9]) <= AGE_RANGE[1]):
        raise BadProfile(_("An age is a number from {low} to {high}.").format(low=AGE_RANGE[0], high=AGE_RANGE[1]))
    return str(int(text))


def genders() -> tuple[str, ...]:
    """What the person chooses from: a word for each of `GENDERS`, in their order."""
    return tuple(map(_, GENDERS))


def _gender(text: str, others: Values) -> str:
    if text not in genders():
        raise BadProfile(_("One of {choices}; the first letter will do.").format(choices=", ".join(genders())))
    return GENDERS[genders().index(text)]


def _yes(text: str, others: Values) -> str:
    if text not in map(_, YES_OR_NO):
        raise BadProfile(_("Yes or no; y or n will do."))
    return next(word for word in YES_OR_NO if text == _(word))


def pages(server: str, login: str, may_remember: bool, remembered: Remembered) -> list[Page]:
    """The two forms, for the broker called `server`."""
    who = Field("login", _("Login"), _("Your name here: letters, digits, _ - and a dot."), _login, initial=login)
    stay = Field(
        "stay",
        _("Stay logged in?"),
        _("y or n. Yes: the next start on this machine asks for nothing."),
        _yes,
        initial=_(YES_OR_NO[0]),
        choices=tuple(map(_, YES_OR_NO)),
    )
    last = [stay] if may_remember else []
    hint = _("It is not shown.")
    if login and remembered(login):
        hint += " " + _("{login} is remembered here: Enter will do.").format(login=login)
    old = [who, Field("password", _("Password"), hint, _password(remembered), hidden=True), *last]
    long = _("At least {count} characters; it is not shown.").format(count=PASSWORD_LENGTH[0])
    choices = _("f, m, o or u: {choices}; you and the operator see it.").format(choices=", ".join(genders()))
    new = [
        who,
        Field("new password", _("Password"), long, _new_password, hidden=True),
        Field("again", _("Password again"), _("The same once more."), _again, hidden=True),
        Field("first names", _("First names"), _("Everybody sees them."), _person(N_("First names"))),
        Field("surnames", _("Surnames"), _("Everybody sees them."), _person(N_("Surnames"))),
        Field("age", _("Age"), _("In years; you and the operator see it."), _age),
        Field("gender", _("Gender"), choices, _gender, choices=genders()),
        *last,
    ]
    return [
        Page(_("Log in · {server} · Tertulia").format(server=server), _("I am new here"), old),
        Page(_("New account · {server} · Tertulia").format(server=server), _("I have an account"), new),
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
        return FieldRefused(sentence(error), "login")
    if isinstance(error, (WrongPassword, BadPassword)):
        return FieldRefused(sentence(error), "new password" if new else "password")
    if isinstance(error, RateLimited) and error.retry_after is not None:
        wait = _("Try again in {seconds} s.").format(seconds=ceil(error.retry_after))
        return RateLimited(f"{sentence(error)} {wait}")
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
