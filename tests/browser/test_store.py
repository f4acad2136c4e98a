"""What the chat keeps in a real browser's IndexedDB, with a broker in miniature: reloads, tabs, accounts, a full disk.

The model is that of the tests in Node (`unit/world.mjs`); here its disk is the browser's.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.generated import ROOT
from tests.support.patience import PATIENCE_S

ORIGIN = "http://store.test"
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".html": "text/html"}
SET_UP = """
async ([login, words]) => {
  globalThis.setImmediate = (then) => setTimeout(then, 8);
  const { Chat } = await import("/client/web/browser/core/chat.js");
  const { World } = await import("/tests/browser/unit/world.mjs");
  const world = new World(1);
  world.account("ana");
  world.account("bob");
  for (const word of words) world.say("lobby", "bob", word);
  const port = world.port(login);
  Object.assign(port, { indexedDB: globalThis.indexedDB, tables: undefined });
  const chat = new Chat({ port });
  const texts = () => chat.talks.get("lobby")?.entries.map((entry) => `${entry.text} ${entry.state} ${entry.safe}`);
  const cut = () => { world.down = true; for (const socket of [...world.sockets]) world.cut(socket); };
  Object.assign(globalThis, { world, port, chat, texts, cut, Chat });
  chat.addEventListener("me", () => { if (chat.me) localStorage.last = chat.me.login; });
  chat.start({ login: localStorage.last });
  await world.time.pass(400);
}
"""


@pytest_asyncio.fixture(loop_scope="session")
async def tab(chromium: Any) -> Any:
    """Opens tabs of one browser that knows one site: this repository."""
    context = await chromium.new_context()

    async def serve(route: Any) -> None:
        path = route.request.url.removeprefix(ORIGIN).lstrip("/")
        if not path:
            await route.fulfill(body="<!doctype html><title>store</title>", content_type="text/html")
        else:
            file = ROOT / path
            await route.fulfill(body=file.read_bytes(), content_type=TYPES[Path(path).suffix])

    await context.route("**/*", serve)

    async def open_(login: str | None = "ana", *words: str) -> Any:
        page = await context.new_page()
        await page.goto(ORIGIN)
        if login:
            await page.evaluate(SET_UP, [login, words])
            await told(page, "[chat.link, chat.me?.login, texts()?.length]", ["live", login, len(words)])
        return page

    yield open_
    await context.close()


async def told(page: Any, question: str, expected: Any) -> None:
    """Wait until the page answers that. The world's time is passed on meanwhile, but the database takes its own."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            while await page.evaluate(question) != expected:
                await page.evaluate("world.time.pass(10)")
    assert await page.evaluate(question) == expected


async def test_what_is_typed_offline_and_what_was_said_outlive_the_page(tab: Any) -> None:
    page = await tab("ana", "hola", "qué tal")
    await page.evaluate("cut(); chat.post('lobby', 'later'); chat.draft('lobby', 'half'); world.time.pass(300)")
    await told(page, "texts()", ["hola sent true", "qué tal sent true", "later pending true"])
    await page.close()
    page = await tab(None)
    await page.evaluate(SET_UP.replace("chat.start(", "world.down = true; chat.start("), ["ana", []])
    await told(page, "texts()", ["hola sent true", "qué tal sent true", "later pending true"])
    await told(page, "[chat.me?.login, chat.talks.get('lobby').draft, chat.waiting, chat.problem]", [
        "ana", "half", 1, None,
    ])  # fmt: skip


async def test_nothing_of_another_account_is_shown_and_logging_out_deletes(tab: Any) -> None:
    await (await tab("ana", "secret of ana")).close()
    page = await tab("bob")
    await told(page, "[chat.me?.login, texts()]", ["bob", []])
    databases = "indexedDB.databases().then((all) => all.map(({ name }) => name).sort())"
    assert "tertulia:bob" in await page.evaluate(databases)
    counted = """new Promise((resolve) => { const open = indexedDB.open("tertulia:ana");
      open.onsuccess = () => { const all = open.result.transaction("entries").objectStore("entries").count();
        all.onsuccess = () => { open.result.close(); resolve(all.result); }; }; })"""
    await told(page, counted, 0)
    await page.evaluate("chat.logout()")
    await told(page, databases, ["tertulia:ana"])


async def test_two_tabs_write_one_database_and_a_third_reads_what_both_wrote(tab: Any) -> None:
    one, two = await tab("ana", "hola"), await tab("ana", "hola")
    for page, word in ((one, "from one"), (two, "from two")):
        await page.evaluate("(word) => { cut(); chat.post('lobby', word); return world.time.pass(300); }", word)
    three = await tab(None)
    await three.evaluate(SET_UP.replace("chat.start(", "world.down = true; chat.start("), ["ana", []])
    await told(three, "texts().sort()", [
        "from one pending true", "from two pending true", "hola sent true",
    ])  # fmt: skip


async def test_without_a_database_it_goes_on_in_memory_and_says_so(tab: Any) -> None:
    page = await tab(None)
    script = SET_UP.replace("globalThis.indexedDB,", "{ open() { throw new Error('private window'); } },")
    await page.evaluate(script, ["ana", ["hola"]])
    await told(page, "[chat.problem, chat.link, texts()]", ["memory", "live", ["hola sent true"]])
    await page.evaluate("chat.post('lobby', 'mine'); world.time.pass(500)")
    await told(page, "texts()", ["hola sent true", "mine sent true"])


async def test_a_connection_to_the_database_that_was_cut_is_made_again(tab: Any) -> None:
    page = await tab(None)
    await page.evaluate("""() => {
      const open = IDBFactory.prototype.open;
      globalThis.opened = [];
      IDBFactory.prototype.open = function (...how) {
        const request = open.apply(this, how);
        request.addEventListener("success", () => globalThis.opened.push(request.result));
        return request;
      };
    }""")
    await page.evaluate(SET_UP, ["ana", ["hola"]])
    await told(page, "[chat.link, opened.length, texts()]", ["live", 1, ["hola sent true"]])
    await page.evaluate("opened[0].close(); cut(); chat.post('lobby', 'mine'); world.time.pass(500)")
    await told(page, "[opened.length, chat.problem, texts()]", [
        2, None, ["hola sent true", "mine pending true"],
    ])  # fmt: skip


async def test_a_full_disk_gives_up_what_others_said_before_what_one_says(tab: Any) -> None:
    page = await tab("ana", "hola")
    await page.evaluate("""() => {
      const put = IDBObjectStore.prototype.put;
      globalThis.room = 1;
      IDBObjectStore.prototype.put = function (value) {
        if (this.name === "outbox" && globalThis.room-- > 0) throw new DOMException("full", "QuotaExceededError");
        return put.call(this, value);
      };
      cut();
      chat.post("lobby", "mine");
      return world.time.pass(300);
    }""")
    await told(page, "[texts(), chat.problem]", [["hola sent true", "mine pending true"], None])
    await page.evaluate("room = 9; chat.post('lobby', 'unsafe'); world.time.pass(300)")
    await told(page, "[texts().at(-1), chat.problem]", ["unsafe pending false", "full"])
    await page.evaluate("world.down = false; world.time.pass(20000)")
    await told(page, "world.rooms.get('lobby').log.map(({ text }) => text)", ["hola", "mine", "unsafe"])


async def test_the_newest_five_hundred_of_a_log_are_kept(tab: Any) -> None:
    page = await tab("ana")
    await page.evaluate("""async () => {
      for (let i = 0; i < 900; i++) world.say("lobby", "bob", `m${i}`);
      await world.time.pass(3000);
      await chat.stop();
    }""")
    rows = await page.evaluate("""new Promise((resolve) => { const open = indexedDB.open("tertulia:ana");
      open.onsuccess = () => { const t = open.result.transaction(["entries", "logs"]);
        const all = t.objectStore("entries").getAll(); const row = t.objectStore("logs").get("lobby");
        const texts = () => all.result.map(({ wire }) => wire.text);
        t.oncomplete = () => resolve([texts(), row.result.low < all.result[0].seq]); }; })""")
    texts, whole = rows
    assert 500 <= len(texts) < 650
    assert whole
    assert texts == [f"m{i}" for i in range(900 - len(texts), 900)]
