"""Feeds over real HTTP on loopback: what is new, conditional requests, refusals, and what is not fetched at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from tests.examples.web import Page, Site, rss

pytest.importorskip("feedparser")


@pytest.fixture
def reader(example: Callable[[str], ModuleType]) -> ModuleType:
    return example("feed_reader")


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


ATOM = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Atomic</title><id>urn:a</id>
<entry><id>urn:2</id><title type="html">&lt;b&gt;Two&lt;/b&gt; &amp;amp; more</title><link href="https://x.test/2"/></entry>
<entry><id>urn:1</id><title>One</title><link href="javascript:alert(1)"/></entry></feed>"""


def test_both_kinds_of_feed_are_read(reader: ModuleType) -> None:
    title, entries = reader.read(ATOM)
    assert title == "Atomic"
    assert [entry.line() for entry in entries] == ["Two & more\nhttps://x.test/2", "One"]
    title, entries = reader.read(rss("News", 3))
    assert (title, [entry.title for entry in entries]) == ("News", ["Entry 3", "Entry 2", "Entry 1"])


def test_what_a_feed_says_is_harmless(reader: ModuleType) -> None:
    raw = "a\x1b[31m\u202eb\n<script>x</script>\u2028&#7;c" + "x" * 500
    line = reader.one_line(raw)
    assert line.startswith("a [31mb x c")
    assert len(line) == reader.TITLE_LENGTH


def test_what_is_no_feed_is_refused(reader: ModuleType) -> None:
    for body in (b"", b"<html><body>hello</body></html>", b"\x00\xff\xfe", b"{}"):
        with pytest.raises(reader.NoFeed, match="no RSS or Atom"):
            reader.read(body)


def test_only_what_is_new_is_news_oldest_first(reader: ModuleType) -> None:
    _, first = reader.read(rss("News", 3))
    fresh, seen = reader.news(first, ())
    assert [entry.title for entry in fresh] == ["Entry 1", "Entry 2", "Entry 3"]
    _, later = reader.read(rss("News", 5))
    fresh, seen = reader.news(later, seen)
    assert [entry.title for entry in fresh] == ["Entry 4", "Entry 5"]
    assert reader.news(later, seen) == ([], seen)
    _, fewer = reader.read(rss("News", 2))
    assert reader.news(fewer, seen)[0] == [], "what fell out of the feed and came back is no news"


def test_what_is_remembered_is_bounded_but_never_less_than_the_feed(reader: ModuleType) -> None:
    seen: list[str] = []
    for number in range(10, 2_000, 10):
        _, entries = reader.read(rss("News", number, last=50))
        fresh, seen = reader.news(entries, seen)
        assert len(fresh) == 10
    assert len(seen) == reader.SEEN


def test_a_feed_without_news_costs_next_to_nothing(reader: ModuleType, site: Site) -> None:
    site.pages["/feed"] = Page(rss("News", 1), etag='"v1"', modified="Sun, 01 Nov 2026 10:00:00 GMT")
    first = reader.fetch(site.url("/feed"), private=True)
    assert (first.title, len(first.entries), first.etag) == ("News", 1, '"v1"')
    again = reader.fetch(site.url("/feed"), first.etag, first.modified, private=True)
    assert not again.changed
    assert (again.etag, again.modified) == (first.etag, first.modified)
    assert site.answers == [200, 304]
    site.pages["/feed"] = Page(rss("News", 2), etag='"v2"')
    assert reader.fetch(site.url("/feed"), first.etag, first.modified, private=True).changed


def test_redirections_are_followed_and_failures_said(reader: ModuleType, site: Site) -> None:
    site.pages["/feed"] = Page(rss("News", 1))
    site.pages["/old"] = Page(b"", status=301, location="/feed")
    site.pages["/round"] = Page(b"", status=302, location="/round")
    site.pages["/gone"] = Page(b"", status=410)
    site.pages["/huge"] = Page(b" " * (reader.FEED_BYTES + 1))
    site.pages["/file"] = Page(b"", status=302, location="file:///etc/hostname")
    assert reader.fetch(site.url("/old"), private=True).title == "News"
    for path, why in (
        ("/missing", "404"),
        ("/gone", "410"),
        ("/huge", "MiB"),
        ("/round", "30[12]"),
        ("/file", "30[12]"),
    ):
        with pytest.raises(reader.NoFeed, match=why) as refused:
            reader.fetch(site.url(path), private=True)
        assert refused.value.gone == (path == "/gone")


def test_a_server_that_sends_drop_by_drop_is_left(
    reader: ModuleType, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "WHOLE_S", 0.0)
    site.pages["/feed"] = Page(rss("News", 50))
    with pytest.raises(reader.NoFeed, match="too slow"):
        reader.fetch(site.url("/feed"), private=True)


def test_a_server_that_is_not_there_is_a_failure(reader: ModuleType, site: Site) -> None:
    url = site.url("/feed")
    site.close()
    with pytest.raises(reader.NoFeed, match="refused"):
        reader.fetch(url, private=True)


@pytest.mark.parametrize(
    "url",
    ["", "example.org", "ftp://example.org/x", "file:///etc/passwd", "http://a b", "http://x/\r\nHost: y", "http://"],
)
def test_only_web_addresses_are_asked(reader: ModuleType, url: str) -> None:
    with pytest.raises(reader.NoFeed):
        reader.fetch(url, private=True)


def test_nothing_of_the_own_network_is_asked(reader: ModuleType, site: Site) -> None:
    site.pages["/feed"] = Page(rss("News", 1))
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433"):
        with pytest.raises(reader.NoFeed):
            reader.fetch(f"http://{host}:{site.port}/feed")
        with pytest.raises(reader.NoFeed):
            reader.fetch(f"https://{host}:{site.port}/feed")
    assert site.answers == [], "not a byte of a request was sent"
