"""Commands that find something: words in all that was said, a message by its number, a conversation, a link.

Each takes the desk, its arguments by name and its flags (`client.tui.commands.ports.Action`). Must not know the screen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from client.language import _, ngettext
from client.tui.commands import amending
from client.tui.commands.opening import opener, run_beside
from client.tui.commands.ports import Desk
from client.tui.model import switching
from client.tui.text import clean, links
from client.tui.view.render import clock, same_day, short_day
from common import topics
from common.errors import NoSuchMessage
from common.messages import Hit, Search

Values = Mapping[str, str]
Flags = frozenset[str]

SHOWN_LINKS: Final = 50
AROUND: Final = 3
"""Messages shown before and after one that is gone to, where there is no screen to look at it."""
_FROM: Final = re.compile(r"(?:^|\s)from:@?(\S+)")


class Found:
    """What a search found, page by page."""

    def __init__(self, desk: Desk, query: str, log: str | None, sender: str | None) -> None:
        self._desk = desk
        self._asked = Search(query=query, log=log, sender=sender)
        self._hits: list[Hit] = []
        self.more = True

    @property
    def hits(self) -> Sequence[Hit]:
        """What was read of it so far, the newest first."""
        return self._hits

    async def read_more(self) -> None:
        """Read the next page. Raises `ChatError`."""
        asked = self._asked
        before = self._hits[-1].entry.seq if self._hits else None
        page = await self._desk.chat.request(
            Search(query=asked.query, log=asked.log, sender=asked.sender, before=before)
        )
        self._hits += page.hits
        self.more = page.more and bool(page.hits)


def talk_of(desk: Desk, hit: Hit) -> str:
    """The conversation in which something was found."""
    return desk.model.home(hit.log, hit.entry)


async def search(desk: Desk, values: Values, flags: Flags) -> None:
    """`/search`: words, in everything that one may read; `from:ana` for those of one person."""
    words = values["words"]
    sender = _FROM.search(words)
    if sender is not None:
        words = _FROM.sub(" ", words).strip()
    here = desk.model.here
    log = amending.log_of(desk, here) if "--here" in flags else None
    found = Found(desk, words, log, sender[1] if sender else None)
    await found.read_more()
    title = _("Found: {words}").format(words=values["words"])
    if not found.hits:
        desk.tell(_("Nothing was found for: {words}").format(words=values["words"]))
    elif desk.screen is not None:
        desk.screen.choose(title, found)
    else:
        desk.tell(title, *(in_a_line(desk, hit) for hit in found.hits))
        if found.more:
            desk.tell(_("There are older ones; search for more words to find fewer."))


def in_a_line(desk: Desk, hit: Hit) -> str:
    """What was found, in a line: where it can be gone to, when, who, what."""
    talk, entry = talk_of(desk, hit), hit.entry
    where = talk if talk.startswith(topics.INBOX) else f"#{talk}"
    said = " ".join(entry.text.split())
    # What is of today has room for more of its words.
    when = clock(entry.time) if same_day(entry.time, desk.model.now) else f"{short_day(entry.time)} {clock(entry.time)}"
    return f"{where} ^{entry.seq} {when} {entry.sender}: {said}"


async def go_to_message(desk: Desk, values: Values, flags: Flags) -> None:
    """`/goto`: to a message by its number, however long ago it was said."""
    given = values["message"].removeprefix("^")
    if not given.isdigit():
        record = await amending.meant(desk, values)
        if record is None:
            return
    else:
        record = await desk.around(int(given))
    if desk.screen is not None:
        desk.screen.look_at(record)
        return
    shown = desk.model.here.shown
    at = shown.find(record.id)
    if at is None:
        raise NoSuchMessage
    near = [shown[index] for index in range(max(0, at - AROUND), min(len(shown), at + AROUND + 1))]
    desk.tell(*(amending.numbered(each) for each in near if each.kind == "message" and each.seq))


async def go(desk: Desk, values: Values, flags: Flags) -> None:
    """`/go`: to a conversation by its number, or by some letters of its name."""
    text = values.get("name", "")
    order = desk.model.order
    if not text and desk.screen is not None:
        desk.screen.switch()
        return
    if text.isdigit() and 1 <= int(text) <= len(order):
        desk.show(order[int(text) - 1].log)
        return
    known = desk.model.find(text.removeprefix("#"))
    found = [known] if known is not None else switching.matching(order, text)
    if found:
        desk.show(found[0].log)
        if desk.screen is None:
            desk.tell(_("You write to {name} now.").format(name=found[0].title))
    else:
        desk.complain(_("No room or person here is called {name}; /join goes into a room.").format(name=text))


async def open_link(desk: Desk, values: Values, flags: Flags) -> None:
    """`/open`: a link of this conversation by the number that stands beside it; without one, the newest."""
    numbers = desk.links
    newest = next(links.within(desk.model.here.shown), None)
    link = numbers.link(int(values["number"])) if "number" in values else newest
    if link is None:
        desk.complain(_("There is no such link here; /links shows those there are."))
        return
    await open_address(desk, link)


async def open_address(desk: Desk, link: str) -> None:
    """Open a link in what this machine opens links with; where there is nothing, show it."""
    address = links.target(link)
    program = opener()
    if not address:
        desk.complain(_("That is no address that can be opened: {link}").format(link=clean.line(link)))
    elif program is not None and await run_beside([*program, address]):
        desk.tell(_("Opened {address}").format(address=address))
    elif desk.screen is not None:
        desk.screen.copy(address)
        desk.tell(_("Nothing here opens links; it is on the clipboard: {address}").format(address=address))
    else:
        desk.tell(address)


async def list_links(desk: Desk, values: Values, flags: Flags) -> None:
    """`/links`: the links of this conversation, the newest first."""
    numbers = desk.links
    found = list(dict.fromkeys(links.within(desk.model.here.shown)))[:SHOWN_LINKS]
    lines = [f"{numbers.number(link):>4}  {link}" for link in found]
    many = ngettext("One link here; /open <number> opens it:", "{n} links here; /open <number> opens one:", len(lines))
    desk.tell(*([many.format(n=len(lines)), *lines] if lines else [_("There are no links here.")]))
