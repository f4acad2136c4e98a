"""One connection from a browser or a proxy: counted, with a time for each head, and with no word of its own on what is
wrong with a request.

Whoever sends a head byte by byte, reads an answer byte by byte, or keeps a connection that nothing comes from, is cut
off. Must not know what is asked.
"""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Any

from aiohttp import web

from client.web.edge import bounds, security
from client.web.edge.allowances import Places
from client.web.edge.proxies import Proxies, plain
from client.web.edge.trifles import Counted


class Connection(web.RequestHandler):
    """A connection of aiohttp's server, with its bounds."""

    __slots__ = ("_address", "_deadline", "_places", "_proxies")

    def __init__(self, server: web.Server, logger: logging.Logger, places: Places, proxies: Proxies) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=bounds.IDLE_S,
            logger=logger,
            access_log=None,  # type: ignore[arg-type]
            max_line_size=bounds.LINE_BYTES,
            max_field_size=bounds.FIELD_BYTES,
            max_headers=bounds.FIELDS,
            lingering_time=bounds.FORM_S,
        )
        self._places = places
        self._proxies = proxies
        self._address: str | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place, or be shut; then wait for the first head."""
        assert isinstance(transport, asyncio.Transport)
        peer = transport.get_extra_info("peername")
        address = plain(peer[0]) if peer else ""
        if not self._places.take(address, bounded=not self._proxies.trusts(address)):
            transport.abort()
            return
        self._address = address
        super().connection_made(transport)
        self._until(bounds.HEAD_S)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Give the place back."""
        if self._address is None:
            return
        self._places.free(self._address)
        self._address = None
        self._cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in what came, unless there was no place for the connection."""
        if self._address is not None:
            super().data_received(data)

    def busy(self) -> None:
        """A head has arrived: what becomes of the request has bounds of its own."""
        self._cancel()

    def idle(self) -> None:
        """What was asked is answered: the answer has to be read, and the next head to come, in time."""
        if self._address is not None:
            self._until(bounds.IDLE_S)

    def set_parser(self, parser: Any, *more: Any, **named: Any) -> None:
        """It is a WebSocket from now on, whose frames are counted before they are read."""
        counted: Any = Counted(parser, asyncio.get_running_loop().time, self._over)
        super().set_parser(counted, *more, **named)

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Answer what could not be read, or was not foreseen, without a word of the request or of the fault."""
        said = super().handle_error(request, status, exc, message)  # which logs what is to be logged
        answer = web.Response(status=status, text=f"{said.status} {HTTPStatus(status).phrase}\n")
        tls = self.ssl_context is not None
        security.protect(answer, secure=self._proxies.asker(self._address or "", tls, request.headers).secure)
        answer.force_close()
        return answer

    def _until(self, seconds: float) -> None:
        self._cancel()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self._over)

    def _over(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def server_log() -> logging.Logger:
    """The log of aiohttp's server, which says nothing of a request that it cannot read: it would quote it, and with it
    the secret of a hook; and anybody could fill the disk."""
    logger = logging.getLogger("tertulia.web.server")
    if _of_ours not in logger.filters:
        logger.addFilter(_of_ours)
    return logger


def _of_ours(record: logging.LogRecord) -> bool:
    """Whether something is to be mended here, and not by whoever asked."""
    from aiohttp.http_exceptions import HttpProcessingError

    fault: Any = record.exc_info[1] if record.exc_info else None
    return not isinstance(fault, HttpProcessingError | web.RequestPayloadError | ConnectionError)
