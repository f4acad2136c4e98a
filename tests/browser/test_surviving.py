"""What is typed is said once and heard once by everybody, whatever dies meanwhile: line, gateway or broker."""

from __future__ import annotations

import asyncio
from collections import Counter

from tests.browser.app import App
from tests.browser.conftest import Opener, Servers


async def two(servers: Servers, visit: Opener) -> tuple[App, App]:
    ana, ben = await visit(servers), await visit(servers)
    await ana.arrive("ana")
    await ben.arrive("ben")
    return ana, ben


async def once(*apps: App, texts: list[str]) -> None:
    """Everybody has each of these exactly once, and in this order."""
    for app in apps:
        await app.hears(*texts)
        found = await app.texts()
        assert Counter(text for text in found if text in texts) == Counter(texts)
        assert [text for text in found if text in texts] == texts


async def test_what_is_typed_offline_is_said_once(own: Servers, visit: Opener) -> None:
    ana, ben = await two(own, visit)
    await ana.type("before")
    await ben.hears("before")
    await ana.page.evaluate("navigator.serviceWorker.ready")
    await ana.context.set_offline(True)
    await ana.type("typed offline")
    await ana.page.get_by_text("1 message waits.").wait_for()
    await ben.type("said meanwhile")
    await ben.acknowledged("said meanwhile")
    # The app itself is there without any network, and what waited still waits.
    await ana.page.reload()
    await ana.message("typed offline").wait_for()
    await ana.type("and another")
    await ana.context.set_offline(False)
    await ana.acknowledged("typed offline", "and another")
    await once(ana, ben, texts=["before", "said meanwhile", "typed offline", "and another"])


async def test_what_a_closed_tab_has_not_sent_another_tab_sends(shared: Servers, visit: Opener) -> None:
    ana, ben = await visit(shared), await visit(shared)
    await ben.arrive("ben-tabs")
    await ana.arrive("ana-tabs")
    other = await ana.context.new_page()
    await other.goto("/#/talk/lobby")
    await other.locator(".link-bar[data-state=live]").wait_for(state="attached")
    await ana.context.set_offline(True)
    await ana.type("left behind")
    await ana.page.get_by_text("1 message waits.").wait_for()
    await ana.page.goto("about:blank")
    await other.get_by_text("1 message waits.").wait_for()
    await ana.context.set_offline(False)
    await once(ben, texts=["left behind"])


async def test_a_gateway_that_is_killed_loses_and_doubles_nothing(own: Servers, visit: Opener) -> None:
    ana, ben = await two(own, visit)
    await ana.page.evaluate("navigator.serviceWorker.ready")
    await ana.type("before")
    await ben.hears("before")
    await asyncio.to_thread(own.gateway.kill)
    await ana.type("typed while it is gone")
    await ben.type("by the other, too")
    await ana.page.reload()
    await ana.message("typed while it is gone").wait_for()
    await asyncio.to_thread(own.gateway.start)
    await ana.acknowledged("typed while it is gone")
    await ben.acknowledged("by the other, too")
    await ana.type("after")
    await ben.hears("after")
    for app in (ana, ben):
        await app.hears("typed while it is gone", "by the other, too", "after")
        found = Counter(await app.texts())
        assert found == Counter(["before", "typed while it is gone", "by the other, too", "after"])


async def test_a_gateway_that_is_told_to_end_is_come_back_to(own: Servers, visit: Opener) -> None:
    ana, ben = await two(own, visit)
    assert await asyncio.to_thread(own.gateway.end) == 0
    await ana.type("waits")
    await asyncio.to_thread(own.gateway.start)
    await once(ana, ben, texts=["waits"])


async def test_a_broker_that_is_killed_loses_and_doubles_nothing(own: Servers, visit: Opener) -> None:
    ana, ben = await two(own, visit)
    for number in range(20):
        await ana.type(f"message {number}")
        if number == 10:
            restarted = asyncio.create_task(own.restart_broker())
    await restarted
    await ana.acknowledged("message 19")
    await once(ana, ben, texts=[f"message {number}" for number in range(20)])
