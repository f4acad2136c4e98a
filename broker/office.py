"""Where the operator's commands are done: by the running broker, or here by the same rules if none runs.

Must not know the operations, nor how they are shown.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from broker.chat.chat import Chat
from broker.chat.effects import Answer, Append, Commit, Effect, Origin, Refuse, Settle
from broker.chat.effects import Ask as Question
from broker.chat.operators import OPERATOR_OPS
from broker.chat.ports import Store
from broker.config import BrokerConfig
from broker.datadir import DataDir
from broker.secrets import rules_secret
from broker.store.sqlite import SqliteStore
from broker.wire.carrier import OPERATOR
from broker.wire.operator_client import OperatorClient, listens
from broker.wire.passwords import PEPPER_BYTES, Passwords
from broker.wire.reactor import wall_clock
from broker.wire.workers import answer
from common import codec, keys
from common.errors import ChatError, Internal
from common.messages import Command, Reply

Ask = Callable[[Command], Reply]
"""Does one operation. Raises the `ChatError` with which it was refused."""


@contextmanager
def office(config: BrokerConfig) -> Iterator[Ask]:
    """The running broker if there is one, else the rules on the opened store."""
    data = DataDir(config.data_dir)
    if listens(data.operator):
        with OperatorClient(data.operator) as client:
            yield client.ask
        return
    data.make()
    pair = keys.load_or_make(data.key)
    passwords = Passwords(keys.load_or_make_secret(data.pepper, PEPPER_BYTES), config.bcrypt_cost)
    store = SqliteStore(config.database_path, data.path)
    try:
        chat = Chat(config.chat, store.load(), wall_clock(), os.urandom, rules_secret(pair), os.urandom(8).hex())
        yield _Desk(chat, store, passwords).ask
    finally:
        store.close()


class _Desk:
    """Asks the rules, and carries out what they want one after the other: there is nobody to wait."""

    def __init__(self, chat: Chat, store: Store, passwords: Passwords) -> None:
        self._chat = chat
        self._store = store
        self._passwords = passwords
        self._outcome: Reply | ChatError | None = None
        self._carry(chat.started)

    def ask(self, command: Command) -> Reply:
        self._outcome = None
        try:
            # Read as it would be by a running broker: the bounds of fields are held there.
            request = codec.decode_request(codec.encode_request(1, command), OPERATOR_OPS)
        except codec.RequestError as error:
            raise error.cause from None
        self._carry(self._chat.operate(Origin(b"", OPERATOR, "", 1, OPERATOR), request, wall_clock()))
        if isinstance(self._outcome, ChatError):
            raise self._outcome
        if self._outcome is None:
            raise Internal
        return self._outcome

    def _carry(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Answer(_, reply):
                    self._outcome = reply
                case Refuse(_, error):
                    self._outcome = error
                case Commit(writes, then):
                    self._carry(then(self._store.commit(writes), wall_clock()))
                case Question(_, query, then):
                    self._carry(then(answer(query, self._store, self._passwords), wall_clock()))
                case Settle(_, then):
                    self._carry(then(wall_clock()))
                case Append():
                    raise AssertionError("operators do not speak in rooms")
                case _:
                    pass  # nobody is connected who could be told or cut
