"""What every `Store` must do; run for `MemoryStore` and for `SqliteStore`.

A subclass gives the fixture `opened`: a function that opens the store, and opens it anew when called again.
Long because the port is one, and its contract is read together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from broker.chat import ports
from broker.chat.ports import NewEntries, Place, ReadLog, Store, StoreFailed
from common.limits import REACTIONS

Open = Callable[[], Store]

ANA = ports.AccountRow(1, "ana", "Ana", "Núñez", 30, "f", 1_000, False, True)
BEA = ports.AccountRow(2, "bea", "Bea", "Ruiz", 40, "f", 2_000, False, False)
LOBBY = ports.RoomRow(1, "lobby", True, False, True, "hello", None, 1_000)
DEN = ports.RoomRow(2, "den", False, True, False, "", 1, 2_000)
KEY = ports.KeyRow(1, 2, "q" * 40, "laptop", "direct read:lobby", 2_500, 0)
SESSION = ports.SessionRow(1, 1, "k" * 40, "", "terminal", 1_000, 1_500, True, 1)
PEOPLE = (ports.AddAccount(ANA, "hash of ana"), ports.AddAccount(BEA, "hash of bea"))
SETTING = (*PEOPLE, ports.AddRoom(LOBBY), ports.AddRoom(DEN))


def message(number: int, log: int = 1, sender: int = 1, text: str = "hi", time: int = 5_000) -> NewEntries:
    return NewEntries("message", (log,), sender, 0, text, number.to_bytes(16, "big"), time)


def change(
    kind: str,
    number: int,
    target: int,
    text: str = "",
    log: int = 1,
    sender: int = 1,
    other: int = 0,
    time: int = 5_000,
) -> NewEntries:
    """An entry that changes the message at `target`; a reaction is put with `other` 1."""
    return NewEntries(kind, (log,), sender, other, text, number.to_bytes(16, "big"), time, (target,))


def everything(store: Store) -> dict[str, Any]:
    """A snapshot in a form that does not depend on the order of rows."""
    snapshot = store.load()._asdict()
    return {name: value if isinstance(value, dict) else sorted(value) for name, value in snapshot.items()}


def whole(store: Store, log: int) -> list[ports.EntryRow]:
    return store.read_log(ReadLog(log, 0, None, 1_000_000, 1 << 40)).entries


def seqs(page: ports.LogPage) -> list[int]:
    return [entry.seq for entry in page.entries]


class StoreContract:
    @pytest.fixture
    def store(self, opened: Open) -> Store:
        return opened()

    @pytest.fixture
    def set_up(self, store: Store) -> Store:
        store.commit(SETTING)
        return store

    # Rows

    def test_a_new_store_is_empty(self, store: Store) -> None:
        ids = {"account": 0, "session": 0, "token": 0, "room": 0, "key": 0}
        assert store.load() == ports.Snapshot([], [], [], [], [], [], [], [], [], [], {}, ids)
        assert store.read_log(ReadLog(1, None, None, 10, 1_000)) == ports.LogPage([], False)

    def test_an_empty_commit_does_nothing(self, store: Store) -> None:
        before = everything(store)
        assert store.commit([]) == []
        assert everything(store) == before

    def test_accounts(self, store: Store) -> None:
        assert store.commit(PEOPLE) == []
        assert sorted(store.load().accounts) == [ANA, BEA]
        assert store.password(1) == "hash of ana"
        assert store.password(3) is None
        changed = ANA._replace(login="anna", surnames="Nunez", age=31, disabled=True, operator=False)
        store.commit([ports.UpdateAccount(changed), ports.SetPassword(2, "new")])
        assert sorted(store.load().accounts) == [changed, BEA]
        assert (store.password(1), store.password(2)) == ("hash of ana", "new")

    def test_flags_come_back_as_booleans(self, set_up: Store) -> None:
        set_up.commit([ports.PutSession(SESSION)])
        snapshot = set_up.load()
        account = snapshot.accounts[0]
        flags = [
            account.disabled,
            account.operator,
            account.show_seen,
            account.bot,
            *snapshot.rooms[0][2:5],
            snapshot.sessions[0].present,
        ]
        assert {type(flag) for flag in flags} == {bool}

    def test_keys(self, set_up: Store) -> None:
        other = KEY._replace(id=3, account=1, key="r" * 40)
        set_up.commit([ports.PutKey(KEY), ports.PutKey(other)])
        assert sorted(set_up.load().keys) == [KEY, other]
        set_up.commit([ports.PutKey(KEY._replace(seen=9_000)), ports.DropKey(3), ports.DropKey(77)])
        assert list(set_up.load().keys) == [KEY._replace(seen=9_000)]
        assert set_up.load().last_ids["key"] == 3

    def test_a_key_is_one_accounts(self, set_up: Store) -> None:
        set_up.commit([ports.PutKey(KEY)])
        for refused in (KEY._replace(id=2, account=1), KEY._replace(id=2, key="r" * 40, account=9)):
            with pytest.raises(StoreFailed):
                set_up.commit([ports.PutKey(refused)])
        assert list(set_up.load().keys) == [KEY]

    def test_a_bots_account(self, set_up: Store) -> None:
        bot = BEA._replace(bot=True)
        set_up.commit([ports.UpdateAccount(bot)])
        assert sorted(set_up.load().accounts) == [ANA, bot]

    def test_sessions(self, set_up: Store) -> None:
        other = SESSION._replace(id=4, account=2, label="tab 1", present=False)
        set_up.commit([ports.PutSession(SESSION), ports.PutSession(other)])
        assert sorted(set_up.load().sessions) == [SESSION, other]
        later = SESSION._replace(seen=9_000, present=False, current=2)
        set_up.commit([ports.PutSession(later), ports.DropSession(4), ports.DropSession(77)])
        assert list(set_up.load().sessions) == [later]

    def test_tokens(self, set_up: Store) -> None:
        first, second = b"1" * 32, b"2" * 32
        set_up.commit([ports.AddToken(1, 1, first, 100), ports.AddToken(2, 1, second, 200)])
        assert set_up.has_token(1, first, 99)
        assert not set_up.has_token(1, first, 100), "made after `oldest`, not at it"
        assert not set_up.has_token(2, first, 0), "another's token"
        set_up.commit([ports.DropTokens(1, first), ports.DropTokens(2, None)])
        assert not set_up.has_token(1, first, 0)
        assert set_up.has_token(1, second, 0)
        set_up.commit([ports.DropTokens(1, None)])
        assert not set_up.has_token(1, second, 0)

    def test_rooms(self, set_up: Store) -> None:
        assert sorted(set_up.load().rooms) == [LOBBY, DEN]
        changed = DEN._replace(name="cave", kept=True, private=False, open=True, subject="bats")
        set_up.commit([ports.UpdateRoom(changed)])
        assert sorted(set_up.load().rooms) == [LOBBY, changed]

    def test_members_invitations_hidings(self, set_up: Store) -> None:
        member, invitation = ports.MemberRow(2, 1, 7), ports.InvitationRow(2, 2)
        hide = ports.SetHidden(2, 1, True)
        set_up.commit([ports.PutMember(member), ports.PutInvitation(invitation), hide])
        set_up.commit([ports.PutInvitation(invitation), hide])  # again: no harm
        snapshot = set_up.load()
        assert list(snapshot.members) == [member]
        assert list(snapshot.invitations) == [invitation]
        assert list(snapshot.hidden) == [ports.HiddenRow(2, 1)]
        set_up.commit([ports.PutMember(member._replace(since=9))])
        assert list(set_up.load().members) == [ports.MemberRow(2, 1, 9)]
        set_up.commit([ports.DropMember(2, 1), ports.DropInvitation(2, 2), ports.SetHidden(2, 1, False)])
        set_up.commit([ports.DropMember(2, 1), ports.DropInvitation(2, 2), ports.SetHidden(2, 1, False)])
        snapshot = set_up.load()
        assert (list(snapshot.members), list(snapshot.invitations), list(snapshot.hidden)) == ([], [], [])

    def test_what_accounts_say_of_themselves(self, set_up: Store) -> None:
        said = ANA._replace(status="dnd", note="en una reunión", show_seen=False, seen=9_000)
        set_up.commit([ports.UpdateAccount(said)])
        found = sorted(set_up.load().accounts)
        assert found == [said, BEA]
        assert [type(account.show_seen) for account in found] == [bool, bool]

    def test_marks(self, set_up: Store) -> None:
        room, person, other = (
            ports.MarkRow(1, 2, 7, None, 20),
            ports.MarkRow(1, -2, 5, "off", 10),
            ports.MarkRow(2, 2, 3, "all", 30),
        )
        set_up.commit([ports.PutMark(mark) for mark in (room, person, other)])
        assert list(set_up.load().marks) == [person, room, other], "those marked last at the end"
        later = person._replace(read=9, notify=None, marked=40)
        set_up.commit([ports.PutMark(later)])
        assert list(set_up.load().marks) == [room, other, later]
        set_up.commit([ports.DropMark(1, -2), ports.DropMark(1, -2), ports.DropMark(1, 77)])
        assert list(set_up.load().marks) == [room, other]
        set_up.commit([ports.DropRoom(2)])
        assert list(set_up.load().marks) == []

    def test_moderators(self, set_up: Store) -> None:
        ana, bea = ports.ModeratorRow(2, 1), ports.ModeratorRow(2, 2)
        set_up.commit([ports.PutModerator(bea), ports.PutModerator(ana), ports.PutModerator(bea)])
        assert sorted(set_up.load().moderators) == [ana, bea], "whether they are members or not"
        set_up.commit([ports.DropModerator(2, 1), ports.DropModerator(2, 1), ports.DropModerator(1, 2)])
        assert list(set_up.load().moderators) == [bea]
        set_up.commit([ports.PutModerator(ports.ModeratorRow(1, 1)), ports.DropRoom(2)])
        assert list(set_up.load().moderators) == [ports.ModeratorRow(1, 1)]

    def test_what_accounts_keep_is_replaced_and_forgotten(self, set_up: Store, opened: Open) -> None:
        long = bytes(range(256)) * 64
        set_up.commit(
            [ports.PutStored(1, "scores", b"1"), ports.PutStored(1, "ñ 漢", b""), ports.PutStored(2, "scores", b"2")]
        )
        set_up.commit([ports.PutStored(1, "scores", long), ports.DropStored(2, "nothing")])
        assert sorted(set_up.load().stored) == [
            ports.StoredRow(1, "scores", len(long)),
            ports.StoredRow(1, "ñ 漢", 0),
            ports.StoredRow(2, "scores", 1),
        ]
        set_up.close()
        store = opened()
        for account, key, value in ((1, "scores", long), (1, "ñ 漢", b""), (2, "scores", b"2"), (1, "SCORES", None)):
            assert store.read_stored(ports.ReadStored(account, key)) == value, key
        store.commit([ports.DropStored(1, "scores"), ports.DropStored(1, "scores")])
        assert store.read_stored(ports.ReadStored(1, "scores")) is None
        assert sorted(store.load().stored) == [ports.StoredRow(1, "ñ 漢", 0), ports.StoredRow(2, "scores", 1)]

    def test_changing_what_is_not_there_does_nothing(self, set_up: Store) -> None:
        before = everything(set_up)
        set_up.commit(
            [
                ports.UpdateAccount(ANA._replace(id=9)),
                ports.UpdateRoom(DEN._replace(id=9)),
                ports.SetPassword(9, "x"),
            ]
        )
        assert everything(set_up) == before

    @pytest.mark.parametrize(
        "write",
        [
            ports.AddAccount(ANA._replace(login="other"), "x"),
            ports.AddAccount(ANA._replace(id=9), "x"),
            ports.UpdateAccount(BEA._replace(login="ana")),
            ports.AddRoom(DEN._replace(name="other")),
            ports.AddRoom(DEN._replace(id=9)),
            ports.UpdateRoom(DEN._replace(name="lobby")),
            ports.PutMember(ports.MemberRow(9, 1, 0)),
            ports.PutMember(ports.MemberRow(1, 9, 0)),
            ports.PutInvitation(ports.InvitationRow(9, 1)),
            ports.SetHidden(1, 9, True),
            ports.PutSession(SESSION._replace(account=9)),
            ports.AddToken(1, 9, b"", 0),
            ports.PutMark(ports.MarkRow(9, 1, 0, None, 0)),
            ports.PutModerator(ports.ModeratorRow(9, 1)),
            ports.PutModerator(ports.ModeratorRow(1, 9)),
            ports.PutStored(9, "key", b"value"),
        ],
        ids=lambda write: type(write).__name__,
    )
    def test_of_a_commit_that_fails_nothing_is_done(self, set_up: Store, write: ports.Write) -> None:
        set_up.commit([message(1)])
        before = everything(set_up)
        with pytest.raises(StoreFailed):
            set_up.commit(
                [ports.SetPassword(1, "changed"), ports.PutMember(ports.MemberRow(1, 1, 0)), message(2), write]
            )
        assert everything(set_up) == before
        assert set_up.password(1) == "hash of ana"
        assert len(whole(set_up, 1)) == 1
        # And it goes on where it was.
        assert set_up.commit([message(3)]) == [(Place(2, 1, 5_000, False),)]

    # Ids

    def test_ids_that_were_used_are_remembered(self, set_up: Store, opened: Open) -> None:
        set_up.commit([ports.PutSession(SESSION._replace(id=8)), ports.AddToken(5, 1, b"d", 0)])
        set_up.commit([ports.DropSession(8), ports.DropTokens(1, None), ports.DropRoom(2)])
        assert set_up.load().last_ids == {"account": 2, "session": 8, "token": 5, "room": 2, "key": 0}
        set_up.close()
        assert opened().load().last_ids == {"account": 2, "session": 8, "token": 5, "room": 2, "key": 0}

    def test_a_seq_is_never_given_out_again(self, set_up: Store, opened: Open) -> None:
        set_up.commit([message(1, log=1), message(2, log=2), message(3, log=2)])
        set_up.commit([ports.DropRoom(2)])
        set_up.close()
        assert opened().commit([message(4)]) == [(Place(4, 1, 5_000, False),)]

    # Entries

    def test_entries_are_numbered_through_and_chained_by_log(self, set_up: Store) -> None:
        places = set_up.commit([message(1, 1), message(2, 2), message(3, 1), ports.SetPassword(1, "x"), message(4, 1)])
        assert [place[0][:2] for place in places] == [(1, 0), (2, 0), (3, 1), (4, 3)]
        assert [place[0][:2] for place in set_up.commit([message(5, 2), message(6, 1)])] == [(5, 2), (6, 4)]
        assert [(entry.seq, entry.prev) for entry in whole(set_up, 1)] == [(1, 0), (3, 1), (4, 3), (6, 4)]
        assert set_up.load().heads == {1: 6, 2: 5}

    def test_an_entry_comes_back_as_it_went_in(self, set_up: Store) -> None:
        text = "tab\tnew\nline NUL\0 ñ 漢字 🙂 'quoted'"
        set_up.commit([NewEntries("message", (1,), 2, 7, text, bytes(range(16)), 123_456_789_012)])
        entry = ports.EntryRow(1, 0, 123_456_789_012, "message", 2, 7, text, bytes(range(16)))
        assert whole(set_up, 1) == [entry]

    def test_hops_are_kept_with_each_copy_of_a_message(self, set_up: Store) -> None:
        set_up.commit([message(1)._replace(hops=3), message(2)])
        set_up.commit([NewEntries("direct", (-1, -2), 1, 2, "psst", b"n" * 16, 5, hops=8)])
        set_up.commit([message(4)._replace(targets=(1,), hops=4), change("edit", 5, 1, "better")])
        assert [(entry.hops, entry.text) for entry in whole(set_up, 1)] == [
            (3, "better"),
            (0, "hi"),
            (4, "hi"),
            (0, "better"),
        ]
        assert [entry.hops for log in (-1, -2) for entry in whole(set_up, log)] == [8, 8]
        for log, seq, hops in ((1, 1, 3), (1, 2, 0), (-2, 4, 8), (1, 5, 4)):
            found = set_up.read_message(ports.ReadMessage(log, seq, 9, b""))
            assert found is not None
            assert found.hops == hops
        query = ports.FindMessages(((1, 0),), (ports.Phrase("better"),), (), None, None, 9, 999, 1)
        found_messages = set_up.find_messages(query)
        assert found_messages is not None
        assert [entry.hops for _, entry in found_messages.found] == [3]

    def test_a_direct_message_stands_in_two_logs(self, set_up: Store) -> None:
        direct = NewEntries("direct", (-1, -2), 1, 2, "psst", b"n" * 16, 5)
        assert set_up.commit([direct, message(1)]) == [
            (Place(1, 0, 5, False), Place(2, 0, 5, False)),
            (Place(3, 0, 5_000, False),),
        ]
        assert whole(set_up, -1) == [ports.EntryRow(1, 0, 5, "direct", 1, 2, "psst", b"n" * 16)]
        assert whole(set_up, -2) == [ports.EntryRow(2, 0, 5, "direct", 1, 2, "psst", b"n" * 16)]
        assert set_up.commit([direct]) == [(Place(1, 0, 5, True), Place(2, 0, 5, True))]
        assert set_up.load().heads == {-1: 1, -2: 2, 1: 3}

    def test_a_known_nonce_gives_the_old_place(self, set_up: Store, opened: Open) -> None:
        set_up.commit([message(1), message(2)])
        again = message(1, text="something else", time=9_000)
        assert set_up.commit([message(3), again, message(4)]) == [
            (Place(3, 2, 5_000, False),),
            (Place(1, 0, 5_000, True),),
            (Place(4, 3, 5_000, False),),
        ]
        set_up.close()
        store = opened()
        assert store.commit([again]) == [(Place(1, 0, 5_000, True),)]
        assert [entry.text for entry in whole(store, 1)] == ["hi"] * 4

    def test_a_nonce_twice_in_one_commit_is_known_the_second_time(self, set_up: Store) -> None:
        places = set_up.commit([message(1), message(1, time=6_000), message(2), message(1)])
        assert [place[0] for place in places] == [
            Place(1, 0, 5_000, False),
            Place(1, 0, 5_000, True),
            Place(2, 1, 5_000, False),
            Place(1, 0, 5_000, True),
        ]
        assert len(whole(set_up, 1)) == 2

    def test_a_nonce_is_known_for_its_sender_only_and_in_every_log(self, set_up: Store) -> None:
        set_up.commit([message(1, sender=1)])
        assert set_up.commit([message(1, sender=2)]) == [(Place(2, 1, 5_000, False),)]
        assert set_up.commit([message(1, log=2, sender=1)]) == [(Place(1, 0, 5_000, True),)]
        assert whole(set_up, 2) == []

    def test_many_entries_in_one_commit(self, set_up: Store) -> None:
        for count, start in ((1_300, 0), (1, 2_000), (513, 3_000)):
            places = set_up.commit([message(start + number, log=1 + number % 2) for number in range(count)])
            assert len(places) == count
            assert all(len(place) == 1 and not place[0].known for place in places)
        again = set_up.commit([message(number) for number in range(1_300)])
        assert [place[0].seq for place in again] == list(range(1, 1_301))
        assert all(place[0].known for place in again)
        for log in (1, 2):
            prev = 0
            for entry in whole(set_up, log):
                assert entry.prev == prev
                prev = entry.seq

    # Pages

    @pytest.fixture
    def paged(self, set_up: Store) -> Store:
        """Room 1 with the odd numbers to 19, room 2 with the even ones to 20."""
        set_up.commit([message(number, log=2 - number % 2, text="x" * 10) for number in range(1, 21)])
        return set_up

    @pytest.mark.parametrize(
        ("after", "before", "limit", "max_bytes", "expected", "more"),
        [
            (None, None, 3, 1_000, [15, 17, 19], True),
            (None, None, 10, 1_000, [1, 3, 5, 7, 9, 11, 13, 15, 17, 19], False),
            (None, 9, 2, 1_000, [5, 7], True),
            (None, 9, 4, 1_000, [1, 3, 5, 7], False),
            (None, 1, 4, 1_000, [], False),
            (0, None, 3, 1_000, [1, 3, 5], True),
            (5, None, 3, 1_000, [7, 9, 11], True),
            (13, None, 3, 1_000, [15, 17, 19], False),
            (19, None, 3, 1_000, [], False),
            (3, 9, 2, 1_000, [5, 7], False),
            (3, 9, 1, 1_000, [5], True),
            (4, 8, 10, 1_000, [5, 7], False),
            (9, 3, 10, 1_000, [], False),
            (0, None, 10, 30, [1, 3, 5], True),
            (0, None, 10, 39, [1, 3, 5], True),
            (0, None, 10, 40, [1, 3, 5, 7], True),
            (0, None, 10, 100, [1, 3, 5, 7, 9, 11, 13, 15, 17, 19], False),
            (None, None, 10, 25, [17, 19], True),
            (None, None, 10, 1, [19], True),
            (0, None, 10, 1, [1], True),
        ],
    )
    def test_pages(
        self,
        paged: Store,
        after: int | None,
        before: int | None,
        limit: int,
        max_bytes: int,
        expected: list[int],
        more: bool,
    ) -> None:
        page = paged.read_log(ReadLog(1, after, before, limit, max_bytes))
        assert (seqs(page), page.more) == (expected, more)

    def test_a_page_is_bounded_in_bytes_not_characters(self, set_up: Store) -> None:
        set_up.commit([message(number, text="漢字") for number in range(3)])
        assert seqs(set_up.read_log(ReadLog(1, 0, None, 10, 12))) == [1, 2]

    # What becomes of messages

    def test_an_edit_overwrites_and_says_where(self, set_up: Store) -> None:
        set_up.commit([message(1), message(2)])
        set_up.commit([change("edit", 3, 1, "better"), change("edit", 4, 1, "best", time=7_000)])
        first, _, edit, last = whole(set_up, 1)
        assert (first.text, first.edited, first.changed, first.time) == ("best", 7_000, 4, 5_000)
        assert [(entry.kind, entry.target, entry.text) for entry in (edit, last)] == [("edit", 1, "best")] * 2

    def test_a_retraction_is_for_good(self, set_up: Store) -> None:
        set_up.commit([message(1), change("reaction", 2, 1, "👍", other=1), change("retract", 3, 1)])
        set_up.commit([change("edit", 4, 1, "again"), change("reaction", 5, 1, "👍", other=1)])
        first, _, retraction, edit, _ = whole(set_up, 1)
        assert (first.text, first.retracted, first.reactions, first.changed) == ("", True, (), 5)
        assert (retraction.kind, retraction.target, edit.text) == ("retract", 1, "")

    def test_reactions_are_counted_and_told_apart_by_reader(self, set_up: Store) -> None:
        puts = [
            change("reaction", number, 1, emoji, sender=sender, other=1)
            for number, (sender, emoji) in enumerate([(1, "👍"), (2, "🎉"), (2, "👍"), (1, "👍")], 2)
        ]
        set_up.commit([message(1), *puts])
        for reader, mine in ((1, (True, False)), (2, (True, True)), (3, (False, False))):
            (first, *_) = set_up.read_log(ReadLog(1, 0, None, 9, 999, reader)).entries
            assert first.reactions == (ports.Reaction("👍", 2, mine[0]), ports.Reaction("🎉", 1, mine[1]))
        set_up.commit([change("reaction", 9, 1, "👍"), change("reaction", 10, 1, "🎉")])
        assert whole(set_up, 1)[0].reactions == (ports.Reaction("👍", 1, False), ports.Reaction("🎉", 1, False))

    def test_no_more_than_so_many_reactions(self, set_up: Store) -> None:
        puts = [change("reaction", number, 1, chr(0x1F600 + number), other=1) for number in range(2, REACTIONS + 5)]
        set_up.commit([message(1), *puts])
        assert len(whole(set_up, 1)[0].reactions) == REACTIONS

    def test_a_change_of_a_private_message_is_one_of_both_copies(self, set_up: Store) -> None:
        set_up.commit([NewEntries("direct", (-1, -2), 1, 2, "psst", b"n" * 16, 5)])
        edit = NewEntries("edit", (-1, -2), 1, 0, "hush", b"e" * 16, 6, (1, 2))
        assert set_up.commit([edit]) == [(Place(3, 1, 6, False), Place(4, 2, 6, False))]
        for log in (-1, -2):
            first, second = whole(set_up, log)
            assert (first.text, second.text, second.target) == ("hush", "hush", first.seq)

    def test_a_change_that_is_known_is_not_done_again(self, set_up: Store, opened: Open) -> None:
        edit = change("edit", 2, 1, "better")
        set_up.commit([message(1), edit, change("edit", 3, 1, "best")])
        assert set_up.commit([edit]) == [(Place(2, 1, 5_000, True),)]
        set_up.close()
        store = opened()
        assert store.commit([message(4), edit, edit])[1:] == [(Place(2, 1, 5_000, True),)] * 2
        assert whole(store, 1)[0].text == "best"

    def test_of_a_commit_that_fails_no_message_is_changed(self, set_up: Store) -> None:
        set_up.commit([message(1)])
        with pytest.raises(StoreFailed):
            set_up.commit([change("retract", 2, 1), ports.PutMember(ports.MemberRow(9, 1, 0))])
        assert whole(set_up, 1)[0].text == "hi"
        assert set_up.commit([change("edit", 3, 1, "ho")]) == [(Place(2, 1, 5_000, False),)]

    def test_an_edit_of_what_is_not_there_shows_nothing(self, set_up: Store) -> None:
        set_up.commit([message(1, log=2, text="elsewhere")])
        set_up.commit([change("edit", number, target, "better") for number, target in ((2, 1), (3, 99), (4, 0))])
        set_up.commit([change("reaction", 5, 1, "👍", other=1), change("edit", 6, 5, "better")])
        assert [entry.text for entry in whole(set_up, 1)] == ["", "", "", "👍", ""]
        assert [entry.text for entry in whole(set_up, 2)] == ["elsewhere"]

    def test_a_message_is_told_with_its_copies(self, set_up: Store) -> None:
        set_up.commit([message(1), NewEntries("direct", (-1, -2), 1, 2, "psst", b"n" * 16, 5)])
        set_up.commit([change("reaction", 2, 1, "👍", other=1), change("retract", 3, 3, log=-2)])
        nonce = (2).to_bytes(16, "big")
        said = ports.MessageRow("message", 1, 0, False, 0, 2, frozenset("👍"), ((1, 1),), None)
        assert set_up.read_message(ports.ReadMessage(1, 1, 2, nonce)) == said
        assert set_up.read_message(ports.ReadMessage(1, 1, 1, nonce)) == said._replace(known=Place(4, 1, 5_000, True))
        whispered = ports.MessageRow("direct", 1, 2, True, 0, 0, frozenset(), ((-1, 2), (-2, 3)), None)
        assert set_up.read_message(ports.ReadMessage(-2, 3, 9, b"")) == whispered
        for log, seq in ((-2, 2), (2, 1), (1, 4), (1, 99)):
            assert set_up.read_message(ports.ReadMessage(log, seq, 1, b"")) is None, (log, seq)
        set_up.commit([ports.DropRoom(1)])
        assert set_up.read_message(ports.ReadMessage(1, 1, 1, b"")) is None

    def test_messages_are_found_where_and_from_where_they_may_be_read(self, set_up: Store) -> None:
        set_up.commit([message(number, log=1 + number % 2, sender=1 + number % 3, text="hola") for number in range(12)])
        for logs, sender, expected in (
            (((1, 0),), None, [11, 9, 7, 5, 3, 1]),
            (((2, 6),), None, [12, 10, 8]),
            (((2, 6), (1, 9)), None, [12, 11, 10, 8]),
            (((1, 0), (2, 0)), 2, [11, 8, 5, 2]),
            ((), None, []),
            (((7, 0),), None, []),
        ):
            query = ports.FindMessages(logs, (ports.Phrase("HOLA"),), (), sender, None, 9, 999, 1)
            found = set_up.find_messages(query)
            assert found is not None
            assert ([entry.seq for _, entry in found.found], found.more) == (expected, False)
        query = ports.FindMessages(((1, 0),), (ports.Phrase("ho", True),), (), None, 9, 2, 999, 1)
        assert set_up.find_messages(query) == ports.Findings(
            [(1, entry) for entry in reversed(whole(set_up, 1)) if entry.seq in (7, 5)], True
        )
        bounded = set_up.find_messages(query._replace(limit=9, max_bytes=5))
        assert bounded is not None
        assert (len(bounded.found), bounded.more) == (1, True)

    # Deleting rooms

    def test_a_deleted_room_is_gone_with_all_that_hangs_on_it(self, paged: Store, opened: Open) -> None:
        paged.commit(
            [
                ports.PutMember(ports.MemberRow(1, 1, 0)),
                ports.PutMember(ports.MemberRow(2, 1, 0)),
                ports.PutInvitation(ports.InvitationRow(2, 2)),
                ports.SetHidden(1, 2, True),
                ports.PutModerator(ports.ModeratorRow(2, 2)),
            ]
        )
        paged.commit([ports.DropRoom(2)])

        def check(store: Store) -> None:
            snapshot = store.load()
            assert list(snapshot.rooms) == [LOBBY]
            assert list(snapshot.members) == [ports.MemberRow(1, 1, 0)]
            assert (list(snapshot.invitations), list(snapshot.hidden)) == ([], [])
            assert list(snapshot.moderators) == []
            assert snapshot.heads == {1: 19}
            assert whole(store, 2) == []
            assert len(whole(store, 1)) == 10

        check(paged)
        paged.close()
        check(opened())

    def test_the_name_of_a_deleted_room_is_free_at_once(self, set_up: Store) -> None:
        again = DEN._replace(id=3)
        assert set_up.commit([message(1, log=2), ports.DropRoom(2), ports.AddRoom(again), message(2, log=3)]) == [
            (Place(1, 0, 5_000, False),),
            (Place(2, 0, 5_000, False),),
        ]
        assert sorted(set_up.load().rooms) == [LOBBY, again]
        assert whole(set_up, 2) == []
        assert seqs(set_up.read_log(ReadLog(3, None, None, 10, 1_000))) == [2]

    def test_deleting_a_room_that_is_not_there_does_nothing(self, set_up: Store) -> None:
        before = everything(set_up)
        set_up.commit([ports.DropRoom(77)])
        assert everything(set_up) == before

    # Reopening

    def test_everything_is_there_after_reopening(self, paged: Store, opened: Open) -> None:
        paged.commit(
            [
                ports.PutKey(KEY),
                ports.PutSession(SESSION),
                ports.AddToken(1, 1, b"d", 5),
                ports.PutMember(ports.MemberRow(1, 1, 3)),
                ports.PutInvitation(ports.InvitationRow(2, 2)),
                ports.SetHidden(1, 2, True),
                ports.PutMark(ports.MarkRow(1, 2, 7, "mentions", 20)),
                ports.PutModerator(ports.ModeratorRow(2, 1)),
                ports.PutStored(1, "scores", b"{}"),
            ]
        )
        before, log = everything(paged), whole(paged, 1)
        paged.close()
        store = opened()
        assert everything(store) == before
        assert whole(store, 1) == log
        assert store.has_token(1, b"d", 0)
        assert store.commit([message(99)]) == [(Place(21, 19, 5_000, False),)]
