"""Posts on their way: each goes out once with its nonce, in order per room or person, over cuts and waits.

One post per target is under way at a time: a second one could overtake the first if that is told to wait
(`rate-limited`, `busy`), and a sender's messages keep their order. A wait is for all of them, since the broker counts
an account's posts wherever they go; after it they go out one by one, and more at once with each that is taken. Must
not know how a post is sent.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from client.link.failures import pause
from client.link.updates import Postponed, Settled
from common import names
from common.errors import Busy, ChatError, Closing, RateLimited, StorageFailed, TooMany
from common.messages import Direct, Edit, React, Retract, Send, Sent

LIMIT: Final = 256
"""Posts that may wait: what somebody types while offline, and not a program's runaway loop."""
WAIT_S: Final = 1.0
"""Seconds until the next try if the refusal names none."""


Postable = Send | Direct | Edit | Retract | React
"""What goes through the journal under a nonce: something said, or a change of it."""


@dataclass(slots=True, eq=False)
class Post:
    """A message on its way, or the change of one."""

    command: Postable
    target: tuple[str, str]
    sent: bool = False
    doubtful: bool = False
    """Whether it may be in the log without our having been told: its answer may have gone down with a connection."""

    @property
    def nonce(self) -> bytes:
        """What makes a resend harmless."""
        return self.command.nonce


def target_of(command: Postable) -> tuple[str, str]:
    """What shares one order: a room, or a person; the changes in one's own inbox have an order of their own."""
    if isinstance(command, Send):
        return "room", names.key(command.room)
    if isinstance(command, Direct):
        return "person", names.key(command.to)
    return "inbox" if command.log.startswith("@") else "room", names.key(command.log)


class Outbox:
    """Posts by target, oldest first."""

    def __init__(self, random: Callable[[int], bytes], limit: int = LIMIT) -> None:
        self._random = random
        self._limit = limit
        self._not_before = -math.inf
        self._at_once = limit
        self._under_way = 0
        self._queues: dict[tuple[str, str], deque[Post]] = {}
        self._posts: dict[bytes, Post] = {}

    def __len__(self) -> int:
        return len(self._posts)

    def add(self, command: Postable) -> Post:
        """Put a post in the queue. Raises `TooMany` if that is full."""
        if len(self._posts) >= self._limit:
            raise TooMany(f"{self._limit} messages wait to be sent already; try again when the broker answers.")
        post = Post(command, target_of(command))
        self._posts[post.nonce] = post
        self._queues.setdefault(post.target, deque()).append(post)
        return post

    def ready(self, now: float) -> list[Post]:
        """Mark and return those to be sent now, oldest first: of each target the first, unless it is under way."""
        room = self._at_once - self._under_way
        if now < self._not_before or room <= 0:
            return []
        due = [queue[0] for queue in self._queues.values() if not queue[0].sent]
        if len(due) > room:
            ages = {nonce: age for age, nonce in enumerate(self._posts)}
            due = sorted(due, key=lambda post: ages[post.nonce])[:room]
        for post in due:
            self._mark(post, True)
        return due

    def _mark(self, post: Post, sent: bool) -> None:
        self._under_way += sent - post.sent
        post.sent = sent

    def answered(
        self, nonce: bytes, outcome: Sent | ChatError, now: float, doubtful: bool = False
    ) -> Settled | Postponed | None:
        """The broker's answer came, or the message itself was heard. Returns what to report.

        With `doubtful` it went out before, and there was no answer to that.
        """
        post = self._posts.get(nonce)
        if post is None:
            return None
        post.doubtful = post.doubtful or doubtful
        # That nothing was done is true of what was sent last, and may not be of what was sent before: ask again.
        undecided = post.doubtful and isinstance(outcome, StorageFailed)
        if undecided or isinstance(outcome, (RateLimited, Busy, Closing)):
            wait = pause(outcome, WAIT_S, self._random)
            self._mark(post, False)
            self._not_before = max(self._not_before, now + wait)
            self._at_once = 1
            return Postponed(nonce, wait)
        self._at_once = min(self._limit, self._at_once + 1)
        self._remove(post)
        return Settled(nonce, outcome)

    def withdraw(self, nonce: bytes) -> bool:
        """Take back a post that has not gone out. Returns whether that succeeded."""
        post = self._posts.get(nonce)
        if post is None or post.sent or post.doubtful:
            return False
        self._remove(post)
        return True

    def fail(self, error: ChatError, target: tuple[str, str] | None = None) -> list[Settled]:
        """Give up on all posts, or on those for one target."""
        posts = [post for post in self._posts.values() if target is None or post.target == target]
        for post in posts:
            self._remove(post)
        return [Settled(post.nonce, error) for post in posts]

    def _remove(self, post: Post) -> None:
        self._mark(post, False)
        del self._posts[post.nonce]
        queue = self._queues[post.target]
        queue.remove(post)
        if not queue:
            del self._queues[post.target]

    def deadline(self) -> float:
        """When `ready` next has something that must wait now."""
        waits = self._under_way < self._at_once and any(not queue[0].sent for queue in self._queues.values())
        return self._not_before if waits else math.inf
