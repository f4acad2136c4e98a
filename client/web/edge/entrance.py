"""Coming in and going: login, registration and logout over HTTP, each with the cookie that follows from it.

A login always makes a new secret, so nobody is logged in under one that somebody else has put there; the session of the
cookie that came along ends. Nothing of what was typed is logged. Must not know pages or sockets.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web
from msgspec import Struct

from client import log
from client.link.failures import NoAnswer
from client.web.edge import bounds, cookies
from client.web.edge.agents import described
from client.web.edge.allowances import Allowances
from client.web.edge.proxies import Asker
from client.web.edge.wording import Wording, wording_of
from client.web.relay.relay import Relay
from common import messages as m
from common.errors import (
    AccountDisabled,
    BadRequest,
    Busy,
    ChatError,
    Closing,
    Forbidden,
    Internal,
    NameTaken,
    NotLoggedIn,
    RateLimited,
    RegistrationClosed,
    StorageFailed,
    WrongPassword,
)

LOGGER: Final = logging.getLogger("tertulia.web")
ENTER_S: Final = 70.0
"""Seconds that the broker has to answer: hashes wait for one another."""
_AWAY: Final = (NoAnswer, Busy, Closing, Internal, StorageFailed)
_STATUS: Final[dict[type[ChatError], int]] = {
    WrongPassword: 403,
    AccountDisabled: 403,
    RegistrationClosed: 403,
    Forbidden: 403,
    NotLoggedIn: 403,
    NameTaken: 409,
    RateLimited: 429,
}


class _Form(Struct, kw_only=True):
    keep: bool = False
    lang: str = ""


F = TypeVar("F", bound=_Form)


class LoginForm(_Form, kw_only=True):
    """What is sent to `/api/login`."""

    login: m.Name
    password: m.Secret


class RegisterForm(_Form, kw_only=True):
    """What is sent to `/api/register`."""

    login: m.Name
    password: m.Secret
    first_names: m.PersonName
    surnames: m.PersonName
    age: m.Age
    gender: m.Gender


Left = Callable[[str], Awaitable[None]]
"""Is told the label of a session that nobody has in a browser any more."""


class Entrance:
    """The handlers of `/api`. That a request comes from the page itself was judged before."""

    def __init__(self, relay: Relay, asker: Callable[[web.Request], Asker], left: Left) -> None:
        self._relay = relay
        self._left = left
        self._asker = asker
        self._logins = Allowances(bounds.LOGINS)
        self._registrations = Allowances(bounds.REGISTRATIONS)
        self._entering = 0

    async def login(self, request: web.Request) -> web.Response:
        """`POST /api/login`."""
        form = await _read(request, LoginForm)
        return await self._enter(request, form, m.Login(login=form.login, password=form.password), self._logins)

    async def register(self, request: web.Request) -> web.Response:
        """`POST /api/register`."""
        form = await _read(request, RegisterForm)
        command = m.Register(
            login=form.login,
            password=form.password,
            first_names=form.first_names,
            surnames=form.surnames,
            age=form.age,
            gender=form.gender,
        )
        return await self._enter(request, form, command, self._registrations)

    async def logout(self, request: web.Request) -> web.Response:
        """`POST /api/logout`: the session ends, and with it the cookie; both stay if the broker is not reached."""
        form = await _read(request, _Form)
        secret = cookies.read(request)
        answer = web.json_response({"ok": True})
        if secret is not None:
            label = cookies.label(secret)
            try:
                await self._relay.leave(label)
            except ChatError as error:
                # The cookie stays, so that the person can try again: the session still stands at the broker.
                return refused(error, wording_of(request, form.lang))
            await self._left(label)
        cookies.take(answer)
        return answer

    async def _enter(
        self, request: web.Request, form: _Form, command: m.Login | m.Register, allowances: Allowances
    ) -> web.Response:
        asker, wording = self._asker(request), wording_of(request, form.lang)
        wait = allowances.wait(asker.neighbourhood, asyncio.get_running_loop().time())
        if wait:
            return refused(RateLimited(retry_after=wait), wording)
        if self._entering >= bounds.ENTERING:
            return refused(Busy(retry_after=1.0), wording)
        self._entering += 1
        secret = cookies.make(keep=form.keep)
        try:
            async with asyncio.timeout(ENTER_S):
                client = described(request.headers.get("User-Agent", ""))
                entered = await self._relay.enter(cookies.label(secret), command, asker.address, client)
        except (ChatError, TimeoutError) as error:
            failure = error if isinstance(error, ChatError) else NoAnswer()
            log.event(LOGGER, "web-refused", op=command.op, address=asker.address, cause=failure.code)
            return refused(failure, wording)
        finally:
            self._entering -= 1
        log.event(LOGGER, "web-entered", op=command.op, address=asker.address, login=entered.session.login)
        await self._leave_before(request)
        answer = web.json_response({"ok": True, "login": entered.session.login})
        cookies.give(answer, secret)
        return answer

    async def _leave_before(self, request: web.Request) -> None:
        """End the session of the cookie that is replaced now."""
        before = cookies.read(request)
        if before is None:
            return
        label = cookies.label(before)
        # Whatever becomes of the session, this browser is somebody else's now.
        await self._left(label)
        try:
            await self._relay.leave(label, reason="replaced")
        except ChatError as error:
            log.event(LOGGER, "web-not-left", cause=error.code)


def refused(error: ChatError, wording: Wording) -> web.Response:
    """The answer to what was refused, as a page shows it to its person."""
    said: dict[str, Any] = {"code": error.code, "message": wording(error)}
    headers = {}
    if error.retry_after is not None:
        said["retry_after"] = error.retry_after
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    if isinstance(error, Unreadable):
        status = error.status
    else:
        status = 503 if isinstance(error, _AWAY) else _STATUS.get(type(error), 400)
    return web.json_response({"ok": False, "error": said}, status=status, headers=headers)


class Unreadable(BadRequest):
    """What was sent is no form; `status` is what HTTP calls that."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def _read(request: web.Request, kind: type[F]) -> F:
    """The form that was sent. Raises `Unreadable` for anything else, or what comes too slowly."""
    if request.content_type != "application/json" or "Content-Encoding" in request.headers:
        raise Unreadable(415, "Send JSON: Content-Type: application/json.")
    body = b""
    try:
        async with asyncio.timeout(bounds.FORM_S):
            while len(body) <= bounds.FORM_BYTES and (more := await request.content.read(bounds.FORM_BYTES)):
                body += more
    except TimeoutError:
        raise Unreadable(408, f"The body did not arrive within {bounds.FORM_S:g} s.") from None
    except (web.RequestPayloadError, ConnectionError):
        raise Unreadable(400, "The body broke off.") from None
    if len(body) > bounds.FORM_BYTES:
        raise Unreadable(413, f"A form has at most {bounds.FORM_BYTES} bytes.")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(400, f"The form is malformed: {error}.") from None
