"""Whether a new name, password or profile will do. Must not know what happens if it will."""

from __future__ import annotations

from broker.chat.ports import AccountRow
from broker.chat.state import State
from common import lookalikes, messages, names, texts
from common.errors import BadPassword, BadProfile, NameTaken
from common.limits import PASSWORD_LENGTH


def check_new_login(state: State, login: str) -> str:
    """The login in its normal form. Raises `BadName` or `NameTaken`."""
    normal = names.parse(login)
    taken = state.account(normal) or state.account_by_skeleton.get(lookalikes.skeleton(normal))
    if taken is not None:
        raise NameTaken(_taken("login", normal, taken.login))
    return normal


def check_new_room(state: State, name: str) -> str:
    """The room's name in its normal form. Raises `BadName` or `NameTaken`."""
    normal = names.parse(name)
    taken = state.room(normal) or state.room_by_skeleton.get(lookalikes.skeleton(normal))
    if taken is not None:
        hidden = taken.row.private
        raise NameTaken() if hidden else NameTaken(_taken("room", normal, taken.name))
    return normal


def _taken(what: str, asked: str, found: str) -> str:
    if names.key(asked) == names.key(found):
        return f"The {what} {found!r} exists already; choose another name."
    return f"The name looks like the {what} {found!r}, which exists already; choose another."


def check_password(password: str) -> None:
    """Raises `BadPassword`."""
    low, high = PASSWORD_LENGTH
    if not low <= len(password) <= high:
        raise BadPassword(f"A password has {low} to {high} characters.")


def check_person(first_names: str, surnames: str) -> None:
    """Raises `BadProfile`."""
    texts.check_line(first_names, "First names", required=True, error=BadProfile)
    texts.check_line(surnames, "Surnames", required=True, error=BadProfile)


def new_account(state: State, login: str, fields: messages.Register, time: int) -> AccountRow:
    """The row of a new account."""
    return AccountRow(
        id=state.next_id("account"),
        login=login,
        first_names=fields.first_names.strip(),
        surnames=fields.surnames.strip(),
        age=fields.age,
        gender=fields.gender,
        created=time,
        disabled=False,
        operator=False,
    )
