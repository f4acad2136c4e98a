"""Incoming webhooks: a POST to a secret URL becomes a message in a room, acknowledged once the broker has it on disk.

What comes is bounded before it is parsed. Whoever does not know a secret learns nothing, not even whether there are
any hooks. Must not know how bodies are read (`shapes`), nor who listens.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
from collections import OrderedDict
from itertools import zip_longest
from typing import Final

from aiohttp import web

from client import log
from client.link.chat import ChatClient
from client.link.failures import NoAnswer, SessionOver
from client.link.room import Pending, Room
from client.web.rooms import Rooms
from client.web.webhooks import bounds, shapes
from client.web.webhooks.hooks import LOGGER, HooksFile, Incoming
from common.errors import (
    BadName,
    BadText,
    Busy,
    ChatError,
    Closing,
    Forbidden,
    Internal,
    NoSuchRoom,
    NotLoggedIn,
    NotMember,
    RateLimited,
    StorageFailed,
    TooMany,
)

_AWAY: Final = (NoAnswer, SessionOver, NotLoggedIn, Busy, Closing, Internal, RateLimited, StorageFailed, TooMany)
"""Why the broker does not take a message now, and may later."""
_STATUS: Final = {BadName: 404, NoSuchRoom: 404, NotMember: 404, Forbidden: 403, BadText: 400}
_EVENT_HEADERS: Final = ("X-GitHub-Event", "X-Gitea-Event", "X-Forgejo-Event", "X-Gogs-Event")


class Allowance:
    """How often one hook may be called: a bucket that fills with time."""

    def __init__(self, now: float) -> None:
        self._left = float(bounds.RATE.burst)
        self._seen = now

    def wait(self, now: float) -> float:
        """Take one call; 0 if it is allowed, else the seconds until one will be."""
        self._left = min(bounds.RATE.burst, self._left + (now - self._seen) * bounds.RATE.per_s)
        self._seen = now
        if self._left < 1:
            return (1 - self._left) / bounds.RATE.per_s
        self._left -= 1
        return 0.0


class IncomingHooks:
    """The handler of the incoming hooks."""

    def __init__(self, chat: ChatClient, rooms: Rooms, hooks: HooksFile) -> None:
        self._chat = chat
        self._rooms = rooms
        self._hooks = hooks
        self._allowances: dict[str, Allowance] = {}
        self._known: OrderedDict[bytes, tuple[float, list[Pending]]] = OrderedDict()
        self._at_work = 0

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a POST to `/hook/{secret}`."""
        hook = self._hooks.current().find(request.match_info["secret"])
        if hook is None:
            return _answer(404, "There is no such hook.")
        now = asyncio.get_running_loop().time()
        wait = self._allowances.setdefault(hook.id, Allowance(now)).wait(now)
        if wait:
            return _answer(429, "This hook is called too often; wait a little.", math.ceil(wait))
        if self._at_work >= bounds.AT_WORK:
            return _answer(503, "There is too much to do just now; come again.", bounds.RETRY_S)
        self._at_work += 1
        try:
            return await self._take(hook, request)
        finally:
            self._at_work -= 1

    async def _take(self, hook: Incoming, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(bounds.BODY_S):
                body = await request.read()
        except TimeoutError:
            return _answer(408, f"The body did not arrive within {bounds.BODY_S:g} s.")
        except web.HTTPRequestEntityTooLarge:
            log.event(LOGGER, "hook-refused", hook=hook.name, status=413)
            return _answer(413, f"A body has at most {bounds.BODY_BYTES} bytes.")
        except (web.RequestPayloadError, ConnectionError):
            log.event(LOGGER, "hook-refused", hook=hook.name, status=400)
            return _answer(400, "The body broke off, or is not encoded as its Content-Encoding says.")
        kind = request.content_type if "Content-Type" in request.headers else ""
        try:
            messages = shapes.read(body, kind, _first(request, _EVENT_HEADERS)).messages()
        except shapes.Unreadable as error:
            status = 415 if isinstance(error, shapes.UnknownType) else 400
            log.event(LOGGER, "hook-refused", hook=hook.name, status=status)
            return _answer(status, f"Nothing was said in the room: {error}.")
        key = request.headers.get("Idempotency-Key", "")
        mark = hashlib.sha256(f"{hook.id} {key}\n".encode(errors="surrogateescape") + body).digest()
        return await self._say(hook, messages, mark, once=bool(key))

    async def _say(self, hook: Incoming, messages: list[str], mark: bytes, *, once: bool) -> web.Response:
        """Say it, and answer once the broker has it; with `once`, and in doubt, it is known when it comes again."""
        now = asyncio.get_running_loop().time()
        known = self._recent(mark, now)
        posts: list[Pending] = []
        try:
            async with asyncio.timeout(bounds.LINK_S):
                await self._chat.wait_live()
                room = await self._rooms.join(hook.room)
            posts = [self._post(room, text, post) for text, post in zip_longest(messages, known)]
            await self._deliver(posts, now + bounds.ANSWER_S)
        except (TimeoutError, *_AWAY) as error:
            self._remember(mark, posts, now)
            log.event(LOGGER, "hook-put-off", logging.WARNING, hook=hook.name, cause=_code(error))
            wait = error.retry_after if isinstance(error, ChatError) else None
            return _answer(503, "The broker cannot be reached just now; come again.", math.ceil(wait or bounds.RETRY_S))
        except ChatError as error:
            log.event(LOGGER, "hook-refused", logging.WARNING, hook=hook.name, cause=error.code)
            return _answer(_STATUS.get(type(error), 400), str(error))
        if once:
            self._remember(mark, posts, now)
        else:
            self._known.pop(mark, None)
        log.event(LOGGER, "hook-said", hook=hook.name, messages=len(posts))
        return _answer(200, "ok")

    def _post(self, room: Room, text: str, before: Pending | None) -> Pending:
        """The post on its way, or a new one; one that failed goes out again as the same one."""
        if before is not None and not isinstance(before.outcome, ChatError):
            return before
        return self._chat.post(room, text, nonce=before.nonce if before else None, hops=1)

    async def _deliver(self, posts: list[Pending], deadline: float) -> None:
        """Wait for all of them; what has not gone out by then is taken back. Raises why the first failed that did."""
        failure: ChatError | None = None
        for post in posts:
            try:
                await self._chat.deliver(post, max(0.0, deadline - asyncio.get_running_loop().time()))
            except ChatError as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def _recent(self, mark: bytes, now: float) -> list[Pending]:
        """The posts of a request that came before, if it may be the same one that comes again."""
        while self._known and next(iter(self._known.values()))[0] < now - bounds.KNOWN_S:
            self._known.popitem(last=False)
        return self._known[mark][1] if mark in self._known else []

    def _remember(self, mark: bytes, posts: list[Pending], now: float) -> None:
        if posts:
            self._known[mark] = now, posts
            self._known.move_to_end(mark)
            while len(self._known) > bounds.KNOWN:
                self._known.popitem(last=False)


def _code(error: BaseException) -> str:
    return error.code if isinstance(error, ChatError) else "no-answer"


def _first(request: web.Request, names: tuple[str, ...]) -> str:
    return next((request.headers[name] for name in names if name in request.headers), "")


def _answer(status: int, sentence: str, retry_after: int | None = None) -> web.Response:
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else None
    return web.Response(status=status, text=sentence, headers=headers)
