"""Take the pictures of the web app that README.md and docs/WEB.md show, and more of them to look at.

    python -m scripts.pictures DIRECTORY

A broker, a gateway and four people in real browsers; phone and desktop, light and dark. Needs Chromium. Those in
docs/pictures are `phone-dark-talk` and `desktop-light-talk`, with 128 colours.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.browser.app import App
from tests.browser.chromium import DESKTOP, PHONE, launched, opened
from tests.browser.conftest import Servers

TALK: Final = (
    ("ana", "Who is in for the mountains on Saturday? Bus 520 at 8:15 from the square"),
    ("bruno", "Me! I bring the *good* thermos"),
    ("carla", "In. Is it the loop by the lake, or up to the hut?"),
    ("ana", "Up to the hut: https://example.org/hut\nIt is open until five, and they have soup"),
    ("bruno", "Soup decides it"),
    ("dora", "I come later by car, @ana, and can take two of you home"),
)


async def pictures(directory: Path) -> None:
    """All of them, into a directory that is there."""
    with tempfile.TemporaryDirectory() as name:
        servers = Servers(Path(name))
        try:
            async with launched() as browser:
                await _talk(browser, servers.url)
                for scheme in ("light", "dark"):
                    for size, options in (("phone", PHONE), ("desktop", DESKTOP)):
                        async with opened(browser, servers.url, **options, color_scheme=scheme) as watched:
                            await _look(App(watched, servers.url), directory, f"{size}-{scheme}", options is DESKTOP)
        finally:
            servers.end()


async def _talk(browser: Any, url: str) -> None:
    """What is in the pictures: a room, a few words, answers, reactions, a private conversation."""
    people: dict[str, App] = {}
    contexts = [opened(browser, url, **DESKTOP) for _ in range(4)]
    for context, login in zip(contexts, ("ana", "bruno", "carla", "dora"), strict=True):
        people[login] = App(await context.__aenter__(), url)
        await people[login].arrive(login)
    ana, bruno = people["ana"], people["bruno"]
    await ana.type("/create --keep mountains")
    await ana.page.get_by_role("region", name="mountains", exact=True).wait_for()
    await ana.type("/topic Saturday: up to the hut")
    for login in ("bruno", "carla", "dora"):
        await people[login].type("/join mountains")
        await people[login].page.get_by_role("region", name="mountains", exact=True).wait_for()
    for login, text in TALK:
        await people[login].type(text)
        await people[login].page.locator(".msg.sent").last.wait_for()
        await ana.page.locator(".msg").filter(has_text=text[:20]).first.wait_for()
    await bruno.act("In. Is it the loop by the lake, or up to the hut?", "Reply")
    await bruno.type("The hut, I hope")
    await ana.hears("The hut, I hope")
    for login in ("ana", "carla"):
        await people[login].act("Soup decides it", "React with 😂")
    await people["dora"].act("Soup decides it", "React with 👍")
    await people["carla"].type(r"#\private<ana> Shall I bring the map?")
    await people["carla"].type("/status away")
    await ana.type("#eR")
    await ana.row("carla").wait_for()
    for context in contexts:
        await context.__aexit__(None, None, None)


async def _look(app: App, directory: Path, name: str, wide: bool) -> None:
    async def taken(screen: str) -> None:
        await app.page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {})))")
        await app.page.screenshot(path=directory / f"{name}-{screen}.png", scale="css" if wide else "device")

    await app.page.goto("/")
    await app.button("New here").click()
    await taken("register")
    await app.arrive("ana", new=False)
    if not wide:
        await app.list()
        await taken("list")
    await app.type("/join mountains") if wide else await app.turn("lobby")
    if not wide:
        await app.type("/join mountains")
    await app.page.get_by_role("region", name="mountains", exact=True).wait_for()
    await app.hears("Soup decides it", "The hut, I hope")
    await taken("talk")
    await app.message("Soup decides it").first.click(button="right", position={"x": 5, "y": 5})
    await app.page.get_by_role("dialog").wait_for()
    await taken("actions")
    await app.page.keyboard.press("Escape")
    await app.composer.fill("/re")
    await app.page.get_by_role("listbox").wait_for()
    await taken("completion")
    await app.composer.fill("")
    await app.button("Members").first.click()
    await app.page.locator(".aside .people li").first.wait_for()
    await taken("members")
    for screen in ("rooms", "people", "settings"):
        await app.page.evaluate("(hash) => { location.hash = hash; }", f"#/{screen}")
        await app.page.get_by_text("One moment…").wait_for(state="hidden")
        await taken(screen)


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    asyncio.run(pictures(Path(sys.argv[1])))
