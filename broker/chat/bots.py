"""What the operator does for programs: makes accounts without a password, and the keys that log in to them.

Asked as `broker.chat.operators` says. Must not know how a key file looks.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import Annotated, Final

from msgspec import Meta, Struct

from broker.chat import keys, naming, ports, views
from broker.chat.context import Context, handles
from broker.chat.effects import Answer, Effect
from broker.chat.entities import Account
from broker.chat.operators import OPERATOR_OPS
from common import scopes, texts
from common.errors import BadProfile, Forbidden, NoSuchKey
from common.limits import CLIENT_LENGTH, LIST_PAGE, NAME_LENGTH
from common.messages import Command, KeyView, Name, Page, PersonName, PublicKey, Reply, Scopes, UInt

NO_PASSWORD = ""
"""What is kept in the place of a bot's password; it is never checked."""
_SCOPES_SHOWN: Final = 4_000
"""Scopes in a page of bots, each key as long as three more, so that it fits into `REPLY_BYTES` whatever they are for.
There is always one bot."""


class AddBot(Command, frozen=True, kw_only=True):
    """Let a key log in as a bot, whose account is made if it is new."""

    op = "bot-add"
    login: Name
    name: PersonName = ""
    """What the bot is called; its login unless given, and as it was if the account is there."""
    key: PublicKey
    key_name: Annotated[str, Meta(min_length=1, max_length=CLIENT_LENGTH)]
    scopes: Scopes


class ListBots(Command, frozen=True, kw_only=True):
    """List the bots by login, a page at a time."""

    op = "bot-list"
    after: Annotated[str, Meta(max_length=4 * NAME_LENGTH)] = ""
    limit: Page = LIST_PAGE


class RevokeBot(Command, frozen=True, kw_only=True):
    """Forget a key of a bot, or all of them, and cut off who uses it."""

    op = "bot-revoke"
    login: Name
    key: UInt | None = None
    """`KeyView.id`."""


class Bot(Struct, kw_only=True):
    """A bot as its operator sees it."""

    login: str
    name: str
    created: UInt
    disabled: bool
    online: bool
    keys: list[KeyView]


class BotAdded(Reply, kw_only=True):
    login: str
    """As it is kept: a key file names it."""
    made: bool
    """Whether the account is new."""
    key: KeyView


class BotList(Reply, kw_only=True):
    bots: list[Bot]
    more: bool


class BotRevoked(Reply, kw_only=True):
    keys: UInt
    """How many were forgotten."""


OPERATOR_OPS.update(
    {
        AddBot.op: (AddBot, BotAdded),
        ListBots.op: (ListBots, BotList),
        RevokeBot.op: (RevokeBot, BotRevoked),
    }
)


@handles(AddBot, login=False)
def add_bot(ctx: Context, command: AddBot) -> list[Effect]:
    """Make a bot's account if it is new, and register its key."""
    asked = scopes.parse(command.scopes)
    if scopes.ACCOUNT in asked:
        raise Forbidden("A bot cannot have the scope account: its keys are the operator's matter.")
    name = texts.check_line(command.name, "The bot's name", error=BadProfile).strip()
    account = ctx.state.account(command.login)
    keys.check(ctx, account, command.key, command.key_name)
    change = ctx.change()
    made = account is None
    if account is None:
        row = _row(ctx, naming.check_new_login(ctx.state, command.login), name)
        account = change.add_account(row, NO_PASSWORD, ctx.rules.default)
        change.stamp("bot-added", login=row.login)
    elif not account.row.bot:
        raise Forbidden(f"{account.login} is a person's account; choose another name.")
    elif name and name != account.row.first_names:
        change.update_account(account, account.row._replace(first_names=name))
    key = keys.add(ctx, change, account, command.key, command.key_name, asked)
    owner = account

    def answer() -> Reply:
        view = views.key_view(ctx.state, key, ctx.now)
        return BotAdded(id=ctx.origin.id, login=owner.login, made=made, key=view)

    return change.effects(ctx.origin, answer)


def _row(ctx: Context, login: str, name: str) -> ports.AccountRow:
    return ports.AccountRow(
        id=ctx.state.next_id("account"),
        login=login,
        first_names=name or login,
        surnames="",
        age=0,
        gender="undisclosed",
        created=ctx.now.time,
        disabled=False,
        operator=False,
        bot=True,
    )


def _bot(ctx: Context, login: str) -> Account:
    account = ctx.user(login)
    if not account.row.bot:
        raise Forbidden(f"{account.login} is a person's account; they revoke their keys themselves.")
    return account


@handles(ListBots, login=False)
def list_bots(ctx: Context, command: ListBots) -> list[Effect]:
    """List the bots and their keys."""
    start = ctx.state.account(command.after)
    found = [ctx.state.account_by_key[key] for key in ctx.state.account_keys if start is None or key > start.key]
    bots = [account for account in found if account.row.bot]
    page = bots[: command.limit]
    sizes = list(accumulate(sum(3 + len(key.scopes.written) for key in account.keys.values()) for account in page))
    page = page[: max(1, bisect_right(sizes, _SCOPES_SHOWN))]
    shown = [
        Bot(
            login=account.login,
            name=account.row.first_names,
            created=account.row.created,
            disabled=account.row.disabled,
            online=account.present,
            keys=[views.key_view(ctx.state, key, ctx.now) for key in account.keys.values()],
        )
        for account in page
    ]
    return [Answer(ctx.origin, BotList(id=ctx.origin.id, bots=shown, more=len(bots) > len(page)))]


@handles(RevokeBot, login=False)
def revoke_bot(ctx: Context, command: RevokeBot) -> list[Effect]:
    """Forget a bot's key, or all of them."""
    account = _bot(ctx, command.login)
    revoked = [key for key in account.keys.values() if command.key in (None, key.id)]
    if command.key is not None and not revoked:
        raise NoSuchKey(f"{account.login} has no key {command.key}.")
    return keys.revoke(ctx, revoked, lambda: BotRevoked(id=ctx.origin.id, keys=len(revoked)))
