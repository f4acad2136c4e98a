"""What stands around the conversations: entering, the lists, where one is and the way back, the state of the link."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from client.language import LANGUAGES
from tests.browser.app import App
from tests.browser.chromium import DESKTOP, SMALL_PHONE, launched, opened
from tests.browser.conftest import Opener, Servers
from tests.generated import ROOT
from tests.support.gateway import PASSWORD


async def registered(app: App) -> str:
    """Make an account by hand; its login."""
    page, login = app.page, f"ana{secrets.token_hex(3)}"
    await page.goto("/")
    await page.get_by_role("button", name="New here").click()
    await page.get_by_label("First names").fill("Ana María")
    await page.get_by_label("Surnames").fill("Ruiz Peña")
    await page.get_by_label("Login", exact=True).fill(login)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_label("Age", exact=True).fill("34")
    await page.get_by_label("Female", exact=True).check()
    await page.get_by_role("button", name="Make the account").click()
    await expect(talk(page, "lobby")).to_be_visible()
    return login


async def arrived(app: App) -> str:
    """Be there without the forms, at the list; the login."""
    login = f"ana{secrets.token_hex(3)}"
    await app.arrive(login)
    await app.page.goto("/")
    return login


def talk(page: Page, key: str) -> Locator:
    """The row of a conversation, a room or somebody in the list."""
    return page.locator(f'li[data-key="{key}"] > a')


def test_languages() -> None:
    """The browser's languages are those that there are catalogs for."""
    source = (ROOT / "client/web/browser/view/language.js").read_text(encoding="utf-8")
    table = re.search(r"LANGUAGES = \{(.*?)\}", source)
    assert table is not None
    assert tuple(re.findall(r"(\w+):", table[1])) == LANGUAGES


def test_what_is_needed_first_is_asked_for_at_once() -> None:
    """The page names all modules that the first screen imports: else each level of them waits for the one above."""
    browser = ROOT / "client/web/browser"
    needed, reached = [browser / "start.js", browser / "view/shell.js"], set()
    while needed:
        module = needed.pop()
        if module not in reached:
            reached.add(module)
            imports = re.findall(r'^import [^;]*?"(\.[^"]+)"', module.read_text(encoding="utf-8"), re.MULTILINE)
            needed += [(module.parent / each).resolve() for each in imports]
    page = (browser / "index.html").read_text(encoding="utf-8")
    preloaded = {browser / each for each in re.findall(r'<link rel="modulepreload" href="/app/(.+?)">', page)}
    assert preloaded == reached - {browser / "start.js", browser / "early.js"}


async def test_errors_stand_beside_their_fields(shared: Servers, visit: Opener) -> None:
    """Nothing is sent that the broker would refuse; what it refuses is told where it was typed."""
    app = await visit(shared, **SMALL_PHONE)
    page = app.page
    await page.goto("/")
    await page.get_by_role("button", name="New here").click()
    await page.get_by_label("Age", exact=True).fill("12.5")
    await page.get_by_label("Password", exact=True).fill("short")
    await page.get_by_role("button", name="Make the account").click()
    first = page.get_by_label("First names")
    await expect(first).to_be_focused()
    await expect(first).to_have_accessible_description("This is needed.")
    await expect(page.get_by_label("Age", exact=True)).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_text("At least 8 characters.", exact=True)).to_be_visible()
    await expect(page.get_by_text("Choose one.")).to_be_visible()
    login = await registered(app)

    other = await visit(shared)
    await other.page.goto("/")
    await other.page.get_by_label("Login", exact=True).fill(login)
    await other.page.get_by_label("Password", exact=True).fill("not this one")
    await other.page.locator("form").get_by_role("button", name="Log in").click()
    await expect(other.page.get_by_label("Password", exact=True)).to_have_attribute("aria-invalid", "true")
    await expect(other.page.get_by_label("Password", exact=True)).to_be_focused()
    await other.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await other.page.locator("form").get_by_role("button", name="Log in").click()
    await expect(talk(other.page, "lobby")).to_be_visible()


async def test_what_was_typed_at_the_entrance_stays_there(shared: Servers, visit: Opener) -> None:
    """From one form to the other, and from one language to another; right or wrong."""
    page = (await visit(shared)).page
    await page.goto("/")
    keep = page.get_by_role("checkbox")
    await page.locator("[name=login]").fill("ana")
    await keep.uncheck()
    await page.locator("[data-which=register]").click()
    await expect(page.locator("[name=login]")).to_have_value("ana")
    await page.locator("[name=first_names]").fill("Ana María")
    await page.locator("[name=age]").fill("12.5")
    await page.locator("[name=password]").fill(" four words of mine ")
    await page.get_by_label("Female", exact=True).check()
    await page.locator("[data-which=login]").click()
    await expect(page.locator("[name=first_names]")).to_have_count(0)
    await expect(page.locator("[name=password]")).to_have_value(" four words of mine ")
    await page.locator("[name=login]").fill("anita")
    await page.locator("[data-which=register]").click()
    for tongue, said in (("es", "Crear cuenta"), ("en", "New here")):
        await page.get_by_role("combobox").select_option(tongue)
        register = page.locator("[data-which=register]")
        await expect(register).to_have_text(said)
        await expect(register).to_have_attribute("aria-pressed", "true")
        await expect(page.locator("[name=login]")).to_have_value("anita")
        await expect(page.locator("[name=first_names]")).to_have_value("Ana María")
        await expect(page.locator("[name=surnames]")).to_have_value("")
        await expect(page.locator("[name=age]")).to_have_value("12.5")
        await expect(page.locator("[name=password]")).to_have_value(" four words of mine ")
        await expect(page.locator("[value=female]")).to_be_checked()
        await expect(keep).not_to_be_checked()


async def test_back_leads_to_the_list_however_one_came(shared: Servers, visit: Opener) -> None:
    """On a phone: from a row, and from a link straight to a conversation."""
    app = await visit(shared)
    page = app.page
    await arrived(app)
    await talk(page, "lobby").click()
    field = page.get_by_placeholder("Message to #lobby")
    await expect(field).to_be_visible()
    await expect(talk(page, "lobby")).to_be_hidden()
    members = page.get_by_role("complementary")
    for put_away in (page.go_back, members.get_by_role("button", name="Close").click):
        await page.get_by_role("button", name="Members").click()
        await expect(members).to_be_visible()
        await put_away()
        await expect(members).to_be_hidden()
        await expect(field).to_be_visible()
    await page.go_back()
    await expect(talk(page, "lobby")).to_be_visible()
    await expect(field).to_be_hidden()
    await talk(page, "lobby").click()
    await page.get_by_role("button", name="More", exact=True).click()
    await expect(page.get_by_role("menu")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_role("menu")).to_have_count(0)
    await page.goto("about:blank")
    await page.goto("/#/talk/lobby")
    await expect(field).to_be_visible()
    await page.go_back()
    await expect(talk(page, "lobby")).to_be_visible()


async def test_a_private_conversation_says_whether_the_other_is_there(shared: Servers, visit: Opener) -> None:
    app = await visit(shared)
    page = app.page
    login = await arrived(app)
    title = page.get_by_role("heading", level=1)
    await page.goto(f"/#/talk/@{login}")
    await expect(title).to_have_text(f"{login}available")
    await page.goto("/#/talk/@nobody-known")
    await expect(title).to_have_text("nobody-known")


async def test_an_address_may_spell_a_room_otherwise(shared: Servers, visit: Opener) -> None:
    """Whoever joins by it is in the room, and whoever is in it gets there; the address is put right."""
    one, other = await visit(shared), await visit(shared)
    await arrived(one)
    await arrived(other)
    room = f"Plans{secrets.token_hex(3)}"
    await talk(one.page, "lobby").click()
    await one.page.get_by_placeholder("Message to #lobby").fill(f"/create {room}")
    await one.page.get_by_role("button", name="Send").click()
    await expect(one.page.get_by_placeholder(f"Message to #{room}")).to_be_visible()

    page = other.page
    field = page.get_by_placeholder(f"Message to #{room}")
    there = re.compile(f"#/talk/{room}$")
    await expect(talk(page, "lobby")).to_be_visible()
    await page.goto(f"/#/talk/{room.lower()}")
    await page.get_by_role("button", name="Join the room").click()
    await expect(field).to_be_visible()
    await expect(page).to_have_url(there)
    await page.goto("about:blank")
    await page.goto(f"/#/talk/{room.upper()}")
    await expect(field).to_be_visible()
    await expect(page).to_have_url(there)
    await page.go_back()
    await expect(talk(page, room)).to_be_visible()


async def test_large_letters_leave_the_tabs_in_reach(shared: Servers, visit: Opener) -> None:
    app = await visit(shared)
    await arrived(app)
    await app.page.evaluate("document.documentElement.style.fontSize = '200%'")
    for tab in ("Conversations", "Rooms", "People"):
        await expect(app.page.get_by_role("link", name=tab, exact=True)).to_be_in_viewport(ratio=1)


async def test_a_room_from_its_making_to_its_end(shared: Servers, visit: Opener) -> None:
    """Made on a phone, found, joined and left on a desktop, deleted; counts and lists agree."""
    one, other = await visit(shared), await visit(shared, **DESKTOP)
    await arrived(one)
    await arrived(other)
    room = f"chess{secrets.token_hex(3)}"
    page = one.page
    await page.get_by_role("button", name="New", exact=True).click()
    await page.get_by_role("menuitem", name="Make a room").click()
    await page.get_by_label("Name", exact=True).fill(room)
    await page.get_by_label("Topic").fill("Sundays at five")
    await page.get_by_role("button", name="Make the room").click()
    await expect(page.get_by_role("heading", name=room)).to_be_visible()

    desk = other.page
    await desk.get_by_role("link", name="Rooms").click()
    row = talk(desk, room)
    await expect(row).to_contain_text("Sundays at five")
    await expect(row.locator(".online")).to_have_text("1 present")
    await row.click()
    await desk.get_by_role("button", name="Join", exact=True).click()
    await expect(desk.get_by_role("heading", name=room)).to_be_visible()
    await expect(row).to_contain_text("You are in")
    await expect(row.locator(".online")).to_have_text("2 present")

    await desk.get_by_role("button", name="More", exact=True).click()
    await desk.get_by_role("menuitem", name="Leave the room").click()
    await expect(row).not_to_contain_text("You are in")
    await desk.get_by_role("link", name="Conversations").click()
    await expect(talk(desk, room)).to_have_count(0)

    await page.get_by_role("button", name="More", exact=True).click()
    await page.get_by_role("menuitem", name="Delete the room").click()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await expect(talk(page, "lobby")).to_be_visible()
    await expect(talk(page, room)).to_have_count(0)


async def test_offline_is_said_and_what_waits_is_counted(shared: Servers, visit: Opener) -> None:
    """And it is gone when the link is back."""
    app = await visit(shared)
    page = app.page
    await arrived(app)
    await talk(page, "lobby").click()
    await app.context.set_offline(True)
    bar = page.locator(".link-bar")
    await page.get_by_placeholder("Message to #lobby").fill("from the tunnel")
    await page.get_by_role("button", name="Send").click()
    await expect(bar).to_contain_text("1 message waits.")
    await app.context.set_offline(False)
    await expect(bar).to_be_hidden()


async def test_by_keyboard_alone(shared: Servers, visit: Opener) -> None:
    """To somebody by a part of the name; menus by arrows; Esc gives the focus back."""
    app = await visit(shared, **DESKTOP)
    page = app.page
    login = await arrived(app)
    await expect(page.get_by_placeholder("Message to #lobby")).to_be_visible()
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("dialog").get_by_role("searchbox")).to_be_focused()
    await page.keyboard.type(login[:6])
    await expect(page.get_by_role("dialog").get_by_role("button", name=login)).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_placeholder(f"Message to {login}")).to_be_focused()
    await page.keyboard.press("Alt+ArrowDown")
    await expect(page.get_by_placeholder("Message to #lobby")).to_be_focused()
    own = page.locator("button.self")
    await own.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitemradio", name="Available")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(own).to_contain_text("away")
    await expect(own).to_be_focused()


async def test_a_server_with_a_name_whose_accounts_its_operator_makes(
    chromium: object, visit: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody fills in a form that leads nowhere."""
    monkeypatch.setenv("TERTULIA_BROKER_CHAT_REGISTRATION", "closed")
    monkeypatch.setenv("TERTULIA_BROKER_CHAT_SERVER_NAME", "Class 3B")
    servers = Servers(tmp_path / "closed")
    try:
        page = (await visit(servers)).page
        await page.goto("/")
        await expect(page.get_by_role("heading", name="Class 3B")).to_be_visible()
        await expect(page.get_by_text("Accounts are made by the operator of this server")).to_be_visible()
        await expect(page.get_by_role("button", name="New here")).to_have_count(0)
    finally:
        servers.end()


async def test_without_tls_it_says_what_to_do(chromium: object, shared: Servers) -> None:
    """By a name that is not this machine's own, browsers give a page over http no worker and keep no login."""
    port = shared.url.rsplit(":", 1)[1].rstrip("/")
    async with (
        launched("--host-resolver-rules=MAP tertulia.test 127.0.0.1") as browser,
        opened(browser, f"http://tertulia.test:{port}") as watched,
    ):
        await watched.page.goto("/")
        await expect(watched.page.get_by_role("heading", name="This connection is not encrypted")).to_be_visible()
        await expect(watched.page.get_by_role("link")).to_have_attribute("href", f"https://tertulia.test:{port}")
        await expect(watched.page.get_by_label("Password")).to_have_count(0)
