"""Whatever is written in whatever order, the store on disk and the one in memory say the same."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from broker.chat import ports
from broker.chat.ports import FindMessages, NewEntries, Phrase, ReadLog, ReadMessage, StoreFailed, Write
from broker.store import sqlite, words
from broker.store.inspection import Inspection
from broker.store.sqlite import SqliteStore
from testkit.memory_store import MemoryStore
from tests.contract.store_contract import everything

ids = st.integers(1, 4)
names = st.sampled_from(["ana", "bea", "caro", "dario"])
flags = st.booleans()
times = st.integers(0, 2**53)
texts = st.text(max_size=30) | st.sampled_from(["la canción del mar", "LA CANCION", "mar, la mar", "del mar"])
# Few nonces, so that many repeat.
nonces = st.integers(0, 12).map(lambda number: number.to_bytes(16, "big"))
digests = st.sampled_from([b"1" * 32, b"2" * 32])
rooms = st.builds(ports.RoomRow, ids, names, flags, flags, flags, texts, st.none() | ids, times)
accounts = st.builds(
    ports.AccountRow,
    ids,
    names,
    texts,
    texts,
    st.integers(0, 150),
    texts,
    times,
    flags,
    flags,
    texts,
    texts,
    flags,
    times,
    flags,
)
talks = ids | ids.map(lambda id: -id)
notices = st.none() | st.sampled_from(["all", "off"])
# Few places, so that many are those of messages that are there, and others of none.
places = st.integers(0, 30)
no_targets: st.SearchStrategy[tuple[int, ...]] = st.just(())
messages = st.builds(
    NewEntries,
    st.just("message"),
    st.tuples(ids),
    ids,
    st.just(0),
    texts,
    nonces,
    times,
    no_targets | st.tuples(places),
    st.integers(0, 8),
)
kinds = st.sampled_from(["edit", "retract", "reaction"])
emoji = st.sampled_from(["👍", "🎉"])
revisions = st.builds(
    lambda kind, log, sender, put, text, face, nonce, time, place: NewEntries(
        kind, (log,), sender, put, face if kind == "reaction" else text, nonce, time, (place,)
    ),
    kinds,
    ids,
    ids,
    st.integers(0, 1),
    texts,
    emoji,
    nonces | st.binary(min_size=16, max_size=16),
    times,
    places,
)
directs = st.builds(
    lambda sender, to, text, nonce, time, hops: NewEntries(
        "direct", (-sender, -to), sender, to, text, nonce, time, hops=hops
    ),
    ids,
    ids,
    texts,
    nonces,
    times,
    st.integers(0, 8),
)
keys = st.sampled_from(["scores", "scores:ana", "ñ"])
writes: st.SearchStrategy[Write] = st.one_of(
    messages,
    messages,
    directs,
    revisions,
    revisions,
    st.builds(ports.AddAccount, accounts, texts),
    st.builds(ports.UpdateAccount, accounts),
    st.builds(ports.SetPassword, ids, texts),
    st.builds(ports.PutKey, st.builds(ports.KeyRow, ids, ids, names, texts, texts, times, times)),
    st.builds(ports.DropKey, ids),
    st.builds(
        ports.PutSession, st.builds(ports.SessionRow, ids, ids, texts, texts, texts, times, times, flags, current=ids)
    ),
    st.builds(ports.DropSession, ids),
    st.builds(ports.AddToken, ids, ids, digests, times),
    st.builds(ports.DropTokens, ids, st.none() | digests),
    st.builds(ports.AddRoom, rooms),
    st.builds(ports.UpdateRoom, rooms),
    st.builds(ports.PutMember, st.builds(ports.MemberRow, ids, ids, times)),
    st.builds(ports.DropMember, ids, ids),
    st.builds(ports.PutInvitation, st.builds(ports.InvitationRow, ids, ids)),
    st.builds(ports.DropInvitation, ids, ids),
    st.builds(ports.SetHidden, ids, ids, flags),
    st.builds(ports.PutMark, st.builds(ports.MarkRow, ids, talks, times, notices, times)),
    st.builds(ports.DropMark, ids, talks),
    st.builds(ports.PutModerator, st.builds(ports.ModeratorRow, ids, ids)),
    st.builds(ports.DropModerator, ids, ids),
    st.builds(ports.PutStored, ids, keys, st.binary(max_size=9)),
    st.builds(ports.DropStored, ids, keys),
)
phrases = st.builds(Phrase, st.sampled_from(["cancion", "Canción", "mar", "m", "del mar", "la", "'\"*"]), flags)
seqs = st.none() | st.integers(0, 60)


def outcome(store: ports.Store, group: list[Write]) -> Any:
    try:
        return store.commit(group)
    except StoreFailed:
        return "failed"


class Stores(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(sqlite, "UNINDEXED", 1)
        self.patch.setattr(sqlite, "WIPE_S", 0.0)
        self.patch.setattr(words, "PIECE", 3)
        self.disk = SqliteStore(self.directory / "chat.db")
        self.memory = MemoryStore()

    def teardown(self) -> None:
        self.disk.close()
        self.patch.undo()
        with Inspection(self.directory / "chat.db") as inspection:
            assert inspection.damage() == []
            assert inspection.misindexed() == []
        shutil.rmtree(self.directory)

    @rule(group=st.lists(writes, max_size=8))
    def commit(self, group: list[Write]) -> None:
        assert outcome(self.disk, group) == outcome(self.memory, group)

    @rule(id=ids)
    def delete_a_room(self, id: int) -> None:
        # Alone, and purged: when exactly a deleted room's nonces are forgotten is the store's own affair.
        assert outcome(self.disk, [ports.DropRoom(id)]) == outcome(self.memory, [ports.DropRoom(id)])
        while self.disk.purge():
            pass

    @rule()
    def reopen(self) -> None:
        self.disk.close()
        self.disk = SqliteStore(self.directory / "chat.db")

    @rule(log=ids | ids.map(lambda id: -id), after=seqs, before=seqs, limit=st.integers(1, 9), size=st.integers(0, 99))
    def read(self, log: int, after: int | None, before: int | None, limit: int, size: int) -> None:
        query = ReadLog(log, after, before, limit, size, reader=1)
        assert self.disk.read_log(query) == self.memory.read_log(query)

    @rule(log=ids | ids.map(lambda id: -id), seq=places, sender=ids, nonce=nonces)
    def look(self, log: int, seq: int, sender: int, nonce: bytes) -> None:
        query = ReadMessage(log, seq, sender, nonce)
        assert self.disk.read_message(query) == self.memory.read_message(query)

    @rule()
    def index(self) -> None:
        while self.disk.tidy():
            pass

    @rule(
        logs=st.dictionaries(ids | ids.map(lambda id: -id), places, max_size=4),
        words=st.lists(phrases, min_size=1, max_size=2),
        without=st.lists(phrases, max_size=1),
        sender=st.none() | ids,
        before=seqs,
        limit=st.integers(1, 5),
        reader=ids,
    )
    def find(
        self,
        logs: dict[int, int],
        words: list[Phrase],
        without: list[Phrase],
        sender: int | None,
        before: int | None,
        limit: int,
        reader: int,
    ) -> None:
        asked = (tuple(logs.items()), tuple(words), tuple(without), sender, before, limit, 99, reader)
        assert self.disk.find_messages(FindMessages(*asked)) == self.memory.find_messages(FindMessages(*asked))

    @rule(account=ids, digest=digests, oldest=times)
    def ask(self, account: int, digest: bytes, oldest: int) -> None:
        assert self.disk.password(account) == self.memory.password(account)
        assert self.disk.has_token(account, digest, oldest) == self.memory.has_token(account, digest, oldest)

    @rule(account=ids, key=keys)
    def get(self, account: int, key: str) -> None:
        query = ports.ReadStored(account, key)
        assert self.disk.read_stored(query) == self.memory.read_stored(query)

    @invariant()
    def both_hold_the_same(self) -> None:
        assert everything(self.disk) == everything(self.memory)


# What earlier tests in this process left unclosed is not these stores' fault, whenever it is collected.
TestStores = pytest.mark.filterwarnings("error", "default::pytest.PytestUnraisableExceptionWarning")(Stores.TestCase)
TestStores.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
