"""Whatever is put into any field, or sent by any other page: no script runs, nothing is asked of others, texts show as
they are written. `visit` fails if a page did anything else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import pytest
from aiohttp import web

from tests.browser.app import FIELDS
from tests.browser.chromium import DESKTOP, MARKER, until
from tests.browser.conftest import Opener, Servers
from tests.support.gateway import PASSWORD

RUN = f"console.log('{MARKER}')"
PAYLOADS = (
    f"<script>{RUN}</script>",
    f'<img src=x onerror="{RUN}">',
    f'"><svg onload={RUN}>',
    f"javascript:{RUN}//",
    f"[x](javascript:{RUN})",
    f'https://x.example/"onmouseover="{RUN}',
    f"{{{{constructor.constructor(`{RUN}`)()}}}}",
    f"</textarea><iframe srcdoc='<script>{RUN}</script>'>",
    f'<a href="data:text/html,<script>{RUN}</script>">x</a>',
    "<style>*{background:url(https://stranger.example/x)}</style><link rel=stylesheet href=//stranger.example>",
    "<base href=https://stranger.example/><form action=https://stranger.example><button autofocus>x",
    "\u202e</b><b>\u2066",
)
IMAGE = PAYLOADS[1]

# All that a script of the page can read of what the page keeps.
KEPT = """
async () => {
  const asked = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
  const found = [document.cookie, JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage })];
  for (const { name } of await indexedDB.databases()) {
    const database = await asked(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      found.push(JSON.stringify(await asked(database.transaction(store).objectStore(store).getAll())));
    }
  }
  for (const name of await caches.keys()) {
    for (const request of await (await caches.open(name)).keys()) found.push(request.url);
  }
  return found.join("\\n");
}
"""
# How each of these frames is answered, or the code with which the socket is closed.
FRAMES = """
async () => {
  const frames = ["x".repeat(1 << 20), "[".repeat(50000), "{", "null", "[]", '{"op":5}', '{"op":"hello"}',
    '{"op":"send","id":"x","room":{},"text":[]}', new Uint8Array(100)];
  const said = [];
  for (const frame of frames) {
    const socket = new WebSocket(`ws://${location.host}/ws?lang=en`, "tertulia.1");
    await new Promise((resolve) => { socket.onopen = resolve; });
    socket.send(frame);
    said.push(await new Promise((resolve) => {
      socket.onclose = (event) => resolve(event.code);
      socket.onmessage = (event) => resolve(event.data);
    }));
    socket.close();
  }
  return said;
}
"""
# What a page of another origin tries, with all the rights that browsers give it.
ATTACK = """
async (url) => {
  const socket = new WebSocket(url.replace("http", "ws") + "/ws?lang=en", "tertulia.1");
  const opened = await new Promise((resolve) => {
    socket.onopen = () => resolve("opened");
    socket.onclose = (event) => resolve(event.code);
  });
  const body = JSON.stringify({ login: "x", password: "correct horse", keep: true, lang: "en" });
  const tries = [];
  for (const type of ["application/json", "text/plain"]) {
    for (const path of ["login", "register", "logout"]) {
      for (const mode of ["cors", "no-cors"]) {
        const options = { method: "POST", credentials: "include", mode, headers: { "Content-Type": type }, body };
        const said = (answer) => answer.type + answer.status;
        tries.push(await fetch(`${url}/api/${path}`, options).then(said, () => "refused"));
      }
    }
  }
  const framed = document.createElement("iframe");
  framed.src = url;
  document.body.append(framed);
  await new Promise((resolve) => { framed.onload = resolve; });
  let inside = "hidden";
  try { inside = framed.contentDocument ? framed.contentDocument.title : "hidden"; } catch { /* As it should be. */ }
  return { opened, tries, inside };
}
"""


async def test_what_people_say_is_only_ever_text(shared: Servers, visit: Opener) -> None:
    ana, ben = await visit(shared), await visit(shared, **DESKTOP)
    await ana.arrive("ana-hostile")
    await ben.arrive("ben-hostile")
    await ana.into("#cR hostile")
    await ben.into("#gR hostile")
    for payload in PAYLOADS:
        await ana.type(payload)
    await ana.type("that was all")
    for app in (ana, ben):
        await app.hears("that was all")
        said = "\n".join(await app.texts())
        for payload in PAYLOADS[:-1]:
            assert payload in said
        assert await app.page.locator(".log :is(script, img, iframe, style, base, form, svg:not(.icon))").count() == 0
        hrefs = await app.page.locator(".log a").evaluate_all("links => links.map((link) => link.protocol + link.rel)")
        assert set(hrefs) <= {"https:noopener noreferrer", "http:noopener noreferrer"}
    # Drafts, searches and their answers.
    await ana.composer.fill(IMAGE)
    await ana.list()
    await ana.row("hostile").locator("small").filter(has_text=IMAGE).wait_for()
    await ana.row("hostile").locator("a").click()
    await ana.composer.fill("")
    await ben.button("Search").click()
    await ben.page.get_by_role("searchbox", name="Words").fill("constructor")
    await ben.page.get_by_role("searchbox", name="Words").press("Enter")
    await ben.page.locator(".hits li").filter(has_text="constructor.constructor").wait_for()
    await ben.page.get_by_role("searchbox", name="Words").fill(IMAGE)
    await ben.page.get_by_role("searchbox", name="Words").press("Enter")
    await ben.page.get_by_role("complementary").get_by_role("button", name="Close").click()
    # Answers to them, changes of them, reactions, and what commands say of them.
    await ben.act(IMAGE, "Reply")
    await ben.type(PAYLOADS[0] + " again")
    await ana.message(PAYLOADS[0] + " again").locator(".quoted").filter(has_text="onerror").wait_for()
    await ben.act(PAYLOADS[0] + " again", "Edit")
    await ben.type(PAYLOADS[2] + " edited")
    await ana.hears(PAYLOADS[2] + " edited")
    for line in (
        f"/topic {IMAGE}",
        f"/react {IMAGE}",
        f"#gR {IMAGE}",
        f"/whois {IMAGE}",
        f"/{IMAGE}",
        f"/search {IMAGE}",
    ):
        await ana.type(line)
    await ben.page.locator(".title .sub").filter(has_text="onerror").wait_for()


async def test_what_people_call_themselves_is_only_ever_text(shared: Servers, visit: Opener) -> None:
    ana, ben = await visit(shared), await visit(shared, **DESKTOP)
    # A login or a room of such a name is refused, in a sentence that quotes it, or does no harm.
    await ana.page.goto("/")
    await ana.button("New here").click()
    for label, text in (("First names", IMAGE), ("Surnames", IMAGE), ("Login", IMAGE), ("Age", "<b>3")):
        await ana.page.get_by_label(label, exact=True).fill(text)
    await ana.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await ana.page.get_by_label("Female", exact=True).check()
    await ana.button("Make the account").click()
    await ana.page.locator(".error:not([hidden])").first.wait_for()
    named = {**FIELDS, "first_names": "<img src=x onerror=alert(1)>", "surnames": "<svg onload=alert(1)>"}
    await ana.arrive("ana-named", fields=named)
    await ben.arrive("ben-named")
    await ana.request("status", status="away", note=IMAGE)
    await ana.type(f"#cR {IMAGE}")
    await ana.page.locator(".note.error").last.wait_for()
    await ben.list("People")
    await ben.row("ana-named").locator("small").filter(has_text="<svg onload=alert(1)>").first.wait_for()
    await ben.row("ana-named").locator("a").click()
    await (
        ben.page.get_by_role("region", name="ana-named", exact=True)
        .get_by_role("button", name="ana-named")
        .first.click()
    )
    await ben.page.get_by_role("dialog").get_by_text(IMAGE).wait_for()


@pytest.mark.parametrize("screen", [DESKTOP], ids=["desktop"])
async def test_addresses_made_by_a_stranger_do_nothing(
    shared: Servers, visit: Opener, screen: dict[str, object]
) -> None:
    ana = await visit(shared, **screen)
    await ana.arrive("ana-address")
    for text in (IMAGE, f"javascript:{RUN}", "../../etc/passwd", "%", "%E0%A4%A", "__proto__", "constructor", "\u202e"):
        for address in (
            f"/?{quote(text)}#/talk/{quote(text)}",
            f"/?lang={quote(text)}#/settings/{quote(text)}",
            f"/#/{quote(text)}",
        ):
            await ana.page.goto("about:blank")
            await ana.page.goto(address)
            await ana.page.locator(".shell").wait_for()
            await ana.live()
    await ana.page.goto(f"/#/talk/{quote(IMAGE)}")
    await ana.page.get_by_text("You are not in the room").filter(has_text=IMAGE).wait_for()


async def test_no_script_reads_the_cookie_or_what_it_stands_for(shared: Servers, visit: Opener) -> None:
    ana = await visit(shared)
    await ana.arrive("ana-cookie")
    (cookie,) = await ana.context.cookies()
    assert cookie["name"] == "__Host-tertulia"
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"], cookie["path"]) == (True, True, "Strict", "/")
    everywhere = await ana.page.evaluate(KEPT)
    assert cookie["value"] not in everywhere
    assert cookie["value"][1:] not in everywhere
    assert PASSWORD not in everywhere


async def test_too_long_a_frame_ends_only_the_link_that_sent_it(shared: Servers, visit: Opener) -> None:
    ana, ben = await visit(shared), await visit(shared)
    await ana.arrive("ana-frames")
    await ben.arrive("ben-frames")
    closed = await ana.page.evaluate(FRAMES)
    # "Too long", or cut off before it was all sent.
    assert closed[0] in (1009, 1006)
    for said in closed[1:]:
        assert isinstance(said, int) or not json.loads(said).get("ok") or json.loads(said).get("id"), closed
    await ana.type("still here")
    await ben.hears("still here")


@asynccontextmanager
async def another_site() -> AsyncIterator[str]:
    """A page of somebody else's, on a port of its own."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>another</title>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://localhost:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_page_of_another_site_gets_no_socket_and_no_login(shared: Servers, visit: Opener, host: str) -> None:
    async with another_site() as other:
        other = other.replace("localhost", host)
        ana = await visit(shared, other, **DESKTOP)
        await ana.arrive(f"ana-cross-{'ip' if host[0] == '1' else 'name'}")
        # The same site to a cookie, since ports are none of its business: what keeps it out is its origin.
        page = await ana.context.new_page()
        await page.goto(other)
        seen = await page.evaluate(ATTACK, shared.url)
        assert seen["opened"] == 1006
        assert set(seen["tries"]) <= {"refused", "opaque0"}
        assert seen["inside"] == "hidden"
        # Nobody was logged out by it.
        await ana.type("still logged in")
        await ana.acknowledged("still logged in")
        await page.close()
        # That it may not be framed is said in the console of the page that tried.
        await until(lambda: ana.watched.faults)
        assert all("frame" in fault.lower() or "CORS" in fault for fault in ana.watched.faults), ana.watched.faults
        ana.watched.faults.clear()
