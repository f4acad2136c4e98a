"""Reading from the broker what the updates do not bring: members, and what was said before.

Must not know how anything is shown, nor when something is to be read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from client.link.updates import Arrived, Update
from client.tui import asking
from client.tui.conversations import Conversation
from client.tui.ports import Chat
from client.tui.state import Model
from common import topics
from common.errors import ChatError
from common.messages import History

FIRST_PAGE: Final = 100
"""Messages read when a conversation is opened: a few windows' worth."""

OLDER_PAGE: Final = 200
TRIES: Final = 5
"""Pages of an inbox read in search of one person's messages, for one turn of PgUp."""


class Reading:
    """Brings pages of logs, and lists of members, into a model."""

    def __init__(self, chat: Chat, model: Model) -> None:
        self._chat = chat
        self._model = model
        self.failed: set[str] = set()
        """Logs whose newest page could not be read; to be tried again when the link is back."""

    async def newest(self, log: str) -> None:
        """Read who is in a room and what was said last; again when the link is back, if it broke."""
        talk = self._model.find(log)
        if talk is None and log != topics.inbox(self._model.me):
            self.failed.discard(log)  # left meanwhile
            return
        try:
            if talk is not None and talk.view is not None and talk.view.id:
                talk.took_members([member async for member in asking.every_member(self._chat, log)])
            if talk is None or not talk.loaded:
                await self._page(log, None, FIRST_PAGE)
                if talk is not None:
                    talk.loaded = True
            self.failed.discard(log)
        except ChatError:
            self.failed.add(log)

    async def missed(self, log: str, after: int, take: Callable[[Update], None]) -> None:
        """Read what was dropped because this program lagged behind."""
        more = True
        while more:
            page = await self._chat.request(History(log=log, after=after))
            for entry in page.entries:
                take(Arrived(log, entry, replayed=True))
                after = entry.seq
            more = page.more and bool(page.entries)

    async def _page(self, log: str, oldest: int | None, limit: int) -> int:
        """Read a page of what was said up to `oldest`. Returns how many records it brought to its conversation."""
        own = topics.inbox(self._model.me)
        before = None if oldest is None else oldest + 1
        page = await self._chat.request(History(log=own if log.startswith("@") else log, before=before, limit=limit))
        return self._model.took_page(own if log.startswith("@") else log, page.entries, before, page.more)

    async def older(self, talk: Conversation, count: int) -> None:
        """Bring in about `count` older messages of a conversation. Raises `ChatError`."""
        if talk.loading or not talk.more:
            return
        talk.loading = True
        held, tries = len(talk.records), TRIES if talk.private else -(-count // OLDER_PAGE)
        try:
            while tries > 0 and talk.more and len(talk.records) - held < count:
                tries -= 1
                limit = OLDER_PAGE if talk.private else min(count, OLDER_PAGE)
                await self._page(talk.log, talk.records.oldest, limit)
        finally:
            talk.loading = False
