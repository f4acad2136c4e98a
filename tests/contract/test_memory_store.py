"""`MemoryStore` keeps the contract, so that what is tested on it holds on a disk."""

from __future__ import annotations

import pytest

from broker.chat.ports import Store, StoreFailed, StoreFull
from testkit.memory_store import MemoryStore
from tests.contract.store_contract import SETTING, Open, StoreContract, everything


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def opened(self) -> Open:
        store = MemoryStore()
        return lambda: store


def test_it_fails_when_told_to() -> None:
    store = MemoryStore()
    as_port: Store = store
    store.failing = StoreFull("full")
    with pytest.raises(StoreFailed, match="full"):
        as_port.commit(SETTING)
    assert everything(store) == everything(MemoryStore())
    store.failing = None
    as_port.commit(SETTING)
    assert store.commits == 1
