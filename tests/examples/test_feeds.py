"""The announcer of feeds, with a real web site on loopback: what is told, and above all what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from testkit import BotTest
from tests.examples.web import Page, Site, rss

pytest.importorskip("feedparser")

SOON_S = 20.0
"""Real seconds that a feed may take to be fetched: on a thread, over a socket."""


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


@pytest.fixture
def feeds(example: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Callable[[], ModuleType]:
    """The bot, anew at each call, which may fetch from loopback."""
    monkeypatch.setenv("TERTULIA_FEEDS_PRIVATE", "1")
    return lambda: example("feeds")


async def told(person: Any) -> str:
    return str((await person.hears(within=SOON_S)).text)


async def test_what_appears_is_told_once(feeds: Callable[[], ModuleType], site: Site, real: bool) -> None:
    site.pages["/feed"] = Page(rss("News", 3), etag='"3"')
    async with BotTest(lambda: feeds().bot, real=real) as t:
        ana = await t.person("ana")
        await ana.say(f"!feed add {site.url('/feed')}")
        assert await told(ana) == (
            "From now on I tell you what News publishes. The latest there: Entry 3\nhttps://example.test/3"
        )
        await t.advance(minutes=5)
        site.pages["/feed"] = Page(rss("News", 5), etag='"5"')
        await t.advance(minutes=5)
        assert await told(ana) == "📰 News: Entry 4\nhttps://example.test/4"
        assert await told(ana) == "📰 News: Entry 5\nhttps://example.test/5"
        await t.restart()
        await t.advance(minutes=10)
        await ana.silence()
        assert 304 in site.answers


async def test_a_kill_between_telling_and_noting_it_tells_nothing_twice(
    feeds: Callable[[], ModuleType], site: Site, real: bool
) -> None:
    site.pages["/feed"] = Page(rss("News", 1))
    loaded: list[ModuleType] = []

    def load() -> Any:
        loaded.append(feeds())
        return loaded[-1].bot

    async def killed(*about: Any) -> None:
        raise RuntimeError("killed here")

    async with BotTest(load, real=real) as t:
        ana = await t.person("ana")
        await ana.say(f"!feed add {site.url('/feed')}")
        await told(ana)
        loaded[-1].keep = killed  # type: ignore[attr-defined]
        site.pages["/feed"] = Page(rss("News", 9))
        await t.advance(minutes=5)
        heard = [await told(ana) for _ in range(6)]
        assert heard[0] == "📰 News: 8 new entries; the latest:"
        await t.restart()
        await t.advance(minutes=10)
        await ana.silence()


async def test_a_flood_is_summed_up(feeds: Callable[[], ModuleType], site: Site) -> None:
    site.pages["/feed"] = Page(rss("News", 1))
    async with BotTest(lambda: feeds().bot) as t:
        ana = await t.person("ana")
        await ana.say(f"!feed add {site.url('/feed')}")
        await told(ana)
        site.pages["/feed"] = Page(rss("News", 40))
        await t.advance(minutes=5)
        assert await told(ana) == "📰 News: 39 new entries; the latest:"
        assert [(await told(ana)).splitlines()[0] for _ in range(5)] == [f"📰 News: Entry {n}" for n in range(36, 41)]
        await t.advance(minutes=5)
        await ana.silence()


async def test_feeds_are_listed_and_removed_by_whoever_asked_for_them(
    feeds: Callable[[], ModuleType], site: Site
) -> None:
    site.pages["/feed"] = Page(rss("News", 1))
    url = site.url("/feed")
    async with BotTest(lambda: feeds().bot) as t:
        ana, bob = await t.person("ana"), await t.person("bob")
        for person, line, answer in (
            (ana, "!feed", "No feeds yet"),
            (ana, f"!feed add {url}", "From now on"),
            (ana, f"!feed add {url}", "here already"),
            (bob, "!feed list", f"News: {url}"),
            (bob, f"!feed remove {url}", "ana has asked for that one"),
            (ana, "!feed remove https://example.test/other", "no such feed"),
            (ana, f"!feed remove {url}", "No more of News"),
            (ana, "!feed drop", "add"),
        ):
            await t.advance(minutes=1)
            await person.forget()
            await person.say(line)
            assert answer in await told(person)
        await ana.forget()
        site.pages["/feed"] = Page(rss("News", 2))
        await t.advance(minutes=10)
        await ana.silence()


async def test_what_cannot_be_read_is_refused_and_why(feeds: Callable[[], ModuleType], site: Site) -> None:
    site.pages["/page"] = Page(b"<html>hello</html>")
    async with BotTest(lambda: feeds().bot) as t:
        ana = await t.person("ana")
        for url, why in ((site.url("/page"), "no RSS or Atom"), (site.url("/none"), "404"), ("file:///x", "https://")):
            await ana.say(f"!feed add {url}")
            assert why in await told(ana)
        await ana.direct(f"!feed add {site.url('/page')}", to=t.bot_login)
        assert "in the room" in await told(ana)


async def test_a_feed_of_the_own_network_is_refused(example: Callable[[str], ModuleType], site: Site) -> None:
    site.pages["/feed"] = Page(rss("News", 1))
    async with BotTest(lambda: example("feeds").bot) as t:
        ana = await t.person("ana")
        await ana.say(f"!feed add {site.url('/feed')}")
        assert "not on the public network" in await told(ana)
        assert site.answers == []


async def test_a_feed_that_fails_is_asked_less_often_and_comes_back(
    feeds: Callable[[], ModuleType], site: Site
) -> None:
    module = feeds()
    module.PATIENCE = 1
    site.pages["/feed"] = Page(rss("News", 1))
    async with BotTest(module.bot) as t:
        ana = await t.person("ana")
        await ana.say(f"!feed add {site.url('/feed')}")
        await told(ana)
        site.pages["/feed"] = Page(b"", status=503)
        for _ in range(2):
            await t.advance(minutes=5)
        await ana.say("!feed list")
        assert "503" in await told(ana)
        before = len(site.answers)
        for _ in range(2):
            await t.advance(minutes=5)
        assert len(site.answers) == before, "it is left alone for two rounds"
        site.pages["/feed"] = Page(rss("News", 2))
        await t.advance(minutes=5)
        assert "Entry 2" in await told(ana)


async def test_a_feed_that_is_gone_for_ever_is_given_up(feeds: Callable[[], ModuleType], site: Site) -> None:
    site.pages["/feed"] = Page(rss("News", 1))
    async with BotTest(lambda: feeds().bot) as t:
        ana = await t.person("ana")
        await ana.say(f"!feed add {site.url('/feed')}")
        await told(ana)
        site.pages["/feed"] = Page(b"", status=410)
        await t.advance(minutes=5)
        assert "is no more" in await told(ana)
        await ana.say("!feed list")
        assert "No feeds yet" in await told(ana)
