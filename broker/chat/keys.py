"""Keys that log in to an account by themselves: listed, added, revoked. Must not know what a scope allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from broker.chat import ports, views
from broker.chat.change import Change
from broker.chat.context import Context, handles
from broker.chat.effects import Answer, Effect
from broker.chat.entities import Account, Key
from broker.chat.entrance import end
from broker.chat.gateways import carried
from common import keys, messages, scopes, texts
from common.errors import BadRequest, Forbidden, NoSuchKey, TooMany
from common.limits import KEYS_PER_ACCOUNT


@handles(messages.Keys)
def list_keys(ctx: Context, command: messages.Keys) -> list[Effect]:
    """List the account's keys."""
    shown = [views.key_view(ctx.state, key, ctx.now) for key in ctx.account.keys.values()]
    return [Answer(ctx.origin, messages.KeyList(id=ctx.origin.id, keys=shown))]


@handles(messages.KeyAdd)
def key_add(ctx: Context, command: messages.KeyAdd) -> list[Effect]:
    """Let a key log in to the account; one's own key must have what the new one gets."""
    asked, own = scopes.parse(command.scopes), ctx.session.scopes
    if scopes.GATEWAY in asked:
        raise Forbidden("Only the operator gives the scope gateway; make such a key with: tertulia-broker bot add")
    if own is not None and not own.covers(asked):
        raise Forbidden("A key cannot be given a scope that the key of this session lacks.")
    check(ctx, ctx.account, command.key, command.name)
    change = ctx.change()
    key = add(ctx, change, ctx.account, command.key, command.name, asked)
    return change.effects(ctx.origin, lambda: added(ctx, key))


def check(ctx: Context, account: Account | None, public: bytes, name: str) -> None:
    """Whether a key may be added to that account, or to one that is to be made.

    Raises `BadRequest`, `Forbidden`, `TooMany` or `BadText`. A key that somebody uses, or that is registered, is
    refused: its holder would be in another account at once.
    """
    texts.check_line(name, "The key's name", required=True)
    if not keys.is_public(public):
        raise BadRequest("Nobody can hold the other half of that key; make a key pair.")
    user_id = keys.user_id(public)
    peer = ctx.state.peers.get(user_id)
    if user_id in ctx.state.keys or user_id in ctx.rules.gateways or (peer is not None and peer.sessions):
        raise Forbidden("That key is in use; make a new one.")
    if account is not None and len(account.keys) >= KEYS_PER_ACCOUNT:
        raise TooMany(f"{account.login} has {KEYS_PER_ACCOUNT} keys; revoke one first.")


def add(ctx: Context, change: Change, account: Account, public: bytes, name: str, asked: Iterable[str]) -> Key:
    """Register a key, which was checked, as part of `change`."""
    number, user_id = ctx.state.next_id("key"), keys.user_id(public)
    row = ports.KeyRow(number, account.id, user_id, name, " ".join(asked), ctx.now.time, 0)
    change.stamp("key-added", login=account.login, key=row.id, scopes=row.scopes)
    return change.add_key(row, account)


def added(ctx: Context, key: Key) -> messages.Reply:
    """The answer that shows a new key."""
    return messages.KeyAdded(id=ctx.origin.id, key=views.key_view(ctx.state, key, ctx.now))


@handles(messages.KeyRevoke)
def key_revoke(ctx: Context, command: messages.KeyRevoke) -> list[Effect]:
    """Forget a key of the account, and cut off who uses it."""
    key = ctx.account.keys.get(command.key)
    if key is None:
        raise NoSuchKey
    return revoke(ctx, [key], lambda: messages.Reply(id=ctx.origin.id))


def revoke(ctx: Context, revoked: Iterable[Key], answer: Callable[[], messages.Reply]) -> list[Effect]:
    """Forget keys, and end their sessions, those of a gateway's people among them."""
    change, ended = ctx.change(), []
    for key in revoked:
        ended += carried(ctx.state, key)
        change.drop_key(key)
        change.stamp("key-revoked", login=key.account.login, key=key.id)
    return end(ctx, change, ended, "revoked", answer)
