"""What the operator may do beside the chat: make accounts, list them, set passwords, disable them.

Asked over the operator's own socket, or of the rules directly when no broker runs; never over the network.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from broker.chat import naming, ports
from broker.chat.context import Context, handles
from broker.chat.effects import Answer, Ask, Effect, Now
from broker.chat.entrance import end
from broker.chat.gateways import carried
from common import messages
from common.errors import Forbidden
from common.limits import LIST_PAGE
from common.messages import Command, Name, Ops, Page, Reply, Secret, UInt


class AddUser(messages.Register, frozen=True, kw_only=True):
    """Make an account, whether registration is open or not."""

    op = "user-add"
    operator: bool = False


class ListUsers(Command, frozen=True, kw_only=True):
    """List the accounts by login, a page at a time."""

    op = "user-list"
    after: Annotated[str, Meta(max_length=4 * 32)] = ""
    limit: Page = LIST_PAGE


class SetUserPassword(Command, frozen=True, kw_only=True):
    """Set a password; every session of the account ends but those of its keys."""

    op = "user-passwd"
    login: Name
    password: Secret


class DisableUser(Command, frozen=True, kw_only=True):
    """Disable an account, ending its sessions; or enable it again."""

    op = "user-disable"
    login: Name
    disabled: bool = True


class Account(Struct, kw_only=True):
    """An account as its operator sees it."""

    login: str
    first_names: str
    surnames: str
    age: int
    gender: str
    created: UInt
    disabled: bool
    operator: bool
    online: bool
    sessions: UInt
    bot: bool


class AccountList(Reply, kw_only=True):
    accounts: list[Account]
    more: bool


OPERATOR_OPS: Ops = {
    AddUser.op: (AddUser, Reply),
    ListUsers.op: (ListUsers, AccountList),
    SetUserPassword.op: (SetUserPassword, Reply),
    DisableUser.op: (DisableUser, Reply),
}
"""Every operation of the operator's socket."""


@handles(AddUser, login=False)
def add_user(ctx: Context, command: AddUser) -> list[Effect]:
    """Make an account."""
    naming.check_new_login(ctx.state, command.login)
    naming.check_person(command.first_names, command.surnames)
    naming.check_password(command.password)

    def then(result: object, now: Now) -> list[Effect]:
        login = naming.check_new_login(ctx.state, command.login)
        row = naming.new_account(ctx.state, login, command, now.time)._replace(operator=command.operator)
        change = ctx.change()
        change.add_account(row, str(result), ctx.rules.default)
        change.stamp("user-added", login=login, operator=command.operator)
        return change.effects(ctx.origin, lambda: Reply(id=ctx.origin.id))

    return [Ask(ctx.origin, ports.HashPassword(command.password), then)]


@handles(ListUsers, login=False)
def list_users(ctx: Context, command: ListUsers) -> list[Effect]:
    """List the accounts."""
    start = ctx.state.account(command.after)
    keys = [key for key in ctx.state.account_keys if start is None or key > start.key]
    shown = []
    for key in keys[: command.limit]:
        account = ctx.state.account_by_key[key]
        row = account.row
        shown.append(
            Account(
                login=row.login,
                first_names=row.first_names,
                surnames=row.surnames,
                age=row.age,
                gender=row.gender,
                created=row.created,
                disabled=row.disabled,
                operator=row.operator,
                online=account.present,
                sessions=len(account.sessions),
                bot=row.bot,
            )
        )
    return [Answer(ctx.origin, AccountList(id=ctx.origin.id, accounts=shown, more=len(keys) > command.limit))]


@handles(SetUserPassword, login=False)
def set_user_password(ctx: Context, command: SetUserPassword) -> list[Effect]:
    """Set a password."""
    account = ctx.user(command.login)
    if account.row.bot:
        raise Forbidden(f"{account.login} is a bot, which has no password; make it a key with: tertulia-broker bot add")
    naming.check_password(command.password)

    def then(result: object, now: Now) -> list[Effect]:
        change = ctx.change()
        change.set_password(account, str(result))
        change.stamp("password-set", login=account.login)
        later = Context(ctx.rules, ctx.origin, None, now)
        answer = lambda: Reply(id=ctx.origin.id)  # noqa: E731
        ended = [session for session in account.sessions.values() if session.key is None]
        return end(later, change, ended, "password", answer)

    return [Ask(ctx.origin, ports.HashPassword(command.password), then)]


@handles(DisableUser, login=False)
def disable_user(ctx: Context, command: DisableUser) -> list[Effect]:
    """Disable or enable an account."""
    account = ctx.user(command.login)
    change = ctx.change()
    if account.row.disabled != command.disabled:
        change.update_account(account, account.row._replace(disabled=command.disabled))
        change.stamp("user-disabled" if command.disabled else "user-enabled", login=account.login)
        if command.disabled:
            change.write(ports.DropTokens(account.id, None))
    if not command.disabled:
        return change.effects(ctx.origin, lambda: Reply(id=ctx.origin.id))
    # Who is let in by a gateway of this account goes with it; their own accounts are in order.
    people = [each for key in account.keys.values() for each in carried(ctx.state, key) if each.account is not account]
    ended = list(account.sessions.values())
    effects = end(ctx, change, ended, "disabled", lambda: Reply(id=ctx.origin.id))
    return effects + end(ctx, ctx.change(), people, "revoked") if people else effects
