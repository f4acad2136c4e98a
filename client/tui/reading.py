"""Reading from the broker what the updates do not bring: members, what was said before, and where something stands.

Must not know how anything is shown, nor when something is to be read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from client.link.updates import Arrived, Update
from client.tui import pages
from client.tui.commands import asking
from client.tui.commands.ports import Chat
from client.tui.model.conversations import Conversation
from client.tui.model.records import Record
from client.tui.model.state import Model
from common import topics
from common.errors import ChatError, NoSuchMessage
from common.messages import History

FIRST_PAGE: Final = 100
"""Messages read when a conversation is opened: a few windows' worth."""

OLDER_PAGE: Final = 200
TRIES: Final = 5
"""Pages of an inbox read in search of one person's messages, for one turn of PgUp."""
BEFORE_IT: Final = 60
"""Messages read before one that is gone to; as many as fill a window."""


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

    def _log(self, talk: Conversation) -> str:
        """Where what is said in a conversation stands."""
        return topics.inbox(self._model.me) if talk.private else talk.log

    async def _page(self, log: str, oldest: int | None, limit: int) -> int:
        """Read a page of what was said up to `oldest`. Returns how many records it brought to its conversation."""
        log = topics.inbox(self._model.me) if log.startswith(topics.INBOX) else log
        before = None if oldest is None else oldest + 1
        page = await self._chat.request(History(log=log, before=before, limit=limit))
        return pages.take(self._model, log, page.entries, before, page.more)

    async def older(self, talk: Conversation, count: int) -> None:
        """Bring in about `count` older messages of what is looked at. Raises `ChatError`."""
        if talk.loading or not talk.more:
            return
        talk.loading = True
        held, tries = len(talk.shown), TRIES if talk.private else -(-count // OLDER_PAGE)
        try:
            while tries > 0 and talk.more and len(talk.shown) - held < count:
                tries -= 1
                limit = OLDER_PAGE if talk.private else min(count, OLDER_PAGE)
                if talk.excerpt is None:
                    await self._page(talk.log, talk.records.oldest, limit)
                else:
                    before = (talk.excerpt.oldest or 0) + 1
                    page = await self._chat.request(History(log=self._log(talk), before=before, limit=limit))
                    pages.lengthen(self._model, talk, page.entries, page.more)
        finally:
            talk.loading = False

    async def newer(self, talk: Conversation) -> None:
        """Lengthen the excerpt that is looked at by what follows it. Raises `ChatError`."""
        excerpt = talk.excerpt
        if excerpt is None or talk.loading:
            return
        talk.loading = True
        try:
            page = await self._chat.request(History(log=self._log(talk), after=talk.excerpt_end, limit=OLDER_PAGE))
            if talk.excerpt is excerpt:
                pages.extend(self._model, talk, page.entries, page.more)
        finally:
            talk.loading = False

    async def around(self, talk: Conversation, seq: int) -> Record:
        """See to it that the message `seq` is among what is looked at, with what stands around it.

        Where that is long ago, it is an excerpt, with a gap between it and the newest messages. Returns the message.
        Raises `ChatError`; `NoSuchMessage` if it is not to be read.
        """
        for records in talk.scrollbacks:
            record = records.said_at(seq)
            if record is not None:
                if records is talk.records:
                    talk.excerpt = None
                return record
        log = self._log(talk)
        before = await self._chat.request(History(log=log, before=seq + 1, limit=BEFORE_IT))
        after = await self._chat.request(History(log=log, after=seq, limit=BEFORE_IT))
        excerpt = pages.take_around(self._model, talk, before.entries, after.entries, before.more, after.more)
        record = excerpt.said_at(seq) if talk.excerpt is excerpt else talk.records.said_at(seq)
        if record is None:
            talk.excerpt = None
            raise NoSuchMessage
        return record
