"""What people come for, done on a phone's screen from the first to the last step: by buttons, and by commands."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.app import FIELDS, App
from tests.browser.chromium import SMALL_PHONE
from tests.browser.conftest import Opener, Servers
from tests.support.gateway import PASSWORD


async def registered(app: App, login: str) -> None:
    """Fill in the form of who is new."""
    page = app.page
    await page.goto("/")
    await app.button("New here").click()
    await page.get_by_label("First names").fill(FIELDS["first_names"])
    await page.get_by_label("Surnames").fill(FIELDS["surnames"])
    await page.get_by_label("Login", exact=True).fill(login)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_label("Age", exact=True).fill("34")
    await page.get_by_label("Female", exact=True).check()
    await app.button("Make the account").click()
    await app.row("lobby").wait_for()


async def test_all_that_was_assigned_is_done_by_buttons(shared: Servers, visit: Opener) -> None:
    ana, ben = await visit(shared, **SMALL_PHONE), await visit(shared)
    await registered(ana, "ana-buttons")
    await ben.arrive("ben-buttons")
    # The log out and in again, as who has an account.
    await ana.log_out()
    await ana.page.get_by_label("Login", exact=True).fill("ana-buttons")
    assert await ana.page.evaluate("JSON.parse(localStorage.tertulia).last") == "", "whom one spoke with stays nowhere"
    await ana.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await ana.page.locator("form").get_by_role("button", name="Log in", exact=True).click()
    await ana.row("lobby").locator("a").click()
    await ana.type("good evening")
    await ben.hears("good evening")
    # Create, and the other enters.
    await ana.button("Back").click()
    await ana.choose("New", "Make a room…")
    await ana.page.get_by_label("Name", exact=True).fill("chess")
    await ana.button("Make the room").click()
    await ana.page.get_by_role("region", name="chess", exact=True).wait_for()
    await ben.list("Rooms")
    await ben.row("chess").locator("a").click()
    await ben.page.get_by_role("dialog").get_by_role("button", name="Enter, and leave lobby").click()
    await ben.page.get_by_role("region", name="chess", exact=True).wait_for()
    await ana.page.locator(".title .sub").filter(has_text="2 here").wait_for()
    await ben.type("your move")
    await ana.hears("your move")
    # The list with counts.
    await ana.list("Rooms")
    await ana.row("chess").locator(".online").filter(has_text=re.compile(r"^2 present$")).wait_for()
    # Leave.
    await ben.choose("More", "Leave the room")
    await ana.row("chess").locator(".online").filter(has_text=re.compile(r"^1 present$")).wait_for()
    # Users, and a private message to one of them.
    await ana.list("People")
    await ana.row("ben-buttons").locator("a").click()
    await ana.page.get_by_role("region", name="ben-buttons", exact=True).wait_for()
    await ana.type("just for you")
    await ben.list()
    await ben.row("ana-buttons").locator("a").click()
    await ben.hears("just for you")
    # Delete.
    await ana.list()
    await ana.row("chess").locator("a").click()
    await ana.choose("More", "Delete the room…", "Delete")
    await ana.row("lobby").wait_for()
    await expect(ana.row("chess")).to_have_count(0)


async def test_all_that_was_assigned_is_done_by_commands(shared: Servers, visit: Opener) -> None:
    ana, ben = await visit(shared, **SMALL_PHONE), await visit(shared)
    await ana.arrive("ana-typed")
    await ben.arrive("ben-typed")
    await ana.into("#cR typed")
    await ben.into("#gR typed")
    await ben.type("in it")
    await ana.hears("in it")
    await ana.type("#lR")
    await ana.answered(re.compile(r"typed\D*2"))
    await ana.type("#show users")
    await ana.answered("ben-typed")
    await ben.type("#eR")
    await ben.page.get_by_role("region", name="lobby", exact=True).wait_for()
    await ana.type(r"#\private<ben-typed> between us")
    await ben.list()
    await ben.row("ana-typed").locator("a").click()
    await ben.hears("between us")
    await ana.turn("typed")
    await ana.type("#dR typed")
    await ana.page.get_by_role("region", name="typed", exact=True).wait_for(state="detached")
    await ben.turn("lobby")
    await ben.type("#lR")
    await ben.answered("lobby")
    assert "typed" not in await ben.page.locator(".note.answer").last.inner_text()
    await ben.type("#exit")
    await ben.choose("Log out")
    await ben.page.get_by_label("Password", exact=True).wait_for()
