"""The watch over pages sees what it is to see: otherwise no journey would prove anything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from tests.browser.chromium import MARKER, Watched, opened, until

PAGE = """<!doctype html><title>x</title><script>%s</script>"""
FAULTS = {
    "error in a script": "throw new Error('x')",
    "dialog": "alert(1)",
    "console": f"console.log('{MARKER}')",
    "a request to somebody else": "fetch('http://127.0.0.1:9/').catch(() => {})",
    "unhandled": "Promise.reject(new Error('error in a script'))",
    "policy": "const s = document.createElement('script'); s.textContent = '1'; document.head.append(s)",
}


@pytest.mark.parametrize("name", FAULTS)
async def test_what_a_page_should_never_do_is_seen(chromium: Any, name: str) -> None:
    async def page(_request: web.Request) -> web.Response:
        policy = {"Content-Security-Policy": "script-src 'nonce-a'"} if name == "policy" else {}
        text = PAGE.replace("<script>", "<script nonce=a>") % FAULTS[name]
        return web.Response(text=text, content_type="text/html", headers=policy)

    async def judge(watched: Watched) -> None:
        await watched.page.goto("/")
        await until(lambda: watched.faults)

    faults = await served(chromium, page, judge)
    assert len(faults) == 1


async def test_a_page_that_is_as_it_should_be_has_no_faults(chromium: Any) -> None:
    async def page(request: web.Request) -> web.Response:
        if request.path != "/":
            return web.Response(status=404)
        script = "fetch('/missing'); new WebSocket('ws://' + location.host)"
        return web.Response(text=PAGE % script, content_type="text/html")

    async def judge(watched: Watched) -> None:
        await watched.page.goto("/")
        await watched.page.wait_for_load_state("networkidle")

    assert await served(chromium, page, judge) == []


async def served(
    chromium: Any,
    page: Callable[[web.Request], Awaitable[web.Response]],
    judge: Callable[[Watched], Awaitable[None]],
) -> list[str]:
    """The faults of a page from a small server."""
    app = web.Application()
    app.router.add_get("/{path:.*}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        async with opened(chromium, f"http://localhost:{runner.addresses[0][1]}") as watched:
            await judge(watched)
            return watched.faults
    finally:
        await runner.cleanup()
