"""Several people, and several devices of one: whatever one does, the others see, and agree on what is read."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import expect

from tests.browser.chromium import DESKTOP
from tests.browser.conftest import Opener, Servers
from tests.browser.terminal import Terminal
from tests.support.relays import nonce


async def test_phones_and_a_terminal_talk_in_one_room(shared: Servers, visit: Opener) -> None:
    ana, ben = await visit(shared), await visit(shared)
    await ana.arrive("ana-mixed")
    await ben.arrive("ben-mixed")
    await asyncio.to_thread(shared.broker.register, "cleo-mixed")
    terminal = await Terminal.started(shared.broker.address, "cleo-mixed", shared.directory / "cleo")
    try:
        await ana.into("#cR mixed")
        await ben.into("#gR mixed")
        terminal.says("/join mixed")
        await ana.page.locator(".title .sub").filter(has_text="3 here").wait_for()
        terminal.says("from the terminal")
        for app in (ana, ben):
            await app.hears("from the terminal")
        await ana.type("from ana's phone")
        await ben.hears("from ana's phone")
        await ben.type("from ben's phone")
        await ana.hears("from ben's phone")
        await terminal.hears("ana-mixed: from ana's phone")
        await terminal.hears("ben-mixed: from ben's phone")
    finally:
        await terminal.end()


async def test_what_one_does_to_a_message_the_other_sees(shared: Servers, visit: Opener) -> None:
    ana, ben = await visit(shared), await visit(shared, **DESKTOP)
    await ana.arrive("ana-doing")
    await ben.arrive("ben-doing")
    await ana.into("#cR doing")
    await ben.into("#gR doing")
    # Writing is seen by the other.
    await ana.composer.press_sequentially("What of")
    await ben.page.locator(".typing").filter(has_text="ana-doing is writing…").wait_for()
    await ana.type("What of tuesday, @ben-doing?")
    await ben.page.locator(".msg.mention").filter(has_text="What of tuesday").wait_for()
    # An answer.
    await ben.act("What of tuesday, @ben-doing?", "Reply")
    await ben.type("I can")
    await ana.message("I can").locator(".quoted").filter(has_text="What of tuesday").wait_for()
    # A reaction, and its end.
    await ana.act("I can", "React with 👍")
    chip = ben.message("I can").locator(".reactions .chip").filter(has_text="👍")
    await chip.filter(has_text="1").wait_for()
    await chip.click()
    await ana.message("I can").locator(".reactions .chip").filter(has_text="2").wait_for()
    # Said otherwise.
    await ben.act("I can", "Edit")
    await ben.type("I can from seven on")
    await ana.hears("I can from seven on")
    await ana.message("I can from seven on").locator(".marks").filter(has_text="edited").wait_for()
    assert not await ana.message("I can").count()
    # Found.
    await ana.button("Search").click()
    await ana.page.get_by_role("searchbox", name="Words").fill("seven")
    await ana.page.get_by_role("searchbox", name="Words").press("Enter")
    await ana.page.locator(".hits li").filter(has_text="I can from seven on").wait_for()
    await ana.page.get_by_role("complementary").get_by_role("button", name="Close").click()
    # Taken back.
    await ben.act("I can from seven on", "Take back")
    await ben.choose("Take back")
    await ana.page.locator(".body.gone").wait_for()
    assert not await ana.message("I can from seven on").count()


async def test_a_second_device_agrees_on_what_is_read(shared: Servers, visit: Opener) -> None:
    ben = await visit(shared)
    phone, desk = await visit(shared), await visit(shared, **DESKTOP)
    await ben.arrive("ben-read")
    await phone.arrive("ana-read", "lobby")
    await desk.arrive("ana-read", "lobby", new=False)
    await ben.type(r"#\private<ana-read> one")
    await ben.type(r"#\private<ana-read> two")
    await phone.list()
    for app in (phone, desk):
        await app.row("ben-read").locator(".badge").filter(has_text="2").wait_for()
    await phone.row("ben-read").locator("a").click()
    await phone.hears("one", "two")
    await desk.row("ben-read").locator(".badge").wait_for(state="detached")
    # And what one device writes the other shows as one's own.
    await phone.type("three")
    await desk.row("ben-read").locator("a").click()
    await desk.hears("one", "two", "three")
    # A session that is ended from another device is over there.
    await desk.page.evaluate("location.hash = '#/settings/sessions'")
    await desk.button("End").click()
    await desk.choose("End it")
    await phone.page.get_by_text(re.compile("This session was ended from another device|You are logged out")).wait_for()


async def test_an_address_of_a_message_leads_there_from_a_cold_start(shared: Servers, visit: Opener) -> None:
    ana = await visit(shared)
    await ana.arrive("ana-deep")
    await ana.into("#cR deep")
    places = [
        (await ana.request("send", room="deep", text=f"message {number}", nonce=nonce()))["seq"] for number in range(90)
    ]
    for number in (3, 70):
        await ana.page.goto("about:blank")
        await ana.page.goto(f"/#/talk/deep/{places[number]}")
        await expect(ana.message(f"message {number}")).to_be_in_viewport()
        await expect(ana.page.get_by_text("That message is not there any more.")).to_have_count(0)


async def test_what_was_found_is_found_again_when_one_was_looked_at(shared: Servers, visit: Opener) -> None:
    ana = await visit(shared)
    await ana.arrive("ana-finds")
    for room in ("attic", "cellar"):
        await ana.into(f"/create {room}")
        await ana.type(f"needles in the {room}")
        await ana.acknowledged(f"needles in the {room}")
    # From the list, in all conversations.
    await ana.list()
    await ana.page.get_by_role("searchbox", name="Search conversations").fill("needles")
    await ana.button("Search messages for: needles").click()
    hits = ana.page.locator(".hits button")
    await expect(hits).to_have_count(2)
    await hits.filter(has_text="attic").click()
    await ana.page.get_by_role("region", name="attic", exact=True).wait_for()
    await expect(ana.message("needles in the attic")).to_be_in_viewport()
    # And again from there: what was looked at is where one goes on.
    await ana.button("Search").click()
    await expect(hits).to_have_count(2)
    await expect(hits.filter(has_text="attic")).to_be_focused()
    await hits.filter(has_text="cellar").click()
    await expect(ana.message("needles in the cellar")).to_be_in_viewport()
    # Back leads to where one was, and then to the list. Who comes after her in this browser finds nothing of hers.
    await ana.button("Back").click()
    await ana.page.get_by_role("region", name="attic", exact=True).wait_for()
    await ana.list()
    await ana.log_out()
    await ana.page.get_by_label("Password", exact=True).wait_for()
    await ana.arrive("ben-finds")
    await ana.button("Search").click()
    await expect(ana.page.get_by_role("searchbox", name="Words")).to_be_focused()
    await expect(ana.page.get_by_role("searchbox", name="Words")).to_have_value("")
    await expect(hits).to_have_count(0)


async def test_beside_a_conversation_what_was_found_stays(shared: Servers, visit: Opener) -> None:
    ana = await visit(shared, **DESKTOP)
    await ana.arrive("ana-beside")
    await ana.into("/create shelf")
    for text in ("a book", "another book"):
        await ana.type(text)
        await ana.acknowledged(text)
    await ana.button("Search").click()
    await ana.page.get_by_role("searchbox", name="Words").fill("book")
    await ana.page.get_by_role("searchbox", name="Words").press("Enter")
    hits = ana.page.locator(".hits button")
    await expect(hits).to_have_count(2)
    for number in (1, 0):
        await hits.nth(number).click()
        await expect(hits.nth(number)).to_have_attribute("aria-current", "true")
    await expect(hits).to_have_count(2)


async def test_whoever_logs_in_next_is_shown_nothing_of_whom_was_here(shared: Servers, visit: Opener) -> None:
    """Also in a page that was open, at a conversation that both have, with words that were not sent."""
    ana, ben = await visit(shared), await visit(shared)
    await ana.arrive("ana-first")
    await ana.into("/create club --keep")
    await ana.type("of all")
    await ana.acknowledged("of all")
    await ben.arrive("ben-second")
    await ben.into("/join club")
    await ana.context.set_offline(True)
    await ana.type("of ana alone")
    await ana.page.get_by_text("1 message waits.").wait_for()
    await ana.composer.fill("half of ana")
    await ben.enter("ben-second", into=ana.context)
    await ana.context.set_offline(False)
    await expect(ana.page.locator(".side .self b")).to_have_text("ben-second")
    await ana.turn("club")
    await expect(ana.message("of all")).to_be_visible()
    await expect(ana.composer).to_have_value("")
    await expect(ana.message("of ana alone")).to_have_count(0)
    assert await ana.page.evaluate("JSON.parse(localStorage.tertulia).login") == "ben-second"
    await ana.type("of ben")
    await ben.hears("of ben")
    await expect(ben.message("of ana alone")).to_have_count(0)


async def test_a_room_that_was_made_anew_is_the_one_that_is_in_view(shared: Servers, visit: Opener) -> None:
    ana, desk, ben = await visit(shared), await visit(shared), await visit(shared)
    await ben.arrive("ben-anew")
    await ben.into("/create anew --keep")
    await ana.arrive("ana-anew")
    await ana.into("/join anew")
    await ben.type("of the first room")
    await ana.hears("of the first room")
    await desk.arrive("ana-anew", new=False)
    await ana.context.set_offline(True)
    await ana.composer.fill("for the first room")
    await ben.type("/delete anew")
    await ben.page.get_by_role("region", name="anew", exact=True).wait_for(state="detached")
    await ben.turn("lobby")
    await ben.into("/create anew --keep")
    await desk.into("/join anew")
    await ana.context.set_offline(False)
    await ana.live()
    await expect(ana.message("of the first room")).to_have_count(0)
    await expect(ana.composer).to_have_value("")
    await ana.page.get_by_text("so this was not sent: for the first room").wait_for()
    await ben.type("of the second room")
    await ana.hears("of the second room")
    await ana.type("seen at once")
    await ana.hears("seen at once")
    await ben.hears("seen at once")


async def test_the_words_of_an_edit_are_told_when_its_room_goes(shared: Servers, visit: Opener) -> None:
    ana, ben = await visit(shared), await visit(shared)
    await ben.arrive("ben-edit")
    await ben.into("/create going --keep")
    await ana.arrive("ana-edit")
    await ana.into("/join going")
    await ana.type("mine")
    await ana.acknowledged("mine")
    await ana.composer.press("ArrowUp")
    await expect(ana.composer).to_have_value("mine")
    await ana.composer.fill("mine, and three more sentences")
    await ben.type("/delete going")
    await ana.page.get_by_text("You wrote: mine, and three more sentences").wait_for()


async def test_who_could_be_invited_is_proposed(shared: Servers, visit: Opener) -> None:
    ana, ben = await visit(shared), await visit(shared)
    await ben.arrive("ben-invited")
    await ana.arrive("ana-invites")
    await ana.into("/create quiet --private")
    await ana.choose("More", "Invite somebody…")
    await expect(ana.page.locator("datalist option[value=ben-invited]")).to_have_count(1)
    await expect(ana.page.locator("datalist option[value=ana-invites]")).to_have_count(0)
    await ana.page.get_by_label("Login", exact=True).fill("ben-invited")
    await ana.button("Invite").click()
    await ben.page.get_by_text("ana-invites invites you to quiet.").first.wait_for(state="attached")


async def test_whoever_is_named_is_written_as_they_were_written(shared: Servers, visit: Opener) -> None:
    """With the sign; and a name that is written from right to left turns nothing else around."""
    ana, omar = await visit(shared), await visit(shared)
    await ana.arrive("ana-names")
    await ana.into("#cR names")
    await ana.type("ask @ben about it")
    await expect(ana.message("ask @ben about it")).to_be_visible()
    await omar.arrive("عمر")
    await omar.type("/join names")
    notice = ana.page.locator(".note.notice div").filter(has_text="came in")
    await expect(notice).to_contain_text("عمر")
    assert await notice.evaluate("(line) => getComputedStyle(line).direction") == "ltr"


async def test_words_for_a_room_that_is_gone_are_not_lost(shared: Servers, visit: Opener) -> None:
    ana, ben = await visit(shared), await visit(shared)
    await ben.arrive("ben-gone")
    await ben.into("/create gone --keep")
    await ana.arrive("ana-gone")
    await ana.into("/join gone")
    await ana.context.set_offline(True)
    await ana.type("dear all")
    await ana.page.get_by_text("1 message waits.").wait_for()
    await ben.type("/delete gone")
    await ben.page.get_by_role("region", name="gone", exact=True).wait_for(state="detached")
    await ana.context.set_offline(False)
    told = ana.page.get_by_role("alert").filter(has_text="so this was not sent: dear all")
    await told.wait_for()
    await told.get_by_role("button", name="Close").click()
