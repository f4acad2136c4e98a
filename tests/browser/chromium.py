"""The system's Chromium, driven by Playwright: phones and desktops, each a context of its own, closely watched.

Whatever a page should never do is collected: errors of its scripts, violations of its Content-Security-Policy, dialogs,
requests to anybody but its own gateway. Must not know how the app looks.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tests.support.patience import PATIENCE_MS, PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, WebSocket, Worker

ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
PHONE: Final = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Mobile Safari/537.36",
}
SMALL_PHONE: Final = {**PHONE, "viewport": {"width": 360, "height": 640}}
DESKTOP: Final = {"viewport": {"width": 1280, "height": 800}}
MARKER: Final = "script-of-a-stranger-ran"
"""What the payloads of the tests write to the console, should one of them ever run."""

# A page whose gateway is gone, or that is offline, says so in the console: that is no fault of the app's. So does the
# browser when it looks just then whether there is a newer service worker.
NETWORK: Final = re.compile(
    "Failed to load resource|WebSocket connection to|net::ERR_|ERR_INTERNET_DISCONNECTED"
    "|An unknown error occurred when fetching the script"
)
CLOSE_S: Final = 10.0
"""Seconds for a browser to end; what does not end by then ends with this process."""


def executable() -> str | None:
    """The system's Chromium, if there is one; none is ever downloaded."""
    named = os.environ.get("CHROME_PATH")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@asynccontextmanager
async def launched(*arguments: str) -> AsyncIterator[Browser]:
    """A Chromium within the context."""
    from playwright.async_api import async_playwright, expect

    path = executable()
    assert path is not None
    expect.set_options(timeout=PATIENCE_MS)
    playwright = await async_playwright().start()
    browser = None
    try:
        browser = await playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *arguments])
        yield browser
    finally:
        # Its driver has been seen to outlive the browser, with a whole test run waiting for it.
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                if browser is not None:
                    await browser.close()
                await playwright.stop()


async def until(condition: Callable[[], object]) -> None:
    """Wait until it holds, for what no page tells of."""
    for _ in range(PATIENCE_MS // 20):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to hold")


async def holds(page: Page | Worker, expression: str) -> None:
    """Wait until it is true there, though it is a promise, and though the page may be loaded anew meanwhile.

    Playwright's own `wait_for_function` evaluates it within the page again and again, which a page's
    Content-Security-Policy forbids but for the first time.
    """
    from playwright.async_api import Error

    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(Error):
                if await page.evaluate(expression):
                    return
            await asyncio.sleep(0.02)


class Watched:
    """One browser of one person: its context and first page, and the `faults` seen so far."""

    def __init__(self, context: BrowserContext, page: Page, origins: frozenset[str]) -> None:
        self.context = context
        self.page = page
        self.faults: list[str] = []
        self._origins = origins
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.faults.append(f"error in a script: {error.error}"))
        context.on("request", self._asked)
        context.on("page", self._watch)
        self._watch(page)

    def _watch(self, page: Page) -> None:
        page.on("websocket", self._connected)
        page.on("dialog", self._dialog)

    async def _dialog(self, dialog: Any) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def _said(self, message: ConsoleMessage) -> None:
        text = message.text
        if MARKER in text or (message.type == "error" and not NETWORK.search(text)):
            self.faults.append(f"console: {text}")

    def _asked(self, request: Request) -> None:
        self._foreign(request.url)

    def _connected(self, socket: WebSocket) -> None:
        self._foreign(socket.url)

    def _foreign(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc not in self._origins:
            self.faults.append(f"a request to somebody else: {url}")


@asynccontextmanager
async def opened(browser: Browser, url: str, *also: str, **options: Any) -> AsyncIterator[Watched]:
    """A browser of its own that has been nowhere yet, allowed to ask `url`'s host and those of `also`."""
    context = await browser.new_context(base_url=url, **{"locale": "en-GB", **options})
    origins = frozenset(urlsplit(each).netloc for each in (url, *also))
    try:
        yield Watched(context, await context.new_page(), origins)
    finally:
        await context.close()
