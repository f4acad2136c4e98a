"""Every screen in both themes and on both sizes: axe-core finds nothing serious, nothing is wider than the screen, and
what is to be pressed is large enough for a finger. And the app speaks Spanish."""

from __future__ import annotations

from typing import Any, Final

import pytest
from playwright.async_api import expect

from client.language import translator
from tests.browser.app import App
from tests.browser.chromium import DESKTOP, SMALL_PHONE
from tests.browser.conftest import Opener, Servers

SETTINGS: Final = ("", "/profile", "/password", "/sessions")
SCREENS: Final = ("#/", "#/rooms", "#/people", *(f"#/settings{part}" for part in SETTINGS))
# What is to be pressed, drawn, and not in a line of text, but less than 44 px high or wide.
SMALL: Final = """
() => !matchMedia("(pointer: coarse)").matches ? [] :
  [...document.querySelectorAll("button, input, select, textarea, .side a")]
    .filter((each) => !each.closest(".log, .unseen, .skip"))
    .map((each) => [each, (each.closest("label") ?? each).getBoundingClientRect()])
    .filter(([each, box]) => box.width && box.height && (box.height < 43.5 || box.width < 43.5)
      && each.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
    .map(([each, box]) => `${each.outerHTML.slice(0, 100)}: ${box.width} x ${box.height}`)
"""


async def judged(app: App, where: str, found: list[str]) -> None:
    """Add what is wrong with what is shown now."""
    from axe_playwright_python.async_playwright import Axe

    await app.page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {})))")
    # The proposals are gone through from the field, by aria-activedescendant; axe wants a focus of their own.
    rules = {"scrollable-region-focusable": {"enabled": where != "completion"}}
    results: dict[str, Any] = (await Axe().run(app.page, options={"rules": rules})).response
    for each in results["violations"]:
        if each["impact"] in ("serious", "critical"):
            nodes = [f"{node['target']} {node['failureSummary']}" for node in each["nodes"][:3]]
            found.append(f"{where}: {each['id']}: {each['help']}: {nodes}")
    wide = await app.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if wide > 0:
        found.append(f"{where}: {wide} px wider than the screen")
    small: list[str] = await app.page.evaluate(SMALL)
    found += [f"{where}: too small for a finger: {each}" for each in small]


@pytest.mark.parametrize(("size", "scheme"), [(SMALL_PHONE, "dark"), (DESKTOP, "light")], ids=["phone", "desktop"])
async def test_nobody_is_kept_out(shared: Servers, visit: Opener, size: dict[str, Any], scheme: str) -> None:
    pytest.importorskip("axe_playwright_python", exc_type=ImportError)
    app = await visit(shared, **size, color_scheme=scheme)
    found: list[str] = []
    await app.page.goto("/")
    await app.button("Log in").first.wait_for()
    await judged(app, "log in", found)
    await app.button("New here").click()
    await judged(app, "register", found)
    await app.button("Make the account").click()
    await judged(app, "register, with errors", found)
    name = f"ana-{scheme}-{'phone' if size is SMALL_PHONE else 'desktop'}"
    await app.arrive(name)
    for text in ("**bold**, `code` and https://example.org", "> quoted\nsaid", f"@{name} hello", "👍"):
        await app.type(text)
    await app.acknowledged("👍")
    await app.act("👍", "React with 🎉")
    await app.page.locator(".reactions .chip").first.wait_for()
    await app.type("/help")
    await judged(app, "a conversation", found)
    await app.message("👍").first.click(button="right", position={"x": 5, "y": 5})
    await app.page.get_by_role("dialog").wait_for()
    await judged(app, "actions", found)
    await app.page.keyboard.press("Escape")
    for panel in ("Search", "Members"):
        await app.button(panel).first.click()
        await app.page.locator(".aside").wait_for()
        await judged(app, panel, found)
        await app.page.locator(".aside").get_by_role("button", name="Close").click()
    await app.composer.fill("/")
    await app.page.get_by_role("listbox").wait_for()
    await judged(app, "completion", found)
    await app.composer.fill("")
    await app.page.locator("header .round[aria-label=More]").click()
    await app.page.get_by_role("menu").wait_for()
    await judged(app, "menu", found)
    await app.page.keyboard.press("Escape")
    for screen in SCREENS:
        await app.page.evaluate("(hash) => { location.hash = hash; }", screen)
        await app.page.get_by_text("One moment…").wait_for(state="hidden")
        await judged(app, screen, found)
    await app.page.evaluate("location.hash = '#/'")
    await app.choose("New", "Make a room…")
    await app.page.get_by_label("Name", exact=True).wait_for()
    await judged(app, "make a room", found)
    assert found == []


async def test_it_speaks_spanish_to_who_does(shared: Servers, visit: Opener) -> None:
    app = await visit(shared, **{**SMALL_PHONE, "locale": "es-ES"})
    await app.page.goto("/")
    # The page is there before its language, which is fetched.
    await expect(app.page.locator("html")).to_have_attribute("lang", "es")
    await app.page.get_by_role("button", name=translator("es").text("Log in")).first.wait_for()
    # Sentences of the broker's, too.
    await app.page.get_by_label("Contraseña", exact=True).fill("no such thing")
    await app.page.locator("input[name=login]").fill("nadie-aqui")
    await app.page.locator("form button.primary").click()
    error = app.page.locator(".error:not([hidden])").first
    await error.wait_for()
    assert "not" not in (await error.inner_text()).split()


async def test_the_theme_is_the_systems_unless_one_is_chosen(shared: Servers, visit: Opener) -> None:
    app = await visit(shared, color_scheme="dark")
    await app.arrive("ana-theme")

    async def light() -> bool:
        colour = await app.page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, colour.removeprefix("rgb(").rstrip(")").split(","))) > 384

    assert not await light()
    await app.page.evaluate("location.hash = '#/settings'")
    await app.page.get_by_label("Colours").select_option("light")
    assert await light()
    await app.turn("lobby")
    await app.page.reload()
    await app.live()
    assert await light()


async def test_what_one_tab_prefers_another_does_not_undo(shared: Servers, visit: Opener) -> None:
    app = await visit(shared, color_scheme="dark")
    await app.arrive("ana-tabs-theme")
    other = await app.context.new_page()
    await other.goto("/#/settings")
    await other.get_by_label("Colours").select_option("light")
    themes = [page.locator("html[data-theme=light]") for page in (other, app.page)]
    for theme in themes:
        await theme.wait_for()
    await app.page.evaluate("location.hash = '#/talk/@ana-tabs-theme'")
    await app.page.get_by_role("region", name="ana-tabs-theme", exact=True).wait_for()
    await other.reload()
    await themes[0].wait_for()
