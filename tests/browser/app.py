"""What people do in the app, by what they see: one place that knows its labels and roles. Must not know its insides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from tests.browser.chromium import Watched
from tests.support.gateway import PASSWORD

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Locator

FIELDS: Final = {"first_names": "Ana María", "surnames": "Ruiz Soto", "age": 34, "gender": "female"}

REQUEST: Final = """
(request) => new Promise((resolve, reject) => {
  const socket = new WebSocket(`ws://${location.host}/ws?lang=en`, "tertulia.1");
  socket.onopen = () => socket.send(JSON.stringify({ op: "hello", id: 1, run: null, cursors: {} }));
  socket.onclose = () => reject(new Error("closed"));
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.id === 1) socket.send(JSON.stringify(request));
    if (frame.id !== 2 || frame.ok === undefined) return;
    resolve(frame);
    socket.close();
  };
})
"""


class App:
    """One person's browser."""

    def __init__(self, watched: Watched, url: str) -> None:
        self.watched = watched
        self.context = watched.context
        self.page = watched.page
        self.url = url

    # Ways in and out

    async def arrive(
        self, login: str, room: str = "lobby", *, new: bool = True, fields: Mapping[str, object] = FIELDS
    ) -> None:
        """Be logged in without the forms, which have a test of their own, and look at a room."""
        await self.enter(login, fields if new else None)
        # What the forms leave behind: whose conversations to show before the broker has answered.
        await self.page.goto("/manifest.webmanifest")
        await self.page.evaluate("(login) => { localStorage.tertulia = JSON.stringify({ login }); }", login)
        await self.look(room)

    async def enter(
        self, login: str, fields: Mapping[str, object] | None = None, *, into: BrowserContext | None = None
    ) -> None:
        """Log in, or register with `fields`, beside the pages of this browser, or of another one."""
        answer = await (into or self.context).request.post(
            f"/api/{'login' if fields is None else 'register'}",
            data={**(fields or {}), "login": login, "password": PASSWORD, "keep": True, "lang": "en"},
            headers={"Origin": self.url},
        )
        assert answer.ok, await answer.text()

    async def look(self, key: str) -> None:
        """Open a conversation by its address, and wait until it is there."""
        await self.page.goto("/")
        await self.turn(key)

    async def request(self, op: str, **fields: object) -> dict[str, Any]:
        """Ask the broker something over a socket of this page's own making, as any script of the page could."""
        said: dict[str, Any] = await self.page.evaluate(REQUEST, {"op": op, "id": 2, **fields})
        assert said["ok"], said
        return said

    async def turn(self, key: str) -> None:
        """Turn to a conversation within the page, by its address."""
        await self.page.evaluate("(key) => { location.hash = '#/talk/' + encodeURIComponent(key); }", key)
        await self.page.get_by_role("region", name=key.removeprefix("@"), exact=True).wait_for()
        await self.live()

    async def live(self) -> None:
        """Wait until the page hears of the broker: what is asked now is answered."""
        await self.page.locator(".link-bar[data-state=live]").wait_for(state="attached")

    # Talking

    @property
    def composer(self) -> Locator:
        """Where one writes."""
        return self.page.get_by_role("textbox", name="Message", exact=True)

    async def type(self, text: str) -> None:
        """Write a line and send it, by the button as on a phone."""
        await self.composer.fill(text)
        await self.page.get_by_role("button", name="Send", exact=True).click()

    async def into(self, command: str) -> None:
        """Write a command that leads into the room it names first, and wait until that is in view."""
        await self.type(command)
        await self.page.get_by_role("region", name=command.split()[1], exact=True).wait_for()

    def message(self, text: str) -> Locator:
        """The message that says exactly that."""
        return self.page.locator(".msg").filter(has=self.page.locator(".body").get_by_text(text, exact=True))

    async def hears(self, *texts: str) -> None:
        """Wait until each of these has come."""
        for text in texts:
            await self.message(text).first.wait_for()

    async def acknowledged(self, *texts: str) -> None:
        """Wait until each of these is on the broker's disk."""
        for text in texts:
            await self.page.locator(".msg.sent").filter(has_text=text).first.wait_for()

    async def texts(self) -> list[str]:
        """What the messages say that are drawn, in order."""
        return [text.strip() for text in await self.page.locator(".msg .body").all_inner_texts()]

    async def answered(self, text: str | re.Pattern[str]) -> None:
        """Wait until a command has been answered so."""
        await self.page.locator(".note.answer").filter(has_text=text).first.wait_for()

    async def act(self, text: str, what: str) -> None:
        """Choose what to do to a message, from its menu."""
        message = self.message(text).first
        await message.click(button="right", position={"x": 5, "y": 5})
        await self.page.get_by_role("dialog", name="Actions").get_by_role("button", name=what, exact=True).click()

    # The rest of the screen

    def button(self, name: str) -> Locator:
        """A button by its words."""
        return self.page.get_by_role("button", name=name, exact=True)

    def row(self, name: str) -> Locator:
        """A row of the list that is shown: a conversation, a room, somebody."""
        named = self.page.locator("b bdi").filter(has_text=re.compile(f"^{re.escape(name)}$"))
        return self.page.locator(".side li").filter(has=named)

    async def list(self, view: str = "Conversations") -> None:
        """Turn to one of the three lists."""
        if not await self.page.locator(".side .tabs").is_visible():
            await self.button("Back").click()
        await self.page.locator(".side .tabs").get_by_role("link", name=view, exact=True).click()

    async def log_out(self) -> None:
        """By the settings."""
        await self.choose("Settings", "Log out")
        question = self.page.get_by_role("dialog", name="Log out?", exact=True)
        await question.get_by_role("button", name="Log out", exact=True).click()

    async def choose(self, *names: str) -> None:
        """Press buttons one after another, the last ones in the menus or dialogs that the first ones open."""
        for name in names:
            top = self.page.locator("dialog[open]").last
            within = top if await top.count() else self.page
            pressed = within.locator("button, a").filter(visible=True)
            words = pressed.filter(has_text=re.compile(rf"^\s*{re.escape(name)}\s*$"))
            named = pressed.and_(within.get_by_label(name, exact=True)).or_(words)
            await named.first.click()
