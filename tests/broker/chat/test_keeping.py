"""What an account keeps on the broker: its own, within a quota, on disk before it is answered."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from broker.chat import keeping
from broker.store.sqlite import SqliteStore
from common import messages as m
from common.limits import STORE_BYTES, STORE_KEYS, STORE_VALUE_BYTES
from tests.support.circle import Circle


@pytest.fixture
def circle() -> Circle:
    circle = Circle()
    for login in ("ana", "bob"):
        circle.register(login)
    return circle


def put(circle: Circle, key: str, value: bytes | None, who: str = "ana") -> Any:
    return circle.ask(who, m.StorePut(key=key, value=value))


def get(circle: Circle, key: str, who: str = "ana") -> Any:
    return circle.ask(who, m.StoreGet(key=key)).value


def listed(circle: Circle, who: str = "ana", **fields: Any) -> m.StoreKeys:
    found: m.StoreKeys = circle.ask(who, m.StoreList(**fields))
    return found


def test_what_is_kept_is_there_for_every_session_of_the_account_and_nobody_else(circle: Circle) -> None:
    assert get(circle, "scores") is None
    assert put(circle, "scores", b'{"ana": 3}').ok
    circle.log_in("ana", "phone")
    assert get(circle, "scores", "phone") == b'{"ana": 3}'
    assert get(circle, "scores", "bob") is None
    assert (listed(circle, "bob").keys, listed(circle, "bob").bytes) == ([], 0)
    assert put(circle, "scores", b"", "phone").ok
    assert get(circle, "scores") == b"", "nothing is not the same as none"


def test_it_is_there_after_a_start_and_nil_forgets_it(circle: Circle) -> None:
    put(circle, "a", b"1")
    put(circle, "b", b"22")
    circle.start()
    assert (listed(circle).keys, listed(circle).bytes) == (["a", "b"], 5)
    put(circle, "a", None)
    put(circle, "never", None)
    assert (get(circle, "a"), listed(circle).keys, listed(circle).bytes) == (None, ["b"], 3)
    circle.start()
    assert listed(circle).keys == ["b"]


def test_whoever_was_logged_out_meanwhile_is_told_nothing(circle: Circle) -> None:
    put(circle, "a", b"1")
    with circle.pondering():
        circle.ask("ana", m.StoreGet(key="a"))
        circle.ask("ana", m.Logout())
        circle.log_in("bob", "ana")
    answers = [reply for reply in circle.replies.values() if isinstance(reply, m.Stored)]
    assert answers == []
    assert "not-logged-in" in [getattr(reply, "code", "") for reply in circle.replies.values()]


def test_what_changes_nothing_is_not_written(circle: Circle) -> None:
    before = circle.store.commits
    assert put(circle, "never", None).ok
    assert circle.store.commits == before


def test_keys_are_lines_as_they_were_written(circle: Circle) -> None:
    for key in ("scores:ana", "Ñandú", "ñandú", "漢", "a b", "x" * 100):
        assert put(circle, key, key.encode()).ok
    assert listed(circle).keys == sorted(["scores:ana", "Ñandú", "ñandú", "漢", "a b", "x" * 100])
    for op in (m.StoreGet(key="a\nb"), m.StorePut(key="\x1b[2J", value=b""), m.StorePut(key=" ", value=b"")):
        assert circle.ask("ana", op).code == "bad-text"


def test_the_list_comes_in_pages(circle: Circle) -> None:
    for number in range(7):
        put(circle, f"scores:{number}", b"1")
        put(circle, f"settings:{number}", b"1")
    page = listed(circle, prefix="scores:", limit=3)
    assert (page.keys, page.more) == (["scores:0", "scores:1", "scores:2"], True)
    page = listed(circle, prefix="scores:", after="scores:2", limit=4)
    assert (page.keys, page.more) == (["scores:3", "scores:4", "scores:5", "scores:6"], False)
    assert listed(circle, prefix="nothing").keys == []
    assert listed(circle, after="settings:6").keys == []
    assert page.bytes == 7 * (len("scores:0") + 1 + len("settings:0") + 1), "of all, whatever is listed"


def test_no_more_keys_than_so_many(circle: Circle) -> None:
    for number in range(STORE_KEYS):
        assert put(circle, f"{number}", b"").ok
        circle.later(0.1)
    assert put(circle, "one more", b"").code == "too-many"
    assert put(circle, "7", b"replaced").ok
    assert put(circle, "8", None).ok
    assert put(circle, "one more", b"").ok


def test_no_more_bytes_than_so_many(circle: Circle) -> None:
    size = STORE_VALUE_BYTES
    for number in range(STORE_BYTES // (size + 2)):
        assert put(circle, f"{number:02}", bytes(size)).ok
    left = STORE_BYTES - listed(circle).bytes
    assert put(circle, "ñ", bytes(left - 1)).code == "too-many", "a key counts by its bytes"
    assert put(circle, "ñ", bytes(left - 2)).ok
    assert listed(circle).bytes == STORE_BYTES
    assert put(circle, "00", bytes(size)).ok, "replaced by as much"
    assert put(circle, "0", b"").code == "too-many"
    assert put(circle, "00", bytes(size - 1)).ok
    assert put(circle, "0", b"").ok
    assert put(circle, "x", b"", "bob").ok, "everybody has their own"
    circle.start()
    assert listed(circle).bytes == STORE_BYTES
    assert put(circle, "1", b"").code == "too-many"


def test_it_is_answered_when_it_is_on_disk(circle: Circle) -> None:
    with circle.holding():
        assert put(circle, "a", b"1") is None
    assert circle.replies.popitem()[1].ok
    assert get(circle, "a") == b"1"


def test_what_could_not_be_kept_counts_nothing(circle: Circle) -> None:
    put(circle, "a", b"1")
    with circle.holding(fail=True):
        put(circle, "a", b"22")
        put(circle, "a", None)
        put(circle, "b", b"333")
    assert {reply.code for reply in circle.replies.values()} == {"storage-failed"}
    assert (listed(circle).keys, listed(circle).bytes, get(circle, "a")) == (["a"], 2, b"1")


class Kept(RuleBasedStateMachine):
    """Whatever is put, forgotten, refused by the disk and started again: the account has what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(keeping, "STORE_KEYS", 4)
        self.patch.setattr(keeping, "STORE_BYTES", 40)
        self.circle = Circle(SqliteStore(self.directory / "chat.db"))
        self.kept: dict[str, dict[str, bytes]] = {"ana": {}, "bob": {}}
        for login in self.kept:
            self.circle.register(login)

    def teardown(self) -> None:
        self.circle.store.close()
        self.patch.undo()
        shutil.rmtree(self.directory)

    @rule(
        who=st.sampled_from(["ana", "bob"]),
        key=st.sampled_from(["a", "b", "c", "ñ", "漢字", "long key"]),
        value=st.none() | st.binary(max_size=20),
        fail=st.booleans(),
    )
    def put(self, who: str, key: str, value: bytes | None, fail: bool) -> None:
        own = self.kept[who]
        after = {**own, key: value} if value is not None else {known: own[known] for known in own if known != key}
        if fail:
            with self.circle.holding(fail=True):
                self.circle.ask(who, m.StorePut(key=key, value=value))
            self.circle.replies.clear()
            return
        answer = self.circle.ask(who, m.StorePut(key=key, value=value))
        if value is not None and (len(after) > 4 or sum(len(k.encode()) + len(v) for k, v in after.items()) > 40):
            assert answer.code == "too-many"
        else:
            assert answer.ok
            self.kept[who] = after

    @rule()
    def start_anew(self) -> None:
        self.circle.store.close()
        self.circle.store = SqliteStore(self.directory / "chat.db")
        self.circle.start()

    @invariant()
    def everybody_has_what_they_were_told(self) -> None:
        for who, own in self.kept.items():
            told = self.circle.ask(who, m.StoreList())
            assert told.keys == sorted(own)
            assert told.bytes == sum(len(key.encode()) + len(value) for key, value in own.items())
            assert {key: self.circle.ask(who, m.StoreGet(key=key)).value for key in own} == own
        self.circle.later(1)


TestKept = Kept.TestCase
TestKept.settings = settings(
    max_examples=20, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
