"""One's own account: sessions, password, profile, status. Must not know how a password is hashed."""

from __future__ import annotations

from typing import Final

from broker.chat import naming, ports, views
from broker.chat.context import Context, handles
from broker.chat.effects import Answer, Ask, Effect, Now
from broker.chat.entities import Account
from broker.chat.entrance import end
from broker.chat.state import State
from common import messages, texts
from common.errors import Forbidden, NoSuchSession, NotLoggedIn, WrongPassword

_SLOWLY: Final = "You change your status too often; wait a little."


@handles(messages.Sessions)
def sessions(ctx: Context, command: messages.Sessions) -> list[Effect]:
    """List the account's sessions."""
    asking = ctx.session
    shown = [views.session_view(session, asking, ctx.now) for session in ctx.account.sessions.values()]
    return [Answer(ctx.origin, messages.SessionList(id=ctx.origin.id, sessions=shown))]


@handles(messages.Revoke)
def revoke(ctx: Context, command: messages.Revoke) -> list[Effect]:
    """End a session of one's own account."""
    session = ctx.account.sessions.get(command.session)
    if session is None:
        raise NoSuchSession
    if session.key is not None:
        raise Forbidden("That session logs in by a key, and would come back; revoke the key.")
    change = ctx.change()
    change.stamp("session-revoked", login=ctx.account.login, session=session.id)
    return end(ctx, change, [session], "revoked", lambda: messages.Reply(id=ctx.origin.id))


@handles(messages.Password)
def password(ctx: Context, command: messages.Password) -> list[Effect]:
    """Change the password; whoever is logged in elsewhere is not any more."""
    naming.check_password(command.new)
    account, origin, rules = ctx.account, ctx.origin, ctx.rules
    throttle, address = rules.throttle, origin.address
    throttle.begin(account.key, address, ctx.now.mono)

    def checked(result: object, now: Now) -> list[Effect]:
        if not result:
            raise WrongPassword("The old password is wrong.")
        throttle.succeed(account.key, address, now.mono)
        return [Ask(origin, ports.HashPassword(command.new), hashed)]

    def hashed(result: object, now: Now) -> list[Effect]:
        mine = ctx.state.session(origin.key, origin.session)
        if mine is None or mine.account is not account:
            raise NotLoggedIn
        later = Context(rules, origin, mine, now)
        change = later.change()
        change.set_password(account, str(result))
        change.stamp("password-changed", login=account.login)
        # A key is no password: what it opened stays open until it is revoked.
        others = [session for session in account.sessions.values() if session is not mine and session.key is None]
        return end(later, change, others, "password", lambda: messages.Reply(id=origin.id))

    unasked = lambda: throttle.take_back(account.key, address)  # noqa: E731
    return [Ask(origin, ports.CheckPassword(account.id, command.old), checked, unasked)]


@handles(messages.Profile)
def profile(ctx: Context, command: messages.Profile) -> list[Effect]:
    """Show a profile; age and gender to the account's owner and to the operator alone."""
    account = ctx.account if command.login is None else ctx.user(command.login)
    reply = views.profile(account, ctx.session, ctx.now)
    reply.id = ctx.origin.id
    return [Answer(ctx.origin, reply)]


@handles(messages.UpdateProfile)
def update_profile(ctx: Context, command: messages.UpdateProfile) -> list[Effect]:
    """Change fields of one's own account."""
    account, old = ctx.account, ctx.account.row
    row = old._replace(
        first_names=(command.first_names if command.first_names is not None else old.first_names).strip(),
        surnames=(command.surnames if command.surnames is not None else old.surnames).strip(),
        age=command.age if command.age is not None else old.age,
        gender=command.gender if command.gender is not None else old.gender,
        show_seen=command.show_seen if command.show_seen is not None else old.show_seen,
    )
    naming.check_person(row.first_names, row.surnames)
    change = ctx.change()
    if row != old:
        change.update_account(account, row)

    def answer() -> messages.Reply:
        reply = views.profile(account, ctx.session, ctx.now)
        reply.id = ctx.origin.id
        return reply

    return change.effects(ctx.origin, answer)


@handles(messages.SetStatus)
def set_status(ctx: Context, command: messages.SetStatus) -> list[Effect]:
    """Say whether one may be disturbed; every room of the account is told."""
    account = ctx.account
    note = texts.check_line(command.note, "The note")
    change = ctx.change()
    if (command.status, note) != (account.row.status, account.row.note):
        ctx.rules.statuses.check(account.id, ctx.now.mono, _SLOWLY)
        change.update_account(account, account.row._replace(status=command.status, note=note))
        change.after(lambda _: _announce_status(ctx.state, account))
    return change.effects(ctx.origin, lambda: messages.Reply(id=ctx.origin.id))


def _announce_status(state: State, account: Account) -> list[Effect]:
    for room in account.rooms.values():
        # Where somebody is about to come in, that will say it.
        if account.id not in room.joining:
            state.announce(room, views.roster_change(account, "status"))
    return []
