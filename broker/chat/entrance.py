"""Coming in and going out: hello, register, login, logout, bye, ping. Must not know how a password is hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from broker.chat import naming, ports, views
from broker.chat.change import Change
from broker.chat.context import Context, handles
from broker.chat.effects import Answer, Ask, Effect, Now, Settle
from broker.chat.entities import Account, Session
from broker.chat.presence import oldest
from broker.chat.rights import hears_inbox, reads
from common import messages, names, texts
from common.errors import (
    AccountDisabled,
    AlreadyLoggedIn,
    BadRequest,
    RegistrationClosed,
    UnsupportedVersion,
    WrongPassword,
)
from common.limits import PROTOCOL_VERSION, SESSIONS_PER_ACCOUNT, TOKEN_BYTES

_CROWD: Final = "Too many new accounts come from your network; wait a little."


@handles(messages.Hello, login=False)
def hello(ctx: Context, command: messages.Hello) -> list[Effect]:
    """Agree on a version; say what this session is, by what is on disk: its client follows the rooms named here."""
    if PROTOCOL_VERSION not in command.versions:
        raise UnsupportedVersion
    client = texts.check_line(command.client, "The client's description")
    origin, rules = ctx.origin, ctx.rules
    ctx.state.note_client(origin.key, origin.session, client)

    def welcome(session: Session | None, now: Now) -> messages.Welcome:
        return messages.Welcome(
            id=origin.id,
            server=rules.settings.server_name,
            version=PROTOCOL_VERSION,
            run=rules.run,
            time=now.time,
            beacon=rules.grants.beacon(origin.key),
            default_room=rules.default.name,
            registration=rules.settings.registration,
            session=views.session_state(ctx.state, session) if session else None,
        )

    def then(now: Now) -> list[Effect]:
        return [Answer(origin, welcome(ctx.state.session(origin.key, origin.session), now))]

    def settled() -> bool:
        session = ctx.state.session(origin.key, origin.session)
        return session is None or session.settled

    key = ctx.state.key_of(origin.key, origin.session)
    if key is None or ctx.session_or_none is not None:
        return [Settle(origin, then, settled)]
    if key.account.row.disabled:
        raise AccountDisabled
    change = ctx.change()
    change.stamp("logged-in", login=key.account.login, address=origin.address, key=key.id)
    return _bind(ctx, change, key.account, lambda session: welcome(session, ctx.now), present=not command.quiet)


@handles(messages.Register, login=False)
def register(ctx: Context, command: messages.Register) -> list[Effect]:
    """Make an account and log in to it."""
    _check_stranger(ctx)
    if ctx.rules.settings.registration == "closed":
        raise RegistrationClosed
    naming.check_person(command.first_names, command.surnames)
    naming.check_password(command.password)
    # Before the name is looked at: the answer tells which names are taken.
    if not ctx.rules.of_many(ctx.origin):
        ctx.rules.registrations.check(ctx.origin.address, ctx.now.mono, _CROWD)
    naming.check_new_login(ctx.state, command.login)

    def then(result: object, now: Now) -> list[Effect]:
        later = again(ctx, now)
        login = naming.check_new_login(ctx.state, command.login)
        row = naming.new_account(ctx.state, login, command, now.time)
        change = ctx.change()
        account = change.add_account(row, str(result), ctx.rules.default)
        change.stamp("registered", login=login, address=ctx.origin.address)
        return _bind(later, change, account, logged_in(later))

    return [Ask(ctx.origin, ports.HashPassword(command.password), then)]


@handles(messages.Login, login=False)
def login(ctx: Context, command: messages.Login) -> list[Effect]:
    """Bind this session to an account."""
    _check_stranger(ctx)
    if (command.password is None) == (command.token is None):
        raise BadRequest("A login has either a password or a token.")
    account = ctx.state.account(command.login)
    tried, address, throttle = names.key(command.login), ctx.origin.address, ctx.rules.throttle
    throttle.begin(tried, address, ctx.now.mono)
    secrets = account.secrets if account else 0
    # A program has no password: none is right, and to find that out takes as long.
    number = account.id if account and not account.row.bot else None
    query: ports.Query
    if command.token is not None:
        digest = hashlib.sha256(command.token).digest()
        query = ports.CheckToken(number, digest, oldest(ctx.now))
    else:
        digest = None
        query = ports.CheckPassword(number, command.password or "")

    def then(result: object, now: Now) -> list[Effect]:
        later = again(ctx, now)
        # What was right when it was looked at may have been changed, or used, meanwhile.
        if not result or account is None or account.secrets != secrets or digest in ctx.rules.spent:
            raise WrongPassword
        throttle.succeed(tried, address, now.mono)
        if account.row.disabled:
            raise AccountDisabled
        change = ctx.change()
        token = None
        if digest is not None:
            ctx.rules.spend(digest)
            change.write(ports.DropTokens(account.id, digest), lambda: ctx.rules.spent.pop(digest, None))
        if digest is not None or command.remember:
            token = ctx.rules.random(TOKEN_BYTES)
            new = ports.AddToken(ctx.state.next_id("token"), account.id, hashlib.sha256(token).digest(), now.time)
            change.write(new)
        if isinstance(result, str):
            change.write(ports.SetPassword(account.id, result))
        change.stamp("logged-in", login=account.login, address=ctx.origin.address)
        return _bind(later, change, account, logged_in(later, token))

    return [Ask(ctx.origin, query, then, lambda: throttle.take_back(tried, address))]


def again(ctx: Context, now: Now) -> Context:
    """The context some time later, when a worker has answered. Raises `AlreadyLoggedIn` if a login came between."""
    later = Context(ctx.rules, ctx.origin, ctx.state.session(ctx.origin.key, ctx.origin.session), now)
    _check_stranger(later)
    return later


def _check_stranger(ctx: Context) -> None:
    """Raises `AlreadyLoggedIn` if who asks is somebody already, or would be with a `hello`."""
    if ctx.session_or_none is not None:
        raise AlreadyLoggedIn
    if ctx.state.key_of(ctx.origin.key, ctx.origin.session) is not None:
        raise AlreadyLoggedIn("This key logs in by itself; say hello.")


def logged_in(ctx: Context, token: bytes | None = None) -> Callable[[Session], messages.Reply]:
    """What makes the answer to a login."""
    return lambda session: messages.LoggedIn(
        id=ctx.origin.id, session=views.session_state(ctx.state, session), token=token
    )


def _bind(
    ctx: Context,
    change: Change,
    account: Account,
    answer: Callable[[Session], messages.Reply],
    *,
    present: bool = True,
) -> list[Effect]:
    """Add the session, bring it to the default room unless it is not to be `present` yet, and answer."""
    origin, rules, now = ctx.origin, ctx.rules, ctx.now
    change.after(lambda _: trim(ctx, account))
    row = ports.SessionRow(
        ctx.state.next_id("session"),
        account.id,
        origin.key,
        origin.session,
        ctx.state.clients.get((origin.key, origin.session), ""),
        now.time,
        now.time,
        present,
        rules.default.id,
    )
    key = ctx.state.key_of(origin.key, origin.session)
    session = Session(row, account, rules.grants.peer(origin.key), rules.default, key)
    change.bind(session)
    if present:
        rules.presence.appear(session, now, change)
    return change.effects(origin, lambda: answer(session))


def trim(ctx: Context, account: Account) -> list[Effect]:
    """End the session unseen for longest if the account has too many; those of keys are bounded by these."""
    sessions = [session for session in account.sessions.values() if session.key is None]
    if len(sessions) <= SESSIONS_PER_ACCOUNT:
        return []
    oldest = min(sessions, key=lambda session: (session.present, session.seen))
    return end(ctx, ctx.change(), [oldest], "revoked")


def end(
    ctx: Context,
    change: Change,
    sessions: list[Session],
    reason: str,
    answer: Callable[[], messages.Reply] | None = None,
) -> list[Effect]:
    """End `sessions` as part of `change`, and do it; `answer` as in `Change.effects`."""
    for session in sessions:
        change.unbind(session, reason)
    effects = change.effects(ctx.origin if answer else None, answer)
    for session in sessions:
        effects += ctx.rules.presence.vanish(session, ctx.now, reason="disabled" if reason == "disabled" else "exit")
    return effects


@handles(messages.Logout)
def logout(ctx: Context, command: messages.Logout) -> list[Effect]:
    """End this session."""
    origin, session = ctx.origin, ctx.session
    change = ctx.change()
    if command.token is not None:
        change.write(ports.DropTokens(session.account.id, hashlib.sha256(command.token).digest()))
    change.stamp("logged-out", login=session.account.login)
    return end(ctx, change, [session], "logout", lambda: messages.Reply(id=origin.id))


@handles(messages.Bye)
def bye(ctx: Context, command: messages.Bye) -> list[Effect]:
    """Disconnect without grace; the session stays bound."""
    effects = ctx.rules.presence.vanish(ctx.session, ctx.now, reason="exit")
    return [*effects, Answer(ctx.origin, messages.Reply(id=ctx.origin.id))]


@handles(messages.Ping)
def ping(ctx: Context, command: messages.Ping) -> list[Effect]:
    """The time, and where each log ends."""
    account, scopes = ctx.account, ctx.session.scopes
    heads = {room.name: room.head for room in account.rooms.values() if reads(scopes, room)}
    if hears_inbox(scopes):
        heads[account.inbox] = account.head
    return [Answer(ctx.origin, messages.Pong(id=ctx.origin.id, time=ctx.now.time, run=ctx.rules.run, heads=heads))]
