"""Finding messages: what words mean, and that nobody finds what they may not read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.chat.ports import Phrase
from broker.chat.search import Terms, terms
from broker.store import sqlite
from broker.store.sqlite import SqliteStore
from common import messages
from common.errors import BadText, ChatError
from common.limits import QUERY_LENGTH, ROOMS_JOINED
from testkit.memory_store import MemoryStore
from tests.support.circle import Circle


@pytest.fixture(params=["memory", "disk", "indexed"])
def circle(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Circle]:
    """A circle on each store; `indexed` is one whose messages are in the index before each question."""
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "chat.db")
    circle = Circle(store)
    if request.param == "indexed":
        assert isinstance(store, SqliteStore)
        monkeypatch.setattr(sqlite, "UNINDEXED", 1)
        find = store.find_messages

        def indexed(query: Any) -> Any:
            while store.tidy():
                pass
            return find(query)

        monkeypatch.setattr(store, "find_messages", indexed)
    for login in ("ana", "bob", "eva"):
        circle.register(login)
    yield circle
    store.close()


def found(circle: Circle, key: str, query: str, **fields: Any) -> list[str]:
    """The texts of what was found, newest first; or the code of the refusal."""
    reply = circle.ask(key, messages.Search(query=query, **fields))
    circle.later(1)  # or the next would soon be one too many
    if isinstance(reply, ChatError):
        return [reply.code]
    return [hit.entry.text for hit in reply.hits]


# Words


@pytest.mark.parametrize(
    ("query", "words", "without"),
    [
        ("hola", [("hola", True)], []),
        ("hola que tal", [("hola", False), ("que", False), ("tal", True)], []),
        ('"hola que" tal', [("hola que", False), ("tal", True)], []),
        ('tal "hola que"', [("tal", False), ("hola que", False)], []),
        ('tal "hola que', [("tal", False), ("hola que", False)], []),
        ("hola -tal", [("hola", False)], [("tal", False)]),
        ('-"que tal" hola', [("hola", True)], [("que tal", False)]),
        ("tal --hola", [("tal", False)], [("-hola", False)]),
        ("a", [("a", False)], []),
        ("la a", [("la", False), ("a", False)], []),
        ("ñ", [("ñ", True)], []),
        ("漢", [("漢", True)], []),
        ("foo-bar", [("foo-bar", True)], []),
        ('hola ! - * ( "" \'', [("hola", True)], []),
        ("  hola\t\n ", [("hola", True)], []),
        (
            'NEAR(a b, 2) OR "c" ^d',
            [("NEAR(a", False), ("b,", False), ("2)", False), ("OR", False), ("c", False), ("^d", True)],
            [],
        ),
    ],
)
def test_what_is_typed(query: str, words: list[tuple[str, bool]], without: list[tuple[str, bool]]) -> None:
    assert terms(query) == Terms(tuple(Phrase(*word) for word in words), tuple(Phrase(*word) for word in without))


@pytest.mark.parametrize(
    "query", [" ", "-", '"', '""', "-hola", '-"hola', "*", "()", "\0", "🦀", "' -x", "\u202e", "…"]
)
def test_without_a_word_there_is_nothing_to_search_for(query: str) -> None:
    with pytest.raises(BadText):
        terms(query)


def test_case_and_accents_make_no_difference(circle: Circle) -> None:
    for text in (
        "Una canción",
        "otra CANCIÓN",
        "sin acento: cancion",
        "compuesta: cancio\u0301n",
        "ñandú",
        "otra cosa",
    ):
        circle.say("ana", "lobby", text)
    songs = ["compuesta: cancio\u0301n", "sin acento: cancion", "otra CANCIÓN", "Una canción"]
    for query in ("canción", "cancion", "CANCION", "cancio\u0301n", "canc"):
        assert found(circle, "bob", query) == songs, query
    assert found(circle, "bob", "nandu") == ["ñandú"]


def test_all_words_the_last_a_beginning_none_of_those_without(circle: Circle) -> None:
    for text in ("el mar azul", "la mar en calma", "el azul del mar", "marea azul", "a mar or not"):
        circle.say("ana", "lobby", text)
    assert found(circle, "bob", "azul mar") == ["marea azul", "el azul del mar", "el mar azul"]
    assert found(circle, "bob", "mar azul") == ["el azul del mar", "el mar azul"], "only the last may go on"
    assert found(circle, "bob", '"mar azul"') == ["el mar azul"]
    assert found(circle, "bob", "mar -azul -calma ") == ["a mar or not"]
    assert found(circle, "bob", 'mar -"del mar" -marea -"a mar"') == ["la mar en calma", "el mar azul"]
    assert found(circle, "bob", "a") == ["a mar or not"], "one letter is no beginning"
    assert found(circle, "bob", "mar or") == ["a mar or not"], "OR is a word"
    assert found(circle, "bob", "nothing") == []


HOSTILE = (
    '"',
    '""',
    '"""',
    'a"b',
    "' OR 1=1 --",
    "text:hola",
    "{scope}:r1 hola",
    "scope:(r2) hola",
    "hola) OR (scope:r2",
    "hola*",
    "*hola",
    "^hola",
    "hola AND",
    "NOT hola",
    "hola NOT",
    "NEAR(hola mar)",
    "NEAR/2 hola",
    "hola + mar",
    "\\",
    "%",
    "_",
    ";",
    "hola;DROP TABLE entry",
    "\0hola",
    "ho\0la",
    "\u202ehola",
    "🦀hola",
    "hola🦀",
    "\ufffd",
    "(" * 50 + "hola",
    "-" * 60 + "hola",
    '-"',
    "ho" * 90,
    "a " * 99,
    '"a" ' * 50,
    "\U000e0041 hola",
    "ªº²",
    "①②",
    "\u0301\u0301hola",
    "ﬃ",
    "\U00010400",
    "\U0001fbf0",
    "ʰ",
    "Ⅷ",
    "क्षि",
    "߂",
    "\ue000",
)


@pytest.mark.parametrize("query", HOSTILE, ids=ascii)
def test_nothing_that_is_typed_is_a_fault(circle: Circle, query: str) -> None:
    circle.direct("bob", "eva", "hola r2 scope secret")
    reply = circle.ask("ana", messages.Search(query=query[:QUERY_LENGTH]))
    assert isinstance(reply, messages.Found) or reply.code == "bad-text"
    assert reply.code == "bad-text" if isinstance(reply, ChatError) else reply.hits == []


@given(st.text(max_size=60))
def test_any_text_is_read(query: str) -> None:
    try:
        asked = terms(query)
    except BadText:
        return
    assert asked.words
    assert all('"' not in phrase.text for phrase in (*asked.words, *asked.without))


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Circle]:
    store = SqliteStore(tmp_path_factory.mktemp("search") / "chat.db")
    circle = Circle(store)
    circle.register("ana")
    circle.say("ana", "lobby", "hola")
    yield circle
    store.close()


@given(query=st.text(min_size=1, max_size=QUERY_LENGTH))
def test_no_text_at_all_is_a_fault_of_the_index(disk: Circle, query: str) -> None:
    reply = disk.ask("ana", messages.Search(query=query))
    disk.now = disk.now._replace(mono=disk.now.mono + 1)
    assert isinstance(reply, messages.Found) or reply.code == "bad-text"


# Pages


def test_pages_go_back_from_the_newest(circle: Circle) -> None:
    seqs = []
    for number in range(7):
        seqs.append(circle.say("ana", "lobby", f"hola {number}").seq)
        circle.direct("ana", "bob", f"hola en privado {number}")
        circle.say("ana", "lobby", "otra cosa")

    def page(before: int | None, limit: int = 3) -> tuple[list[int], bool]:
        reply = circle.ask("bob", messages.Search(query="hola", log="lobby", before=before, limit=limit))
        return [hit.entry.seq for hit in reply.hits], reply.more

    assert page(None) == (seqs[:3:-1], True)
    assert page(seqs[4]) == (seqs[3:0:-1], True)
    assert page(seqs[1]) == (seqs[:1], False)
    assert page(seqs[0]) == ([], False)
    assert page(None, 7) == (seqs[::-1], False)
    reply = circle.ask("bob", messages.Search(query="hola"))
    assert len(reply.hits) == 14
    places = [hit.entry.seq for hit in reply.hits]
    assert places == sorted(places, reverse=True)
    assert {hit.log for hit in reply.hits} == {"lobby", "@bob"}


def test_a_hit_is_as_history_shows_it(circle: Circle) -> None:
    first = circle.say("ana", "lobby", "hola a todos")
    answer = circle.ask("bob", messages.Send(room="lobby", text="hola, ana", nonce=b"b" * 16, reply_to=first.seq))
    circle.ask("eva", messages.React(log="lobby", seq=first.seq, emoji="👍", nonce=b"e" * 16))
    edited = circle.ask("ana", messages.Edit(log="lobby", seq=first.seq, text="hola a todas", nonce=b"a" * 16))
    entries = {entry.seq: entry for entry in circle.ask("eva", messages.History(log="lobby")).entries}
    reply = circle.ask("eva", messages.Search(query="hola"))
    assert [(hit.log, hit.entry) for hit in reply.hits] == [
        ("lobby", entries[answer.seq]),
        ("lobby", entries[first.seq]),
    ]
    assert reply.hits[1].entry.changed == edited.seq
    assert reply.hits[1].entry.reactions[0].mine


def test_of_one_person_or_in_one_log(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="den"))
    circle.ask("bob", messages.Join(room="den"))
    for key, room in (("ana", "lobby"), ("bob", "lobby"), ("ana", "den"), ("bob", "den")):
        circle.say(key, room, f"hola de {key} en {room}")
    circle.direct("ana", "bob", "hola en privado")
    assert found(circle, "bob", "hola", sender="ANA") == [
        "hola en privado",
        "hola de ana en den",
        "hola de ana en lobby",
    ]
    assert found(circle, "bob", "hola", log="DEN") == ["hola de bob en den", "hola de ana en den"]
    assert found(circle, "bob", "hola", log="den", sender="bob") == ["hola de bob en den"]
    assert found(circle, "bob", "hola", log="@bob") == ["hola en privado"]
    assert found(circle, "bob", "hola", sender="nobody") == ["no-such-user"]
    assert found(circle, "bob", "hola", sender="eva") == []
    assert found(circle, "bob", "u1") == found(circle, "bob", "r1") == [], "scopes are no words"


# Permission


def test_everybody_finds_only_what_they_may_read(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="public", kept=True))
    circle.ask("ana", messages.Create(room="den", private=True, kept=True))
    circle.ask("ana", messages.Create(room="hall", private=True, open=True, kept=True))
    for room in ("lobby", "public", "den", "hall"):
        circle.say("ana", room, f"secret before in {room}")
    for room in ("den", "hall"):
        circle.ask("ana", messages.Invite(room=room, login="bob"))
    circle.direct("ana", "eva", "secret in private")
    assert found(circle, "bob", "secret") == ["secret before in lobby"]
    assert found(circle, "bob", "secret", log="den") == ["no-such-log"], "invited is not joined"
    assert found(circle, "eva", "secret", log="den") == ["no-such-log"]
    assert found(circle, "bob", "secret", log="public") == ["not-member"]
    assert found(circle, "bob", "secret", log="@eva") == ["no-such-log"]
    assert found(circle, "bob", "secret", log="@nobody") == ["no-such-log"]
    assert found(circle, "bob", "secret", log="nowhere") == ["no-such-log"]
    for room in ("public", "den", "hall"):
        circle.ask("bob", messages.Join(room=room))
        circle.say("ana", room, f"secret after in {room}")
    joined = [
        "secret after in hall",
        "secret after in den",
        "secret after in public",
        "secret before in hall",
        "secret before in public",
        "secret before in lobby",
    ]
    assert found(circle, "bob", "secret") == joined
    assert found(circle, "bob", "secret before", log="den") == []
    assert found(circle, "bob", "secret", sender="ana", limit=6) == joined
    assert found(circle, "eva", "secret") == ["secret in private", "secret before in lobby"]
    assert found(circle, "ana", "secret in private") == ["secret in private"]


def test_what_was_left_is_not_found_and_a_return_counts_anew(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="den", private=True, kept=True))
    circle.ask("ana", messages.Invite(room="den", login="bob"))
    circle.ask("bob", messages.Join(room="den"))
    circle.say("bob", "den", "secret of the first stay")
    assert found(circle, "bob", "secret") == ["secret of the first stay"]
    circle.ask("bob", messages.Leave(room="den"))
    assert found(circle, "bob", "secret") == [], "not even one's own"
    circle.ask("bob", messages.Join(room="den"))
    circle.say("ana", "den", "secret of the second stay")
    assert found(circle, "bob", "secret") == ["secret of the second stay"]
    circle.ask("ana", messages.Remove(room="den", login="bob"))
    assert found(circle, "bob", "secret") == []


def test_a_room_that_is_gone_is_gone_and_one_of_its_name_is_another(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="den", kept=True))
    circle.say("ana", "den", "secret of the old room")
    assert found(circle, "ana", "secret") == ["secret of the old room"]
    circle.ask("ana", messages.Delete(room="den"))
    assert found(circle, "ana", "secret") == []
    circle.ask("ana", messages.Create(room="den", kept=True))
    assert found(circle, "ana", "secret") == found(circle, "ana", "secret", log="den") == []


def test_what_was_taken_back_or_edited_is_not_found(circle: Circle) -> None:
    said = circle.say("ana", "lobby", "secret word").seq
    sent = circle.direct("ana", "bob", "secret whisper").seq
    assert len(found(circle, "bob", "secret")) == 2
    circle.ask("ana", messages.Edit(log="lobby", seq=said, text="plain word", nonce=b"1" * 16))
    circle.ask("ana", messages.Edit(log="@ana", seq=sent, text="plain whisper", nonce=b"2" * 16))
    for key in ("ana", "bob"):
        assert found(circle, key, "secret") == []
        assert found(circle, key, "plain") == ["plain whisper", "plain word"]
    circle.ask("ana", messages.Retract(log="lobby", seq=said, nonce=b"3" * 16))
    circle.ask("ana", messages.Retract(log="@ana", seq=sent, nonce=b"4" * 16))
    for key in ("ana", "bob"):
        assert found(circle, key, "plain") == found(circle, key, "word") == []


def test_invitations_and_changes_are_no_messages(circle: Circle) -> None:
    circle.ask("ana", messages.Create(room="party", private=True))
    circle.ask("ana", messages.Invite(room="party", login="bob"))
    said = circle.say("ana", "lobby", "hola").seq
    circle.ask("ana", messages.Edit(log="lobby", seq=said, text="hola party", nonce=b"1" * 16))
    assert found(circle, "bob", "party") == ["hola party"]


@pytest.mark.parametrize("ends", ["leave", "remove", "delete", "logout"])
def test_whoever_may_no_longer_read_when_the_answer_comes_is_not_told(circle: Circle, ends: str) -> None:
    circle.ask("ana", messages.Create(room="den", kept=True))
    circle.ask("bob", messages.Join(room="den"))
    circle.say("ana", "den", "secret")
    circle.say("ana", "lobby", "secret too")
    circle.replies.clear()
    with circle.pondering():
        circle.ask("bob", messages.Search(query="secret"))
        match ends:
            case "leave":
                circle.ask("bob", messages.Leave(room="den"))
            case "remove":
                circle.ask("ana", messages.Remove(room="den", login="bob"))
            case "delete":
                circle.ask("ana", messages.Delete(room="den"))
            case "logout":
                circle.ask("bob", messages.Logout())
    (reply,) = circle.replies.values()
    if ends == "logout":
        assert reply.code == "not-logged-in"
    else:
        assert [hit.entry.text for hit in reply.hits] == ["secret too"]


# Bounds


def test_searches_are_counted_and_messages_are_not_among_them(circle: Circle) -> None:
    codes = [getattr(circle.ask("ana", messages.Search(query="hola")), "code", "") for _ in range(30)]
    assert codes[:20] == [""] * 20
    assert set(codes[21:]) == {"rate-limited"}
    assert isinstance(circle.say("ana", "lobby", "hola"), messages.Sent)
    assert found(circle, "bob", "hola") == ["hola"]


def test_a_search_in_as_many_rooms_as_one_may_join_with_as_many_words_as_fit(circle: Circle) -> None:
    for number in range(ROOMS_JOINED - 1):
        key = ("ana", "bob", "eva")[number % 3]
        circle.ask(key, messages.Create(room=f"room{number}", kept=True))
        circle.ask("ana", messages.Join(room=f"room{number}"))
    circle.say("ana", f"room{ROOMS_JOINED - 2}", "w " * 60 + "end")
    circle.say("ana", "lobby", "w -w end")
    query = "w " * 60 + "-x " * 20 + "end"
    assert len(query) <= QUERY_LENGTH
    assert found(circle, "ana", query) == ["w -w end", "w " * 60 + "end"]


def test_a_search_that_takes_too_long_is_busy(circle: Circle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circle.store, "find_messages", lambda query: None)
    assert found(circle, "ana", "hola") == ["busy"]
