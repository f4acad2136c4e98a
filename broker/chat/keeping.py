"""What an account keeps on the broker: some values under keys, for its programs, which may be killed at any time.

How much it is, is known from memory; the values themselves are read by a worker. Must not know what they mean.
"""

from __future__ import annotations

from broker.chat import ports
from broker.chat.context import Context, handles
from broker.chat.effects import Answer, Ask, Effect, Now
from broker.chat.entities import stored_size
from common import messages, texts
from common.errors import NotLoggedIn, TooMany
from common.limits import STORE_BYTES, STORE_KEYS


@handles(messages.StoreGet)
def store_get(ctx: Context, command: messages.StoreGet) -> list[Effect]:
    """Read the value under a key."""
    key = texts.check_line(command.key, "The key", required=True)
    account, origin, state = ctx.account, ctx.origin, ctx.state

    def then(result: object, now: Now) -> list[Effect]:
        session = state.session(origin.key, origin.session)
        if session is None or session.account is not account:
            raise NotLoggedIn  # ended meanwhile, or a key revoked
        assert result is None or isinstance(result, bytes)
        return [Answer(origin, messages.Stored(id=origin.id, value=result))]

    return [Ask(origin, ports.ReadStored(account.id, key), then)]


@handles(messages.StorePut)
def store_put(ctx: Context, command: messages.StorePut) -> list[Effect]:
    """Keep a value under a key, in the place of what was there; or forget that."""
    key = texts.check_line(command.key, "The key", required=True)
    account, value = ctx.account, command.value
    before = account.stored.get(key)
    change = ctx.change()
    if value is not None:
        if before is None and len(account.stored) >= STORE_KEYS:
            raise TooMany(f"You keep {STORE_KEYS} keys here; forget some first.")
        there = 0 if before is None else stored_size(key, before)
        if account.stored_bytes - there + stored_size(key, len(value)) > STORE_BYTES:
            raise TooMany(f"You keep {account.stored_bytes} of {STORE_BYTES} bytes here; forget some first.")
    if value is not None or before is not None:
        change.store(account, key, value)
    return change.effects(ctx.origin, lambda: messages.Reply(id=ctx.origin.id))


@handles(messages.StoreList)
def store_list(ctx: Context, command: messages.StoreList) -> list[Effect]:
    """List the keys in order, a page at a time."""
    account = ctx.account
    keys = sorted(key for key in account.stored if key > command.after and key.startswith(command.prefix))
    reply = messages.StoreKeys(
        id=ctx.origin.id,
        keys=keys[: command.limit],
        more=len(keys) > command.limit,
        bytes=account.stored_bytes,
    )
    return [Answer(ctx.origin, reply)]
