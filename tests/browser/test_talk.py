"""A conversation as it is read and written, in a real browser, around a chat without a broker.

What the gateway and the broker have to do with it is tried in the journeys. No server runs here: the browser is given
the files by the test.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest_asyncio
from playwright.async_api import expect

from client.tui.text import emoji
from client.web.facts import facts
from tests.browser.chromium import DESKTOP, SMALL_PHONE, holds, opened

ROOT = Path(__file__).parents[2]
URL = "https://talk.test"
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".png": "image/png"}
PAGE = """<!doctype html><html lang="en"><title>Talk</title><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content">
<link rel="stylesheet" href="/client/web/browser/css/base.css">
<link rel="stylesheet" href="/client/web/browser/css/talk.css">
<script type="module" src="/tests/browser/unit/conversations.js"></script><body></body></html>"""

Show = Callable[..., Awaitable[Any]]
"""`await show(query, **options of the context)`: the page, with the lobby in view."""

IN_VIEW = """() => {
  const log = document.querySelector(".log");
  const { top, bottom } = log.getBoundingClientRect();
  const all = [...log.querySelectorAll(".row")].map((row) => [row.textContent, row.getBoundingClientRect()]);
  const seen = all.filter(([, at]) => at.bottom > top + 60 && at.top < bottom - 60);
  return seen.map(([text, at]) => [text, Math.round(at.bottom)]);
}"""
"""The rows in view: what they say, and where they end."""


async def _give(route: Any) -> None:
    path = route.request.url.removeprefix(URL).partition("?")[0]
    file = ROOT / path.lstrip("/")
    headers = {"Content-Security-Policy": POLICY}
    if path == "/":
        await route.fulfill(body=PAGE, content_type="text/html", headers=headers)
    elif path.startswith("/facts/"):
        told = emoji.table() if path.endswith("/emoji.json") else facts("en")
        await route.fulfill(body=json.dumps(told), content_type="application/json")
    elif file.is_file():
        await route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix], headers=headers)
    else:
        await route.fulfill(status=404)


@pytest_asyncio.fixture(loop_scope="session")
async def show(chromium: Any) -> AsyncIterator[Show]:
    faults: list[str] = []
    closing: list[Any] = []

    async def show_(query: str = "", **options: Any) -> Any:
        opening = opened(chromium, URL, **(options or SMALL_PHONE))
        watched = await opening.__aenter__()
        closing.append(opening)
        watched.faults = faults
        await watched.context.route("**/*", _give)
        await watched.page.goto(f"/?{query}#/talk/lobby")
        await watched.page.locator(".row").first.wait_for()
        return watched.page

    yield show_
    for opening in closing:
        await opening.__aexit__(None, None, None)
    assert faults == []


async def _settled(page: Any) -> None:
    """Two frames later, when what was to be drawn is drawn."""
    await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


async def _scroll(page: Any, pixels: int) -> None:
    await page.evaluate("(pixels) => { document.querySelector('.log').scrollTop = -pixels }", pixels)
    await _settled(page)


async def test_few_of_many_messages_are_in_the_document_and_all_can_be_reached(show: Show) -> None:
    page = await show("entries=10000")
    assert await page.locator(".row").count() < 150
    first = await page.evaluate("chat.talks.get('lobby').entries[0].seq")
    await page.evaluate("(seq) => shell.show('lobby', { seq })", first)
    await page.get_by_text("The beginning of the room.").wait_for()
    assert await page.locator(".row").count() < 150
    await page.get_by_role("button", name="To the end").click()
    await page.get_by_text("is late again see you").last.wait_for()
    assert await page.evaluate("document.querySelector('.log').scrollTop") == 0


async def test_what_is_pressed_stands_until_it_is_let_go(show: Show) -> None:
    """A list or a title that is drawn anew under a finger would take the click with it."""
    page = await show("", **DESKTOP)
    for pressed, shown in ((".places a:has-text('bob')", "bob"), (".places a:has-text('lobby')", "lobby")):
        box = await page.locator(pressed).first.bounding_box()
        await page.mouse.move(box["x"] + 60, box["y"] + box["height"] / 2)
        await page.mouse.down()
        await page.evaluate("(of) => ['lobby', '@bob'].forEach((key) => chat.hear(key, 'bob', `news of ${of}`))", shown)
        await _settled(page)
        await page.mouse.up()
        await page.get_by_role("region", name=shown, exact=True).wait_for()
        # What was held back is drawn.
        await page.locator(".places a").filter(has_text=f"news of {shown}").wait_for()
    box = await page.locator(".title .name").bounding_box()
    await page.mouse.move(box["x"] + 10, box["y"] + 5)
    await page.mouse.down()
    await page.evaluate("chat.dispatchEvent(new CustomEvent('talk', { detail: { key: 'lobby', what: 'view' } }))")
    await _settled(page)
    await page.mouse.up()
    await page.locator(".aside, dialog[open]").first.wait_for()


async def test_nothing_that_is_read_moves(show: Show) -> None:
    page = await show("entries=400&hold=120")
    await _scroll(page, 2500)
    before = await page.evaluate(IN_VIEW)
    assert len(before) > 3
    # Older ones are loaded above, others come below, and one below grows.
    await page.evaluate("chat.older('lobby')")
    await page.evaluate("for (let i = 0; i < 5; i++) chat.hear('lobby', 'bob', 'news '.repeat(40))")
    await page.evaluate("chat.changed(chat.talks.get('lobby').entries.at(-8), { text: 'much more '.repeat(60) })")
    await _settled(page)
    after = await page.evaluate(IN_VIEW)
    assert [text for text, _ in after] == [text for text, _ in before]
    assert all(abs(now - then) <= 1 for (_, now), (_, then) in zip(after, before, strict=True))
    await page.get_by_role("button", name="5 new messages").wait_for()


async def test_scrolling_up_and_down_again_leads_to_the_same_place(show: Show) -> None:
    page = await show("entries=3000")
    await _scroll(page, 1200)
    before = await page.evaluate(IN_VIEW)
    for step in [*range(1200, 9000, 300), *range(9000, 1100, -300)]:
        await _scroll(page, step)
        assert await page.evaluate(IN_VIEW), f"nothing is drawn at {step}"
    assert [text for text, _ in await page.evaluate(IN_VIEW)] == [text for text, _ in before]


async def test_at_the_end_one_stays_there(show: Show) -> None:
    page = await show()
    await page.evaluate("for (let i = 0; i < 30; i++) chat.hear('lobby', 'bob', `line ${i}`)")
    await page.get_by_text("line 29", exact=True).wait_for()
    assert await page.evaluate("document.querySelector('.log').scrollTop") == 0
    await page.set_viewport_size({"width": 360, "height": 320})  # the keyboard comes up
    await _settled(page)
    last = await page.get_by_text("line 29", exact=True).bounding_box()
    assert last is not None
    assert last["y"] + last["height"] < 320


async def test_a_long_answer_is_read_from_its_beginning(show: Show) -> None:
    page = await show()
    await page.get_by_role("textbox", name="Message").fill("/help")
    await page.get_by_role("button", name="Send").click()
    away = page.get_by_role("button", name="Put away")
    await away.wait_for()
    await _settled(page)
    at = await away.bounding_box()
    assert at is not None
    assert 0 < at["y"] < 200
    await away.click()
    await away.wait_for(state="detached")


async def test_who_says_what_and_when_is_the_name_of_a_message(show: Show) -> None:
    page = await show()
    await page.evaluate("chat.hear('lobby', 'bob', 'first'); chat.hear('lobby', 'bob', 'second')")
    for text in ("first", "second"):
        await page.get_by_role("article", name=re.compile(rf"^bob, \d\d:\d\d.*: {text}$")).wait_for()


async def test_the_message_that_the_arrows_lead_to_is_seen(show: Show) -> None:
    page = await show()
    await page.locator(".log").focus()
    await page.keyboard.press("ArrowUp")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert await page.evaluate(f"[document.activeElement.role, {outline}]") == ["article", "solid"]


async def test_nothing_moves_when_a_message_has_arrived(show: Show) -> None:
    page = await show()
    await page.evaluate("chat.post('lobby', 'one')")
    await page.locator(".msg.sent").last.filter(has_text="one").wait_for()
    heights = await page.evaluate(
        """async () => {
          chat.post('lobby', 'two');
          const height = () => [...document.querySelectorAll('.msg')].at(-1).offsetHeight;
          const pending = document.querySelector('.msg.pending') && height();
          while (document.querySelector('.msg.pending')) await new Promise(requestAnimationFrame);
          return [pending, height()];
        }"""
    )
    assert heights[0] == heights[1]


async def test_older_messages_are_loaded_when_one_comes_near(show: Show) -> None:
    page = await show("entries=300&hold=80")
    for _ in range(200):
        await _scroll(page, 10**7)
        if await page.get_by_text("The beginning of the room.").is_visible():
            break
    await page.get_by_text("The beginning of the room.").wait_for()
    assert await page.evaluate("chat.talks.get('lobby').entries.length") == 300
    assert await page.evaluate("chat.asked") == 5


async def test_read_is_what_is_seen_at_the_end(show: Show) -> None:
    page = await show()
    await _scroll(page, 2000)
    await page.evaluate("chat.reads.length = 0; chat.hear('lobby', 'bob', 'unseen')")
    await _settled(page)
    assert await page.evaluate("chat.reads") == []
    await page.get_by_role("button", name="1 new message").click()
    await holds(page, "chat.reads.length === 1")
    assert await page.evaluate("chat.reads[0] === chat.talks.get('lobby').head")
    assert await page.get_by_text("1 unread").count() == 1


async def test_a_search_hit_is_shown_in_context(show: Show) -> None:
    page = await show("entries=500&hold=80", **DESKTOP)
    seq = await page.evaluate("(chat.kept[200].text = 'needle in the hay', chat.kept[200].seq)")
    await page.evaluate("(seq) => shell.show('lobby', { seq })", seq)
    hit = page.locator(".row.found")
    await hit.wait_for()
    assert "needle" in await hit.inner_text()
    assert await page.evaluate("document.activeElement.matches('.row.found')")
    assert len(await page.evaluate(IN_VIEW)) > 5


async def test_hostile_texts_are_shown_and_do_nothing(show: Show) -> None:
    page = await show()
    texts = {
        "<img src=x onerror=alert(1)>": "<img src=x onerror=alert(1)>",
        "javascript:alert(1) https://example.org/\u202egpj.exe": "javascript:alert(1) https://example.org/\ufffdgpj.exe",
        "\x1b[31m\x07bell": "\u241b[31m\u2407bell",
        "Z" + "\u0301" * 4000: "Z\u0301\u0301\u0301",
    }
    for text, shown in texts.items():
        await page.evaluate("(text) => chat.hear('lobby', 'mallory', text)", text)
        await page.locator(".row .body").last.filter(has_text=shown).wait_for()
    await page.evaluate("chat.hear('lobby', 'mallory', 'W'.repeat(8000))")
    await page.get_by_role("button", name="Show all").wait_for()
    wider = "document.querySelector('.log').scrollWidth > document.querySelector('.log').clientWidth"
    assert not await page.evaluate(wider)
    assert await page.locator(".row .msg img, .row .msg script").count() == 0
    found = [await link.get_attribute("href") for link in await page.locator(".row a").all()]
    assert all(address.startswith("https://example.org/") for address in found)
    await page.get_by_role("button", name="Show all").click()
    assert len(await page.locator(".row .body").last.inner_text()) == 8000


async def test_a_mistyped_command_stays_in_the_field(show: Show) -> None:
    page = await show()
    said = await page.evaluate("chat.talks.get('lobby').entries.length")
    field = page.get_by_label("Message", exact=True)
    await field.fill("/jion chess")
    await page.get_by_role("button", name="Send").click()
    await page.get_by_text("Did you mean /join <room>?").wait_for()
    assert await field.input_value() == "/jion chess"
    await field.fill("//join is how")
    await page.get_by_role("button", name="Send").click()
    await page.locator(".row .body").last.filter(has_text="/join is how").wait_for()
    assert await page.evaluate("chat.talks.get('lobby').entries.length") == said + 1


async def test_the_keyboard_alone_is_enough(show: Show) -> None:
    page = await show(**DESKTOP)
    field = page.get_by_label("Message", exact=True)
    await field.click()
    await page.keyboard.type("first line")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("second")
    await page.keyboard.press("Enter")
    await page.locator(".row .msg.sent .body").last.filter(has_text="second").wait_for()
    await page.keyboard.press("ArrowUp")
    assert await field.input_value() == "first line\nsecond"
    await page.keyboard.press("Escape")
    assert await field.input_value() == ""
    await page.locator(".log").focus()
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("r")
    await page.get_by_text("Answer to eva:").wait_for()
    await page.keyboard.type("yes")
    await page.keyboard.press("Enter")
    await page.locator(".row").last.get_by_role("button", name="In answer to eva").wait_for()


async def test_short_codes_are_shown_as_emoji(show: Show) -> None:
    page = await show()
    await page.evaluate("chat.hear('lobby', 'bob', 'well :smile: at 10:30:20')")
    await page.get_by_text("well 😄 at 10:30:20").wait_for()
    field = page.get_by_label("Message", exact=True)
    await field.fill("")
    await field.press_sequentially("so :thumbs")
    await page.get_by_role("option", name="👍 :thumbsup:").tap()
    assert await field.input_value() == "so :thumbsup: "


async def test_an_input_method_finishes_its_word_first(show: Show) -> None:
    page = await show(**DESKTOP)
    await page.get_by_label("Message", exact=True).fill("にほん")
    await page.evaluate(
        """() => document.querySelector('textarea').dispatchEvent(
        new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true }))"""
    )
    assert await page.get_by_label("Message", exact=True).input_value() == "にほん"
    await page.keyboard.press("Enter")
    await page.locator(".row .body").last.filter(has_text="にほん").wait_for()


async def test_what_failed_can_be_sent_again_or_given_up(show: Show) -> None:
    page = await show()
    await page.evaluate("chat.post('lobby', 'x /fail')")
    await page.get_by_role("button", name="Discard").wait_for()
    assert "Not sent: No." in await page.locator(".row").last.inner_text()
    await page.get_by_role("button", name="Try again").tap()
    await page.locator(".row .msg.sent").last.filter(has_text="x /fail").wait_for()
    await page.evaluate("chat.post('lobby', 'y /fail')")
    await page.get_by_role("button", name="Discard").tap()
    await page.get_by_text("y /fail").wait_for(state="detached")


async def test_a_long_press_offers_what_can_be_done(show: Show) -> None:
    page = await show()
    at = await page.locator(".row .msg .body").last.bounding_box()
    assert at is not None
    tools = await page.context.new_cdp_session(page)
    # The sheet comes up under the finger, which then goes up.
    finger = {"x": at["x"] + 9, "y": at["y"] + 9}
    await tools.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [finger]})
    sheet = page.get_by_role("dialog", name="Actions")
    await sheet.wait_for()
    await tools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await _settled(page)
    await sheet.get_by_role("button", name="React with 🎉").tap()
    chip = page.locator(".row").last.get_by_role("button", name="🎉, 1 person")
    assert await chip.get_attribute("aria-pressed") == "true"
    await chip.tap()
    await chip.wait_for(state="detached")


async def test_one_begins_to_read_where_the_unread_begin(show: Show) -> None:
    page = await show("entries=300&hold=200&unread=60")
    first = page.locator(".row", has=page.locator(".unreadline"))
    await first.wait_for()
    await holds(page, "document.querySelector('.log').scrollTop < -1000")
    await _settled(page)
    log, row = await page.locator(".log").bounding_box(), await first.bounding_box()
    assert log["y"] - 1 <= row["y"] < log["y"] + 40
    assert await page.evaluate("[chat.talks.get('lobby').unread, chat.reads]") == [60, []]
    await page.get_by_role("button", name="60 new messages").click()
    await holds(page, "chat.talks.get('lobby').unread === 0")


async def test_unread_messages_before_what_is_loaded_are_fetched_to_begin_there(show: Show) -> None:
    page = await show("entries=300&hold=40&unread=90")
    await page.locator(".row .unreadline").wait_for()
    await holds(page, "document.querySelector('.log').scrollTop < -1000")
    assert await page.evaluate("chat.reads") == []


async def test_a_line_shows_where_the_unread_begin(show: Show) -> None:
    page = await show()
    await page.evaluate("shell.show('ajedrez')")
    line = page.locator(".unreadline")
    assert await line.inner_text() == "4 unread"
    await holds(page, "chat.talks.get('ajedrez').unread === 0")
    assert await line.is_visible()
    await page.evaluate("chat.post('ajedrez', 'mine')")
    await line.wait_for(state="detached")


UNSENT = """(many) => {
  window.seen = [];
  for (let n = 0; n < many; n++) {
    const text = `words ${n} that could not be sent, and were not few`;
    const detail = { key: "plans", kind: "unsent", text, drop: () => seen.push(n) };
    chat.dispatchEvent(new CustomEvent("notice", { detail }));
  }
}"""
"""So many posts of a room that one is not in any more; `seen`: which of them were put away."""


async def test_words_that_could_not_be_sent_stay_until_they_are_put_away(show: Show) -> None:
    """However many there are, and whatever else is told meanwhile; and the conversation is still to be seen."""
    page = await show()
    await page.evaluate(UNSENT, 6)
    toasts = page.locator(".toast")
    told = await page.evaluate("""() => {
      for (let n = 0; n < 5; n++) shell.toast(`news ${n}`);
      return [...document.querySelectorAll(".toast")].map((each) => each.textContent);
    }""")
    assert [words for words in told if words.startswith("news")] == ["news 2", "news 3", "news 4"]
    assert len(told) == 6 + 3
    box = await page.locator(".toasts").bounding_box()
    assert box["height"] <= 640 * 0.4
    for n in range(6):
        words = toasts.filter(has_text=f"words {n}")
        await words.get_by_role("button", name="Close").click()
        await expect(words).to_have_count(0)
    assert await page.evaluate("seen") == [0, 1, 2, 3, 4, 5]


REFUSED = """(text) => {
  const error = new Refusal({ code: "bad-text", message: "The broker takes no such text." });
  const [entry] = chat.talks.get("lobby").entries;
  const detail = { key: "lobby", kind: "refused", op: "edit", entry, text, error };
  chat.dispatchEvent(new CustomEvent("notice", { detail }));
}"""
"""The broker has refused an edit in the lobby."""


async def test_a_refused_edit_goes_back_into_the_field_or_stays_in_view(show: Show) -> None:
    """One of both, and it is told once: beside other words, or while one looks elsewhere, it would be lost."""
    page = await show("", **DESKTOP)
    field = page.get_by_label("Message", exact=True)
    toasts = page.locator(".toast")
    stays = toasts.filter(has=page.get_by_role("button", name="Copy text"))
    await page.evaluate(REFUSED, "the first")
    await expect(field).to_have_value("the first")
    await expect(toasts).to_have_text("The broker takes no such text.")
    await toasts.get_by_role("button", name="Close").click()

    await page.evaluate(REFUSED, "the second")
    await expect(toasts).to_have_count(1)
    await expect(stays).to_contain_text("The broker takes no such text.")
    await expect(stays).to_contain_text("the second")
    await expect(field).to_have_value("the first")
    await stays.get_by_role("button", name="Close").click()

    await field.fill("")
    await page.evaluate("shell.show('ajedrez')")
    await expect(page.get_by_placeholder("Message to #ajedrez")).to_be_visible()
    await page.evaluate(REFUSED, "the third")
    await expect(toasts).to_have_count(1)
    await expect(stays).to_contain_text("the third")
    await expect(field).to_have_value("")
    # Where it may not be copied it does not go, either.
    await page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    await stays.get_by_role("button", name="Copy text").click()
    await expect(toasts.filter(has_text="This browser does not allow copying.")).to_be_visible()
    await expect(stays).to_contain_text("the third")
    await page.evaluate("() => { navigator.clipboard.writeText = async (text) => { window.copied = text; }; }")
    await stays.get_by_role("button", name="Copy text").click()
    await expect(stays).to_have_count(0)
    assert await page.evaluate("copied") == "the third"


async def test_an_edit_or_an_answer_goes_on_where_one_left_it(show: Show) -> None:
    """Turning to another conversation and back is not giving up."""
    page = await show("", **DESKTOP)
    field = page.get_by_label("Message", exact=True)
    strip = page.locator(".strip")

    async def away_and_back() -> None:
        for key in ("ajedrez", "lobby"):
            await page.evaluate("(key) => shell.show(key)", key)
            await expect(page.get_by_placeholder(f"Message to #{key}")).to_be_visible()
            if key == "ajedrez":
                await expect(strip).to_be_hidden()
                await expect(field).to_have_value("")

    await field.fill("/reply ^eva")
    await field.press("Enter")
    await expect(strip).to_contain_text("Answer to eva:")
    await field.fill("yes")
    await away_and_back()
    await expect(strip).to_contain_text("Answer to eva:")
    await expect(field).to_have_value("yes")
    await field.press("Enter")
    await expect(page.locator(".row").last.get_by_role("button", name="In answer to eva")).to_be_visible()
    await away_and_back()
    await expect(strip).to_be_hidden()

    sent = page.locator(".row .msg.sent .body")
    await field.fill("see you at sevn")
    await field.press("Enter")
    await expect(sent.last).to_have_text("see you at sevn")
    await field.fill("and what I write now")
    own = page.locator(".row").last

    async def edit(text: str) -> None:
        await own.focus()
        await own.press("e")
        await expect(strip).to_contain_text("Edit:")
        await field.fill(text)

    await edit("see you at seven")
    await away_and_back()
    await expect(strip).to_contain_text("Edit:")
    await expect(field).to_have_value("see you at seven")
    await field.press("Enter")
    await expect(sent.last).to_have_text("see you at seven")
    await expect(field).to_have_value("and what I write now")

    await edit("never mind")
    await page.get_by_role("button", name="Give up").click()
    await away_and_back()
    await expect(strip).to_be_hidden()
    await expect(field).to_have_value("and what I write now")

    await edit("too late")
    await page.evaluate("shell.show('ajedrez')")
    # Taken back meanwhile, on another device.
    await page.evaluate("chat.changed(chat.talks.get('lobby').entries.at(-1), { retracted: true, text: '' })")
    await page.evaluate("shell.show('lobby')")
    await expect(page.get_by_placeholder("Message to #lobby")).to_have_value("and what I write now")
    await expect(strip).to_be_hidden()
    await expect(page.get_by_role("alert")).to_contain_text("is not there any more. You wrote: too late")


async def test_nobody_logs_out_with_words_unsent_unasked(show: Show) -> None:
    """Neither by a command nor by the settings; what waits in another tab counts, too."""
    page = await show("", **DESKTOP)
    field = page.get_by_label("Message", exact=True)
    question = page.get_by_role("dialog", name="Log out?")
    ended = "() => { chat.addEventListener('ended', () => { window.ended = true; }); chat.elsewhere = 2; }"
    lost = "2 messages have not been sent yet and would be lost."
    await page.evaluate(ended)
    for command, also in (("/logout", "What is kept on this device"), ("#exit", "Rooms you made that are not kept go")):
        await field.fill(command)
        await field.press("Enter")
        await expect(question).to_contain_text(lost)
        await expect(question).to_contain_text(also)
        await question.get_by_role("button", name="Cancel").click()
        await expect(question).to_have_count(0)
    await page.evaluate("shell.open('settings')")
    # Pressed twice it asks once.
    await page.get_by_role("button", name="Log out").evaluate("(button) => { button.click(); button.click(); }")
    await expect(question).to_contain_text(lost)
    await question.get_by_role("button", name="Cancel").click()
    await expect(question).to_have_count(0)
    assert await page.evaluate("window.ended") is None

    await page.evaluate("chat.elsewhere = 0")
    await page.evaluate("shell.show('lobby')")
    await field.fill("#exit")
    await field.press("Enter")
    await expect(question).to_contain_text("Rooms you made that are not kept go")
    await expect(question).not_to_contain_text("would be lost")
    await question.get_by_role("button", name="Cancel").click()
    await field.fill("/logout")
    await field.press("Enter")
    await holds(page, "window.ended")
    await expect(question).to_have_count(0)


async def test_a_draft_that_the_disk_gives_late_is_gone_on_with(show: Show) -> None:
    page = await show()
    late = """() => {
      chat.talks.get('lobby').draft = 'half a sen';
      chat.dispatchEvent(new CustomEvent('talk', { detail: { key: 'lobby', what: 'draft' } }));
    }"""
    await page.evaluate(late)
    await expect(page.locator("textarea")).to_have_value("half a sen")
    await page.locator("textarea").fill("typed since")
    await page.evaluate(late)
    await expect(page.locator("textarea")).to_have_value("typed since")


async def test_a_draft_that_the_disk_gives_late_waits_for_the_end_of_an_edit(show: Show) -> None:
    page = await show()
    await page.evaluate("chat.post('lobby', 'my own words')")
    await expect(page.locator(".row .msg.sent .body").last).to_have_text("my own words")
    await page.locator("textarea").press("ArrowUp")
    await expect(page.locator("textarea")).to_have_value("my own words")
    await page.evaluate(
        """() => {
          chat.talks.get('lobby').draft = 'half a sen';
          chat.dispatchEvent(new CustomEvent('talk', { detail: { key: 'lobby', what: 'draft' } }));
        }"""
    )
    await expect(page.locator("textarea")).to_have_value("my own words")
    await page.locator("textarea").press("Escape")
    await expect(page.locator("textarea")).to_have_value("half a sen")


async def test_a_count_says_that_there_are_more_also_of_what_one_person_wrote(show: Show) -> None:
    page = await show(**DESKTOP)
    await page.evaluate(
        """() => {
          Object.assign(chat.talks.get('@bob'), { unread: 3, mentions: 3, unreadMore: true });
          chat.dispatchEvent(new CustomEvent('talks'));
        }"""
    )
    await expect(page.locator(".places li", has_text="bob").locator(".badge")).to_contain_text("@3+")


async def test_targets_are_large_enough_for_fingers(show: Show) -> None:
    page = await show()
    small = await page.evaluate(
        """() => [...document.querySelectorAll('.talk .bar button, .composer button, .composer textarea, .to-end')]
        .filter((each) => each.checkVisibility()).map((each) => [each.ariaLabel, each.getBoundingClientRect()])
        .filter(([, at]) => at.width < 44 || at.height < 44).map(([label]) => label)"""
    )
    assert small == []
    assert await page.evaluate("parseFloat(getComputedStyle(document.querySelector('textarea')).fontSize)") >= 16
