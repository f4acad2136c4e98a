"""A person in a test: says, does and hears what people do in a chat, with a client of their own.

Every method waits until the broker has acknowledged it, and raises the `ChatError` with which it was refused. Must not
know the bot.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from client.link.chat import ChatClient
from client.link.room import Pending
from client.link.updates import Update
from common import messages as m
from testkit.client import Client
from testkit.seen import LASTING, Change, ChangeKind, Post, of_entry, seen
from testkit.stage import Stage

T = TypeVar("T")


class Person:
    """Somebody with an account, and what they have heard and not yet told the test."""

    def __init__(self, stage: Stage, login: str, *, bot: bool = False) -> None:
        """With `bot` it is a program, as everybody sees by `hops`."""
        self._stage = stage
        self._client: Client | None = None
        self._heard: list[Post] = []
        self._seen: list[Change] = []
        self.login = login
        self._hops = int(bot)

    def __repr__(self) -> str:
        return f"<Person {self.login}>"

    @property
    def chat(self) -> ChatClient:
        """Their `ChatClient`, for what there is no method for here."""
        return self._present.chat

    @property
    def _present(self) -> Client:
        if self._client is None:
            raise self.failure(f"{self.login} is not here.")
        return self._client

    def failure(self, said: str) -> AssertionError:
        """What a test about them fails with: a sentence, and what was said so far."""
        return self._stage.failure(said)

    def arrive(self, client: Client) -> None:
        """From now on they are here with this client."""
        self._client = client

    def take(self, update: Update) -> None:
        """Their client was told something."""
        for each in seen(update):
            if isinstance(each, Post):
                if each.sender != self.login:
                    self._heard.append(each)
            elif each.by != self.login:
                self._seen.append(each)

    # What they do.

    async def say(self, text: str, room: str = "", reply_to: Post | int | None = None) -> Post:
        """Say something in a room, the default one unless named; returns it as it stands in the log."""
        room = room or self._stage.default_room
        sent = await self._posted(lambda: self.chat.post(room, text, reply_to=_seq(reply_to)))
        return Post(text, self.login, room, sent.seq, sent.time, reply_to=_seq(reply_to) or 0, hops=self._hops)

    async def direct(self, text: str, to: str | Person, reply_to: Post | int | None = None) -> Post:
        """Say something to one person or bot, privately; returns it as it stands in one's own inbox."""
        whom = to.login if isinstance(to, Person) else to
        sent = await self._posted(lambda: self.chat.direct(whom, text, reply_to=_seq(reply_to)))
        log = f"@{self.login}"
        return Post(text, self.login, log, sent.seq, sent.time, whom, _seq(reply_to) or 0, self._hops)

    async def edit(self, post: Post, text: str) -> None:
        """Say something else in the place of a message of one's own."""
        await self._posted(lambda: self.chat.edit(post.log, post.seq, text))

    async def retract(self, post: Post) -> None:
        """Take a message back."""
        await self._posted(lambda: self.chat.retract(post.log, post.seq))

    async def react(self, emoji: str, post: Post, on: bool = True) -> None:
        """Put an emoji to a message, or take it away."""
        await self._posted(lambda: self.chat.react(post.log, post.seq, emoji, on))

    async def _posted(self, post: Callable[[], Pending]) -> m.Sent:
        async def sent() -> m.Sent:
            return await post()

        return await self._stage.do(sent())

    async def request(self, command: m.Command) -> Any:
        """Make any request; returns the reply."""
        return await self._stage.do(_as_coroutine(self.chat.request(command)))

    async def join(self, room: str) -> None:
        """Become a member of a room."""
        await self._stage.do(self.chat.join(room))

    async def leave(self, room: str) -> None:
        """Stop being one."""
        await self._stage.do(self.chat.leave(room))

    async def create(self, room: str, *, kept: bool = False, private: bool = False, subject: str = "") -> None:
        """Make a room, and be its first member."""
        await self._stage.do(self.chat.create(room, kept=kept, private=private, subject=subject))

    async def invite(self, whom: str | Person, room: str) -> None:
        """Let somebody know of a room, and into it if it is private."""
        await self.request(m.Invite(room=room, login=_login(whom)))

    async def remove(self, whom: str | Person, room: str) -> None:
        """Put somebody out of a room."""
        await self.request(m.Remove(room=room, login=_login(whom)))

    async def appoint(self, whom: str | Person, room: str, on: bool = True) -> None:
        """Let somebody keep order in a room that one has made, or no longer."""
        await self.request(m.Moderate(room=room, login=_login(whom), on=on))

    async def set_subject(self, room: str, subject: str) -> None:
        """Set a room's topic line."""
        await self.request(m.Subject(room=room, subject=subject))

    async def members(self, room: str = "") -> list[str]:
        """The logins of a room's members."""
        name = room or self._stage.default_room
        reply: m.MemberList = await self.request(m.Members(room=name))
        return [member.login for member in reply.members]

    async def history(self, room: str = "") -> list[Post]:
        """The newest messages of a room as they are by now, oldest first."""
        name = room or self._stage.default_room
        reply: m.Entries = await self.request(m.History(log=name))
        found = [of_entry(name, entry) for entry in reply.entries if isinstance(entry, m.Said) and not entry.retracted]
        return [post for post in found if isinstance(post, Post)]

    async def vanish(self) -> None:
        """Lose the connection without a word, as a telephone in a tunnel does."""
        client, self._client = self._present, None
        await client.close(bye=False)

    async def quit(self) -> None:
        """Go, and say so."""
        client, self._client = self._present, None
        await self._stage.do(client.close(bye=True))

    # What they notice.

    async def hears(self, room: str | None = None, *, within: float | None = None) -> Post:
        """The next message that was not heard yet and is not their own; of one room, if it is named.

        Fails once everything has been done and there is none. `within` so many real seconds it may come, from something
        that the kit does not see: another program, a thread of the bot's own.
        """

        def there() -> bool:
            return any(room in (None, post.log) for post in self._heard)

        await (self._stage.settle(there) if within is None else self._stage.wait(there, within))
        if not there():
            unheard = f"; heard elsewhere: {_list(self._heard)}" if self._heard else ""
            raise self.failure(f"{self.login} hears nothing{f' in {room}' if room else ''}{unheard}.")
        post = next(post for post in self._heard if room in (None, post.log))
        self._heard.remove(post)
        return post

    async def sees(self, *kinds: ChangeKind, within: float | None = None) -> Change:
        """The next change by somebody else that was not told yet: an edit, a reaction, somebody who comes …

        Without `kinds` any of those that a log keeps. Fails as `hears` does.
        """
        wanted = kinds or LASTING

        def there() -> bool:
            return any(change.kind in wanted for change in self._seen)

        await (self._stage.settle(there) if within is None else self._stage.wait(there, within))
        if not there():
            unseen = f"; seen, too: {_list(self._seen)}" if self._seen else ""
            raise self.failure(f"{self.login} sees no {' or '.join(kinds) or 'change'}{unseen}.")
        change = next(change for change in self._seen if change.kind in wanted)
        self._seen.remove(change)
        return change

    async def silence(self) -> None:
        """Wait until everything has been done, and fail if there is a message, or a change of one, not heard yet.

        Comings and goings, topics, and who is writing, are no noise.
        """
        await self._stage.settle()
        noise = [*self._heard, *(change for change in self._seen if change.kind in LASTING)]
        if noise:
            raise self.failure(f"{self.login} hears what nobody expected: {_list(noise)}.")

    async def forget(self) -> None:
        """Wait until everything has been done, and pass over what was not heard yet."""
        await self._stage.settle()
        self._heard.clear()
        self._seen.clear()


def _seq(post: Post | int | None) -> int | None:
    return post.seq if isinstance(post, Post) else post


def _login(whom: str | Person) -> str:
    return whom.login if isinstance(whom, Person) else whom


def _list(things: list[Any]) -> str:
    return ", ".join(_short(each) for each in things)


def _short(thing: Post | Change) -> str:
    if isinstance(thing, Post):
        return f"{thing.text!r} of {thing.sender} in {thing.log}"
    return f"{thing.kind} of {thing.by} in {thing.log}"


async def _as_coroutine(what: Awaitable[T]) -> T:
    return await what
